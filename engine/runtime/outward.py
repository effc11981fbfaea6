"""What the Switch sends out: messages, connections opened and closed. Names are resolved here, off the call path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.call.effects import LoadClip, RemoveFile, ResolveWanted, UsePrompt
from engine.call.listening import ListenEnded, ListenWanted
from engine.sip.events import CloseFlow, Connect, Path, Send

if TYPE_CHECKING:
    from engine.runtime.server import Server


class Outward:
    """The wire's side of a server."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def send(self, send: Send) -> None:
        """One message onto the wire; a name is looked up first."""
        path = send.path
        self.server.tally.message(self.server.tally.sent, send.data)
        number = self.server.ladder.note(self.server.carried_ms, "out", path, send.data)
        if self.server.admin.sip_readers:
            self.server.feed.message(number, "out", path, send.data)
        if path.transport != "udp":
            if not self.server.flows.send(path.flow, self.server.keys.unseal(send.data)):
                self.server.counts["unsent"] += 1
            return
        address = self.server.resolver.numeric(path.host)
        if address is not None:
            sock = self.server.udp.get(path.flow)
            if sock is not None:
                sock.send(self.server.keys.unseal(send.data), address, path.port)
            else:
                self.server.counts["unsent"] += 1
            return
        self.server.resolver.ask(path.host, lambda found: self.resolved(path, send.data, found))

    def resolved(self, path: Path, data: bytes, address: str | None) -> None:
        """The look-up is over: `address` None when there is none."""
        sock = self.server.udp.get(path.flow)
        if address is None or sock is None:
            self.server.counts["unresolved"] += 1
            self.server.log.warning(f"can't find an address for {path.host!r}", "unresolved")
        else:
            sock.send(self.server.keys.unseal(data), address, path.port)

    def connect(self, connect: Connect) -> None:
        """Open a connection; what becomes of it is told by `flow_opened` or `flow_closed`."""
        address = self.server.resolver.numeric(connect.host)
        if address is not None:
            self.server.flows.connect(connect.flow, address, connect.port, connect.transport, connect.name)
            return

        def found(address: str | None) -> None:
            if address is None:
                self.server.loop.call_soon(self.server.flow_closed, connect.flow, f"no address for {connect.host!r}")
            else:
                self.server.flows.connect(connect.flow, address, connect.port, connect.transport, connect.name)

        self.server.resolver.ask(connect.host, found)

    def close_flow(self, close: CloseFlow) -> None:
        """Close a connection."""
        self.server.flows.close_flow(close.flow, close.reason)


def carriers(server: Server) -> dict[type, Callable[[Any], None]]:
    """Who of a server's parts carries out which output of the Switch."""
    outward = Outward(server)
    return {
        Send: outward.send, Connect: outward.connect, CloseFlow: outward.close_flow,
        RemoveFile: server.files.remove, LoadClip: server.files.load, UsePrompt: server.prompts.use,
        ListenWanted: server.recognizers.listen, ListenEnded: server.recognizers.end,
        ResolveWanted: server.naming.wanted, **server.guard.carry,
    }  # fmt: skip
