"""The engine dies under a call, at any step of it, and comes back: the call goes on, and ends with everybody free."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.call.effects import Operator
from engine.clock import Deadlines
from engine.sim.guards import unguarded
from engine.sim.phone import Habit, Phone
from tests.call.calls import LONGEST_MS, agent, ring, said, told, up
from tests.scenarios.outage import Lasting
from tests.scenarios.sites import busy_site
from tests.scenarios.soak import Mischief

SITE = busy_site()
LONG_MS = 5_000


def lasting(seed: int = 1) -> Lasting:
    made = Lasting(SITE, seed=seed)
    made.watched = True
    return made


# --- a call in each phase ----------------------------------------------------------------------------------
def arriving(w: Lasting) -> Phone:
    agent(w, "201", answer_ms=4_000)
    caller = ring(w, "723")  # dials out before it answers
    w.phone("carrier", host="192.0.2.1", password="").habit = Habit(answer_ms=1_500)
    w.run(200)
    return caller


def menu(w: Lasting) -> Phone:
    caller = ring(w, "100")
    assert w.run_until(lambda: w.hears(caller).startswith("en/welcome"))
    return caller


def gathering(w: Lasting) -> Phone:
    caller = ring(w, "730")
    assert w.run_until(lambda: w.hears(caller).startswith("en/try_again"))
    w.press(caller, "12")
    return caller


def queue(w: Lasting) -> Phone:
    caller = ring(w, "700")
    assert w.run_until(lambda: w.hears(caller).startswith("music"))
    return caller


def ringing(w: Lasting) -> Phone:
    desk = agent(w, "201", answer_ms=6_000)
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(desk.sessions))
    return caller


def talking(w: Lasting) -> Phone:
    desk = agent(w, "201")
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(desk.up()) and "row" in w.hears(caller))
    return caller


def held(w: Lasting) -> Phone:
    caller = talking(w)
    desk = next(phone for phone in w.phones.values() if phone.user == "201")
    w.run(300)
    desk.hold(up(desk), w.now_ms)
    assert w.run_until(lambda: w.hears(caller).startswith("music"))
    return caller


def transfer(w: Lasting) -> Phone:
    caller = talking(w)
    desk = next(phone for phone in w.phones.values() if phone.user == "201")
    other = agent(w, "202", answer_ms=3_000)
    desk.refer(up(desk), "202", w.now_ms)
    assert w.run_until(lambda: bool(other.sessions))
    return caller


def recording(w: Lasting) -> Phone:
    caller = ring(w, "731")
    assert w.run_until(lambda: any(row.tap for row in w.media.rows.values()))
    return caller


def closing(w: Lasting) -> Phone:
    caller = talking(w)
    caller.hang_up(w.now_ms)
    assert w.run_until(lambda: any(call.phase == "closing" for call in w.switch.room.calls.values()))
    return caller


PHASES: dict[str, Callable[[Lasting], Phone]] = {
    each.__name__: each for each in (
        arriving, menu, gathering, queue, ringing, talking, held, transfer, recording, closing,
    )
}


def armed(deadlines: Deadlines) -> dict[object, int]:
    return {key: at for key, (at, _) in deadlines.armed.items()}


def free(w: Lasting) -> None:
    """Nothing is left of anybody, and what began has ended."""
    assert w.quiet() and not w.switch.room.rows.used and not w.switch.room.closing
    assert all(row.state in ("ready", "logged_out", "not_ready") for row in w.switch.room.agents.values())
    for began, ended in (("call.started", "call.ended"), ("queue.connected", "queue.completed"),
                         ("queue.offered", "queue.offer_ended")):
        assert len(w.all(began)) == len(w.all(ended)), began
    numbers = [event.n for event in w.events]
    assert numbers == list(range(1, len(numbers) + 1))  # no fact is lost, none told twice


def place(w: Lasting) -> list[tuple[object, ...]]:
    """What must be as it was: every call's phase, step, place, parties; every agent; who hears whom."""
    room = w.switch.room
    return [
        *((call.name, call.phase, call.running and (call.running.waiting, list(call.running.stack)),
           room.acd.position(call.id), list(call.legs), call.other, call.queue) for call in room.calls.values()),
        *((key, row.state, row.logged_in) for key, row in room.agents.items()),
        *((number, row.generation, row.port, row.far, row.hears.split(" ")[0].split("#")[0])
          for number, row in sorted(w.media.rows.items())),
    ]


