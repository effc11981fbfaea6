"""Dialogs: identity, route set, target, sequence numbers, and the next hop of a request (RFC 3261 §12).

The route of in-dialog requests, in this order:
1. A route set: its first entry is the hop (loose routing; a first entry without `lr` is served as §12.2.1.1 says).
2. Otherwise the Contact (remote target).
3. When the hop is where the far end was last seen (`path`), or can't be reached from here (a name, or a private address
   outside our local networks: a phone behind NAT), the request goes to `path` itself: the source of its latest
   message. The same when the INVITE came in one hop (a single Via): then whoever sent it is the far end, and its source
   address is the best one known. Only an asymmetric UDP phone (no rport, Contact on its source host) gets its
   Contact's port.
4. A hop of another transport is honoured; without a transport parameter the dialog's own transport stays. A stream
   that is gone is opened again to the hop's own address, since the far end's old source port leads nowhere; a phone
   whose Contact names just that port (baresip) is called where our INVITE found it, its registered contact.
"""

from __future__ import annotations

import msgspec

from engine.errors import ProtocolError
from engine.sip.events import Path
from engine.sip.flows import Flows
from engine.sip.headers import NameAddr, parse_name_addr
from engine.sip.message import Message

PORT_DEFAULT = 5060
TLS_PORT_DEFAULT = 5061
TRANSPORTS = ("udp", "tcp", "tls")


class Dialog(msgspec.Struct, array_like=True):
    """One dialog. `local` and `remote` are whole From/To values with their tags, as they stand in our requests."""

    call_id: str
    local_tag: str
    remote_tag: str
    local: str
    remote: str
    target: str
    routes: list[str]
    local_cseq: int
    remote_cseq: int
    path: Path
    one_hop: bool = False
    symmetric: bool = True
    origin: str = ""  # where our INVITE went: a registered contact


def as_server(request: Message, local_tag: str, path: Path) -> Dialog:
    """The dialog that our answer to this INVITE makes (§12.1.1). Raises ProtocolError for a bad Contact or route."""
    to = request.index["to"]
    return Dialog(
        request.call_id,
        local_tag,
        request.from_.tag,
        f"{to};tag={local_tag}",
        request.index["from"],
        target_of(request),
        route_values(request),
        0,
        request.cseq[0],
        path,
        one_hop=_single_via(request),
        symmetric=path.transport != "udp" or "rport" in request.via.params,
    )


def confirm_as_client(dialog: Dialog, response: Message, path: Path) -> None:
    """Fill in what a response with a To tag tells (§12.1.2): tag, target, reversed route set, path."""
    dialog.remote_tag = response.to.tag
    dialog.remote = response.index["to"]
    dialog.routes = route_values(response)[::-1]
    dialog.target = target_of(response)
    dialog.path = path


def fork_of(dialog: Dialog, response: Message, path: Path) -> Dialog:
    """A second dialog from another branch of a forked INVITE (§13.2.2.4)."""
    fork = msgspec.structs.replace(dialog)
    confirm_as_client(fork, response, path)
    return fork


def target_of(message: Message) -> str:
    """The Contact URI of a message that makes or refreshes a dialog (§8.1.1.8: exactly one). Raises ProtocolError."""
    contacts = message.contacts
    if len(contacts) != 1 or not usable(contacts[0]):
        raise ProtocolError("one Contact with a SIP URI is needed", section="RFC 3261 §8.1.1.8")
    return without_headers(contacts[0].uri)


def without_headers(uri: str) -> str:
    """The URI as it may stand in a Request-URI: without its `?headers` (§19.1.1, table 1)."""
    user, at, rest = uri.rpartition("@")
    return user + at + rest.partition("?")[0]


def usable(contact: NameAddr) -> bool:
    """True when requests can be sent to this Contact."""
    parts = contact.parts
    return parts is not None and parts.scheme in ("sip", "sips") and bool(parts.host)


def route_values(message: Message) -> list[str]:
    """Record-Route values in the message's order; checked, because a Route must be usable later."""
    if "record-route" not in message.index:
        return []
    if any(not usable(route) for route in message.record_routes):
        raise ProtocolError("bad Record-Route", section="RFC 3261 §20.30")
    return message.all("record-route")


def refresh_target(dialog: Dialog, message: Message) -> None:
    """A target refresh request or its 2xx (re-INVITE): take the new Contact when it makes sense (§12.2)."""
    try:
        dialog.target = target_of(message)
    except ProtocolError:
        return  # keep the old one: a rude phone leaves Contact out of its re-INVITE's 200


def request_line(dialog: Dialog) -> tuple[str, list[str]]:
    """(Request-URI, Route values) for a request in this dialog (§12.2.1.1)."""
    if not dialog.routes:
        return dialog.target, []
    first = parse_name_addr(dialog.routes[0])
    if first.parts is not None and "lr" not in first.parts.params:
        return first.uri.partition("?")[0], [*dialog.routes[1:], f"<{dialog.target}>"]
    return dialog.target, dialog.routes


def next_hop(dialog: Dialog, flows: Flows) -> Path | None:
    """Where a request in this dialog leaves (the rule at the head of this module); None when nothing leads there."""
    path = dialog.path
    hop = parse_name_addr(dialog.routes[0]) if dialog.routes else NameAddr("", dialog.target)
    parts = hop.parts
    if parts is None:
        return path
    gone = path.transport != "udp" and path.flow not in flows.streams
    if not gone and not dialog.routes and "ob" in parts.params:  # RFC 5626 §4.3: by the flow that it has made
        return path
    if gone and dialog.origin and (parts.host, parts.port) == (path.host, path.port):
        parts = NameAddr("", dialog.origin).parts or parts
    transport = parts.params.get("transport", path.transport).lower()
    if parts.scheme == "sips" or path.transport == "tls":  # what is said in private stays so (RFC 5630 §3.1.3)
        transport = "tls"
    if transport not in TRANSPORTS or (transport != path.transport and flows.first_listener(transport) is None):
        transport = path.transport
    port = parts.port or (TLS_PORT_DEFAULT if transport == "tls" else PORT_DEFAULT)
    anew = gone and (parts.host == path.host or flows.reachable(parts.host, path))
    if transport == path.transport and not anew:
        if parts.host == path.host:
            return path if dialog.symmetric or dialog.routes else Path(path.flow, path.host, port, transport)
        if not flows.reachable(parts.host, path) or (dialog.one_hop and not dialog.routes):
            return path
        if transport == "udp":
            return Path(path.flow, parts.host, port, transport)
    elif not flows.reachable(parts.host, path) and parts.host != path.host:
        return path
    found = other_transport(flows, transport, parts.host, port, path.name)
    return found if found is not None or transport != "tls" or gone else path


def other_transport(flows: Flows, transport: str, host: str, port: int, name: str = "") -> Path | None:
    """A path by `transport` to a literal address: a stream (reused or opened) or our first UDP socket. `name`: see
    `Path`."""
    if transport != "udp":
        return flows.stream_to(transport, host, port, name)
    listener = flows.first_listener("udp")
    return Path(listener.flow, host, port, "udp") if listener is not None else None


def _single_via(request: Message) -> bool:
    return [name for name, _ in request.headers].count("via") == 1 and "," not in request.index["via"]
