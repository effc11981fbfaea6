"""REFER both ways with its implicit subscription (RFC 3515, RFC 3892, RFC 6665, message/sipfrag of RFC 3420)."""

from __future__ import annotations

from engine.errors import ProtocolError
from engine.sip import writer
from engine.sip.answers import reply_now
from engine.sip.binding import Refer
from engine.sip.core import Core
from engine.sip.events import Path, ReferProgress, Referred
from engine.sip.headers import parse_name_addr, parse_params
from engine.sip.message import Message
from engine.sip.requests import ask, ask_again
from engine.sip.session import Phase, Session
from engine.sip.session_end import drop
from engine.sip.transaction import Kind, State, Transaction
from engine.sip.transaction_layer import reply, start_server

REFER_MS_MAX = 180_000
REFERS_PER_SESSION_MAX = 8
SIPFRAG = "message/sipfrag;version=2.0"


# --- theirs -----------------------------------------------------------------------------------------------
def on_refer(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """REFER in a dialog: 202, NOTIFY 100 at once, and Referred for the rooms above."""
    if session.phase != Phase.CONFIRMED:
        return reply_now(core, message, path, 481)
    if len(session.refers) >= REFERS_PER_SESSION_MAX:
        return reply_now(core, message, path, 486)
    values = message.all("refer-to")
    if len(values) != 1:
        raise ProtocolError("one Refer-To is needed", section="RFC 3515 §2.4.1")
    target = parse_name_addr(values[0])
    parts = target.parts
    if parts is None or parts.scheme not in ("sip", "sips", "tel"):
        return reply_now(core, message, path, 416)
    by = message.index.get("referred-by", "")
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "", session.id, now_ms)
    headers = (("contact", session.contact), ("user-agent", core.user_agent))
    reply(core, tx, 202, writer.response(message, 202, headers=headers), now_ms)
    number = message.cseq[0] if session.refers else 0  # the id may be left out for the first (§2.4.6)
    refer = Refer(core.fresh_id(), session.id, number, now_ms + REFER_MS_MAX)
    core.refers[refer.id] = refer
    session.refers.append(refer.id)
    core.deadlines.arm(("refer", refer.id), refer.expires_at_ms)
    _notify(core, session, refer, "", now_ms)
    uri = target.uri.partition("?")[0]
    replaces = parts.headers.get("replaces", "")
    core.events.append(Referred(session.id, refer.id, uri, parts.user, by, replaces))
    return None


def notify(core: Core, number: int, status: int, phrase: str, now_ms: int) -> None:
    """Report how the transfer goes; a final status ends the subscription (§2.4.5)."""
    refer = core.refers.get(number)
    session = core.sessions.get(refer.session) if refer else None
    if refer is None or session is None or not 100 <= status <= 699:
        return
    refer.status, refer.phrase = status, " ".join(phrase.split()) or writer.PHRASES.get(status, "")
    _notify(core, session, refer, "noresource" if status >= 200 else "", now_ms)
    if status >= 200:
        _close(core, refer)


def on_refer_timer(core: Core, number: int, now_ms: int) -> None:
    """The subscription has run out without a final status (RFC 6665 §4.2.2)."""
    refer = core.refers.get(number)
    session = core.sessions.get(refer.session) if refer else None
    if refer is None or session is None:
        return
    refer.status, refer.phrase = 408, "Request Timeout"
    _notify(core, session, refer, "timeout", now_ms)
    _close(core, refer)


def _notify(core: Core, session: Session, refer: Refer, ended: str, now_ms: int) -> None:
    left_s = max(refer.expires_at_ms - now_ms, 0) // 1_000
    event = f"refer;id={refer.cseq}" if refer.cseq else "refer"
    state = f"terminated;reason={ended}" if ended else f"active;expires={left_s}"
    body = f"SIP/2.0 {refer.status} {refer.phrase}\r\n".encode()
    ask(
        core, session, "NOTIFY", "notify", refer.id, now_ms, (("event", event), ("subscription-state", state)), body,
        SIPFRAG,
    )


