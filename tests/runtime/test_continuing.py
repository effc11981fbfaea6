"""Clock, sockets and words of an engine that goes on with what another one left."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine import limits
from engine.call.effects import FlowClosed, FlowOpened, Input, Resumed
from engine.dialplan.findings import Finding
from engine.errors import SiteError
from engine.media.image import Image
from engine.runtime import continuing as room
from engine.runtime import handover, write_ahead
from engine.runtime.continuing import Clock
from engine.runtime.recovery import Recovered, recover
from engine.runtime.replaying import unpack
from engine.runtime.site_files import Reading
from engine.sip.events import Path as Way
from tests.runtime.fakes import quiet_log, site
from tests.runtime.recorded import Recorder, busy_world, record
from tests.scenarios.sites import busy_site


def found(**changes: Any) -> Recovered:
    base: dict[str, Any] = {
        "header": SimpleNamespace(base_ms=500), "switch": None, "image": Image(), "inputs": 9, "last_ms": 10_000,
        "broke_ms": 10_400, "broke_unix_ms": 1_700_000_000_000, "machine": "m1", "events": [], "notes": [],
        "replayed": 0, "spent_ms": 0,
    }
    return Recovered(**(base | changes))


def timing(before: Recovered, *, handed_over: bool = False, unix_ms: int = 1_700_000_009_000) -> Clock:
    return room.clock(before, handed_over=handed_over, monotonic_ms=12_000, unix_ms=unix_ms, machine="m1")


def test_the_clock_goes_on_where_it_stopped() -> None:
    assert timing(found()) == Clock(500, 2_100, "crash")
    assert timing(found(), handed_over=True) == Clock(500, 2_100, "restart")
    assert timing(found(broke_ms=99_000)).down_ms == 0  # never negative


def test_a_wall_clock_that_jumped_does_not_touch_it() -> None:
    assert timing(found(), unix_ms=1_800_000_000_000) == timing(found(), unix_ms=0) == timing(found())


def test_across_a_reboot_the_wall_clock_tells() -> None:
    """Monotonic time began anew; engine time at the start is when it broke plus the outage."""
    made = timing(found(machine="m0"))
    assert made == Clock(10_400 + 9_000 - 12_000, 9_000, "reboot")
    assert 12_000 + made.base_ms == 10_400 + made.down_ms
    assert timing(found(machine="m0"), unix_ms=5).down_ms == 0  # it went backwards meanwhile
    assert timing(found(machine="m0", broke_unix_ms=0)).down_ms == limits.resume_ms_max  # unknown: as long as may be


class Plane:
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.inputs: list[Input] = []

    def load_clips(self, prompts: Any) -> list[str]:
        self.told.append(("clips", len(prompts)))
        return ["a clip is gone"]

    def restore(self, *given: Any) -> None:
        self.told.append(("restore", *given))
        self.told.append(("inputs before", len(self.inputs)))


class Server:
    """What `continuing` sees of the server: a real Switch behind a list of inputs."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.options = SimpleNamespace(data=folder, site=folder, fresh=fresh)
        self.log, self.lines = quiet_log()
        self.plane, self.dead_legs, self.image = Plane(), object(), Image()
        self.named: list[tuple[str, str]] = []
        self.recalled: list[str] = []
        self.ladder = SimpleNamespace(
            name=lambda call, call_id: self.named.append((call, call_id)),
            recall=lambda call, *_: self.recalled.append(call),
        )
        self.inputs = self.plane.inputs
        self.switch: Any = None
        self.site = SimpleNamespace(version="s")
        self.states: list[bytes] = []
        self.journal = SimpleNamespace(rotate=lambda state, site: self.states.append(state))

    def now_ms(self) -> int:
        return int(self.switch.room.now_ms) + 700

    def deliver(self, event: Input) -> None:
        self.inputs.append(event)
        self.switch.handle(event, self.now_ms())


@pytest.fixture
def killed(tmp_path: Path) -> Recorder:
    """An engine that died with a caller in a queue and a TCP connection."""
    world = busy_world()
    world.give(FlowOpened(Way(1_000_001, "10.0.7.7", 5_061, "tcp")))
    world.phone("5551234", password="").call("700", world.now_ms, secret=False)
    world.run(3_000)
    return record(tmp_path / "journal", world)


def test_find_says_what_is_damaged_and_what_there_is(killed: Recorder, tmp_path: Path) -> None:
    server: Any = Server(tmp_path)
    before = room.find(server, None)
    assert before is not None and before[1].cause == "crash" and server.lines.getvalue() == ""
    again = room.find(server, handover.Inherited())
    assert again is not None and again[1].cause == "restart"
    assert room.open_calls(before[0]) == [call.name for call in killed.switch.room.calls.values()] != []
    assert [each.transport for each in room.listeners(before[0])] == ["udp"] and room.listeners(None) == []
    assert room.dead_boot_of(tmp_path / "journal") == "sim1" and room.dead_boot_of(tmp_path / "none") == ""


def wrong(folder: Path, kept: Any = None) -> Reading:
    return Reading(None, [Finding("RD081", "error", "queues.yaml", 2, 3, "no strategy 'whoever'")], 1, str(folder))


def missing(folder: Path, kept: Any = None) -> Reading:
    raise SiteError("no such folder")


