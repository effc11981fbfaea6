"""The media plane as the event loop sees it: commands in, events out, one thread of compiled code (DESIGN §2).

Python binds sockets and owns files; the thread owns the columns. A leg's socket is closed here once the thread has
said LegClosed, never before: the thread must not send through a descriptor that has become somebody else's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np

from engine import limits
from engine.errors import LimitExceeded, SiteError
from engine.media import clips as clip_store
from engine.media import columns as c
from engine.media import commands as m
from engine.media import control, reports, rings, wire
from engine.media.image import Image
from engine.rtp.events import DIGITS
from engine.runtime import rtp_loop, rtp_ports
from engine.runtime.ears import Ears
from engine.runtime.mouths import Mouths
from engine.runtime.plane_kernels import warm_kernels
from engine.runtime.plane_keys import PlaneKeys
from engine.runtime.plane_memory import LegMemory, PlaneMemory, together
from engine.runtime.recording_quota import Shelves
from engine.runtime.recordings import Recording, Recordings
from engine.runtime.wav import read_wav

if TYPE_CHECKING:
    from engine.runtime.key_vault import KeyVault

_WORDS = [struct.Struct(f"<{count}q") for count in range(c.COMMAND_WORDS + 1)]
_PRIORITY = -15
_POLL_RECORDS = 256
_PUSH_TRIES = 100
_GAP_MS_MAX = 60_000  # of silence in a recording for an outage


class Prompt(Protocol):
    """What a clip needs of `dialplan.model.PromptModel`."""

    @property
    def clip(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...


class RtpPlane:
    """Legs, clips and recordings of one process.

    `on_events` is called on the event loop when `poll` has something (needs a running loop at `start`); without it,
    watch `event_fd` yourself. All methods belong to one thread.
    """

    def __init__(
        self, *, legs_max: int = 1_024, data_dir: Path = Path(), on_events: Callable[[], None] | None = None,
        taps_max: int = limits.taps_max, memory: Path | None = None, vault: KeyVault | None = None,
        ports: tuple[int, int] = (limits.rtp_port_first, limits.rtp_port_last),
    ) -> None:
        """`memory`: the file in which legs' numbers outlive the process (`plane_memory`). `vault`: SRTP's keys; None:
        nobody's media is encrypted. `ports`: first and last."""
        self.memory = PlaneMemory(memory) if memory is not None else None
        self.plane = c.allocate(self.memory.array if self.memory is not None else None)
        self._range = ports
        # of reports; read once: a clock that is set later must not look like a round trip
        self.plane.settings[c.WALL_US] = (time.time_ns() - time.monotonic_ns()) // 1_000
        self._moving = False  # legs are being restored
        self._before: dict[tuple[int, int], m.LegClosed] = {}
        self._legs_max = min(legs_max, c.LEGS)
        self._commands, self._command_shared = self.plane.commands, self.plane.command_shared
        self._happenings, self._happening_shared = self.plane.happenings, self.plane.happening_shared
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._on_events = on_events
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sockets: dict[int, tuple[m.OpenLeg, socket.socket]] = {}
        self._report_sockets: dict[int, socket.socket] = {}
        self._ports: dict[str, rtp_ports.Ports] = {}
        self._failed: list[m.MediaEvent] = []
        self._held: deque[tuple[int, ...]] = deque()
        self._record = np.zeros(c.COMMAND_WORDS, np.int64)
        self._record_bytes = self._record.view(np.uint8).data
        self._records = np.zeros((_POLL_RECORDS, c.EVENT_WORDS), np.int64)
        self._metrics = np.zeros(c.COUNTERS, np.int64)
        self._taken = 0
        self._waking = False
        self._given = self._asked = self._held_total = 0  # commands put into the ring; until asked; kept back
        self._own_taken = 0  # of it, for clips of calls
        self._own: dict[int, tuple[int, int]] = {}  # clip of a call -> (place, bytes of each law) of its memory
        self._loaded: dict[int, tuple[str, str, int, int]] = {}
        self._digests: dict[int, str] = {}  # of what is loaded: the same recording may lie elsewhere, as a kept version
        self._recordings = Recordings(data_dir, self._announce)
        self._taps: dict[int, Recording] = {}
        self._free_taps = list(range(min(taps_max, c.TAPS) - 1, -1, -1))
        self._tap_frames = np.zeros((c.TAP_RING_FRAMES, 2 * c.TAP_FRAME), np.int16)
        self.keys = PlaneKeys(vault, self._push)
        self._dead: LegMemory | None = None  # while legs are being restored
        self.ears = Ears(self.plane, self.command)
        self.mouths = Mouths(self.plane, self.command)
        self._handlers: dict[type, Callable[[Any], None]] = {
            m.OpenLeg: self._open, m.SetLeg: self._set, m.Play: self._play,
            m.Stop: lambda command: self._push((control.STOP, command.row, command.generation)),
            m.Echo: lambda command: self._push((control.ECHO, command.row, command.generation)),
            m.Bridge: self._bridge, m.Hear: self._hear,
            m.SendDigits: lambda command: self._push(wire.pack_digits(command)),
            m.StartTap: self._start_tap, m.PauseTap: self._pause_tap, m.StopTap: self._stop_tap,
            m.Mix: lambda command: self._push(wire.pack_mix(command)),
            m.StartEar: lambda command: self._push((
                control.START_EAR, command.row, command.generation, command.ear, command.token
            )),
            m.StopEar: lambda command: self._push((control.STOP_EAR, command.row, command.generation, command.ear)),
            m.StartMouth: lambda command: self._push((
                control.START_MOUTH, command.row, command.generation, command.mouth, command.first
            )),
            m.StopMouth: lambda each: self._push((control.STOP_MOUTH, each.row, each.generation, each.mouth)),
            m.ClearMouth: lambda command: self._push((
                control.CLEAR_MOUTH, command.row, command.generation, command.mouth, command.upto
            )),
            m.CloseLeg: lambda command: self._push((control.CLOSE_LEG, command.row, command.generation)),
        }
        self._store_dtmf()

    # --- life -------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the thread (kernels compile now if `warm` hasn't run) and, with `on_events`, watch `event_fd`."""
        if self._on_events is not None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self.event_fd, self._on_events)
        warm_kernels(self.plane)
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # needs CAP_SYS_NICE; without it the plane only loses under load
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PRIORITY)
        with contextlib.suppress(OSError):  # so that top -H and a debugger show which one it is
            Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("media")
        rtp_loop.serve(self.plane, self._wake_fd, self.event_fd)

    def stop(self, *, forget: bool = True) -> None:
        """End the thread, close every socket and file. No events come for legs that were open.

        `forget` False leaves the legs' numbers to the program that goes on with them.
        """
        if forget and self.memory is not None:
            self.memory.forget()
        if self._thread is not None:
            self._push((control.HALT,))
            self._wake()
            self._thread.join()
            self._thread = None
        if self._loop is not None:
            self._loop.remove_reader(self.event_fd)
            self._loop = None
        for recording in self._taps.values():
            self._recordings.append(recording, b"", True)
        self._taps.clear()
        self._recordings.stop()
        for bound in (*(each for _, each in self._sockets.values()), *self._report_sockets.values()):
            bound.close()
        self._sockets.clear()
        self._report_sockets.clear()
        for ports in self._ports.values():
            ports.close()
        for fd in (self.event_fd, self._wake_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._wake_fd = -1  # a wake-up still scheduled must not write into a descriptor that is somebody else's by then

    def restore(self, image: Image, now_ms: int, broke_ms: int, dead: LegMemory, down_ms: int) -> None:
        """Set the plane as the dead one was (clips are loaded, nothing else has happened yet).

        A port that somebody took meanwhile is replaced (PortMoved). Recordings go on in their files, with silence for
        the outage.
        """
        self._moving, self._dead = True, dead
        for command in image.rebuild(now_ms, broke_ms, self.clip_ms, dead.timelines):
            self.command(command)
        self._moving, self._dead = False, None
        self._before = dict(dead.closed)
        for row in image.rows.values():
            if row.tap is not None and row.open.row in self._sockets:
                self._start_tap(row.tap, gap_ms=down_ms)
                if row.tap_paused:
                    self._pause_tap(m.PauseTap(row.tap.row, row.tap.generation, row.tap.tap, True))

    def clip_ms(self, clip: int) -> int:
        """A loaded clip's length, 0 for an unknown one."""
        return int(self.plane.clips[clip, c.CLIP_LENGTH]) // 8 if 0 <= clip < limits.clips_max else 0

    def _announce(self) -> None:
        with contextlib.suppress(OSError):
            os.eventfd_write(self.event_fd, 1)

    # --- commands -----------------------------------------------------------------------------------------
    def command(self, command: m.MediaCommand | m.Wiring) -> None:
        """Give one command to the thread. Never raises for what a command says: failures come as events."""
        self._handlers[type(command)](command)

    def _push(self, words: tuple[int, ...]) -> None:
        if self._held or not self._try_push(words):
            self._held.append(words)
            self._held_total += 1
            self._release_held()
        if self._loop is None:
            self._wake()
        elif not self._waking:  # one wake-up for all commands of this turn of the event loop: it costs a system call
            self._waking = True
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._waking = False
        if self._wake_fd >= 0:  # stopped: nobody is left to wake
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake_fd, 1)

    def _try_push(self, words: tuple[int, ...]) -> bool:
        _WORDS[len(words)].pack_into(self._record_bytes, 0, *words)
        pushed = rings.push(self._commands, self._command_shared, self._record, 0)
        if words[0] == control.SET_KEY:
            self._record[:] = 0
        self._given += pushed
        return pushed

    def sign_of_life(self) -> bool:
        """Has the thread taken what it was asked to take the last time? Then it is asked again. Call it regularly."""
        if self._thread is None or self._given - rings.waiting(self._command_shared) < self._asked:
            return False
        self._push((control.NO_COMMAND,))
        self._asked = self._given
        return True

    def _release_held(self) -> None:
        """Push commands that found the ring full, in order; the thread's NUDGE brings us back for the rest."""
        while self._held and self._try_push(self._held[0]):
            self._held.popleft()

    def _open(self, command: m.OpenLeg) -> None:
        if command.row in self._sockets or not 0 <= command.row < self._legs_max:
            self._fail(command, "the row is in use" if command.row in self._sockets else "no such row")
            return
        ports = self._ports.get(command.host)
        bound = ports.take(command.port) if ports is not None else None
        if bound is None:
            try:
                bound = rtp_ports.bind(command.host, command.port)
            except (OSError, OverflowError) as error:
                moved = self._elsewhere(command)
                if moved is None:
                    self._fail(command, f"{command.host}:{command.port}: {error}")
                    return
                command, bound = moved
        self._sockets[command.row] = (command, bound)
        reports = rtp_ports.reports_of(command.host, command.port)
        if reports is not None:
            self._report_sockets[command.row] = reports
        self._push((
            control.OPEN_LEG, command.row, command.generation, bound.fileno(), command.ssrc, command.sequence,
            command.timestamp, reports.fileno() + 1 if reports is not None else 0, *wire.pack_name(os.urandom(12)),
        ))

    def _set(self, command: m.SetLeg) -> None:
        dead = self._dead.indices.get((command.row, command.generation)) if self._dead is not None else None
        if command.row not in self._sockets or self._sockets[command.row][0].generation != command.generation:
            self.keys.refuse(command)  # it couldn't be opened, or is gone
        elif not self.keys.agree(command, dead, restoring=self._moving) and self._moving:
            self._failed.append(m.KeysLost(command.row, command.generation))
            self._announce()
        self._push(wire.pack_set(command))

    def _elsewhere(self, command: m.OpenLeg) -> tuple[m.OpenLeg, socket.socket] | None:
        """A leg that is being restored gets another port; a new one never does, its SDP has gone out already."""
        if not self._moving:
            return None
        ports = self._ports_of(command.host)
        with contextlib.suppress(OSError):
            found = ports.spare()
            if found is not None:
                self._failed.append(m.PortMoved(command.row, command.generation, found[0]))
                self._announce()
                return msgspec.structs.replace(command, port=found[0]), found[1]
        return None

    def _ports_of(self, host: str) -> rtp_ports.Ports:
        if host not in self._ports:
            self._ports[host] = rtp_ports.Ports(host, first=self._range[0], last=self._range[1])
        return self._ports[host]

    def prepare_ports(self, host: str) -> tuple[int, ...]:
        """Bind more RTP ports of `host` when few are left: the new ones, for the Switch to hand out (or none).

        Raises OSError when the address is none of this machine's.
        """
        ports = self._ports_of(host)
        return ports.prepare() if ports.low() else ()

    def _fail(self, command: m.OpenLeg, detail: str) -> None:
        self._failed.append(m.LegFailed(command.row, command.generation, detail))
        self._announce()

    def _play(self, command: m.Play) -> None:
        clips = command.clips
        while len(clips) > control.PLAY_CLIPS_MAX:
            staged, clips = clips[: control.PLAY_CLIPS_MAX], clips[control.PLAY_CLIPS_MAX :]
            self._push((
                control.STAGE_CLIPS, command.row, command.generation, 0, 0, 0, len(staged), *wire.pack_clips(staged)
            ))
        flags = control.FLAG_LOOP * command.loop + control.FLAG_STOP_ON_DIGIT * command.stop_on_digit
        self._push((
            control.PLAY, command.row, command.generation, command.ticket, flags, command.start_ms * 8, len(clips),
            *wire.pack_clips(clips),
        ))

    def _bridge(self, command: m.Bridge) -> None:
        self._push((control.BRIDGE, command.row_a, command.generation_a, command.row_b, command.generation_b))

    def _hear(self, command: m.Hear) -> None:
        self._push((control.HEAR, command.row, command.generation, command.source, command.source_generation))

    # --- recordings -----------------------------------------------------------------------------------------
    @property
    def shelves(self) -> Shelves:
        """How much recordings may take, and what has given way."""
        return self._recordings.shelves

    def _start_tap(self, command: m.StartTap, gap_ms: int = -1) -> None:
        recording = Recording(command.row, command.generation, command.tap, command.name)
        if gap_ms >= 0:
            recording.goes_on = True
            self._recordings.append(recording, bytes(min(gap_ms, _GAP_MS_MAX) * 8 * 4), False)
        if not self._free_taps:
            recording.detail = "too many recordings at once"
            self._recordings.append(recording, b"", True)
            return
        slot = self._free_taps.pop()
        self._taps[slot] = recording
        self._push((control.START_TAP, command.row, command.generation, slot))

    def _slot_of(self, command: m.PauseTap | m.StopTap) -> int:
        for slot, recording in self._taps.items():
            if (recording.row, recording.generation, recording.tap) == (command.row, command.generation, command.tap):
                return slot
        return -1

    def _pause_tap(self, command: m.PauseTap) -> None:
        slot = self._slot_of(command)
        self._push((control.PAUSE_TAP, command.row, command.generation, slot, int(command.paused)))

    def _stop_tap(self, command: m.StopTap) -> None:
        self._push((control.STOP_TAP, command.row, command.generation, self._slot_of(command)))

    def _drain_tap(self, slot: int, last: bool, owed: int, failed: bool) -> None:
        recording = self._taps.get(slot)
        if recording is None:
            return
        count = rings.pop_many(self.plane.tap_frames[slot], self.plane.tap_shared[slot], self._tap_frames)
        interleaved = self._tap_frames[:count].tobytes() + bytes(4 * c.TAP_FRAME * owed)
        if failed:
            recording.detail = recording.detail or "the leg is gone or recorded already"
        self._recordings.append(recording, interleaved, last)
        if last:
            del self._taps[slot]
            self._free_taps.append(slot)

    # --- events ---------------------------------------------------------------------------------------------
    def poll(self) -> list[m.MediaEvent]:
        """Everything that has happened since the last call, in order."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.event_fd)
        happened, self._failed = self._failed, []
        records = self._records
        while True:
            count = rings.pop_many(self._happenings, self._happening_shared, records)
            for words in records[:count].tolist():
                event = wire.unpack_event(words)
                if event is None:
                    self._mind(words)
                elif words[0] == rings.LEG_CLOSED:
                    happened.append(self._closed(event))
                else:
                    happened.append(event)
            if count < _POLL_RECORDS:
                break
        while self._recordings.ended:
            happened.append(self._recordings.ended.popleft())
        if self._held:
            self._release_held()
            self._wake()
        return happened

    def _closed(self, event: m.MediaEvent) -> m.MediaEvent:
        """A leg's last figures; with those of its life in an engine before this one."""
        assert isinstance(event, m.LegClosed)
        self._close_socket(event.row)
        before = self._before.pop((event.row, event.generation), None) if self._before else None
        return together(before, event) if before is not None else event

    def _close_socket(self, row: int) -> None:
        """The thread has let go of the leg: the port rests."""
        opened, bound = self._sockets.pop(row)
        bound.close()
        self.keys.ended(row)
        reports = self._report_sockets.pop(row, None)
        if reports is not None:
            reports.close()
        ports = self._ports.get(opened.host)
        if ports is not None:
            ports.give_back(opened.port)

    def _mind(self, words: list[int]) -> None:
        """Records that concern only the runtime."""
        if words[0] == rings.TAP_READY:
            self._drain_tap(words[3], False, 0, False)
        elif words[0] == rings.TAP_DONE:
            self._drain_tap(words[3], True, words[5], words[4] < 0)
        elif words[0] == rings.EAR_DONE:
            self.ears.ended(words[3])
        elif words[0] == rings.MOUTH_DONE:
            self.mouths.ended(words[3])

    # --- clips ------------------------------------------------------------------------------------------------
    def load_clips(self, prompts: Mapping[int, Prompt] | Iterable[Prompt]) -> list[str]:
        """Load clips that are new or whose file changed; returns what could not be loaded, in words.

        A clip that fails keeps its earlier audio, or is skipped when played. A replaced clip's memory isn't used
        again while the process lives: somebody may be hearing it.
        """
        problems = []
        for prompt in prompts.values() if isinstance(prompts, Mapping) else prompts:
            try:
                self._load(prompt)
            except (SiteError, LimitExceeded) as error:
                problems.append(f"{prompt.name}: {error}")
        return problems

    def _load(self, prompt: Prompt) -> None:
        if not 0 <= prompt.clip < limits.clips_max - limits.own_clips_max:
            raise LimitExceeded("clips_max", limits.clips_max)
        if not prompt.path:
            key = (prompt.name, "", 0, 0)
            if self._loaded.get(prompt.clip) == key:
                return
            both = clip_store.tone(prompt.name)
            if both is None:
                raise SiteError("neither a file nor a known tone")
        else:
            path = Path(prompt.path)
            try:
                stat = path.stat()
            except OSError as error:
                raise SiteError(f"{path}: {error.strerror}") from error
            key = (prompt.name, prompt.path, stat.st_mtime_ns, stat.st_size)
            before, digest = self._loaded.get(prompt.clip), getattr(prompt, "sha256", "")
            moved = before is not None and before[1] != prompt.path and digest == self._digests.get(prompt.clip)
            if before == key or (digest and moved):
                self._loaded[prompt.clip] = key
                return
            both = clip_store.encode_both(read_wav(path))
        self._store(prompt.clip, both)
        self._loaded[prompt.clip], self._digests[prompt.clip] = key, getattr(prompt, "sha256", "")

    def store_own(self, clip: int, both: tuple[bytes, bytes]) -> None:
        """A recording in (µ-law, A-law) as the clip of one call; whoever had this number before hears it no more, so
        its memory is used again. Raises LimitExceeded."""
        length = len(both[0])
        place, room = self._own.get(clip, (0, 0))
        if length > room:
            room = 1 << max(15, (length - 1).bit_length())
            share = self.plane.audio.shape[0] // 2  # the rest is the prompts' of the site, of the next version, too
            if self._own_taken + 2 * room > share or self._taken + 2 * room > self.plane.audio.shape[0]:
                raise LimitExceeded("audio_bytes", share)
            place, self._taken = self._taken, self._taken + 2 * room
            self._own_taken += 2 * room
            self._own[clip] = (place, room)
        self._put(clip, both, (place, place + room))

    def _store(self, clip: int, both: tuple[bytes, bytes]) -> None:
        length = len(both[0])
        places = (self._taken, self._taken + length)
        if places[1] + length > self.plane.audio.shape[0]:
            raise LimitExceeded("audio_bytes", self.plane.audio.shape[0])
        self._taken += 2 * length
        self._put(clip, both, places)

    def _put(self, clip: int, both: tuple[bytes, bytes], places: tuple[int, int]) -> None:
        length, audio = len(both[0]), self.plane.audio
        for place, octets in zip(places, both, strict=True):
            audio[place : place + length] = np.frombuffer(octets, np.uint8)
        if self._thread is None:
            self.plane.clips[clip, :3] = (*places, length)
        else:  # the thread alone writes its columns once it runs
            for _ in range(_PUSH_TRIES):
                if not self._held and rings.waiting(self._command_shared) < c.COMMAND_SIZE // 2:
                    break
                time.sleep(0.001)
            self._push((control.SET_CLIP, clip, 0, *places, length))

    def _store_dtmf(self) -> None:
        for code, digit in enumerate(DIGITS):
            self._store(c.DTMF_CLIPS + code, clip_store.encode_both(clip_store.dtmf(digit)))

    # --- figures ------------------------------------------------------------------------------------------------
    def live(self, row: int, generation: int) -> m.LegClosed | None:
        """A leg's figures so far, at most a second old; None when there are none (yet)."""
        if not 0 <= row < self._legs_max:
            return None
        figures = np.zeros(reports.FIGURES, np.int64)
        reports.read_live(self.plane.live_shared[row], figures)
        words: list[int] = figures.tolist()
        words[1] = row
        return wire.closed(words) if words[2] == generation else None

    def metrics(self) -> dict[str, int]:
        """Counters since start, as of the last tick. Lateness in microseconds."""
        rings.read_metrics(self.plane.metrics_shared, self._metrics)
        figures: list[int] = self._metrics.tolist()
        ticks = max(figures[c.TICKS], 1)
        return {
            "legs": figures[c.ACTIVE],
            "ticks": figures[c.TICKS],
            "ticks_missed": figures[c.TICKS_MISSED],
            "frames_missed": figures[c.FRAMES_MISSED],
            "tick_late_us_max": figures[c.LATE_US_MAX],
            "tick_late_us_sum": figures[c.LATE_US_SUM],
            "tick_late_us_mean": figures[c.LATE_US_SUM] // ticks,
            "packets_in": figures[c.PACKETS_RECEIVED],
            "packets_out": figures[c.PACKETS_SENT],
            "packets_ignored": figures[c.PACKETS_IGNORED],
            "send_failed": figures[c.SEND_FAILED],
            "commands": figures[c.COMMANDS_DONE],
            "commands_late": figures[c.COMMANDS_LATE],
            "commands_waiting": rings.waiting(self._command_shared) + len(self._held),
            "commands_held": self._held_total,
            "events": figures[c.EVENTS_PUSHED],
            "events_waiting": rings.waiting(self._happening_shared),
            "events_refused": figures[c.EVENTS_REFUSED],
            "events_lost": figures[c.EVENTS_LOST],
            "playout_free": figures[c.FREE_SLOTS],
            "playout_exhausted": figures[c.SLOTS_EXHAUSTED],
            "ears": figures[c.EARS_RUNNING],
            "ear_frames_lost": figures[c.EAR_FRAMES_LOST],
            "recordings": figures[c.TAPS_RUNNING],
            "reports_in": figures[c.REPORTS_HEARD],
            "reports_out": figures[c.REPORTS_SENT],
            "audio_bytes": self._taken,
        }
