"""OPTIONS outside dialogs: are registered contacts and trunks there, and how far away (RFC 3261 §11)?"""

from __future__ import annotations

from engine import limits
from engine.errors import LocalError, ProtocolError
from engine.sip.binding import Binding, Probe
from engine.sip.core import ACCEPT, Core
from engine.sip.events import Path, Qualified
from engine.sip.flows import sent_by
from engine.sip.message import Message
from engine.sip.registrar import find_binding
from engine.sip.requests import contact_value, write
from engine.sip.transaction import Kind, State
from engine.sip.transaction_layer import discard, start_client
from engine.sip.uri import parse_uri


def send(
    core: Core, token: str, target: str, path: Path, now_ms: int, binding: int = 0,
    answer_ms: int = limits.qualify_answer_ms_max,
) -> None:
    """Ask `target` by OPTIONS; Qualified(token) follows within `answer_ms`."""
    number = core.fresh_id()
    probe = Probe(number, token, now_ms, binding=binding)
    if path.flow == 0 and path.transport == "udp":
        path = core.flows.way_out(path) or path
    own = sent_by(*core.flows.own_address(path))
    headers = [
        ("max-forwards", "70"), ("from", f"<sip:{own}>;tag={core.tokens.hex(12)}"), ("to", f"<{target}>"),
        ("call-id", core.tokens.hex(24)), ("cseq", "1 OPTIONS"), ("contact", contact_value(core, path, "")),
        ("accept", ACCEPT), ("user-agent", core.user_agent),
    ]
    try:
        parse_uri(target)
        data, branch, path = write(core, "OPTIONS", target, path, headers)
    except (LocalError, ProtocolError) as error:
        core.refuse("header", path, f"can't be qualified: {error}")
        return _verdict(core, probe, False, -1)
    tx = start_client(core, Kind.NON_INVITE_CLIENT, "OPTIONS", branch, data, path, "qualify", number, now_ms)
    if tx.state == State.TERMINATED:
        return _verdict(core, probe, False, -1)
    probe.transaction = tx.id
    core.probes[number] = probe
    core.deadlines.arm(("probe", number), now_ms + answer_ms)
    return None


def on_result(core: Core, number: int, response: Message | None, now_ms: int) -> None:
    """Any final response means: there. None: no answer, or the transport broke. `status` tells who asked what it was: a
    trunk that says 503 is there, and takes no calls."""
    if response is not None and response.status < 200:
        return
    probe = core.probes.pop(number, None)
    if probe is None:
        return
    core.deadlines.cancel(("probe", number))
    status = response.status if response is not None else 0
    _verdict(core, probe, response is not None, now_ms - probe.sent_ms if response is not None else -1, status)


def on_probe_timer(core: Core, number: int, now_ms: int) -> None:
    """No answer in its time: not reachable. The transaction needs no more repeats."""
    probe = core.probes.get(number)
    if probe is None:
        return
    tx = core.transactions.get(probe.transaction)
    if tx is not None:
        discard(core, tx)
    on_result(core, number, None, now_ms)


def _verdict(core: Core, probe: Probe, reachable: bool, round_trip_ms: int, status: int = 0) -> None:
    found = find_binding(core, probe.binding) if probe.binding else None
    if found is not None:
        binding = found[2]
        if not reachable and not binding.answers and binding.path.transport == "udp":
            return  # a phone that knows no OPTIONS (pyVoIP is one) is believed as long as it is registered
        binding.answers = binding.answers or reachable
        binding.reachable, binding.round_trip_ms = reachable, round_trip_ms
    if found is not None or not probe.binding:
        core.events.append(Qualified(probe.token, reachable, round_trip_ms, 0 if probe.binding else status))


def on_qualify_timer(core: Core, number: int, now_ms: int) -> None:
    """It is time to qualify this registered contact; a tenth of jitter keeps a thousand phones apart."""
    found = find_binding(core, number)
    if found is None:
        return
    realm, user, binding = found
    core.deadlines.arm(("qualify", number), now_ms + limits.qualify_ms + core.tokens.number(limits.qualify_ms // 10))
    send(core, token_of(realm, user, binding), binding.contact, binding.path, now_ms, number)


def lose_flow(core: Core, number: int) -> None:
    """The stream under a binding has closed: not reachable until the phone registers again."""
    found = find_binding(core, number)
    if found is None:
        return
    realm, user, binding = found
    binding.reachable, binding.round_trip_ms = False, -1
    core.events.append(Qualified(token_of(realm, user, binding), False, -1))


def flow_failed(core: Core, path: Path) -> None:
    """A proxy that keeps a phone's flow for us says that it is gone (430, RFC 5626 §5.3.1)."""
    for bindings in list(core.bindings.values()):
        for binding in [each for each in bindings if each.reg_id and each.path == path]:
            lose_flow(core, binding.id)


def token_of(realm: str, user: str, binding: Binding) -> str:
    """The token of Qualified events for registered contacts."""
    return f"{realm}/{user}/{binding.contact}"
