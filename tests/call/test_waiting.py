"""Queues from the caller's chair: music, wait lists, positions, exits, refusals, whisper, races, RONA, wrap-up."""

from __future__ import annotations

import pytest

from tests.call.calls import LONGEST_MS, agent, over, ring, said, talk, world
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES, WIDE, busy_site


def kinds(w: object, *wanted: str) -> list[str]:
    return [event.kind for event in w.events if event.kind in wanted]  # type: ignore[attr-defined]


def test_he_joins_before_he_is_offered_and_the_records_add_up() -> None:
    w = world(law9=True)
    caller, desk = talk(w, "700", answer_ms=1_000)
    assert kinds(w, "queue.joined", "queue.offered", "queue.connected") == [
        "queue.joined", "queue.offered", "queue.connected",
    ]  # fmt: skip
    assert w.heard(caller)[:2] == ["music/default", "row 1"]
    w.run(3_000)
    desk.hang_up(w.now_ms)
    ended = over(w)
    assert 1_000 <= int(str(ended.data["waited_ms"])) <= 1_200 and 3_000 <= int(str(ended.data["talked_ms"])) <= 3_400
    assert ended.data["path"] == "main > support 1 s > agent 201 > main"


def test_the_wait_list_is_followed_row_by_row_and_begins_again() -> None:
    w = world()
    first, second = ring(w, "710"), None
    w.run(5)
    second = ring(w, "710", "5550002")
    w.run(40_000)
    assert w.heard(second)[:5] == [
        "en/please_hold", "en/position_is en/numbers/2", "en/try_again", "music/default", "en/please_hold",
    ]  # fmt: skip
    assert w.heard(first)[1] == "en/you_are_next"
    positions = [(e.call, e.data["position"]) for e in w.all("queue.position")]
    assert {position for _, position in positions} == {1, 2}


def test_an_exit_key_leaves_the_queue_by_its_way() -> None:
    w = world()
    agent(w, "201", answer_ms=-1)
    caller = ring(w, "710")
    w.run(1_000)
    w.press(caller, "5*")
    assert w.hears(caller) == "en/leave_message"
    left = w.last("queue.left")
    assert (left.data["reason"], left.data["key"]) == ("exit", "*") and w.state("201") == "ready"
    assert over(w).data["outcome"] == "left"


def test_position_is_told_every_so_often_and_the_music_goes_on_where_it_was() -> None:
    w = world()
    caller = ring(w, "711")
    w.run(30_000)
    assert w.heard(caller)[:4] == ["music/default", "en/you_are_next", "music/default", "en/you_are_next"]


def test_a_full_queue_and_one_without_agents_refuse_at_once_and_no_join_is_recorded() -> None:
    w = world()
    ring(w, "740")
    w.run(200)
    full, nobody = ring(w, "740", "5550002"), ring(w, "741", "5550003")
    w.run(200)
    assert w.hears(full) == w.hears(nobody) == "en/goodbye" and len(w.all("queue.joined")) == 1
    assert [(e.data["reason"], e.data["position"]) for e in w.all("queue.left")] == [("full", 0), ("no_agents", 0)]


def test_who_has_waited_too_long_goes_another_way() -> None:
    w = world()
    caller = ring(w, "740")
    w.run(60_500)
    assert w.hears(caller) == "en/all_busy" and w.last("queue.left").data["reason"] == "timeout"
    ended = over(w)
    assert (ended.data["waited_ms"], ended.data["cause"]) == (60_000, 17)


def test_whose_time_is_over_is_recorded_with_the_place_where_he_stood() -> None:
    patient = "{name: wide, waiting: program, max_wait: 3min"
    assert patient in WIDE
    w = world(busy_site(dialplans__wide=WIDE.replace(patient, "{name: support, max_wait: 3min")))
    agent(w, "201")
    w.operate("agent.not_ready", agent="201")
    for number, caller in (("710", "5550001"), ("700", "5550002")):
        ring(w, number, caller)
        w.run(1_000)
    w.run(62_000)
    left = w.last("queue.left")
    assert (left.data["reason"], left.data["position"], left.data["first_position"]) == ("timeout", 2, 2)


def test_the_agent_hears_whom_he_gets_and_then_both_hear_each_other() -> None:
    w = world(law9=True)
    ana = agent(w, "201")
    caller = ring(w, "711")
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(100)
    assert w.hears(ana) == "en/one_moment" and w.hears(caller) == "music/default"
    w.run(700)
    assert w.hears(ana).startswith("row") and w.hears(caller).startswith("row")


def test_a_whisper_whose_end_is_never_told_cannot_hold_them_apart() -> None:
    w = world()
    ana = agent(w, "201")
    caller = ring(w, "711")
    w.media.forgetful = True
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(6_000)
    assert w.hears(caller).startswith("row")


@pytest.mark.parametrize("who", ["caller", "agent"])
def test_a_hang_up_during_the_whisper_frees_the_other(who: str) -> None:
    w = world()
    ana = agent(w, "201")
    caller = ring(w, "711")
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(100)
    (caller if who == "caller" else ana).hang_up(w.now_ms)
    w.run(300)
    assert w.state("201") == "wrap_up" and (not ana.up())
    over(w)


