"""Their INVITE: reception, ringing, answer, repetition of the 2xx, ACK, CANCEL (RFC 3261 §8.2, §9.2, §13.3)."""

from __future__ import annotations

from engine import limits
from engine.errors import ProtocolError
from engine.sip import digest, provisional_server, replaces, session_timer, writer
from engine.sip.answers import challenge_headers, reply_now
from engine.sip.core import ALLOW, RETRY_AFTER_S, SESSIONS_PER_CALL_ID_MAX, SUPPORTED, Core
from engine.sip.dialog import as_server
from engine.sip.events import Acked, Canceled, Credentials, Ended, Incoming, Party, Path
from engine.sip.headers import NameAddr, parse_name_addr
from engine.sip.message import Message
from engine.sip.requests import contact_value
from engine.sip.session import Move, Phase, Session, move
from engine.sip.session_end import cause_of, say_bye
from engine.sip.session_update import note_allow
from engine.sip.timers import GIVE_UP_MS, T1_MS, T2_MS
from engine.sip.transaction import Kind, Transaction
from engine.sip.transaction_layer import reply, start_server
from engine.sip.uri import Uri

RING_REPEAT_MS = 60_000  # §13.3.1.1: proxies need a provisional response within three minutes; we say it every one
_NOTED = ("privacy", "subject", "alert-info", "call-info", "reason")
# of these every value counts, in order
_NOTED_WHOLE = (
    "diversion", "history-info", "identity", "p-asserted-identity", "p-preferred-identity", "remote-party-id", "from",
)  # fmt: skip


def on_invite(
    core: Core, message: Message, uri: Uri, key: tuple[str, ...], path: Path, now_ms: int
) -> None:
    """An INVITE outside dialogs that has passed the checks of §8.2: 100, a session, and an event."""
    siblings = core.by_call.get(message.call_id, ())
    urgent = uri.user in core.urgent
    if (not urgent and (core.overload or len(core.sessions) >= limits.dialogs_max)) or core.full(urgent):
        reply_now(core, message, path, 503, headers=(("retry-after", str(RETRY_AFTER_S)),))
        core.refuse_full(path, "INVITE")
        return
    if len(siblings) >= SESSIONS_PER_CALL_ID_MAX:
        reply_now(core, message, path, 482)
        core.refuse("limit", path, "too many calls with one Call-ID")
        return
    refusal = session_timer.too_brief(message)
    if refusal:
        reply_now(core, message, path, 422, headers=refusal)
        return
    number = core.fresh_id()
    dialog = as_server(message, core.tokens.hex(16), path)
    incoming = _incoming(number, message, uri, path)
    session = Session(number, Phase.INCOMING, False, dialog, _contact(core, message, uri, path))
    session.reliable = provisional_server.known(message)
    session_timer.note_request(session, message)
    note_allow(session, message)
    tx = start_server(
        core, Kind.INVITE_SERVER, message, key, path, "invite", session.id, now_ms, writer.response(message, 100)
    )
    session.invite = tx.id
    core.add_session(session)
    session.remote_sdp = incoming.sdp or b""
    core.deadlines.arm(("early", session.id), now_ms + limits.early_ms_max + limits.hangup_grace_ms)
    core.events.append(incoming)


def _contact(core: Core, message: Message, uri: Uri, path: Path) -> str:
    """Ours: a SIPS URI when theirs, the Request-URI, or the top Record-Route is one (§12.1.1)."""
    first = message.record_routes[:1] if "record-route" in message.index else []
    theirs = [each.parts for each in (*message.contacts, *first)]
    sips = uri.scheme == "sips" or any(parts is not None and parts.scheme == "sips" for parts in theirs)
    return contact_value(core, path, uri.user, sips=sips)


def _incoming(number: int, message: Message, uri: Uri, path: Path) -> Incoming:
    """The event; made before anything is stored, because a bad header may still refuse the INVITE."""
    authorization = message.index.get("authorization") or message.index.get("proxy-authorization")
    credentials: Credentials | None = None
    if authorization is not None:
        credentials = digest.parse_credentials(authorization, message.method)
    index = message.index
    headers = {name: index[name] for name in index if name in _NOTED or name.startswith("x-")}
    headers |= {name: ", ".join(message.all(name)) for name in _NOTED_WHOLE if name in index}
    hops = message.max_forwards
    return Incoming(
        number, path, message.uri, uri.user, uri.host, party(message.from_), party(message.to), _asserted(message),
        message.call_id, message.body or None, credentials, index.get("user-agent", ""), headers,
        70 if hops is None else hops, replaces.of(message),
    )


def party(address: NameAddr) -> Party:
    """Display, user, host, URI without parameters."""
    parts = address.parts
    uri = address.uri.partition(";")[0]
    return Party(address.display, "", "", uri) if parts is None else Party(address.display, parts.user, parts.host, uri)


def _asserted(message: Message) -> Party | None:
    if "p-asserted-identity" not in message.index:
        return None
    try:
        return party(parse_name_addr(message.all("p-asserted-identity")[0]))
    except (ProtocolError, IndexError):
        return None  # a header that only a trusted trunk may set: nonsense there counts as absent


