"""Times, durations and widths as people read them in a terminal."""

from __future__ import annotations

import time
import unicodedata


def width(text: str) -> int:
    """Terminal cells of a text (Chinese characters take two)."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def cut(text: str, cells: int) -> str:
    """At most `cells` terminal cells of a text; what was cut is shown by an ellipsis."""
    if width(text) <= cells:
        return text
    taken = ""
    for letter in text:
        if width(taken + letter) > cells - 1:
            break
        taken += letter
    return taken + "…"


def fit(text: str, cells: int) -> str:
    """Exactly `cells` terminal cells: cut, or filled by spaces."""
    taken = cut(text, cells)
    return taken + " " * (cells - width(taken))


def seconds(ms: int | float | None) -> str:
    """ "0.4 s", "75 s", "1 h 02 min"; '' for None."""
    if ms is None:
        return ""
    if ms < 10_000:
        return f"{ms / 1000:.1f} s"
    if ms < 3_600_000:
        return f"{ms / 1000:.0f} s"
    return f"{int(ms // 3_600_000)} h {int(ms // 60_000 % 60):02d} min"


def span(whole_seconds: int) -> str:
    """ "0:42", "12:05", "1:02:03": how long something has lasted, in few cells."""
    minutes, rest = divmod(max(0, whole_seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def clock(at_ms: int, *, date: bool = False) -> str:
    """Local wall time of Unix ms."""
    moment = time.localtime(at_ms / 1000)
    text = time.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S", moment)
    return text if date else f"{text}.{at_ms % 1000:03d}"
