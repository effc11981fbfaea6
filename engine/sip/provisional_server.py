"""Provisional responses that are sure to arrive, when we are called: RSeq out, PRACK in (RFC 3262 §3, §5).

| what | rule |
|---|---|
| which | all of them when the INVITE requires 100rel; when it supports it, those that the rooms above want so |
| order | one at a time: the next, and a 2xx behind a description, wait for the PRACK (§3) |
| no PRACK in 64·T1 | the INVITE gets 504 (§3) |
| no offer in the INVITE | the first one carries ours, the PRACK the answer (§5) |
"""

from __future__ import annotations

from engine.sip import writer
from engine.sip.answers import reply_now
from engine.sip.core import ALLOW, SUPPORTED, Core
from engine.sip.events import Offered, Path, Pracked
from engine.sip.message import Message
from engine.sip.session import Reliable, Session
from engine.sip.timers import GIVE_UP_MS, T1_MS
from engine.sip.transaction import Kind, Transaction
from engine.sip.transaction_layer import reply, start_server

Headers = tuple[tuple[str, str], ...]
OPTION = "100rel"
LATER_MAX = 4
_SEQ_MAX = 2**31 - 1


def known(message: Message) -> Reliable | None:
    """What their INVITE says about 100rel; None: nothing."""
    if message.has_option("require", OPTION):
        return Reliable(True)
    return Reliable(False) if message.has_option("supported", OPTION) else None


def say(
    core: Core, session: Session, tx: Transaction, status: int, sdp: bytes, headers: Headers, now_ms: int
) -> None:
    """Send one reliably, or after the one that still waits for its PRACK."""
    rel = session.reliable
    if rel is None or tx.request is None:
        return
    if rel.data:
        if len(rel.later) < LATER_MAX:
            rel.later.append((status, sdp, headers))
        return
    if rel.agreed:
        sdp = b""  # §5: one offer and one answer; what changes later goes by UPDATE
    rel.seq = rel.seq + 1 if rel.seq else 1 + core.tokens.number(_SEQ_MAX // 2)
    own = (
        ("require", OPTION), ("rseq", str(rel.seq)), ("contact", session.contact), ("allow", ALLOW),
        ("supported", SUPPORTED), ("user-agent", core.user_agent),
    )
    rel.data = writer.response(
        tx.request, status, "", session.dialog.local_tag, (*own, *headers), sdp, "application/sdp" if sdp else ""
    )
    rel.status, rel.cseq = status, tx.request.cseq[0]
    rel.sdp, rel.offers = bool(sdp), bool(sdp) and not tx.request.body
    rel.since_ms, rel.interval_ms = now_ms, T1_MS
    reply(core, tx, status, rel.data, now_ms)
    core.deadlines.arm(("prack", session.id), now_ms + T1_MS)


def repeat(core: Core, session: Session, tx: Transaction, now_ms: int) -> bool:
    """The same again, T1 doubling, on every transport; False: 64·T1 have passed (§3)."""
    rel = session.reliable
    if rel is None or not rel.data:
        return True
    left = rel.since_ms + GIVE_UP_MS - now_ms
    if left <= 0:
        return False
    reply(core, tx, rel.status, rel.data, now_ms)
    rel.interval_ms *= 2
    core.deadlines.arm(("prack", session.id), now_ms + min(rel.interval_ms, left))
    return True


def overtakes(session: Session) -> bool:
    """Must a 2xx wait? Behind a description that isn't acknowledged (§3), and behind an offer that isn't answered."""
    rel = session.reliable
    return rel is not None and ((bool(rel.data) and rel.sdp) or bool(session.theirs or session.ours))


def on_prack(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> bool:
    """PRACK: 200 for the one that waits, else 481 (§3). True: what waited behind it may go on."""
    rel = session.reliable
    if rel is None or not rel.data or message.index.get("rack", "").split() != [str(rel.seq), str(rel.cseq), "INVITE"]:
        reply_now(core, message, path, 481)
        return False
    offer = bool(message.body) and not rel.offers
    if offer and session.ours:
        reply_now(core, message, path, 491)
        return False
    rel.data = b""
    core.deadlines.armed.pop(("prack", session.id), None)
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "prack", session.id, now_ms)
    rel.agreed = rel.agreed or rel.sdp
    if offer and rel.agreed:  # §5: a second offer; its answer goes into the 200
        session.theirs = tx.id
        core.deadlines.arm(("theirs", session.id), now_ms + GIVE_UP_MS)
        core.events.append(Offered(session.id, message.body))
        return True
    status = 488 if offer else 200  # an offer while theirs in the INVITE has no answer yet
    reply(core, tx, status, writer.response(message, status, headers=(("user-agent", core.user_agent),)), now_ms)
    if rel.offers:
        rel.offers = False
        session.remote_sdp = message.body
        core.events.append(Pracked(session.id, message.body or None))
    return True
