"""How calls end: who hung up, what is freed, the closing record's sums, limits, a reload in mid-call."""

from __future__ import annotations

import pytest

from engine import limits
from engine.call.ending import REPORT_MS_MAX
from engine.media.commands import LegFailed
from tests.call.calls import agent, over, plane, ring, row_of, talk, told, world
from tests.scenarios.sites import BUSY_SUPPORT, busy_site


def test_the_closing_record_comes_after_both_legs_qualities_and_sums_up() -> None:
    w = world(law9=True)
    caller = ring(w, "700")
    w.run(4_000)
    desk = agent(w, "201", answer_ms=1_000)
    assert w.run_until(lambda: bool(desk.up()), 5_000)
    w.run(100)
    w.run(5_000)
    desk.hold(desk.up()[0], w.now_ms)
    w.run(2_000)
    caller.hang_up(w.now_ms)
    ended = over(w)
    kinds = [event.kind for event in w.events if event.call == ended.call]
    assert kinds[-3:] == ["call.quality", "call.quality", "call.ended"]
    data = {
        key: int(str(ended.data[key])) for key in ("duration_ms", "answered_ms", "waited_ms", "talked_ms", "held_ms")
    }
    assert data["answered_ms"] == 0 and 5_000 <= data["waited_ms"] <= 5_400 and 7_000 <= data["talked_ms"] <= 7_300
    assert 1_900 <= data["held_ms"] <= 2_000 and abs(data["duration_ms"] - data["waited_ms"] - data["talked_ms"]) < 30
    assert (ended.data["by"], ended.data["outcome"]) == ("caller", "served")


@pytest.mark.parametrize(
    "phase", ["menu", "queue", "alerting", "dial", "early", "record", "gather", "whisper", "transfer"]
)
def test_a_caller_who_hangs_up_in_any_phase_leaves_nothing(phase: str) -> None:
    w = world()
    number = {
        "menu": "100", "queue": "740", "alerting": "700", "dial": "720", "early": "721", "record": "731",
        "gather": "730", "whisper": "711", "transfer": "700",
    }[phase]  # fmt: skip
    desk = agent(w, "201", answer_ms=300 if phase in ("whisper", "transfer") else -1, early=phase == "early")
    caller = ring(w, number)
    w.run(700)
    if phase == "transfer":
        agent(w, "202", answer_ms=-1)
        desk.refer(desk.up()[0], "202", w.now_ms)
        w.run(200)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert not any(phone.sessions for phone in w.phones.values())
    ended = over(w)
    assert ended.data["by"] == "caller" and w.state("201") in ("ready",)
    assert ended.data["outcome"] == ("served" if phase == "transfer" else "abandoned")


def test_a_caller_who_cancels_before_the_answer_is_abandoned() -> None:
    w = world()
    agent(w, "202", answer_ms=-1)
    ana = ring(w, "202", phone=agent(w, "201"))
    w.run(300)
    ana.hang_up(w.now_ms)
    ended = over(w)
    assert (ended.data["outcome"], ended.data["answered_ms"]) == ("abandoned", -1)


def test_a_media_port_that_fails_is_told_and_ends_only_that_call() -> None:
    w = world()
    other, caller = ring(w, "9196", "5550001"), ring(w, "9196", "5550002")
    w.run(200)
    number, generation = row_of(w, caller)
    plane(w, LegFailed(number, generation, "address already in use"))
    w.media.rows.pop(number)
    w.run(200)
    assert not caller.up() and other.up()
    assert w.last("call.fault").data == {"where": "media", "detail": "address already in use"}
    ended = w.last("call.ended")
    assert (ended.data["by"], ended.data["outcome"], ended.data["cause"]) == ("system", "failed", 41)


def test_a_plane_that_never_reports_quality_delays_the_record_by_a_second_at_most() -> None:
    w = world()
    caller = ring(w, "9196")
    w.run(200)
    w.media.due = lambda now_ms: None  # type: ignore[method-assign]
    w.media.next = lambda: None  # type: ignore[method-assign]
    caller.hang_up(w.now_ms)
    w.run(REPORT_MS_MAX + 50)
    assert w.last("call.ended").data["outcome"] == "served" and not w.switch.room.calls


def test_no_call_lasts_longer_than_its_limit() -> None:
    w = world()
    caller = ring(w, "9196")
    w.run(200)
    w.watched = False
    w.run(limits.call_ms_max)
    assert not caller.up()
    assert w.last("engine.limit").data["name"] == "call_ms_max" and w.last("call.ended").data["by"] == "limit"


def test_a_call_that_nobody_answers_in_three_minutes_is_refused_as_unanswered() -> None:
    w = world()
    ana = agent(w, "201")
    agent(w, "202", answer_ms=-1)
    ring(w, "202", phone=ana)
    w.run(100)
    w.switch.room.deadlines.arm(("ring", next(iter(w.switch.room.attempts))), w.now_ms + 10 * limits.early_ms_max)
    w.run(limits.early_ms_max + 1_000)
    assert told(ana) in ("rejected 480", "rejected 603") or not ana.sessions
    over(w)


def test_a_call_finishes_on_the_version_it_began_with() -> None:
    w = world()
    caller, desk = talk(w)
    fresh = busy_site(
        dialplans__support=BUSY_SUPPORT.replace("hangup: served", "play: thank_you\n    - hangup: served")
    )
    old = w.switch.room.site
    w.load(fresh)
    assert sorted(w.switch.room.sites) == sorted([old, fresh.version])
    desk.hang_up(w.now_ms)
    w.run(500)
    assert not caller.up() and "en/thank_you" not in w.heard(caller)
    w.run(10_000)
    assert list(w.switch.room.sites) == [fresh.version]
    late, desk_again = ring(w, "700", "5550002"), desk
    assert w.run_until(lambda: bool(desk_again.up()), 5_000)
    w.run(100)
    desk_again.hang_up(w.now_ms)
    w.run(200)
    assert w.hears(late) == "en/thank_you"


def test_the_same_version_loaded_twice_changes_nothing() -> None:
    w = world()
    talk(w)
    w.load(busy_site())
    assert len(w.switch.room.sites) == 1 and w.state("201") == "talking"