def test_ring_all_two_answers_in_the_same_millisecond_one_wins_the_loser_is_free() -> None:
    w = world(law9=True)
    ana, ben = agent(w, "201", answer_ms=1_000), agent(w, "202", answer_ms=1_000)
    caller = ring(w, "710")
    w.run(3_000)
    winner, loser = (ana, ben) if ana.up() else (ben, ana)
    assert winner.up() and not loser.up() and len(w.all("queue.connected")) == 1
    assert sorted([w.state("201"), w.state("202")]) == ["ready", "talking"]
    (last,) = said(loser, "BYE")  # his 200 crossed our CANCEL, or was there first: either way he is told why
    assert 'Reason: SIP;cause=200;text="Call completed elsewhere"' in last
    caller.hang_up(w.now_ms)
    over(w)


def test_ring_all_stops_the_others_with_the_reason_that_keeps_it_out_of_their_missed_calls() -> None:
    w = world()
    ana, ben = agent(w, "201", answer_ms=500), agent(w, "202", answer_ms=-1)
    ring(w, "710")
    w.run(2_000)
    assert ana.up() and "SIP;cause=200" in said(ben, "CANCEL")[0] and not ben.sessions
    reasons = {e.data["agent"]: e.data["reason"] for e in w.all("queue.offer_ended")}
    assert reasons == {"default/201": "answered", "default/202": "answered_elsewhere"}


def test_ring_no_answer_rests_the_agent_and_after_misses_max_makes_him_not_ready() -> None:
    w = world()
    ana = agent(w, "201", answer_ms=-1)
    caller = ring(w, "700")
    w.run(10_500)
    assert w.state("201") == "resting" and w.hears(caller) == "music/default"
    w.run(14_000)
    assert w.state("201") == "not_ready" and w.switch.room.agents["default/201"].reason == "missed"
    assert len(w.all("queue.offered")) == 2 and not ana.sessions and len(w.all("queue.joined")) == 1
    w.operate("agent.ready", agent="201")
    w.run(500)
    assert ana.sessions


def test_wrap_up_comes_after_every_conversation_and_ends_by_itself() -> None:
    w = world()
    caller, _ = talk(w)
    caller.hang_up(w.now_ms)
    w.run(100)
    assert w.state("201") == "wrap_up"
    ring(w, "700", "5550002")
    w.run(4_500)
    assert len(w.all("queue.offered")) == 1
    assert w.run_until(lambda: len(w.all("queue.offered")) == 2, 1_000)


@pytest.mark.parametrize("phase", ["waiting", "alerting"])
def test_an_abandoning_caller_is_recorded_with_his_place(phase: str) -> None:
    w = world()
    if phase == "alerting":
        agent(w, "201", answer_ms=-1)
    ring(w, "700", "5550001")
    caller = ring(w, "700", "5550002")
    w.run(4_000)
    caller.hang_up(w.now_ms)
    w.run(100)
    gone = w.last("queue.abandoned")
    assert gone.data["position"] == 2 and gone.data["waited_ms"] >= 4_000  # type: ignore[operator]


def test_the_offer_shows_who_calls_and_for_what() -> None:
    w = world()
    ana = agent(w, "201", answer_ms=-1)
    ring(w, "700", "5551234")
    w.run(300)
    invite = said(ana, "INVITE")[0]
    assert '"[support] Phone 5551234"' in invite and "<sip:5551234@ringdown.invalid>" in invite
    assert "<urn:alert:source:queue-support>" in invite


def test_a_queue_removed_in_mid_wait_still_serves_its_caller_with_the_agents_it_had() -> None:
    w = world()
    caller = ring(w, "710")
    w.run(3_000)
    ana = agent(w, "201", login=False)
    narrow = "".join(f"{line}\n" for line in BUSY_QUEUES.splitlines() if not line.startswith("wide"))
    alone = BUSY_AGENTS.replace(", wide: 2", "").replace(", wide", "")
    echo = "ringdown: 1\nflows:\n  main:\n    - answer\n    - echo\n  whispered:\n    - answer\n    - echo\n"
    w.load(busy_site(queues=narrow, agents=alone, dialplans__wide=echo))
    assert len(w.switch.room.sites) == 2 and w.hears(caller) != "silence"
    w.operate("agent.login", agent="201")
    assert w.run_until(lambda: bool(ana.up()), 3_000)
    late = ring(w, "710", "5550002")
    w.run(200)
    assert w.hears(late) == "echo"
    late.hang_up(w.now_ms)
    caller.hang_up(w.now_ms)
    over(w)
    assert len(w.switch.room.sites) == 1


def test_music_that_repeats_an_announcement_starts_over_no_sooner_than_it_ended() -> None:
    w = world(busy_site(queues=BUSY_QUEUES.replace("wide: {", "wide: {announce: welcome, ")))
    caller = ring(w, "711")
    w.run(10_000)
    assert w.heard(caller)[:2] == ["en/welcome", "music/default"]


def test_an_agent_who_dies_while_he_is_offered_costs_the_caller_only_time() -> None:
    w = world()
    ana = agent(w, "201", answer_ms=-1)
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(ana.sessions), 3_000)
    w.darken(ana)
    ben = agent(w, "202")
    w.run(12_000)
    assert ben.up() and w.hears(caller).startswith("row")


def test_everything_waits_within_its_time_and_the_world_grows_quiet() -> None:
    w = world()
    for number in ("700", "710", "711", "740", "742"):
        ring(w, number, f"555{number}")
    w.run(1_000)
    for phone in w.phones.values():
        phone.hang_up(w.now_ms)
    w.run(LONGEST_MS)
    assert w.quiet() and len(w.all("queue.abandoned")) == 5
