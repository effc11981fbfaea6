"""`parking:` of site.yaml and tenant.yaml: `{slots: 71-79, back: 2min}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine import marks
from engine.dialplan import values
from engine.dialplan.model import ParkingModel

if TYPE_CHECKING:
    from engine.dialplan.findings import Report

SLOTS_MAX = 100
BACK_MS = 120_000
_SECOND, _HOUR = 1_000, 3_600_000
_RANGE = re.compile(r"([0-9]{1,4})-([0-9]{1,4})")


def read(report: Report, node: marks.Node | None, inherited: ParkingModel | None) -> ParkingModel | None:
    """None: nobody can be parked."""
    form = values.mapping(report, node, "parking")
    if form is None:
        return inherited
    values.known_keys(report, form, "parking", ("slots", "back"))
    back = values.duration(report, form.entries.get("back"), "back", 10 * _SECOND, _HOUR)
    found = values.scalar(report, form.entries.get("slots"), "slots")
    if found is None:
        if "slots" not in form.entries:
            report.add("RD022", form, "parking names no slots", "as in slots: 71-79")
        return inherited
    match = _RANGE.fullmatch(found.text)
    low, high = (match.group(1), match.group(2)) if match is not None else ("", "")
    if match is None or len(low) != len(high) or not 0 <= int(high) - int(low) < SLOTS_MAX:
        hint = f"as in 71-79: both ends with as many digits, at most {SLOTS_MAX} slots"
        report.add("RD024", found, f"{found.text!r} are no slots", hint)
        return inherited
    slots = tuple(f"{slot:0{len(low)}d}" for slot in range(int(low), int(high) + 1))
    return ParkingModel(slots, BACK_MS if back is None else back)
