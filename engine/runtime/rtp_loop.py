"""The media thread: one compiled loop without the GIL that makes every system call of the plane (DESIGN §2).

epoll waits for the legs' sockets, an eventfd for commands and an absolute timerfd for the tick; the clock is also
looked at before each packet, so a burst of arrivals can't delay a tick by more than one packet. All rules are in
`media/`; here are only calls. No allocation, no lock, no Python object once the loop runs.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from engine.jit import external, i64, kernel
from engine.media import columns as c
from engine.media import control, ears, mouths, receive, rings, secure, tick
from engine.media.columns import Plane

_sendto = external("sendto", "long", "int", "pointer", "size", "int", "pointer", "uint")
_recvfrom = external("recvfrom", "long", "int", "pointer", "size", "int", "pointer", "pointer")
_epoll_wait = external("epoll_wait", "int", "int", "pointer", "int", "int")
_epoll_ctl = external("epoll_ctl", "int", "int", "int", "int", "pointer")
_read = external("read", "long", "int", "pointer", "size")
_write = external("write", "long", "int", "pointer", "size")
_clock_gettime = external("clock_gettime", "int", "int", "pointer")
_epoll_create = external("epoll_create1", "int", "int")
_close = external("close", "int", "int")
_timerfd_create = external("timerfd_create", "int", "int", "int")
_timerfd_settime = external("timerfd_settime", "int", "int", "int", "pointer", "pointer")

# struct epoll_event is packed on x86-64 (12 bytes), aligned elsewhere (16): words of 32 bits
_PACKED = platform.machine() in ("x86_64", "AMD64")
_EVENT_STRIDE = 3 if _PACKED else 4
_EVENT_DATA = 1 if _PACKED else 2
_EPOLLIN = 1
_ADD, _DELETE = 1, 2
_MONOTONIC = 1
_ABSOLUTE = 1
_DONTWAIT = 0x40
_CLOEXEC_NONBLOCK = 0x80800
_CLOEXEC = 0x80000
_K_US = 10_000
_BATCH = 256
_DATAGRAM = 2_048

TIMER, WAKE, REPORT = 1 << 30, (1 << 30) + 1, 1 << 20  # what epoll says instead of a row, or beside it

# words of Scratch.words
_NOW, _NOW_NS, _ONE, _READ, _NEXT_TICK_US, _ARMED_PERIOD, _SOURCE_LENGTH, _HALTED = range(8)


@kernel
def _now_us(words: Any) -> int:
    _clock_gettime(_MONOTONIC, words.ctypes)
    now: int = words[_NOW] * 1_000_000 + words[_NOW_NS] // 1_000
    return now


@kernel
def _flush(p: Plane) -> None:
    """Send what the kernels left in `out`."""
    for slot in range(p.counters[c.OUT_COUNT]):
        row, length = p.out_legs[slot, 0], p.out_legs[slot, 1]
        leg = p.legs[row]
        if leg[c.CIPHER] != 0:
            length = secure.protect(p, row, p.out[slot], length)
        address = p.addresses[row, c.CURRENT]
        sent = -2  # what must not leave counts as refused, too
        if length >= 0:
            sent = _sendto(leg[c.FD], p.out[slot].ctypes, length, _DONTWAIT, address.ctypes, leg[c.CURRENT_LENGTH])
        if sent == length:
            p.counters[c.PACKETS_SENT] += 1
        else:
            p.counters[c.SEND_FAILED] += 1
    p.counters[c.OUT_COUNT] = 0


@kernel
def _send_report(p: Plane, row: int) -> None:
    """Send the RTCP packet that a tick left; what the system refuses was no audio, and is not counted as such."""
    leg = p.legs[row]
    fd = leg[c.FD] if leg[c.REPORT_MUX] == 1 else leg[c.REPORT_FD] - 1
    length = p.counters[c.REPORT_BYTES]
    p.counters[c.REPORT_BYTES] = 0
    sent = _sendto(fd, p.report.ctypes, length, _DONTWAIT, p.report_address.ctypes, leg[c.CURRENT_LENGTH])
    p.counters[c.REPORTS_SENT] += sent == length


@kernel
def _run_tick(p: Plane, words: Any, now_us: int) -> None:
    """Run the newest tick that is due; older ones are missed, and their legs skip what they would have sent."""
    period = words[_ARMED_PERIOD]
    late_us = now_us - words[_NEXT_TICK_US]
    missed = late_us // (period * _K_US)
    nominal_us = words[_NEXT_TICK_US] + missed * period * _K_US
    k = (nominal_us - p.counters[c.TICK_US]) // _K_US
    p.counters[c.TICK_K] = k
    p.counters[c.TICKS] += 1
    p.counters[c.TICKS_MISSED] += missed
    p.counters[c.LATE_US_SUM] += late_us
    p.counters[c.LATE_US_MAX] = max(p.counters[c.LATE_US_MAX], late_us)
    tick.tick_mixes(p, k)
    for index in range(p.counters[c.ACTIVE] - 1, -1, -1):  # backwards: a leg that closes is replaced by the last
        row = p.active[index]
        tick.tick_leg(p, row, k, nominal_us, now_us)
        if p.counters[c.OUT_COUNT] > 0:
            _flush(p)
        if p.counters[c.REPORT_BYTES] > 0:
            _send_report(p, row)
    if p.counters[c.TAPS_RUNNING] > 0:
        for tap in range(p.taps.shape[0]):
            tick.tick_tap(p, tap, k)
    if p.counters[c.EARS_RUNNING] > 0:
        for ear in range(c.EAR_COUNT):
            ears.pass_time(p, ear, now_us)
    if p.counters[c.MOUTHS_CLOSING] > 0:
        for mouth in range(c.MOUTH_COUNT):
            mouths.finish(p, mouth)
    words[_NEXT_TICK_US] = nominal_us + period * _K_US
    rings.publish_metrics(p)


@kernel
def _busy(p: Plane) -> bool:
    """Is there anything that needs the tick: a leg, or an end that the full event ring has not taken yet?"""
    ending = p.counters[c.TAPS_RUNNING] + p.counters[c.EARS_RUNNING] + p.counters[c.MOUTHS_CLOSING]
    return bool(p.counters[c.ACTIVE] + ending > 0)


@kernel
def _arm(p: Plane, timer: int, words: Any, spec: Any, now_us: int) -> None:
    """Start, stop or change the tick: none without a leg, 20 ms, or 10 ms while a leg's frame needs it."""
    period = 0
    if _busy(p):
        period = 1 if p.counters[c.FINE_LEGS] > 0 else 2
    if period == words[_ARMED_PERIOD]:
        return
    words[_ARMED_PERIOD] = period
    after = p.counters[c.TICK_K] + (2 if period != 1 else 1)
    after += (after & 1) if period == 2 else 0
    next_us = p.counters[c.TICK_US] + after * _K_US
    words[_NEXT_TICK_US] = next_us
    spec[0] = 0
    spec[1] = period * _K_US * 1_000
    spec[2] = next_us // 1_000_000 if period > 0 else 0
    spec[3] = next_us % 1_000_000 * 1_000 if period > 0 else 0
    _timerfd_settime(timer, _ABSOLUTE, spec.ctypes, 0)


