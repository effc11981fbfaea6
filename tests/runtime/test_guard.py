"""The gate in a serving process: what it drops never reaches the Switch, and operators see and lift its blocks."""

from __future__ import annotations

import asyncio
from pathlib import Path as FilePath

import msgspec
import pytest

from engine import limits
from engine.call import effects
from engine.call.edge_wall import Judged
from engine.dialplan.gate_model import AccessModel, GateModel
from engine.dialplan.model import AgentModel, TrunkModel
from engine.runtime import guard
from engine.runtime.admin import Request
from engine.runtime.server import Server
from engine.sip import stun
from engine.sip.events import Path
from tests.runtime.fakes import FakeSwitch, until
from tests.runtime.test_server import play, ready_site, udp_client

__all__ = ["ready_site"]  # the fixture holds here too


def told(switch: FakeSwitch) -> list[dict[str, str]]:
    return [each.arguments for each in switch.of(effects.Operator) if each.verb == "gate_noted"]


def test_blocked_messages_cost_no_input_and_the_block_is_told_shown_and_lifted(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "sweep_s", 0.01)

    async def scene(server: Server, switch: FakeSwitch) -> None:
        with udp_client(server) as client:
            host, port = client.getsockname()
            for number in range(limits.source_faults_max):
                switch.extra.append(Judged(host, port, "bad", f"{number}"))
            server.deliver(effects.Deadline())
            for _ in range(100):
                client.send(b"REGISTER sip:x SIP/2.0\r\n\r\n")
            await until(lambda: server.guard.gate.dropped["blocked"] >= 90)
            heard = sum(isinstance(each, effects.Received) for each in switch.inputs)
            assert heard <= 10
            await until(lambda: bool(told(switch)))
            assert told(switch)[0]["source"] == host and told(switch)[0]["began"] == "yes"
            (row,) = msgspec.json.decode((await server.desk.handle("ana", Request("blocks", {}))).data)["blocks"]
            assert row["source"] == host and row["kind"] == "guessing" and row["dropped"] >= 90
            one = await server.desk.handle("ana", Request("blocks", {"source": host}))
            assert msgspec.json.decode(one.data)["why"] == row["why"]
            assert (await server.desk.handle("ana", Request("block.lift", {"source": host}))).ok
            await until(lambda: len(told(switch)) == 2)
            assert told(switch)[1]["by"] == "ana" and not told(switch)[1]["began"]
            for wrong, word in ((host, "not blocked"), ("nonsense", "no address")):
                assert word in (await server.desk.handle("ana", Request("blocks", {"source": wrong}))).error
            assert "not blocked" in (await server.desk.handle("ana", Request("block.lift", {"source": host}))).error
            assert (await server.desk.handle("ana", Request("block.lift", {"source": "all"}))).ok

    play(tmp_path, scene)


