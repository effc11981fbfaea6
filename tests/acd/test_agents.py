"""The agent's life as he and his supervisor see it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import limits
from engine.acd import events
from engine.acd.agents import CALL_MS_MAX
from engine.acd.commands import Offer
from engine.acd.model import WRAP_UP_MODES
from tests.acd.world import Q, R, World, agent, cancels, changes, endings, offers, queue


def test_login_pause_ready_logout() -> None:
    world = World([queue()], [agent(1)], ready=False)
    assert world.state(1) == "logged_out"
    assert changes(world.do(events.AgentLoggedIn(1))) == [(1, "logged_out", "ready", "login")]
    assert changes(world.do(events.AgentNotReady(1, "lunch"))) == [(1, "ready", "not_ready", "lunch")]
    assert changes(world.do(events.AgentNotReady(1, "training"))) == [(1, "not_ready", "not_ready", "training")]
    assert world.do(events.AgentNotReady(1, "training")) == []
    assert changes(world.do(events.AgentReady(1))) == [(1, "not_ready", "ready", "ready")]
    assert changes(world.do(events.AgentLoggedOut(1))) == [(1, "ready", "logged_out", "logout")]
    assert world.do(events.AgentReady(1), events.AgentNotReady(1), events.AgentLoggedOut(1)) == []


def test_login_not_ready_takes_no_call_until_he_says_so() -> None:
    world = World([queue()], [agent(1)], ready=False)
    world.do(events.AgentReachable(1, True), events.AgentLoggedIn(1, ready=False))
    assert world.state(1) == "not_ready"
    assert offers(world.join(10)) == []
    assert len(offers(world.do(events.AgentReady(1)))) == 1


def test_unreachable_phones_are_not_rung() -> None:
    world = World([queue()], [agent(1)])
    world.do(events.AgentReachable(1, False))
    assert world.state(1) == "ready"
    assert offers(world.join(10)) == []
    assert len(offers(world.do(events.AgentReachable(1, True)))) == 1


def test_pause_and_logout_during_a_call_take_effect_at_its_end() -> None:
    world = World([queue()], [agent(1), agent(2)])
    wishes = ((1, events.AgentNotReady(1, "lunch"), "not_ready"), (2, events.AgentLoggedOut(2), "logged_out"))
    for who, event, after in wishes:
        offer = world.talk(10 + who)
        assert offer.agent == who
        assert world.do(event, after=1_000) == []
        assert world.state(who) == "talking"
        assert changes(world.end(10 + who, who, after=1_000))[0][:3] == (who, "talking", after)


def test_a_pause_taken_back_during_the_call() -> None:
    world = World([queue()], [agent(1)])
    world.talk(10)
    world.do(events.AgentNotReady(1, "lunch"), events.AgentReady(1))
    world.end(10, 1, after=500)
    assert world.state(1) == "ready"


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (events.AgentNotReady(1, "lunch"), "not_ready"),
        (events.AgentLoggedOut(1), "logged_out"),
        (events.AgentOccupied(1, True, "outbound"), "occupied"),
    ],
)
def test_leaving_while_alerting_withdraws_the_offer_and_the_caller_moves_on(event: events.AcdEvent, state: str) -> None:
    world = World([queue()], [agent(1), agent(2)])
    first = offers(world.join(10))[0]
    out = world.do(event, after=2_000)
    assert [(c.offer, c.agent, c.call, c.reason) for c in cancels(out)] == [(first.offer, 1, 10, "agent_state")]
    assert endings(out) == [(1, "agent_state")]
    assert world.state(1) == state
    assert [offer.agent for offer in offers(out)] == [2]


def test_wrap_up_is_the_agents_or_the_queues_and_ends_early_by_ready() -> None:
    world = World([queue(wrap_up_ms=10_000)], [agent(1), agent(2, wrap_up_ms=0), agent(3, wrap_up_ms=4_000)])
    for who in (1, 2, 3):
        world.talk(10 + who)
        world.end(10 + who, who, after=1_000)
    assert [world.state(who) for who in (1, 2, 3)] == ["wrap_up", "ready", "wrap_up"]
    world.wait(4_000)
    assert [world.state(who) for who in (1, 3)] == ["wrap_up", "ready"]
    assert changes(world.do(events.AgentReady(1))) == [(1, "wrap_up", "ready", "ready")]


def test_wrap_up_runs_to_its_end_and_is_bounded() -> None:
    world = World([queue(wrap_up_ms=10**9)], [agent(1)])
    world.talk(10)
    world.end(10, 1)
    assert world.distributor.next_deadline() == world.now + limits.wrap_up_ms_max
    world.wait(limits.wrap_up_ms_max)
    assert world.state(1) == "ready"


def test_a_pause_in_wrap_up_ends_it() -> None:
    world = World([queue(wrap_up_ms=10_000)], [agent(1)])
    world.talk(10)
    world.end(10, 1)
    assert changes(world.do(events.AgentNotReady(1, "coffee"))) == [(1, "wrap_up", "not_ready", "coffee")]
    world.wait(60_000)
    assert world.state(1) == "not_ready"


def test_a_call_of_another_kind_occupies_unless_he_has_a_second_line() -> None:
    world = World([queue()], [agent(1), agent(2, second_line=True)])
    world.do(events.AgentOccupied(1, True, "direct"), events.AgentOccupied(2, True, "direct"))
    assert (world.state(1), world.state(2)) == ("occupied", "ready")
    assert [offer.agent for offer in offers(world.join(10))] == [2]
    assert offers(world.join(11)) == []
    assert [offer.call for offer in offers(world.do(events.AgentOccupied(1, False)))] == [11]


def test_an_other_call_during_pause_conversation_or_wrap_up_shows_when_they_end() -> None:
    world = World([queue(wrap_up_ms=5_000)], [agent(1)])
    world.talk(10)
    world.do(events.AgentOccupied(1, True, "consult"))
    assert world.state(1) == "talking"
    world.end(10, 1)
    assert world.state(1) == "wrap_up"
    world.wait(5_000)
    assert world.state(1) == "occupied"
    world.do(events.AgentNotReady(1, "lunch"))
    world.do(events.AgentReady(1))
    assert world.state(1) == "occupied"
    world.do(events.AgentOccupied(1, False))
    assert world.state(1) == "ready"


def test_a_lost_end_of_an_other_call_does_not_keep_him_out_for_ever() -> None:
    world = World([queue()], [agent(1)])
    world.do(events.AgentOccupied(1, True, "direct"))
    world.wait(CALL_MS_MAX - 1)
    assert world.state(1) == "occupied"
    world.wait(1)
    assert world.state(1) == "ready"


def test_a_second_other_call_is_believed_for_as_long_as_the_first() -> None:
    world = World([queue()], [agent(1)])
    world.do(events.AgentOccupied(1, True, "direct"))
    world.do(events.AgentOccupied(1, True, "outbound"), after=60_000)
    world.wait(CALL_MS_MAX - 1)
    assert world.state(1) == "occupied"
    world.wait(1)
    assert world.state(1) == "ready"


def test_idle_time_counts_from_the_last_work_and_login_goes_to_the_end_of_the_line() -> None:
    world = World([queue()], [agent(1), agent(2), agent(3)])
    for who in (1, 2, 3):  # ends in the order 1, 2, 3
        world.talk(10 + who)
    for who in (1, 2, 3):
        world.end(10 + who, who, after=1_000)
    world.do(events.AgentNotReady(2, "coffee"), events.AgentReady(2))  # a pause keeps his place
    world.do(events.AgentLoggedOut(1), events.AgentLoggedIn(1), after=1_000)  # a new login doesn't
    world.do(events.AgentLoggedIn(3))  # saying it twice is no login
    asked = [offers(world.join(20 + turn))[0].agent for turn in range(3)]
    assert asked == [2, 3, 1]


def test_the_end_of_wrap_up_and_of_other_calls_begins_idle_time() -> None:
    world = World([queue()], [agent(1, wrap_up_ms=5_000), agent(2), agent(3)])
    world.talk(11)
    world.talk(12)
    world.end(11, 1)  # wrap-up until 5 s later
    world.end(12, 2, after=1_000)
    world.do(events.AgentOccupied(3, True), after=1_000)
    world.do(events.AgentOccupied(3, False), after=1_000)
    world.wait(10_000)
    assert [offers(world.join(20 + turn))[0].agent for turn in range(3)] == [2, 3, 1]


def test_unknown_agents_change_nothing() -> None:
    world = World([queue()], [agent(1)])
    for event in (
        events.AgentLoggedIn(9), events.AgentLoggedOut(9), events.AgentNotReady(9), events.AgentReady(9),
        events.AgentReachable(9, True), events.AgentOccupied(9, True), events.CallEnded(10, 9),
    ):  # fmt: skip
        before = world.distributor.encode()
        assert world.do(event) == []
        assert world.distributor.encode() == before
    assert world.state(9) == ""


def test_time_in_states_has_no_gaps() -> None:
    world = World([queue(Q, wrap_up_ms=3_000), queue(R)], [agent(1, Q, R)], ready=False)
    world.wait(500)
    world.do(events.AgentReachable(1, True), events.AgentLoggedIn(1))
    world.talk(10)
    world.end(10, 1, after=7_000)
    world.wait(4_000)
    world.do(events.AgentNotReady(1), after=1_000)
    row = world.distributor.snapshot_agents(world.now + 250)[0]
    assert row["spent_ms"] == {
        "logged_out": 500, "ready": 2_000, "alerting": 0, "talking": 7_000, "wrap_up": 3_000, "not_ready": 250,
        "resting": 0, "occupied": 0,
    }  # fmt: skip
    assert sum(row["spent_ms"].values()) == world.now + 250


# --- the five modes of wrap-up -------------------------------------------------------------------------
def wrapped(mode: str, ms: int = 0, **more: object) -> World:
    """Agent 1 in conversation 10 of a queue with this wrap-up."""
    world = World([queue(wrap_up_mode=mode, wrap_up_ms=ms, **more)], [agent(1)])
    world.talk(10)
    return world


def test_mode_none_leads_back_at_once_whatever_he_asks() -> None:
    world = wrapped("none", 10_000)
    world.do(events.AgentWrapUp(1, "ask"))
    assert changes(world.end(10, 1, after=1_000))[0][:3] == (1, "talking", "ready")


@pytest.mark.parametrize(
    ("mode", "ms", "most_ms"), [("optional", 0, limits.wrap_up_ms_max), ("optional-timed", 9_000, 9_000)]
)
def test_optional_modes_wrap_up_only_when_asked_while_talking(mode: str, ms: int, most_ms: int) -> None:
    world = wrapped(mode, ms)
    assert changes(world.end(10, 1, after=1_000))[0][:3] == (1, "talking", "ready")
    assert world.do(events.AgentWrapUp(1, "ask")) == []  # not in conversation: nothing to wrap up
    assert offers(world.join(11))
    world.do(events.OfferAnswered(world.pool.offers.id[1]))
    assert world.state(1) == "talking"
    world.do(events.AgentWrapUp(1, "ask"))
    assert changes(world.end(11, 1, after=1_000))[0][:3] == (1, "talking", "wrap_up")
    world.wait(most_ms - 1)
    assert world.state(1) == "wrap_up"
    assert changes(world.wait(1)) == [(1, "wrap_up", "ready", "wrap_up_over")]


def test_asking_holds_for_one_conversation_only() -> None:
    world = wrapped("optional-timed", 2_000)
    world.do(events.AgentWrapUp(1, "ask"))
    world.end(10, 1)
    world.wait(2_000)
    world.talk(11)
    world.end(11, 1)
    assert world.state(1) == "ready"


def test_mandatory_timed_may_be_held_to_its_time_and_remembers_what_he_wanted() -> None:
    world = wrapped("mandatory-timed", 8_000, wrap_up_early=False)
    world.end(10, 1)
    assert world.do(events.AgentReady(1), after=1_000) == []
    assert world.do(events.AgentNotReady(1, "lunch"), after=1_000) == []
    assert world.state(1) == "wrap_up"
    assert changes(world.wait(6_000)) == [(1, "wrap_up", "not_ready", "lunch")]


@pytest.mark.parametrize(
    "event",
    [events.AgentReady(1, force=True), events.AgentNotReady(1, "x", force=True), events.AgentLoggedOut(1)],
)
def test_a_supervisor_or_going_home_ends_a_wrap_up_that_is_held(event: events.AcdEvent) -> None:
    world = wrapped("mandatory-timed", 8_000, wrap_up_early=False)
    world.end(10, 1)
    world.do(event)
    assert world.state(1) in ("ready", "not_ready", "logged_out")


def test_mandatory_discretionary_lasts_until_he_ends_it_or_the_engines_limit() -> None:
    world = wrapped("mandatory-discretionary")
    world.end(10, 1)
    world.wait(limits.wrap_up_ms_max - 1)
    assert world.state(1) == "wrap_up"
    world.wait(1)
    assert world.state(1) == "ready"
    world.talk(11)
    world.end(11, 1)
    assert changes(world.do(events.AgentReady(1), after=90_000)) == [(1, "wrap_up", "ready", "ready")]


def test_a_required_code_keeps_him_until_it_is_known() -> None:
    world = wrapped("mandatory-discretionary", 60_000, wrap_up_coded=True)
    world.end(10, 1)
    assert world.do(events.AgentReady(1)) == []
    world.do(events.AgentWrapUp(1, "coded"))
    assert world.state(1) == "wrap_up"  # the code doesn't end it: he does
    assert changes(world.do(events.AgentReady(1))) == [(1, "wrap_up", "ready", "ready")]
    world.talk(11)
    world.end(11, 1)
    world.wait(60_000)
    assert world.state(1) == "ready"  # nobody is stuck for want of a code


def test_extension_is_bounded_in_count_and_in_all() -> None:
    world = wrapped("mandatory-timed", 10_000, wrap_up_extend_ms=5_000, wrap_up_extensions_max=2)
    world.do(events.AgentWrapUp(1, "extend"))  # while he talks there is nothing to extend
    world.end(10, 1)
    for _ in range(5):
        world.do(events.AgentWrapUp(1, "extend"))
    assert world.distributor.wrap_up(1, world.now)["left_ms"] == 20_000
    world.wait(19_999)
    assert world.state(1) == "wrap_up"
    world.wait(1)
    assert world.state(1) == "ready"
    long = wrapped("mandatory-timed", limits.wrap_up_ms_max, wrap_up_extensions_max=9)
    long.end(10, 1)
    long.do(events.AgentWrapUp(1, "extend"))
    assert long.distributor.wrap_up(1, long.now)["left_ms"] == limits.wrap_up_ms_max


def test_an_agents_own_mode_comes_before_the_queues() -> None:
    world = World(
        [queue(wrap_up_mode="mandatory-timed", wrap_up_ms=9_000)],
        [
            agent(1, wrap_up_mode="none"),
            agent(2, wrap_up_mode="mandatory-timed", wrap_up_ms=3_000, wrap_up_early=False),
        ],
    )
    world.talk(11)
    world.talk(12)
    world.end(11, 1)
    world.end(12, 2)
    assert (world.state(1), world.state(2)) == ("ready", "wrap_up")
    assert world.do(events.AgentReady(2)) == []
    world.wait(3_000)
    assert world.state(2) == "ready"


def test_on_demand_takes_one_call_then_waits_to_be_asked() -> None:
    world = World([queue(wrap_up_ms=2_000)], [agent(1, on_demand=True)])
    world.talk(10)
    world.join(11)
    world.end(10, 1, after=1_000)
    assert changes(world.wait(2_000)) == [(1, "wrap_up", "not_ready", "on_demand")]
    out = world.do(events.AgentReady(1), after=5_000)
    assert [offer.call for offer in offers(out)] == [11]
    world.answer(offers(out)[0])
    world.do(events.AgentReady(1))  # while he talks: one more
    world.end(11, 1)
    world.wait(2_000)
    assert world.state(1) == "ready"


def test_an_answer_resets_the_count_of_misses() -> None:
    world = World([queue(misses_max=3, delay_no_answer_ms=1_000)], [agent(1)])
    for call in (10, 11):
        for _ in range(2):
            world.fail(_ringing(world, call), "no_answer")
            world.wait(1_000)
        world.answer(_ringing(world, call))
        world.end(call, 1)
    assert world.state(1) == "ready"
    for _ in range(3):
        world.fail(_ringing(world, 12), "no_answer")
        world.wait(1_000)
    assert world.state(1) == "not_ready"
    assert world.distributor.snapshot_agents(world.now)[0]["reason"] == "missed"


def _ringing(world: World, call: int) -> Offer:
    """The offer that rings for the call, which joins first where it hasn't."""
    if call not in world.pool.calls:
        world.join(call)
    return [command for command in world.log if isinstance(command, Offer) and command.call == call][-1]


