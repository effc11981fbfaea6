"""What people may be asked to bear: rests and ramps of agents, reserves, starving, hard calls, the transfer budget.

Read from site.yaml and tenant.yaml (for everybody, or by team), agents.yaml and queues.yaml; what is nearer wins whole.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import AgentModel, QueueModel, RestModel
from engine.dialplan.program import Program

QUEUE_KEYS = ("starve_after", "reserve", "hard", "hard_hold", "credit", "transfers")
AGENT_KEYS = ("ceiling", "breaks", "ramp", "started")
TENANT_KEYS = ("ceiling", "breaks", "ramp", "teams", "transfers")
TEAM_KEYS = ("ceiling", "breaks", "ramp")
HOPS_MAX, PEOPLE_MAX = 20, 20
_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000
_PERCENT = re.compile(r"([0-9]{1,3})\s*%")
_EPOCH = datetime.date(1970, 1, 1).toordinal()


class HumaneDraft(msgspec.Struct):
    """A tenant's rules for all its agents, and by team."""

    rest: RestModel | None = None
    teams: dict[str, tuple[marks.Scalar, RestModel | None]] = {}


# --- agents -----------------------------------------------------------------------------------------------
def read_rest(report: Report, form: marks.Mapping, base: RestModel | None) -> RestModel | None:
    """The keys `ceiling`, `breaks` and `ramp` of a mapping; each that it has replaces the one of `base`."""
    entries = form.entries
    changes: dict[str, Any] = {}
    _ceiling(report, entries.get("ceiling"), changes)
    _breaks(report, entries.get("breaks"), changes)
    _ramp(report, entries.get("ramp"), changes)
    if not changes:
        return base
    return msgspec.structs.replace(base or RestModel(), **changes)


def _ceiling(report: Report, node: marks.Node | None, changes: dict[str, Any]) -> None:
    """`85%` (of an hour) or `{share: 85%, window: 2h}`."""
    if node is None:
        return
    form = node if isinstance(node, marks.Mapping) else None
    if form is not None:
        values.known_keys(report, form, "ceiling", ("share", "window"))
        if "share" not in form.entries:
            report.add("RD022", form, "a ceiling names no share", "add share: 85%")
    found = values.scalar(report, form.entries.get("share") if form is not None else node, "ceiling")
    if found is not None:
        match = _PERCENT.fullmatch(found.text)
        if match is None or not 10 <= int(match.group(1)) <= 100:
            hint = "as in 85%: the part of an hour that may be ringing, talk and wrap-up"
            report.add("RD024", found, f"a ceiling lies between 10% and 100%, not {found.text!r}", hint)
        else:
            changes["ceiling"] = int(match.group(1)) * 10
    if form is not None:
        window = values.duration(report, form.entries.get("window"), "window", 10 * _MINUTE, 24 * _HOUR)
        if window is not None:
            changes["window_ms"] = window


def _breaks(report: Report, node: marks.Node | None, changes: dict[str, Any]) -> None:
    form = values.mapping(report, node, "breaks")
    if form is None:
        return
    values.known_keys(report, form, "breaks", ("between", "after", "rest", "gives_way"))
    for key, field, low, high in (
        ("between", "pause_ms", 0, _HOUR),
        ("after", "long_talk_ms", _MINUTE, 12 * _HOUR),
        ("rest", "rest_ms", _SECOND, 4 * _HOUR),
        ("gives_way", "gives_way_ms", _SECOND, 4 * _HOUR),
    ):
        value = values.duration(report, form.entries.get(key), key, low, high)
        if value is not None:
            changes[field] = value
    if ("after" in form.entries) != ("rest" in form.entries):
        there, missing = ("after", "rest") if "after" in form.entries else ("rest", "after")
        message = f"{there} without {missing} would do nothing"
        report.add("RD022", form.entries[there], message, "as in {after: 45min, rest: 5min}")


def _ramp(report: Report, node: marks.Node | None, changes: dict[str, Any]) -> None:
    form = values.mapping(report, node, "ramp")
    if form is None:
        return
    values.known_keys(report, form, "ramp", ("from", "to", "days"))
    low = values.number(report, form.entries.get("from"), "from", 1, 600)
    high = values.number(report, form.entries.get("to"), "to", 1, 600)
    days = values.number(report, form.entries.get("days"), "days", 1, 400)
    for key in ("from", "to", "days"):
        if key not in form.entries:
            hint = "as in {from: 4, to: 12, days: 20}: calls an hour on the first day and at the end"
            report.add("RD022", form, f"a ramp names no {key}", hint)
            return
    if low is None or high is None or days is None:
        return
    if low > high:
        report.add("RD024", form.entries["from"], f"a ramp grows, but from {low} it goes to {high}")
        return
    changes.update(ramp_from=low, ramp_to=high, ramp_days=days)


def read_started(report: Report, node: marks.Node | None) -> int:
    """An agent's first day as days since 1970-01-01; 0: not said."""
    found = values.scalar(report, node, "started")
    if found is None:
        return 0
    try:
        return max(1, datetime.date.fromisoformat(found.text).toordinal() - _EPOCH)
    except ValueError:
        report.add("RD024", found, f"{found.text!r} is not a day", "as in 2026-11-02")
        return 0


