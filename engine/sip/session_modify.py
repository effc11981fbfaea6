"""Offers in a session both ways: hold, resume, changed address, refresh; glare (RFC 3261 §14; RFC 4028 §7.4, §10).

One exchange at a time. An offer of ours that can't go out now (theirs runs, the ACK is missing, glare) waits in
`wanted_sdp` and `pump` sends it when the way is free.
"""

from __future__ import annotations

from engine.sip import provisional_client, session_timer, session_update, writer
from engine.sip.answers import reply_now
from engine.sip.core import ALLOW, SUPPORTED, Core
from engine.sip.dialog import refresh_target
from engine.sip.events import OfferAnswered, Offered, OfferRefused, Path
from engine.sip.message import Message, delta_seconds
from engine.sip.requests import ask, ask_again, repeat_ack, say_ack
from engine.sip.session import Phase, Session
from engine.sip.session_end import drop
from engine.sip.session_uac import give_answer
from engine.sip.session_uas import go_on, ok_headers, send_ok
from engine.sip.timers import GIVE_UP_MS
from engine.sip.transaction import Kind, State, Transaction
from engine.sip.transaction_layer import reply, start_server

TRIES_MAX = 8
RETRY_AFTER_S_MAX = 10
_NOT_UNDERSTOOD = (405, 420, 501)


