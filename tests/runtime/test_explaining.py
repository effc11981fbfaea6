"""A call's decisions out of a journal: what the engine recorded, with everybody; and the wait divided exactly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from engine.records import decision
from engine.runtime.explaining import Account, Told, account
from engine.runtime.stepping import find
from engine.sim.world import World
from tests.call.calls import agent, ring, world
from tests.call.test_routing import site
from tests.runtime.recorded import Recorder, record


@dataclass
class Day:
    """201 alone has the skill: he talks, then doesn't answer, then answers; 202 can't help and is at lunch for long."""

    made: Recorder
    world: World
    first: str
    waiting: str


def day(folder: Path, every: int = 25) -> Day:
    w = world(site("needs: {power: 5}", queues="support: {ring: 4s}\nsales: {ring: 10s}\n"))
    desk = agent(w, "201", answer_ms=500, talk_ms=20_000)
    agent(w, "202", answer_ms=500)
    assert w.operate("agent.not_ready", agent="default/202", reason="lunch").ok
    ring(w, "700", "5550001")
    w.run(1_000)
    ring(w, "700", "5550002")
    w.run(3_000)
    desk.habit = msgspec.structs.replace(desk.habit, answer_ms=-1)
    w.run(22_000)
    desk.habit = msgspec.structs.replace(desk.habit, answer_ms=500)
    w.run(25_000)
    names = [event.call for event in w.all("call.started")]
    made = record(folder, w, every=every)
    made.journal.write(made.journal.take())
    return Day(made, w, *names)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return day(tmp_path_factory.mktemp("journal"))


def of(recorded: Day, call: str) -> Account:
    found = find(recorded.made.files, call)
    assert found is not None
    return account(recorded.made.files[found.file :], call)


def test_decisions_are_those_that_were_recorded(recorded: Day) -> None:
    for call in (recorded.first, recorded.waiting):
        events = [event for event in recorded.world.all("queue.decided") if event.call == call]
        told = of(recorded, call)
        assert not any(report.differs or report.faults for report in told.reports)
        assert [each.at_ms for each in told.decisions] == [event.at_ms for event in events]
        for each, event in zip(told.decisions, events, strict=True):
            why = decision.decode(event.data["why"])
            assert why is not None
            _same(each, why, str(event.data["agent"]))


def _same(told: Told, why: decision.Why, asked: str) -> None:
    full = told.explanation
    assert " ".join(told.asked) == asked and told.site.startswith(why.site) and told.queue == "default/support"
    assert full.strategy == why.rule
    assert [told.names[number] for number in full.picked] == asked.split()
    assert sum(count for _, _, count in why.against) == sum(bool(seat.against) for seat in full.seats)
    by_name = {told.names[seat.agent]: seat for seat in full.seats}
    for name, word, _ in why.near:
        assert word in [by_name[name].lost_by, *(reason for reason, _ in by_name[name].against)]
    if asked:
        assert why.key == by_name[told.asked[0]].shown


def test_everything_against_an_agent_is_there_not_only_the_first(recorded: Day) -> None:
    nobody = of(recorded, recorded.waiting).decisions[0]
    by_name = {nobody.names[seat.agent]: seat.against for seat in nobody.explanation.seats}
    number = nobody.explanation.needs[0][0]
    assert nobody.asked == () and nobody.skills == {number: "power"}
    assert by_name["default/202"] == (("lacks", str(number)), ("not_ready", "lunch"))
    assert by_name["default/201"] == (("talking", ""),)


def test_the_wait_is_divided_without_a_gap(recorded: Day) -> None:
    told = of(recorded, recorded.waiting)
    moments = told.moments
    connected = next(e for e in recorded.world.all("queue.connected") if e.call == recorded.waiting)
    assert moments[-1].waits is False and moments[-1].at_ms == connected.at_ms
    joined = next(e for e in recorded.world.all("queue.joined") if e.call == recorded.waiting)
    assert moments[0].at_ms == joined.at_ms and all(each.waits for each in moments[:-1])
    assert all(each.lacking == ("power",) for each in moments[:-1])
    rang = sum(b.at_ms - a.at_ms for a, b in pairwise(moments) if a.ringing)
    ended = [e for e in recorded.world.all("queue.offer_ended") if e.call == recorded.waiting]
    assert rang == sum(int(e.data["rang_ms"] or 0) for e in ended) > 4_000
    assert {each.able for each in moments[:-1]} == {("talking",), ("alerting",), ("resting",)}


def test_from_a_checkpoint_in_mid_wait_the_rest_is_the_same(recorded: Day, tmp_path: Path) -> None:
    whole = of(recorded, recorded.waiting)
    for later in range(1, len(recorded.made.files)):
        rest = account(recorded.made.files[later:], recorded.waiting)
        assert whole.decisions[len(whole.decisions) - len(rest.decisions) :] == rest.decisions
    assert len(account(recorded.made.files[2:], recorded.waiting).decisions) < len(whole.decisions)
