"""The transfer budget and what a transfer to a queue brings: each through the Switch, with phones."""

from __future__ import annotations

import pytest

from engine.call import budget
from engine.call.call import Call
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import agent, over, ring, talk, up, world
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES, BUSY_SITE, BUSY_SUPPORT, busy_site


def results(w: World) -> list[object]:
    return [event.data["result"] for event in w.all("call.transferred")]


def news(phone: Phone) -> list[str]:
    return [text for _, text in phone.log if text.startswith("transfer")]


def pass_on(w: World, one: Phone, other: Phone, number: str) -> None:
    one.refer(up(one), number, w.now_ms)
    assert w.run_until(lambda: bool(other.up()), 10_000)
    w.run(500)


@pytest.mark.parametrize("law9", [False, True])
def test_two_transfers_and_three_people_and_then_no_more(law9: bool) -> None:
    w = world(law9=law9)
    caller, ana = talk(w, refer_bye=True)
    ben, cho = agent(w, "202", refer_bye=True, login=False), agent(w, "203", login=False)
    dee = agent(w, "205", login=False)
    pass_on(w, ana, ben, "202")
    pass_on(w, ben, cho, "203")
    for target in ("205", "9196", "700", "201"):
        cho.refer(up(cho), target, w.now_ms)
        w.run(500)
        assert news(cho)[-1] == "transfer 403" and w.hears(caller).startswith("row") and cho.up()
    assert not dee.sessions and results(w)[-4:] == ["over_budget"] * 4
    cho.hang_up(w.now_ms)
    assert "transfer to 700 refused" in str(over(w).data["path"])


def test_by_keys_he_hears_so_and_then_they_go_on() -> None:
    w = world(busy_site(site=BUSY_SITE + "transfers: {hops: 0, people: 1}\n"), law9=True)
    caller, ana = talk(w)
    w.press(ana, "*1202#", gap_ms=100)
    w.run(100)
    assert w.hears(ana) == "en/transfer_failed" and w.hears(caller) == "music/default"
    w.press(ana, "5", gap_ms=100)
    w.run(1_500)
    assert w.hears(caller).startswith("row") and w.hears(ana).startswith("row") and w.state("201") == "talking"
    assert results(w) == ["over_budget"]
    caller.hang_up(w.now_ms)
    over(w)


def test_a_phone_whose_play_never_ends_gets_its_caller_back_all_the_same() -> None:
    w = world(busy_site(site=BUSY_SITE + "transfers: {hops: 0, people: 1}\n"))
    caller, ana = talk(w)
    w.press(ana, "*1202#", gap_ms=100)
    w.run(50)
    leg = next(leg for leg in w.switch.room.legs.values() if leg.agent.endswith("201"))
    leg.play_ticket += 1_000  # the end of that play will find nobody
    w.run(11_000)
    assert w.hears(caller).startswith("row") and not leg.codes
    caller.hang_up(w.now_ms)
    over(w)


def test_back_to_who_has_had_him_already_costs_a_hop_but_no_new_person() -> None:
    w = world(busy_site(site=BUSY_SITE + "transfers: {hops: 3, people: 2}\n"))
    caller, ana = talk(w, refer_bye=True)
    ben, cho = agent(w, "202", refer_bye=True, login=False), agent(w, "203", login=False)
    pass_on(w, ana, ben, "202")
    ben.refer(up(ben), "203", w.now_ms)
    w.run(500)
    assert news(ben)[-1] == "transfer 403" and not cho.sessions
    pass_on(w, ben, ana, "201")
    assert w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    over(w)


def test_a_transfer_that_fails_costs_nothing() -> None:
    w = world(busy_site(site=BUSY_SITE + "transfers: {hops: 1, people: 2}\n"))
    caller, ana = talk(w, refer_bye=True)
    agent(w, "202", answer_ms=100, status=486, login=False)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(2_000)
    assert news(ana)[-1] == "transfer 486" and ana.up()
    cho = agent(w, "203", login=False)
    pass_on(w, ana, cho, "203")
    assert w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    over(w)


def test_a_queue_has_a_budget_of_its_own_and_an_operator_none() -> None:
    queues = BUSY_QUEUES.replace("support: {", "support: {transfers: {hops: 0}, ")
    w = world(busy_site(queues=queues))
    caller, ana = talk(w)
    ben = agent(w, "202", login=False)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(500)
    assert news(ana)[-1] == "transfer 403"
    call = next(iter(w.switch.room.calls.values()))
    assert w.operate("call.transfer", call=call.name, to="202").ok
    assert w.run_until(lambda: bool(ben.up()), 3_000)
    caller.hang_up(w.now_ms)
    over(w)


ONCE = "    - hangup: served\n  narrow:"
AGAIN = BUSY_SUPPORT.replace(
    ONCE, "    - queue: {name: taped, full: bye, no_agents: late, timeout: bye}\n" + ONCE
)  # fmt: skip


