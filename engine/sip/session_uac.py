"""Our INVITE: sending it, its responses, forks, credentials, CANCEL (RFC 3261 §13.2, §9.1, §22; RFC 4028 §7)."""

from __future__ import annotations

from engine import limits
from engine.errors import LocalError, ProtocolError
from engine.sip import outbound, provisional_client, qualify, session_timer
from engine.sip.core import ALLOW, SUPPORTED, Core
from engine.sip.dialog import Dialog, confirm_as_client, fork_of, without_headers
from engine.sip.events import Answered, Path, Progress, Rejected
from engine.sip.headers import quote
from engine.sip.message import Message, delta_seconds
from engine.sip.multipart import Part, join
from engine.sip.requests import answer_challenge, contact_value, dialog_headers, repeat_ack, say_ack, write
from engine.sip.session import Move, Phase, Plan, Session, move
from engine.sip.session_end import cause_of, drop, reason_headers, say_bye
from engine.sip.session_uas import party
from engine.sip.session_update import note_allow
from engine.sip.timers import GIVE_UP_MS
from engine.sip.transaction import Kind, State, Transaction
from engine.sip.transaction_layer import BROKEN, cancel_of, discard, start_client
from engine.sip.uri import escape_user, format_host, parse_uri

RETIMES_MAX = 3


def invite(
    core: Core, target: str, path: Path, now_ms: int, caller: tuple[str, str, str], sdp: bytes | None,
    headers: tuple[tuple[str, str], ...], secret: tuple[str, str] | None, session_s: int, ring_ms_max: int,
    parts: tuple[Part, ...] = (),
) -> int:
    """Place a call; every outcome, a bad target too, comes as an event. Returns the session's id."""
    number = core.fresh_id()
    target = without_headers(target)
    way = core.flows.way_out(path)
    display, user, host = caller
    own_host = host or core.flows.own_address(way or path)[0]
    tag = core.tokens.hex(16)
    name = f"{quote(display)} " if display else ""
    sips = target.startswith("sips:")
    scheme = "sips" if sips else "sip"  # RFC 5630 §3.1.3: From, To and Contact are of the target's scheme
    address = f"{scheme}:{escape_user(user)}@{format_host(own_host)}" if user else f"{scheme}:{format_host(own_host)}"
    dialog = Dialog(
        core.tokens.hex(32), tag, "", f"{name}<{address}>;tag={tag}", f"<{_address_of(target)}>", target, [],
        core.tokens.number(1_000_000), -1, way or path, origin=target,
    )
    contact = contact_value(core, way or path, user, sips=sips)
    session = Session(number, Phase.CALLING, True, dialog, contact, secret=secret)
    session.local_sdp = sdp or b""
    session.plan = Plan(target, headers, ring_ms_max, session_s, parts=parts)
    core.add_session(session)
    if way is None:
        _refused(core, session, 503, "No way to the far end", 38)
    elif core.full(False) or len(core.sessions) > limits.dialogs_max:
        _refused(core, session, 503, "Too many calls", 42)
    else:
        core.deadlines.arm(("ring_max", number), now_ms + ring_ms_max)
        _send_invite(core, session, now_ms)
    return number


def _address_of(target: str) -> str:
    """The target without the parameters that To may not carry (§19.1.1, table 1)."""
    user, at, rest = target.rpartition("@")
    return user + at + rest.partition(";")[0]


def _send_invite(core: Core, session: Session, now_ms: int) -> None:
    plan = session.plan
    if plan is None:
        return
    dialog = session.dialog
    dialog.local_cseq += 1
    plan.cseq = dialog.local_cseq
    try:
        parse_uri(plan.target)
        data, branch, path = _first_request(core, session, plan)
    except (LocalError, ProtocolError) as error:
        core.refuse("header", dialog.path, f"our INVITE can't be written: {error}")
        _refused(core, session, 400, "Target or header unusable", 28)
        return
    dialog.path = path
    tx = start_client(core, Kind.INVITE_CLIENT, "INVITE", branch, data, path, "invite", session.id, now_ms)
    session.invite = tx.id
    if tx.state == State.TERMINATED:
        _refused(core, session, 503, "Transport failed", 38)


def _first_request(core: Core, session: Session, plan: Plan) -> tuple[bytes, str, Path]:
    uri, fields = dialog_headers(core, session, "INVITE", plan.cseq)
    own = {name.lower() for name, _ in plan.headers}
    if "max-forwards" in own:
        fields = [field for field in fields if field[0] != "max-forwards"]
    fields += [("allow", ALLOW), ("supported", SUPPORTED)]
    fields += session_timer.first_headers(plan.session_s, plan.min_se_s)
    fields += [(name.lower(), value) for name, value in plan.headers]
    if plan.credentials[0]:
        fields.append(plan.credentials)
    body, kind = session.local_sdp, "application/sdp"
    if plan.parts:
        body, kind = join(body, plan.parts, core.tokens.hex(32))
    return write(core, "INVITE", uri, session.dialog.path, fields, body, kind if body else "")