def read_tenant(report: Report, root: marks.Mapping) -> tuple[HumaneDraft, dict[str, Any]]:
    """The tenant's rules for its agents, and what changes in its model: hops_max, people_max, transfer_avoid_ms."""
    draft = HumaneDraft(read_rest(report, root, None))
    for key, value in values.mapping(report, root.entries.get("teams"), "teams") or ():
        form = values.mapping(report, value, f"the team {key.text}")
        if values.name(report, key, "a team") and form is not None:
            values.known_keys(report, form, "a team", TEAM_KEYS)
            draft.teams[key.text] = (key, read_rest(report, form, draft.rest))
    changes: dict[str, Any] = {}
    form = values.mapping(report, root.entries.get("transfers"), "transfers")
    if form is not None:
        values.known_keys(report, form, "transfers", ("hops", "people", "avoid"))
        hops, people = _budget(report, form)
        avoid = values.duration(report, form.entries.get("avoid"), "avoid", 0, _HOUR)
        for field, given in (("hops_max", hops), ("people_max", people), ("transfer_avoid_ms", avoid)):
            if given is not None:
                changes[field] = given
    return draft, changes


def _budget(report: Report, form: marks.Mapping) -> tuple[int | None, int | None]:
    hops = values.number(report, form.entries.get("hops"), "hops", 0, HOPS_MAX)
    people = values.number(report, form.entries.get("people"), "people", 1, PEOPLE_MAX)
    if hops is not None and people is not None and people > hops + 1:
        message = f"{people} people can't be met in {hops} transfers"
        report.add("RD024", form.entries["people"], message, f"hops: {people - 1}, or people: {hops + 1}")
    return hops, people


def rest_of(report: Report, draft: HumaneDraft, agent: AgentModel, form: marks.Mapping) -> AgentModel:
    """The agent with the rules that hold for him: his own, else his team's, else everybody's."""
    base = draft.teams[agent.team][1] if agent.team in draft.teams else draft.rest
    started = read_started(report, form.entries.get("started"))
    rest = read_rest(report, form, base)
    if "ramp" in form.entries and "started" not in form.entries:
        report.add("RD022", form.entries["ramp"], "a ramp needs the agent's first day", "add started: 2026-11-02")
    return msgspec.structs.replace(agent, rest=rest, started=started)


def check_teams(report: Report, draft: HumaneDraft, agents: Iterable[AgentModel]) -> None:
    named = list(dict.fromkeys(agent.team for agent in agents if agent.team))
    for team, (key, _) in draft.teams.items():
        if team not in named:
            report.add("RD043", key, f"no agent is in the team {team!r}", did_you_mean(team, named))


# --- queues -----------------------------------------------------------------------------------------------
def read_queue(report: Report, form: marks.Mapping, changes: dict[str, Any]) -> None:
    """The keys of QUEUE_KEYS into the model's fields. Whom a reserve names is checked by `check_queues`."""
    entries = form.entries
    starve = values.duration(report, entries.get("starve_after"), "starve_after", _MINUTE, 4 * _HOUR)
    hold = values.duration(report, entries.get("hard_hold"), "hard_hold", 0, 10 * _MINUTE)
    credit = values.choice(report, entries.get("credit"), "credit", ("full", "none"))
    for field, given in (
        ("starve_ms", starve),
        ("hard", values.flag(report, entries.get("hard"), "hard")),
        ("hard_hold_ms", hold),
        ("credit", credit),
    ):
        if given is not None:
            changes[field] = given
    budget = values.mapping(report, entries.get("transfers"), "transfers")
    if budget is not None:
        values.known_keys(report, budget, "transfers", ("hops", "people"))
        hops, people = _budget(report, budget)
        changes["hops_max"] = -1 if hops is None else hops
        changes["people_max"] = -1 if people is None else people
    kept = []
    for key, value in values.mapping(report, entries.get("reserve"), "reserve") or ():
        count = values.number(report, value, f"the reserve for {key.text}", 1, 1_000)
        if count is not None and values.name(report, key, "a queue or a class of callers"):
            kept.append((key.text, False, count))
    if kept:
        changes["reserve"] = tuple(kept)


def check_queues(
    report: Report,
    queues: dict[str, QueueModel],
    nodes: dict[str, marks.Mapping],
    agents: Iterable[AgentModel],
    programs: Iterable[Program],
    tenant: str,
) -> dict[str, QueueModel]:
    """Reserves resolved: a queue's name means its callers, any other a class that a step `queue` gives."""
    classes = _classes(programs)
    seats = [queue for agent in agents for queue, _, _ in agent.queues]
    found = {}
    for name, model in queues.items():
        kept = []
        form = nodes[name].entries.get("reserve") if name in nodes else None
        for whom, _, count in model.reserve:
            key = form.keys[whom] if isinstance(form, marks.Mapping) else None
            if whom == name:
                if key is not None:
                    report.add("RD024", key, f"{name} can't keep agents from itself", "name another queue, or a class")
                continue
            if whom not in queues and whom not in classes:
                known = [*(each for each in queues if each != name), *classes]
                hint = did_you_mean(whom, known, otherwise="a class is given by a step: queue: {name: …, class: vip}")
                if key is not None:
                    report.add("RD032", key, f"no queue and no class of callers {whom!r}", hint)
                continue
            there = seats.count(f"{tenant}/{whom if whom in queues else name}")
            if count >= there and key is not None:
                message = f"the reserve keeps {count} of the {there} agents of {whom if whom in queues else name}"
                report.add("RD024", key, message, "nobody else would be served before he starves: keep fewer")
            kept.append((whom, whom not in queues, count))
        found[name] = msgspec.structs.replace(model, reserve=tuple(kept))
    return found


def _classes(programs: Iterable[Program]) -> list[str]:
    return list(
        dict.fromkeys(
            step.data["class"]
            for program in programs
            for flow in program.flows.values()
            for step in flow
            if step.verb == "queue" and step.data.get("class")
        )
    )