@pytest.mark.parametrize("read", [wrong, missing])
def test_a_site_with_errors_ends_a_start_unless_calls_can_go_on_with_theirs(
    killed: Recorder, tmp_path: Path, read: Any
) -> None:
    server: Any = Server(tmp_path)
    assert room.first_reading(server, read).site is None
    before = room.find(server, None)
    assert before is not None
    again = room.read_again(server, before[0], read)
    assert again.site is not None and again.site.version == busy_site().version
    assert "stays" in server.lines.getvalue()
    with pytest.raises(SiteError):
        room.first_reading(Server(tmp_path / "nobody died here"), read)  # type: ignore[arg-type]


def test_a_good_site_is_read_again_for_the_clips_numbers(killed: Recorder, tmp_path: Path) -> None:
    server: Any = Server(tmp_path)
    before = room.find(server, None)
    assert before is not None
    asked: list[Any] = []

    def read(folder: Path, kept: Any = None) -> Reading:
        asked.append(kept)
        return Reading(kept or busy_site(), [], 1, str(folder))

    assert room.first_reading(server, read).site is not None
    assert room.read_again(server, before[0], read).site is asked[1] and asked[0] is None


def test_calls_that_end_every_start_are_given_up_at_the_third(killed: Recorder, tmp_path: Path) -> None:
    server: Any = Server(tmp_path)
    assert room.find(server, None) is not None and room.find(server, None) is not None
    assert room.find(server, None) is None and "begins anew" in server.lines.getvalue()
    assert room.find(server, None) is not None  # and the count begins anew as well
    room.ready(server)
    room.ready(server)
    for _ in range(room.ATTEMPTS_MAX):
        assert room.find(server, None) is not None


def test_fresh_looks_at_nothing(killed: Recorder, tmp_path: Path) -> None:
    server: Any = Server(tmp_path, fresh=True)
    assert room.find(server, None) is None


def test_a_journal_that_cannot_be_read_is_said_and_no_obstacle(killed: Recorder, tmp_path: Path) -> None:
    path = killed.files[0]
    path.write_bytes(path.read_bytes()[:60])
    (tmp_path / "journal" / write_ahead.FILE_NAME).unlink()
    server: Any = Server(tmp_path)
    assert room.find(server, None) is None
    assert "can't be continued" in server.lines.getvalue() and path.name in server.lines.getvalue()


@pytest.mark.parametrize("kept", [{}, {1_000_001: None}])
def test_resume_sets_the_plane_then_tells_the_switch_and_of_lost_connections(
    killed: Recorder, tmp_path: Path, kept: dict[int, None]
) -> None:
    server: Any = Server(tmp_path)
    before = recover(tmp_path / "journal")
    assert before is not None
    server.switch, server.image = before.switch, before.image
    call = next(iter(before.switch.room.calls.values()))
    room.resume(server, before, Clock(0, 1_234, "crash"), kept)
    assert server.inputs[0] == Resumed(1_234, "crash", limits.resume_ms_max)
    closed = [each.flow for each in server.inputs if isinstance(each, FlowClosed)]
    assert closed == ([] if kept else [1_000_001])
    _, image, now_ms, *rest = server.plane.told[1]
    assert image is server.image and now_ms > before.last_ms and rest == [before.broke_ms, server.dead_legs, 1_234]
    # a prompt must be there to go on; a leg, before the Switch asks something of it
    assert [each[0] for each in server.plane.told] == ["clips", "restore", "inputs before"]
    assert server.plane.told[2] == ("inputs before", 0)
    # a second crash begins with what the plane was just told
    assert unpack(before.header, server.states[-1])[1] == server.image
    assert [name for name, call_id in server.named if call_id] == [call.name]
    text = server.lines.getvalue()
    assert "goes on with 1 calls after a crash: 1234 ms" in text and "a clip is gone" in text


def test_an_outage_lasts_until_the_switch_is_told(killed: Recorder, tmp_path: Path) -> None:
    """A slow start is part of it: no timer may run out because kernels were being loaded."""
    server: Any = Server(tmp_path)
    before = recover(tmp_path / "journal")
    assert before is not None
    server.switch, server.image = before.switch, before.image
    lasted_ms = server.now_ms() - before.broke_ms
    room.resume(server, before, Clock(0, lasted_ms - 500, "crash"), {})
    assert server.inputs[0] == Resumed(lasted_ms, "crash", limits.resume_ms_max)


@pytest.mark.parametrize(("srtp", "there", "told"), [
    ("optional", False, True), ("optional", True, False), ("off", False, False),
])
def test_keys_and_a_machine_that_cannot_encrypt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, srtp: str, there: bool, told: bool
) -> None:
    log, output = quiet_log()
    server: Any = SimpleNamespace(log=log, site=site(srtp=srtp))
    monkeypatch.setattr(room, "_CRYPTO", "libcrypto.so.3" if there else "libcrypto.so.none")
    vault = room.keys(server, tmp_path / "plane", going_on=False)
    assert (tmp_path / "plane.keys").exists() and ("install OpenSSL 3" in output.getvalue()) == told
    vault.close()
    room.keys(server, tmp_path / "no" / "plane", going_on=False)
    assert "agree on new keys" in output.getvalue()


def test_handed_over_connections_and_what_was_half_read() -> None:
    one, two = socket.socketpair()
    stream = handover.Stream(1_000_004, handover.keep(one), handover.half_read(b"INVITE si"))
    gone = handover.Stream(1_000_005, 1_023, "")
    found_streams = room.streams(handover.Inherited({}, [stream, gone]))
    assert list(found_streams) == [1_000_004] and room.streams(None) == {}
    sock, rest = found_streams[1_000_004]
    assert rest == b"INVITE si" and not sock.getblocking()
    two.sendall(b"p")
    assert sock.recv(1) == b"p"
    for each in (one, two, sock):
        each.close()
