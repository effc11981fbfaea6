"""Were promised waits kept? The definitions, as in `kpi`: pure functions over counts."""

from __future__ import annotations

from math import sqrt

import msgspec

from engine.records import kpi

GOAL_PERCENT = (80.0, 95.0)  # of the promises at 90 % this share is kept on a real run
_Z = 1.959964  # two-sided 95 %


class Promises(msgspec.Struct):
    """Promises counted by what came of them; `open` ones had no answer to be judged by."""

    kept: int = 0
    sooner: int = 0
    later: int = 0
    open: int = 0
    bounded: int = 0  # those with an upper bound
    width_ms: int = 0  # of the bounded, added up

    def merge(self, other: Promises) -> None:
        """Take another part in."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def outcome(low_ms: int, high_ms: int, waited_ms: int, connected: bool) -> str:
    """kept | sooner | later | open: what came of a promise of low_ms … high_ms (0: no upper bound).

    Answered within the range, bounds included: kept. Answered before: sooner, which breaks the promise as well. Who
    waited beyond the upper bound makes it later, answered or not. Everybody else who left unanswered is censored: his
    wait would have gone on, so nobody knows; that is open, and stands in no share.
    """
    if high_ms and waited_ms > high_ms:
        return "later"
    if not connected:
        return "open"
    return "sooner" if waited_ms < low_ms else "kept"


def made(counts: Promises) -> int:
    """Promises made whose wait is over = kept + sooner + later + open."""
    return counts.kept + counts.sooner + counts.later + counts.open


def judged(counts: Promises) -> int:
    """Promises that can be judged = kept + sooner + later."""
    return counts.kept + counts.sooner + counts.later


def kept_share(counts: Promises) -> float | None:
    """Kept promises = kept / (kept + sooner + later), in percent. Source: field.md D9; 90 % are promised.

    Where many give up, those who are left to be judged are the ones whose wait was short: read it with `open`.
    """
    return kpi.share(counts.kept, judged(counts))


def kept_interval(counts: Promises) -> tuple[float, float] | None:
    """95 % interval of `kept_share` in percent (Wilson's), with p = kept / n, n = judged and z = 1.96:

    (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n). It takes promises as independent. Those of one busy hour are
    not, they fail together: over a few hours the truth is wider.
    """
    n = judged(counts)
    if not n:
        return None
    p, spread = counts.kept / n, _Z * _Z / n
    middle = p + spread / 2
    half = _Z * sqrt(p * (1 - p) / n + spread / (4 * n))
    return 100.0 * max(0.0, (middle - half) / (1 + spread)), 100.0 * min(1.0, (middle + half) / (1 + spread))


def mean_width(counts: Promises) -> float | None:
    """Mean width = sum of (high − low) / promises that had an upper bound, in ms."""
    return kpi.mean(counts.width_ms, counts.bounded)