@pytest.mark.parametrize("down_ms", [0, 300, LONG_MS])
@pytest.mark.parametrize("later_ms", [0, 37, 911])
@pytest.mark.parametrize("phase", PHASES)
def test_a_call_goes_on_and_ends_with_everybody_free(phase: str, later_ms: int, down_ms: int) -> None:
    w = lasting(later_ms + 1)
    caller = PHASES[phase](w)
    w.run(later_ms)
    alive = [call.name for call in w.switch.room.calls.values() if call.phase != "closing"]
    was = place(w)
    dead = w.outage(down_ms)
    room = w.switch.room
    assert room.acd.next_deadline() == (
        None if dead.room.acd.next_deadline() is None else dead.room.acd.next_deadline() + down_ms  # type: ignore[operator]
    )
    assert [event.call for event in w.all("call.resumed")] == alive
    if phase != "closing":
        assert place(w) == was
    assert not unguarded(w.switch)
    w.run(LONG_MS)
    assert (phase in ("closing", "recording", "menu", "gathering")) or room.calls  # nobody was given up for our absence
    caller.hang_up(w.now_ms)
    w.run(LONGEST_MS)
    free(w)


@pytest.mark.parametrize("down_ms", [1, 700, 12_000])
@pytest.mark.parametrize("phase", [name for name in PHASES if name != "closing"])
def test_every_deadline_waits_exactly_as_much_longer(phase: str, down_ms: int) -> None:
    w = lasting()
    PHASES[phase](w)
    dead = w.outage(down_ms)
    for before, after in ((dead.room.deadlines, w.switch.room.deadlines),
                          (dead.room.endpoint.core.deadlines, w.switch.room.endpoint.core.deadlines)):
        assert {key: at + down_ms for key, at in armed(before).items()} == armed(after)


class Said:
    """Has the caller been sent more than `count` things?"""

    def __init__(self, w: Lasting, caller: Phone, count: int) -> None:
        self.w, self.caller, self.count = w, caller, count

    def __call__(self) -> bool:
        return len(self.w.heard(self.caller)) > self.count


class Talks:
    """Does the caller hear another leg?"""

    def __init__(self, w: Lasting, caller: Phone) -> None:
        self.w, self.caller = w, caller

    def __call__(self) -> bool:
        return self.w.hears(self.caller).startswith("row")


def test_a_menu_times_out_as_late_as_the_outage_was_long() -> None:
    moments = []
    for down_ms in (0, 3_000):
        w = lasting()
        caller = menu(w)
        w.run(2_500)
        began, so_far = w.now_ms, len(w.heard(caller))
        w.outage(down_ms)
        assert w.hears(caller) != "nothing"
        said = Said(w, caller, max(so_far, len(w.heard(caller))))
        assert w.run_until(said, 20_000)
        moments.append(w.now_ms - began - down_ms)
    assert abs(moments[0] - moments[1]) <= 1


def test_places_in_the_queue_stay_and_the_wait_counts_the_outage() -> None:
    w = lasting()
    callers = [ring(w, "700", f"555{number}") for number in range(3)]
    w.run(3_000)
    w.outage(10_000)
    order = [event.data["position"] for event in w.all("queue.joined")]
    assert order == [1, 2, 3]
    desk = agent(w, "201", talk_ms=500)
    for caller in callers:
        assert w.run_until(Talks(w, caller), 30_000)
    waited = [int(str(event.data["waited_ms"])) for event in w.all("queue.connected")]
    assert len(waited) == 3 and min(waited) >= 13_000 and desk.log
    w.run(LONGEST_MS)
    free(w)


