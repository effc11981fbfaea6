"""A call that a trunk doesn't carry: is it the next trunk's turn?

Never after a person has said something (busy, no, not here), nor when the number itself is wrong: another trunk would
only say the same, and ring him twice. Always when the trunk, or the network behind it, is what failed. Where a Q.850
cause tells the reason, it counts before the SIP status (RFC 3326, RFC 3398 §8.2.6).
"""

from __future__ import annotations

PEOPLE = (1, 16, 17, 18, 19, 20, 21, 22, 26, 28, 31)  # no such number, cleared, busy, no answer, refused, incomplete …
NETWORK = (2, 3, 5, 6, 25, 27, 34, 38, 41, 42, 43, 44, 46, 47, 49, 50, 53, 54, 57, 58, 63, 65, 66, 69, 70, 79, 81, 88,
           91, 95, 96, 97, 98, 99, 100, 101, 102, 111, 127)  # fmt: skip
STATUSES = (401, 402, 403, 405, 406, 407, 408, 415, 420, 421, 433, 482, 483, 488, 503, 504, 505, 513, 580)
RINGING_STATUSES = (500, 501, 502, 503, 504)  # of a far end that has rung already: only the network can say so


def moves(status: int, cause: int, *, rang: bool, also: tuple[int, ...] = ()) -> bool:
    """Does a final answer of a trunk send the call to the next one? `rang`: it has said 180 or 183 before.

    `also`: statuses that do so for this trunk, whatever their cause.
    """
    if status in also:
        return True
    if status >= 600 or 300 <= status < 400 or status == 487:
        return False
    if rang:
        return status in RINGING_STATUSES and cause not in PEOPLE
    if status == 408:  # nobody said a word: the cause is our own
        return True
    if cause in PEOPLE:
        return False
    if cause in NETWORK:
        return True
    return status in STATUSES or 500 <= status < 600
