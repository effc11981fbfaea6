"""The registrar: bindings of addresses of record (RFC 3261 §10.3), with the path that leads back through a NAT.

The rooms above decide who may register (`RegisterRequest` → challenge, accept or refuse); this room keeps order:
all or nothing per request, CSeq order per Call-ID, limits, expiry.
"""

from __future__ import annotations

from engine import limits
from engine.errors import ProtocolError
from engine.sip import digest, outbound, writer
from engine.sip.answers import Headers, challenge_headers
from engine.sip.binding import Binding, Registration
from engine.sip.core import Core
from engine.sip.dialog import usable
from engine.sip.events import BindingChanged, Credentials, Path, RegisterRequest
from engine.sip.headers import NameAddr
from engine.sip.message import Message, delta_seconds
from engine.sip.timers import GIVE_UP_MS
from engine.sip.transaction import Kind, Transaction
from engine.sip.transaction_layer import reply, start_server
from engine.sip.uri import Uri, parse_uri

FIRST_QUALIFY_MS = 2_000


def on_register(core: Core, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """A REGISTER waits for the verdict of the rooms above."""
    value = message.index.get("authorization")
    credentials: Credentials | None = digest.parse_credentials(value, "REGISTER") if value is not None else None
    to = message.to
    number = core.fresh_id()
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "register", number, now_ms)
    core.registrations[number] = Registration(number, tx.id)
    core.deadlines.arm(("register", number), now_ms + GIVE_UP_MS)
    agent = message.index.get("user-agent", "")
    core.events.append(RegisterRequest(number, path, to.user, to.host, credentials, agent, message.uri))


def _take(core: Core, number: int) -> tuple[Transaction, Message] | None:
    """The pending request, which is pending no more; None when it is answered, or too late."""
    registration = core.registrations.pop(number, None)
    if registration is None:
        return None
    core.deadlines.cancel(("register", number))
    tx = core.transactions.get(registration.transaction)
    if tx is None or tx.request is None:
        return None
    return tx, tx.request


def _answer(
    core: Core, tx: Transaction, message: Message, status: int, now_ms: int, headers: Headers = (), phrase: str = ""
) -> None:
    data = writer.response(
        message, status, phrase, core.tokens.hex(12), (*headers, ("server", core.user_agent))
    )
    reply(core, tx, status, data, now_ms)


def challenge(core: Core, number: int, realm: str, now_ms: int, *, stale: bool) -> None:
    """401 with a fresh nonce."""
    taken = _take(core, number)
    if taken is not None:
        _answer(core, *taken, 401, now_ms, challenge_headers(core, realm, now_ms, stale=stale))


def refuse(core: Core, number: int, status: int, now_ms: int, phrase: str) -> None:
    """A final refusal."""
    taken = _take(core, number)
    if taken is not None:
        _answer(core, *taken, status if 300 <= status < 700 else 403, now_ms, (), phrase)


def on_register_timer(core: Core, number: int, now_ms: int) -> None:
    """Nobody decided (law 6)."""
    refuse(core, number, 500, now_ms, "")


# --- acceptance (§10.3 steps 6 to 8) --------------------------------------------------------------------
def accept(core: Core, number: int, realm: str, user: str, now_ms: int) -> None:
    """Update the bindings of user@realm as the request asks and answer 200 with all of them."""
    taken = _take(core, number)
    if taken is None:
        return
    tx, message = taken
    owner = f"{realm}/{user}"
    try:
        contacts = message.contacts
        refusal = _check(core, owner, message, contacts)
    except ProtocolError as error:
        core.refuse("header", tx.path, str(error))
        refusal = (400, ())
    if refusal is not None:
        _answer(core, tx, message, refusal[0], now_ms, refusal[1])
        return
    if contacts and contacts[0].is_star:
        for binding in list(core.bindings.get(owner, ())):
            _remove(core, realm, user, binding, "removed")
    else:
        for contact in contacts:
            _update(core, realm, user, message, contact, tx.path, now_ms)
    _answer(
        core, tx, message, 200, now_ms,
        (*_listed(core, owner, now_ms), *outbound.answer(message, contacts, tx.path)),
    )  # fmt: skip


def _wished_s(message: Message, contact: NameAddr) -> int:
    """Seconds that this contact shall live: its own parameter, the Expires header, else our default; 0 removes."""
    own = delta_seconds(contact.params.get("expires"))
    if own is None:
        own = message.expires
    return limits.register_expires_s_default if own is None else min(own, limits.register_expires_s_max)


def _check(core: Core, owner: str, message: Message, contacts: list[NameAddr]) -> tuple[int, Headers] | None:
    """Everything that can refuse the request, before anything changes."""
    bindings = core.bindings.get(owner, [])
    refused = outbound.refusal(message, contacts)
    if refused is not None:
        return refused
    if any(contact.is_star for contact in contacts):
        if len(contacts) != 1 or message.expires != 0:
            return 400, ()
        touched = bindings
    else:
        if any(not usable(contact) for contact in contacts):
            return 400, ()
        if any(0 < _wished_s(message, contact) < limits.register_expires_s_min for contact in contacts):
            return 423, (("min-expires", str(limits.register_expires_s_min)),)
        touched = [found for found in (_find(bindings, contact) for contact in contacts) if found is not None]
        fresh = sum(1 for contact in contacts if _wished_s(message, contact) and _find(bindings, contact) is None)
        if fresh > limits.bindings_per_user_max:
            return 403, ()
    number = message.cseq[0]
    if any(binding.call_id == message.call_id and number <= binding.cseq for binding in touched):
        return 500, ()  # §10.3 step 7: an older request overtaken by a newer one changes nothing
    return None


