"""The operator's log: one line a fact on stderr, and nobody can flood it.

Lines that share a rate key are bounded per second, and so are all lines together; what was held back is counted and
said once. A line break or control character from outside can't make a second line, or a false one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

from engine import limits

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
keys_max = 1_024


class Log:
    """`write(level, text, rate_key, **facts)`; thread use is not meant (the loop's thread only)."""

    def __init__(
        self, *, level: str = "info", as_json: bool = False, stream: TextIO | None = None,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        import time

        self.counts: dict[str, int] = {}
        self.held_back = 0
        self._threshold = LEVELS[level]
        self._seconds = seconds or time.monotonic
        self._window = -1
        self._written = 0
        self._in_window: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._emit = _emitter(stream or sys.stderr, as_json)

    def write(self, level: str, text: str, rate_key: str = "", **facts: object) -> None:
        """One line, unless the level is below the threshold or the key's share of this second is used up."""
        self.counts[level] = self.counts.get(level, 0) + 1
        if LEVELS.get(level, 20) < self._threshold:
            return
        key = rate_key or text[:40]
        second = int(self._seconds())
        if second != self._window:
            self._next_window(second)
        used = self._in_window.get(key, 0) + 1
        if len(self._in_window) < keys_max or key in self._in_window:
            self._in_window[key] = used
        if used > limits.log_lines_per_second_max or self._written >= limits.log_lines_total_per_second_max:
            self.held_back += 1
            if len(self._held) < keys_max:
                self._held[key] = self._held.get(key, 0) + 1
            return
        self._written += 1
        self._emit(level, text.translate(_ESCAPES), plain_facts(facts))

    def tick(self) -> None:
        """Once a second: a flood that has ended is told even when nothing else happens."""
        if self._held and int(self._seconds()) != self._window:
            self._next_window(int(self._seconds()))

    def debug(self, text: str, rate_key: str = "", **facts: object) -> None:
        self.write("debug", text, rate_key, **facts)

    def info(self, text: str, rate_key: str = "", **facts: object) -> None:
        self.write("info", text, rate_key, **facts)

    def warning(self, text: str, rate_key: str = "", **facts: object) -> None:
        self.write("warning", text, rate_key, **facts)

    def error(self, text: str, rate_key: str = "", **facts: object) -> None:
        self.write("error", text, rate_key, **facts)

    def _next_window(self, second: int) -> None:
        self._window = second
        self._written = 0
        self._in_window.clear()
        held, self._held = self._held, {}
        total = sum(held.values())
        if total:
            worst = max(held, key=lambda key: held[key])
            self._emit("warning", f"{total} lines held back in one second", {"most": worst, "lines": held[worst]})


_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160), 0x2028, 0x2029)}
_IN_FACTS = {code: text for code, text in _ESCAPES.items() if chr(code) not in "\t\r\n"}  # the renderers quote these


def plain_facts(facts: dict[str, object]) -> dict[str, object]:
    """Facts whose texts hold no control characters that a terminal would obey."""
    return {name: fact.translate(_IN_FACTS) if isinstance(fact, str) else fact for name, fact in facts.items()}


def clock_jump(old_ms: int, new_ms: int, now_ms: int) -> str:
    """The line about a wall clock that was set: offsets before and after, and the monotonic clock, in ms."""
    old, new = (datetime.fromtimestamp((now_ms + offset) / 1000, UTC) for offset in (old_ms, new_ms))
    return (
        f"the wall clock jumped by {(new_ms - old_ms) / 1000:+.1f} s: it was {old:%Y-%m-%d %H:%M:%S} UTC, it is "
        f"{new:%Y-%m-%d %H:%M:%S} UTC; no timer moves"
    )


def _emitter(stream: TextIO, as_json: bool) -> Callable[[str, str, dict[str, object]], None]:
    """structlog renders (loaded here: no command that only reads records pays for it)."""
    import structlog

    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), pad_event_to=0, sort_keys=False
    )
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            renderer,
        ],
    )

    def emit(level: str, text: str, facts: dict[str, object]) -> None:
        with suppress(OSError, ValueError):  # a closed stderr must not end calls
            getattr(logger, level if level in LEVELS else "info")(text, **facts)

    return emit
