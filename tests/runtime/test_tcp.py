"""TCP flows: messages cut whole, broken and slow connections closed alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.runtime import tcp as room
from engine.runtime.handover import rest_of, sock_of
from engine.runtime.log import Log
from engine.runtime.net import open_tcp
from engine.runtime.tcp import Flows
from engine.runtime.tls import Certificates
from engine.sip.events import Path
from tests.runtime.fakes import run, until

MESSAGE = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"


class Owner:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def flow_opened(self, path: Path) -> None:
        self.heard.append(("opened", path.flow))

    def flow_received(self, path: Path, data: bytes) -> None:
        self.heard.append(("data", path.flow, data))

    def flow_closed(self, flow: int, reason: str) -> None:
        self.heard.append(("closed", flow, reason))

    def flow_refused(self, kind: str, path: Path, detail: str) -> None:
        self.heard.append(("refused", kind, detail))

    def kinds(self) -> list[str]:
        return [each[0] for each in self.heard]


async def served(host: str = "127.0.0.1") -> tuple[Owner, Flows, int]:
    owner = Owner()
    flows = Flows(asyncio.get_running_loop(), owner, Certificates(Log()))
    sock = open_tcp(host, 0)
    port = sock.getsockname()[1]
    await flows.listen(sock)
    return owner, flows, port


def test_messages_pings_and_answers() -> None:
    async def work() -> None:
        owner, flows, port = await served()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\r\n\r\n" + MESSAGE + MESSAGE[:20])
        assert await reader.readexactly(2) == b"\r\n"
        await until(lambda: "data" in owner.kinds())
        writer.write(MESSAGE[20:])
        await until(lambda: owner.kinds().count("data") == 2)
        flow = owner.heard[0][1]
        assert flow > room.accepted_flow_first
        assert [each[2] for each in owner.heard if each[0] == "data"] == [MESSAGE, MESSAGE]
        assert flows.send(flow, b"answer") and await reader.readexactly(6) == b"answer"
        assert not flows.send(4_711, b"nobody")
        writer.close()
        await until(lambda: "closed" in owner.kinds())
        assert flows.flows == {}
        await flows.close()

    run(work())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_ends_of_a_connection_are_known_in_either_family(host: str) -> None:
    async def work() -> None:
        owner, flows, port = await served(host)
        _, writer = await asyncio.open_connection(host, port)
        writer.write(MESSAGE)
        await until(lambda: "data" in owner.kinds())
        (flow,) = flows.flows.values()
        assert flow.local() == (host, port)
        assert (flow.path.host, flow.path.port) == writer.get_extra_info("sockname")[:2]
        writer.close()
        await flows.close()

    run(work())


def test_garbage_closes_only_its_connection() -> None:
    async def work() -> None:
        owner, flows, port = await served()
        _, good = await asyncio.open_connection("127.0.0.1", port)
        bad_reader, bad = await asyncio.open_connection("127.0.0.1", port)
        bad.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await bad_reader.readexactly(1)
        await until(lambda: "refused" in owner.kinds())
        good.write(MESSAGE)
        await until(lambda: "data" in owner.kinds())
        assert len(flows.flows) == 1
        good.close()
        bad.close()
        await flows.close()

    run(work())


def test_a_message_before_the_damage_is_still_heard() -> None:
    async def work() -> None:
        owner, flows, port = await served()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(MESSAGE + b"this is not SIP\r\nat all\r\n\r\n")
        await until(lambda: "closed" in owner.kinds())
        assert "data" in owner.kinds() and "refused" in owner.kinds()
        writer.close()
        await flows.close()

    run(work())


def test_a_message_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.limits, "stream_message_ms_max", 20)
    monkeypatch.setattr(room, "sweep_s", 0.02)

    async def work() -> None:
        owner, flows, port = await served()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(MESSAGE[:30])
        assert await reader.read(1) == b""
        await until(lambda: "closed" in owner.kinds())
        assert ("refused", "stream", "message never finished") in owner.heard
        writer.close()
        await flows.close()

    run(work())


def test_one_host_can_not_take_every_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "flows_per_host_max", 2)

    async def work() -> None:
        owner, flows, port = await served()
        ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await until(lambda: flows.refused == 1)
        assert owner.kinds().count("opened") == 2 and "closed" not in owner.kinds()
        for _, writer in ends:
            writer.close()
        await until(lambda: not flows.flows)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: owner.kinds().count("opened") == 3)
        writer.close()
        await flows.close()

    run(work())


def test_a_far_end_that_does_not_read_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "write_buffer_bytes_max", 10_000)

    async def work() -> None:
        owner, flows, port = await served()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: owner.heard)
        flow = owner.heard[0][1]
        for _ in range(2_000):
            flows.send(flow, b"x" * 10_000)
            if flow not in flows.flows or flows.flows[flow].reason:
                break
        await until(lambda: "closed" in owner.kinds())
        assert owner.heard[-1][2] == "far end doesn't read"
        writer.close()
        await flows.close()

    run(work())


def test_connecting_out() -> None:
    async def work() -> None:
        owner, flows, port = await served()
        flows.connect(1_007, "127.0.0.1", port)
        await until(lambda: ("opened", 1_007) in owner.heard)
        assert flows.send(1_007, MESSAGE)
        await until(lambda: "data" in owner.kinds())
        flows.close_flow(1_007, "no longer needed")
        flows.close_flow(9_999, "unknown")
        await until(lambda: ("closed", 1_007, "no longer needed") in owner.heard)
        await flows.close()

    run(work())


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 1), ("127.0.0.1", 70_000), ("999.1.1.1", 5060)])
def test_connections_that_fail_are_told(host: str, port: int) -> None:
    async def work() -> None:
        owner, flows, _ = await served()
        flows.connect(1_007, host, port)
        await until(lambda: owner.heard)
        assert owner.heard[0][:2] == ("closed", 1_007) and owner.heard[0][2]
        await flows.close()

    run(work())


def test_a_connection_outlives_the_program_that_had_it() -> None:
    """What was half read is completed by the next program's first bytes; both directions go on; new ids lie beyond."""

    async def work() -> None:
        owner, flows, port = await served()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(MESSAGE + MESSAGE[:20])
        await until(lambda: "data" in owner.kinds())
        await until(lambda: next(iter(flows.flows.values())).framer.buffer)
        (stream,) = flows.hand_over()
        number = stream.flow
        writer.write(MESSAGE[20:])  # between the two programs: the kernel keeps it
        await asyncio.sleep(0.05)
        assert owner.kinds().count("data") == 1  # nothing more is read by the old one
        after = Owner()
        next_flows = Flows(asyncio.get_running_loop(), after, Certificates(Log()))
        sock = sock_of(stream.descriptor)
        assert sock is not None
        await next_flows.adopt(number, sock, rest_of(stream))
        await until(lambda: "data" in after.kinds())
        assert after.heard[0] == ("opened", number) and after.heard[1] == ("data", number, MESSAGE)
        assert next_flows.send(number, b"answer") and await reader.readexactly(6) == b"answer"
        listener = open_tcp("127.0.0.1", 0)
        await next_flows.listen(listener)
        _, second = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        await until(lambda: len(next_flows.flows) == 2)
        assert max(next_flows.flows) == number + 1
        for each in (writer, second):
            each.close()
        await until(lambda: not next_flows.flows)
        await flows.close()
        await next_flows.close()

    run(work())


