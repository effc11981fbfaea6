"""From the wire and the clock to the exchanges: who serves which request, response and deadline.

Requests pass the checks of RFC 3261 §8.2 in its order: method, header (scheme, merged, Require), content. What is
refused here is answered without a transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import ProtocolError
from engine.sip import (
    multipart,
    pager,
    provisional_client,
    qualify,
    registrar,
    registration,
    session_end,
    session_info,
    session_modify,
    session_uac,
    session_uas,
    session_update,
    subscription,
    transfer,
)
from engine.sip.answers import reply_now
from engine.sip.core import ALLOW, ALLOWED, SUPPORTED_OPTIONS, Core
from engine.sip.events import Path
from engine.sip.message import METHODS, Message
from engine.sip.parser import parse, salvage
from engine.sip.session import Phase, Session
from engine.sip.timers import BY_KEY
from engine.sip.transaction import Input, State, Transaction
from engine.sip.transaction_layer import (
    BROKEN,
    DELIVER,
    find_client,
    fire,
    merge_key,
    response_input,
    server_key,
    step,
)
from engine.sip.uri import parse_uri

Key = tuple[str, ...]
_ALLOW_HEADER = (("allow", ALLOW),)
_DATAGRAM_BYTES_MIN = 8  # shorter ones are keep-alives (RFC 5626 §4.4, bare CRLF, a lone NUL)


# --- bytes in ---------------------------------------------------------------------------------------------
def receive(core: Core, path: Path, data: bytes, now_ms: int) -> None:
    """One datagram or one message cut from a stream. What breaks the rules is answered or dropped, and noted."""
    if len(data) < _DATAGRAM_BYTES_MIN:
        return
    try:
        message = parse(data, datagram=path.transport == "udp")
    except ProtocolError as error:
        _broken(core, path, data, error)
        return
    if not message.is_request:
        _on_response(core, message, path, now_ms)
        return
    try:
        _on_request(core, message, path, now_ms)
    except ProtocolError as error:
        core.refuse("header", path, str(error))
        reply_now(core, message, path, error.status_hint, _phrase(error))


def _broken(core: Core, path: Path, data: bytes, error: ProtocolError) -> None:
    core.refuse("parse", path, str(error))
    message = salvage(data)
    if message is not None:
        message.stamp(path.host, path.port)
        reply_now(core, message, path, error.status_hint, _phrase(error))


def _phrase(error: ProtocolError) -> str:
    """400's phrase says what was wrong (§21.4.1); letters and digits only, the far end's text stays out."""
    text = error.detail.partition(":")[0]
    return text[:60] if error.status_hint == 400 and text.isascii() and text.isprintable() else ""


# --- requests -----------------------------------------------------------------------------------------------
def _on_request(core: Core, message: Message, path: Path, now_ms: int) -> None:
    method = message.method
    if method == "ACK":
        _on_ack(core, message, path, now_ms)
        return
    message.stamp(path.host, path.port)
    if method == "CANCEL":
        invite = core.transactions.get(core.by_key.get(server_key(message, "INVITE"), 0))
        session_uas.on_cancel(core, message, invite, path, now_ms)
        return
    key = server_key(message, method)
    known = core.by_key.get(key)
    if known is not None:
        step(core, core.transactions[known], Input.REQUEST, now_ms)
    elif message.to.tag and method != "REGISTER":
        _in_dialog(core, message, key, path, now_ms)
    else:
        _outside(core, message, key, path, now_ms)


def _on_ack(core: Core, message: Message, path: Path, now_ms: int) -> None:
    """For a refusal the transaction takes it; for a 2xx the session, by dialog (§17.1.1.3, §13.3.1.4)."""
    known = core.by_key.get(server_key(message, "INVITE"))
    if known is not None:
        told = step(core, core.transactions[known], Input.ACK, now_ms)
        if not told & DELIVER:
            return
    session = session_uas.on_ack(core, message, path, now_ms)
    if session is not None and session.wanted_sdp:
        session_modify.pump(core, session, now_ms)


def _outside(core: Core, message: Message, key: Key, path: Path, now_ms: int) -> None:
    method = message.method
    if method not in ("INVITE", "OPTIONS", "REGISTER", "SUBSCRIBE"):
        _refuse_outside(core, message, path)
        return
    uri = parse_uri(message.uri)
    if uri.scheme not in ("sip", "sips", "tel"):
        return reply_now(core, message, path, 416)
    if uri.scheme == "sips" and path.transport != "tls":  # what was to be private has come in clear
        return reply_now(core, message, path, 403, "SIPS Needs TLS")
    if _merged(core, message):
        return reply_now(core, message, path, 482)
    if _unsupported(core, message, path):
        return
    if "replaces" in message.index and method != "INVITE":
        return reply_now(core, message, path, 400, "Replaces Without INVITE")
    if method == "OPTIONS":
        return session_info.on_options(core, message, path)
    if method == "INVITE":
        if message.max_forwards == 0:  # a back-to-back agent passes calls on (RFC 7332); endpoints ignore it
            return reply_now(core, message, path, 483)
        if not _bad_content(core, message, path):
            session_uas.on_invite(core, message, uri, key, path, now_ms)
    elif core.full(False):
        reply_now(core, message, path, 503)
        core.refuse_full(path, method)
    elif method == "SUBSCRIBE":
        subscription.on_subscribe(core, message, key, path, now_ms)
    else:
        registrar.on_register(core, message, key, path, now_ms)


def _merged(core: Core, message: Message) -> bool:
    """§8.2.2.2: the same request by another way. One that has been refused doesn't count, because some phones answer
    a challenge with a new branch and the old CSeq."""
    twin = core.transactions.get(core.merged.get(merge_key(message), 0))
    return twin is not None and twin.state not in (State.COMPLETED, State.CONFIRMED)


def _refuse_outside(core: Core, message: Message, path: Path) -> None:
    """Methods that have no business outside a dialog, or none here at all (§8.2.1)."""
    method = message.method
    if method in ("BYE", "INFO", "NOTIFY", "PRACK", "UPDATE"):
        reply_now(core, message, path, 481)
    elif method == "REFER":
        reply_now(core, message, path, 403, "REFER Outside a Dialog")
    else:
        reply_now(core, message, path, 405 if method in METHODS else 501, headers=_ALLOW_HEADER)


def _in_dialog(core: Core, message: Message, key: Key, path: Path, now_ms: int) -> None:
    """§12.2.2: the session by Call-ID and tags, CSeq in order, then the exchange."""
    method = message.method
    if "replaces" in message.index:  # RFC 3891 §3: only a new INVITE can take a dialog's place
        return reply_now(core, message, path, 400, "Replaces Inside a Dialog")
    if method == "SUBSCRIBE":
        return subscription.on_refresh(core, message, key, path, now_ms)
    if method not in ALLOWED:
        return reply_now(core, message, path, 405 if method in METHODS else 501, headers=_ALLOW_HEADER)
    session = core.session_of(message)
    if session is None or (session.phase == Phase.OVER and method != "OPTIONS"):
        return reply_now(core, message, path, 481)
    if core.full(True):
        core.refuse_full(path, method)
        return reply_now(core, message, path, 503)
    if _unsupported(core, message, path):
        return None
    dialog = core.dialog_of(session, message)
    number = message.cseq[0]
    if number < dialog.remote_cseq:
        return reply_now(core, message, path, 500, "CSeq Out of Order")
    dialog.remote_cseq = number
    if session.phase == Phase.CONFIRMED:
        dialog.path = path
    _serve(core, session, message, key, path, now_ms)
    return None


def _serve(core: Core, session: Session, message: Message, key: Key, path: Path, now_ms: int) -> None:
    method = message.method
    if method == "BYE":
        if session.phase == Phase.INCOMING:
            session_uas.on_early_bye(core, session, message, now_ms)
            reply_now(core, message, path, 200)
        else:
            session_end.on_bye(core, session, message, key, path, now_ms)
    elif method == "INVITE":
        if not _bad_content(core, message, path):
            session_modify.on_reinvite(core, session, message, key, path, now_ms)
    elif method in ("PRACK", "UPDATE"):
        if not _bad_content(core, message, path):
            serve = session_uas.on_prack if method == "PRACK" else session_update.on_update
            serve(core, session, message, key, path, now_ms)
    elif method == "INFO":
        session_info.on_info(core, session, message, key, path, now_ms)
    elif method == "OPTIONS":
        session_info.on_options(core, message, path)
    elif method == "REFER":
        transfer.on_refer(core, session, message, key, path, now_ms)
    elif method == "NOTIFY":
        transfer.on_notify(core, session, message, key, path, now_ms)


def _unsupported(core: Core, message: Message, path: Path) -> bool:
    """§8.2.2.3: an option that we don't know is named in 420."""
    if "require" not in message.index:
        return False
    unknown = [option for option in message.all("require") if option.lower() not in SUPPORTED_OPTIONS]
    if unknown:
        reply_now(core, message, path, 420, headers=(("unsupported", ", ".join(unknown[:16])),))
    return bool(unknown)


