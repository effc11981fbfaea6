"""Our UDP socket: hostile addresses are counted, never raised, never close anything."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from engine.runtime import udp as room
from engine.runtime.net import open_udp
from engine.runtime.udp import UdpSocket
from engine.sip import stun
from engine.sip.events import Path
from tests.runtime.fakes import run, until


def make(received: list[Any], failed: list[Any]) -> UdpSocket:
    sock, _ = open_udp("127.0.0.1", 0)
    return UdpSocket(
        asyncio.get_running_loop(), sock, 1, lambda _, *rest: received.append(rest), lambda *rest: failed.append(rest))


def test_datagrams_come_and_go() -> None:
    async def work() -> None:
        received: list[Any] = []
        ours = make(received, [])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            far.bind(("127.0.0.1", 0))
            far.settimeout(2)
            for number in range(5):
                far.sendto(b"%d" % number, ("127.0.0.1", ours.port))
            await until(lambda: len(received) == 5)
            assert [data for data, _, _ in received] == [b"0", b"1", b"2", b"3", b"4"]
            assert received[0][1:] == far.getsockname()
            ours.send(b"back", *received[0][1:])
            assert far.recv(100) == b"back"
        assert (ours.datagrams_in, ours.datagrams_out) == (5, 1)
        ours.close()
        ours.close()

    run(work())


@pytest.mark.parametrize(("host", "port"), [
    ("127.0.0.1", 0), ("127.0.0.1", 70_000), ("127.0.0.1", -1), ("::1", 5060), ("300.1.1.1", 5060),
    ("255.255.255.255", 5060), ("", 5060), ("a\0b", 5060),
])
def test_hostile_addresses(host: str, port: int) -> None:
    async def work() -> None:
        received: list[Any] = []
        failed: list[Any] = []
        ours = make(received, failed)
        ours.send(b"x", host, port)
        if ours.datagrams_out == 0:
            assert failed and sum(ours.failures.values()) == 1
        ours.send(b"still works", "127.0.0.1", ours.port)
        await until(lambda: received)
        ours.close()

    run(work())


def test_a_closed_port_at_the_far_end_changes_nothing() -> None:
    async def work() -> None:
        received: list[Any] = []
        ours = make(received, [])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
            gone.bind(("127.0.0.1", 0))
            port = gone.getsockname()[1]
        for _ in range(3):
            ours.send(b"x", "127.0.0.1", port)
        ours.send(b"me", "127.0.0.1", ours.port)
        await until(lambda: received)
        ours.close()

    run(work())


class Stuffed:
    """A socket whose send buffer is full until it is told otherwise."""

    def __init__(self, real: socket.socket) -> None:
        self.real, self.full, self.sent = real, True, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def sendto(self, data: bytes, address: Any) -> int:
        if self.full:
            raise BlockingIOError
        self.sent.append(data)
        return len(data)


def test_a_full_send_buffer_keeps_the_order_and_a_bound() -> None:
    async def work() -> None:
        ours = make([], [])
        stuffed = Stuffed(ours.sock)
        ours.sock = stuffed  # type: ignore[assignment]
        for number in range(room.queued_max + 7):
            ours.send(b"%d" % number, "127.0.0.1", 9)
        assert ours.dropped == 7
        stuffed.full = False
        await until(lambda: len(stuffed.sent) == room.queued_max)
        assert stuffed.sent[:3] == [b"0", b"1", b"2"]
        ours.send(b"direct", "127.0.0.1", 9)
        assert stuffed.sent[-1] == b"direct"
        ours.close()

    run(work())


def test_a_stun_keep_alive_of_who_is_not_heard_gets_no_answer() -> None:
    async def work() -> None:
        asked: list[tuple[Path, bytes]] = []
        sock, _ = open_udp("127.0.0.1", 0)
        ours = UdpSocket(
            asyncio.get_running_loop(), sock, 7, lambda *_: None, lambda *_: None,
            lambda path, data: bool(asked.append((path, data))),
        )  # fmt: skip
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            far.bind(("127.0.0.1", 0))
            question = b"\0\x01\0\0" + stun.COOKIE.to_bytes(4) + b"transaction!"
            far.sendto(question, ("127.0.0.1", ours.port))
            await until(lambda: asked)
            assert asked == [(Path(7, *far.getsockname(), "udp"), question)] and ours.datagrams_out == 0
        ours.close()

    run(work())


def test_a_stun_keep_alive_is_answered_and_told_to_nobody() -> None:
    """RFC 5626 §3.5.2; what only looks like STUN is somebody else's business."""

    async def work() -> None:
        received: list[Any] = []
        ours = make(received, [])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            far.bind(("127.0.0.1", 0))
            far.settimeout(2)
            question = b"\0\x01\0\0" + stun.COOKIE.to_bytes(4) + b"transaction!"
            far.sendto(question, ("127.0.0.1", ours.port))
            await until(lambda: ours.datagrams_out == 1)
            assert far.recv(100) == stun.answer(question, *far.getsockname())
            far.sendto(b"\0\x11" + question[2:], ("127.0.0.1", ours.port))  # an indication: no answer is due
            far.sendto(b"\0\0\0\0", ("127.0.0.1", ours.port))
            await until(lambda: received)
            assert received == [(b"\0\0\0\0", *far.getsockname())] and ours.datagrams_out == 1
        ours.close()

    run(work())
