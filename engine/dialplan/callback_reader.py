"""`callback:` of a queue -> CallbackModel: who may be called back, how often, and for how long."""

from __future__ import annotations

import re
from typing import Any

from engine import limits, marks
from engine.dialplan import calendar_reader, values
from engine.dialplan.calendars import DAY_MINUTES, Hours
from engine.dialplan.findings import Report
from engine.dialplan.model import CallbackModel

KEYS = (
    "allow", "deny", "typed_numbers", "mode", "open", "attempts", "retry", "ring", "lead", "promise", "max_age",
    "confirm", "hold", "window",
)  # fmt: skip
MODES = ("agent-first", "customer-first")
_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000
_DURATIONS = (  # key, field, least, most
    ("retry", "retry_ms", 10 * _SECOND, 24 * _HOUR),
    ("ring", "ring_ms", 5 * _SECOND, 2 * _MINUTE),
    ("lead", "lead_ms", 0, 2 * _MINUTE),
    ("promise", "promise_ms", _MINUTE, limits.callback_ms_max),
    ("max_age", "age_ms", _MINUTE, limits.callback_ms_max),
    ("hold", "hold_ms", 5 * _SECOND, 10 * _MINUTE),
)
_PREFIX = re.compile(r"\+?[0-9]{0,15}")


def read_callback(report: Report, node: marks.Node | None, *, key: str) -> CallbackModel | None:
    """None when the queue has no such key (nobody is called back), or when it isn't a mapping."""
    form = values.mapping(report, node, key)
    if form is None:
        return None
    values.known_keys(report, form, key, KEYS)
    entries = form.entries
    found: dict[str, Any] = {name: _prefixes(report, entries.get(name), name) for name in ("allow", "deny")}
    if not found["allow"]:
        hint = "name prefixes as they are dialled, as in allow: ['+49', '0']; nobody else is called"
        report.add("RD022", form, "callback without allow: nobody could be called back", hint)
    for name, field in (("typed_numbers", "typed"), ("confirm", "confirm")):
        flag = values.flag(report, entries.get(name), name)
        if flag is not None:
            found[field] = flag
    mode = values.choice(report, entries.get("mode"), "mode", MODES)
    if mode is not None:
        found["mode"] = mode
    for name, field, low, high in (("open", "open_max", 1, limits.callbacks_max), ("attempts", "attempts", 1, 20)):
        count = values.number(report, entries.get(name), name, low, high)
        if count is not None:
            found[field] = count
    for name, field, low, high in _DURATIONS:
        ms = values.duration(report, entries.get(name), name, low, high)
        if ms is not None:
            found[field] = ms
    found["window"] = _window(report, entries.get("window"))
    if found["window"]:  # who asked in the evening is still to be rung on the next day
        ((begin, end),) = found["window"]
        found.setdefault("age_ms", CallbackModel().age_ms + (DAY_MINUTES - (end - begin)) * _MINUTE)
    return CallbackModel(**found)


def _window(report: Report, node: marks.Node | None) -> Hours:
    word = values.scalar(report, node, "window")
    if word is None:
        return ()
    hours = calendar_reader.hours_from(word.text)
    if isinstance(hours, str):
        report.add("RD121", word, hours, "as in window: 08:00-20:00")
        return ()
    return (hours,)


def _prefixes(report: Report, node: marks.Node | None, name: str) -> tuple[str, ...]:
    found = []
    for each in values.scalars(report, node, name):
        if _PREFIX.fullmatch(each.text) and each.text:
            found.append(each.text)
        else:
            report.add(
                "RD082", each, f"{each.text!r} is not the beginning of a telephone number", "digits, with + first"
            )
    return tuple(found)


def allowed(model: CallbackModel, number: str) -> bool:
    """May this number be called back? The longest prefix decides; of two alike the one that denies.

    Only plain numbers of 3 to 20 digits are; `+` may stand first.
    """
    if re.fullmatch(r"\+?[0-9]{3,20}", number) is None:
        return False
    yes = max((len(prefix) for prefix in model.allow if number.startswith(prefix)), default=0)
    no = max((len(prefix) for prefix in model.deny if number.startswith(prefix)), default=0)
    return yes > no