def test_a_connection_that_is_being_closed_is_not_handed_over() -> None:
    async def work() -> None:
        owner, flows, port = await served()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: bool(flows.flows))
        next(iter(flows.flows.values())).close("over")
        assert flows.hand_over() == [] and owner
        writer.close()
        await flows.close()

    run(work())


def test_a_sweep_that_fails_is_not_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "sweep_s", 0.01)
    monkeypatch.setattr(room.limits, "stream_message_ms_max", 20)

    async def work() -> None:
        owner, flows, port = await served()
        faults: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
        monkeypatch.setattr(flows.certificates, "look", lambda: 1 // 0)
        await until(lambda: len(faults) >= 2)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(MESSAGE[:30])
        await until(lambda: ("refused", "stream", "message never finished") in owner.heard)
        writer.close()
        await flows.close()

    run(work())


def test_who_is_on_no_list_is_closed_and_only_whom_the_owner_knew_is_told() -> None:
    async def work() -> None:
        owner, asked = Owner(), list[tuple[Path, tuple[str, int]]]()

        def lets_in(path: Path, local: tuple[str, int]) -> bool:
            asked.append((path, local))
            return False

        flows = Flows(asyncio.get_running_loop(), owner, Certificates(Log()), lets_in)
        sock = open_tcp("127.0.0.1", 0)
        port = sock.getsockname()[1]
        await flows.listen(sock)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read(1) == b"" and owner.heard == [] and flows.flows == {}
        assert asked[0][0].host == "127.0.0.1" and asked[0][1] == ("127.0.0.1", port)
        flows.connect(1_001, "127.0.0.1", port)
        await until(lambda: owner.heard)
        assert owner.heard == [("closed", 1_001, "denied by the gate")]
        writer.close()
        await flows.close()

    run(work())


def test_connections_of_ours_are_kept_alive_and_a_flow_that_stops_answering_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RFC 5626 §4.4.1. Who has never answered a ping (many servers don't) is never closed for its silence."""
    for name, value in (("sweep_s", 0.02), ("ping_s", 0.06), ("pong_s", 0.1)):
        monkeypatch.setattr(room, name, value)
    pings: dict[str, int] = {"good": 0, "mute": 0}
    answers = {"good": 3, "mute": 0}

    def far(name: str) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readexactly(4) == b"\r\n\r\n":
                pings[name] += 1
                if pings[name] <= answers[name]:
                    writer.write(b"\r\n")

        return serve

    async def work() -> None:
        owner, flows, port = await served()
        servers = {name: await asyncio.start_server(far(name), "127.0.0.1", 0) for name in pings}
        for flow, name in ((1_001, "good"), (1_002, "mute")):
            flows.connect(flow, "127.0.0.1", servers[name].sockets[0].getsockname()[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: any(each[:2] == ("closed", 1_001) for each in owner.heard))
        assert ("closed", 1_001, "no answer to a keep-alive: the flow has failed") in owner.heard
        assert pings["good"] >= 4 and pings["mute"] >= 4
        assert 1_002 in flows.flows and len(flows.flows) == 2
        with pytest.raises(TimeoutError):  # whoever connects to us pings us, not we him
            await asyncio.wait_for(reader.read(1), 0.1)
        writer.close()
        await flows.close()
        for server in servers.values():
            server.close()

    run(work())
