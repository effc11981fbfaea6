"""Whatever somebody was rung for, there is an owner who is told how it ended."""

from __future__ import annotations

import re

from engine.call.outcomes import OWNERS
from tests.house.source import ROOT


def test_every_purpose_for_which_somebody_is_rung_has_its_owner() -> None:
    used: dict[str, bool] = {}
    for path in sorted((ROOT / "engine" / "call").glob("*.py")):
        for purpose in re.findall(r"dial\.start\(\s*room, \w+, \"(\w+)\"", path.read_text()):
            used[purpose] = True
    assert sorted(used) == sorted(OWNERS)
