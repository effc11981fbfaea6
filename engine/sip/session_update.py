"""UPDATE both ways (RFC 3311): a new offer while it rings, and the session timer's refresh (RFC 4028 §7.4).

In an answered dialog our own offers go by re-INVITE, whose answer may take its time (RFC 3311 §5.1); a refresh goes by
UPDATE without a description when their Allow names it. Who may not offer now hears 491 (our offer is out) or 500 with
Retry-After (theirs has no answer yet), by §5.2.
"""

from __future__ import annotations

from engine.sip import provisional_client, session_timer, writer
from engine.sip.answers import reply_now
from engine.sip.core import ALLOW, SUPPORTED, Core
from engine.sip.dialog import refresh_target
from engine.sip.events import Offered, Path
from engine.sip.message import Message
from engine.sip.requests import ask
from engine.sip.session import Early, Phase, Session
from engine.sip.timers import GIVE_UP_MS
from engine.sip.transaction import Kind, Transaction
from engine.sip.transaction_layer import reply, start_server

RETRY_AFTER_S_MAX = 10
Headers = tuple[tuple[str, str], ...]
_EARLY = (Phase.INCOMING, Phase.RINGING)
_OPEN = (*_EARLY, Phase.ANSWERED, Phase.CONFIRMED)


def note_allow(session: Session, message: Message) -> None:
    """Remember whether they know UPDATE; a message without Allow changes nothing."""
    allow = message.index.get("allow")
    if allow is not None:
        session.far_update = "UPDATE" in allow.upper()


# --- theirs ---------------------------------------------------------------------------------------------
def on_update(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """UPDATE: an offer goes to the rooms above; one without a body refreshes the target and the timer."""
    if session.phase not in _OPEN:
        return reply_now(core, message, path, 481)
    status = _clash(core, session, message) if message.body else 0
    if status:
        wait = (("retry-after", str(core.tokens.number(RETRY_AFTER_S_MAX + 1))),) if status == 500 else ()
        return reply_now(core, message, path, status, "Server Busy" if status == 500 else "", wait)
    refusal = session_timer.too_brief(message)
    if refusal:
        return reply_now(core, message, path, 422, headers=refusal)
    refresh_target(core.dialog_of(session, message), message)
    note_allow(session, message)
    if session.phase == Phase.CONFIRMED:
        session_timer.note_request(session, message)
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "update", session.id, now_ms)
    if message.body:
        session.theirs = tx.id
        core.deadlines.arm(("theirs", session.id), now_ms + GIVE_UP_MS)
        core.events.append(Offered(session.id, message.body))
    else:
        say_ok(core, session, tx, b"", now_ms)
    return None


def _clash(core: Core, session: Session, message: Message) -> int:
    """§5.2: may they offer now? 0, or the status that says no."""
    rel, early = session.reliable, session.early.get(message.from_.tag)
    if core.transactions.get(session.theirs) is not None or session.owes_answer or provisional_client.waits(session):
        return 500
    if (session.ours and session.our_sdp) or (session.ok and session.ok_offers):
        return 491
    if session.phase == Phase.INCOMING and (rel is None or not rel.agreed):
        return 491 if rel is not None and rel.offers else 500
    if session.phase == Phase.RINGING and (early is None or not early.sdp):
        return 491  # our INVITE's offer has no answer in this dialog
    return 0


def say_ok(core: Core, session: Session, tx: Transaction, sdp: bytes, now_ms: int) -> None:
    """200 to their UPDATE or PRACK, with our answer when it made an offer."""
    request = tx.request
    if request is None:
        return
    headers: Headers = (("user-agent", core.user_agent),)
    timed = request.method == "UPDATE" and session.phase == Phase.CONFIRMED
    if timed:
        session_timer.decide_as_server(session)
        headers = (*headers, *session_timer.answer_headers(session))
    if request.method == "UPDATE":
        headers = (("contact", session.contact), ("allow", ALLOW), ("supported", SUPPORTED), *headers)
    data = writer.response(request, 200, "", "", headers, sdp, "application/sdp" if sdp else "")
    reply(core, tx, 200, data, now_ms)
    if timed:
        session_timer.start(core, session, now_ms)


# --- ours -----------------------------------------------------------------------------------------------
def way(session: Session) -> Session | Early | None:
    """The dialog in which our UPDATE can go out now; None: there is none, or they don't know UPDATE."""
    if not session.far_update:
        return None
    if session.phase == Phase.CONFIRMED:
        return session
    rel = session.reliable
    if session.phase == Phase.INCOMING:
        return session if rel is not None and rel.agreed and rel.ok is None else None
    ringing = [early for early in session.early.values() if early.sdp]
    return ringing[0] if session.phase == Phase.RINGING and len(ringing) == 1 else None


def is_early(session: Session) -> bool:
    """Does it ring, one way or the other?"""
    return session.phase in _EARLY


def send(core: Core, session: Session, sdp: bytes, now_ms: int) -> Transaction | None:
    """UPDATE with an offer, or (b"") as a refresh. None: no way leads to the far end."""
    dialog = way(session)
    if dialog is None:
        return None
    headers: Headers = (("allow", ALLOW), ("supported", SUPPORTED))
    if session.phase == Phase.CONFIRMED:
        headers = (*headers, *session_timer.refresh_headers(session))
    content_type = "application/sdp" if sdp else ""
    return ask(core, dialog, "UPDATE", "update", session.id, now_ms, headers, sdp, content_type)
