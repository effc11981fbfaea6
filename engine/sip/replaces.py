"""Replaces (RFC 3891): which dialog a new call takes the place of, read and written, and where it stands here."""

from __future__ import annotations

import re
from urllib.parse import quote

from engine.errors import ProtocolError
from engine.sip.core import Core
from engine.sip.events import Found, Replaces
from engine.sip.headers import is_token, parse_params
from engine.sip.message import Message
from engine.sip.session import Phase, Session

_CALL_ID = re.compile(r"[^\s;,<>\"]{1,256}\Z").match
_STATES = {
    Phase.INCOMING: "theirs", Phase.CALLING: "ringing", Phase.RINGING: "ringing", Phase.ANSWERED: "up",
    Phase.CONFIRMED: "up",
}


def read(value: str) -> Replaces:
    """`call-id;to-tag=7;from-tag=8;early-only`. Raises ProtocolError(400) for anything else (§6.1)."""
    call_id, _, rest = value.partition(";")
    call_id = call_id.strip(" \t")
    params = parse_params(rest) if rest else {}
    to_tag, from_tag = params.get("to-tag", ""), params.get("from-tag", "")
    if not _CALL_ID(call_id) or not is_token(to_tag) or not is_token(from_tag):
        raise ProtocolError("bad Replaces: a Call-ID, to-tag and from-tag are needed", section="RFC 3891 §6.1")
    return Replaces(call_id, to_tag, from_tag, "early-only" in params)


def of(message: Message) -> Replaces | None:
    """What an INVITE wants to replace. Raises ProtocolError(400) for two of them, or one that can't be read (§3)."""
    if "replaces" not in message.index:
        return None
    values = message.all("replaces")
    if len(values) != 1:
        raise ProtocolError("one Replaces at most", section="RFC 3891 §3")
    return read(values[0])


def find(core: Core, what: Replaces) -> Found | None:
    """The session that it names, by our tag (to-tag) and theirs (§3); while we ring, by any tag that has rung."""
    for number in core.by_call.get(what.call_id, ()):
        session = core.sessions[number]
        if session.dialog.local_tag != what.to_tag:
            continue
        known = (session.dialog.remote_tag,) if session.dialog.remote_tag else session.rung
        if what.from_tag in known:
            return Found(session.id, _STATES.get(session.phase, "over"))
    return None


def refer_to(target: str, session: Session) -> str:
    """A Refer-To for the far end of another session of ours: call `target`, in the place of that session (RFC 5589 §7).

    Their Replaces is read by its receiver, so his tag (our remote one) is its to-tag.
    """
    dialog = session.dialog
    far_tag = dialog.remote_tag or (session.rung[0] if session.rung else "")
    text = f"{dialog.call_id};to-tag={far_tag};from-tag={dialog.local_tag}"
    return f"<{target.partition('?')[0]}?Replaces={quote(text, safe='')}>"
