"""Client-initiated connections (RFC 5626): a phone behind a NAT makes the flow, and is reached by no other.

As a registrar we keep one binding per instance and reg-id (§6), name the keep-alive that we expect on streams, and let
dialogs follow a phone whose flow has failed and that has registered by another one. Nobody stands between us and the
phone: a REGISTER that came through a proxy without `ob` in its Path is told 439. As a client we name our instance, and
come back by a new flow when one is lost; `registration` does so.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from engine.errors import ProtocolError
from engine.sip.binding import Binding
from engine.sip.core import Core
from engine.sip.dialog import Dialog
from engine.sip.events import Path
from engine.sip.headers import NameAddr, unquote
from engine.sip.message import Message
from engine.sip.uri import parse_uri

FLOW_TIMER_S = 120  # §5.4: so long we would wait for a keep-alive on a stream
REG_ID_MAX = 2**31 - 1
FLOW_FAILED = 430
FIRST_HOP_LACKS_OUTBOUND = 439

Headers = tuple[tuple[str, str], ...]


def reg_id(contact: NameAddr) -> int:
    """Which of its flows a phone registers by, from 1; 0: it says nothing of the kind (alone it is ignored, §4.2.1)."""
    text = contact.params.get("reg-id", "")
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not contact.params.get("+sip.instance"):
        return 0
    number = int(text)
    return number if number <= REG_ID_MAX else 0


def instance(contact: NameAddr) -> str:
    """+sip.instance without its quotes, or ''."""
    return unquote(contact.params.get("+sip.instance", ""))


def known(message: Message) -> bool:
    """Does whoever registers know this extension?"""
    return "supported" in message.index and any(each.lower() == "outbound" for each in message.all("supported"))


def refusal(message: Message, contacts: list[NameAddr]) -> tuple[int, Headers] | None:
    """§6: what a REGISTER with flows may not do."""
    flows = [contact for contact in contacts if reg_id(contact)]
    if not flows:
        return None
    if len(flows) > 1:
        return 400, ()  # §4.2.1: one flow at a time
    if known(message) and _proxied(message):
        return FIRST_HOP_LACKS_OUTBOUND, ()
    return None


def _proxied(message: Message) -> bool:
    """It came through somebody who doesn't keep the flow for us."""
    hops = len(message.all("via"))
    if hops <= 1:
        return False
    paths = message.all("path") if "path" in message.index else []
    return not paths or ";ob" not in paths[0].lower()


def answer(message: Message, contacts: list[NameAddr], path: Path) -> Headers:
    """What the 200 says when a flow was registered (§6, §5.4)."""
    if not known(message) or not any(reg_id(contact) for contact in contacts):
        return ()
    timer: Headers = (("flow-timer", str(FLOW_TIMER_S)),) if path.transport != "udp" else ()
    return (("require", "outbound"), *timer)


def follow(core: Core, binding: Binding, now: Path) -> int:
    """The phone of a binding has registered by another flow: its dialogs go on there. How many they were.

    RFC 5626 leaves that to a proxy that knows the phone's flows; we are that proxy and the other end at once. Where
    other phones are reached by the flow that it has left (behind one proxy), only dialogs with its own contact move.
    """
    before = binding.path
    found = [each for each in _dialogs(core) if each.path == before]
    if found and any(each.path == before for bound in core.bindings.values() for each in bound if each is not binding):
        own = _place(binding.contact)
        found = [each for each in found if own in (_place(each.target), _place(each.origin))]
    for dialog in found:
        dialog.path = now
    return len(found)


def _dialogs(core: Core) -> Iterator[Dialog]:
    for session in core.sessions.values():
        yield session.dialog
        yield from (early.dialog for early in session.early.values())
    yield from (subscription.dialog for subscription in core.subscriptions.values())


def _place(uri: str) -> tuple[str, str, int]:
    """Where a contact leads, without what a phone adds to it from time to time."""
    if not uri:
        return "", "", 0
    try:
        parts = parse_uri(uri)
    except ProtocolError:
        return uri, "", 0
    return parts.user, parts.host, parts.port or 0


def our_instance(seed: str) -> str:
    """A URN that stays the same for the same `seed` (RFC 4122 §4.3 in spirit: version 8, of RFC 9562)."""
    digest = bytearray(blake2b(seed.encode(), digest_size=16, person=b"sip.instance").digest())
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    text = digest.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