def on_notify_result(core: Core, refer: Refer, tx: Transaction, response: Message | None, now_ms: int) -> None:
    """The answer to our NOTIFY: a refusal ends the subscription, never the call (RFC 5057 §5.1, RFC 6665 §4.2.2)."""
    session = core.sessions.get(refer.session)
    challenged = response is not None and response.status in (401, 407)
    if response is not None and challenged and session and ask_again(core, session, tx, response, now_ms) is not None:
        return
    if response is None or response.status >= 300:
        _close(core, refer)


def _close(core: Core, refer: Refer) -> None:
    core.refers.pop(refer.id, None)
    core.deadlines.cancel(("refer", refer.id))
    session = core.sessions.get(refer.session)
    if session is None:
        return
    if refer.id in session.refers:
        session.refers.remove(refer.id)
    if session.phase == Phase.OVER and not session.refers:
        core.release(session)


# --- ours -------------------------------------------------------------------------------------------------
def refer(core: Core, session: Session, refer_to: str, referred_by: str, now_ms: int) -> None:
    """Ask the far end to call whom the Refer-To names; ReferProgress tells how it goes."""
    if session.phase != Phase.CONFIRMED:
        return
    by = (("referred-by", f"<{referred_by}>"),) if referred_by else ()
    tx = ask(core, session, "REFER", "refer", session.id, now_ms, (("refer-to", refer_to), *by))
    if tx is None or tx.state == State.TERMINATED:
        core.events.append(ReferProgress(session.id, 503, True))
        return
    core.deadlines.arm(("referring", session.id), now_ms + REFER_MS_MAX)


def on_refer_result(core: Core, session: Session, tx: Transaction, response: Message | None, now_ms: int) -> None:
    """The answer to our REFER: 2xx means that NOTIFYs will follow."""
    status = 408 if response is None else response.status
    if status < 300:
        return
    if response is not None and status in (401, 407) and ask_again(core, session, tx, response, now_ms) is not None:
        return
    _progress(core, session, status, True)
    if status in (408, 481):
        drop(core, session, "probe", "REFER unanswered", now_ms, gone=status == 481)


def on_notify(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """NOTIFY for our REFER: 200, and its sipfrag's status is raised. Other packages: 489."""
    if message.index.get("event", "").partition(";")[0].strip().lower() != "refer":
        return reply_now(core, message, path, 489, headers=(("allow-events", "refer"),))
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "", session.id, now_ms)
    reply(core, tx, 200, writer.response(message, 200, headers=(("user-agent", core.user_agent),)), now_ms)
    if core.deadlines.at(("referring", session.id)) is None:
        return None  # a repeat after the final one, or nobody asked
    state, _, params = message.index.get("subscription-state", "").partition(";")
    ended = state.strip().lower() == "terminated"
    status = _fragment_status(message.body)
    if status == 0 and ended:
        status = 408 if parse_params(params).get("reason", "").lower() == "timeout" else 500
    if status:
        _progress(core, session, status, ended or status >= 200)
    return None


def _progress(core: Core, session: Session, status: int, final: bool) -> None:
    if core.deadlines.at(("referring", session.id)) is None:
        return
    if final:
        core.deadlines.cancel(("referring", session.id))
    core.events.append(ReferProgress(session.id, status, final))


def on_referring_timer(core: Core, session: Session, now_ms: int) -> None:
    """No final NOTIFY came."""
    core.events.append(ReferProgress(session.id, 408, True))


def _fragment_status(body: bytes) -> int:
    """The status of `SIP/2.0 200 OK`, 0 when the fragment has none."""
    words = body[:64].split(b" ", 2)
    if len(words) < 2 or words[0] != b"SIP/2.0" or len(words[1]) != 3 or not words[1].isdigit():
        return 0
    return int(words[1])
