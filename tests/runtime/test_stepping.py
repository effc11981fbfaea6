"""One call out of a journal of many: all of its steps, none of the others', with the state that stood beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from engine.call.effects import Emit, LookupDone, MediaHappened, Received, Resumed
from engine.cli.replay_text import as_data
from engine.media.commands import DigitHeard
from engine.runtime.journal import Enough
from engine.runtime.seal import Keys
from engine.runtime.stepping import Found, Step, find, steps
from engine.sim.world import World
from engine.sip.events import Send
from tests.call.calls import agent, ring, up
from tests.runtime.recorded import Recorder, busy_world, record
from tests.scenarios.test_lookups import SITE as LOOKS_UP


@dataclass
class Day:
    """Two callers at the same time and one after them, over several files."""

    made: Recorder
    secret: str  # asked for a code
    served: str  # waited, was offered to an agent, held, hung up
    last: str

    @property
    def files(self) -> list[Path]:
        return self.made.files


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    w = busy_world()
    desk = agent(w, "201", answer_ms=1_500)
    secret = ring(w, "730", "5550001")
    served = ring(w, "700", "5550002")
    w.run(2_200)
    w.press(secret, "1234")
    w.run(1_500)
    w.press(secret, "9876")
    w.run(3_000)
    desk.hold(up(desk), w.now_ms)
    w.run(1_000)
    served.hang_up(w.now_ms)
    w.run(20_000)
    ring(w, "9196", "5550001")
    w.run(3_000)
    names = [event.call for event in w.all("call.started")]
    made = record(tmp_path_factory.mktemp("journal"), w, every=12)
    made.journal.write(made.journal.take())
    return Day(made, *names)


def walk(day: Day, call: str) -> list[Step]:
    found = find(day.files, call)
    assert found is not None
    kept: list[Step] = []
    steps(day.files[found.file:], found.call, kept.append)
    return kept


def events(kept: list[Step], call: str) -> list[str]:
    return [each.event.kind for step in kept for each in step.outputs if isinstance(each, Emit)
            and each.event.call == call]


def test_a_call_is_named_by_id_number_or_last(day: Day) -> None:
    assert find(day.files, day.served) == Found(day.served, "5550002", 0)
    last = find(day.files, "last")
    assert last is not None and last.call == day.last and last.file > 0
    assert find(day.files, "5550001") == last  # his latest
    assert find(day.files, "nobody-7") is None


def test_a_call_whose_beginning_is_pruned_is_found_in_the_state(day: Day) -> None:
    found = find(day.files[1:], day.secret)
    assert found == Found(day.secret, "5550001", 0, False)
    assert find([day.files[-1]], day.secret) is None  # it was over before


def test_all_its_facts_and_no_other_calls(day: Day) -> None:
    for call in (day.secret, day.served):
        kept = walk(day, call)
        told = events(kept, call)
        assert told[0] == "call.started" and told[-1] == "call.ended"
        assert {each.event.call for step in kept for each in step.outputs if isinstance(each, Emit)} <= {call, ""}
        assert [step.number for step in kept] == sorted({step.number for step in kept})
    served = walk(day, day.served)
    assert {"queue.joined", "queue.offered", "queue.connected", "call.held"} <= set(events(served, day.served))
    first_lines = [step.input.data.split(b" ")[0] for step in served if isinstance(step.input, Received)]
    assert first_lines.count(b"INVITE") == 2 and first_lines.count(b"BYE") == 1  # his, the hold; and his end
    sent = [each.data.split(b" ")[0] for step in served for each in step.outputs if isinstance(each, Send)]
    assert b"INVITE" in sent and b"BYE" in sent
    assert not any(step.input.data.startswith(b"REGISTER") for step in served if isinstance(step.input, Received))


def test_the_state_stands_beside_each_step(day: Day) -> None:
    kept = walk(day, day.served)
    phases = list(dict.fromkeys(step.beside.phase for step in kept))
    assert phases[0] == "queue" and phases[-1] == "" and "talking" in phases
    ringing = next(step.beside for step in kept if ("default/201", "alerting") in step.beside.agents)
    assert ringing.queue == "default/support" and ringing.position == 1 and ringing.step.startswith("main/queue")
    assert ringing.legs[0].state == "up" and len(ringing.legs) == 2
    held = next(step.beside for step in kept if any(leg.held for leg in step.beside.legs))
    assert any("music" in leg.hears for leg in held.legs)
    assert any(leg.hears == "row 1" for step in kept for leg in step.beside.legs)


def test_prompts_that_ended_are_no_longer_heard(day: Day) -> None:
    kept = walk(day, day.secret)
    heard = [leg.hears for step in kept for leg in step.beside.legs]
    assert "en/welcome" in heard and "silence" in heard


def test_secret_digits_are_marked_and_others_not(day: Day) -> None:
    pressed = [(step.input.event.digit, step.hidden) for step in walk(day, day.secret)
               if isinstance(step.input, MediaHappened) and isinstance(step.input.event, DigitHeard)]
    assert pressed == [(digit, digit in "9876") for digit in "12349876"]


def test_the_reader_may_have_enough(day: Day) -> None:
    kept: list[Step] = []

    def two(step: Step) -> None:
        kept.append(step)
        if len(kept) == 2:
            raise Enough

    reports = steps(day.files, day.served, two)
    *before, last = reports  # one for each file of the journal, up to the one that the second step is in
    assert len(kept) == 2 and last.stopped and not last.torn and not any(report.stopped for report in before)


def test_a_call_that_is_still_up_runs_to_the_end_of_the_journal(day: Day) -> None:
    found = find(day.files, day.last)
    assert found is not None
    kept: list[Step] = []
    reports = steps(day.files[found.file:], day.last, kept.append)
    assert not reports[-1].stopped and kept[-1].beside.phase == "script"


def test_an_outage_is_a_step(tmp_path: Path) -> None:
    w = busy_world()
    ring(w, "9196")
    w.run(1_000)
    w.inputs.append((w.now_ms + 500, Resumed(500, "crash", 600_000)))
    made = record(tmp_path, w)
    made.journal.write(made.journal.take())
    found = find(made.files, "last")
    assert found is not None
    kept: list[Step] = []
    steps(made.files, found.call, kept.append)
    assert isinstance(kept[-1].input, Resumed) and events(kept, found.call)[-1] == "call.resumed"


def test_a_destroyed_key_ends_the_walk_and_is_named(day: Day, tmp_path: Path) -> None:
    for path in (*day.files, day.files[0].with_name("sim1.keys")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    Keys(tmp_path / "sim1.keys").destroy(f"call {day.secret}")
    files = [tmp_path / path.name for path in day.files]
    kept: list[Step] = []
    reports = steps(files, day.secret, kept.append)
    assert reports[-1].sealed == f"call {day.secret}"
    assert "call.gathered" in events(kept, day.secret) and not any(step.hidden for step in kept)


def test_a_sensitive_value_that_is_spoken_is_named_in_no_step(tmp_path: Path) -> None:
    """What a lookup brought is sealed in the journal; what a replay shows of it is as masked as the records."""
    w = World(LOOKS_UP)
    ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(w.asked), 2_000)
    w.give(LookupDone(w.asked[0].call, w.asked[0].ticket, "ok", {"customer.balance": 7_316_942}, "", 30))
    w.run(200)
    made = record(tmp_path, w)
    made.journal.write(made.journal.take())
    assert msgspec.msgpack.encode(7_316_942) not in made.files[0].read_bytes()
    kept: list[Step] = []
    steps(made.files, w.asked[0].name, kept.append)
    shown = "\n".join(str(as_data(step)) for step in kept)
    assert "plays ·" in shown and "numbers" not in shown
    assert [party.hears for step in kept for party in step.beside.legs][-1] == "·"
