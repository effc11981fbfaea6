"""How sure a recogniser may be of what it heard: from scores of competing readings to a number between 0 and 1.

Two things make a reading doubtful: sounds that any phones explain as well (it was none of the phrases), and another
phrase that explains them as well. Scores are natural logarithms; only their differences mean something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec


class Calibration(msgspec.Struct, frozen=True):
    """Of a model. A reading that is `even` behind (negative) or before the garbage path is as likely right as wrong;
    `steep` says how quickly that changes; `spread` by how much the scores of phrases have to differ."""

    even: float = 1.0
    steep: float = 1.0
    spread: float = 1.0
    beyond: float = 7.0  # garbage that wasn't among the alternatives is at least so far behind


def confidences(scores: Sequence[float], garbage: float | None, calibration: Calibration) -> list[float]:
    """For each reading's score how sure it is, 0 … 1. `garbage`: the score of the garbage path, None when it was too
    far behind to be told. The scores are those of words that mean different things, best first."""
    if not scores:
        return []
    against = garbage if garbage is not None else scores[0] - calibration.beyond
    total = sum(math.exp(min(0.0, (score - scores[0]) / calibration.spread)) for score in scores)
    found = []
    for score in scores:
        inside = 1 / (1 + math.exp(-max(-60.0, min(60.0, calibration.steep * (score - against - calibration.even)))))
        among = math.exp(min(0.0, (score - scores[0]) / calibration.spread)) / total
        found.append(round(inside * among, 3))
    return found