# --- our verdicts ---------------------------------------------------------------------------------------
def _pending(core: Core, session: Session) -> Transaction | None:
    return core.transactions.get(session.invite)


def ring(
    core: Core, session: Session, status: int, now_ms: int, sdp: bytes | None, headers: tuple[tuple[str, str], ...],
    *, reliable: bool = False,
) -> None:
    """180 or 183, repeated every minute; by PRACK when the caller requires it, or knows it and it is wanted.

    A caller who requires it and made no offer is told nothing until there is one of ours (RFC 3262 §5).
    """
    tx = _pending(core, session)
    if session.phase != Phase.INCOMING or tx is None or tx.request is None or not 100 < status < 200:
        return
    rel, sdp = session.reliable, sdp or b""
    sure = rel is not None and (rel.required or reliable) and bool(sdp or tx.request.body or rel.agreed)
    if sdp and (rel is None or not rel.agreed):
        session.local_sdp = sdp
    if sure:
        provisional_server.say(core, session, tx, status, sdp, headers, now_ms)
    elif rel is None or not rel.required:
        data = writer.response(
            tx.request, status, "", session.dialog.local_tag,
            (("contact", session.contact), ("user-agent", core.user_agent), *headers), sdp,
            "application/sdp" if sdp else "",
        )
        reply(core, tx, status, data, now_ms)
    core.deadlines.arm(("ring", session.id), now_ms + RING_REPEAT_MS)
    core.deadlines.arm(("early", session.id), now_ms + limits.early_ms_max + limits.hangup_grace_ms)


def needs_offer(core: Core, session: Session) -> bool:
    """Can he only be told that it rings together with an offer of ours (RFC 3262 §5)?"""
    tx, rel = _pending(core, session), session.reliable
    if session.phase != Phase.INCOMING or rel is None or tx is None or tx.request is None:
        return False
    return rel.required and not (tx.request.body or rel.agreed or rel.data)


def on_ring_repeat(core: Core, session: Session, now_ms: int) -> None:
    """The last provisional response again (§13.3.1.1); a reliable one is said anew, without its description."""
    tx, rel = _pending(core, session), session.reliable
    if session.phase != Phase.INCOMING or tx is None:
        return
    if rel is not None and rel.seq:
        if not rel.data:
            provisional_server.say(core, session, tx, rel.status, b"", (), now_ms)
    elif tx.data:
        reply(core, tx, 180, tx.data, now_ms)
    core.deadlines.arm(("ring", session.id), now_ms + RING_REPEAT_MS)


