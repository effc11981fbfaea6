"""sd_notify(3): what is sent, to whom, and when not."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from pathlib import Path

import pytest

from engine.runtime.watchdog import Supervisor
from tests.runtime.fakes import run


class Manager:
    """The other end."""

    def __init__(self, address: str | bytes) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(address)
        self.sock.setblocking(False)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.sock.recv(4_096).decode())
            except BlockingIOError:
                return found


def test_messages(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "n"))
    service = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "n")})
    service.ready("0 calls")
    service.reloading()
    service.stopping("draining", 920)
    first, second, third = manager.heard()
    assert first == "READY=1\nSTATUS=0 calls"
    assert second.startswith("RELOADING=1\nMONOTONIC_USEC=") and int(second.rpartition("=")[2]) > 0
    assert third == "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=920000000"


def test_an_abstract_address() -> None:
    name = f"ringdown-{uuid.uuid4().hex}"
    manager = Manager(b"\0" + name.encode())
    Supervisor({"NOTIFY_SOCKET": f"@{name}"}).ready("x")
    assert len(manager.heard()) == 1


def test_nobody_to_tell_is_fine(tmp_path: Path) -> None:
    Supervisor({}).ready("x")
    gone = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    gone.ready("x")
    assert gone.failures == 1


@pytest.mark.parametrize(("environment", "seconds"), [
    ({}, 0.0), ({"WATCHDOG_USEC": "30000000"}, 10.0), ({"WATCHDOG_USEC": "nonsense"}, 0.0),
    ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 1.0),
    ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, 0.0),
])
def test_how_often(environment: dict[str, str], seconds: float) -> None:
    assert Supervisor(environment).ping_s == pytest.approx(seconds)


def test_pings_only_while_alive(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "n"))
    alive = [True]

    async def scene() -> None:
        service = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "60000"})
        service.start_pings(asyncio.get_running_loop(), lambda: alive[0], lambda: "2 calls")
        await asyncio.sleep(0.15)
        assert len(heard := manager.heard()) >= 3 and set(heard) == {"WATCHDOG=1\nSTATUS=2 calls"}
        alive[0] = False
        await asyncio.sleep(0.15)
        assert manager.heard() == []
        alive[0] = True
        await asyncio.sleep(0.15)
        assert manager.heard()
        service.stop_pings()
        await asyncio.sleep(0.1)
        manager.heard()
        await asyncio.sleep(0.1)
        assert manager.heard() == []

    run(scene())