# --- responses ----------------------------------------------------------------------------------------------
def on_response(core: Core, session: Session, tx: Transaction, response: Message, path: Path, now_ms: int) -> None:
    """A response to our first INVITE, as its transaction lets it through."""
    status = response.status
    if status < 200:
        _on_progress(core, session, response, path, now_ms)
    elif status < 300:
        on_ok(core, session, response, path, now_ms)
    else:
        if status == outbound.FLOW_FAILED:
            qualify.flow_failed(core, session.dialog.path)
        _on_refusal(core, session, response, now_ms)


def _on_progress(core: Core, session: Session, response: Message, path: Path, now_ms: int) -> None:
    before, tag = session.phase, response.to.tag
    if not move(session, Move.R1XX):
        return
    if tag and tag not in session.rung and len(session.rung) < provisional_client.FORKS_MAX:
        session.rung.append(tag)
    note_allow(session, response)
    if provisional_client.is_reliable(response) and not provisional_client.take(
        core, session, response, path, now_ms
    ):
        return
    if before == Phase.GIVING_UP:
        _send_cancel(core, session, now_ms)
    elif response.status > 100 and not session.quiet and session.phase == Phase.RINGING:
        core.events.append(Progress(session.id, response.status, _sdp(response), tag))


def on_ok(core: Core, session: Session, response: Message, path: Path, now_ms: int) -> None:
    """2xx: the first makes the session, its repeats get the ACK again, other forks an ACK and a BYE (§13.2.2.4)."""
    number = response.cseq[0]
    if session.ack_cseq >= 0 or session.owes_answer:
        if response.to.tag != session.dialog.remote_tag:
            _on_fork(core, session, response, path, now_ms)
        elif session.ack_cseq == number and session.ack:
            repeat_ack(core, session, session.ack)
        return
    cancelled = session.phase in (Phase.GIVING_UP, Phase.CANCELLING)
    if not move(session, Move.R2XX):
        return
    for key in ("ring_max", "cancel"):
        core.deadlines.armed.pop((key, session.id), None)
    try:
        confirm_as_client(session.dialog, response, path)
    except ProtocolError as error:  # a 2xx without a usable Contact: the path is known, so the call can live
        core.refuse("header", path, str(error))
        session.dialog.remote_tag = response.to.tag
        session.dialog.remote = response.index["to"]
        session.dialog.path = path
    early_sdp = provisional_client.confirm(session, response)
    session.ack_cseq = number
    if cancelled:
        _ack(core, session)
        if not session.quiet:
            core.events.append(Rejected(session.id, 487, "Request Terminated", 0))
        session.quiet = True
        say_bye(core, session, now_ms)
        return
    session_timer.take_answer(session, response)
    note_allow(session, response)
    session.remote_sdp = response.body or early_sdp
    if session.local_sdp:
        _ack(core, session)
    else:
        session.owes_answer = True  # our INVITE had no offer: the 2xx holds it, accept_offer sends ACK with the answer
        core.deadlines.arm(("owes", session.id), now_ms + GIVE_UP_MS)
    session_timer.start(core, session, now_ms)
    remote = party(response.contacts[0] if _has_contact(response) else response.to)
    core.events.append(Answered(session.id, _sdp(response) or early_sdp or None, remote, response.to.tag))


def _sdp(response: Message) -> bytes | None:
    return response.body if response.body and response.content_type in ("", "application/sdp") else None


def _has_contact(response: Message) -> bool:
    try:
        return bool(response.contacts)
    except ProtocolError:
        return False


def _ack(core: Core, session: Session, sdp: bytes = b"") -> None:
    credentials = session.plan.credentials if session.plan else None
    session.ack = say_ack(core, session, session.ack_cseq, sdp, credentials)


def give_answer(core: Core, session: Session, sdp: bytes) -> None:
    """The answer to an offer that came in the 2xx: it travels in the ACK (§13.2.2.4)."""
    if not session.owes_answer:
        return
    session.owes_answer = False
    core.deadlines.armed.pop(("owes", session.id), None)
    session.local_sdp = sdp
    _ack(core, session, sdp)


def on_owes_timer(core: Core, session: Session, now_ms: int) -> None:
    """Nobody gave the answer in time: ACK without it, then BYE (law 6)."""
    if session.owes_answer:
        drop(core, session, "timer", "no answer to the offer in the 2xx", now_ms)


