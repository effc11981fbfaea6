"""Options of steps that listen to words."""

from __future__ import annotations

import pytest

from tests.dialplan.site import codes_of, lines, site_of


def plan(options: str, variables: str = "day: date") -> str:
    return lines(
        "ringdown: 1", "person: desk", f"variables: {{{variables}}}", "flows:", "  main:", "    - answer",
        f"    - gather: {{into: day, prompt: hello, failed: desk, {options}}}", "    - tag: day $day",
        "    - hangup: served", "  desk:", "    - dial: {to: 200, failed: bye}", "    - hangup: served",
        "  bye: [hangup]",
    )  # fmt: skip


@pytest.mark.parametrize(("options", "codes"), [
    ("listen: [keys, speech]", []), ("listen: [keys, speech], barge_in: after_first, keyed: ddmm", []),
    ("listen: [keys, speech], sure: 70, accept: 40", []), ("listen: speech", [("RD024", 7)]),
    ("listen: [keys, voice]", [("RD024", 7)]), ("listen: [keys, speech], barge_in: perhaps", [("RD024", 7)]),
    ("listen: [keys, speech], keyed: daymonth", [("RD024", 7)]), ("listen: keys", [("RD074", 7)]),
    ("listen: [keys, speech], sure: 30, accept: 40", [("RD024", 7)]),
    ("listen: [keys, speech], sure: 130", [("RD024", 7)]),
])  # fmt: skip
def test_options(options: str, codes: list[tuple[str, int]]) -> None:
    assert codes_of(plan(options)) == codes


def test_data() -> None:
    step = site_of(plan("listen: [keys, speech], keyed: ddmm")).programs["default/main"].flows["main"][1]
    data = step.data
    assert (data["accept"], data["sure"], data["min"], data["max"], data["kind"]) == (50, 80, 4, 4, ["date"])
    assert "listen" not in data and data["person"] == "desk"
