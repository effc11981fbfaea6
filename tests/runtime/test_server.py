"""The wiring: one door to the Switch, one timer, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path as FilePath
from typing import Any

import pytest

from engine.call import effects
from engine.errors import SiteError, UsageError
from engine.media import commands as media
from engine.runtime import server as room
from engine.runtime.journal import replay
from engine.runtime.opening import Options
from engine.runtime.server import Server
from engine.runtime.site_files import Reading
from engine.sip.events import CloseFlow, Connect
from tests.runtime.fakes import FakePlane, FakeSwitch, event, quiet_log, run, site, until

Scene = Callable[[Server, Any], Awaitable[None]]


@pytest.fixture(autouse=True)
def ready_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "read_folder", lambda folder, kept=None: Reading(site(), [], 1, str(folder)))


def play(tmp_path: FilePath, scene: Scene, **options: Any) -> tuple[Server, list[str]]:
    """Start a server, run the scene, stop it. Returns the server and what it printed as ready."""
    printed: list[str] = []

    async def work() -> Server:
        log, _ = quiet_log()
        settings = Options(site=tmp_path, data=tmp_path / "data", **options)
        server = Server(settings, log=log, build_switch=FakeSwitch, build_plane=FakePlane, warm=lambda: None)
        serving = asyncio.create_task(server.run(ready=printed.append))
        await until(lambda: printed or serving.done())
        if not serving.done():
            try:
                await scene(server, server.switch)
            finally:
                server.stop()
        await serving
        return server

    return run(work(), 20), printed


def udp_client(server: Server) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind(("127.0.0.1", 0))
    client.settimeout(2)
    client.connect(("127.0.0.1", server.udp[1].port))
    return client


def test_ready_names_the_addresses_and_the_switch_knows_everything_first(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        names = [type(each).__name__ for each in switch.inputs]
        assert names == ["Entropy", "WallClock", "Listening", "Listening", "SiteLoaded", "SecretsLoaded"]
        udp, tcp = switch.of(effects.Listening)
        assert (udp.transport, udp.flow, tcp.transport, tcp.flow) == ("udp", 1, "tcp", 2)
        assert udp.port == server.udp[1].port and udp.advertise_host == "127.0.0.1"
        assert len(switch.of(effects.Entropy)[0].fresh) == 32
        offset = switch.of(effects.WallClock)[0].offset_ms
        assert abs(offset - (time.time() - time.monotonic()) * 1000) < 1_000
        assert switch.settings[0] == server.boot

    server, printed = play(tmp_path, scene)
    assert printed[0].startswith(f"ready udp:127.0.0.1:{server.udp[1].port} tcp:127.0.0.1:")
    assert " http:- calls:0" in printed[0] and "\n" not in printed[0]
    assert not server.plane.running


def test_datagrams_go_in_and_out_and_into_every_record(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        with udp_client(server) as client:
            client.send(b"INVITE sip:100@x SIP/2.0\r\nCall-ID: abc\r\n\r\n")
            await until(lambda: switch.of(effects.Received))
            assert client.recv(1_000).startswith(b"echo INVITE")
        assert server.ladder.call_of("abc") == "call-1"
        assert [hop.way for hop in server.ladder.of_call("call-1")] == ["in", "out"]

    server, _ = play(tmp_path, scene)
    database = sqlite3.connect(tmp_path / "data" / "ringdown.db")
    assert database.execute("SELECT kind, call FROM events").fetchall() == [("call.started", "call-1")]
    database.close()
    report = replay(server.journal.path, lambda header, state: FakeSwitch())  # type: ignore[arg-type,return-value]
    assert report.differs is None and report.clean_end and report.inputs == 7


def test_tcp_messages_and_flows(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        port = int(server.addresses[1].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n")
        assert await reader.readexactly(5) == b"echo "
        (opened,) = switch.of(effects.FlowOpened)
        switch.extra = [CloseFlow(opened.path.flow, "enough")]
        server.deliver(effects.Deadline())
        await until(lambda: switch.of(effects.FlowClosed))
        assert switch.of(effects.FlowClosed)[0] == effects.FlowClosed(opened.path.flow, "enough")
        writer.close()
        switch.extra = [Connect(1_001, "tcp", "127.0.0.1", port)]
        server.deliver(effects.Deadline())
        await until(lambda: any(each.path.flow == 1_001 for each in switch.of(effects.FlowOpened)))

    play(tmp_path, scene)


def test_one_timer_for_the_earliest_deadline(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        def now() -> int:
            return time.monotonic_ns() // 1_000_000

        switch.deadline = now() + 60_000
        server.deliver(effects.WallClock(1))
        switch.deadline = now() + 30  # earlier: re-armed
        server.deliver(effects.WallClock(1))
        before = len(switch.of(effects.Deadline))
        await until(lambda: len(switch.of(effects.Deadline)) > before)
        assert switch.deadline is None
        switch.deadline = now() + 20
        server.deliver(effects.WallClock(1))
        due = switch.deadline = now() + 80  # moved later without an input: the timer only re-arms
        await until(lambda: switch.deadline is None)
        assert now() >= due
        assert len(switch.of(effects.Deadline)) == before + 2

    play(tmp_path, scene)


def test_media_events_and_commands(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        server.plane.happen(media.PlayEnded(1, 2, 3), media.MediaBack(1, 2))
        await until(lambda: len(switch.of(effects.MediaHappened)) == 2)
        assert switch.of(effects.MediaHappened)[0].event == media.PlayEnded(1, 2, 3)
        switch.extra = [effects.Media(media.Stop(1, 2))]
        server.deliver(effects.Deadline())
        assert server.plane.commands == [media.Stop(1, 2)]

    play(tmp_path, scene)


def test_a_fault_of_the_switch_costs_one_input(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        switch.broken = True
        with udp_client(server) as client:
            client.send(b"killer")
            await until(lambda: server.faults)
            switch.broken = False
            client.send(b"next")
            await until(lambda: server.udp[1].datagrams_out)
            assert client.recv(100) == b"echo next"

    server, _ = play(tmp_path, scene)
    assert server.faults == 1


def test_operators_are_answered_or_told_why_not(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "operator_s_max", 0.05)

    async def scene(server: Server, switch: FakeSwitch) -> None:
        reply = await server.ask("ann", "agents", {"x": "y"})
        assert reply.ok and b'"author":"ann"' in reply.data
        with pytest.raises(TimeoutError):
            await server.ask("ann", "silent", {})
        assert server._replies == {}

    play(tmp_path, scene)


def test_term_drains_and_the_switch_ends_it(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        server.terminate()
        assert switch.of(effects.Drain)
        await asyncio.wait_for(server._stopping.wait(), 1)

    play(tmp_path, scene)


def test_a_second_term_ends_the_calls_and_a_third_stops_at_once(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        told: list[Any] = []
        server.deliver = told.append  # type: ignore[method-assign]
        server.terminate()
        server.terminate()
        assert told == [effects.Drain(), effects.Drain(at_once=True)] and not server._stopping.is_set()
        server.terminate()
        assert server._stopping.is_set() and len(told) == 2

    play(tmp_path, scene)


def test_a_term_after_an_operators_drain_leaves_the_calls_their_time(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        told: list[Any] = []
        server.deliver = told.append  # type: ignore[method-assign]
        server.draining_begins("ann says so")
        server.terminate()
        assert told == [effects.Drain()] and not server._stopping.is_set()

    play(tmp_path, scene)


def test_a_wall_clock_that_jumps_is_told_once(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600_000_000_000)
        before = len(switch.of(effects.WallClock))
        server._tell_wall_clock()
        server._tell_wall_clock()
        first, *_, last = switch.of(effects.WallClock)
        assert len(switch.of(effects.WallClock)) == before + 1
        assert abs(last.offset_ms - first.offset_ms + 3_600_000) < 100
        monkeypatch.undo()

    play(tmp_path, scene)


def test_a_tail_sees_facts_and_costs_nothing_without_readers(tmp_path: FilePath) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        with udp_client(server) as client:
            client.send(b"nobody looks")
            await until(lambda: switch.of(effects.Received))
            assert server.feed._items == []
            reader, writer = await asyncio.open_unix_connection(str(server.admin.path))
            writer.write(b'{"verb": "tail", "arguments": {"sip": "yes"}}\n')
            await reader.readline()
            client.send(b"somebody looks")
            lines = [await reader.readline() for _ in range(3)]
        assert b"somebody" in lines[0] and b'"event":{"n":2' in lines[1] and b"echo somebody" in lines[2]
        writer.close()

    play(tmp_path, scene)


def test_a_refused_site_opens_nothing(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "read_folder", lambda folder: Reading(None, [], 0, "/x"))

    async def scene(server: Server, switch: FakeSwitch) -> None:
        raise AssertionError("it started")

    with pytest.raises(SiteError, match="/x is refused"):
        play(tmp_path, scene)


def test_a_taken_port_ends_the_start_cleanly(tmp_path: FilePath) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        text = f"udp:127.0.0.1:{other.getsockname()[1]}"

        async def scene(server: Server, switch: FakeSwitch) -> None:
            raise AssertionError("it started")

        with pytest.raises(UsageError, match="in use"):
            play(tmp_path, scene, listen=(text,))
    assert not (tmp_path / "data" / "ringdown.sock").exists()


def test_passwords_are_shown_once(tmp_path: FilePath, capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(server: Server, switch: FakeSwitch) -> None:
        pass

    play(tmp_path, scene)
    first = capsys.readouterr().err
    play(tmp_path, scene)
    assert "default/200" in first and "passwords made" in first
    assert capsys.readouterr().err == ""


def test_agents_logins_come_back_after_a_restart(tmp_path: FilePath) -> None:
    async def login(server: Server, switch: FakeSwitch) -> None:
        switch.extra = [effects.Emit(event(1, "agent.login", "", agent="default/200", way="code"))]
        server.deliver(effects.Deadline())

    async def look(server: Server, switch: FakeSwitch) -> None:
        assert switch.of(effects.AgentStates)[0].states == {"default/200": "ready"}

    play(tmp_path, login)
    play(tmp_path, look)


def test_storage_trouble_reaches_the_switch(tmp_path: FilePath) -> None:
    (tmp_path / "data").mkdir()
    database = sqlite3.connect(tmp_path / "data" / "ringdown.db")
    database.execute("CREATE TABLE shop (price)")
    database.close()

    async def scene(server: Server, switch: FakeSwitch) -> None:
        (state,) = switch.of(effects.StorageState)
        assert state.state == "failed" and "another product" in state.detail

    play(tmp_path, scene)


def test_retention_sweeps_beside_the_writer_and_tells_it(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole server: its own writer, its sweeper, its Switch that gets the note."""
    kept = site(retention_days={"events": 1, "calls": 1})
    monkeypatch.setattr(room, "read_folder", lambda folder, kept_=None: Reading(kept, [], 1, str(folder)))

    async def scene(server: Server, switch: FakeSwitch) -> None:
        server.storage.events += [event(n) for n in range(1, 6)]  # of 2023
        server.storage.flush()
        await until(lambda: server.storage.written >= 5)
        assert (await server.sweeper.sweep())["events"] == 5
        (told,) = [each for each in switch.of(effects.Operator) if each.verb == "noted"]
        assert (told.author, told.arguments["act"], told.arguments["counts"]) == ("retention", "retention", "events=5")
        assert server.storage.state == "ok"

    play(tmp_path, scene)


