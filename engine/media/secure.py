"""A leg's SRTP: its keys come by command, packets are opened when they arrive and closed when they leave.

Everything between works on plain packets. A leg with CIPHER set neither takes nor sends anything plain: a side
without keys (libcrypto refused, or an answer is still awaited) drops its packets instead. Only packet indices lie in
`streams`, whose memory outlives the process; keys are inside libcrypto's contexts and end with the leg.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import columns as c
from engine.media.columns import Plane
from engine.rtp import srtp

# --- places in a SET_KEY record (0 kind, 1 row, 2 generation) ------------------------------------------------
KEY_SUITE, KEY_SIDE, KEY_MASTER, KEY_STREAMS = 3, 4, 5, 9  # the master key in four words; how many streams follow
KEY_FIRST_STREAM, KEY_STREAM_WORDS = 10, 4  # known, SSRC, index, RTCP index: where a dead plane had come to


@kernel
def set_key(p: Plane, row: int, words: Any) -> None:
    """Give one direction of a leg a new key, and forget the packets under the one before. Suite PLAIN: plain RTP again
    in both directions."""
    leg, suite = p.legs[row], words[KEY_SUITE]
    if suite == srtp.PLAIN:
        forget(p, row)
        return
    side = 1 if words[KEY_SIDE] == c.OUTBOUND else 0
    for index in range(32):
        p.secret[index] = (words[KEY_MASTER + (index >> 3)] >> (8 * (index & 7))) & 0xFF
    srtp.begin(p.sides[row, side], p.salts[row, side], suite, side, p.secret, p.scratch)
    for index in range(32):
        p.secret[index] = 0
    leg[c.CIPHER] = 1
    streams = p.streams[row, side]
    for word in range(srtp.STREAM_ROW):
        streams[word] = 0
    for number in range(min(max(words[KEY_STREAMS], 0), srtp.STREAMS)):
        first, at = KEY_FIRST_STREAM + KEY_STREAM_WORDS * number, srtp.STREAM_WORDS * number
        streams[at + srtp.KNOWN] = words[first]
        streams[at + srtp.SSRC] = words[first + 1]
        streams[at + srtp.INDEX] = words[first + 2]
        streams[at + srtp.RTCP_INDEX] = words[first + 3]
        streams[at + srtp.SEEN] = -1  # what came before the outage counts as seen
        streams[at + srtp.RTCP_SEEN] = -1
        streams[srtp.NEXT] = number + 1


@kernel
def forget(p: Plane, row: int) -> None:
    """Wipe the leg's keys and salts: plain RTP from now on."""
    p.legs[row, c.CIPHER] = 0
    for side in range(2):
        if p.sides[row, side, srtp.SUITE] != srtp.PLAIN:
            srtp.end(p.sides[row, side])
        for word in range(srtp.STREAM_ROW):
            p.streams[row, side, word] = 0
        for kind in range(2):
            for index in range(srtp.SALT_BYTES):
                p.salts[row, side, kind, index] = 0


@kernel
def wipe(words: Any) -> None:
    """Wipe the key of a SET_KEY record that has been applied, or came too late."""
    for place in range(KEY_MASTER, c.COMMAND_WORDS):
        words[place] = 0


@kernel
def unprotect(p: Plane, row: int, datagram: Any, length: int, control: bool) -> int:
    """Open an RTP or RTCP packet that came for the leg: its new length, -1 when it isn't genuine or new.

    Refused audio is counted: it says whose fault the silence is. A report says nothing of that.
    """
    side, opened = p.sides[row, c.INBOUND], -1
    if side[srtp.SUITE] != srtp.PLAIN:
        salts, streams = p.salts[row, c.INBOUND], p.streams[row, c.INBOUND]
        if control:
            opened = srtp.unprotect_rtcp(side, salts, streams, datagram, length, p.scratch)
        else:
            opened = srtp.unprotect(side, salts, streams, datagram, length, p.scratch)
    if opened < 0 and not control:
        p.streams[row, c.INBOUND, srtp.REFUSED] += 1
    return i64(opened)  # type: ignore[no-any-return]


@kernel
def protect(p: Plane, row: int, packet: Any, length: int) -> int:
    """Close an RTP packet that is about to leave: its new length, -1 when it must not leave."""
    side = p.sides[row, c.OUTBOUND]
    if side[srtp.SUITE] == srtp.PLAIN:
        return -1
    return srtp.protect(side, p.salts[row, c.OUTBOUND], p.streams[row, c.OUTBOUND], packet, length, p.scratch)


@kernel
def protect_report(p: Plane, row: int, packet: Any, length: int) -> int:
    """Close a compound RTCP packet that is about to leave: its new length, -1 when it must not leave."""
    side = p.sides[row, c.OUTBOUND]
    if side[srtp.SUITE] == srtp.PLAIN:
        return -1
    return srtp.protect_rtcp(side, p.salts[row, c.OUTBOUND], p.streams[row, c.OUTBOUND], packet, length, p.scratch)
