"""The real plane on loopback: sockets, thread, clock. What the kernels prove under a virtual clock isn't repeated."""

from __future__ import annotations

import asyncio
import random
import resource
import select
import socket
import struct
import time
import wave
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine import jit, limits
from engine.dialplan.model import PromptModel
from engine.errors import LimitExceeded
from engine.media import clips, g711
from engine.media import columns as c
from engine.media import commands as m
from engine.media.image import Image
from engine.runtime import rtp_ports
from engine.runtime.phone_media import PhoneMedia
from engine.runtime.plane_memory import LegMemory
from engine.runtime.rtp_plane import RtpPlane
from engine.runtime.wav import write_wav

pytestmark = pytest.mark.skipif(jit.DISABLED, reason="the loop makes system calls: compiled code only")
HOST = "127.0.0.1"


class Prompt:
    def __init__(self, clip: int, name: str, path: str = "") -> None:
        self.clip, self.name, self.path = clip, name, path


def descriptors() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Bench:
    """A started plane with its events collected, and phones to face it."""

    def __init__(self, folder: Path, memory: Path | None = None) -> None:
        self.plane = RtpPlane(legs_max=16, data_dir=folder, taps_max=2, memory=memory)
        self.problems = self.plane.load_clips([
            Prompt(1, "tone/milliwatt"), Prompt(2, "tone/beep"), Prompt(3, "tone/ringback.us"),
        ])
        self.plane.start()
        self.events: list[m.MediaEvent] = []
        self.phones: list[PhoneMedia] = []
        self.ports: dict[int, int] = {}

    def open(self, row: int, generation: int = 1, port: int = 0) -> int:
        self.ports[row] = port or free_port()
        self.plane.command(m.OpenLeg(row, generation, HOST, self.ports[row], 1_000 + row, 7, 777))
        return self.ports[row]

    def call(self, row: int, **changes: object) -> PhoneMedia:
        """A leg with a phone at its other end, answered."""
        port = self.open(row)
        phone = PhoneMedia(HOST, ssrc=row + 1)
        self.phones.append(phone)
        settings = {"host": HOST, "port": phone.port, "codec_out": 0, "payload_type_out": 0,
                    "codecs_in": ((0, 0), (8, 8)), "events_in": 101, "events_out": 101, "frame_ms_out": 20,
                    "send": True, "receive": True} | changes
        self.plane.command(m.SetLeg(row, 1, **settings))  # type: ignore[arg-type]
        phone.start((HOST, port))
        return phone

    def until(self, condition: Callable[[], object], seconds: float = 3.0) -> None:
        """Poll as the server does until `condition`, or fail."""
        deadline = time.monotonic() + seconds
        while True:
            select.select([self.plane.event_fd], [], [], 0.01)
            self.events += self.plane.poll()
            if condition():
                return
            assert time.monotonic() < deadline, self.events

    def kinds(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def stop(self) -> None:
        self.plane.stop()
        for phone in self.phones:
            phone.stop()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.stop()


def test_a_prompt_reaches_the_phone_whole_and_paced(bench: Bench) -> None:
    phone = bench.call(0)
    bench.plane.command(m.Play(0, 1, 5, (2, 2)))
    bench.until(lambda: bench.kinds(m.PlayEnded))
    assert bench.kinds(m.PlayEnded) == [m.PlayEnded(0, 1, 5)]
    beep = clips.tone("tone/beep")
    assert beep is not None
    bench.until(lambda: len(phone.heard_payload()[0]) >= 2 * len(beep[0]))
    payload, gaps = phone.heard_payload()
    assert payload[: 2 * len(beep[0])] == beep[0] * 2
    assert 15 < float(np.median(gaps)) < 25


def test_two_phones_hear_each_other_and_their_digits_do_not_cross(bench: Bench) -> None:
    one, other = bench.call(0), bench.call(1)
    bench.plane.command(m.Bridge(0, 1, 1, 1))
    said = np.rint(9_000 * np.sin(np.arange(4_000) * 0.3)).astype(np.int16)
    bench.until(lambda: len(other.heard_packets()) > 3)
    one.send_audio(said)
    one.send_digits("4")
    bench.until(lambda: bench.kinds(m.DigitHeard) and not one.saying())
    bench.until(lambda: g711.encode(said[:3_200], 0) in other.heard_payload()[0])
    assert other.heard_digits() == ""
    assert [heard.digit for heard in bench.kinds(m.DigitHeard)] == ["4"]
    assert len(one.heard_packets()) > 3
    bench.plane.command(m.SendDigits(1, 1, "9#"))
    bench.until(lambda: other.heard_digits() == "9#")
    assert one.heard_digits() == ""


def test_a_recording_holds_both_sides(bench: Bench, tmp_path: Path) -> None:
    phone = bench.call(0)
    bench.plane.command(m.StartTap(0, 1, 42, "calls/x.wav"))
    bench.plane.command(m.Play(0, 1, 1, (1,), loop=True))
    phone.send_audio(np.rint(9_000 * np.sin(np.arange(16_000) * 0.3)).astype(np.int16))
    path = tmp_path / "calls" / "x.wav"
    bench.until(lambda: path.exists() and path.stat().st_size > 10_000)
    bench.plane.command(m.StopTap(0, 1, 42))
    bench.until(lambda: bench.kinds(m.TapEnded))
    ended = bench.kinds(m.TapEnded)[0]
    assert (ended.tap, ended.name, ended.detail) == (42, "calls/x.wav", "")
    with wave.open(str(path)) as stream:
        assert stream.getnframes() == ended.duration_ms * 8
        both = np.frombuffer(stream.readframes(10**6), np.int16).reshape(-1, 2)
    milliwatt = g711.decode(clips.MILLIWATT[0] * 100, 0)
    assert any(np.array_equal(both[at : at + 800, 1], milliwatt) for at in range(both.shape[0] - 800))
    assert np.abs(both[:, 0]).max() > 8_000


def test_a_recording_begun_with_the_call_after_a_quiet_time_has_none_of_it(tmp_path: Path) -> None:
    async def work() -> tuple[int, float]:
        told = asyncio.Event()
        plane = RtpPlane(legs_max=16, data_dir=tmp_path, on_events=told.set)
        plane.start()
        await asyncio.sleep(2)  # longer than a recording's ring; without a leg nothing ticks
        began = time.monotonic()
        plane.command(m.OpenLeg(0, 1, HOST, free_port(), 1, 1, 1))
        plane.command(m.StartTap(0, 1, 7, "x.wav"))  # in the same breath as the leg, as a dialplan does it
        await asyncio.sleep(0.3)
        plane.command(m.StopTap(0, 1, 7))
        while True:
            await asyncio.wait_for(told.wait(), 3)
            told.clear()
            for event in plane.poll():
                if isinstance(event, m.TapEnded):
                    plane.stop()
                    return event.duration_ms, (time.monotonic() - began) * 1_000

    lasts_ms, passed_ms = asyncio.run(work())
    assert 100 < lasts_ms <= passed_ms + 40


def test_recordings_that_cannot_start_are_answered(bench: Bench) -> None:
    bench.call(0)
    for tap in (1, 2, 3):
        bench.plane.command(m.StartTap(0, 1, tap, f"{tap}.wav"))
    bench.plane.command(m.StartTap(5, 1, 4, "4.wav"))
    bench.until(lambda: len(bench.kinds(m.TapEnded)) == 3)
    assert {event.tap: bool(event.detail) for event in bench.kinds(m.TapEnded)} == {2: True, 3: True, 4: True}
    bench.plane.command(m.CloseLeg(0, 1))
    bench.until(lambda: len(bench.kinds(m.TapEnded)) == 4 and bench.kinds(m.LegClosed))
    bench.call(1)
    bench.plane.command(m.StartTap(1, 1, 9, "9.wav"))  # the slots are free again
    bench.plane.command(m.PauseTap(1, 1, 9, True))
    bench.plane.command(m.StopTap(1, 1, 9))
    bench.until(lambda: len(bench.kinds(m.TapEnded)) == 5)
    assert bench.kinds(m.TapEnded)[-1].detail == ""


def test_a_port_that_is_taken_fails_as_an_event(bench: Bench) -> None:
    port = bench.open(0)
    bench.open(1, port=port)
    bench.plane.command(m.OpenLeg(0, 2, HOST, free_port(), 1, 1, 1))
    bench.plane.command(m.OpenLeg(99, 1, HOST, free_port(), 1, 1, 1))
    bench.plane.command(m.OpenLeg(2, 1, "no address", 5, 1, 1, 1))
    bench.plane.command(m.OpenLeg(3, 1, HOST, 99_999, 1, 1, 1))
    bench.until(lambda: len(bench.kinds(m.LegFailed)) == 5)
    assert [event.row for event in bench.kinds(m.LegFailed)] == [1, 0, 99, 2, 3]
    assert "in use" in bench.kinds(m.LegFailed)[1].detail


def test_a_closed_leg_frees_its_port_and_row_after_it_said_so(bench: Bench) -> None:
    phone = bench.call(0)
    port = bench.ports[0]
    bench.until(lambda: bench.kinds(m.Latched))
    assert bench.kinds(m.Latched) == [m.Latched(0, 1, HOST, phone.port)]
    bench.plane.command(m.CloseLeg(0, 1))
    bench.until(lambda: bench.kinds(m.LegClosed))
    assert bench.kinds(m.LegClosed)[0].packets_in > 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((HOST, port))
    bench.open(0, generation=2)
    bench.plane.command(m.CloseLeg(0, 2))
    bench.until(lambda: len(bench.kinds(m.LegClosed)) == 2)


def test_one_thousand_legs_come_and_go(bench: Bench) -> None:
    for number in range(1_000):
        row = number % 16
        bench.open(row, generation=number)
        bench.plane.command(m.CloseLeg(row, number))
        if row == 15:
            bench.until(lambda number=number: len(bench.kinds(m.LegClosed)) == number + 1)
    assert [event.generation for event in bench.kinds(m.LegClosed)] == list(range(992))[: len(bench.kinds(m.LegClosed))]
    bench.until(lambda: len(bench.kinds(m.LegClosed)) == 1_000)
    assert not bench.kinds(m.LegFailed)


def test_without_legs_there_is_no_tick(bench: Bench) -> None:
    bench.call(0).muted = True
    bench.until(lambda: bench.plane.metrics()["ticks"] > 2)
    bench.plane.command(m.CloseLeg(0, 1))
    bench.until(lambda: bench.kinds(m.LegClosed))
    time.sleep(0.05)
    before, ticks = resource.getrusage(resource.RUSAGE_SELF), bench.plane.metrics()["ticks"]
    for phone in bench.phones:
        phone.stop()
    bench.phones.clear()
    time.sleep(0.3)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert bench.plane.metrics()["ticks"] <= ticks + 1
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.05


def test_frames_of_ten_milliseconds_change_the_tick(bench: Bench) -> None:
    phone = bench.call(0, frame_ms_out=10)
    bench.plane.command(m.Play(0, 1, 1, (1,), loop=True))
    bench.until(lambda: len(phone.heard_packets()) > 40)
    _, gaps = phone.heard_payload()
    assert 7 < float(np.median(gaps)) < 13


def test_ipv6(bench: Bench) -> None:
    phone = PhoneMedia("::1")
    bench.phones.append(phone)
    port = free_port()
    bench.plane.command(m.OpenLeg(0, 1, "::1", port, 1, 1, 1))
    bench.plane.command(m.SetLeg(0, 1, "::1", phone.port, 0, 0, ((0, 0),), -1, -1, 20, True, True))
    bench.plane.command(m.Play(0, 1, 1, (2,)))
    phone.start(("::1", port))
    bench.until(lambda: len(phone.heard_packets()) > 5 and bench.kinds(m.Latched))
    assert bench.kinds(m.Latched)[0].host == "::1"


def test_clips_may_come_while_calls_run(bench: Bench, tmp_path: Path) -> None:
    samples = np.rint(8_000 * np.sin(np.arange(1_600) * 0.2)).astype(np.int16)
    write_wav(tmp_path / "new.wav", samples)
    phone = bench.call(0)
    problems = bench.plane.load_clips({
        7: Prompt(7, "en/new", str(tmp_path / "new.wav")), 8: Prompt(8, "en/gone", str(tmp_path / "gone.wav")),
        9: Prompt(9, "tone/unheard of"), 10: Prompt(99_999_999, "tone/beep"),
    })
    assert [problem.split(":")[0] for problem in problems] == ["en/gone", "tone/unheard of", "tone/beep"]
    bench.plane.command(m.Play(0, 1, 1, (8, 7)))
    bench.until(lambda: bench.kinds(m.PlayEnded))
    bench.until(lambda: len(phone.heard_payload()[0]) >= 1_600)
    assert phone.heard_payload()[0] == g711.encode(samples, 0)


def test_unchanged_clips_are_not_loaded_twice(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, np.full(800, 5_000, np.int16))
    prompts = [Prompt(7, "en/a", str(path)), Prompt(1, "tone/milliwatt")]
    bench.plane.load_clips(prompts)
    taken = bench.plane.metrics()["audio_bytes"]
    bench.plane.load_clips(prompts)
    assert bench.plane.metrics()["audio_bytes"] == taken
    write_wav(path, np.full(1_600, 5_000, np.int16))
    bench.plane.load_clips(prompts)
    assert bench.plane.metrics()["audio_bytes"] == taken + 3_200


def test_the_same_recording_elsewhere_takes_no_room(bench: Bench, tmp_path: Path) -> None:
    """A rollback reads the recordings of a kept version, which lie in the data folder."""
    for name in ("here.wav", "there.wav"):
        write_wav(tmp_path / name, np.full(800, 5_000, np.int16))
    here, there = (PromptModel(7, "en/a", "", str(tmp_path / name), 100, "d1") for name in ("here.wav", "there.wav"))
    bench.plane.load_clips([here])
    taken = bench.plane.metrics()["audio_bytes"]
    bench.plane.load_clips([there])
    assert bench.plane.metrics()["audio_bytes"] == taken
    bench.plane.load_clips([msgspec.structs.replace(here, sha256="d2")])
    assert bench.plane.metrics()["audio_bytes"] == taken + 1_600


def test_a_full_store_is_a_problem_in_words(bench: Bench) -> None:
    bench.plane._taken = c.AUDIO_BYTES - 10
    assert "audio_bytes" in bench.plane.load_clips([Prompt(9, "tone/busy.us")])[0]


def test_audio_has_the_ports_that_the_engine_was_given(tmp_path: Path) -> None:
    """Two engines on one machine never take each other's: not even those of calls that outlive a crash."""
    plane = RtpPlane(legs_max=16, data_dir=tmp_path, ports=(31_400, 31_500))
    bound = plane.prepare_ports(HOST)
    assert bound and set(bound) <= set(range(31_400, 31_501, 2))
    plane.stop()


def test_a_full_command_ring_holds_commands_back_in_order(tmp_path: Path) -> None:
    """Nothing reads the ring before `start`: 3,000 commands wait, and all are obeyed."""
    plane = RtpPlane(legs_max=16, data_dir=tmp_path)
    port = free_port()
    plane.command(m.OpenLeg(0, 1, HOST, port, 1, 1, 1))
    for _ in range(c.COMMAND_SIZE + 1_000):
        plane.command(m.Stop(0, 1))
    plane.command(m.CloseLeg(0, 1))
    assert plane.metrics()["commands_waiting"] == c.COMMAND_SIZE + 1_002
    plane.start()
    events: list[m.MediaEvent] = []
    deadline = time.monotonic() + 3
    while not events and time.monotonic() < deadline:
        select.select([plane.event_fd], [], [], 0.05)
        events += plane.poll()
    assert [type(event) for event in events] == [m.LegClosed]
    assert plane.metrics()["commands_waiting"] == 0
    plane.stop()


def test_the_event_loop_is_told(tmp_path: Path) -> None:
    async def work() -> list[m.MediaEvent]:
        told = asyncio.Event()
        plane = RtpPlane(legs_max=16, data_dir=tmp_path, on_events=told.set)
        plane.start()
        plane.command(m.OpenLeg(0, 1, HOST, free_port(), 1, 1, 1))
        plane.command(m.CloseLeg(0, 1))
        await asyncio.wait_for(told.wait(), 3)
        events = plane.poll()
        plane.stop()
        return events

    assert [type(event) for event in asyncio.run(work())] == [m.LegClosed]


def test_a_stopped_plane_is_woken_by_nobody(tmp_path: Path) -> None:
    """The wake-up that `stop` itself schedules runs after the descriptors are closed: no fault may come of it."""

    async def work() -> list[str]:
        faults: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(str(context)))
        plane = RtpPlane(legs_max=16, data_dir=tmp_path, on_events=lambda: None)
        plane.start()
        plane.stop()
        plane.command(m.Stop(0, 1))  # a straggler
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return faults

    assert asyncio.run(work()) == []


