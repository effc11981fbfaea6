"""The end of a session: our BYE, theirs, and ends that nobody announced (RFC 3261 §15, §12.2.1.2; RFC 3326)."""

from __future__ import annotations

from engine.errors import ProtocolError
from engine.sip import writer
from engine.sip.core import SESSION_TIMERS, Core
from engine.sip.events import Ended, Path
from engine.sip.headers import parse_params, quote
from engine.sip.message import Message
from engine.sip.requests import ask, ask_again, say_ack
from engine.sip.session import Move, Phase, Session, move
from engine.sip.transaction import Kind, State, Transaction
from engine.sip.transaction_layer import reply, start_server

Headers = tuple[tuple[str, str], ...]
_WHOLE = "SIP;cause="


def reason_headers(cause: int, text: str = "") -> Headers:
    """Reason: Q.850 (RFC 3326) for a BYE, CANCEL or refusal; nothing when there is nothing to say.

    A `text` that is a whole value of protocol SIP ("SIP;cause=200;…") is said as it is, in place of the cause.
    """
    if not cause and not text:
        return ()
    if text.startswith(_WHOLE):
        return (("reason", " ".join(text.split())),)
    value = f"Q.850;cause={cause}" if cause else "SIP"
    return (("reason", f"{value};text={quote(text)}" if text else value),)


def cause_of(message: Message) -> int:
    """The Q.850 cause of a Reason header, 0 when there is none."""
    if "reason" not in message.index:
        return 0
    try:
        for value in message.all("reason"):
            protocol, _, params = value.partition(";")
            if protocol.strip().lower() == "q.850":
                cause = parse_params(params).get("cause", "")
                return int(cause) if cause.isdecimal() and cause.isascii() and len(cause) <= 3 else 0
    except ProtocolError:
        return 0
    return 0


# --- ours -------------------------------------------------------------------------------------------------
def say_bye(core: Core, session: Session, now_ms: int) -> None:
    """Send BYE for a session that is LEAVING; it is forgotten when the answer comes or 64·T1 have passed."""
    _stop(core, session, now_ms)
    if session.owes_answer:  # their 2xx held an offer that nobody answered: it still needs its ACK
        session.owes_answer = False
        session.ack = say_ack(core, session, session.ack_cseq)
    tx = ask(core, session, "BYE", "bye", session.id, now_ms, session.bye_headers)
    if tx is None or tx.state == State.TERMINATED:
        _done(core, session)


def on_bye_result(core: Core, session: Session, tx: Transaction, response: Message | None, now_ms: int) -> None:
    """The answer to our BYE, or None: none came. Whatever it says, the session is over (§15.1.1)."""
    if response is not None and response.status < 200:
        return
    if response is not None and response.status in (401, 407):
        again = ask_again(core, session, tx, response, now_ms)
        if again is not None and again.state != State.TERMINATED:
            return
    _done(core, session)


def hang_up_confirmed(core: Core, session: Session, headers: Headers, now_ms: int) -> None:
    """Local hang-up of an answered session: BYE now, or after the ACK (§15). No event."""
    if not move(session, Move.HANG_UP):
        return
    session.quiet = True
    session.bye_headers = headers
    if session.phase != Phase.DISMISSED:  # else on_ack or on_ok_timer goes on
        say_bye(core, session, now_ms)


def drop(core: Core, session: Session, by: str, text: str, now_ms: int, *, gone: bool = False) -> None:
    """End a confirmed session on our own judgement: `timer` or `probe`. `gone`: 481, a BYE would be pointless."""
    if not move(session, Move.GONE if gone else Move.DROPPED):
        return
    if not session.quiet:
        core.events.append(Ended(session.id, by, text))
    session.quiet = True
    if gone:
        _stop(core, session, now_ms)
        core.release(session)
        return
    session.bye_headers = reason_headers(102 if by == "timer" else 0, text)  # Q.850 102: recovery on timer expiry
    say_bye(core, session, now_ms)


def _done(core: Core, session: Session) -> None:
    move(session, Move.DONE)
    core.release(session)


def _stop(core: Core, session: Session, now_ms: int) -> None:
    """Stop everything else that runs in the session; a re-INVITE of theirs gets 487 (§15.1.2)."""
    for key in SESSION_TIMERS:
        core.deadlines.armed.pop((key, session.id), None)
    session.ok = b""
    pending = core.transactions.get(session.theirs)
    if pending is not None and pending.request is not None:
        reply(core, pending, 487, writer.response(pending.request, 487, "", session.dialog.local_tag), now_ms)
    session.theirs = 0


# --- theirs -----------------------------------------------------------------------------------------------
def on_bye(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """Their BYE in an answered session: 200, and Ended unless we were leaving anyway."""
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "", session.id, now_ms)
    reply(core, tx, 200, writer.response(message, 200, headers=(("user-agent", core.user_agent),)), now_ms)
    if not move(session, Move.FAR_BYE) or session.phase == Phase.LEAVING:
        return
    if not session.quiet:
        core.events.append(Ended(session.id, "remote", message.index.get("reason", ""), cause_of(message)))
    session.quiet = True
    _stop(core, session, now_ms)
    core.release(session)