def test_who_is_blocked_when_a_process_ends_is_blocked_in_the_next(tmp_path: FilePath) -> None:
    async def guessed(server: Server, switch: FakeSwitch) -> None:
        with udp_client(server) as client:
            host, port = client.getsockname()
            for number in range(limits.source_faults_max):
                switch.extra.append(Judged(host, port, "bad", f"{number}"))
            server.deliver(effects.Deadline())
            client.send(b"REGISTER sip:x SIP/2.0\r\n\r\n")
            await until(lambda: bool(server.guard.gate.blocks))

    async def after(server: Server, switch: FakeSwitch) -> None:
        with udp_client(server) as client:
            client.send(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
            await until(lambda: bool(server.guard.gate.blocks))
            (row,) = server.guard.rows()
            assert row["source"] == client.getsockname()[0] and row["kind"] == "guessing" and not told(switch)

    play(tmp_path, guessed)
    play(tmp_path, after)


def test_the_sites_lists_hold_from_its_load_on(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        with udp_client(server) as client:
            client.send(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
            await until(lambda: any(isinstance(each, effects.Received) for each in switch.inputs))
            shut = GateModel(AccessModel(deny=("127.0.0.0/8",)))
            server.site = msgspec.structs.replace(server.site, gate=shut)
            client.send(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
            await until(lambda: server.guard.gate.dropped["denied"] == 1)
            refused = await server.desk.handle("ana", Request("blocks", {"source": "127.0.0.1"}))
            assert "kept out by gate:" in refused.error
            assert not server.guard.lets_in(Path(1_000_001, "127.0.0.1", 4, "tcp"), ("127.0.0.1", 5060))
            (sock,) = server.udp.values()
            own = GateModel(listeners={f"udp:{sock.host}:{sock.port}": AccessModel(allow=("192.0.2.0/24",))})
            server.site = msgspec.structs.replace(server.site, gate=own)
            assert not server.guard.admits(Path(sock.flow, "127.0.0.1", 4), b"OPTIONS sip:x SIP/2.0\r\n\r\n")
            assert server.guard.admits(Path(sock.flow, "192.0.2.4", 4), b"OPTIONS sip:x SIP/2.0\r\n\r\n")
            assert server.guard.lets_in(Path(1_000_001, "127.0.0.1", 4, "tcp"), ("127.0.0.1", sock.port))

    play(tmp_path, scene)


def test_a_listeners_own_list_holds_for_its_connections(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        (sock,) = server.tcp_listening.values()
        host, port = sock.getsockname()[:2]
        shut = GateModel(listeners={f"tcp:{host}:{port}": AccessModel(allow=("192.0.2.0/24",))})
        server.site = msgspec.structs.replace(server.site, gate=shut)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b"", "it is closed without a word"
        writer.close()
        assert not any(isinstance(each, effects.FlowOpened | effects.Received) for each in switch.inputs)
        server.site = msgspec.structs.replace(server.site, gate=None)
        _, writer = await asyncio.open_connection(host, port)
        await until(lambda: any(isinstance(each, effects.FlowOpened) for each in switch.inputs))
        writer.close()

    play(tmp_path, scene)


def test_the_list_of_a_listener_on_every_address_holds_by_whichever_one_they_come(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        only = AccessModel(allow=("192.0.2.0/24", "2001:db8::/32"))
        own = dict.fromkeys(("tcp:0.0.0.0:5060", "tls:[::]:5061", "tcp:[2001:DB8:0::7]:5070"), only)
        server.site = msgspec.structs.replace(server.site, gate=GateModel(listeners=own))
        for transport, local, far, heard in (
            ("tcp", ("10.0.0.1", 5060), "203.0.113.5", False), ("tcp", ("10.0.0.1", 5060), "192.0.2.5", True),
            ("tls", ("::ffff:10.0.0.1", 5061), "::ffff:203.0.113.5", False),
            ("tls", ("::ffff:10.0.0.1", 5061), "::ffff:192.0.2.5", True),
            ("tls", ("2001:db8::1", 5061), "2001:db9::1", False), ("tls", ("2001:db8::1", 5061), "2001:db8::2", True),
            ("tcp", ("2001:db8::7", 5070), "2001:db9::1", False), ("tcp", ("10.0.0.1", 5061), "203.0.113.5", True),
            ("tls", ("10.0.0.1", 5060), "203.0.113.5", True),
        ):  # fmt: skip
            assert server.guard.lets_in(Path(0, far, 4, transport), local) is heard, (transport, local, far)

    play(tmp_path, scene)


def test_a_reload_that_shuts_a_listener_holds_for_connections_that_stand(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        (sock,) = server.tcp_listening.values()
        host, port = sock.getsockname()[:2]
        _, writer = await asyncio.open_connection(host, port)
        await until(lambda: any(isinstance(each, effects.FlowOpened) for each in switch.inputs))
        shut = GateModel(listeners={f"tcp:{host}:{port}": AccessModel(allow=("192.0.2.0/24",))})
        server.site = msgspec.structs.replace(server.site, gate=shut)
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n")
        await until(lambda: server.guard.gate.dropped["denied"] == 1)
        assert not any(isinstance(each, effects.Received) for each in switch.inputs)
        writer.close()

    play(tmp_path, scene)


def test_keep_alives_are_heard_under_the_same_lists_and_budgets(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        question = b"\0\x01\0\0" + stun.COOKIE.to_bytes(4) + b"transaction!"
        with udp_client(server) as client:
            (sock,) = server.udp.values()
            client.send(question)
            await until(lambda: sock.datagrams_out)
            assert client.recv(100)[:2] == b"\x01\x01"
            out = sock.datagrams_out
            shut = GateModel(AccessModel(deny=("127.0.0.0/8",)))
            server.site = msgspec.structs.replace(server.site, gate=shut)
            client.send(question)
            await until(lambda: server.guard.gate.dropped["denied"] == 1)
            server.site = msgspec.structs.replace(server.site, gate=GateModel(per_second=10))
            for _ in range(10 * limits.source_burst_s + 50):
                client.send(question)
            await until(lambda: server.guard.gate.dropped["flood"] > 0)
            assert sock.datagrams_out - out <= 10 * limits.source_burst_s + 10
            assert not any(isinstance(each, effects.Received) for each in switch.inputs)

    play(tmp_path, scene)


def test_trunks_and_static_contacts_are_trusted(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        trunks = {
            "a": TrunkModel("a", addresses=("192.0.2.0/28", "198.51.100.1:5070", "[2001:db8::1]:5060")),
            "b": TrunkModel("b", addresses=("203.0.113.0/24",), deny=("203.0.113.7",)),
        }
        fixed = AgentModel("209", "Fay", "default", contact="sip:209@192.0.2.99")
        server.site = msgspec.structs.replace(server.site, trunks=trunks, agents={"default/209": fixed})
        scan = b"OPTIONS sip:x SIP/2.0\r\nUser-Agent: sipvicious\r\n\r\n"
        for host, heard in (
            ("192.0.2.3", True), ("198.51.100.1", True), ("2001:db8::1", True), ("203.0.113.8", False),
            ("192.0.2.99", True), ("192.0.2.98", False),
        ):  # fmt: skip
            assert server.guard.admits(Path(1, host, 5060), scan) is heard, host

    play(tmp_path, scene)
