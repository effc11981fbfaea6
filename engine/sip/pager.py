"""MESSAGE outside dialogs: a line of text to a registered phone, as a pager would show it (RFC 3428).

Nothing waits for the answer. A phone that says it can't (405, 415, 481, 488, 501) is not asked again until it registers
anew; silence and other failures say nothing about the next one.
"""

from __future__ import annotations

from engine.errors import LocalError, ProtocolError
from engine.sip.binding import Binding
from engine.sip.core import Core
from engine.sip.events import Path
from engine.sip.flows import sent_by
from engine.sip.message import Message
from engine.sip.registrar import find_binding
from engine.sip.requests import write
from engine.sip.transaction import Kind
from engine.sip.transaction_layer import start_client
from engine.sip.uri import parse_uri

CANT = (405, 415, 481, 488, 501)
TEXT_BYTES_MAX = 600  # the whole request stays far below the 1,300 bytes of RFC 3428 §8
EXPIRES_S = 60  # older news of a state is no news


def send(core: Core, binding: Binding, text: str, now_ms: int) -> bool:
    """One MESSAGE by the way that the phone's registration came; False when it isn't sent: the phone takes none, the
    endpoint is full, or no way leads to it."""
    if binding.mute or core.full(False):
        return False
    path: Path = binding.path
    own = sent_by(*core.flows.own_address(path))
    body = text.encode()[:TEXT_BYTES_MAX].decode(errors="ignore").encode()
    headers = [
        ("max-forwards", "70"), ("from", f"<sip:{own}>;tag={core.tokens.hex(12)}"), ("to", f"<{binding.contact}>"),
        ("call-id", core.tokens.hex(24)), ("cseq", "1 MESSAGE"), ("expires", str(EXPIRES_S)),
        ("user-agent", core.user_agent),
    ]
    try:
        parse_uri(binding.contact)
        data, branch, path = write(
            core, "MESSAGE", binding.contact, path, headers, body, "text/plain;charset=UTF-8"
        )
    except (LocalError, ProtocolError) as error:
        core.refuse("header", path, f"can't be told: {error}")
        return False
    start_client(core, Kind.NON_INVITE_CLIENT, "MESSAGE", branch, data, path, "message", binding.id, now_ms)
    return True


def on_result(core: Core, number: int, response: Message | None) -> None:
    """A final response; None: no answer, or the transport broke."""
    found = find_binding(core, number)
    if found is not None and response is not None and response.status in CANT:
        found[2].mute = True
