"""`Endpoint`: the whole SIP stack as one object without I/O.

Bytes and `now_ms` go in, `sends` and `events` come out (drain both after each call), deadlines by `next_deadline()`.
A late or unknown session id in any call is ignored: call sites may be late (law 4). The state is `core`, all data.
"""

from __future__ import annotations

import msgspec

from engine import limits
from engine.clock import Deadlines
from engine.errors import LocalError
from engine.ids import Tokens
from engine.sip import (
    digest,
    dispatch,
    pager,
    qualify,
    registrar,
    registration,
    replaces,
    session_end,
    session_info,
    session_modify,
    session_uac,
    session_uas,
    subscription,
    transfer,
)
from engine.sip.account import Account
from engine.sip.binding import Binding, Subscription
from engine.sip.core import Core
from engine.sip.events import CloseFlow, Connect, Found, Path, Replaces, Send, SipEvent
from engine.sip.flows import Flows, Listener, networks_of
from engine.sip.multipart import Part
from engine.sip.session import Move, Phase

Headers = tuple[tuple[str, str], ...]


class Endpoint:
    """See the module. Methods are grouped as a call uses them; all times are monotonic milliseconds."""

    def __init__(self, tokens: Tokens, *, user_agent: str = "Ringdown") -> None:
        self.core = Core(tokens, user_agent, bytes.fromhex(tokens.hex(64)), Flows(), Deadlines())

    # --- what comes out -------------------------------------------------------------------------------
    @property
    def sends(self) -> list[Send | Connect | CloseFlow]:
        """What the runtime has to send, in order."""
        return self.core.flows.sends

    @sends.setter
    def sends(self, value: list[Send | Connect | CloseFlow]) -> None:
        self.core.flows.sends = value

    @property
    def events(self) -> list[SipEvent]:
        """What the rooms above have to know, in order."""
        return self.core.events

    @events.setter
    def events(self, value: list[SipEvent]) -> None:
        self.core.events = value

    @property
    def overload(self) -> bool:
        """True: new INVITEs get 503 with Retry-After (the node is full or draining)."""
        return self.core.overload

    @overload.setter
    def overload(self, value: bool) -> None:
        self.core.overload = value

    # --- wiring -----------------------------------------------------------------------------------------
    def listen(
        self, flow: int, transport: str, host: str, port: int, advertise_host: str, advertise_port: int,
        local_networks: tuple[str, ...],
    ) -> None:
        """A listening address (flow id below 1,000). Raises ValueError for a local network that is none."""
        networks = networks_of(local_networks)
        self.core.flows.listen(
            Listener(flow, transport.lower(), host, port, advertise_host or host, advertise_port or port, networks)
        )

    def flow_opened(self, path: Path, now_ms: int, host: str = "", port: int = 0) -> None:
        """A stream connection exists: accepted, or asked for by Connect. `host` and `port`: our own end of it."""
        self.core.flows.opened(path, host, port)

    def flow_closed(self, flow: int, now_ms: int) -> None:
        """A stream connection is gone or never came up."""
        dispatch.flow_closed(self.core, flow, now_ms)

    def receive(self, path: Path, data: bytes, now_ms: int) -> None:
        """One datagram, or one message cut from a stream. Never raises."""
        try:
            dispatch.receive(self.core, path, data, now_ms)
        except Exception as error:  # the last net of a promise: a fault here is ours, and costs one message
            self.core.refuse("internal", path, f"{type(error).__name__}: {error}")

    def resume(self, by_ms: int) -> None:
        """The owner was away for `by_ms`: timers wait that much longer, and listeners have to be told again."""
        self.core.deadlines.shift(by_ms)
        self.core.flows.listeners.clear()

    def streams(self) -> list[int]:
        """The flow ids of every stream connection that it believes in."""
        return list(self.core.flows.streams)

    def next_deadline(self) -> int | None:
        """When `expire` has to be called at the latest."""
        return self.core.deadlines.next()

    def expire(self, now_ms: int) -> None:
        """Serve all due timers."""
        dispatch.expire(self.core, now_ms)

    # --- their INVITE -----------------------------------------------------------------------------------
    def challenge(self, session: int, realm: str, now_ms: int, *, stale: bool = False, proxy: bool = False) -> None:
        """401 (407) with the challenges of the realm (`use_digest`) and a fresh nonce; the INVITE is over then."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_uas.challenge(self.core, found, realm, now_ms, stale=stale, proxy=proxy)

    def use_digest(self, realm: str, algorithms: tuple[str, ...]) -> None:
        """Which algorithms of `digest.ALGORITHMS` a realm's challenges offer, in this order; both, unless told."""
        self.core.algorithms[realm] = algorithms

    def ring(
        self, session: int, status: int, now_ms: int, *, sdp: bytes | None = None, headers: Headers = (),
        reliable: bool = False,
    ) -> None:
        """180, or 183 with SDP; `reliable`: by 100rel (RFC 3262) when the caller knows it. He may require it."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_uas.ring(self.core, found, status, now_ms, sdp, headers, reliable=reliable)

    def needs_offer(self, session: int) -> bool:
        """Must `ring` carry our offer? (The INVITE requires 100rel and has none.) Pracked brings the answer."""
        found = self.core.sessions.get(session)
        return found is not None and session_uas.needs_offer(self.core, found)

    def settled(self, session: int) -> bool:
        """Have offer and answer been exchanged while it rings, or are about to be, so that the 200 carries none?"""
        found = self.core.sessions.get(session)
        rel = found.reliable if found is not None else None
        return rel is not None and (rel.agreed or (bool(rel.data) and rel.sdp))

    def answer(self, session: int, sdp: bytes, now_ms: int, *, headers: Headers = ()) -> None:
        """200; `sdp` is the answer, or our offer when Incoming had none."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_uas.answer(self.core, found, sdp, now_ms, headers)

    def reject(
        self, session: int, status: int, now_ms: int, *, phrase: str = "", cause: int = 0, headers: Headers = ()
    ) -> None:
        """A final refusal; `cause` becomes Reason: Q.850."""
        found = self.core.sessions.get(session)
        if found is not None:
            reason = session_end.reason_headers(cause)
            session_uas.reject(self.core, found, status, now_ms, phrase, (*reason, *headers))

    # --- our INVITE ---------------------------------------------------------------------------------------
    def invite(
        self, target: str, path: Path, now_ms: int, *, caller: tuple[str, str, str], sdp: bytes | None,
        headers: Headers = (), secret: tuple[str, str] | None = None, session_timer_s: int = 1800,
        ring_ms_max: int = 180_000, parts: tuple[Part, ...] = (),
    ) -> int:
        """Place a call. `caller` = (display, user, host or ''); path.flow 0: any flow of ours of that transport.

        Everything that becomes of it, failures too, comes as an event of the returned session id. A Max-Forwards in
        `headers` replaces ours; `parts` are bodies beside the offer. Without `sdp` the far end's offer comes with
        Answered and accept_offer answers it.
        """
        return session_uac.invite(
            self.core, target, path, now_ms, caller, sdp, headers, secret, session_timer_s, ring_ms_max, parts
        )

    def cancel(self, session: int, now_ms: int, *, reason: str = "") -> None:
        """CANCEL, at once or after the first 1xx; Rejected(487) follows. `reason`: value of a Reason header."""
        found = self.core.sessions.get(session)
        if found is not None and found.caller:
            session_uac.cancel(self.core, found, reason, now_ms)

    # --- both ---------------------------------------------------------------------------------------------
    def hang_up(self, session: int, now_ms: int, *, cause: int = 16, reason: str = "") -> None:
        """End it as its phase demands: 603, CANCEL, BYE. No event follows."""
        found = self.core.sessions.get(session)
        if found is None:
            return
        headers = session_end.reason_headers(cause, reason)
        if found.phase == Phase.INCOMING:
            session_uas.reject(self.core, found, 603, now_ms, "", headers, Move.HANG_UP)
        elif found.phase in (Phase.CALLING, Phase.RINGING, Phase.GIVING_UP, Phase.CANCELLING):
            found.quiet = True
            session_uac.cancel(self.core, found, headers[0][1] if headers else "", now_ms)
        else:
            session_end.hang_up_confirmed(self.core, found, headers, now_ms)

    def offer(self, session: int, sdp: bytes, now_ms: int) -> None:
        """Re-INVITE (UPDATE while it rings), as soon as the way is free; OfferAnswered or OfferRefused follows."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_modify.offer(self.core, found, sdp, now_ms)

    def accept_offer(self, session: int, sdp: bytes, now_ms: int) -> None:
        """200 to what carried their offer (our offer, when Offered had none); or the answer to one in a response."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_modify.accept(self.core, found, sdp, now_ms)

    def refuse_offer(self, session: int, status: int, now_ms: int) -> None:
        """Refuse their offer; the session stays as it was."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_modify.refuse(self.core, found, status, now_ms)

    def notify_refer(self, refer: int, status: int, phrase: str, now_ms: int) -> None:
        """Report a transfer's progress; status >= 200 ends the subscription."""
        transfer.notify(self.core, refer, status, phrase, now_ms)

    def refer(
        self, session: int, target: str, now_ms: int, *, referred_by: str = "", replaces_session: int = 0
    ) -> None:
        """REFER the far end to `target`, in the place of another session of ours if one is named (RFC 3891).

        ReferProgress events follow.
        """
        found, other = self.core.sessions.get(session), self.core.sessions.get(replaces_session)
        if found is not None and (other is not None or not replaces_session):
            to = replaces.refer_to(target, other) if other is not None else f"<{target}>"
            transfer.refer(self.core, found, to, referred_by, now_ms)

    def dialog(self, what: Replaces) -> Found | None:
        """The session that a Replaces names, and where it stands; None: no such dialog (481)."""
        return replaces.find(self.core, what)

    def far_target(self, session: int) -> str:
        """Where the far end of a session wants to be called, '' for an unknown session."""
        found = self.core.sessions.get(session)
        return found.dialog.target if found else ""

    def confirmed(self, session: int) -> bool:
        """Has the ACK of its INVITE come (or gone)? Before it nothing may be asked in its dialog but BYE."""
        found = self.core.sessions.get(session)
        return found is not None and found.phase == Phase.CONFIRMED

    def info_digit(self, session: int, digit: str, duration_ms: int, now_ms: int) -> None:
        """One digit by INFO (application/dtmf-relay)."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_info.send_digit(self.core, found, digit, duration_ms, now_ms)

    def probe(self, session: int, now_ms: int) -> None:
        """OPTIONS in the dialog; Probed follows, and Ended(probe) when the far end is gone."""
        found = self.core.sessions.get(session)
        if found is not None:
            session_info.probe(self.core, found, now_ms)

    def session_path(self, session: int) -> Path | None:
        """Where the far end was last seen."""
        found = self.core.sessions.get(session)
        return found.dialog.path if found else None

    def session_call_id(self, session: int) -> str:
        """The Call-ID, '' for an unknown session."""
        found = self.core.sessions.get(session)
        return found.dialog.call_id if found else ""

    def session_count(self) -> int:
        """Sessions that are not over yet (those we are hanging up count)."""
        return len(self.core.sessions)

    def contact_host(self, path: Path) -> str:
        """The host that we advertise towards this path: for Contact, and for c= in SDP."""
        return self.core.flows.own_address(path)[0]

    # --- registrar --------------------------------------------------------------------------------------
    def challenge_register(self, request: int, realm: str, now_ms: int, *, stale: bool = False) -> None:
        """401 with fresh challenges."""
        registrar.challenge(self.core, request, realm, now_ms, stale=stale)

    def accept_register(self, request: int, realm: str, user: str, now_ms: int) -> None:
        """Update the bindings of user@realm and answer 200 (or what §10.3 demands)."""
        registrar.accept(self.core, request, realm, user, now_ms)

    def refuse_register(self, request: int, status: int, now_ms: int, *, phrase: str = "") -> None:
        """A final refusal."""
        registrar.refuse(self.core, request, status, now_ms, phrase)

    def bindings(self, realm: str, user: str) -> list[Binding]:
        """Current contacts, the newest first."""
        return list(self.core.bindings.get(f"{realm}/{user}", ()))

    # --- our own registrations --------------------------------------------------------------------------------
    def register(
        self, token: str, registrar: str, aor: str, user: str, secret: tuple[str, str] | None,
        paths: tuple[Path, ...], wanted_s: int, now_ms: int,
    ) -> int:
        """Register the contact `user` for `aor` and keep it so; Enrolled(token) follows. Returns the account's id.

        Raises ProtocolError when `registrar` or `aor` is no URI.
        """
        account = registration.open_account(self.core, token, registrar, aor, user, secret, paths, wanted_s)
        registration.start(self.core, account, now_ms)
        return account.id

    def accounts(self) -> list[Account]:
        """Our registrations, for reading."""
        return list(self.core.accounts.values())

    def register_again(self, account: int, now_ms: int, *, paths: tuple[Path, ...] = ()) -> None:
        """Register (renew) now; by other ways where `paths` says so."""
        found = self.core.accounts.get(account)
        if found is not None:
            found.paths = paths or found.paths
            registration.start(self.core, found, now_ms)

    def unregister(self, account: int, now_ms: int, *, forget: bool = False) -> None:
        """Take the contact away; with `forget` there is no such account any more as soon as that is done."""
        found = self.core.accounts.get(account)
        if found is not None:
            registration.stop(self.core, found, now_ms, forget=forget)

    def account_of(self, uri: str) -> str:
        """The token of the account whose registered contact this Request-URI is, or ''."""
        found = registration.account_of(self.core, uri)
        return found.token if found is not None else ""

    # --- message summaries and lamps --------------------------------------------------------------------------------
    def challenge_subscribe(self, request: int, realm: str, now_ms: int, *, stale: bool = False) -> None:
        """401 with fresh challenges."""
        subscription.challenge(self.core, request, realm, now_ms, stale=stale)

    def refuse_subscribe(self, request: int, status: int, now_ms: int) -> None:
        """A final refusal."""
        subscription.refuse(self.core, request, status, now_ms)

    def accept_subscribe(self, request: int, owner: str, body: bytes, now_ms: int, *, watcher: str = "") -> None:
        """200, and the body by NOTIFY at once; then whenever `summarize` says another one for this owner."""
        subscription.accept(self.core, request, owner, body, now_ms, watcher=watcher)

    def end_subscription(self, number: int, reason: str, now_ms: int) -> None:
        """A last NOTIFY: terminated, for this reason (RFC 6665 §4.1.3)."""
        subscription.end(self.core, number, reason, now_ms)

    def subscriptions(self) -> list[Subscription]:
        """All that stand; only to be read."""
        return list(self.core.subscriptions.values())

    def watched(self) -> list[str]:
        """All owners who have a subscription."""
        return list(self.core.watched)

    def dialog_tags(self, session: int) -> tuple[str, str, str]:
        """(Call-ID, our tag, theirs) of a session; blank where there is none (yet)."""
        found = self.core.sessions.get(session)
        if found is None:
            return "", "", ""
        dialog = found.dialog
        return dialog.call_id, dialog.local_tag, dialog.remote_tag or (found.rung[0] if found.rung else "")

    def summarize(self, owner: str, body: bytes, now_ms: int) -> int:
        """What the owner's phones shall show from now on; how many subscriptions he has."""
        return subscription.changed(self.core, owner, body, now_ms)

    def nonce_ok(self, nonce: str, now_ms: int) -> str:
        """good | stale | unknown. Nonces prove themselves and are never locked out."""
        return digest.check_nonce(self.core.nonce_key, nonce, now_ms)

    def qualify(
        self, token: str, target: str, path: Path, now_ms: int, *, answer_ms: int = limits.qualify_answer_ms_max
    ) -> None:
        """OPTIONS to a trunk or static contact; Qualified(token) follows within `answer_ms`."""
        qualify.send(self.core, token, target, path, now_ms, answer_ms=answer_ms)

    def heard(self, session: int) -> bool:
        """Has the far end said anything to our INVITE yet, be it 100 Trying?"""
        found = self.core.sessions.get(session)
        return found is not None and found.phase not in (Phase.CALLING, Phase.GIVING_UP)

    def tell(self, binding: Binding, text: str, now_ms: int) -> bool:
        """A line of text to a registered phone by MESSAGE; False: none was sent (`pager.send`). No event follows."""
        return pager.send(self.core, binding, text, now_ms)

    # --- state --------------------------------------------------------------------------------------------
    def encode(self) -> bytes:
        """The whole state, undrained sends and events included."""
        return msgspec.msgpack.encode(self.core)

    @classmethod
    def decode(cls, data: bytes) -> Endpoint:
        """The endpoint that `encode` described; raises LocalError for other bytes."""
        endpoint = cls.__new__(cls)
        try:
            endpoint.core = msgspec.msgpack.decode(data, type=Core)
        except msgspec.MsgspecError as error:
            raise LocalError(f"not an endpoint's state: {error}") from error
        subscription.index(endpoint.core)
        return endpoint