def test_a_wrap_up_that_lasts_too_long_is_reported_and_healed() -> None:
    world = wrapped("mandatory-discretionary")
    world.end(10, 1)
    world.pool.arm_agent(0, world.now + 2 * limits.wrap_up_ms_max)
    assert [breach.rule for breach in world.distributor.check(world.now)] == ["wrap_up_too_long"]
    world.distributor.settle(world.now)
    world.wait(limits.wrap_up_ms_max)
    assert world.state(1) == "ready"


MODE_EVENTS = st.lists(
    st.tuples(
        st.sampled_from("ask extend coded ready force pause logout login end call wait".split()),
        st.integers(0, 40_000),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WRAP_UP_MODES), st.booleans(), st.booleans(), st.integers(0, 30_000), MODE_EVENTS)
def test_whatever_he_does_in_any_mode_nobody_is_stuck(
    mode: str, early: bool, coded: bool, ms: int, acts: list[tuple[str, int]]
) -> None:
    """Invariants hold at every step (World checks them), and after the longest deadline he is where he wants to be."""
    world = World([queue(wrap_up_mode=mode, wrap_up_ms=ms, wrap_up_early=early, wrap_up_coded=coded)], [agent(1)])
    call = 10
    for act, after in acts:
        world.wait(after if act == "wait" else 0)
        if act in ("ask", "extend", "coded"):
            world.do(events.AgentWrapUp(1, act))
        elif act == "call":
            call += 1
            for offer in offers(world.join(call)):
                world.answer(offer)
        elif act == "end":
            world.end(call, 1)
        elif act != "wait":
            world.do(
                {
                    "ready": events.AgentReady(1),
                    "force": events.AgentReady(1, force=True),
                    "pause": events.AgentNotReady(1, "x"),
                    "logout": events.AgentLoggedOut(1),
                    "login": events.AgentLoggedIn(1),
                }[act]
            )
    for held in list(world.pool.calls):
        world.do(events.CallLeft(held, "exit"), events.CallEnded(held, 1))
    world.wait(limits.wrap_up_ms_max)
    assert world.state(1) in ("ready", "not_ready", "logged_out")


def test_skills_come_and_go_with_an_event() -> None:
    world = World([queue()], [agent(1), agent(2, skills=((1, 4),))])
    assert world.join(10, needs=((40, 2),)) == []
    (offer,) = offers(world.do(events.AgentSkills(1, ((40, 2), (1, 9)))))
    assert (offer.call, offer.agent) == (10, 1), "a skill of a higher number than any before"
    world.answer(offer)
    assert [offer.agent for offer in offers(world.join(11, needs=((1, 4),)))] == [2]
    world.answer(offers(world.log)[-1])
    world.do(events.AgentSkills(2, ()), events.AgentSkills(99, ()))
    world.end(11, 2)
    assert offers(world.join(12, needs=((1, 1),))) == []
    assert world.pool.skills[0].tolist()[40] == 2 and world.pool.skills[1].max() == 0
    world.pool.reindex()
    assert offers(world.do(events.AgentSkills(2, ((1, 1),))))[0].agent == 2
