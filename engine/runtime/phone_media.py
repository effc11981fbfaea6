"""A test phone's RTP: one thread that sends 20 ms frames on an absolute clock and keeps what it hears.

`PhoneMedia.heard` and its like are for tests; a phone that acts on what it hears passes `heard=` and gets each packet's
payload, in order, with silence for what is missing. For `ringdown dial`, tools and tests; the engine's own legs run in
`rtp_plane`, whose kernels it shares nothing with but the G.711 tables: each can find the other's faults.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.media import g711
from engine.rtp.events import DIGITS
from engine.sdp.negotiation import Agreed

Samples = npt.NDArray[np.int16]
_HEADER = struct.Struct(">BBHII")
_EVENT = struct.Struct(">BBH")
_GAP_SAMPLES_MAX = 80_000  # a longer jump of the timestamp is a new timeline, not silence
_LATE_S_MAX = 0.5


class PhoneMedia:
    """One RTP endpoint: bound and hearing at once (`port=0` chooses one), sending after `start` or `agree`.

    `heard` is called on the event loop that ran at construction, or in the phone's thread when none did.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, ssrc: int = 0x70686F6E,
                 heard: Callable[[bytes], None] | None = None) -> None:
        self._heard = heard
        self._loop: asyncio.AbstractEventLoop | None = None
        if heard is not None:
            with contextlib.suppress(RuntimeError):
                self._loop = asyncio.get_running_loop()
        self._expected: tuple[int, int] = (-1, 0)  # SSRC and timestamp of the packet that comes next
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.setblocking(False)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        self._packets: list[tuple[float, bytes]] = []
        self._audio = np.zeros(0, np.int16)
        self._events: list[bytes] = []  # telephone-event packets to send, one a frame; b"" is a pause
        self._remote: tuple[str, int] | None = None
        self._payload_type, self._law, self._event_type, self._frame = 0, g711.MU_LAW, 101, 160
        self._ssrc, self._sequence, self._timestamp, self._event_timestamp = ssrc, 0, 0, 0
        self._marker = True
        self.muted = False  # a muted phone sends nothing at all
        self.sent = 0
        self._running = True
        self._thread = threading.Thread(target=self._run, name="phone media", daemon=True)
        self._thread.start()

    def start(self, remote: tuple[str, int], payload_type: int = 0, *, codec: int = -1, events: int = 101,
              frame_ms: int = 20) -> None:
        """Send to `remote` from now on: silence, unless there is audio. `codec` 0 or 8 if the payload type isn't it."""
        with self._lock:
            self._payload_type = payload_type
            self._law = g711.law_of(payload_type if codec < 0 else codec)
            self._event_type, self._frame = events, frame_ms * 8
            self._remote = remote

    def agree(self, agreed: Agreed) -> None:
        """Take over the result of an offer/answer. Sending stops while we may not send."""
        self.start(
            (agreed.host, agreed.port), agreed.payload_type_out, codec=agreed.codec, events=agreed.events_out,
            frame_ms=agreed.frame_ms_out,
        )
        if agreed.direction not in ("sendrecv", "sendonly") or agreed.port == 0:
            with self._lock:
                self._remote = None

    def press(self, key: str) -> None:
        """`send_digits` of one key."""
        self.send_digits(key)

    def speak(self, samples: Samples) -> None:
        """`send_audio` under the name of what a person does."""
        self.send_audio(samples)

    def close(self) -> None:
        """`stop`."""
        self.stop()

    def send_audio(self, samples: Samples) -> None:
        """Append 8 kHz samples to what is being said."""
        with self._lock:
            self._audio = np.concatenate([self._audio, samples.astype(np.int16)])

    def saying(self) -> bool:
        """Is there audio or a digit still to be sent?"""
        with self._lock:
            return self._audio.size > 0 or bool(self._events)

    def send_digits(self, digits: str, *, on_ms: int = 100, gap_ms: int = 80) -> None:
        """Append RFC 4733 presses, over whatever is being said."""
        with self._lock:
            for digit in digits:
                code, steps = DIGITS.index(digit.upper()), max(on_ms // 20, 2)
                durations = [160 * step for step in range(1, steps + 1)]
                self._events += [_EVENT.pack(code, 10, duration) for duration in durations[:-1]]
                self._events += [_EVENT.pack(code, 0x8A, durations[-1])] * 3
                self._events += [b""] * (gap_ms // 20)

    # --- what came -----------------------------------------------------------------------------------------
    def _audio_packets(self) -> list[tuple[float, int, int, int, bytes]]:
        """(arrival s, payload type, SSRC, timestamp, payload) of the audio packets, by arrival."""
        with self._lock:
            packets = list(self._packets)
        found = []
        for arrived, packet in packets:
            _, second, _, timestamp, ssrc = _HEADER.unpack_from(packet)
            if second & 0x7F != self._event_type:
                found.append((arrived, second & 0x7F, ssrc, timestamp, packet[12:]))
        return found

    def heard_payload(self) -> tuple[bytes, list[float]]:
        """(payload bytes of the audio in the order of arrival, gaps between arrivals in ms)."""
        packets = self._audio_packets()
        gaps = [(later[0] - earlier[0]) * 1_000 for earlier, later in pairwise(packets)]
        return b"".join(packet[4] for packet in packets), gaps

    def heard(self) -> Samples:
        """What was heard, placed by timestamps: 8 kHz int16, pauses and losses as silence."""
        parts: list[Samples] = []
        expected, known = 0, -1
        for _, _, ssrc, timestamp, payload in self._audio_packets():
            ahead = (timestamp - expected + 0x80000000) % 0x100000000 - 0x80000000 if ssrc == known else 0
            if 0 < ahead <= _GAP_SAMPLES_MAX:
                parts.append(np.zeros(ahead, np.int16))
            elif -_GAP_SAMPLES_MAX < ahead < 0:
                continue  # late or twice
            parts.append(g711.decode(payload, self._law))
            expected, known = (timestamp + len(payload)) & 0xFFFFFFFF, ssrc
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def heard_digits(self) -> str:
        """The RFC 4733 presses heard: one for each event timestamp."""
        with self._lock:
            packets = list(self._packets)
        found: dict[int, str] = {}
        for _, packet in packets:
            _, second, _, timestamp, _ = _HEADER.unpack_from(packet)
            if second & 0x7F == self._event_type and len(packet) >= 16 and packet[12] < len(DIGITS):
                found.setdefault(timestamp, DIGITS[packet[12]])
        return "".join(found.values())

    def heard_packets(self) -> list[tuple[float, bytes]]:
        """Every datagram as it came: (monotonic seconds, bytes)."""
        with self._lock:
            return list(self._packets)

    def forget(self) -> None:
        """Drop what was heard so far."""
        with self._lock:
            self._packets.clear()

    def stop(self) -> None:
        """End the thread and close the socket; what was heard stays readable."""
        self._running = False
        self._thread.join()
        self._socket.close()

    # --- the thread ------------------------------------------------------------------------------------------
    def _run(self) -> None:
        due = time.monotonic()
        while self._running:
            wait = due - time.monotonic()
            if wait > 0:
                if select.select([self._socket], [], [], min(wait, 0.1))[0]:
                    self._receive()
                continue
            with self._lock:
                self._send_frame()
                due += self._frame / 8_000
            if due < time.monotonic() - _LATE_S_MAX:
                due = time.monotonic()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                packet = self._socket.recv(2_048)
                if len(packet) >= 12 and packet[0] >> 6 == 2:
                    with self._lock:
                        self._packets.append((time.monotonic(), packet))
                    if self._heard is not None:
                        self._tell(packet)

    def _tell(self, packet: bytes) -> None:
        """Hand the packet's audio on, with silence for what is missing before it."""
        _, second, _, timestamp, ssrc = _HEADER.unpack_from(packet)
        payload = packet[12:]
        if second & 0x7F == self._event_type or not payload:
            return
        known, expected = self._expected
        ahead = (timestamp - expected + 0x80000000) % 0x100000000 - 0x80000000 if ssrc == known else 0
        if -_GAP_SAMPLES_MAX < ahead < 0:
            return
        self._expected = (ssrc, (timestamp + len(payload)) & 0xFFFFFFFF)
        if 0 < ahead <= _GAP_SAMPLES_MAX:
            self._hand_on(bytes([g711.SILENCE[self._law]]) * ahead)
        self._hand_on(payload)

    def _hand_on(self, payload: bytes) -> None:
        assert self._heard is not None
        if self._loop is None:
            self._heard(payload)
        else:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._heard, payload)

    def _send_frame(self) -> None:
        if self._remote is None:
            return
        if self._events:
            event = self._events.pop(0)
            fresh = event[2:] == b"\x00\xa0"
            if fresh:
                self._event_timestamp = self._timestamp
            if event:
                self._emit(self._event_type, self._event_timestamp, fresh, event)
        else:
            said, self._audio = self._audio[: self._frame], self._audio[self._frame :]
            if not self.muted:
                frame = np.zeros(self._frame, np.int16)
                frame[: said.size] = said
                self._emit(self._payload_type, self._timestamp, self._marker, g711.encode(frame, self._law))
                self._marker = False
        self._timestamp = (self._timestamp + self._frame) & 0xFFFFFFFF

    def _emit(self, payload_type: int, timestamp: int, marker: bool, payload: bytes) -> None:
        header = _HEADER.pack(0x80, payload_type | (0x80 if marker else 0), self._sequence, timestamp, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        with contextlib.suppress(OSError):
            self._socket.sendto(header + payload, self._remote or ("", 0))
            self.sent += 1
