"""The wall clock is set by an hour, forwards and backwards, again and again: nothing but the written times may notice.

The same story runs twice, once with a clock that jumps. What is sent, what the media plane is told and what is recorded
must agree to the byte and to the engine's millisecond; so no timer has fired early or late, no nonce has died, nobody's
registration, offer, wrap-up or wait has moved.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.call.effects import Emit, LogLine, Media, WallClock
from engine.records.call_detail import fold
from engine.sim.world import START_MS, WALL_MS, World
from engine.sip.events import Send
from tests.call.calls import SITE, ring
from tests.scenarios.sites import BUSY_SITE, busy_site

HOUR_MS = 3_600_000
OFFSET_MS = WALL_MS - START_MS


class Story(World):
    """A world that writes down everything an engine says, and whose wall clock may be set at any moment."""

    def __init__(self, jumps_ms: tuple[int, ...], site: Any = SITE) -> None:
        self.said: list[tuple[Any, ...]] = []
        self.jumps_ms, self.jumped = jumps_ms, 0
        super().__init__(site)

    def give(self, event: Any) -> list[Any]:
        outputs = super().give(event)
        for output in outputs:
            if isinstance(output, Send):
                self.said.append((self.now_ms, "send", output.path, output.data))
            elif isinstance(output, Media):
                self.said.append((self.now_ms, "media", msgspec.msgpack.encode(output.command)))
            elif isinstance(output, Emit) and output.event.kind != "engine.clock":
                fact = output.event
                self.said.append((self.now_ms, fact.kind, fact.now_ms, fact.call, tuple(fact.data.items())))
            elif isinstance(output, LogLine):
                self.said.append((self.now_ms, "log", output.text))
        return outputs

    def jump(self) -> None:
        """The clock is set, or, in the story to compare with, is not."""
        if self.jumps_ms:
            self.give(WallClock(OFFSET_MS + self.jumps_ms[self.jumped % len(self.jumps_ms)]))
            self.jumped += 1

    def pass_ms(self, ms: int, *, every_ms: int = 370) -> None:
        """Time passes, and the clock is set every now and then."""
        while ms > 0:
            step = min(every_ms, ms)
            self.run(step)
            self.jump()
            ms -= step


def story(*jumps_ms: int, drain: bool = False) -> Story:
    """Registrations in mid-challenge, a queue with rings that time out, talk, hold, wrap-up, a wait that ends."""
    w = Story(jumps_ms, busy_site(site=BUSY_SITE + "limits: {drain: 40s}\n") if drain else SITE)
    desks = [w.phone(number) for number in ("201", "202")]
    for desk, answers in zip(desks, (-1, 2_500), strict=True):
        desk.habit = type(desk.habit)(answer_ms=answers)
        desk.register(w.now_ms, expires_s=60)
        w.run(15)  # challenged, perhaps; not registered yet
        w.jump()
        w.pass_ms(500)
        assert desk.registered_ms >= 0
        w.operate("agent.login", agent=desk.user)
    callers = [ring(w, "700", f"555000{number}") for number in range(3)]
    w.pass_ms(45_000)  # 201 never answers: RONA; 202 answers after 2.5 s
    if drain:
        w.operate("engine.drain")
    for caller in callers:
        for session in caller.up():
            caller.hold(session, w.now_ms)
    w.pass_ms(20_000)
    for caller in callers[:2]:
        if caller.up():
            caller.hang_up(w.now_ms)
    w.pass_ms(90_000)  # wrap-up, the next offer, a registration that expires
    return w


@pytest.mark.parametrize("jumps", [(HOUR_MS, 0), (-HOUR_MS, 0), (HOUR_MS, -HOUR_MS), (-5_000, 86_400_000)])
@pytest.mark.parametrize("drain", [False, True])
def test_what_is_done_does_not_depend_on_the_wall_clock(jumps: tuple[int, ...], drain: bool) -> None:
    still, jumping = story(drain=drain), story(*jumps, drain=drain)
    assert jumping.jumped > 300 and len(still.said) > 120
    for calm, moved in zip(still.said, jumping.said, strict=True):
        assert calm == moved
    kinds = set(still.kinds())
    assert {"queue.offer_ended", "queue.connected", "call.held", "call.ended"} <= kinds
    assert ("engine.stopped" in kinds) is drain
    assert sorted(still.switch.room.deadlines.armed.items()) == sorted(jumping.switch.room.deadlines.armed.items())


def test_records_say_both_times_and_the_jump_names_old_and_new() -> None:
    w = Story((HOUR_MS,))
    caller = ring(w, "9196")
    w.run(2_000)
    before = w.now_ms
    w.jump()
    w.jumps_ms = (0,)
    w.run(3_000)
    caller.hang_up(w.now_ms)
    w.run(2_000)
    (jump,) = w.all("engine.clock")
    assert jump.data == {"old_ms": before + OFFSET_MS, "new_ms": before + OFFSET_MS + HOUR_MS, "jump_ms": HOUR_MS}
    assert (jump.now_ms, jump.at_ms) == (before, before + OFFSET_MS + HOUR_MS)
    started, ended = w.last("call.started"), w.last("call.ended")
    assert ended.at_ms - started.at_ms == ended.now_ms - started.now_ms + HOUR_MS
    (detail,) = fold(w.events)
    assert 4_900 < detail.duration_ms < 5_200, "how long it lasted is measured by the engine's own clock"
    assert detail.ended_ms - detail.started_ms > HOUR_MS, "when it began and ended is what the wall said"


def test_back_by_an_hour_in_mid_call() -> None:
    w = Story((-HOUR_MS,))
    caller = ring(w, "9196")
    w.run(2_000)
    w.jump()
    w.run(3_000)
    caller.hang_up(w.now_ms)
    w.run(2_000)
    assert w.last("engine.clock").data["jump_ms"] == -HOUR_MS
    (detail,) = fold(w.events)
    assert 4_900 < detail.duration_ms < 5_200 and detail.ended_ms < detail.started_ms
    assert [event.n for event in w.events] == sorted(event.n for event in w.events), "order is by n, not by the wall"


def test_a_clock_that_is_disciplined_is_no_event() -> None:
    w = Story((40, 300, -900))
    for _ in range(3):
        w.run(1_000)
        w.give(WallClock(w.switch.room.wall_offset_ms + 400))
    assert not w.all("engine.clock")


def test_a_new_call_reads_the_new_time() -> None:
    """Hours of the day go by the wall as it is now."""
    from engine.call import script

    w = Story((HOUR_MS,))
    ring(w, "100")
    w.run(1_000)
    room = w.switch.room
    call = next(iter(room.calls.values()))
    assert int(script.facts(room, call)["system.now"]) == room.now_ms + OFFSET_MS
    w.jump()
    assert int(script.facts(room, call)["system.now"]) == w.now_ms + OFFSET_MS + HOUR_MS
