"""Q.850 causes and SIP statuses, each from the other (RFC 3398 §7.2.4.1 and §8.2.6.1; RFC 3326; RFC 4411 for 8, 9).

A cause that the far end named goes before one that is worked out from its status. Where RFC 3398 maps a lack of lines
to 503 we say 480 or 486: a 503 takes the whole trunk down at the other side.
"""

from __future__ import annotations

OF_STATUS = {
    400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 413: 127, 414: 127,
    415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17,
    487: 16, 488: 88, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1,
    606: 88,
}  # 487: our CANCEL (RFC 3398 §8.2.7.1); 488, 606: what they could not agree on is the bearer
STATUS_OF = {
    1: 404, 2: 404, 3: 404, 8: 480, 9: 488, 16: 480, 17: 486, 18: 480, 19: 480, 20: 480, 21: 603, 22: 410, 23: 410,
    26: 404, 27: 502, 28: 484, 29: 501, 31: 480, 34: 486, 38: 480, 41: 480, 42: 480, 47: 488, 55: 403, 57: 403,
    58: 480, 65: 488, 70: 488, 79: 501, 87: 403, 88: 488, 102: 504, 111: 500, 127: 500,
}  # 18 would be 408, which a far end takes for a lost path; 47: our own, when an SDP can't be served


def of_status(status: int) -> int:
    """The cause that a final status stands for; an unknown one counts as the x00 of its class (RFC 3261 §8.1.3.2)."""
    return OF_STATUS.get(status) or {4: 41, 5: 41, 6: 21}.get(status // 100, 0)


def status_of(cause: int) -> int:
    """The status of a refusal for this cause; 480 for one that has none of its own."""
    return STATUS_OF.get(cause, 480)