def test_stop_with_everything_running_leaves_no_descriptor(tmp_path: Path) -> None:
    before = descriptors()
    bench = Bench(tmp_path)
    bench.call(0)
    bench.call(1)
    bench.plane.command(m.StartTap(0, 1, 1, "x.wav"))
    bench.plane.command(m.Bridge(0, 1, 1, 1))
    bench.until(lambda: bench.kinds(m.Latched))
    bench.stop()
    assert descriptors() == before
    with wave.open(str(tmp_path / "x.wav")) as stream:
        assert stream.getnchannels() == 2


def kernel_drops(port: int) -> int:
    """How many datagrams the kernel has thrown away before they reached this port's socket, by its own count."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[-1]) for row in rows if row[1].endswith(f":{port:04X}"))


def test_garbage_on_the_port_is_counted(bench: Bench) -> None:
    port = bench.open(0)

    def ignored() -> int:
        return int(bench.plane.metrics()["packets_ignored"])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rude:
        plausible = struct.pack(">BBHII", 0x80, 0, 1, 1, 1) + b"A" * 160
        noise = random.Random(5).randbytes(1_399)
        # of a stranger: no stream of ours is his, and no audio of the leg's
        report, reports = struct.pack(">BBHII", 0x80, 200, 6, 1, 1) + bytes(16), 0
        for data in (b"", b"x", b"\x40" + noise, b"\x80\x7f" + noise, report, b"\x80" * 65_000, plausible):
            before, tries, dropped = ignored(), 0, kernel_drops(port)
            while ignored() == before:  # the kernel may drop one for want of buffer: then it is sent again
                tries += 1
                gone = kernel_drops(port) - dropped
                assert tries <= 6, f"{len(data)} bytes were never counted, {gone} of {tries - 1} dropped by the kernel"
                rude.sendto(data, (HOST, port))
                again = time.monotonic() + 0.5
                bench.until(lambda before=before, again=again: ignored() > before or time.monotonic() > again)
            reports = ignored() - before if data is report else reports
    counted = ignored()
    bench.plane.command(m.CloseLeg(0, 1))
    bench.until(lambda: bench.kinds(m.LegClosed))
    assert bench.kinds(m.LegClosed)[0].ignored == counted - reports >= 6


# --- a plane that goes on where a dead one was -----------------------------------------------------------------
class Folded(Bench):
    """A bench whose plane dies and comes back as the server does it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, folder / "memory")
        self.folder, self.image = folder, Image()
        self.began = time.monotonic()
        self._watch()

    def _watch(self) -> None:
        command = self.plane.command

        def both(each: m.MediaCommand) -> None:
            self.image.apply(each, self.now_ms())
            command(each)

        self.plane.command = both  # type: ignore[method-assign]

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def until(self, condition: Callable[[], object], seconds: float = 3.0) -> None:
        def folded() -> object:
            while self.folded < len(self.events):
                self.image.happened(self.events[self.folded])
                self.folded += 1
            return condition()

        super().until(folded, seconds)

    folded = 0

    def outage(self, seconds: float = 0.1, *, taken: int = 0) -> socket.socket | None:
        """Dies (its memory stays); `taken`: a port that somebody else binds meanwhile."""
        broke_ms = self.now_ms()
        self.plane.stop(forget=False)
        time.sleep(seconds)
        other = rtp_ports.bind(HOST, taken) if taken else None
        dead = LegMemory(self.folder / "memory", self.image, time.monotonic_ns() // 1_000)
        self.plane = RtpPlane(legs_max=16, data_dir=self.folder, taps_max=2, memory=self.folder / "memory")
        self.plane.load_clips([Prompt(1, "tone/milliwatt"), Prompt(2, "tone/beep"), Prompt(3, "tone/ringback.us")])
        self.plane.start()
        self.plane.restore(self.image, self.now_ms(), broke_ms, dead, int(seconds * 1_000))
        self._watch()
        return other


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[Folded]:
    made = Folded(tmp_path)
    yield made
    made.stop()


def numbers(phone: PhoneMedia) -> list[tuple[int, int, int]]:
    """(SSRC, sequence, timestamp) of everything heard."""
    return [struct.unpack_from("!8xI", each)[:1] + struct.unpack_from("!2xHI", each) for _, each in
            phone.heard_packets()]


def test_a_far_end_hears_one_stream_going_on(lasting: Folded) -> None:
    phone = lasting.call(0)
    lasting.plane.command(m.Play(0, 1, 5, (1,), loop=True))
    lasting.until(lambda: len(phone.heard_packets()) > 10)
    lasting.outage()
    before = len(phone.heard_packets())
    lasting.until(lambda: len(phone.heard_packets()) > before + 10)
    heard = numbers(phone)
    assert {ssrc for ssrc, _, _ in heard} == {1_000}
    steps = {(after[1] - one[1]) & 0xFFFF for one, after in pairwise(heard)}
    assert steps == {1}  # nothing is said twice, nothing looks lost
    gaps = sorted((after[2] - one[2]) & 0xFFFF_FFFF for one, after in pairwise(heard))
    assert gaps[-2] == 160 and 400 <= gaps[-1] < 16_000  # time went on meanwhile


def test_two_phones_go_on_talking_and_their_figures_are_of_both_lives(lasting: Folded) -> None:
    one, other = lasting.call(0), lasting.call(1)
    lasting.plane.command(m.Bridge(0, 1, 1, 1))
    lasting.until(lambda: len(other.heard_packets()) > 20)
    lasting.outage()
    other.forget()
    one.forget()
    lasting.until(lambda: len(other.heard_packets()) > 20 and len(one.heard_packets()) > 20)
    lasting.plane.command(m.CloseLeg(0, 1))
    lasting.until(lambda: lasting.kinds(m.LegClosed))
    closed = lasting.kinds(m.LegClosed)[0]
    assert closed.packets_in > 35 and closed.packets_out > 35  # some twenty in each life
    assert lasting.image.rows[1].hears == -1


def test_a_port_that_somebody_took_is_replaced_and_said(lasting: Folded) -> None:
    phone = lasting.call(0)
    lasting.until(lambda: lasting.kinds(m.Latched))
    other = lasting.outage(taken=lasting.ports[0])
    assert other is not None
    lasting.until(lambda: lasting.kinds(m.PortMoved))
    moved = lasting.kinds(m.PortMoved)[0]
    assert (moved.row, moved.generation) == (0, 1) and moved.port not in (lasting.ports[0], 0)
    assert lasting.image.rows[0].open.port == moved.port
    phone.start((HOST, moved.port))
    lasting.plane.command(m.Echo(0, 1))
    said = np.rint(9_000 * np.sin(np.arange(4_000) * 0.3)).astype(np.int16)
    phone.send_audio(said)
    lasting.until(lambda: g711.encode(said[:1_600], 0) in phone.heard_payload()[0])  # there it hears and is heard
    other.close()
    port = lasting.open(5, port=lasting.ports[0])
    other = rtp_ports.bind(HOST, free_port())
    lasting.plane.command(m.OpenLeg(6, 1, HOST, port, 1, 1, 1))  # a new leg never moves: its SDP has gone out
    lasting.until(lambda: lasting.kinds(m.LegFailed))
    assert lasting.kinds(m.LegFailed)[0].row == 6 and len(lasting.kinds(m.PortMoved)) == 1
    other.close()


def test_a_recording_goes_on_with_silence_for_the_outage(lasting: Folded, tmp_path: Path) -> None:
    lasting.call(0)
    lasting.plane.command(m.StartTap(0, 1, 42, "x.wav"))
    path = tmp_path / "x.wav"
    lasting.until(lambda: path.exists() and path.stat().st_size > 6_000)
    before = (path.stat().st_size - 44) // 4
    lasting.outage(0.5)
    size = path.stat().st_size
    lasting.until(lambda: path.stat().st_size > size + 16_000)
    lasting.plane.command(m.StopTap(0, 1, 42))
    lasting.until(lambda: lasting.kinds(m.TapEnded))
    ended = lasting.kinds(m.TapEnded)[-1]
    with wave.open(str(path)) as stream:
        assert stream.getnframes() == ended.duration_ms * 8 and not ended.detail
        both = np.frombuffer(stream.readframes(10**6), np.int16).reshape(-1, 2)
    assert both.shape[0] >= before + 8 * 500 + 2_000  # what was said before, the outage, what came after it


def test_a_clean_end_leaves_no_memory(tmp_path: Path) -> None:
    for forget in (False, True):
        made = Bench(tmp_path, tmp_path / "memory")
        made.plane.stop(forget=forget)
        assert (tmp_path / "memory").exists() is not forget


def test_how_long_a_clip_is(bench: Bench) -> None:
    beep = clips.tone("tone/beep")
    assert beep is not None and bench.plane.clip_ms(2) == len(beep[0]) // 8
    assert bench.plane.clip_ms(77) == bench.plane.clip_ms(-1) == bench.plane.clip_ms(10**9) == 0


def test_a_recording_of_ours_is_played_and_its_memory_used_again(bench: Bench) -> None:
    phone = bench.call(0)
    clip = limits.clips_max - 1
    long, short = np.full(4_000, 5_000, np.int16), np.rint(8_000 * np.sin(np.arange(1_600) * 0.2)).astype(np.int16)
    bench.plane.store_own(clip, clips.encode_both(long))
    taken = bench.plane.metrics()["audio_bytes"]
    bench.plane.store_own(clip, clips.encode_both(short))
    assert bench.plane.metrics()["audio_bytes"] == taken
    bench.until(lambda: bench.plane.clip_ms(clip) == 200)  # the thread writes it
    bench.plane.command(m.Play(0, 1, 1, (clip,)))
    bench.until(lambda: len(phone.heard_payload()[0]) >= 1_600)
    assert phone.heard_payload()[0][:1_600] == g711.encode(short, 0)
    with pytest.raises(LimitExceeded):
        bench.plane.store_own(clip, (bytes(1 << 31), bytes(1)))


def test_clips_of_calls_leave_half_of_the_memory_to_prompts(bench: Bench) -> None:
    """However long what is recorded or fetched may be: the next version of a site finds room for its prompts."""
    size = bench.plane.plane.audio.shape[0]
    quarter = bytes(size // 8)  # in both laws
    bench.plane.store_own(limits.clips_max - 1, (quarter, quarter))
    with pytest.raises(LimitExceeded):
        bench.plane.store_own(limits.clips_max - 2, (quarter + b"x", quarter + b"x"))
    bench.plane.store_own(limits.clips_max - 2, (quarter, quarter))
    with pytest.raises(LimitExceeded):
        bench.plane.store_own(limits.clips_max - 3, (b"x", b"x"))
    bench.plane.store_own(limits.clips_max - 1, (quarter, quarter))  # what one has is its own
    assert bench.plane.metrics()["audio_bytes"] <= size * 3 // 4
