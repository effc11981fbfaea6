"""`fraud` of site.yaml: limits against toll fraud.

    fraud:
      premium:
        to: ['+4490.', '+88.']
        trunks: [carrier]
        calls_per_minute: {warn: 2, stop: 4}
        call_duration: {warn: 10min, stop: 30min}
      nights:
        to: ['+.']
        outside: office
        per: tenant
        calls_total: {warn: 20, stop: 50}
        window: 8h
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.findings import did_you_mean
from engine.dialplan.fraud_model import FraudRule, Threshold

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from engine.dialplan.findings import Report
    from engine.dialplan.site_reader import SiteDraft

COUNTS = {
    "calls_at_once": "at_once", "calls_per_minute": "per_minute", "calls_in_a_row": "in_a_row", "calls_total": "total",
}  # fmt: skip
KEYS = ("to", "trunks", "tenants", "during", "outside", "per", "window", "call_duration", "about", *COUNTS)
_PATTERN = re.compile(r"\+[0-9x]{0,15}\.?")
_SECOND, _DAY = 1_000, 86_400_000


def of(
    report: Report, site: SiteDraft, trunks: Collection[str], tenants: Mapping[str, Any]
) -> tuple[FraudRule, ...]:  # fmt: skip
    """`fraud:` of a site whose `tenants` have been read: name -> what has a `scope` with calendars."""
    scopes = {name: tenant.scope for name, tenant in tenants.items() if tenant.scope is not None}
    calendars = [f"{name}/{calendar}" for name, scope in scopes.items() for calendar in scope.calendars]
    return read(report, site.fraud, trunks, tuple(tenants), calendars)


def read(
    report: Report, node: marks.Node | None, trunks: Collection[str], tenants: Collection[str],
    calendars: Collection[str],
) -> tuple[FraudRule, ...]:  # fmt: skip
    """The rules in the order of the file. `calendars`: full names."""
    rules = []
    for key, value in values.mapping(report, node, "fraud") or ():
        name, form = values.name(report, key, "a fraud rule"), values.mapping(report, value, f"the rule {key.text}")
        if name is not None and form is not None:
            rules.append(_rule(report, form, key, name, trunks, tenants, calendars))
    return tuple(rules)


def _rule(
    report: Report, form: marks.Mapping, key: marks.Scalar, name: str, trunks: Collection[str],
    tenants: Collection[str], calendars: Collection[str],
) -> FraudRule:  # fmt: skip
    values.known_keys(report, form, "a fraud rule", KEYS)
    entries, changes = form.entries, dict[str, Any]()
    for field, known, code in (("trunks", trunks, "RD036"), ("tenants", tenants, "RD041")):
        named = values.scalars(report, entries.get(field), field)
        for each in named:
            if each.text not in known:
                report.add(code, each, f"no {field[:-1]} {each.text!r}", did_you_mean(each.text, known))
        changes[field] = tuple(each.text for each in named if each.text in known)
    for field in ("during", "outside"):
        calendar = values.name(report, entries.get(field), "a calendar")
        if calendar is not None and f"{ROOT_TENANT}/{calendar}" not in calendars:
            own = [each.partition("/")[2] for each in calendars if each.startswith(f"{ROOT_TENANT}/")]
            report.add("RD124", entries[field], f"no calendar {calendar!r}", did_you_mean(calendar, own))
        elif calendar is not None:
            changes[field] = f"{ROOT_TENANT}/{calendar}"
    changes["per"] = values.choice(report, entries.get("per"), "per", ("caller", "tenant", "site")) or "caller"
    low, high = limits.fraud_window_ms_min, limits.fraud_window_ms_max
    window = values.duration(report, entries.get("window"), "window", low, high)
    changes["window_ms"] = window or limits.fraud_window_ms_default
    for word, field in COUNTS.items():
        changes[field] = _threshold(report, entries.get(word), word)
    changes["ms"] = _threshold(report, entries.get("call_duration"), "call_duration", time=True)
    if not any((changes[field].warn or changes[field].stop) for field in (*COUNTS.values(), "ms")):
        hint = f"add one of {', '.join(COUNTS)}, call_duration, as in calls_per_minute: {{warn: 2, stop: 4}}"
        report.add("RD370", key, f"the rule {name} limits nothing", hint)
    return FraudRule(name, _patterns(report, entries, key, name), **changes)


def _patterns(report: Report, entries: dict[str, marks.Node], key: marks.Scalar, name: str) -> tuple[str, ...]:
    found = []
    for each in values.scalars(report, entries.get("to"), "to"):
        if _PATTERN.fullmatch(each.text) is None or each.text == "+":
            hint = "as in '+4490.': + and digits, a final . for the rest; '+.' is everything"
            report.add("RD082", each, f"{each.text!r} is not a pattern of E.164", hint)
        else:
            found.append(each.text)
    if "to" not in entries:
        report.add("RD022", key, f"the rule {name} names no numbers", "add to: ['+4490.'], or '+.' for everything")
    return tuple(found)


def _threshold(report: Report, node: marks.Node | None, word: str, *, time: bool = False) -> Threshold:
    form = values.mapping(report, node, word)
    if form is None:
        return Threshold()
    values.known_keys(report, form, word, ("warn", "stop"))
    found = {}
    for field in ("warn", "stop"):
        entry = form.entries.get(field)
        if time:
            found[field] = values.duration(report, entry, f"{word} {field}", _SECOND, _DAY) or 0
        else:
            found[field] = values.number(report, entry, f"{word} {field}", 1, limits.fraud_calls_max) or 0
    if found["stop"] and found["warn"] > found["stop"]:
        report.add("RD371", form.entries["warn"], f"{word} stops before it warns", "warn: below stop:")
    return Threshold(**found)
