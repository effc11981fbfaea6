"""Symmetric RTP, learnt carefully (DESIGN §2): whose packets a leg believes, and where it sends.

Learning opens after each offer/answer. Packets from the signalled address are believed at once; another source must
deliver four consecutive packets of one SSRC. While learning is open the signalled address wins over a stranger that
was quicker; later a source is replaced only after 500 ms of silence. A trunk may narrow who can be learnt at all.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import columns as c
from engine.media import rings
from engine.media.columns import Plane
from engine.rtp import rtcp

_CONSECUTIVE = 4
_FAMILY_V6 = 10


@kernel
def significant_bytes(length: int) -> int:
    """How much of a sockaddr counts: family, port and address (a v6 scope too), not the padding."""
    return 8 if length <= 16 else 28


@kernel
def same_address(one: Any, other: Any, length: int) -> bool:
    """Do two sockaddrs of this length name the same address and port? (A v6 flow label doesn't count.)"""
    for index in range(significant_bytes(length)):
        if one[index] != other[index] and not (length > 16 and 4 <= index < 8):
            return False
    return True


@kernel
def same_host(one: Any, other: Any, length: int) -> bool:
    """Do two sockaddrs of this length name the same address, whatever the port?"""
    first, end = (4, 8) if length <= 16 else (8, 24)
    differences = 0
    for index in range(first, end):
        differences += one[index] != other[index]
    return differences == 0


@kernel
def _in_network(network: Any, family: int, bits: int, source: Any, length: int) -> bool:
    v6 = length > 16
    if (family == _FAMILY_V6) != v6:
        return False
    first = 8 if v6 else 4
    for index in range(16 if v6 else 4):
        rest = bits - 8 * index
        if rest <= 0:
            return True
        mask = 0xFF if rest >= 8 else (0xFF << (8 - rest)) & 0xFF
        if (source[first + index] ^ network[index]) & mask:
            return False
    return True


@kernel
def _allowed(p: Plane, row: int, source: Any, length: int) -> bool:
    leg = p.legs[row]
    if leg[c.ACCEPT] == c.AS_SIGNALLED:
        signalled = p.addresses[row, c.SIGNALLED]
        return bool(leg[c.SIGNALLED_LENGTH] == length and same_host(signalled, source, length))
    if leg[c.ACCEPT] == c.FROM_NETWORK:
        return _in_network(p.networks[row], leg[c.NETWORK_FAMILY], leg[c.NETWORK_BITS], source, length)
    return True


@kernel
def is_current(p: Plane, row: int, source: Any, length: int) -> bool:
    """Did this leg's latched source send this?"""
    leg = p.legs[row]
    if leg[c.LATCHED] == 0 or leg[c.CURRENT_LENGTH] != length:
        return False
    return same_address(p.addresses[row, c.CURRENT], source, length)


@kernel
def admit(p: Plane, row: int, source: Any, length: int, ssrc: int, sequence: int, now_us: int) -> bool:
    """May a packet with an accepted payload type be heard? Learns on the way; see the module's rules."""
    leg = p.legs[row]
    if is_current(p, row, source, length):
        leg[c.HEARD_US] = now_us
        return True
    if leg[c.IS_SET] == 0 or not _allowed(p, row, source, length):
        return False
    signalled = bool(
        leg[c.SIGNALLED_LENGTH] == length and same_address(p.addresses[row, c.SIGNALLED], source, length)
    )
    if leg[c.LATCHED] == 1:
        wins = signalled and now_us < leg[c.LEARN_UNTIL_US]
        if not wins and now_us - leg[c.HEARD_US] < p.settings[c.RELATCH_US]:
            return False
    elif signalled:
        _latch(p, row, source, length, now_us)
        return True
    candidate = p.addresses[row, c.CANDIDATE]
    goes_on = (
        leg[c.CANDIDATE_COUNT] > 0
        and leg[c.CANDIDATE_LENGTH] == length
        and leg[c.CANDIDATE_SSRC] == ssrc
        and ((leg[c.CANDIDATE_SEQUENCE] + 1) & 0xFFFF) == sequence
        and same_address(candidate, source, length)
    )
    if not goes_on:
        leg[c.CANDIDATE_COUNT] = 0
        leg[c.CANDIDATE_LENGTH] = length
        leg[c.CANDIDATE_SSRC] = ssrc
        copy_address(candidate, source)
    leg[c.CANDIDATE_COUNT] += 1
    leg[c.CANDIDATE_SEQUENCE] = sequence
    if leg[c.CANDIDATE_COUNT] < _CONSECUTIVE:
        return False
    _latch(p, row, source, length, now_us)
    return True


@kernel
def copy_address(target: Any, source: Any) -> None:
    """Copy a sockaddr, all ADDRESS_BYTES of it."""
    for index in range(c.ADDRESS_BYTES):
        target[index] = source[index]


@kernel
def _latch(p: Plane, row: int, source: Any, length: int, now_us: int) -> None:
    leg = p.legs[row]
    current = p.addresses[row, c.CURRENT]
    if leg[c.CURRENT_LENGTH] != length or not same_address(current, source, length):
        leg[c.REPORT_LENGTH] = 0  # reports of the target before came from there
    copy_address(p.addresses[row, c.CURRENT], source)
    leg[c.CURRENT_LENGTH] = length
    leg[c.LATCHED] = 1
    leg[c.CONFIRMED] = 1
    leg[c.HEARD_US] = now_us
    leg[c.CANDIDATE_COUNT] = 0
    leg[c.TELL_LATCHED] = 1
    tell(p, row)


@kernel
def tell(p: Plane, row: int) -> None:
    """Raise Latched with the address; kept for the next tick when the ring is more than half full."""
    leg = p.legs[row]
    if rings.waiting(p.happening_shared) >= c.EVENT_SIZE // 2:
        p.counters[c.EVENTS_REFUSED] += 1
        return
    address = p.addresses[row, c.CURRENT]
    record = p.record
    for word in range(c.EVENT_WORDS):
        record[word] = 0
    for index in range(c.ADDRESS_BYTES):
        record[4 + (index >> 3)] |= i64(address[index]) << (8 * (index & 7))
    record[0] = rings.LATCHED
    record[1] = row
    record[2] = leg[c.GENERATION]
    record[3] = leg[c.CURRENT_LENGTH]
    if rings.emit_record(p, record):
        leg[c.TELL_LATCHED] = 0


@kernel
def signal(p: Plane, row: int, address: Any, length: int, now_us: int) -> None:
    """An offer/answer named `address` (length 0: none, as on hold): send there, and open learning again.

    A latched source stays when the signalled address is what it was, or is the source itself: a session refresh or
    the end of a hold must not cut what works.
    """
    leg = p.legs[row]
    leg[c.LEARN_UNTIL_US] = now_us + p.settings[c.LEARN_US]
    leg[c.CANDIDATE_COUNT] = 0
    if length == 0:
        return
    signalled = p.addresses[row, c.SIGNALLED]
    unchanged = leg[c.SIGNALLED_LENGTH] == length and same_address(signalled, address, length)
    leg[c.SIGNALLED_LENGTH] = length
    copy_address(signalled, address)
    if unchanged or is_current(p, row, address, length):
        return
    leg[c.LATCHED] = 0
    leg[c.CONFIRMED] = 0
    leg[c.SENDING_SINCE_US] = 0
    leg[c.REPORT_LENGTH] = 0
    p.reports[row, rtcp.SENDER_US] = 0  # nobody's round trip is measured by another's clock
    leg[c.CURRENT_LENGTH] = length
    copy_address(p.addresses[row, c.CURRENT], address)