def _find(bindings: list[Binding], contact: NameAddr) -> Binding | None:
    """The binding of this contact: the same instance (RFC 5626 §4.1), the same text, or an equal URI (§19.1.4). With a
    reg-id only the same flow of the same instance counts (RFC 5626 §6)."""
    instance, flow = outbound.instance(contact), outbound.reg_id(contact)
    if flow:
        same = (binding for binding in bindings if (binding.instance, binding.reg_id) == (instance, flow))
        return next(same, None)
    parsed: Uri | None = contact.parts
    for binding in bindings:
        if binding.contact == contact.uri or (instance and binding.instance == instance):
            return binding
    for binding in bindings:
        if parsed is not None and parse_uri(binding.contact) == parsed:
            return binding
    return None


def _update(
    core: Core, realm: str, user: str, message: Message, contact: NameAddr, path: Path, now_ms: int
) -> None:
    owner = f"{realm}/{user}"
    bindings = core.bindings.setdefault(owner, [])
    binding = _find(bindings, contact)
    seconds = _wished_s(message, contact)
    if seconds == 0:
        if binding is not None:
            _remove(core, realm, user, binding, "removed")
        elif not bindings:
            del core.bindings[owner]
        return
    agent = message.index.get("user-agent", "")
    change = ""
    if binding is None:
        while len(bindings) >= limits.bindings_per_user_max:  # a phone that changes its port at each start mustn't
            _remove(core, realm, user, bindings[-1], "removed")  # lock its owner out: the oldest gives way
            bindings = core.bindings.setdefault(owner, [])
        binding = Binding("", path, 0, agent, True, "", id=core.fresh_id())
        change = "added"
        core.binding_owners[binding.id] = owner
        core.deadlines.arm(("qualify", binding.id), now_ms + FIRST_QUALIFY_MS + core.tokens.number(FIRST_QUALIFY_MS))
    else:
        bindings.remove(binding)
        if binding.path != path or binding.contact != contact.uri:
            change = "moved"
            _leave_stream(core, binding)
            if binding.path != path:
                outbound.follow(core, binding, path)
    bindings.insert(0, binding)
    binding.contact, binding.path, binding.user_agent = contact.uri, path, agent
    binding.expires_at_ms = now_ms + 1_000 * seconds
    binding.instance, binding.reg_id = outbound.instance(contact), outbound.reg_id(contact)
    if binding.call_id != message.call_id:  # a refresh keeps its Call-ID (§10.2.4): this phone has started anew
        binding.mute = False
    binding.call_id, binding.cseq = message.call_id, message.cseq[0]
    binding.q = contact.params.get("q", "")
    stream = core.flows.streams.get(path.flow) if path.transport != "udp" else None
    if stream is not None:
        stream.bindings[binding.id] = True
    core.deadlines.arm(("bind", binding.id), binding.expires_at_ms)
    if change:
        binding.reachable = True
        core.events.append(BindingChanged(realm, user, binding.contact, change, path, agent))


def _remove(core: Core, realm: str, user: str, binding: Binding, change: str) -> None:
    owner = f"{realm}/{user}"
    bindings = core.bindings[owner]
    bindings.remove(binding)
    if not bindings:
        del core.bindings[owner]
    core.binding_owners.pop(binding.id, None)
    core.deadlines.cancel(("bind", binding.id))
    core.deadlines.cancel(("qualify", binding.id))
    _leave_stream(core, binding)
    core.events.append(BindingChanged(realm, user, binding.contact, change, binding.path, binding.user_agent))


def _leave_stream(core: Core, binding: Binding) -> None:
    stream = core.flows.streams.get(binding.path.flow)
    if stream is not None:
        stream.bindings.pop(binding.id, None)


def _listed(core: Core, owner: str, now_ms: int) -> Headers:
    """All current contacts with the seconds that are left (§10.3 step 8)."""
    listed = []
    for binding in core.bindings.get(owner, ()):
        left_s = max(-(-(binding.expires_at_ms - now_ms) // 1_000), 0)
        q = f";q={binding.q}" if binding.q.replace(".", "", 1).isdigit() else ""
        listed.append(("contact", f"<{binding.contact}>{q};expires={left_s}"))
    return tuple(listed)


def find_binding(core: Core, number: int) -> tuple[str, str, Binding] | None:
    """(realm, user, binding) of a binding id."""
    owner = core.binding_owners.get(number)
    if owner is None:
        return None
    realm, _, user = owner.partition("/")
    for binding in core.bindings.get(owner, ()):
        if binding.id == number:
            return realm, user, binding
    return None


def on_bind_timer(core: Core, number: int, now_ms: int) -> None:
    """A binding has run out."""
    found = find_binding(core, number)
    if found is not None:
        _remove(core, *found, "expired")