@kernel
def _obey(p: Plane, epoll: int, words: Any, record: Any, event: Any, now_us: int) -> None:
    """Apply every command in the ring, and watch or forget sockets as they ask."""
    done = 0
    while rings.pop(p.commands, p.command_shared, record):
        done += 1
        todo = control.apply(p, record, now_us)
        if todo == control.DO_HALT:
            words[_HALTED] = 1
        elif todo != control.DO_NOTHING:
            row = record[1]
            event[0] = _EPOLLIN
            event[_EVENT_DATA] = row
            operation = _ADD if todo == control.DO_WATCH else _DELETE
            failed = _epoll_ctl(epoll, operation, p.legs[row, c.FD], event.ctypes) != 0
            if p.legs[row, c.REPORT_FD] > 0:
                event[_EVENT_DATA] = row + REPORT
                _epoll_ctl(epoll, operation, p.legs[row, c.REPORT_FD] - 1, event.ctypes)
            if failed and todo == control.DO_WATCH:
                control.abandon(p, row)
    if done >= c.COMMAND_SIZE // 2:  # Python may be holding commands back
        rings.emit(p, rings.NUDGE, 0, 0, 0, 0, False)


@kernel
def _receive_report(p: Plane, row: int, datagram: Any, source: Any, source_length: Any, now_us: int) -> None:
    """Take one datagram from a leg's port for reports; of a leg closed by a command of this very batch, none."""
    leg = p.legs[row]
    if leg[c.STATE] == c.OPEN and leg[c.REPORT_FD] > 0:
        source_length[0] = c.ADDRESS_BYTES
        length = _recvfrom(
            leg[c.REPORT_FD] - 1, datagram.ctypes, _DATAGRAM, _DONTWAIT, source.ctypes, source_length.ctypes
        )
        if length >= 0:
            receive.receive_report(p, row, datagram, length, source, i64(source_length[0]), now_us)


