"""What cannot be sent is counted and costs nothing else."""

from __future__ import annotations

from pathlib import Path as FilePath

from engine.call import effects
from engine.runtime.server import Server
from engine.sip.events import Path, Send
from tests.runtime.fakes import FakeSwitch, until
from tests.runtime.test_server import play, ready_site

__all__ = ["ready_site"]  # the fixture holds here too


def test_hostile_and_unknown_addresses(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        switch.extra = [
            Send(Path(1, "127.0.0.1", 0), b"x"), Send(Path(99, "127.0.0.1", 9), b"x"),
            Send(Path(5_000, "1.2.3.4", 5060, "tcp"), b"x"), Send(Path(1, "no such name.invalid", 5060), b"x"),
        ]
        server.deliver(effects.Deadline())
        assert server.counts["unsent"] == 2
        await until(lambda: server.counts["unresolved"] == 1)
        assert server.udp[1].failures

    play(tmp_path, scene)
