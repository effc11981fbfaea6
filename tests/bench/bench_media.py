"""What the media plane costs, against the figures of issue 3. Not a test: run it by hand on a quiet machine.

    python tests/bench/bench_media.py prompt [LEGS] [SECONDS]    music out, 50 packets/s in
    python tests/bench/bench_media.py bridge [PAIRS] [SECONDS]   two legs a call, both ways
    python tests/bench/bench_media.py mix [CALLS] [SECONDS]      three legs a call, everyone hears both others
    python tests/bench/bench_media.py secure [PACKETS]           a packet in and out again, plain and under each suite
    python tests/bench/bench_media.py commands                   Python's part of a leg's life
    python tests/bench/bench_media.py memory [LEGS]              resident memory a leg with music

The plane runs on core 0 in this process, the load on core 1 in another. CPU is the operating system's accounting of
this process; transit is stamped inside the packets; gaps are those at the receiver, by the kernel's receive stamps
(SO_TIMESTAMPNS), so that a load process that is late itself doesn't count.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.jit import external, kernel
from engine.media import columns as c
from engine.media import control, receive, wire
from engine.media.commands import Bridge, CloseLeg, LegFailed, Mix, MixParty, OpenLeg, Play, SetLeg
from engine.rtp import srtp
from engine.runtime import rtp_loop
from engine.runtime.rtp_plane import RtpPlane

PLANE_PORT, LOAD_PORT = 10_000, 22_000  # a leg takes a port for its reports too
sendto = external("sendto", "long", "int", "pointer", "size", "int", "pointer", "uint")
recvmsg = external("recvmsg", "long", "int", "pointer", "int")
recvfrom = external("recvfrom", "long", "int", "pointer", "size", "int", "long", "long")
epoll_wait = external("epoll_wait", "int", "int", "pointer", "int", "int")
clock_gettime = external("clock_gettime", "int", "int", "pointer")


@kernel
def now_ns(pair: Any) -> int:
    clock_gettime(1, pair.ctypes)
    return pair[0] * 1_000_000_000 + pair[1]


@kernel
def generate(epoll: int, fds: Any, addresses: Any, stop_ns: int, transit: Any, gaps: Any, figures: Any) -> None:
    """Send 50 packets a second on each socket, spread over the 20 ms; note transit and gaps of what comes."""
    legs = fds.shape[0]
    pair, ready = np.zeros(2, np.int64), np.zeros(4 * 512, np.int32)
    packet, buffer = np.zeros(172, np.uint8), np.zeros(2_048, np.uint8)
    last = np.zeros(legs, np.int64)
    control = np.zeros(16, np.int64)  # cmsghdr (length, level and type), then timespec
    part = np.array([buffer.ctypes.data, 2_048], np.int64)
    header = np.array([0, 0, part.ctypes.data, 1, control.ctypes.data, 64, 0], np.int64)
    packet[0] = 0x80
    for index in range(20, 172):
        packet[index] = 0xD5
    start = now_ns(pair)
    settled = start + 500_000_000  # what lay in the sockets before tells nothing of spacing
    slot = 0
    while True:
        count = epoll_wait(epoll, ready.ctypes, 512, 1)
        now = now_ns(pair)
        if now >= stop_ns:
            return
        while start + slot * 1_000_000 <= now:
            number = slot // 20
            for leg in range(slot % 20, legs, 20):
                stamp = now_ns(pair)
                packet[2], packet[3] = (number >> 8) & 255, number & 255
                for byte in range(4):
                    packet[4 + byte] = ((number * 160) >> (24 - 8 * byte)) & 255
                packet[10], packet[11] = leg >> 8, leg & 255
                for byte in range(8):
                    packet[12 + byte] = (stamp >> (8 * byte)) & 255
                if sendto(fds[leg], packet.ctypes, 172, 0x40, addresses[leg].ctypes, 16) == 172:
                    figures[0] += 1
            slot += 1
        for index in range(count):
            leg = np.int64(ready[3 * index + 1])
            header[5] = 64
            length = recvmsg(fds[leg], header.ctypes, 0x40)
            if length < 20:
                continue
            now = now_ns(pair)
            sent = np.int64(0)
            for byte in range(8):
                sent |= np.int64(buffer[12 + byte]) << (8 * byte)
            if now > settled and figures[2] < transit.shape[0] and 0 < now - sent < 10_000_000_000:
                transit[figures[2]] = now - sent
                figures[2] += 1
            stamp = control[2] * 1_000_000_000 + control[3]
            if now > settled and last[leg] > 0 and figures[3] < gaps.shape[0]:
                gaps[figures[3]] = stamp - last[leg]
                figures[3] += 1
            last[leg] = stamp if now > settled else 0
            figures[1] += 1


def load(legs: int, seconds: float) -> None:
    """The other process: far ends of `legs` legs."""
    import ctypes

    class Event(ctypes.Structure):
        _pack_ = 1
        _fields_ = [("events", ctypes.c_uint32), ("leg", ctypes.c_int32), ("pad", ctypes.c_int32)]

    os.sched_setaffinity(0, {1})
    libc = ctypes.CDLL(None)
    epoll = libc.epoll_create1(0)
    bound = []
    for leg in range(legs):
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        far.bind(("127.0.0.1", LOAD_PORT + leg))
        far.setblocking(False)
        far.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        libc.epoll_ctl(epoll, 1, far.fileno(), ctypes.byref(Event(1, leg, 0)))
        bound.append(far)
    fds = np.array([far.fileno() for far in bound], np.int32)
    addresses = np.array([wire.pack_address("127.0.0.1", PLANE_PORT + 2 * leg)[1] for leg in range(legs)], np.int64)
    room = int(legs * 60 * (seconds + 1))
    transit, gaps, figures = np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(4, np.int64)
    generate(epoll, fds, addresses, 0, transit, gaps, figures)
    generate(epoll, fds, addresses, time.monotonic_ns() + int(seconds * 1e9), transit, gaps, figures)
    spacing = np.sort(gaps[: figures[3]]) / 1e6
    way = np.sort(transit[: figures[2]]) / 1e6
    at = lambda values, part: values[min(len(values) - 1, int(len(values) * part))] if len(values) else 0  # noqa: E731
    within = 100 * np.mean(np.abs(spacing - 20) <= 3)
    print(f"  sent {figures[0]} heard {figures[1]}; gaps ms p1 {at(spacing, 0.01):.2f} p99 {at(spacing, 0.99):.2f} "
          f"p99.9 {at(spacing, 0.999):.2f} max {spacing[-1]:.1f}; within 20 ± 3: {within:.2f} %")
    if len(way):
        print(f"  transit ms p50 {at(way, 0.5):.3f} p99 {at(way, 0.99):.3f} max {way[-1]:.2f}")


class Clip:
    def __init__(self, clip: int, name: str) -> None:
        self.clip, self.name, self.path = clip, name, ""


def plane_with(legs: int) -> RtpPlane:
    """A plane on core 0 with `legs` legs, answered."""
    os.sched_setaffinity(0, {0})
    plane = RtpPlane(legs_max=4_096)
    plane.load_clips([Clip(1, "tone/milliwatt"), Clip(2, "tone/ringback.us")])
    plane.start()
    for row in range(legs):
        plane.command(OpenLeg(row, 1, "127.0.0.1", PLANE_PORT + 2 * row, row + 1, 0, 0))
        plane.command(SetLeg(row, 1, "127.0.0.1", LOAD_PORT + row, 0, 0, ((0, 0),), 101, 101, 20, True, True))
    return plane


def measure(plane: RtpPlane, calls: int, legs: int, seconds: float, what: str) -> None:
    other = subprocess.Popen([sys.executable, __file__, "load", str(legs), str(seconds + 1.5)])
    before = plane.metrics()["packets_in"]
    while plane.metrics()["packets_in"] - before < 10 * legs:  # it has begun, long ago enough for bridges to copy
        if other.poll() is not None:
            raise SystemExit("the load ended before it began")
        time.sleep(0.05)
    if (failed := [event for event in plane.poll() if isinstance(event, LegFailed)]):
        raise SystemExit(f"{len(failed)} legs could not be opened, the first: {failed[0]}")
    before, figures = resource.getrusage(resource.RUSAGE_SELF), plane.metrics()
    time.sleep(seconds)
    after, later = resource.getrusage(resource.RUSAGE_SELF), plane.metrics()
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    moved = [(later[key] - figures[key]) / seconds / legs for key in ("packets_in", "packets_out")]
    print(f"{calls} {what}: {(user + system) / calls * 60 / seconds:.4f} CPU s a call-minute (user {user:.2f} system "
          f"{system:.2f}); packets a leg and second in {moved[0]:.1f} out {moved[1]:.1f}; tick late us mean "
          f"{later['tick_late_us_mean']} max {later['tick_late_us_max']} missed {later['ticks_missed']}", flush=True)
    other.wait()


def prompt(legs: int = 300, seconds: float = 10) -> None:
    plane = plane_with(legs)
    for row in range(legs):
        plane.command(Play(row, 1, 1, (2, 1), loop=True))
    measure(plane, legs, legs, seconds, "calls, music out and 50/s in")
    plane.stop()


def bridge(pairs: int = 100, seconds: float = 10) -> None:
    plane = plane_with(2 * pairs)
    for pair in range(pairs):
        plane.command(Bridge(2 * pair, 1, 2 * pair + 1, 1))
    measure(plane, pairs, 2 * pairs, seconds, "bridges")
    plane.stop()


@kernel
def turn(p: Any, packets: Any, length: int, source: Any, datagram: Any, far: int, plane_port: Any, pair: Any,
         epoll: int, ready: Any) -> int:
    """Say these packets, and let the plane take each in and send it back, with the calls that the loop makes for
    packets that come one by one: its own CPU time, ns, whoever else has the processor."""
    for number in range(packets.shape[0]):
        sendto(far, packets[number].ctypes, length, 0x40, plane_port.ctypes, 16)
    clock_gettime(3, pair.ctypes)  # CLOCK_THREAD_CPUTIME_ID
    began = pair[0] * 1_000_000_000 + pair[1]
    for _ in range(packets.shape[0]):
        epoll_wait(epoll, ready.ctypes, 256, 0)
        clock_gettime(1, pair[2:].ctypes)
        got = recvfrom(p.legs[0, c.FD], datagram.ctypes, 2_048, 0x40, 0, 0)
        if got > 0:
            receive.receive(p, 0, datagram, got, source, 16, 1_000_000)
            rtp_loop._flush(p)
    clock_gettime(3, pair.ctypes)
    spent: int = pair[0] * 1_000_000_000 + pair[1] - began
    while recvfrom(far, datagram.ctypes, 2_048, 0x40, 0, 0) > 0:
        pass
    return spent


def secure(packets: int = 100_000) -> None:
    """By turns of 50 packets, so that whatever the machine does besides falls on all suites alike."""
    suites = (srtp.PLAIN, srtp.CM_80, srtp.CM_32, srtp.GCM)
    far, ours = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    far.bind(("127.0.0.1", 0))
    ours.bind(("127.0.0.1", 0))
    epoll, ready = select.epoll(), np.zeros(1_024, np.int32)
    epoll.register(ours.fileno(), select.EPOLLIN)
    source = np.array(wire.pack_address("127.0.0.1", far.getsockname()[1])[1], np.int64).view(np.uint8)
    target = np.array(wire.pack_address("127.0.0.1", ours.getsockname()[1])[1], np.int64)
    master = [int.from_bytes(bytes(range(32))[at : at + 8], "little") for at in range(0, 32, 8)]
    planes, spent, sides = {}, {suite: list[float]() for suite in suites}, {}
    for suite in suites:
        plane = planes[suite] = c.allocate()
        commands: list[tuple[int, ...]] = [(control.OPEN_LEG, 0, 1, ours.fileno(), 1, 0, 0)]
        commands += [(control.SET_KEY, 0, 1, suite, side, *master, 0) for side in range(2)] if suite else []
        agreed = SetLeg(0, 1, "127.0.0.1", far.getsockname()[1], 0, 0, ((0, 0),), -1, -1, 20, True, True)
        for words in (*commands, wire.pack_set(agreed), (control.ECHO, 0, 1)):
            control.apply(plane, np.array(words + (0,) * (c.COMMAND_WORDS - len(words)), np.int64), 0)
        sides[suite] = (np.zeros(srtp.SIDE_WORDS, np.int64), np.zeros((2, srtp.SALT_BYTES), np.uint8),
                        np.zeros(srtp.STREAM_ROW, np.int64), np.zeros(srtp.SCRATCH_BYTES, np.uint8))
        if suite:
            side, salts, _, scratch = sides[suite]
            srtp.begin(side, salts, suite, 1, np.arange(32, dtype=np.uint8), scratch)
    datagram, pair, batch = np.zeros(2_048, np.uint8), np.zeros(4, np.int64), np.zeros((50, 256), np.uint8)
    for first in range(0, packets, 50):
        for suite in suites:
            length = 172
            for number in range(50):
                header = (0x8000 << 16 | (first + number) & 0xFFFF, (first + number) * 160 & 0xFFFFFFFF, 7)
                batch[number, :12] = np.array(header, ">u4").view(np.uint8)
                batch[number, 12:172] = 0xD5
                if suite:
                    side, salts, stream, scratch = sides[suite]
                    length = srtp.protect(side, salts, stream, batch[number], 172, scratch)
            cost = turn(
                planes[suite], batch, length, source, datagram, far.fileno(), target, pair, epoll.fileno(), ready
            )
            spent[suite].append(cost / 50_000)
    middle = {suite: float(np.median(found)) for suite, found in spent.items()}
    for suite, name in zip(suites, ("plain", "AES_CM_128_HMAC_SHA1_80", "…_32", "AEAD_AES_128_GCM"), strict=True):
        back = int(planes[suite].legs[0, c.PACKETS_OUT])
        print(f"{name}: {middle[suite]:.2f} us a packet in and out ({100 * (middle[suite] / middle[0] - 1):+.0f} %), "
              f"{back} of {len(spent[suite]) * 50} came back")


def mix(calls: int = 66, seconds: float = 10) -> None:
    plane = plane_with(3 * calls)
    for call in range(calls):
        rows = range(3 * call, 3 * call + 3)
        plane.command(Mix(call, tuple(MixParty(row, 1, tuple(rows)) for row in rows)))
    measure(plane, calls, 3 * calls, seconds, "mixes of three")
    plane.stop()


def commands(rounds: int = 2_000) -> None:
    plane = plane_with(0)
    spent = [0.0] * 4
    for number in range(rounds):
        row = number % 200
        todo = (
            OpenLeg(row, number, "127.0.0.1", PLANE_PORT + 2 * row, 1, 0, 0),
            SetLeg(row, number, "127.0.0.1", LOAD_PORT, 0, 0, ((0, 0), (8, 8)), 101, 101, 20, True, True),
            Play(row, number, 1, (2,)),
            CloseLeg(row, number),
        )
        for place, command in enumerate(todo):
            before = time.perf_counter()
            plane.command(command)
            spent[place] += time.perf_counter() - before
        if number % 50 == 49:
            time.sleep(0.005)
            plane.poll()
    each = [f"{type(command).__name__} {part / rounds * 1e6:.1f}" for command, part in zip(todo, spent, strict=True)]
    print(f"Python's part, us: {', '.join(each)}; together {sum(spent) / rounds * 1e6:.1f}")
    plane.stop()


def memory(legs: int = 1_000) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4

    plane = plane_with(0)
    before = resident()
    for row in range(legs):
        plane.command(OpenLeg(row, 1, "127.0.0.1", PLANE_PORT + 2 * row, row + 1, 0, 0))
        plane.command(SetLeg(row, 1, "127.0.0.1", LOAD_PORT + row, 0, 0, ((0, 0),), 101, 101, 20, True, True))
        plane.command(Play(row, 1, 1, (2, 1), loop=True))
    time.sleep(1)
    print(f"{legs} legs with music: {(resident() - before) / legs:.1f} KiB each")
    plane.stop()


if __name__ == "__main__":
    modes = {"prompt": prompt, "bridge": bridge, "mix": mix, "secure": secure, "commands": commands, "memory": memory}
    name, numbers = sys.argv[1], [float(word) for word in sys.argv[2:]]
    if name == "load":
        load(int(numbers[0]), numbers[1])
    else:
        modes[name](*[int(number) for number in numbers])  # type: ignore[operator]
