"""Flows as data: listening addresses, stream connections, what we advertise, and where a message leaves.

A flow id names a listening UDP socket or one stream connection. Ids of connections that we ask for come from
`FLOW_FIRST` up; those that the runtime accepts are 1,000,000 and above, listeners are below `FLOW_FIRST`.
Addresses are literals: this room never resolves a name.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network

import msgspec

from engine import limits
from engine.sip.events import CloseFlow, Connect, Path, Send
from engine.sip.uri import format_host

FLOW_FIRST = 1_000
FLOW_ACCEPTED_FIRST = 1_000_000
WAITING_MESSAGES_MAX = 64
_CACHE_MAX = 4_096

# Blocks that a far end on the public Internet can't mean: RFC 6890, and multicast or broadcast.
_PRIVATE_V4 = tuple(
    (int(network.network_address), int(network.netmask))
    for network in map(
        ip_network,
        ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
         "192.168.0.0/16", "224.0.0.0/3"),
    )
)


Networks = tuple[tuple[int, int, int], ...]


class Listener(msgspec.Struct, array_like=True):
    """One listening address. `networks` are the local networks as (version, base, mask) integers."""

    flow: int
    transport: str
    host: str
    port: int
    advertise_host: str
    advertise_port: int
    networks: Networks


class Stream(msgspec.Struct, array_like=True):
    """One stream connection. `waiting` holds what is sent before it is open.

    `transactions` and `bindings` (ids) stand on it and are told when it closes.
    """

    flow: int
    transport: str
    host: str
    port: int
    open: bool
    waiting: list[bytes] = []
    transactions: dict[int, bool] = {}
    bindings: dict[int, bool] = {}
    name: str = ""  # tls: what its certificate was, or will be, checked for
    listener: int = 0  # by which address of ours the far end reaches us; 0: not known


class Flows(msgspec.Struct):
    """All flows of one endpoint, and what leaves through them."""

    listeners: list[Listener] = []
    streams: dict[int, Stream] = {}
    latest: dict[tuple[str, int], int] = {}  # far (host, port) -> stream flow id
    next_flow: int = FLOW_FIRST
    sends: list[Send | Connect | CloseFlow] = []

    # --- wiring ---------------------------------------------------------------------------------------
    def listen(self, listener: Listener) -> None:
        """Add or replace the listener with this flow id."""
        self.listeners = [old for old in self.listeners if old.flow != listener.flow]
        self.listeners.append(listener)

    def opened(self, path: Path, host: str = "", port: int = 0) -> None:
        """A connection is up: flush what waited for it; the oldest accepted one gives way beyond `flows_max`. `host`,
        `port`: our own end of it."""
        stream = self.streams.get(path.flow)
        if stream is None:
            if len(self.streams) >= limits.flows_max:
                self.sends.append(CloseFlow(path.flow, "limit flows_max"))
                return
            stream = self.streams[path.flow] = Stream(
                path.flow, path.transport, path.host, path.port, True, name=path.name
            )  # fmt: skip
        stream.open = True
        stream.listener = self._listener_at(path.transport, host, port)
        self.latest[(path.host, path.port)] = path.flow
        where = _path(stream)
        self.sends.extend([Send(where, data) for data in stream.waiting])
        stream.waiting = []

    def closed(self, flow: int) -> Stream | None:
        """A connection is gone (or never came up); returns what we knew of it."""
        stream = self.streams.pop(flow, None)
        if stream is not None and self.latest.get((stream.host, stream.port)) == flow:
            del self.latest[(stream.host, stream.port)]
        return stream

    # --- leaving --------------------------------------------------------------------------------------
    def send(self, path: Path, data: bytes) -> Path | None:
        """Send `data`; returns the path really used, None when there is none.

        A stream that is gone is replaced by another one to the same far end, else by a new connection
        (RFC 3261 §18.1.1, §18.2.2).
        """
        if path.transport == "udp":
            self.sends.append(Send(path, data))
            return path
        stream = self.streams.get(path.flow)
        if stream is None:
            found = self.stream_to(path.transport, path.host, path.port, path.name)
            if found is None:
                return None
            path = found
            stream = self.streams[path.flow]
        if stream.open:
            self.sends.append(Send(path, data))
        elif len(stream.waiting) >= WAITING_MESSAGES_MAX:
            return None
        else:
            stream.waiting.append(data)
        return path

    def stream_to(self, transport: str, host: str, port: int, name: str = "") -> Path | None:
        """The path of a live stream to this address, or of one that is being opened now. None: refused by a limit.

        A TLS connection serves only the `name` that it was checked for (RFC 5923 §5), and without a name none is
        opened: a phone is reached by the connection that it made.
        """
        flow = self.latest.get((host, port))
        if flow is not None:
            stream = self.streams[flow]
            if stream.transport == transport and stream.name == name:
                return _path(stream)
        if transport == "tls" and not name:
            return None
        if len(self.streams) >= limits.flows_max or not is_literal(host) or not 0 < port < 65_536:
            return None
        flow = self._fresh_flow()
        stream = self.streams[flow] = Stream(flow, transport, host, port, False, name=name)
        self.latest[(host, port)] = flow
        self.sends.append(Connect(flow, transport, host, port, name))
        return _path(stream)

    def known_stream(self, host: str, port: int) -> Path | None:
        """The path of an open stream to this address, for a message too long for UDP (§18.1.1)."""
        flow = self.latest.get((host, port))
        if flow is None or not self.streams[flow].open:
            return None
        return _path(self.streams[flow])

    def _fresh_flow(self) -> int:
        while self.next_flow in self.streams:
            self.next_flow += 1
        flow = self.next_flow
        self.next_flow = flow + 1 if flow + 1 < FLOW_ACCEPTED_FIRST else FLOW_FIRST
        return flow

    # --- addresses ------------------------------------------------------------------------------------
    def _listener_at(self, transport: str, host: str, port: int) -> int:
        """The flow id of the listener at our end of a stream; of one that we opened, at the same address; else 0.

        A site with an address for its phones and another one for the Internet must tell each far end the right one.
        """
        same = [each for each in self.listeners if each.transport == transport and each.host == host]
        exact = (each.flow for each in same if each.port == port)
        return next(exact, same[0].flow if same else 0)

    def listener_for(self, path: Path) -> Listener | None:
        """The listener whose address stands in our Via and Contact towards `path`."""
        stream = self.streams.get(path.flow)
        flow = path.flow if stream is None else stream.listener
        for listener in self.listeners:
            if listener.flow == flow:
                return listener
        return self.first_listener(path.transport, path.host) or (self.listeners[0] if self.listeners else None)

    def first_listener(self, transport: str, host: str = "") -> Listener | None:
        """The first listener of this transport; for a literal `host`, one of its family where there is one."""
        same = [listener for listener in self.listeners if listener.transport == transport]
        alike = [listener for listener in same if not host or (":" in listener.host) == (":" in host)]
        return next(iter(alike or same), None)

    def way_out(self, path: Path) -> Path | None:
        """The path really taken: flow 0, or a stream that is gone, means any flow of ours of that transport."""
        if path.flow == 0 or (path.transport != "udp" and path.flow not in self.streams):
            if path.transport != "udp":
                return self.stream_to(path.transport, path.host, path.port, path.name)
            listener = self.first_listener("udp", path.host)
            return Path(listener.flow, path.host, path.port, "udp") if listener else None
        return path

    def own_address(self, path: Path) -> tuple[str, int]:
        """(host, port) that the far end at `path` can reach us by: ours inside local networks, else the advertised."""
        listener = self.listener_for(path)
        if listener is None:
            return "127.0.0.1", 5060
        if not listener.host or listener.host in ("0.0.0.0", "::"):
            return listener.advertise_host, listener.advertise_port
        if _inside(path.host, listener.networks):
            return listener.host, listener.port
        return listener.advertise_host, listener.advertise_port

    def is_own(self, host: str, port: int) -> bool:
        """True when host:port is one of our addresses (a rude phone's BYE carries our own Via)."""
        for listener in self.listeners:
            if port == listener.port and host == listener.host:
                return True
            if port == listener.advertise_port and host == listener.advertise_host:
                return True
        return False

    def reachable(self, host: str, path: Path) -> bool:
        """Can a message for the literal `host` leave by the listener of `path`? Names: no, nobody resolves them here.

        Public addresses: yes. Private ones: only inside that listener's local networks.
        """
        number = address_number(host)
        if number is None:
            return False
        listener = self.listener_for(path)
        return not is_private(host) or (listener is not None and _inside(host, listener.networks))


def _path(stream: Stream) -> Path:
    return Path(stream.flow, stream.host, stream.port, stream.transport, stream.name)


_numbers: dict[str, tuple[int, int] | None] = {}  # a cache of a pure function, no state


def address_number(host: str) -> tuple[int, int] | None:
    """(version, address as an integer) of a literal, None for a name."""
    if host in _numbers:
        return _numbers[host]
    try:
        address = ip_address(host)
        result: tuple[int, int] | None = (address.version, int(address))
    except ValueError:
        result = None
    if len(_numbers) >= _CACHE_MAX:
        _numbers.clear()
    _numbers[host] = result
    return result


def is_literal(host: str) -> bool:
    """True for an IPv4 or IPv6 literal without brackets."""
    return address_number(host) is not None


def is_private(host: str) -> bool:
    """True for a literal that only means something locally."""
    number = address_number(host)
    if number is None:
        return False
    version, value = number
    if version == 6:
        return value <= 1 or value >> 121 == 0x7E or value >> 118 == 0x3FA or value >> 120 == 0xFF
    return any(value & mask == base for base, mask in _PRIVATE_V4)


def networks_of(texts: tuple[str, ...]) -> Networks:
    """`192.168.0.0/16` … as integers. Raises ValueError for a text that is no network."""
    networks = [ip_network(text, strict=False) for text in texts]
    return tuple([(net.version, int(net.network_address), int(net.netmask)) for net in networks])


@lru_cache(maxsize=_CACHE_MAX)  # asked several times per call, and far ends are few
def _inside(host: str, networks: Networks) -> bool:
    number = address_number(host)
    if number is None:
        return False
    version, value = number
    return any(version == kind and value & mask == base for kind, base, mask in networks)


def sent_by(host: str, port: int) -> str:
    """host:port as it stands in Via and Contact."""
    return format_host(host, port)
