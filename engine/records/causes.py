"""The causes of ITU-T Q.850 in words: why a call ended, or a phone was not reached."""

from __future__ import annotations

WORDS = {
    1: "no such number", 2: "no route to that network", 3: "no route there", 8: "pre-empted", 9: "pre-empted",
    16: "hung up", 17: "busy", 18: "nobody responds", 19: "no answer", 20: "not there", 21: "refused",
    22: "the number has changed", 23: "redirected", 25: "calls go in a circle", 26: "answered elsewhere",
    27: "out of order", 28: "number incomplete", 29: "service refused", 31: "ended without a reason",
    34: "no free line", 38: "network out of order", 41: "temporary failure", 42: "congestion", 43: "data discarded",
    44: "line not available", 47: "nothing in common in the SDP", 50: "service not subscribed",
    55: "incoming calls barred", 57: "not allowed", 58: "not available now", 63: "service not available",
    65: "not built there", 69: "facility not built there", 70: "restricted", 79: "not implemented there",
    87: "not in the closed group", 88: "incompatible", 95: "invalid message", 97: "unknown message",
    98: "message out of place", 99: "unknown element", 100: "invalid element", 101: "message out of place",
    102: "timed out", 111: "protocol error", 127: "no reason given by the network between",
}


def words(cause: object) -> str:
    """`busy (17)`; '' for 0 or nothing, which nobody gave. A record may hold anything."""
    if not cause:
        return ""
    return f"{WORDS[cause]} ({cause})" if isinstance(cause, int) and cause in WORDS else f"cause {cause}"
