"""A test of a dialplan as data: what is given, and the lines of a conversation that is expected to go so.

`transcript_reader` makes it from a `*.test.yaml`, `rehearsal` plays it against a real `Switch`.
"""

from __future__ import annotations

import msgspec

from engine.dialplan.types import Value


class Place(msgspec.Struct, frozen=True):
    """Where something is written; lines and columns count from 1."""

    file: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Told = str | tuple[str, ...] | dict[str, str | dict[str, str]]


class Line(msgspec.Struct, frozen=True):
    """One line. `kind` is its key (transcript_reader.LINES); `value` what stands behind it.

    hears, agent_hears: names in order; press, press_ahead: keys; wait, say_for: ms as text; agent: (number or '', act,
    argument); say: text, confidence (percent), or (what else it may have been, with ", " between); queue, call,
    callback, message, record: field -> expected text; hears_text, outcome, flow: the text.
    `places`: of each name or field, where they are several.
    """

    kind: str
    value: Told
    place: Place
    places: dict[str, Place] = {}


class Fake(msgspec.Struct, frozen=True):
    """What a lookup answers: `result` ok (with `values` by whole name) | not_found | failed | hangs."""

    result: str
    values: dict[str, Value] = {}
    after_ms: int = 50


class FakeBot(msgspec.Struct, frozen=True):
    """What a bot does: `result` done | timeout | failed | hangs, `values` and `next` as of StreamOver."""

    result: str
    values: dict[str, str] = {}
    next: str = ""
    after_ms: int = 5_000


class Given(msgspec.Struct, frozen=True):
    """The world that a call comes into. `wall_ms` is Unix ms; `agents`: full key -> state at the beginning."""

    dialled: str
    tenant: str
    caller: str
    caller_name: str
    trunk: str  # '' public
    host: str  # where the caller's INVITE comes from
    wall_ms: int
    zone: str
    agents: dict[str, str] = {}
    waiting: dict[str, int] = {}  # queue (full name) -> other callers who wait there already
    lookups: dict[str, Fake] = {}  # by full name; any other fails
    closed: tuple[str, ...] = ()  # queues that an operator has closed
    switches: tuple[tuple[str, str, str], ...] = ()  # (notice | calendar, full name, state, or a notice's words)
    unreachable: tuple[str, ...] = ()  # addresses of recordings that can't be fetched
    bots: dict[str, FakeBot] = {}  # by address; any other fails


class Case(msgspec.Struct, frozen=True):
    """A name, what is given, and its lines (those that it follows included)."""

    name: str
    place: Place
    given: Given
    lines: tuple[Line, ...]


class Cases(msgspec.Struct, frozen=True):
    """A file's tests in its order."""

    file: str
    tests: tuple[Case, ...]
