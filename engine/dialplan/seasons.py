"""Seasons of a number or entry: on certain days another dialplan answers. Picked once, when the call arrives.

    school:
      dialplan: school
      seasons:
        - {dialplan: summer_camp, from: 2026-07-01, until: 2026-08-31}
        - {dialplan: school, flow: festival, during: spring_festival}

Both ends are inside; days are those of the tenant's clock. Two seasons on one day are a mistake: which of them
answers must not depend on the order of lines.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine import marks
from engine.dialplan import calendar_reader, calendars, values, zones
from engine.dialplan.calendars import CalendarModel, Zone
from engine.dialplan.drafts import Draft
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import NumberModel, SeasonModel

KEYS = ("dialplan", "flow", "from", "until", "during", "about")


class SeasonDraft(msgspec.Struct, frozen=True):
    """A season as written. `dialplan` None: the number's own, entered by another flow."""

    node: marks.Mapping
    dialplan: marks.Scalar | None
    flow: marks.Scalar | None


def read(report: Report, node: marks.Node | None) -> list[SeasonDraft]:
    """The list below `seasons:`; names are resolved by `link`."""
    found: list[SeasonDraft] = []
    if node is not None and not isinstance(node, marks.Sequence):
        report.add("RD023", node, f"seasons is a list, not {values.kind_of(node)}", "each line begins with '- '")
        return found
    for item in node.items if node is not None else ():
        form = values.mapping(report, item, "a season")
        if form is None:
            continue
        values.known_keys(report, form, "a season", KEYS)
        entries = form.entries
        dialplan = values.scalar(report, entries.get("dialplan"), "dialplan")
        flow = values.scalar(report, entries.get("flow"), "flow")
        if "dialplan" not in entries and "flow" not in entries:
            report.add("RD022", form, "a season leads nowhere", "add dialplan: NAME, or flow: NAME")
        elif not {"from", "until", "during"} & entries.keys():
            report.add("RD022", form, "a season has no days", "add from: and until:, or during: PERIOD of a calendar")
        else:
            found.append(SeasonDraft(form, dialplan, flow))
    return found


def link(
    report: Report, drafts: list[SeasonDraft], dialplans: Mapping[str, Draft], known: Mapping[str, CalendarModel],
    tenant: str, own: str, wall_ms: int, *, complete: bool,
) -> tuple[SeasonModel, ...]:  # fmt: skip
    """Resolve the names in a tenant's seasons and refuse those that overlap. `own`: the number's own dialplan;
    `complete` as in options.Scope."""
    found: list[tuple[SeasonDraft, SeasonModel]] = []
    for draft in drafts:
        name = own if draft.dialplan is None else draft.dialplan.text
        dialplan = dialplans.get(name)
        if dialplan is None:
            if complete and draft.dialplan is not None:
                report.add("RD038", draft.dialplan, f"no dialplan {name!r}", did_you_mean(name, dialplans))
            continue
        flow = draft.flow
        if flow is not None and (flow.text not in dialplan.flows or "#" in flow.text):
            plain = [each for each in dialplan.flows if "#" not in each]
            report.add("RD031", flow, f"no flow {flow.text!r} in {dialplan.file}", did_you_mean(flow.text, plain))
            continue
        days = _days(report, draft.node, known, wall_ms)
        if days:
            found.append((draft, SeasonModel(f"{tenant}/{name}", flow.text if flow is not None else "", days)))
    _overlaps(report, found)
    return tuple(model for _, model in found)


def _days(
    report: Report, form: marks.Mapping, known: Mapping[str, CalendarModel], wall_ms: int
) -> tuple[tuple[int, int], ...]:
    entries = form.entries
    during = values.scalar(report, entries.get("during"), "during")
    if during is not None:
        if "from" in entries or "until" in entries:
            report.add("RD023", during, "during beside from or until", "write one of them")
        return _period(report, during, known)
    years = zones.years(wall_ms)
    first = values.scalar(report, entries.get("from"), "from")
    last = values.scalar(report, entries.get("until"), "until")
    begin = f"{years[0]}-01-01" if first is None else first.text
    end = f"{years[1]}-12-31" if last is None else last.text
    place = first or last
    if place is not None and (first is None or last is None) and calendar_reader.YEARLY.fullmatch(place.text):
        report.add("RD122", place, "a season of every year has both ends", "add from: or until:")
        return ()
    return () if place is None else tuple(calendar_reader.spans(report, place, f"{begin} to {end}", years))


def _period(
    report: Report, word: marks.Scalar, known: Mapping[str, CalendarModel]
) -> tuple[tuple[int, int], ...]:
    """`spring_festival`, or `office.spring_festival` when several calendars have one of that name."""
    name, dot, period = word.text.rpartition(".")
    holding = [each for each, model in known.items() if period in model.periods and (not dot or each == name)]
    if len(holding) == 1:
        return known[holding[0]].periods[period]
    if holding:
        shown = " and ".join(holding)
        report.add("RD126", word, f"{shown} have a period {period!r}", f"write {holding[0]}.{period}")
        return ()
    periods = [each for model in known.values() for each in model.periods]
    hint = did_you_mean(period, periods, otherwise="periods stand in calendars.yaml")
    report.add("RD126", word, f"no period {word.text!r} in the calendars", hint)
    return ()


def _overlaps(report: Report, found: list[tuple[SeasonDraft, SeasonModel]]) -> None:
    spans = sorted(
        (first, last, place) for place, (_, model) in enumerate(found) for first, last in model.days
    )  # fmt: skip
    told: dict[int, None] = {}
    end, holder = -(10**9), -1
    for first, last, place in spans:
        later = max(place, holder)
        if first <= end and later not in told:
            told[later] = None
            other = found[min(place, holder)][0].node.line
            message = f"this season and that of line {other} are both there on {calendars.written(first)}"
            report.add("RD127", found[later][0].node, message, "let the one end before the other begins")
        if last > end:
            end, holder = last, place


def entered(number: NumberModel, zone: Zone, wall_ms: int) -> tuple[str, str]:
    """(dialplan, flow or '') that a call to this number enters at Unix ms `wall_ms`, by the tenant's zone."""
    if number.seasons:
        day, _ = calendars.local(zone, wall_ms)
        for season in number.seasons:
            if any(first <= day <= last for first, last in season.days):
                return season.dialplan, season.entry
    return number.dialplan, number.entry


def ways(number: NumberModel) -> list[tuple[str, str, bool]]:
    """Every (dialplan, flow or '', in a season?) that calls to the number may enter."""
    held = [(season.dialplan, season.entry, True) for season in number.seasons]
    unknown = [(number.dialplan, flow, False) for flow in (number.anonymous, number.malformed, number.fax) if flow]
    return [(number.dialplan, number.entry, False), *held, *unknown]
