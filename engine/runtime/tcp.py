"""SIP over TCP and TLS: accept and connect, cut the stream with the pure `sip.stream.Framer`, bound everything.

Flow ids of accepted connections begin at 1,000,000 (those of `Connect` are chosen by the endpoint). A connection that
never finishes a message, idles, floods or doesn't read what we write is closed alone; the others never notice.

The handshakes of TLS are `tls_accept`'s (theirs) and `_connect`'s (ours); above them a flow is a flow.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol, cast

from engine import limits
from engine.errors import ProtocolError, SiteError
from engine.runtime import tls_words
from engine.runtime.handover import Stream, half_read, keep
from engine.runtime.net import SIGNALLING_TOS, mark
from engine.runtime.tls import Certificates
from engine.runtime.tls_accept import Handshakes, handshake_s_max, shutdown_s_max
from engine.sip import far_name
from engine.sip.events import Path
from engine.sip.stream import ASK, PONG, Framer, Ping, Pong

accepted_flow_first = 1_000_000
connect_s_max = 8.0
write_buffer_bytes_max = 1_000_000
sweep_s = 1.0
flows_per_host_max = 512
ping_s = 25.0  # on connections of ours: as often as any Flow-Timer wants (RFC 5626 §4.4.1), and as NATs need
pong_s = 10.0


class Owner(Protocol):
    """Who hears of flows: the server."""

    def flow_opened(self, path: Path) -> None: ...
    def flow_received(self, path: Path, data: bytes) -> None: ...
    def flow_closed(self, flow: int, reason: str) -> None: ...
    def flow_refused(self, kind: str, path: Path, detail: str) -> None: ...


class Flow(asyncio.Protocol):
    """One connection, with TLS below it or not. `path.flow` is its id, for life."""

    def __init__(self, flows: Flows, flow: int, transport: str = "tcp", name: str = "") -> None:
        self.flows = flows
        self.path = Path(flow, "", 0, transport, name)
        self.framer = Framer()
        self.transport: asyncio.Transport | None = None
        self.heard_at = 0.0
        self.unfinished_since = 0.0  # 0: no message is half here
        self.reason = ""
        self.known = False  # the owner has asked for it, or had it before: it hears the end of one that is not let in
        self.ping_at = self.pinged_at = 0.0  # when the next one is due; when the one that is out was sent
        self.pongs = False  # it has answered one: from then on silence means that the flow has failed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        self.path = Path(self.path.flow, host, port, self.path.transport, self.path.name)
        self.heard_at = self.flows.loop.time()
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            mark(sock, SIGNALLING_TOS)
        if self.path.name:
            certificate = transport.get_extra_info("peercert") or {}
            if not far_name.certified(certificate, self.path.name):
                self.refuse(tls_words.wrong_name(self.path.name, *far_name.names(certificate)))
                return
        self.flows.opened(self)

    def refuse(self, reason: str) -> None:
        """Not whom we meant: nothing is said to it, and the owner hears why nothing came of the connection."""
        self.reason = reason
        if self.transport is not None:
            self.transport.abort()
        self.flows.owner.flow_refused("tls", self.path, reason)
        self.flows.loop.call_soon(self.flows.owner.flow_closed, self.path.flow, reason)

    def data_received(self, data: bytes) -> None:
        if self.over():
            return
        now = self.flows.loop.time()
        self.heard_at = now
        try:
            messages = self.framer.feed(data)
        except ProtocolError as error:
            self.flows.owner.flow_refused("stream", self.path, error.detail)
            self.close(f"broken framing: {error.detail}")
            return
        if self.framer.idle:
            self.unfinished_since = 0.0
        elif messages or not self.unfinished_since:
            self.unfinished_since = now
        for message in messages:
            if isinstance(message, Ping):
                self.write(PONG)  # RFC 5626 §3.5.1
            elif isinstance(message, Pong):
                self.pongs, self.pinged_at = True, 0.0
            else:
                self.flows.owner.flow_received(self.path, message)
            if self.over():
                return
        if self.framer.broken:  # whole messages came before the damage
            self.flows.owner.flow_refused("stream", self.path, self.framer.broken)
            self.close(f"broken framing: {self.framer.broken}")

    def keep_alive(self, now: float) -> None:
        """Ask whether the far end of a connection of ours is still there. Who has never answered is only kept awake."""
        if self.pinged_at and self.pongs:
            if now - self.pinged_at > pong_s:
                self.close("no answer to a keep-alive: the flow has failed")
        elif now >= self.ping_at:
            if self.ping_at:
                self.framer.asked, self.pinged_at = 1, now
                self.write(ASK)
            self.ping_at = now + ping_s * (0.8 + 0.2 * (self.path.flow % 7) / 7)  # a hundred trunks, not at once

    def local(self) -> tuple[str, int]:
        """Our own end."""
        name = self.transport.get_extra_info("sockname") if self.transport is not None else None
        host, port = (name or ("", 0))[:2]  # IPv6 has flow label and scope behind them
        return host, port

    def over(self) -> bool:
        """True once a close was decided; bytes that still come are thrown away."""
        return bool(self.reason)

    def write(self, data: bytes) -> None:
        """Send, or close the connection when the far end has stopped reading."""
        transport = self.transport
        if transport is None or self.reason:
            return
        if transport.get_write_buffer_size() > write_buffer_bytes_max:
            self.close("far end doesn't read")
            return
        transport.write(data)

    def close(self, reason: str) -> None:
        """Close now (what was written before is still flushed unless the far end doesn't read)."""
        if self.reason:
            return
        self.reason = reason
        if self.transport is not None:
            if "read" in reason or "framing" in reason:
                self.transport.abort()
            else:
                self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.flows.lost(self, self.reason or (str(error) if error else "closed by the far end"))


class Flows:
    """All stream connections of one engine, by flow id; listening sockets too."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, owner: Owner, certificates: Certificates,
        lets_in: Callable[[Path, tuple[str, int]], bool] = lambda path, local: True,
    ) -> None:
        """`lets_in(path, our end)`: may such a connection stand? It is asked before anything is done about it."""
        self.loop = loop
        self._lets_in = lets_in
        self.owner = owner
        self.certificates = certificates
        self.flows: dict[int, Flow] = {}
        self.refused = 0
        self._per_host: dict[str, int] = {}
        self._next = accepted_flow_first
        self._servers: list[asyncio.Server] = []
        self.handshakes = Handshakes(
            loop, self._shaken, self._unshaken, lambda far, own: lets_in(Path(0, far[0], far[1], "tls"), own)
        )
        self._connecting: dict[int, asyncio.Task[None]] = {}
        self._sweeper = loop.call_later(sweep_s, self._sweep)

    async def listen(self, sock: socket.socket, transport: str = "tcp") -> None:
        """Accept on a bound socket."""
        if transport == "tls":
            self.handshakes.listen(sock, lambda: self.certificates.server, self._room)
            return
        self._servers.append(await self.loop.create_server(self._accepted, sock=sock, backlog=1024))

    def _accepted(self) -> Flow:
        self._next += 1
        return Flow(self, self._next)

    def _room(self, host: str, more: int) -> bool:
        """May this host have one more connection, when `more` of all and of its own are about to be?"""
        return len(self.flows) + more < limits.flows_max and self._per_host.get(host, 0) < flows_per_host_max

    def _shaken(self) -> Flow:
        self._next += 1
        return Flow(self, self._next, "tls")

    def _unshaken(self, host: str, port: int, reason: str, kind: str = "tls") -> None:
        """A handshake of theirs came to nothing."""
        self.owner.flow_refused(kind, Path(0, host, port, "tls"), reason)

    async def adopt(self, number: int, sock: socket.socket, rest: bytes) -> None:
        """Go on with a connection that another program handed over; `rest` had been read of its next message."""
        self._next = max(self._next, number)
        flow = Flow(self, number)
        flow.known = True
        await self.loop.create_connection(lambda: flow, sock=sock)
        if rest:
            flow.data_received(rest)

    def opened(self, flow: Flow) -> None:
        """A connection stands: ask the lists, count it against the limits, then tell the owner."""
        host = flow.path.host
        accepted = flow.path.flow > accepted_flow_first
        if not self._lets_in(flow.path, flow.local()):
            self._turn_away(flow, "denied by the gate")
            return
        if accepted and (
            len(self.flows) >= limits.flows_max or self._per_host.get(host, 0) >= flows_per_host_max
        ):
            self.refused += 1
            self.owner.flow_refused("limit", flow.path, "too many connections")
            self._turn_away(flow, "too many connections")
            return
        self.flows[flow.path.flow] = flow
        self._per_host[host] = self._per_host.get(host, 0) + 1
        self.owner.flow_opened(flow.path)

    def _turn_away(self, flow: Flow, reason: str) -> None:
        flow.close(reason)
        if flow.known:
            self.loop.call_soon(self.owner.flow_closed, flow.path.flow, reason)

    def local(self, flow: int) -> tuple[str, int]:
        """Our own end of a connection; ("", 0) when it is gone."""
        found = self.flows.get(flow)
        return found.local() if found is not None else ("", 0)

    def lost(self, flow: Flow, reason: str) -> None:
        """A connection is gone."""
        if self.flows.pop(flow.path.flow, None) is None:
            return
        left = self._per_host.get(flow.path.host, 1) - 1
        if left:
            self._per_host[flow.path.host] = left
        else:
            self._per_host.pop(flow.path.host, None)
        self.owner.flow_closed(flow.path.flow, reason)

    def send(self, flow: int, data: bytes) -> bool:
        """Write to a flow; False when it doesn't exist (any more)."""
        found = self.flows.get(flow)
        if found is None:
            return False
        found.write(data)
        return True

    def connect(self, flow: int, host: str, port: int, transport: str = "tcp", name: str = "") -> None:
        """Open a connection under the id `flow`; the owner hears flow_opened or flow_closed.

        With transport tls the far end must show a certificate for `name`.
        """
        if len(self.flows) + len(self._connecting) >= limits.flows_max:
            self.loop.call_soon(self.owner.flow_closed, flow, "too many connections")
            return
        wanted = Flow(self, flow, transport, name)
        wanted.known = True
        self._connecting[flow] = self.loop.create_task(self._connect(wanted, host, port))

    async def _connect(self, flow: Flow, host: str, port: int) -> None:
        number = flow.path.flow
        try:
            secured: dict[str, Any] = {}
            if flow.path.transport == "tls":
                secured = {
                    "ssl": self.certificates.client(), "server_hostname": flow.path.name,
                    "ssl_handshake_timeout": handshake_s_max, "ssl_shutdown_timeout": shutdown_s_max,
                }  # fmt: skip
            await asyncio.wait_for(self.loop.create_connection(lambda: flow, host, port, **secured), connect_s_max)
        except (OSError, OverflowError, ValueError, TimeoutError, SiteError) as error:
            reason = tls_words.reason(error) if flow.path.name else str(error) or type(error).__name__
            if flow.path.name:
                self.owner.flow_refused("tls", Path(number, host, port, "tls", flow.path.name), reason)
            self.owner.flow_closed(number, reason)
        finally:
            self._connecting.pop(number, None)

    def close_flow(self, flow: int, reason: str) -> None:
        """The switch wants this flow closed; unknown ones are fine."""
        found = self.flows.get(flow)
        if found is not None:
            found.close(reason)

    def _sweep(self) -> None:
        self._sweeper = self.loop.call_later(sweep_s, self._sweep)  # first: whatever fails below is tried again
        now = self.loop.time()
        unfinished_s = limits.stream_message_ms_max / 1000
        for flow in list(self.flows.values()):
            if flow.unfinished_since and now - flow.unfinished_since > unfinished_s:
                self.owner.flow_refused("stream", flow.path, "message never finished")
                flow.close("message never finished")
            elif now - flow.heard_at > limits.flow_idle_ms_max / 1000:
                flow.close("idle")
            elif flow.path.flow < accepted_flow_first and not flow.over():
                flow.keep_alive(now)
        self.certificates.look()

    def hand_over(self) -> list[Stream]:
        """Descriptors of every connection, to outlive this program; nothing more is read from them here.

        The keys of a TLS connection can't be handed over: it is closed, and whoever made it makes another one.
        """
        streams = []
        for number, flow in self.flows.items():
            sock = flow.transport.get_extra_info("socket") if flow.transport is not None else None
            if flow.transport is None or sock is None or flow.over() or flow.path.transport == "tls":
                continue
            flow.transport.pause_reading()
            streams.append(Stream(number, keep(sock), half_read(bytes(flow.framer.buffer))))
        return streams

    async def close(self) -> None:
        """Stop listening and close every connection."""
        self._sweeper.cancel()
        self.handshakes.close()
        await self.certificates.close()
        for server in self._servers:
            server.close()
        for task in list(self._connecting.values()):
            task.cancel()
        for flow in list(self.flows.values()):
            flow.close("engine stops")
        await asyncio.sleep(0)