def _bad_content(core: Core, message: Message, path: Path) -> bool:
    """§8.2.3: a body of an INVITE must be SDP in the clear, unless its handling is optional (then it is dropped)."""
    if not message.body:
        return False
    index = message.index
    encoding = index.get("content-encoding", "identity").lower()
    if message.content_type == "application/sdp" and encoding in ("", "identity"):
        return False
    if message.content_type.startswith("multipart/") and encoding in ("", "identity"):
        message.body = multipart.offer(index.get("content-type", ""), message.body)
        return False
    if "handling=optional" in index.get("content-disposition", "").replace(" ", "").lower():
        message.body = b""
        return False
    headers = (("accept", "application/sdp"), ("accept-encoding", "identity"))
    reply_now(core, message, path, 415, headers=headers)
    return True


# --- responses ------------------------------------------------------------------------------------------------
def _on_response(core: Core, message: Message, path: Path, now_ms: int) -> None:
    """A response without a transaction is stray and ignored (§18.1.2)."""
    tx = find_client(core, message)
    if tx is None:
        return
    told = step(core, tx, response_input(tx, message.status), now_ms, message)
    if told:
        tell(core, tx, told, message, path, now_ms)


def tell(core: Core, tx: Transaction, told: int, response: Message | None, path: Path, now_ms: int) -> None:
    """Tell the user of a transaction what happened: a response, no response, or a broken transport (§8.1.3.1)."""
    if tx.usage == "message":
        pager.on_result(core, tx.owner, response)
        return
    if tx.usage == "summary":
        subscription.on_result(core, tx.owner, response, now_ms)
        return
    if tx.usage == "qualify":
        qualify.on_result(core, tx.owner, response, now_ms)
        return
    if tx.usage == "enrol":
        registration.on_result(core, tx.owner, tx.id, response, now_ms)
        return
    if tx.usage == "notify":
        refer = core.refers.get(tx.owner)
        if refer is not None:
            transfer.on_notify_result(core, refer, tx, response, now_ms)
        return
    session = core.sessions.get(tx.owner)
    if session is None:
        return
    if tx.method == "INVITE":
        _tell_invite(core, session, tx, told, response, path, now_ms)
    elif response is None or response.status >= 200:
        user = _RESULTS.get(tx.usage)
        if user is not None:
            user(core, session, tx, response, now_ms)


