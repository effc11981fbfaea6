"""Reliable provisional responses to our INVITE: each is answered by a PRACK in its own early dialog (RFC 3262 §4, §5).

They are taken in the order of their RSeq: a repeat, or one that another must come before, is dropped (the far end
repeats it). When our INVITE had no offer, the first one carries theirs and its PRACK our answer, by `give_answer`.
"""

from __future__ import annotations

from engine.errors import ProtocolError
from engine.sip.core import Core
from engine.sip.dialog import fork_of
from engine.sip.events import Path
from engine.sip.message import Message, delta_seconds
from engine.sip.requests import ask, ask_again
from engine.sip.session import Early, Session
from engine.sip.transaction import Transaction

FORKS_MAX = 16


def is_reliable(response: Message) -> bool:
    """Does it ask for a PRACK? 100 never does (§3)."""
    return response.status > 100 and response.has_option("require", "100rel")


def take(core: Core, session: Session, response: Message, path: Path, now_ms: int) -> bool:
    """Acknowledge one; False: it is a repeat, out of order, or not to be acknowledged at all, and counts as unheard."""
    number, tag = delta_seconds(response.index.get("rseq")), response.to.tag
    if not number or not tag or number >= 2**32 - 1:
        core.refuse("header", path, "a reliable response without RSeq or To tag can't be acknowledged (RFC 3262 §4)")
        return False
    early = session.early.get(tag)
    if early is None:
        if len(session.early) >= FORKS_MAX:
            return False
        try:
            dialog = fork_of(session.dialog, response, path)
        except ProtocolError as error:
            core.refuse("header", path, str(error))
            return False
        early = session.early[tag] = Early(dialog, session.contact, session.secret)
    elif number != early.seq + 1:
        return False
    early.seq, early.dialog.path = number, path
    rack = f"{number} {response.cseq[0]} INVITE"
    first = bool(response.body) and not early.sdp
    early.sdp = early.sdp or response.body
    if first and not session.local_sdp:
        early.rack = rack
    else:
        _send(core, session, early, rack, b"", now_ms)
    return True


def give_answer(core: Core, session: Session, sdp: bytes, now_ms: int) -> bool:
    """Our answer to their offer in a provisional response; False: no PRACK waits for one."""
    for early in session.early.values():
        if early.rack:
            rack, early.rack = early.rack, ""
            session.local_sdp, session.remote_sdp = sdp, early.sdp
            _send(core, session, early, rack, sdp, now_ms)
            return True
    return False


def waits(session: Session) -> bool:
    """Does a PRACK wait for our answer?"""
    return any(early.rack for early in session.early.values())


def _send(core: Core, session: Session, early: Early, rack: str, sdp: bytes, now_ms: int) -> None:
    content_type = "application/sdp" if sdp else ""
    ask(core, early, "PRACK", "prack", session.id, now_ms, (("rack", rack),), sdp, content_type)


def on_prack_result(core: Core, session: Session, tx: Transaction, response: Message | None, now_ms: int) -> None:
    """The answer to our PRACK. A refusal or none is noted: the far end, which has no PRACK, ends the INVITE itself."""
    early = session.early.get(response.to.tag) if response is not None else None
    challenged = response is not None and response.status in (401, 407)
    if response is not None and challenged and early and ask_again(core, early, tx, response, now_ms) is not None:
        return
    if response is None or response.status >= 300:
        what = "no answer" if response is None else f"{response.status} {response.phrase[:40]}"
        core.refuse("dialog", tx.path, f"PRACK: {what}")


def confirm(session: Session, response: Message) -> bytes:
    """Their 2xx has made the session's dialog: it goes on with the numbers of the early one (§4).

    Returns the description that the 2xx leaves out because the early dialog had it (§5).
    """
    early = session.early.get(response.to.tag)
    if early is None:
        return b""
    dialog = session.dialog
    dialog.local_cseq = max(dialog.local_cseq, early.dialog.local_cseq)
    dialog.remote_cseq = max(dialog.remote_cseq, early.dialog.remote_cseq)
    return early.sdp