@pytest.mark.parametrize(("people", "heard"), [(1, "en/all_busy"), (2, "music/default")])
def test_a_dialplan_queues_nobody_for_one_person_too_many(people: int, heard: str) -> None:
    text = BUSY_SITE + f"transfers: {{hops: {people}, people: {people}}}\n"
    w = world(busy_site(site=text, dialplans__support=AGAIN))
    caller, ana = talk(w)
    ana.hang_up(w.now_ms)
    assert w.run_until(lambda: w.hears(caller) == heard, 2_000)
    left = [event.data["reason"] for event in w.all("queue.left")]
    assert left == (["over_budget"] if people == 1 else [])
    caller.hang_up(w.now_ms)
    over(w)


# --- a transfer to a queue ---------------------------------------------------------------------------------
ONE_QUEUE = BUSY_AGENTS.replace("[support, wide, taped]", "[taped]")
CASE = """
ringdown: 1
languages: [en, fr]
variables: {case: 'digits 1..4 = 0', topic: text, note: number}
entry: main
flows:
  main:
    - answer
    - set: {case: 17}
    - set: {note: 5}
    - queue: {name: taped, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  bye:
    - hangup: failed
"""
CARRIED = """
ringdown: 1
languages: [en]
variables: {case: 'digits 1..4 = 0', note: text, extra: 'digits 1..4 = 3'}
entry: main
flows:
  main:
    - answer
    - tag: case $case extra $extra
    - queue: {name: wide, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  bye:
    - hangup: failed
"""
NUMBERS = BUSY_SITE.replace("numbers:", "numbers:\n  750: {dialplan: case, public: yes}\n  751: carried")


def test_variables_recording_and_the_wait_go_with_the_caller() -> None:
    case = CASE.replace("languages: [en, fr]", "languages: [en]")
    site = busy_site(site=NUMBERS, agents=ONE_QUEUE, dialplans__case=case, dialplans__carried=CARRIED)
    w = world(site, law9=True)
    caller = ring(w, "750")
    w.run(20_000)
    ana = agent(w, "201", refer_bye=True)
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(5_000)
    assert w.row(caller).tap
    other = ring(w, "710", "5550002")  # came before the transfer, has waited less in all
    w.run(1_000)
    ana.refer(up(ana), "751", w.now_ms)
    w.run(500)
    assert any("case 17 extra 3" in str(event.data["text"]) for event in w.all("call.step"))
    assert w.row(caller).tap and len(w.all("call.recording")) == 1, "one recording, from the first agent on"
    cho = agent(w, "203", answer_ms=100)
    assert w.run_until(lambda: bool(cho.up()), 5_000)
    w.run(500)
    assert w.hears(caller).startswith("row") and not w.hears(other).startswith("row"), "he had waited for 20 s already"
    other.hang_up(w.now_ms)
    caller.hang_up(w.now_ms)
    over(w)


def test_without_credit_he_begins_at_the_end() -> None:
    queues = BUSY_QUEUES.replace("wide: {", "wide: {credit: none, ")
    w = world(busy_site(queues=queues, agents=ONE_QUEUE))
    caller = ring(w, "742")
    w.run(20_000)
    ana = agent(w, "201", refer_bye=True)
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    other = ring(w, "710", "5550002")
    w.run(1_000)
    ana.refer(up(ana), "710", w.now_ms)
    w.run(500)
    cho = agent(w, "203", answer_ms=100)
    assert w.run_until(lambda: bool(cho.up()), 5_000)
    w.run(500)
    assert w.hears(other).startswith("row") and not w.hears(caller).startswith("row")
    other.hang_up(w.now_ms)
    caller.hang_up(w.now_ms)
    over(w)


def test_who_transferred_him_to_the_queue_is_not_offered_him_for_a_minute() -> None:
    agents = BUSY_AGENTS.replace("name: Ana,", "name: Ana, wrap_up: 0s,")
    w = world(busy_site(agents=agents), law9=True)
    caller, ana = talk(w, refer_bye=True)
    ana.refer(up(ana), "710", w.now_ms)
    begun = w.now_ms
    w.run(58_000)
    assert not ana.up() and w.state("201") == "ready" and len(w.all("queue.offered")) == 1
    assert w.run_until(lambda: bool(ana.up()), 5_000) and 60_000 <= w.now_ms - begun <= 62_000
    caller.hang_up(w.now_ms)
    over(w)


def test_people_are_counted_once_and_the_list_is_bounded() -> None:
    call = Call(1, "c", "default", "v", "", "", "", "trunk", "", 0)
    for number in range(100):
        budget.met(call, f"default/{number}")
        budget.met(call, f"default/{number}")
    budget.met(call, "")
    assert len(call.people) == budget.PEOPLE_KEPT_MAX and len(dict.fromkeys(call.people)) == len(call.people)