def _tell_invite(
    core: Core, session: Session, tx: Transaction, told: int, response: Message | None, path: Path, now_ms: int
) -> None:
    if tx.usage == "invite" and session.caller:
        if response is None:
            session_uac.on_failure(core, session, told)
        else:
            session_uac.on_response(core, session, tx, response, path, now_ms)
    elif tx.usage == "ours":
        if response is None:
            session_modify.on_failure(core, session, tx, now_ms)
        else:
            session_modify.on_response(core, session, tx, response, path, now_ms)
    elif told & BROKEN:
        core.refuse("transport", tx.path, "flow lost under an INVITE that waits for us; its deadlines stand")


_RESULTS: dict[str, Callable[[Core, Session, Transaction, Message | None, int], None]] = {
    "bye": session_end.on_bye_result,
    "info": session_info.on_info_result,
    "prack": provisional_client.on_prack_result,
    "update": session_modify.on_update_result,
    "probe": session_info.on_probe_result,
    "refer": transfer.on_refer_result,
}  # "cancel": nobody waits for its response (§9.1)


# --- deadlines --------------------------------------------------------------------------------------------------
_SESSION_TIMERS: dict[str, Callable[[Core, Session, int], None]] = {
    "2xx": session_uas.on_ok_timer,
    "early": session_uas.on_early_timer,
    "ring": session_uas.on_ring_repeat,
    "ring_max": session_uac.on_ring_timer,
    "cancel": session_uac.on_cancel_timer,
    "owes": session_uac.on_owes_timer,
    "glare": session_modify.on_glare_timer,
    "theirs": session_modify.on_theirs_timer,
    "refresh": session_modify.on_refresh_timer,
    "expiry": session_modify.on_expiry_timer,
    "referring": transfer.on_referring_timer,
    "prack": session_uas.on_prack_timer,
}
TIMERS: dict[str, Callable[[Core, int, int], None]] = {
    "refer": transfer.on_refer_timer,
    "register": registrar.on_register_timer,
    "bind": registrar.on_bind_timer,
    "qualify": qualify.on_qualify_timer,
    "subscribe": subscription.on_subscribe_timer,
    "subscription": subscription.on_subscription_timer,
    "lamp": subscription.on_gap_timer,
    "probe": qualify.on_probe_timer,
    "enrol": registration.on_due,
    "lapse": registration.on_lapse,
}


def expire(core: Core, now_ms: int) -> None:
    """Serve every deadline up to now, in order; a spurious call does nothing."""
    while (key := core.deadlines.pop_due(now_ms)) is not None:
        name, number = key
        if name in BY_KEY:
            fired = fire(core, name, number, now_ms)
            if fired is not None and fired[1]:
                tell(core, fired[0], fired[1], None, fired[0].path, now_ms)
        elif name in _SESSION_TIMERS:
            session = core.sessions.get(number)
            if session is not None:
                _SESSION_TIMERS[name](core, session, now_ms)
        else:
            TIMERS[name](core, number, now_ms)


def flow_closed(core: Core, flow: int, now_ms: int) -> None:
    """A stream is gone: its transactions and bindings are told (§17.1.4)."""
    stream = core.flows.closed(flow)
    if stream is None:
        return
    for number in list(stream.transactions):
        tx = core.transactions.get(number)
        if tx is None or tx.path.flow != flow:
            continue
        told = step(core, tx, Input.TRANSPORT_ERROR, now_ms)
        if told:
            tell(core, tx, told, None, tx.path, now_ms)
    for number in list(stream.bindings):
        qualify.lose_flow(core, number)
    registration.flow_lost(core, flow, now_ms)


