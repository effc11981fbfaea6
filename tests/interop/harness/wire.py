"""What really crosses the loopback interface: RTP between two ports, seen beside both ends of it.

For peers that tell nobody what they hear. Needs root, or the right to open raw sockets.
"""

from __future__ import annotations

import socket
import struct
import threading
import time

from harness.rtp import Packet

_IP = 0x0800
_UDP = 17
_OUTGOING = 4  # PACKET_OUTGOING: loopback shows each packet twice


class Wire:
    """`with Wire() as wire:` keeps every RTP packet of 127.0.0.1, by source and destination port."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IP))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._sock.bind(("lo", _IP))
        self._sock.settimeout(0.1)
        self._seen: dict[tuple[int, int], list[Packet]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(2)
        self._sock.close()

    def between(self, source: int, destination: int) -> list[Packet]:
        return list(self._seen.get((source, destination), ()))

    def streams(self, *, source: int = 0, to: range = range(0)) -> list[list[Packet]]:
        """What came from this port, or went to one of these."""
        seen = list(self._seen.items())
        return [list(packets) for (here, there), packets in seen if here == source or there in to]

    def carrying(self, payload: bytes) -> tuple[int, int]:
        """(source, destination) of the stream that sends this. AssertionError when none does."""
        for ports, packets in list(self._seen.items()):
            sent = b"".join(each.payload for each in packets[:100])
            if len(sent) > 8_000 and payload.startswith(sent):
                return ports
        raise AssertionError("nobody sends this sound: " + ", ".join(f"{a} to {b}" for a, b in self._seen))

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                data, about = self._sock.recvfrom(2_048)
            except TimeoutError:
                continue
            at = time.monotonic()
            head = (data[0] & 15) * 4
            if about[2] == _OUTGOING or data[9] != _UDP or len(data) < head + 20:
                continue
            source, destination = struct.unpack_from("!HH", data, head)
            rtp = data[head + 8 :]
            if rtp[0] & 0xC0 != 0x80 or 64 <= rtp[1] & 0x7F <= 95:  # RFC 3550 §5.1, RFC 5761 §4
                continue
            kind, seq, stamp, ssrc = struct.unpack_from("!BHII", rtp, 1)
            packet = Packet(at, kind & 0x7F, bool(kind & 0x80), seq, stamp, ssrc, rtp[12:])
            self._seen.setdefault((source, destination), []).append(packet)