def test_who_does_not_answer_is_rung_off_after_his_whole_time() -> None:
    w = lasting()
    desk = agent(w, "201", answer_ms=-1)
    ring(w, "700")
    assert w.run_until(lambda: bool(desk.sessions))
    began = w.now_ms
    w.run(4_000)
    w.outage(3_000)
    assert w.run_until(lambda: bool(w.all("queue.offer_ended")), 20_000)
    assert 12_900 <= w.now_ms - began <= 13_200  # ring: 10s, and the outage
    assert w.last("queue.offer_ended").data["reason"] == "no_answer"


def test_who_hung_up_meanwhile_is_heard_by_his_repetition() -> None:
    w = lasting()
    caller = talking(w)
    w.run(200)
    caller.hang_up(w.now_ms)  # its BYE leaves while nobody listens
    w.outage(3_000)
    assert not w.all("call.ended")
    w.run(6_000)  # RFC 3261 §17.1.2: repeated after 0.5, 1, 2, 4 s
    assert w.last("call.ended").data["by"] == "caller"
    w.run(LONGEST_MS)
    free(w)


@pytest.mark.parametrize("phase", [name for name in PHASES if name != "closing"])
def test_after_too_long_an_absence_everybody_is_told_and_the_record_says_why(phase: str) -> None:
    w = lasting()
    PHASES[phase](w)
    (call,) = [call.name for call in w.switch.room.calls.values()]
    w.outage(7_000, down_ms_max=6_999)
    resumed = w.last("engine.resumed").data
    assert (resumed["ended"], resumed["down_ms"]) == (1, 7_000)
    w.run(3_000)
    ended = w.last("call.ended")
    assert ended.call == call and ended.data["by"] == "system"
    faults = [event for event in w.all("call.fault") if event.call == call]
    assert [event.data["detail"] for event in faults] == ["the engine was away for too long"]
    w.run(LONGEST_MS)
    assert not any(phone.sessions for phone in w.phones.values())  # BYE or CANCEL reached all of them
    free(w)


def test_a_record_whose_last_figures_died_with_the_plane_is_written_at_once() -> None:
    w = lasting()
    closing(w)
    w.outage(300)
    assert w.last("call.ended").data["by"] == "caller"
    w.run(LONGEST_MS)
    free(w)


def test_just_not_too_long_ends_nothing() -> None:
    w = lasting()
    talking(w)
    w.outage(7_000, down_ms_max=7_000)
    w.run(3_000)
    assert w.last("engine.resumed").data["ended"] == 0 and not w.all("call.ended")


@pytest.mark.parametrize("seed", range(6))
def test_mischief_with_outages_in_between_leaves_nothing_behind(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.scenarios.soak.World", Lasting)
    mischief = Mischief(seed, watched=True)
    w = mischief.world
    assert isinstance(w, Lasting)
    for step in range(40):
        mischief.act()
        if step % 7 == seed % 7:
            w.outage((0, 200, 2_500, 40)[mischief.dice.below(4)])
    mischief.settle()
    assert mischief.drained
    free(w)
    assert len(w.all("engine.resumed")) >= 5


def test_operators_and_phones_are_served_as_before() -> None:
    w = lasting()
    caller = talking(w)
    desk = next(phone for phone in w.phones.values() if phone.user == "201")
    w.outage(2_000)
    w.give(Operator(1, "ops", "calls", {}))
    assert w.replies[-1].ok and b"talking" in w.replies[-1].data
    desk.hold(up(desk), w.now_ms)
    assert w.run_until(lambda: w.hears(caller).startswith("music"))
    desk.hang_up(w.now_ms)
    w.run(3_000)
    assert told(caller) and said(caller, "BYE")
    w.run(LONGEST_MS)
    free(w)
