"""The state of one endpoint, and the few verbs that every exchange needs: emit, arm, send, look up.

All of it is data (law 9). The exchanges are functions over `Core`; `Endpoint` is their face.
"""

from __future__ import annotations

import msgspec

from engine import limits
from engine.clock import Deadlines
from engine.ids import Tokens
from engine.sip.account import Account
from engine.sip.binding import Binding, Probe, Refer, Registration, Subscription
from engine.sip.dialog import Dialog
from engine.sip.events import Path, Refused, SipEvent
from engine.sip.flows import Flows
from engine.sip.message import Message
from engine.sip.session import Phase, Session
from engine.sip.transaction import Transaction

SESSIONS_PER_CALL_ID_MAX = 16
ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, PRACK, UPDATE, REFER, NOTIFY"
ALLOWED = tuple(ALLOW.split(", "))
SUPPORTED = "timer, 100rel, replaces"
SUPPORTED_OPTIONS = tuple(SUPPORTED.split(", "))
ACCEPT = "application/sdp, application/dtmf-relay, application/dtmf, message/sipfrag"
RETRY_AFTER_S = 10


class Core(msgspec.Struct):
    """Everything an endpoint knows. One counter numbers all things, so no id is ever used twice."""

    tokens: Tokens
    user_agent: str
    nonce_key: bytes
    flows: Flows
    deadlines: Deadlines
    transactions: dict[int, Transaction] = {}
    by_key: dict[tuple[str, ...], int] = {}
    merged: dict[tuple[str, ...], int] = {}
    sessions: dict[int, Session] = {}
    by_call: dict[str, list[int]] = {}
    refers: dict[int, Refer] = {}
    registrations: dict[int, Registration] = {}
    bindings: dict[str, list[Binding]] = {}
    binding_owners: dict[int, str] = {}
    probes: dict[int, Probe] = {}
    events: list[SipEvent] = []
    overload: bool = False
    algorithms: dict[str, tuple[str, ...]] = {}  # realm -> of its challenges; absent: all we know
    serial: int = 0
    subscriptions: dict[int, Subscription] = {}
    subscribing: dict[int, Registration] = {}  # SUBSCRIBEs that wait for the verdict of the rooms above
    accounts: dict[int, Account] = {}  # our registrations with carriers
    urgent: tuple[str, ...] = ()  # numbers that are let in while others are told 503
    watched: dict[str, list[int]] = {}  # owner -> subscriptions
    overload_why: str = ""  # in words: which limit, and what to do

    def fresh_id(self) -> int:
        """The next id."""
        self.serial += 1
        return self.serial

    def refuse(self, kind: str, path: Path, detail: str) -> None:
        """Note something that was dropped or answered with an error; the owner bounds the rate."""
        self.events.append(Refused(kind, path, detail))

    def refuse_full(self, path: Path, method: str) -> None:
        """Note that a request was told 503: which limit it was."""
        if self.overload:
            why = self.overload_why or "the node is full or draining"
        elif len(self.sessions) >= limits.dialogs_max:
            why = f"limit dialogs_max ({len(self.sessions)})"
        else:
            why = f"limit transactions_max ({len(self.transactions)})"
        self.refuse("limit", path, f"{method} refused: {why}")

    # --- sessions -------------------------------------------------------------------------------------
    def add_session(self, session: Session) -> None:
        """Make a session findable by its Call-ID."""
        self.sessions[session.id] = session
        self.by_call.setdefault(session.dialog.call_id, []).append(session.id)

    def release(self, session: Session) -> None:
        """Forget a session that is over, unless a REFER of it still has to be reported."""
        deadlines = self.deadlines
        for key in SESSION_TIMERS:
            deadlines.armed.pop((key, session.id), None)
        session.wanted_sdp = b""
        if session.refers:
            session.phase = Phase.OVER
            return
        self.sessions.pop(session.id, None)
        siblings = self.by_call.get(session.dialog.call_id)
        if siblings is None:
            return
        if session.id in siblings:
            siblings.remove(session.id)
        if not siblings:
            del self.by_call[session.dialog.call_id]

    def session_of(self, message: Message) -> Session | None:
        """The session whose dialog this in-dialog request belongs to (§12.2.2): Call-ID and both tags."""
        tag = message.from_.tag
        for number in self.by_call.get(message.call_id, ()):
            session = self.sessions[number]
            dialog = session.dialog
            if dialog.local_tag == message.to.tag and (dialog.remote_tag == tag or tag in session.early):
                return session
        return None

    def dialog_of(self, session: Session, message: Message) -> Dialog:
        """Which dialog of the session the request came in: while it rings there may be several (§12.1)."""
        tag = message.from_.tag
        early = session.early.get(tag) if session.dialog.remote_tag != tag else None
        return early.dialog if early is not None else session.dialog

    def unacked_session(self, message: Message) -> Session | None:
        """The session whose 2xx this ACK acknowledges.

        Leniency for rude phones: while we wait for it, an ACK of the same Call-ID, From tag and CSeq counts, whatever
        its To tag (pyVoIP invents one; refusing would end the call after 64·T1).
        """
        number = message.cseq[0]
        rude = None
        for candidate in self.by_call.get(message.call_id, ()):
            session = self.sessions[candidate]
            if session.ok_cseq != number or not session.ok or session.dialog.remote_tag != message.from_.tag:
                continue
            if session.dialog.local_tag == message.to.tag:
                return session
            rude = rude or session
        return rude

    def full(self, in_dialog: bool) -> bool:
        """No room for another transaction. Requests of standing dialogs keep a tenth more, so that BYE gets through."""
        most = limits.transactions_max
        return len(self.transactions) >= (most + most // 10 if in_dialog else most)


# Heap keys by session id; see `dispatch.TIMERS` for who serves them.
SESSION_TIMERS = (
    "2xx", "early", "ring", "ring_max", "cancel", "glare", "theirs", "refresh", "expiry", "owes", "referring",
    "prack",
)
