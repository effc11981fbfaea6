"""Ranges of numbers, cut where their words change."""

from __future__ import annotations


def parts(low: int, high: int, scale: int) -> list[tuple[int, int, int, int]]:
    """A range cut at multiples of `scale`: (first, last) multiples that have one range of rests (rest_low, rest_high).

    The multiple 0 stands by itself, since it is not said.
    """
    cut: list[tuple[int, int, int, int]] = []
    for multiple in sorted({low // scale, high // scale}):
        cut.append((multiple, multiple, max(low - multiple * scale, 0), min(high - multiple * scale, scale - 1)))
    whole: list[tuple[int, int, int, int]] = []
    for part in cut:
        if whole and part[0] > whole[-1][1] + 1:
            whole.append((whole[-1][1] + 1, part[0] - 1, 0, scale - 1))
        whole.append(part)
    return whole
