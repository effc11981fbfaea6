"""One RTP leg of a scripted phone: sends what it is told at 50 packets a second, keeps every packet that it hears."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from dataclasses import dataclass

import listening
import numpy as np

from harness.ports import free_port

EVENTS = "0123456789*#ABCD"
SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("=qq")


@dataclass(frozen=True)
class Packet:
    """One RTP packet heard: `at` in seconds (monotonic), as the kernel saw it come."""

    at: float
    kind: int
    marker: bool
    seq: int
    stamp: int
    ssrc: int
    payload: bytes


class Ear:
    """A leg on 127.0.0.1:`port`. `start(host, port)` begins sending; sources are queued by `play` and `press`."""

    def __init__(self, *, codec: int = 0, event: int = 101, ssrc: int = 0x1234, host: str = "127.0.0.1") -> None:
        self.codec, self.event, self.ssrc, self.host = codec, event, ssrc, host
        self.port = free_port(pairs=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, self.port))
        self.sock.settimeout(0.1)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.packets: list[Packet] = []
        self.strange = 0
        self.muted = False
        self.late_s: list[tuple[float, float]] = []  # when a frame left, and how much too late by our own clock
        self._far: tuple[str, int] | None = None
        self._queue = b""
        self._seq, self._stamp = 100, 1000
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._listen, self._send)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, host: str, port: int) -> Ear:
        """Send to host:port from now on (silence until something is played)."""
        self._far = (host, port)
        return self

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(2)
        self.sock.close()

    # --- sending -----------------------------------------------------------------------------------------------
    def play(self, samples: np.ndarray) -> None:
        """Queue samples (8 kHz) behind what is being sent."""
        with self._lock:
            self._queue += listening.encode(samples, self.codec)

    def press(
        self, digits: str, *, length_ms: int = 100, pause_ms: int = 100, markers: bool = True, ends: int = 3,
        shuffle: bool = False, twice: bool = False, skip_first: bool = False,
    ) -> None:  # fmt: skip
        """Send RFC 4733 digits, well or badly: no markers, `ends` of three end packets, reordered, duplicated."""
        for digit in digits:
            packets = self._event_packets(EVENTS.index(digit), length_ms, markers, ends)
            if skip_first:
                packets = packets[1:]
            if shuffle:
                packets[1:4] = reversed(packets[1:4])
            muted, self.muted = self.muted, True  # an event takes the audio's place
            for packet in packets:
                for _ in range(2 if twice else 1):
                    self.raw(packet)
                time.sleep(0.02)
            self.muted = muted
            time.sleep(pause_ms / 1000)

    def _event_packets(self, event: int, length_ms: int, markers: bool, ends: int) -> list[bytes]:
        with self._lock:
            stamp = self._stamp
            seqs = [(self._seq + 1 + i) & 0xFFFF for i in range(length_ms // 20 + 3)]
            self._seq = seqs[-1]
        found = []
        count = length_ms // 20
        for i, seq in enumerate(seqs):
            last = i >= count
            if last and i - count >= ends:
                break
            duration = min(i + 1, count) * 160
            head = self._head(self.event, markers and i == 0, seq, stamp)
            found.append(head + bytes((event, 0x80 | 10 if last else 10)) + duration.to_bytes(2, "big"))
        return found

    def _head(self, kind: int, marker: bool, seq: int, stamp: int) -> bytes:
        return bytes((0x80, kind | (0x80 if marker else 0))) + b"".join(
            (seq.to_bytes(2, "big"), (stamp & 0xFFFFFFFF).to_bytes(4, "big"), self.ssrc.to_bytes(4, "big"))
        )

    def raw(self, data: bytes) -> None:
        """Send these bytes as they are."""
        if self._far is not None:
            self.sock.sendto(data, self._far)

    def stalls(self, since: float) -> float:
        """The share of frames since then that this machine made us send more than 10 ms late."""
        late = [late for at, late in list(self.late_s) if at >= since]
        return sum(each > 0.01 for each in late) / max(1, len(late))

    def _send(self) -> None:
        silence = listening.encode(np.zeros(160), self.codec)
        began, number = time.monotonic(), 0
        while not self._over.is_set():
            number += 1
            time.sleep(max(0.0, began + number * 0.02 - time.monotonic()))
            now = time.monotonic()
            self.late_s.append((now, now - began - number * 0.02))
            with self._lock:
                self._seq = (self._seq + 1) & 0xFFFF
                self._stamp += 160
                frame, self._queue = self._queue[:160], self._queue[160:]
                head = self._head(self.codec, number == 1, self._seq, self._stamp)
            if self._far is not None and not self.muted:
                self.raw(head + frame.ljust(160, silence[:1]))

    # --- hearing ------------------------------------------------------------------------------------------------
    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                data, said_beside, _, _ = self.sock.recvmsg(4096, socket.CMSG_SPACE(_STAMP.size))
            except TimeoutError:
                continue
            except OSError:
                return
            if len(data) < 12 or data[0] >> 6 != 2:
                self.strange += 1
                continue
            at = time.monotonic()
            for level, kind, stamp in said_beside:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                    seconds, nanoseconds = _STAMP.unpack(stamp)
                    at -= max(0.0, time.time() - seconds - nanoseconds / 1e9)
            fields = (int.from_bytes(data[i:j], "big") for i, j in ((2, 4), (4, 8), (8, 12)))
            self.packets.append(Packet(at, data[1] & 0x7F, bool(data[1] & 0x80), *fields, data[12:]))

    def heard(self, *, since: float = 0.0) -> np.ndarray:
        """Everything heard as samples, each packet at its timestamp's place (per SSRC, one after the other)."""
        parts: list[np.ndarray] = []
        audio = [p for p in list(self.packets) if p.kind in (0, 8) and p.at >= since]
        for ssrc in dict.fromkeys(p.ssrc for p in audio):
            mine = [p for p in audio if p.ssrc == ssrc]
            base = mine[0].stamp
            places = [((p.stamp - base + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) for p in mine]
            out = np.zeros(max(0, max(places)) + 4000, np.int16)
            for place, packet in zip(places, mine, strict=True):
                if 0 <= place < out.size - len(packet.payload):
                    out[place : place + len(packet.payload)] = listening.decode(packet.payload, packet.kind)
            parts.append(out)
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def gaps_ms(self, since: float, until: float) -> np.ndarray:
        """Between the packets that came then, one behind another, within a talkspurt. AssertionError when one lacks."""
        audio = [p for p in list(self.packets) if p.kind in (0, 8) and since <= p.at < until]
        pairs = list(itertools.pairwise(audio))
        assert all((b.seq - a.seq) & 0xFFFF == 1 for a, b in pairs), "packets are missing or out of order"
        return np.array([1_000 * (b.at - a.at) for a, b in pairs if not b.marker])

    def digits(self) -> str:
        """The RFC 4733 digits heard, one for each event timestamp."""
        seen: dict[int, str] = {}
        for packet in list(self.packets):
            if packet.kind == self.event and len(packet.payload) >= 4 and packet.payload[0] < 16:
                seen.setdefault(packet.stamp, EVENTS[packet.payload[0]])
        return "".join(seen.values())

    def count(self, *, since: float = 0.0) -> int:
        return sum(p.at >= since for p in list(self.packets))

    def timeline_faults(self) -> list[str]:
        """Breaks of 'one SSRC, sequence and timestamp per leg for life'."""
        faults = []
        audio = [p for p in list(self.packets) if p.kind in (0, 8)]
        if len({p.ssrc for p in audio}) > 1:
            faults.append(f"SSRCs {sorted({p.ssrc for p in audio})}")
        for before, after in itertools.pairwise(audio):
            step = (after.stamp - before.stamp) & 0xFFFFFFFF
            if step == 0 or step > 1 << 31:
                faults.append(f"timestamp {before.stamp} then {after.stamp}")
            elif ((after.seq - before.seq) & 0xFFFF) > 200:
                faults.append(f"sequence {before.seq} then {after.seq}")
        return faults