def test_a_journal_begun_anew_holds_no_earlier_input(tmp_path: FilePath) -> None:
    """Neither the new file nor the write-ahead slots, which are wiped; the old file has it."""

    async def scene(server: Server, switch: FakeSwitch) -> None:
        old = server.journal.path
        client = udp_client(server)
        client.send(b"INVITE sip:+441514960001@x SIP/2.0\r\n\r\n")
        await until(lambda: switch.of(effects.Received))
        await server.rotate_journal()
        client.close()
        assert server.journal.path != old and b"441514960001" in old.read_bytes()
        for path in (server.journal.path, server.journal.folder / "ahead"):
            assert b"441514960001" not in path.read_bytes(), path

    play(tmp_path, scene)


def test_ports_that_have_rested_come_back_though_no_leg_is_opened_any_more(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With none left every call is refused before a leg asks for more: the engine would take no call ever again."""
    monkeypatch.setattr(room, "housekeeping_s", 0.01)

    async def scene(server: Server, switch: FakeSwitch) -> None:
        assert switch.of(effects.PortsReady) == []
        rested = [(16_384, 16_386)]
        monkeypatch.setattr(server.plane, "prepare_ports", lambda host: rested.pop() if rested else ())
        await until(lambda: switch.of(effects.PortsReady))
        assert [each.ports for each in switch.of(effects.PortsReady)] == [(16_384, 16_386)]

    play(tmp_path, scene)