def on_prack(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """PRACK, and what waited behind it."""
    if provisional_server.on_prack(core, session, message, key, path, now_ms):
        session.dialog.path = path
        go_on(core, session, now_ms)


def go_on(core: Core, session: Session, now_ms: int) -> None:
    """Say what has waited for a PRACK, or for an exchange while it rings: the 2xx, else the next provisional one."""
    rel = session.reliable
    if rel is None or session.phase != Phase.INCOMING or rel.data:
        return
    if rel.ok is not None:
        (sdp, headers), rel.ok = rel.ok, None
        answer(core, session, sdp, now_ms, headers)
    elif rel.later:
        status, sdp, headers = rel.later.pop(0)
        ring(core, session, status, now_ms, sdp, headers, reliable=True)


def on_prack_timer(core: Core, session: Session, now_ms: int) -> None:
    """A reliable provisional response again; after 64·T1 without PRACK the INVITE is refused (RFC 3262 §3)."""
    tx = _pending(core, session)
    if session.phase != Phase.INCOMING or tx is None or provisional_server.repeat(core, session, tx, now_ms):
        return
    if reject(core, session, 504, now_ms, "No PRACK", (), Move.DROPPED):
        core.events.append(Canceled(session.id, "no PRACK"))


def answer(core: Core, session: Session, sdp: bytes, now_ms: int, headers: tuple[tuple[str, str], ...]) -> None:
    """200 with our SDP, unless an early answer has settled it; repeated until the ACK comes (§13.3.1.4)."""
    tx, rel = _pending(core, session), session.reliable
    if tx is None or tx.request is None or session.phase != Phase.INCOMING:
        return
    if rel is not None and provisional_server.overtakes(session):
        rel.ok = (sdp, headers)
        return
    move(session, Move.ANSWER)
    for key in ("early", "ring", "prack"):
        core.deadlines.armed.pop((key, session.id), None)
    session_timer.decide_as_server(session)
    if rel is not None and rel.agreed:
        sdp = b""
    else:
        session.local_sdp = sdp
        session.ok_offers = not tx.request.body
    data = writer.response(
        tx.request, 200, "", session.dialog.local_tag, ok_headers(core, session, headers), sdp,
        "application/sdp" if sdp else "",
    )
    send_ok(core, session, tx, tx.request.cseq[0], data, now_ms)
    session_timer.start(core, session, now_ms)


def ok_headers(
    core: Core, session: Session, headers: tuple[tuple[str, str], ...] = ()
) -> tuple[tuple[str, str], ...]:
    """What our 2xx to an INVITE carries (§13.3.1.4, RFC 4028 §9)."""
    return (
        ("contact", session.contact), ("allow", ALLOW), ("supported", SUPPORTED), ("user-agent", core.user_agent),
        *session_timer.answer_headers(session), *headers,
    )


def send_ok(core: Core, session: Session, tx: Transaction, number: int, data: bytes, now_ms: int) -> None:
    """Give a 2xx to an INVITE's transaction and repeat it until the ACK of this CSeq number."""
    session.ok = data
    session.ok_path_tx = tx.id
    session.ok_cseq = number
    session.ok_since_ms = now_ms
    session.ok_interval_ms = T1_MS
    reply(core, tx, 200, data, now_ms)
    core.deadlines.arm(("2xx", session.id), now_ms + T1_MS)


def on_ok_timer(core: Core, session: Session, now_ms: int) -> None:
    """Repeat the 2xx (T1 doubling to T2, on every transport); after 64·T1 give up: BYE (§13.3.1.4)."""
    if not session.ok:
        return
    left = session.ok_since_ms + GIVE_UP_MS - now_ms
    if left > 0:
        tx = core.transactions.get(session.ok_path_tx)
        if tx is not None:
            reply(core, tx, 200, session.ok, now_ms)
        session.ok_interval_ms = min(2 * session.ok_interval_ms, T2_MS)
        core.deadlines.arm(("2xx", session.id), now_ms + min(session.ok_interval_ms, left))
        return
    session.ok = b""
    if move(session, Move.UNACKED):
        if not session.quiet:
            core.events.append(Ended(session.id, "ack", "no ACK"))
        session.quiet = True
        say_bye(core, session, now_ms)


def on_ack(core: Core, message: Message, path: Path, now_ms: int) -> Session | None:
    """ACK for a 2xx of ours; a stray one is ignored (None)."""
    session = core.unacked_session(message)
    if session is None:
        return None
    session.ok = b""
    core.deadlines.armed.pop(("2xx", session.id), None)
    session.dialog.path = path
    sdp = message.body or None
    if sdp:
        session.remote_sdp = sdp
    move(session, Move.ACKED)
    if session.phase == Phase.LEAVING:
        say_bye(core, session, now_ms)
    elif not session.quiet:
        core.events.append(Acked(session.id, sdp))
    return session


def reject(
    core: Core, session: Session, status: int, now_ms: int, phrase: str, headers: tuple[tuple[str, str], ...],
    what: Move = Move.REJECT,
) -> bool:
    """A final refusal of their INVITE; the session is over."""
    tx = _pending(core, session)
    if session.phase != Phase.INCOMING or tx is None or tx.request is None or not 300 <= status < 700:
        return False
    move(session, what)
    data = writer.response(
        tx.request, status, phrase, session.dialog.local_tag, (("user-agent", core.user_agent), *headers)
    )
    reply(core, tx, status, data, now_ms)
    core.release(session)
    return True


def challenge(
    core: Core, session: Session, realm: str, now_ms: int, *, stale: bool, proxy: bool
) -> None:
    """401 or 407; the caller comes back with a new INVITE (§22.2, RFC 8760)."""
    headers = challenge_headers(core, realm, now_ms, stale=stale, proxy=proxy)
    reject(core, session, 407 if proxy else 401, now_ms, "", headers)


# --- their change of mind ---------------------------------------------------------------------------------
def on_cancel(core: Core, message: Message, invite: Transaction | None, path: Path, now_ms: int) -> None:
    """CANCEL: 200 for itself, 487 for the INVITE when that has no final answer yet; 481 without a match (§9.2)."""
    if invite is None:
        reply_now(core, message, path, 481)
        return
    session = core.sessions.get(invite.owner)
    reply_now(core, message, path, 200, tag=session.dialog.local_tag if session else "")
    if session is None or invite.request is None:
        return
    if invite.usage == "reinvite":
        data = writer.response(invite.request, 487, "", session.dialog.local_tag)
        reply(core, invite, 487, data, now_ms)
        session.theirs = 0
        return
    if reject(core, session, 487, now_ms, "", (), Move.CANCELED):
        core.events.append(Canceled(session.id, message.index.get("reason", ""), cause_of(message)))


def on_early_bye(core: Core, session: Session, message: Message, now_ms: int) -> None:
    """BYE before our final answer: the INVITE gets 487 (§15.1.2)."""
    if reject(core, session, 487, now_ms, "", (), Move.FAR_BYE):
        core.events.append(Canceled(session.id, message.index.get("reason", ""), cause_of(message)))


def on_early_timer(core: Core, session: Session, now_ms: int) -> None:
    """Nobody decided in time (law 6): 480, and the rooms above are told."""
    if reject(core, session, 480, now_ms, "", (), Move.DROPPED):
        core.events.append(Canceled(session.id, "not answered in time"))

