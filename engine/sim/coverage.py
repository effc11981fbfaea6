"""Which steps and branches of a site's dialplans tests have gone through, and which nobody has.

A branch is an outcome of a step that leads somewhere: a key, `failed`, a condition's `then`.
A rescue flow to which nothing else leads is left out: only a fault of the engine gets there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from engine.dialplan.model import Site, find_number
from engine.dialplan.program import Program, Step
from engine.records.events import Event
from engine.sim.clock_reader import zone_of
from engine.sim.transcript import Given

_AS_FAILED = ("busy", "no_answer", "rejected")  # of `dial`: where they aren't written, they go where `failed` goes


EPOCH = date(1970, 1, 1).toordinal()
_ONE_WAY = ("goto", "subflow")


class Missing(msgspec.Struct, frozen=True):
    """A step that no test reached (`way` ""), or a branch that none took. `place` is file:line:column."""

    place: str
    step: str
    way: str = ""

    def text(self) -> str:
        what = f"never left by {self.way}" if self.way else "never reached"
        return f"{self.place}: {self.step}: {what}"


class Coverage(msgspec.Struct):
    """Steps and branches by place; values say whether a test has been there."""

    steps: dict[str, bool] = {}
    ways: dict[tuple[str, str], bool] = {}
    ids: dict[str, str] = {}
    seasons: dict[tuple[str, str, str], bool] = {}  # (number, dialplan, flow) that a number leads to in a season
    same: dict[tuple[str, str], str] = {}  # (place, outcome) that stands for another

    def came(self, site: Site, given: Given) -> None:
        """A test has called: which season did it meet?"""
        number = find_number(site, given.dialled, given.tenant)
        if number is not None and number.seasons:
            zone = zone_of(site.tenants[number.tenant].time_zone)
            day = datetime.fromtimestamp(given.wall_ms / 1_000, zone).date().toordinal() - EPOCH
            for season in number.seasons:
                if any(first <= day <= last for first, last in season.days):
                    key = (number.number, season.dialplan, season.entry)
                    self.seasons.update({key: True} if key in self.seasons else {})

    def saw(self, events: Iterable[Event]) -> None:
        """Take in the records of a call (of a traced site)."""
        for event in events:
            if event.kind == "call.step" and event.data["text"] in self.steps:
                self.steps[str(event.data["text"])] = True
            elif event.kind == "call.way":
                place, way = str(event.data["text"]), str(event.data["way"])
                key = (place, self.same.get((place, way), way))
                if key in self.ways:
                    self.ways[key] = True

    def missing(self) -> list[Missing]:
        """What nobody has seen, in the order of the files. A step that was never reached stands for its branches."""
        found = [Missing(place, self.ids[place]) for place, seen in self.steps.items() if not seen]
        for (place, way), seen in self.ways.items():
            if not seen and self.steps.get(place, True):
                found.append(Missing(place, self.ids[place], _shown(way)))
        for (number, dialplan, entry), seen in self.seasons.items():
            if not seen:
                where = f"{number} in the season of {dialplan} {entry}".rstrip()
                found.append(Missing("site.yaml:1:1", where))
        return sorted(found, key=lambda each: _order(each.place))

    def counts(self) -> tuple[int, int, int, int]:
        """(steps seen, steps, branches seen, branches)."""
        return sum(self.steps.values()), len(self.steps), sum(self.ways.values()), len(self.ways)

    def percent(self) -> tuple[float, float]:
        """Of steps and of branches; 100 where there are none."""
        steps_seen, steps, ways_seen, ways = self.counts()
        return 100 * steps_seen / steps if steps else 100.0, 100 * ways_seen / ways if ways else 100.0


def coverage_of(site: Site, dialplans: Iterable[str] | None = None) -> Coverage:
    """Nothing seen yet. `dialplans`: full names, default all of the site."""
    cover = Coverage()
    for name in site.programs if dialplans is None else dialplans:
        program = site.programs.get(name)
        if program is not None:
            faults = _only_by_fault(site, name, program)
            for one in (program, *program.waits.values()):
                _add(cover, one, faults)
    for number in site.numbers.values() if dialplans is None else ():
        for season in number.seasons:
            cover.seasons[number.number, season.dialplan, season.entry] = False
    return cover


def _only_by_fault(site: Site, name: str, program: Program) -> str:
    """The rescue flow, unless something else leads there too."""
    ways = [target for steps in program.flows.values() for step in steps for target in step.outs.values()]
    entries = [number.entry for number in site.numbers.values() if number.dialplan == name]
    known = (program.entry, program.finally_, *program.always.values(), *ways, *entries)
    return "" if program.rescue in known else program.rescue


def _add(cover: Coverage, program: Program, faults: str) -> None:
    for flow, steps in program.flows.items():
        if faults and flow.split("#", 1)[0] == faults:
            continue
        for step in steps:
            cover.steps.setdefault(step.place, False)
            cover.ids.setdefault(step.place, step.id)
            for way in step.outs if step.verb not in _ONE_WAY else ():
                same = _stands_for(step, way)
                if same:
                    cover.same[step.place, way] = same
                else:
                    cover.ways.setdefault((step.place, way), False)


def _stands_for(step: Step, way: str) -> str:
    """The outcome that says the same: `failed` of a dial, where it was not written out; the key of a wait list that
    leaves its queue, for the word that the linker made of it."""
    if step.verb == "dial" and way in _AS_FAILED and step.outs[way] == step.outs.get("failed"):
        return "failed"
    if way.startswith("!"):
        return next((out for out, to in step.outs.items() if out[0] != "!" and to == step.outs[way]), "")
    return ""


def _shown(way: str) -> str:
    return f"the word {way[1:]} of its wait list" if way.startswith("!") else way


def _order(place: str) -> tuple[str, int, int]:
    file, line, column = place.rsplit(":", 2)
    return file, int(line), int(column)
