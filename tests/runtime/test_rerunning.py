"""A journal's distributor overheard: everything it heard and told, from the state in which the day began."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.acd import events
from engine.acd.commands import Connect
from engine.runtime import rerunning
from engine.sim import rerun
from engine.sim.world import World
from tests.call.calls import agent, ring, world
from tests.runtime.recorded import record
from tests.scenarios.sites import site

QUEUES = "support: {ring: 10s, wrap_up: 60s, service_level: 80% in 20s}\nringall: {strategy: ring-all, ring: 10s}\n"
QUICK = QUEUES.replace("wrap_up: 60s", "wrap_up: 1s")


def morning(folder: Path, every: int = 0) -> tuple[World, list[Path]]:
    """One agent, six callers half a minute apart: with a minute of wrap-up each waits longer than the one before."""
    w = world(site(queues=QUEUES))
    agent(w, "201", answer_ms=500, talk_ms=20_000)
    for number in range(6):
        ring(w, "700", f"555000{number}")
        w.run(30_000)
    w.run(300_000)
    made = record(folder, w, every=every)
    made.journal.write(made.journal.take())
    return w, made.files


@pytest.mark.parametrize("every", [0, 40])
def test_nothing_is_missed_and_the_same_rules_give_the_same_day(tmp_path: Path, every: int) -> None:
    w, files = morning(tmp_path, every)
    heard = rerunning.listen(files)
    assert len(files) == (1 if not every else len(files)) and not any(each.differs for each in heard.reports)
    assert sum(isinstance(each, events.CallJoined) for _, each in heard.events) == len(w.all("queue.joined"))
    assert sum(isinstance(each, Connect) for _, each in heard.commands) == len(w.all("queue.connected"))
    day = rerun.learn(heard.events, heard.commands, heard.began_ms, heard.ended_ms)
    old, names = rerunning.pool(heard)
    assert names[next(iter(rerunning.levels(old)))] == "default/support"
    was = rerun.as_it_was(day, rerunning.levels(old))
    again = rerun.Rerun(day, old, rerunning.levels(old), 1, tuple(heard.reloads)).run()
    (queue,) = was
    assert was[queue].answered + was[queue].abandoned + was[queue].timeout == 6
    assert (again[queue].answered, again[queue].waited_ms) == (was[queue].answered, was[queue].waited_ms)


def test_other_rules_from_another_site(tmp_path: Path) -> None:
    _, files = morning(tmp_path)
    heard = rerunning.listen(files)
    day = rerun.learn(heard.events, heard.commands, heard.began_ms, heard.ended_ms)
    old, _ = rerunning.pool(heard)
    new, _ = rerunning.pool(heard, site(queues=QUICK))
    levels = rerunning.levels(old)
    (slow,) = rerun.Rerun(day, old, levels, 1).run().values()
    (quick,) = rerun.Rerun(day, new, levels, 1).run().values()
    assert quick.waited_ms < slow.waited_ms / 3 and quick.in_time > slow.in_time


def test_a_journal_without_a_site_has_no_day(tmp_path: Path) -> None:
    w = world()
    w.inputs = w.inputs[:1]
    made = record(tmp_path, w)
    made.journal.write(made.journal.take())
    assert rerunning.listen(made.files).state == b""