# --- theirs ---------------------------------------------------------------------------------------------
def on_reinvite(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """An INVITE in a standing dialog (§14.2)."""
    busy = core.transactions.get(session.theirs)
    if session.phase == Phase.INCOMING or busy is not None:
        wait = str(core.tokens.number(RETRY_AFTER_S_MAX + 1))
        return reply_now(core, message, path, 500, "Server Busy", (("retry-after", wait),))
    offering = bool(session.ok) and session.ok_offers
    if offering or session.ours or session.owes_answer or session.phase in (Phase.ANSWERED, Phase.DISMISSED):
        return reply_now(core, message, path, 491)
    if session.phase != Phase.CONFIRMED:
        return reply_now(core, message, path, 481)
    refusal = session_timer.too_brief(message)
    if refusal:
        return reply_now(core, message, path, 422, headers=refusal)
    session.ok = b""  # whoever sends a new INVITE has had our last 2xx
    core.deadlines.armed.pop(("2xx", session.id), None)
    session.dialog.path = path
    refresh_target(session.dialog, message)
    session_timer.note_request(session, message)
    session_update.note_allow(session, message)
    tx = start_server(
        core, Kind.INVITE_SERVER, message, key, path, "reinvite", session.id, now_ms, writer.response(message, 100)
    )
    session.theirs = tx.id
    core.deadlines.arm(("theirs", session.id), now_ms + GIVE_UP_MS)
    core.events.append(Offered(session.id, message.body or None))
    return None


def accept(core: Core, session: Session, sdp: bytes, now_ms: int) -> None:
    """200 to what carried their offer (our offer, when theirs had none), or the answer to one in a response."""
    if session.owes_answer:
        return give_answer(core, session, sdp)
    if provisional_client.give_answer(core, session, sdp, now_ms):
        return None
    tx = _theirs(core, session)
    if tx is None or tx.request is None:
        return None
    if tx.request.body:
        session.remote_sdp = tx.request.body
    session.local_sdp = sdp
    if tx.method != "INVITE":
        session_update.say_ok(core, session, tx, sdp, now_ms)
        go_on(core, session, now_ms)
        return pump(core, session, now_ms)
    session_timer.decide_as_server(session)
    session.ok_offers = not tx.request.body
    data = writer.response(tx.request, 200, "", "", ok_headers(core, session), sdp, "application/sdp")
    send_ok(core, session, tx, tx.request.cseq[0], data, now_ms)
    session_timer.start(core, session, now_ms)
    return None


def refuse(core: Core, session: Session, status: int, now_ms: int) -> None:
    """A final refusal of their re-INVITE, UPDATE or PRACK; the session stays as it was (§14.2, RFC 3311 §5.2)."""
    if session.owes_answer:
        return drop(core, session, "local", "offer refused", now_ms)
    tx = _theirs(core, session)
    if tx is not None and tx.request is not None:
        status = status if 300 <= status < 700 else 488
        reply(core, tx, status, writer.response(tx.request, status, headers=(("user-agent", core.user_agent),)), now_ms)
        go_on(core, session, now_ms)
        pump(core, session, now_ms)
    return None


def _theirs(core: Core, session: Session) -> Transaction | None:
    tx = core.transactions.get(session.theirs)
    session.theirs = 0
    core.deadlines.armed.pop(("theirs", session.id), None)
    return tx


def on_theirs_timer(core: Core, session: Session, now_ms: int) -> None:
    """Nobody decided about their offer (law 6)."""
    refuse(core, session, 500, now_ms)


# --- ours -----------------------------------------------------------------------------------------------
def offer(core: Core, session: Session, sdp: bytes, now_ms: int) -> None:
    """Send a re-INVITE, now or as soon as nothing is in its way; a later offer replaces one that still waits.

    While it rings it is an UPDATE, where the far end knows that and has agreed on a first description.
    """
    early = session_update.is_early(session)
    if session.quiet or not (early or session.phase in (Phase.CONFIRMED, Phase.ANSWERED)):
        return
    if early and session_update.way(session) is None:
        core.events.append(OfferRefused(session.id, 491))
        return
    session.wanted_sdp = sdp
    session.ours_tries = 0
    pump(core, session, now_ms)


def pump(core: Core, session: Session, now_ms: int) -> None:
    """Send the offer that waits, if the way is free."""
    if session.wanted_sdp and _free(core, session):
        sdp, session.wanted_sdp = session.wanted_sdp, b""
        _send(core, session, sdp, False, now_ms)


def on_refresh_timer(core: Core, session: Session, now_ms: int) -> None:
    """Half the session interval is over: the same SDP again; later when another exchange is running (it refreshes)."""
    if session.wanted_sdp and _free(core, session):
        pump(core, session, now_ms)
    elif _free(core, session):
        session.ours_tries = 0
        _send(core, session, session.local_sdp, True, now_ms)
    elif session.phase == Phase.CONFIRMED:
        core.deadlines.arm(("refresh", session.id), now_ms + 1_000)


def on_expiry_timer(core: Core, session: Session, now_ms: int) -> None:
    """Nobody has refreshed the session (RFC 4028 §10): BYE."""
    drop(core, session, "timer", "session timer expired", now_ms)


def _free(core: Core, session: Session) -> bool:
    busy = session.ours or session.theirs or session.ok or session.owes_answer
    standing = session.phase == Phase.CONFIRMED or session_update.is_early(session)
    return standing and not busy and ("glare", session.id) not in core.deadlines.armed


def _send(core: Core, session: Session, sdp: bytes, refresh: bool, now_ms: int) -> None:
    session.ours_refresh = refresh
    session.ours_tries += 1
    tx: Transaction | None
    if session_update.is_early(session) or (refresh and session.far_update):
        session.our_sdp = b"" if refresh else sdp
        tx = session_update.send(core, session, session.our_sdp, now_ms)
    else:
        session.our_sdp = sdp
        headers = (("allow", ALLOW), ("supported", SUPPORTED), *session_timer.refresh_headers(session))
        tx = ask(core, session, "INVITE", "ours", session.id, now_ms, headers, sdp, "application/sdp")
    if tx is None or tx.state == State.TERMINATED:
        _failed(core, session, 503, now_ms)
    else:
        session.ours = tx.id


def on_response(core: Core, session: Session, tx: Transaction, response: Message, path: Path, now_ms: int) -> None:
    """A response to our re-INVITE."""
    status = response.status
    if status < 200:
        return
    if status < 300:
        return _on_ok(core, session, tx, response, path, now_ms)
    if session.ours != tx.id:
        return
    session.ours = 0
    if session.phase != Phase.CONFIRMED:
        return
    if status in (401, 407):
        again = ask_again(core, session, tx, response, now_ms)
        if again is not None and again.state != State.TERMINATED:
            session.ours = again.id
            return
    _on_refusal(core, session, response, now_ms)


def _on_ok(core: Core, session: Session, tx: Transaction, response: Message, path: Path, now_ms: int) -> None:
    number = response.cseq[0]
    if session.ours != tx.id:
        if number == session.ack_cseq:
            repeat_ack(core, session, session.ack)
        return
    session.ours = 0
    session.dialog.path = path
    refresh_target(session.dialog, response)
    session.ack_cseq = number
    session.ack = say_ack(core, session, number)
    if session.phase != Phase.CONFIRMED:
        return
    changed = response.body != session.remote_sdp
    session.local_sdp = session.our_sdp
    session.remote_sdp = response.body
    session_timer.take_answer(session, response)
    session_timer.start(core, session, now_ms)
    if not session.ours_refresh or (changed and response.body):
        core.events.append(OfferAnswered(session.id, response.body or None))
    pump(core, session, now_ms)


def on_update_result(core: Core, session: Session, tx: Transaction, response: Message | None, now_ms: int) -> None:
    """The answer to our UPDATE. One that isn't understood becomes a re-INVITE (RFC 3311 §4)."""
    if session.ours != tx.id:
        return
    session.ours = 0
    if response is None:
        return _unanswered(core, session, "no answer to UPDATE", now_ms)
    dialog = session_update.way(session)
    if response.status in (401, 407) and dialog is not None:
        again = ask_again(core, dialog, tx, response, now_ms)
        if again is not None and again.state != State.TERMINATED:
            session.ours = again.id
            return None
    if response.status >= 300:
        if session.phase == Phase.CONFIRMED and response.status in _NOT_UNDERSTOOD:
            session.far_update = False
            return _send(core, session, session.our_sdp or session.local_sdp, session.ours_refresh, now_ms)
        if session.phase == Phase.CONFIRMED or session_update.is_early(session):
            _on_refusal(core, session, response, now_ms)
        return go_on(core, session, now_ms)
    refresh_target(dialog.dialog if dialog is not None else session.dialog, response)
    session_update.note_allow(session, response)
    if session.ours_refresh and session.phase == Phase.CONFIRMED:
        session_timer.take_answer(session, response)
        session_timer.start(core, session, now_ms)
    if session.our_sdp:
        session.local_sdp, session.remote_sdp = session.our_sdp, response.body
        core.events.append(OfferAnswered(session.id, response.body or None))
    go_on(core, session, now_ms)
    return pump(core, session, now_ms)


def _unanswered(core: Core, session: Session, text: str, now_ms: int) -> None:
    """No final response: an answered dialog is gone (§12.2.1.2); one that rings is left to its INVITE."""
    if session_update.is_early(session):
        _failed(core, session, 408, now_ms)
        return go_on(core, session, now_ms)
    return drop(core, session, "timer" if session.ours_refresh else "probe", text, now_ms)


def _on_refusal(core: Core, session: Session, response: Message, now_ms: int) -> None:
    status = response.status
    if status in (408, 481) and session.phase == Phase.CONFIRMED:
        by = "timer" if session.ours_refresh else "probe"
        return drop(core, session, by, response.phrase, now_ms, gone=status == 481)
    if session.ours_tries < TRIES_MAX:
        wait_ms = _glare_ms(core, session) if status == 491 else _retry_after_ms(response)
        if wait_ms >= 0:
            return _later(core, session, wait_ms, now_ms)
        if status == 422:
            wanted = delta_seconds(response.index.get("min-se"))
            if wanted is not None and session.timer_s < wanted <= session_timer.MAX_S:
                session.timer_s = session.far_min_se_s = wanted
                return _send(core, session, session.our_sdp or session.local_sdp, session.ours_refresh, now_ms)
    _failed(core, session, status, now_ms)
    return None


def _later(core: Core, session: Session, wait_ms: int, now_ms: int) -> None:
    if session.ours_refresh:
        core.deadlines.arm(("refresh", session.id), now_ms + wait_ms)
        return
    session.wanted_sdp = session.wanted_sdp or session.our_sdp
    core.deadlines.arm(("glare", session.id), now_ms + wait_ms)


def _glare_ms(core: Core, session: Session) -> int:
    """§14.1: the owner of the Call-ID waits 2.1–4.0 s, the other 0–2.0 s, in steps of 10 ms."""
    return 2_100 + 10 * core.tokens.number(191) if session.caller else 10 * core.tokens.number(201)


def _retry_after_ms(response: Message) -> int:
    """§14.2: their 500 while their own exchange runs names the delay; -1 when it doesn't."""
    wait = delta_seconds(response.index.get("retry-after")) if response.status == 500 else None
    return 1_000 * wait if wait is not None and wait <= RETRY_AFTER_S_MAX else -1


def _failed(core: Core, session: Session, status: int, now_ms: int) -> None:
    """The session goes on as it was; a failed refresh leaves the verdict to the expiry deadline."""
    if not session.ours_refresh:
        core.events.append(OfferRefused(session.id, status))
    pump(core, session, now_ms)


def on_glare_timer(core: Core, session: Session, now_ms: int) -> None:
    """The random wait after a 491 is over."""
    pump(core, session, now_ms)


def on_failure(core: Core, session: Session, tx: Transaction, now_ms: int) -> None:
    """No final response to our re-INVITE, or the transport broke: the far end is gone (§12.2.1.2)."""
    if session.ours == tx.id:
        session.ours = 0
        _unanswered(core, session, "no answer to re-INVITE", now_ms)
