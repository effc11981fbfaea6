"""A leg's RTCP: what is said and believed of its two streams, and its figures for people. Pure: no system calls.

Reports go out from a leg's own port above its RTP port, or from the RTP port itself where both sides multiplex
(RFC 5761), to where the far end's reports come from, else to the port its description names, else above its RTP. At
most one report a leg and tick lies in `report`; the loop sends it.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel, load_acquire, store_release
from engine.media import columns as c
from engine.media import latch, secure
from engine.media.columns import Plane
from engine.rtp import quality, rtcp

_LIVE_US = 1_000_000

# --- words of a leg's figures, the same in LegClosed's record and in `live_shared`: `commands.LegClosed` names them ---
FIRST, SOUND = 3, 13
FIGURES = 31


@kernel
def begin(p: Plane, row: int, words: Any, first: int) -> None:
    """A leg opens: nothing is known. Two of `words` from `first` on are its CNAME, 16 characters, lowest byte first."""
    for word in range(rtcp.FIELDS):
        p.reports[row, word] = 0
    p.reports[row, rtcp.SEED] = p.legs[row, c.SSRC]
    for index in range(rtcp.NAME_BYTES):
        p.names[row, index] = (words[first + (index >> 3)] >> (8 * (index & 7))) & 0xFF


@kernel
def hear(p: Plane, row: int, datagram: Any, length: int, source: Any, source_length: int, now_us: int,
         apart: bool) -> bool:
    """A compound packet came, `apart`: on the port of its own. False: a stranger's, or malformed.

    Their RTP source is believed, or its host on the other port (their NAT may have chosen any number for it).
    """
    leg = p.legs[row]
    if apart:
        current = p.addresses[row, c.CURRENT]
        known = leg[c.CURRENT_LENGTH] == source_length and latch.same_host(current, source, source_length)
    else:
        known = latch.is_current(p, row, source, source_length)
    wall_us = p.settings[c.WALL_US] + now_us
    state = p.reports[row]
    if not known or not rtcp.read(datagram, length, state, leg[c.SSRC], leg[c.CLOCK_RATE], wall_us, now_us):
        return False
    p.counters[c.REPORTS_HEARD] += 1
    if apart:
        latch.copy_address(p.addresses[row, c.REPORTS], source)
        leg[c.REPORT_LENGTH] = source_length
    return True


@kernel
def pass_time(p: Plane, row: int, now_us: int) -> None:
    """Write the report that is due, closed where the leg is secured, for the loop to send to `report_address`."""
    leg, state = p.legs[row], p.reports[row]
    silent = leg[c.IS_SET] == 0 or leg[c.CURRENT_LENGTH] == 0 or (leg[c.REPORT_FD] == 0 and leg[c.REPORT_MUX] == 0)
    if silent or not rtcp.due(state, now_us):
        return
    if leg[c.CONFIRMED] == 0:  # never to somebody who gets no audio of ours and has sent none
        since_us = leg[c.SENDING_SINCE_US]
        if since_us == 0 or now_us - since_us >= p.settings[c.UNCONFIRMED_US]:
            return
    if not _aim(p, row):
        return
    # counted at 8 kHz whatever the clock of what is sent
    timestamp = (leg[c.TIMESTAMP] - (leg[c.DUE_US] - now_us) * 8 // 1_000) * (leg[c.CLOCK_RATE] // 8_000)
    length = rtcp.write(
        p.report, state, p.quality[row], p.names[row], leg[c.SSRC], timestamp, leg[c.PACKETS_OUT], leg[c.OCTETS_OUT],
        p.coding[row, c.RATE_IN], p.settings[c.WALL_US] + now_us, now_us,
    )  # fmt: skip
    if leg[c.CIPHER] != 0:  # RFC 3711 §3.4, whatever port it leaves by
        length = secure.protect_report(p, row, p.report, length)
    p.counters[c.REPORT_BYTES] = max(length, 0)


@kernel
def _aim(p: Plane, row: int) -> bool:
    """Where reports go: `report_address`; False when there is no such port."""
    leg, target = p.legs[row], p.report_address
    current = p.addresses[row, c.CURRENT]
    length = leg[c.CURRENT_LENGTH]
    learnt = p.addresses[row, c.REPORTS]
    if leg[c.REPORT_MUX] == 0 and leg[c.REPORT_LENGTH] == length and latch.same_host(learnt, current, length):
        latch.copy_address(target, learnt)
        return True
    latch.copy_address(target, current)
    if leg[c.REPORT_MUX] == 1:
        return True
    port = ((i64(current[2]) << 8) | i64(current[3])) + 1
    if leg[c.REPORT_PORT] > 0 and latch.same_address(p.addresses[row, c.SIGNALLED], current, length):
        port = leg[c.REPORT_PORT]
    target[2] = port >> 8
    target[3] = port & 0xFF
    return bool(port <= 0xFFFF)


# --- figures ------------------------------------------------------------------------------------------------
@kernel
def figures(leg: Any, stream: Any, state: Any, target: Any) -> None:
    """A leg's figures, from word FIRST of `target` on."""
    target[3] = stream[quality.PACKETS]
    target[4] = leg[c.PACKETS_OUT]
    target[5] = quality.lost(stream)
    target[6] = stream[quality.DUPLICATED]
    target[7] = stream[quality.REORDERED]
    target[8] = leg[c.IGNORED]
    target[9] = quality.jitter_us(stream)
    target[10] = stream[quality.JITTER_MAX_US]
    target[11] = stream[quality.GAP_MAX_US]
    target[12] = leg[c.DIGITS_HEARD]
    target[13] = stream[quality.DELAYED]
    target[14] = stream[quality.DELAYED_MAX_US]
    target[15] = stream[quality.LOSS_RUNS]
    target[16] = stream[quality.WEIGHED]
    target[17] = stream[quality.CLIPPED]
    target[18] = stream[quality.LOUDEST]
    target[19] = leg[c.MISSED_FRAMES]
    target[20] = state[rtcp.HEARD]
    target[21] = state[rtcp.ABOUT]
    target[22] = state[rtcp.FAR_LOST]
    target[23] = state[rtcp.FAR_FRACTION_MAX]
    target[24] = state[rtcp.FAR_JITTER_US]
    target[25] = state[rtcp.FAR_JITTER_MAX_US]
    target[26] = state[rtcp.ROUND_TRIP_SUM_US] // max(state[rtcp.ROUND_TRIPS], 1) if state[rtcp.ROUND_TRIPS] else -1
    target[27] = state[rtcp.ROUND_TRIP_MAX_US]
    target[28] = state[rtcp.FAR_DISCARDED]
    target[29] = state[rtcp.FAR_DELAY_MS]
    target[30] = state[rtcp.FAR_OPINION]


@kernel
def publish(p: Plane, row: int, now_us: int) -> None:
    """Once a second, release a leg's figures to Python. Its generation is released last."""
    leg = p.legs[row]
    if now_us < leg[c.LIVE_US]:
        return
    leg[c.LIVE_US] = now_us + _LIVE_US
    record, shared = p.record, p.live_shared[row]
    figures(leg, p.quality[row], p.reports[row], record)
    for word in range(FIRST, FIGURES):
        store_release(shared, word, record[word])
    store_release(shared, 2, leg[c.GENERATION])


@kernel
def read_live(shared: Any, target: Any) -> None:
    """Python's side of `publish`: one leg's row of `live_shared`."""
    for word in range(FIGURES):
        target[word] = load_acquire(shared, word)
