"""One utterance as a picture (SVG): its level and the line's noise, what each gate said, where it began and ended, and
the words that were heard, each where it was said. The page's own ink, so that it reads on dark and light alike."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import msgspec

from engine.speech.endpointing import FRAME_MS, Gates
from engine.speech.hush import LOUD_DBFS, OVER_FLOOR_DB

WIDTH, LEFT, RIGHT, TOP = 960, 60, 12, 34
LEVEL_HEIGHT, GATE_HEIGHT, ROW_HEIGHT = 190, 13, 34
FLOOR_DBFS = -80.0
GATES = ("tone", "level", "voice")
ALTERNATIVES_MAX = 5
_STYLE = (
    "text{font:12px sans-serif;fill:currentColor}.d{stroke:currentColor;opacity:.25}.l{fill:none;stroke:#3b82f6;"
    "stroke-width:1.5}.n{fill:none;stroke:#d97706;stroke-width:1.5}.tone{fill:#dc2626}.level{fill:#3b82f6}"
    ".voice{fill:#16a34a}.w{fill:#16a34a;fill-opacity:.18;stroke:#16a34a}.m{stroke:#a855f7;stroke-dasharray:4 3}"
    "svg{color:#222}@media(prefers-color-scheme:dark){svg{color:#ddd}}"
)


class Word(msgspec.Struct, frozen=True):
    """A word and when it was said, ms from the first frame of the picture."""

    text: str
    start_ms: int
    end_ms: int


class Line(msgspec.Struct, frozen=True):
    """An alternative: its words, the decoder's score (only differences mean something), and what it was taken for."""

    words: tuple[Word, ...]
    score: float


def draw(
    title: str, gates: Sequence[Gates], lines: Sequence[Line], *, start_ms: int, end_ms: int, decided_ms: int
) -> str:
    """The SVG. `gates`: one a frame; times in ms from the first one, -1 for what didn't happen."""
    whole_ms = max(FRAME_MS, len(gates) * FRAME_MS)
    shown = list(lines[:ALTERNATIVES_MAX])
    gates_top = TOP + LEVEL_HEIGHT + 8
    words_top = gates_top + len(GATES) * (GATE_HEIGHT + 4) + 26
    height = words_top + max(1, len(shown)) * ROW_HEIGHT + 6

    def x(ms: float) -> float:
        return round(LEFT + ms / whole_ms * (WIDTH - LEFT - RIGHT), 1)

    def y(dbfs: float) -> float:
        return round(TOP + LEVEL_HEIGHT * max(0.0, min(1.0, dbfs / FLOOR_DBFS)), 1)

    def curve(kind: str, levels: Sequence[float]) -> str:
        points = " ".join(f"{x((at + 0.5) * FRAME_MS)},{y(level)}" for at, level in enumerate(levels))
        return f'<polyline class="{kind}" points="{points}"/>'

    parts = [f'<text x="{LEFT}" y="16">{escape(title)}</text>']
    for dbfs in (0, -20, -40, -60):
        parts += [f'<line class="d" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(dbfs)}" y2="{y(dbfs)}"/>',
                  f'<text x="{LEFT - 6}" y="{y(dbfs) + 4}" text-anchor="end">{dbfs} dB</text>']  # fmt: skip
    parts += [curve("l", [each.level for each in gates]), curve("n", [each.floor for each in gates])]
    for row, name in enumerate(GATES):
        top = gates_top + row * (GATE_HEIGHT + 4)
        parts.append(f'<text x="{LEFT - 6}" y="{top + 11}" text-anchor="end">{name}</text>')
        parts += [f'<rect class="{name}" x="{x(first * FRAME_MS)}" y="{top}" '
                  f'width="{round(x(last * FRAME_MS) - x(first * FRAME_MS), 1)}" height="{GATE_HEIGHT}"/>'
                  for first, last in _runs(gates, name)]  # fmt: skip
    for name, ms in (("start", start_ms), ("end", end_ms), ("decided", decided_ms)):
        if ms >= 0:
            parts += [f'<line class="m" x1="{x(ms)}" x2="{x(ms)}" y1="{TOP - 8}" y2="{height - 4}"/>',
                      f'<text x="{x(ms) + 3}" y="{TOP + 2}">{name} {ms} ms</text>']  # fmt: skip
    for row, line in enumerate(shown):
        top = words_top + row * ROW_HEIGHT
        parts.append(f'<text x="{LEFT - 6}" y="{top + 17}" text-anchor="end">{line.score - shown[0].score:.1f}</text>')
        for word in line.words:
            left, right = x(word.start_ms), x(word.end_ms)
            parts += [f'<rect class="w" x="{left}" y="{top}" width="{round(max(1.0, right - left), 1)}" height="26"/>',
                      f'<text x="{left + 3}" y="{top + 17}">{escape(word.text)}</text>']  # fmt: skip
    if not shown:
        parts.append(f'<text x="{LEFT}" y="{words_top + 17}">nothing was understood</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _runs(gates: Sequence[Gates], name: str) -> list[tuple[int, int]]:
    """Frames [first, last) in which a gate was on. `level`: louder than the noise by what counts."""
    found: list[tuple[int, int]] = []
    for at, each in enumerate(gates):
        on = each.level > max(each.floor + OVER_FLOOR_DB, LOUD_DBFS) if name == "level" else bool(getattr(each, name))
        if on and found and found[-1][1] == at:
            found[-1] = found[-1][0], at + 1
        elif on:
            found.append((at, at + 1))
    return found