@kernel
def serve(p: Plane, wake: int, tell: int) -> int:
    """Run until HALT is commanded; returns 0, or -1 when epoll itself failed.

    `wake` is the eventfd that announces commands, `tell` the one that announces events.
    """
    words = np.zeros(8, np.int64)
    ready = np.zeros(4 * _BATCH, np.int32)
    datagram = np.zeros(_DATAGRAM, np.uint8)
    source = np.zeros(c.ADDRESS_BYTES, np.uint8)
    source_length = np.zeros(2, np.uint32)
    record = np.zeros(c.COMMAND_WORDS, np.int64)
    event = np.zeros(4, np.int32)
    spec = np.zeros(4, np.int64)
    epoll = _epoll_create(_CLOEXEC)
    timer = _timerfd_create(_MONOTONIC, _CLOEXEC_NONBLOCK)
    event[0] = _EPOLLIN
    event[_EVENT_DATA] = TIMER
    _epoll_ctl(epoll, _ADD, timer, event.ctypes)
    event[_EVENT_DATA] = WAKE
    _epoll_ctl(epoll, _ADD, wake, event.ctypes)
    words[_ONE] = 1
    p.counters[c.TICK_US] = _now_us(words)
    failures = 0
    while words[_HALTED] == 0:
        count = _epoll_wait(epoll, ready.ctypes, _BATCH, -1)
        now = _now_us(words)
        told = p.counters[c.EVENTS_PUSHED]
        if words[_ARMED_PERIOD] > 0 and now >= words[_NEXT_TICK_US]:
            _run_tick(p, words, now)
        if count < 0:
            failures += 1
            if failures > 100:  # not EINTR: the descriptor itself is broken
                words[_HALTED] = -1
            continue
        failures = 0
        for index in range(count):  # emptied before the ring is read: a later command wakes us again
            if ready[_EVENT_STRIDE * index + _EVENT_DATA] == WAKE:
                _read(wake, words[_READ:].ctypes, 8)
        if rings.waiting(p.command_shared) > 0:  # before the packets: what was commanded earlier holds for them
            if words[_ARMED_PERIOD] == 0:  # nothing ticked for a while, and what begins now begins now
                p.counters[c.TICK_K] = (now - p.counters[c.TICK_US]) // _K_US
            _obey(p, epoll, words, record, event, now)
            _arm(p, timer, words, spec, now)
        for index in range(count):
            who = ready[_EVENT_STRIDE * index + _EVENT_DATA]
            if who == TIMER:
                _read(timer, words[_READ:].ctypes, 8)
            elif who != WAKE and who >= REPORT:
                _receive_report(p, who - REPORT, datagram, source, source_length, now)
            elif who != WAKE and p.legs[who, c.STATE] == c.OPEN:  # else closed by a command of this very batch
                source_length[0] = c.ADDRESS_BYTES
                length = _recvfrom(
                    p.legs[who, c.FD], datagram.ctypes, _DATAGRAM, _DONTWAIT, source.ctypes, source_length.ctypes
                )
                now = _now_us(words)
                if now >= words[_NEXT_TICK_US] and words[_ARMED_PERIOD] > 0:
                    _run_tick(p, words, now)
                if length >= 0:
                    receive.receive(p, who, datagram, length, source, i64(source_length[0]), now)
                    if p.counters[c.OUT_COUNT] > 0:
                        _flush(p)
        if words[_ARMED_PERIOD] > 0 and not _busy(p):
            _arm(p, timer, words, spec, now)
        if p.counters[c.EVENTS_PUSHED] != told:
            _write(tell, words[_ONE:].ctypes, 8)
    rings.publish_metrics(p)
    _close(timer)
    _close(epoll)
    status: int = min(words[_HALTED], 0)
    return status
