"""RTP for many legs from one compiled loop: 50 packets a second out of each, every arrival timed by the kernel.

Commands reach the loop as 32-byte records through a pipe, so no word of memory is shared while it runs; results are
read after `stop()`. Arrivals carry SO_TIMESTAMPNS, so a busy load generator doesn't blur what it measures: a gap is
the time between two packets on our socket, not between two reads of ours. Each packet holds its own sending time in
the payload; whoever gets it back through a bridge that copies knows how long it took.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import struct
import threading
import time

import numpy as np
from numba import njit
from numba import types as T

START, STOP, MEASURE, PAUSE, QUIT = 1, 2, 3, 4, 5
RECORD = struct.Struct("=iiHH4sq8x")  # op, leg, port (network order), family, address, spare
TIMER, PIPE = 1 << 20, (1 << 20) + 1
PACKET, PAYLOAD, SLOTS = 172, 160, 20
STAMP = 0x52444C4F41443031  # marks a payload of ours
SO_TIMESTAMPNS = 35

_pointer = T.voidptr
_sendto = T.ExternalFunction("sendto", T.intp(T.int32, _pointer, T.uintp, T.int32, _pointer, T.uint32))
_recvmsg = T.ExternalFunction("recvmsg", T.intp(T.int32, _pointer, T.int32))
_recv = T.ExternalFunction("recv", T.intp(T.int32, _pointer, T.uintp, T.int32))
_epoll_wait = T.ExternalFunction("epoll_wait", T.int32(T.int32, _pointer, T.int32, T.int32))
_read = T.ExternalFunction("read", T.intp(T.int32, _pointer, T.uintp))
_clock_gettime = T.ExternalFunction("clock_gettime", T.int32(T.int32, _pointer))
DONTWAIT = 0x40

# columns of `legs` (int64 per leg)
LIVE, SEQ, STAMP_OUT, SENT, HEARD, LAST_NS, LAST_SEQ, LAST_STAMP, LOST, ODD, FIRST_NS, SSRC_IN, COLUMNS = range(13)


@njit(nogil=True, cache=True)
def _now_ns(spec):
    _clock_gettime(0, spec.ctypes)
    return spec[0] * 1_000_000_000 + spec[1]


@njit(nogil=True, cache=True)
def _word(buffer, at, size):
    value = np.int64(0)
    for i in range(size):
        value = (value << 8) | np.int64(buffer[at + i])
    return value


@njit(nogil=True, cache=True)
def _put(buffer, at, size, value):
    for i in range(size):
        buffer[at + i] = (value >> (8 * (size - 1 - i))) & 255


@njit(nogil=True, cache=True)
def _send(leg, fds, addresses, legs, packet, spec):
    legs[leg, SEQ] = (legs[leg, SEQ] + 1) & 0xFFFF
    legs[leg, STAMP_OUT] = (legs[leg, STAMP_OUT] + PAYLOAD) & 0xFFFFFFFF
    packet[1] = 0x80 if legs[leg, SENT] == 0 else 0
    _put(packet, 2, 2, legs[leg, SEQ])
    _put(packet, 4, 4, legs[leg, STAMP_OUT])
    _put(packet, 8, 4, 0x10000 + leg)
    _put(packet, 20, 8, _now_ns(spec))
    if _sendto(fds[leg], packet.ctypes, PACKET, DONTWAIT, addresses[leg].ctypes, 16) == PACKET:
        legs[leg, SENT] += 1


@njit(nogil=True, cache=True)
def _hear(leg, size, at_ns, legs, buffer, measuring, gaps, transits, counts, spec):
    """One arrival: sequence, spacing, and transit when the payload is ours."""
    if size < 12 or buffer[0] >> 6 != 2:
        legs[leg, ODD] += 1
        return
    if 200 <= buffer[1] <= 204:
        return  # RTCP on the same port
    seq, stamp, ssrc = _word(buffer, 2, 2), _word(buffer, 4, 4), _word(buffer, 8, 4)
    if legs[leg, FIRST_NS] == 0:
        legs[leg, FIRST_NS] = at_ns
    if legs[leg, HEARD] > 0 and measuring:
        step = (seq - legs[leg, LAST_SEQ]) & 0xFFFF
        if ssrc != legs[leg, SSRC_IN]:
            legs[leg, ODD] += 1
        elif step == 1:
            if (stamp - legs[leg, LAST_STAMP]) & 0xFFFFFFFF == PAYLOAD and counts[0] < gaps.shape[0]:
                gaps[counts[0]] = at_ns - legs[leg, LAST_NS]
                counts[0] += 1
        elif step < 0x8000:
            legs[leg, LOST] += step - 1
        else:
            legs[leg, ODD] += 1  # late or repeated
        if size >= 28 and _word(buffer, 12, 8) == STAMP and counts[1] < transits.shape[0]:
            transits[counts[1], 0] = _now_ns(spec) - _word(buffer, 20, 8)
            transits[counts[1], 1] = at_ns - _word(buffer, 20, 8)
            counts[1] += 1
    if measuring:
        counts[2] += 1
    legs[leg, HEARD] += 1
    legs[leg, LAST_NS], legs[leg, LAST_SEQ], legs[leg, LAST_STAMP], legs[leg, SSRC_IN] = at_ns, seq, stamp, ssrc


@njit(nogil=True, cache=True)
def _command(words, bytes_, fds, addresses, legs, buffer, flags):
    """Obey one record: flags[0] measuring, flags[1] quit."""
    operation, leg = np.int64(words[0]), np.int64(words[1])
    if operation == START:
        while _recv(fds[leg], buffer.ctypes, 2048, DONTWAIT) > 0:
            pass  # a leftover of the row's last call
        addresses[leg, :] = 0
        addresses[leg, 0:2] = bytes_[10:12]
        addresses[leg, 2:4] = bytes_[8:10]
        addresses[leg, 4:8] = bytes_[12:16]
        for column in range(COLUMNS):
            if column != SEQ and column != STAMP_OUT:
                legs[leg, column] = 0
        legs[leg, LIVE] = 1
    elif operation == STOP:
        legs[leg, LIVE] = 0
    elif operation == MEASURE:
        flags[0] = 1
    elif operation == PAUSE:
        flags[0] = 0
    elif operation == QUIT:
        flags[1] = 1


@njit(nogil=True, cache=True)
def _run(
    epoll, timer, pipe, fds, addresses, legs, gaps, transits, counts, flags, work, header, control, buffer, packet
):  # fmt: skip
    """The loop. work: 0–1 timespec, 2 slot counter, 3 timer read, 4–7 command record; ends by QUIT."""
    spec, expiries, words, events = work[0:2], work[3:4], work[4:8].view(np.int32), work[8:].view(np.int32)
    bytes_ = work[4:8].view(np.uint8)
    count = fds.shape[0]
    while flags[1] == 0:
        ready = _epoll_wait(epoll, events.ctypes, 1024, -1)
        for event in range(ready):
            leg = np.int64(events[event * 3 + 1])
            if leg == TIMER:
                _read(timer, expiries.ctypes, 8)
                # Each leg owns one of 20 slots of a millisecond. A late timer fires the slots it has missed, at most
                # one whole frame of them, so that no leg sends twice at once.
                for _ in range(min(expiries[0], SLOTS)):
                    slot = work[2] % SLOTS
                    work[2] += 1
                    for sender in range(slot, count, SLOTS):
                        if legs[sender, LIVE] == 1:
                            _send(sender, fds, addresses, legs, packet, spec)
                continue
            if leg == PIPE:
                if _read(pipe, words.ctypes, 32) == 32:
                    _command(words, bytes_, fds, addresses, legs, buffer, flags)
                continue
            header[5] = 64
            size = _recvmsg(fds[leg], header.ctypes, DONTWAIT)
            if size > 0 and legs[leg, LIVE] == 1:
                at_ns = control[2] * 1_000_000_000 + control[3] if header[5] >= 32 else _now_ns(spec)
                _hear(leg, size, at_ns, legs, buffer, flags[0] == 1, gaps, transits, counts, spec)


_libc = ctypes.CDLL(None, use_errno=True)


class _EpollEvent(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("events", ctypes.c_uint32), ("ident", ctypes.c_int32), ("pad", ctypes.c_int32))


class Plane:
    """`rows` RTP sockets of ours on `host`, driven by one thread. `ports[row]` is what the SDP of that leg says."""

    def __init__(self, host: str, rows: int, *, first_port: int = 40_000, samples: int = 4_000_000) -> None:
        allow_files(rows + 256)
        self.rows = rows
        self.sockets, self.ports = _sockets(host, rows, first_port)
        self._fds = np.array([sock.fileno() for sock in self.sockets], np.int32)
        self._addresses = np.zeros((rows, 16), np.uint8)
        self.legs = np.zeros((rows, COLUMNS), np.int64)
        self.legs[:, SEQ] = np.arange(rows) * 7 % 60_000
        self.gaps, self.transits = np.zeros(samples, np.int64), np.zeros((samples, 2), np.int64)
        self._counts, self._flags = np.zeros(4, np.int64), np.zeros(2, np.int64)
        self._work = np.zeros(8 + 3 * 1024, np.int64)
        self._buffer, self._control, self._iov = np.zeros(2048, np.uint8), np.zeros(8, np.int64), np.zeros(2, np.int64)
        self._iov[:] = self._buffer.ctypes.data, 2048
        self._header = np.array([0, 0, self._iov.ctypes.data, 1, self._control.ctypes.data, 64, 0], np.int64)
        self._packet = _blank_packet()
        self._pipe = os.pipe()
        self._epoll = _libc.epoll_create1(0)
        self._timer = _libc.timerfd_create(1, 0x800)
        for ident, fd in ((TIMER, self._timer), (PIPE, self._pipe[0]), *enumerate(self._fds)):
            event = _EpollEvent(1, ident, 0)
            _libc.epoll_ctl(self._epoll, 1, int(fd), ctypes.byref(event))
        self._thread = threading.Thread(target=self._loop, name="load-plane")

    def _loop(self) -> None:
        _run(
            self._epoll, self._timer, self._pipe[0], self._fds, self._addresses, self.legs, self.gaps, self.transits,
            self._counts, self._flags, self._work, self._header, self._control, self._buffer, self._packet,
        )  # fmt: skip

    def start(self) -> None:
        """Compile (the first time) and run until `stop`."""
        self._tell(QUIT)
        self._loop()
        self._flags[:] = 0
        period = np.array([0, 1_000_000, 0, 1_000_000], np.int64)
        if _libc.timerfd_settime(self._timer, 0, ctypes.c_void_p(period.ctypes.data), None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
        self._thread.start()

    def _tell(self, operation: int, row: int = 0, host: str = "0.0.0.0", port: int = 0) -> None:
        address = socket.inet_aton(host)
        os.write(self._pipe[1], RECORD.pack(operation, row, socket.htons(port), socket.AF_INET, address, 0))

    def connect(self, row: int, host: str, port: int) -> None:
        """Row `row` sends to host:port from its next slot on, and what it hears counts."""
        self._tell(START, row, host, port)

    def drop(self, row: int) -> None:
        self._tell(STOP, row)

    def measure(self) -> None:
        """Open the window in which gaps, losses and transits are kept."""
        self._tell(MEASURE)

    def pause(self) -> None:
        self._tell(PAUSE)

    def stop(self) -> None:
        """End the loop; the results are stable afterwards."""
        self._tell(QUIT)
        self._thread.join(5)
        for sock in self.sockets:
            sock.close()
        for fd in (self._timer, self._epoll, *self._pipe):
            os.close(fd)

    # --- results, after stop() -----------------------------------------------------------------------------
    def gaps_ms(self) -> np.ndarray:
        return self.gaps[: self._counts[0]] / 1e6

    def transits_ms(self) -> np.ndarray:
        """Two columns: until we read the packet (as peers were measured), and until it lay at our socket."""
        return self.transits[: self._counts[1]] / 1e6

    def column(self, number: int) -> np.ndarray:
        return self.legs[:, number]

    def heard_in_window(self) -> int:
        return int(self._counts[2])


def _blank_packet() -> np.ndarray:
    """A µ-law packet of near-silence with our mark at the payload's head."""
    packet = np.full(PACKET, 0xFF, np.uint8)
    packet[0], packet[1] = 0x80, 0
    packet[12:20] = np.frombuffer(struct.pack(">Q", STAMP), np.uint8)
    return packet


