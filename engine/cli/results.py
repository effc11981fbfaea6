"""What tests gave, for people, for programs (`--json`) and for CI servers (`--junit`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec

from engine.sim.coverage import Coverage
from engine.sim.expecting import Failure, Result

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Row(msgspec.Struct, frozen=True):
    """One test that was played. `site` goes before its places where several sites are tested; `lines`: its file's."""

    file: str
    result: Result
    seconds: float
    lines: list[str]
    site: str = ""


def failure_text(row: Row, failure: Failure) -> str:
    """Where, what was expected, the line with a caret, what was the case, and the transcript up to there."""
    place = failure.place
    parts = [f"{row.site}{place}: {row.result.test}: expected {failure.expected}"]
    if 0 < place.line <= len(row.lines):
        source = row.lines[place.line - 1].rstrip("\r")
        parts += [f"    {source}", f"    {' ' * (place.column - 1)}{'^' * place.width}"]
    parts.append(f"    but {failure.found}")
    if failure.transcript:
        parts.append("    the call up to there:")
        parts += [f"    {line}" for line in failure.transcript]
    return "\n".join(parts)


def as_plain(row: Row) -> dict[str, Any]:
    """One result for `--json`."""
    result, failure = row.result, row.result.failure
    plain: dict[str, Any] = {
        "file": row.site + row.file, "line": result.place.line, "test": result.test, "ok": failure is None,
        "seconds": row.seconds, "call_seconds": result.virtual_ms / 1_000,
    }  # fmt: skip
    if failure is not None:
        plain["at"] = f"{row.site}{failure.place}"
        plain["expected"], plain["found"] = failure.expected, failure.found
        plain["transcript"] = list(failure.transcript)
    return plain


def coverage_text(site: str, cover: Coverage) -> list[str]:
    """What nobody has seen, by place, and the sums."""
    steps_seen, steps, ways_seen, ways = cover.counts()
    of_steps, of_ways = cover.percent()
    sums = f"steps {steps_seen} of {steps} ({of_steps:.0f} %), branches {ways_seen} of {ways} ({of_ways:.0f} %)"
    return [*(site + missing.text() for missing in cover.missing()), f"{site}coverage: {sums}".replace("/cov", ": cov")]


def coverage_plain(site: str, cover: Coverage) -> dict[str, Any]:
    steps_seen, steps, ways_seen, ways = cover.counts()
    return {
        "site": site.rstrip("/"), "steps": steps, "steps_seen": steps_seen, "branches": ways,
        "branches_seen": ways_seen, "missing": [msgspec.to_builtins(each) for each in cover.missing()],
    }  # fmt: skip


def junit(rows: Sequence[Row], broken: Sequence[str]) -> str:
    """JUnit XML as CI servers read it: a suite for each file, a case for each test. `broken`: what can't be read,
    each finding as a text."""
    suites: dict[str, list[Row]] = {}
    for row in rows:
        suites.setdefault(row.site + row.file, []).append(row)
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for file, mine in suites.items():
        failures = sum(1 for row in mine if row.result.failure is not None)
        total = sum(row.seconds for row in mine)
        counts = f'tests="{len(mine)}" failures="{failures}" errors="0" time="{total:.4f}"'
        parts.append(f"<testsuite name={_attribute(file)} {counts}>")
        parts += [_case(file, row) for row in mine]
        parts.append("</testsuite>")
    for text in broken:
        name = _attribute(text.split("\n", 1)[0])
        parts += [
            f'<testsuite name={name} tests="1" failures="0" errors="1">',
            f"<testcase classname={name} name={name}><error>{escape(_clean(text))}</error></testcase>", "</testsuite>",
        ]  # fmt: skip
    return "\n".join([*parts, "</testsuites>", ""])


def _case(file: str, row: Row) -> str:
    head = f'<testcase classname={_attribute(file)} name={_attribute(row.result.test)} time="{row.seconds:.4f}"'
    failure = row.result.failure
    if failure is None:
        return f"{head}/>"
    short = _attribute(f"expected {failure.expected}, but {failure.found}")
    return f"{head}><failure message={short}>{escape(_clean(failure_text(row, failure)))}</failure></testcase>"


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot carry."""
    return _NO_XML.sub("?", text)


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))
