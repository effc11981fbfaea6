"""Golden transcripts: how every call of a file of tests went, kept beside it, so that a change of anything shows.

    [support answers]
        0.0 s  5550100 dials 100, Wednesday 2026-03-04 10:00 UTC
        0.0 s  hears welcome “Welcome to Ringdown.”
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.sim.expecting import Failure
from engine.sim.transcript import Place

HEAD = "# How the calls of {file} went; written and compared by ringdown test --golden, renewed by --golden-write."
ENDING = ".golden.txt"


def path_of(file: str) -> str:
    """dialplans/main.test.yaml -> dialplans/main.test.golden.txt"""
    return file.removesuffix(".yaml") + ENDING


def parse(text: str) -> dict[str, list[str]]:
    """Test -> its lines, without the space before them. What stands before the first test is dropped."""
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("[") and line.endswith("]"):
            lines = found.setdefault(line[1:-1], [])
        elif lines is not None and line.strip():
            lines.append(line.strip())
    return found


def render(file: str, stories: Mapping[str, Sequence[str]]) -> str:
    parts = [HEAD.format(file=file.rsplit("/", 1)[-1])]
    for test, story in stories.items():
        parts += ["", f"[{test}]", *(f"    {line}" for line in story)]
    return "\n".join([*parts, ""])


def compare(place: Place, kept: Sequence[str], story: Sequence[str]) -> Failure | None:
    """None when the call went as it did when the transcript was kept, else the first line that differs."""
    told = [line.strip() for line in story]
    for number in range(max(len(kept), len(told))):
        was = kept[number] if number < len(kept) else "the end of the call"
        now = told[number] if number < len(told) else "the end of the call"
        if was != now:
            return Failure(place, f"line {number + 1} of the golden transcript, “{was}”", f"“{now}”", tuple(story))
    return None
