"""What a tenant says of each of its languages (`speech:`, `voices:`), on top of what site.yaml says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean

T = TypeVar("T")


def read(
    report: Report, node: marks.Node | None, name: str, languages: tuple[str, ...], inherited: dict[str, T], code: str,
    one: Callable[[Report, marks.Scalar, marks.Node], T | None], others: tuple[str, ...] = (),
) -> dict[str, T]:
    """language -> what `one` makes of its entry (None after a finding); what isn't named is as `inherited`. `code`: of
    the finding at a language that no caller is spoken to in. `others`: keys that name no language."""
    found = dict(inherited)
    for key, value in values.mapping(report, node, name) or ():
        if key.text not in (*languages, *others):
            hint = did_you_mean(key.text, languages, otherwise="name it under languages:")
            report.add(code, key, f"no caller is spoken to in {key.text!r} here", hint)
        made = one(report, key, value)
        if made is not None:
            found[key.text] = made
    return found
