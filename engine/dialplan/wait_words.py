"""An estimate of the wait as it is said: whole minutes, a range, rounded to humane steps and never downwards.

Up to ten minutes every minute is a step, beyond it every five. A range that says nothing (two minutes to half an
hour) is not said at all, and beyond LONGEST_MIN there is only "longer than".
"""

from __future__ import annotations

from engine.dialplan.model import Site
from engine.dialplan.speaking import number_clips, present

LONGEST_MIN = 30
WIDTH_MS_MAX = 5 * 60_000  # a wider range is said only when its end is at most WIDTH_RATIO times its beginning
WIDTH_RATIO = 3
_MINUTE = 60_000


def said_range(low_ms: int, high_ms: int) -> tuple[int, int] | None:
    """Minutes (low, high) to be said for a wait that probably lies between; None: better say nothing.

    (0, high) is "less than high minutes", (low, 0) "longer than low minutes". Both ends are rounded up: who waits
    less than he was told is content.
    """
    low_ms, high_ms = max(0, low_ms), max(0, low_ms, high_ms)
    if low_ms >= LONGEST_MIN * _MINUTE:
        return LONGEST_MIN, 0
    if high_ms - low_ms > WIDTH_MS_MAX and high_ms > WIDTH_RATIO * low_ms:
        return None
    low, high = _up(low_ms), _up(high_ms)
    if high > LONGEST_MIN:
        return low, 0
    if high <= 2:
        return 0, 2
    if low == high:
        low -= 1 if high <= 10 else 5
    return low, high


def _up(ms: int) -> int:
    minutes = -(-ms // _MINUTE)
    return minutes if minutes <= 10 else -(-minutes // 5) * 5


def spell(words: tuple[int, int]) -> str:
    """A range as a fact: "4 7"."""
    return f"{words[0]} {words[1]}"


def range_clips(words: str, language: str, site: Site, tenant: str = "") -> tuple[str, ...]:
    """The clips of "LOW HIGH". A language that lacks one of them says nothing rather than half a sentence."""
    low, high = (int(each) for each in words.split())
    if low and high:
        joint = "wait_to" if language == "zh" else "numbers/and"
        names = ["wait_between", *_number(low, language), joint, *_number(high, language), "wait_minutes"]
    elif high:
        names = ["wait_less_than", *_number(high, language), "wait_minutes"]
    else:
        names = ["wait_longer_than", *_number(low, language), "wait_minutes"]
    clips = present(names, language, site, tenant)
    return clips if len(clips) == len(names) else ()


def _number(minutes: int, language: str) -> list[str]:
    if language == "zh" and minutes == 2:
        return ["numbers/liang"]  # a count of two is 两
    return [f"numbers/{word}" for word in number_clips(minutes, language)]