def _sockets(host: str, rows: int, first_port: int) -> tuple[list[socket.socket], list[int]]:
    """One socket per row on even ports from `first_port`, ports in use skipped."""
    sockets: list[socket.socket] = []
    ports: list[int] = []
    port = first_port
    while len(sockets) < rows:
        if port > 65_000:
            raise OSError("no free RTP ports left")
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind((host, port))
        except OSError:
            sock.close()
            port += 2
            continue
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        sockets.append(sock)
        ports.append(port)
        port += 2
    return sockets, ports


def allow_files(count: int) -> None:
    """Raise the soft limit of open files to what `count` sockets need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def self_check(rows: int = 40, seconds: float = 3.0) -> dict[str, float]:
    """The plane against itself: rows send to one another in pairs. What the generator can see at best."""
    plane = Plane("127.0.0.1", rows)
    plane.start()
    for row in range(rows):
        plane.connect(row, "127.0.0.1", plane.ports[row ^ 1])
    time.sleep(0.2)
    plane.measure()
    time.sleep(seconds)
    plane.stop()
    gaps, transits = np.sort(plane.gaps_ms()), plane.transits_ms()
    found = {"gaps": gaps.size, "gap_p50": np.median(gaps), "gap_p999": gaps[int(gaps.size * 0.999)]}
    found |= {"transit_p50": np.median(transits[:, 0]), "lost": plane.column(LOST).sum()}
    return {name: float(value) for name, value in found.items()}