def _on_fork(core: Core, session: Session, response: Message, path: Path, now_ms: int) -> None:
    """Another phone answered too: ACK, BYE, and the same ACK for each repeat."""
    tag = response.to.tag
    known = session.forks.get(tag)
    if known is not None:
        core.flows.send(path, known)
        return
    if len(session.forks) >= provisional_client.FORKS_MAX:
        return
    try:
        dialog = fork_of(session.dialog, response, path)
    except ProtocolError as error:
        core.refuse("header", path, str(error))
        return
    fork = Session(core.fresh_id(), Phase.LEAVING, True, dialog, session.contact, secret=session.secret, quiet=True)
    fork.early = {tag: session.early[tag]} if tag in session.early else {}
    core.add_session(fork)
    provisional_client.confirm(fork, response)
    session.forks[tag] = say_ack(core, fork, response.cseq[0])
    say_bye(core, fork, now_ms)


def _on_refusal(core: Core, session: Session, response: Message, now_ms: int) -> None:
    """3xx–6xx. Credentials and a longer session interval are tried; a 3xx is reported, never followed (§8.1.3.4)."""
    plan = session.plan
    if plan is not None and session.phase in (Phase.CALLING, Phase.RINGING):
        if response.status in (401, 407):
            credentials = answer_challenge(
                core, response, session.secret, "INVITE", session.dialog.target, plan.challenged
            )
            if credentials is not None:
                plan.challenged += 1
                plan.credentials = credentials
                return _retry(core, session, now_ms)
        elif response.status == 422 and plan.retimed < RETIMES_MAX:
            wanted = delta_seconds(response.index.get("min-se"))
            if wanted is not None and plan.min_se_s < wanted <= session_timer.MAX_S:
                plan.retimed += 1
                plan.min_se_s = wanted
                plan.session_s = max(plan.session_s, wanted)
                return _retry(core, session, now_ms)
    contacts: tuple[str, ...] = ()
    if 300 <= response.status < 400 and _has_contact(response):
        contacts = tuple(contact.uri for contact in response.contacts)
    _refused(core, session, response.status, response.phrase, cause_of(response), contacts)


def _retry(core: Core, session: Session, now_ms: int) -> None:
    session.phase = Phase.CALLING
    _send_invite(core, session, now_ms)


def _refused(
    core: Core, session: Session, status: int, phrase: str, cause: int, contacts: tuple[str, ...] = ()
) -> None:
    if not move(session, Move.REFUSED):
        return
    if not session.quiet:
        core.events.append(Rejected(session.id, status, phrase, cause, contacts))
    session.quiet = True
    core.release(session)


def on_failure(core: Core, session: Session, told: int) -> None:
    """No response at all (Timer B), or the transport broke."""
    if session.phase in (Phase.GIVING_UP, Phase.CANCELLING):
        _refused(core, session, 487, "Request Terminated", 0)
    elif told & BROKEN:
        _refused(core, session, 503, "Transport failed", 38)
    else:
        _refused(core, session, 408, "No response", 18)


# --- giving up ------------------------------------------------------------------------------------------------
def cancel(core: Core, session: Session, reason: str, now_ms: int) -> None:
    """CANCEL now, or after the first 1xx (§9.1). Rejected(487) follows when the far end is done, by 64·T1 at most."""
    if session.phase not in (Phase.CALLING, Phase.RINGING):
        return
    ringing = session.phase == Phase.RINGING
    move(session, Move.HANG_UP)
    core.deadlines.armed.pop(("ring_max", session.id), None)
    reason = " ".join(reason.split())  # it may be text from elsewhere: no line end gets into a header
    session.bye_headers = (("reason", reason),) if reason else ()
    core.deadlines.arm(("cancel", session.id), now_ms + GIVE_UP_MS)
    if ringing:
        _send_cancel(core, session, now_ms)


def _send_cancel(core: Core, session: Session, now_ms: int) -> None:
    tx = core.transactions.get(session.invite)
    if tx is None:
        return
    reason = session.bye_headers[0][1] if session.bye_headers else ""
    data = cancel_of(tx.data, reason)
    start_client(core, Kind.NON_INVITE_CLIENT, "CANCEL", tx.key[0], data, tx.path, "cancel", session.id, now_ms)
    core.deadlines.arm(("cancel", session.id), now_ms + GIVE_UP_MS)


def on_cancel_timer(core: Core, session: Session, now_ms: int) -> None:
    """No final response 64·T1 after the CANCEL: the INVITE is considered cancelled (§9.1)."""
    tx = core.transactions.get(session.invite)
    if tx is not None:
        discard(core, tx)
    if session.phase == Phase.GIVING_UP:
        move(session, Move.REFUSED)
    elif not move(session, Move.DROPPED):
        return
    if not session.quiet:
        core.events.append(Rejected(session.id, 487, "Request Terminated", 0))
    session.quiet = True
    core.release(session)


def on_ring_timer(core: Core, session: Session, now_ms: int) -> None:
    """It rang for ring_ms_max: reported at once as 408 with cause 19 (no answer), then cancelled quietly."""
    if session.phase not in (Phase.CALLING, Phase.RINGING) or session.quiet:
        return
    core.events.append(Rejected(session.id, 408, "Rang too long", 19))
    session.quiet = True
    cancel(core, session, reason_headers(19)[0][1], now_ms)

