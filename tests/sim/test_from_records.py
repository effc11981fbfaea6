"""A real call's records become its test, and the test passes."""

from __future__ import annotations

import msgspec
import pytest

from engine.dialplan.model import Site
from engine.records.events import Event
from engine.sim.examining import examine
from engine.sim.from_records import Written, acts_of, masked, write
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.sim.shows import FILE, MAIN, PROMPTS, site
from tests.sim.test_fake_lookups import MADE
from tests.sim.test_given_reader import ELSEWHERE, NEWS

SITE = site()


def day(of: Site = SITE, *, agents: int = 1) -> tuple[World, list[Phone]]:
    """A world as the engine would live it, with agents at their desks."""
    w = World(of, seed=5)
    desks = []
    for number in range(201, 201 + agents):
        desk = w.phone(str(number))
        desk.habit = Habit(answer_ms=3_200)
        desk.register(w.now_ms)
        w.run(500)
        w.operate("agent.login", agent=str(number))
        desks.append(desk)
    w.run(500)
    return w, desks


def call(w: World, *, number: str = "100") -> Phone:
    caller = w.phone("+442071234567", password="")
    caller.call(number, w.now_ms)
    w.run(1_700)
    return caller


def records(w: World) -> tuple[list[Event], dict[str, Event], list[Event]]:
    name = w.last("call.started").call
    mine = [event for event in w.events if event.call == name]
    began = mine[0].n
    joined = next((event for event in mine if event.kind == "queue.joined"), None)
    states = {str(event.data["agent"]): event for event in w.all("agent.state") if event.n < (joined or mine[0]).n}
    during = [event for event in w.all("agent.state") if event.n > began] if joined is not None else []
    return mine, states, during


def made_of(w: World, of: Site = SITE, *, keep_caller: bool = False) -> Written:
    """The test of the last call; it must pass and differ in nothing."""
    mine, states, during = records(w)
    made = write(of, mine, states, during, keep_caller=keep_caller)
    report = examine(of, {made.file: made.text.encode()})
    assert report.ok() and not made.differences, (made, report.findings, report.failed())
    return made


def test_a_call_that_an_agent_served() -> None:
    w, desks = day()
    caller = call(w)
    w.press(caller, "1")
    w.run(21_000)
    desks[0].hang_up(w.now_ms)
    w.run(5_000)
    made = made_of(w)
    assert made.file == FILE
    assert made.text.split("\n") == [
        "ringdown: 1", f"# The call {w.last('call.started').call}, walked again; sensitive keys and values are masked.",
        "given:", "  dialled: 100", "  caller: +440000000000", "  at: 2026-01-01 10:10:01 +00:00", "  agents:",
        "    201: ready", "", "tests:", f"  call {w.last('call.started').call}:", "    - wait: 1.6s",
        "    - hears: [hello, choose]", "    - press: 1", "    - wait: 3.3s", "    - agent: 201 answers",
        *made.text.split("\n")[16:-4], "    - agent: 201 hangs up", "    - hears: thanks", "    - outcome: served", "",
    ]  # fmt: skip


def test_keys_come_at_their_moments_and_secrets_are_zeros() -> None:
    w, _ = day(agents=0)
    caller = call(w)
    w.run(6_000)  # too late: he is asked again
    w.press(caller, "2")
    w.press(caller, "1234", gap_ms=400)
    w.run(900)
    w.press(caller, "9876", gap_ms=300)
    w.run(9_000)
    made = made_of(w, keep_caller=True)
    assert "caller: +442071234567" in made.text and "choose_short" in made.text
    assert "- press: 0000" in made.text and "9876" not in made.text and "- press: 2" in made.text


def test_keys_before_anybody_listened() -> None:
    w, _ = day(agents=0)
    caller = w.phone("+442071234567", password="")
    caller.call("100", w.now_ms)
    w.run(150)
    w.press(caller, "2")
    w.run(3_000)
    caller.hang_up(w.now_ms)
    w.run(2_000)
    made = write(SITE, *records(w))
    # what was typed ahead is masked, for it may be a PIN: the walk can't know which key it was, and says so
    assert "- press_ahead: 0" in made.text and "prompt 2 was en/ask_code" in made.differences[0]


def test_phones_that_nobody_answered() -> None:
    w, desks = day(agents=2)
    desks[0].habit = Habit(answer_ms=900, status=486)
    desks[1].habit = Habit(answer_ms=-1)
    caller = call(w)
    w.press(caller, "1")
    w.run(9_000)
    caller.hang_up(w.now_ms)
    w.run(2_000)
    assert "- agent: 201 refuses" in made_of(w).text


def test_what_lookups_answered() -> None:
    from engine.call.effects import LookupDone

    w = World(MADE, seed=5)
    caller = w.phone("5551", password="")
    caller.call("100", w.now_ms)
    w.run(1_000)
    (asked,) = w.asked
    values = {"customer.tier": "vip", "customer.balance": 12}
    w.give(LookupDone(asked.call, asked.ticket, "ok", dict(values), "", 940))
    w.run(9_000)
    assert caller.ended
    made = made_of(w, MADE)
    assert "    customer: {tier: vip, balance: 12, after: 940ms}" in made.text and "thanks" in made.text


def test_a_site_that_has_changed_since_is_told() -> None:
    w, _ = day(agents=0)
    call(w)
    w.run(20_000)
    other = site(**{"dialplans/main.yaml": MAIN.replace("    - play: hello\n", "", 1), "prompts/en.yaml": PROMPTS})
    made = write(other, *records(w))
    assert made.differences == ("prompt 1 was en/hello, and is en/choose now",)


def test_what_no_test_can_be_made_of() -> None:
    w, _ = day(agents=0)
    call(w)
    mine, states, _ = records(w)
    with pytest.raises(ValueError, match="has not ended"):
        write(SITE, mine, states)
    with pytest.raises(ValueError, match="beginning of this call"):
        write(SITE, mine[1:], states)
    with pytest.raises(ValueError, match="beginning of this call"):
        write(SITE, [], states)
    started = msgspec.structs.replace(mine[0], data={**mine[0].data, "dialled": "555"})
    with pytest.raises(ValueError, match="nobody has the number '555'"):
        write(SITE, [started, *mine[1:]], states)


def test_numbers_keep_what_rules_look_at() -> None:
    assert masked("+442071234567") == "+440000000000" and masked("anonymous") == "anonymous" and masked("42") == "42"
    assert acts_of([Event(1, "b", 0, 0, "call.started", "default", "c", {})]) == []


def test_a_recording_elsewhere_that_could_not_be_fetched() -> None:
    for lost in (False, True):
        w, _ = day(ELSEWHERE, agents=0)
        w.lost_files = [NEWS] if lost else []
        call(w)
        w.run(20_000)
        lines = made_of(w, ELSEWHERE).text.split("\n")
        given, heard = [line for line in lines if "unreachable" in line], [line for line in lines if NEWS in line]
        assert given == ([f"  unreachable: ['{NEWS}']"] if lost else [])
        assert [line for line in heard if "hears" in line] == ([] if lost else [f"    - hears: ['{NEWS}', hello]"])
