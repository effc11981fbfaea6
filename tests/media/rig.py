"""A media plane under a virtual clock: the pure kernels driven as the loop drives them, without sockets or threads."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.media import clips, control, ears, g711, mouths, receive, rings, tick, wire
from engine.media import columns as c
from engine.media import commands as m

FAR = "192.0.2.10"
K_US = 10_000


@dataclass
class Sent:
    """A packet the plane sent: parsed, with the row and the virtual time (us)."""

    row: int
    at_us: int
    to: tuple[str, int]
    marker: int
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def rtp(sequence: int, timestamp: int, payload: bytes = b"\x55" * 160, *, ssrc: int = 99, payload_type: int = 0,
        marker: int = 0) -> bytes:
    """A plain RTP packet."""
    return struct.pack(
        ">BBHII", 0x80, marker << 7 | payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
    ) + payload


@dataclass
class Report:
    """An RTCP packet the plane sent: when, where to, what."""

    at_us: int
    to: tuple[str, int]
    data: bytes


@dataclass
class Rig:
    plane: Any = field(default_factory=c.allocate)
    now_us: int = 1_000_000_000
    sent: list[Sent] = field(default_factory=list)
    events: list[m.MediaEvent] = field(default_factory=list)
    raw: list[list[int]] = field(default_factory=list)
    todo: list[int] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    taken: int = 0

    def __post_init__(self) -> None:
        self.plane.counters[c.TICK_US] = self.now_us
        for code in range(16):
            self.clip(c.DTMF_CLIPS + code, clips.dtmf("0123456789*#ABCD"[code], 0.2))

    @property
    def k(self) -> int:
        return (self.now_us - int(self.plane.counters[c.TICK_US])) // K_US

    # --- commands ---
    def apply(self, *words: int) -> int:
        record = np.zeros(c.COMMAND_WORDS, np.int64)
        record[: len(words)] = words
        done = int(control.apply(self.plane, record, self.now_us))
        self._collect()
        return done

    def clip(self, number: int, samples: np.ndarray) -> None:
        mu, a = clips.encode_both(samples)
        self.plane.audio[self.taken : self.taken + len(mu)] = np.frombuffer(mu, np.uint8)
        self.plane.audio[self.taken + len(mu) : self.taken + 2 * len(mu)] = np.frombuffer(a, np.uint8)
        self.apply(control.SET_CLIP, number, 0, self.taken, self.taken + len(mu), len(mu))
        self.taken += 2 * len(mu)

    def open(self, row: int = 0, generation: int = 1, *, sequence: int = 100, timestamp: int = 1_000) -> None:
        self.apply(
            control.OPEN_LEG, row, generation, 50 + row, 0xABC0 + row, sequence, timestamp, 90 + row,
            *wire.pack_name(b"twelve bytes"),
        )

    def set(self, row: int = 0, generation: int = 1, **changes: Any) -> None:
        settings: dict[str, Any] = {
            "host": FAR, "port": 4_000 + row, "codec_out": 0, "payload_type_out": 0, "codecs_in": ((0, 0), (8, 8)),
            "events_in": 101, "events_out": 101, "frame_ms_out": 20, "send": True, "receive": True,
        }
        self.apply(*wire.pack_set(m.SetLeg(row, generation, **(settings | changes))))

    def leg(self, row: int = 0, **changes: Any) -> None:
        self.open(row)
        self.set(row, **changes)

    def play(self, *numbers: int, row: int = 0, ticket: int = 1, flags: int = 0, start: int = 0) -> None:
        self.apply(control.PLAY, row, 1, ticket, flags, start, len(numbers), *wire.pack_clips(numbers))

    def bridge(self, one: int = 0, other: int = 1) -> None:
        self.apply(control.BRIDGE, one, 1, other, 1)

    def mix(self, *parties: tuple[int, tuple[int, ...]], number: int = 0) -> None:
        """Rows with the rows that each hears."""
        found = tuple(m.MixParty(row, 1, ears) for row, ears in parties)
        self.apply(*wire.pack_mix(m.Mix(number, found)))

    def digits(self, keys: str, row: int = 0, on_ms: int = 100, gap_ms: int = 60) -> None:
        self.apply(*wire.pack_digits(m.SendDigits(row, 1, keys, on_ms, gap_ms)))

    # --- time and packets ---
    def receive_report(self, data: bytes, row: int = 0, *, host: str = FAR, port: int = -1) -> None:
        """A datagram arrives now on the row's port for reports."""
        datagram = np.frombuffer(data.ljust(2_048, b"\xaa"), np.uint8).copy()
        length, words = wire.pack_address(host, 4_001 + row if port < 0 else port)
        source = np.frombuffer(struct.pack("<4q", *words), np.uint8).copy()
        receive.receive_report(self.plane, row, datagram, len(data), source, length, self.now_us)
        self._collect()

    def receive(self, data: bytes, row: int = 0, *, host: str = FAR, port: int = -1) -> list[Sent]:
        """A datagram arrives now; returns what was sent on."""
        before = len(self.sent)
        datagram = np.frombuffer(data.ljust(2_048, b"\xaa"), np.uint8).copy()
        length, words = wire.pack_address(host, 4_000 + row if port < 0 else port)
        source = np.frombuffer(struct.pack("<4q", *words), np.uint8).copy()
        receive.receive(self.plane, row, datagram, len(data), source, length, self.now_us)
        self._collect()
        return self.sent[before:]

    def tick(self, times: int = 1, *, fine: bool = False) -> list[Sent]:
        """Pass 20 ms (10 if `fine`) and tick, `times` times; returns what was sent."""
        before = len(self.sent)
        for _ in range(times):
            self.now_us += K_US if fine else 2 * K_US
            self.plane.counters[c.TICK_K] = self.k
            tick.tick_mixes(self.plane, self.k)
            for index in range(int(self.plane.counters[c.ACTIVE]) - 1, -1, -1):
                tick.tick_leg(self.plane, int(self.plane.active[index]), self.k, self.now_us, self.now_us)
                self._collect()
            for tap in range(4):
                tick.tick_tap(self.plane, tap, self.k)
            for ear in range(4):
                ears.pass_time(self.plane, ear, self.now_us)
            for mouth in range(4):
                mouths.finish(self.plane, mouth)
            self._collect()
        return self.sent[before:]

    def _collect(self) -> None:
        p = self.plane
        for slot in range(int(p.counters[c.OUT_COUNT])):
            row, length = int(p.out_legs[slot, 0]), int(p.out_legs[slot, 1])
            data = bytes(p.out[slot, :length])
            _, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
            address = np.asarray(p.addresses[row, c.CURRENT]).view(np.int64).tolist()
            to = wire.unpack_address(int(p.legs[row, c.CURRENT_LENGTH]), address)
            self.sent.append(Sent(
                row, self.now_us, to, second >> 7, second & 127, sequence, timestamp, ssrc, data[12:]
            ))
        p.counters[c.OUT_COUNT] = 0
        if p.counters[c.REPORT_BYTES]:
            address = np.asarray(p.report_address).view(np.int64).tolist()
            self.reports.append(Report(
                self.now_us, wire.unpack_address(16, address), bytes(p.report[: int(p.counters[c.REPORT_BYTES])])
            ))
            p.counters[c.REPORT_BYTES] = 0
        record = np.zeros(c.EVENT_WORDS, np.int64)
        while rings.pop(p.happenings, p.happening_shared, record):
            words = record.tolist()
            event = wire.unpack_event(words)
            self.raw.append(words)
            if event is not None:
                self.events.append(event)

    def take(self, kind: type) -> list[Any]:
        """The events of one kind so far, taken out."""
        found = [event for event in self.events if isinstance(event, kind)]
        self.events = [event for event in self.events if not isinstance(event, kind)]
        return found


def tone(seconds: float, hertz: float = 440.0, peak: float = 8_000.0) -> np.ndarray:
    """A sine as int16."""
    return np.rint(peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 8_000)) / 8_000)).astype(np.int16)


def encoded(samples: np.ndarray, law: int = 0) -> bytes:
    return g711.encode(samples, law)
