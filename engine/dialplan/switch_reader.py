"""`switches: [storm, office]` of an agent: which notices and calendars he may switch by his phone, in this order."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import AgentModel
from engine.dialplan.program import Program
from engine.dialplan.site_reader import AgentDraft

SWITCHES_MAX = 9  # one digit names each


def resolve(
    report: Report, tenant: str, agents: Mapping[str, AgentModel], drafts: Mapping[str, AgentDraft],
    calendars: Mapping[str, object], programs: Mapping[str, Program],
) -> dict[str, AgentModel]:  # fmt: skip
    """The agents with their switches as (kind, full name). Only the tenant's own can be named."""
    notices = {
        want.removeprefix(f"notice:{tenant}/"): None
        for program in programs.values()
        for each in (program, *program.waits.values())
        for want in each.wants
        if want.startswith(f"notice:{tenant}/")
    }
    found = dict(agents)
    for number, draft in drafts.items():
        words = values.scalars(report, draft.form.entries.get("switches"), "switches")
        if len(words) > SWITCHES_MAX:
            hint = "one digit names each: give some of them to somebody else"
            report.add("RD024", words[SWITCHES_MAX], f"more than {SWITCHES_MAX} switches", hint)
        switches: list[tuple[str, str]] = []
        for word in words[:SWITCHES_MAX]:
            kinds = [kind for kind, names in (("calendar", calendars), ("notice", notices)) if word.text in names]
            if len(kinds) == 1:
                switches.append((kinds[0], f"{tenant}/{word.text}"))
            elif kinds:
                hint = "give one of them another name"
                report.add("RD260", word, f"{word.text!r} is a calendar and a notice: which of them?", hint)
            else:
                hint = did_you_mean(word.text, [*notices, *calendars], otherwise="a calendar, or a `notice:` of a flow")
                report.add("RD260", word, f"no calendar or notice {word.text!r}", hint)
        if switches:
            found[number] = msgspec.structs.replace(found[number], switches=tuple(switches))
    return found
