"""A call in a world of its own: people at their phones, a clock, and the story of it."""

from __future__ import annotations

from tests.sim.shows import show


def test_the_call_begins_at_the_given_moment() -> None:
    it = show(given="at: 2026-10-25 01:30 +01:00")
    assert it.name and it.call() is not None
    started = it.events("call.started")[0]
    assert abs(started.at_ms - 1_761_355_800_000 - 365 * 86_400_000) < 86_400_000  # that night
    assert started.at_ms == it.given.wall_ms + (started.now_ms - it.world.now_ms) + (it.world.now_ms - 1_000_000)
    assert it.transcript()[0].endswith("5550100 dials 100, Sunday 2026-10-25 01:30 Europe/London")


def test_agents_are_in_the_given_states() -> None:
    it = show(given="agents: {201: not_ready, 202: ready}")
    assert it.world.state("201") == "not_ready" and it.world.state("202") == "ready"
    busy = show(given="agents: {201: talking}")
    assert busy.world.state("201") not in ("ready", "not_ready", "logged_out")


def test_a_caller_from_a_trunk_is_one() -> None:
    it = show(given="trunk: carrier")
    assert it.events("call.started")[0].data["via"] == "trunk"
    assert it.events("call.started")[0].data["trunk"] == "carrier"


def test_a_key_waits_until_somebody_listens() -> None:
    it = show()
    assert not it.listening()
    assert it.press("1")
    joined = it.events("queue.joined")
    assert len(joined) == 1 and it.until(lambda: it.ringing() == "default/201", 100) and it.ringing("202") == ""


def test_no_key_reaches_a_call_that_is_over() -> None:
    it = show()
    it.hang_up()
    assert it.over() and not it.press("1") and it.outcome() == "abandoned"
    assert "the call is over: abandoned" in it.where()
    assert it.transcript()[-1].endswith("the call ends: abandoned (by caller)")


def test_the_story_is_in_order_and_joins_a_prompt_with_its_values() -> None:
    it = show()
    it.press("2")
    it.press("1234")
    it.press("9999")
    it.until(it.over)
    story = [line[11:] for line in it.transcript()]
    assert story[1:4] == ["hears hello “Hello.”", "hears choose “Press 1 or 2.”", "presses 2"]
    assert "hears your_code “Your code is” “digits/1” “digits/2” “digits/3” “digits/4” “, thank you.”" in story
    assert story[-2:] == ["is tagged code 1234", "the call ends: served (by dialplan)"]


def test_the_same_call_is_the_same_story() -> None:
    def once() -> list[str]:
        it = show()
        it.press("1")
        it.wait(3_000)
        return it.transcript()

    assert once() == once()


def test_others_wait_before_the_caller() -> None:
    it = show(given="waiting: {support: 3}")
    it.press("1")
    assert it.events("queue.joined")[0].data["position"] == 4
    assert len([event for event in it.world.all("queue.joined") if event.call != it.name]) == 3


def test_a_closed_queue_takes_nobody() -> None:
    it = show(given="closed: [support]")
    it.press("1")
    assert it.events("queue.left")[0].data["reason"] == "closed"
