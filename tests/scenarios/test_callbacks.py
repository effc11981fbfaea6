"""Callbacks under random faults, in virtual time: busy, no answer, agents who leave, closed queues, reloads, restarts.

After every step the world checks the distributor's invariants (each kept place has a deadline, each hold its caller)
and that everything alive has a deadline; here the rules of virtual hold are judged from outside, by the events alone.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine import limits
from engine.sim.network import Dice
from engine.sim.phone import Habit
from tests.call.backs import back_site, back_world, caller, customer
from tests.call.calls import agent, ring
from tests.scenarios.outage import Lasting

HABITS = (
    Habit(answer_ms=400), Habit(answer_ms=2_000, talk_ms=4_000), Habit(answer_ms=-1), Habit(answer_ms=300, status=486),
    Habit(answer_ms=900, status=603), Habit(answer_ms=500, status=302), Habit(answer_ms=6_000),
)  # fmt: skip
DIALLED = ("700", "700", "701", "701", "703")


class Hour:
    """A seeded stretch of mischief around a queue that calls people back."""

    def __init__(self, seed: int, mode: str, *, law9: bool) -> None:
        self.dice, self.mode = Dice(seed), mode
        self.world = w = back_world(mode, law9=law9, answer_ms=500)
        self.desks = [agent(w, user) for user in ("201", "202")]
        self.callers = [w.phone(f"03000{n:02d}", host=f"192.0.2.{n + 10}", password="") for n in range(6)]
        self.sites = (back_site(mode), back_site(mode, more="    confirm: no\n"), back_site("agent-first"))

    def act(self) -> None:
        acts = (self.call, self.call, self.press, self.press, self.hang_up, self.habit, self.operate, self.confirm,
                self.confirm, self.trouble)  # fmt: skip
        acts[self.dice.below(len(acts))]()
        self.world.run(self.dice.below(6_000))

    def call(self) -> None:
        phone = self.callers[self.dice.below(len(self.callers))]
        if not phone.sessions:
            ring(self.world, DIALLED[self.dice.below(len(DIALLED))], phone=phone)

    def press(self) -> None:
        self.world.press(self.callers[self.dice.below(len(self.callers))], ("1", "11", "15", "1")[self.dice.below(4)])

    def confirm(self) -> None:
        if customer(self.world).up():
            self.world.press(customer(self.world), "1")

    def hang_up(self) -> None:
        everybody = [*self.callers, *self.desks, customer(self.world)]
        everybody[self.dice.below(len(everybody))].hang_up(self.world.now_ms)

    def habit(self) -> None:
        somebody = [*self.desks, customer(self.world), customer(self.world)]
        somebody[self.dice.below(len(somebody))].habit = HABITS[self.dice.below(len(HABITS))]

    def operate(self) -> None:
        w, user = self.world, ("201", "202")[self.dice.below(2)]
        w.operate("queue.open", queue="support")
        verbs = ("agent.login", "agent.login", "agent.ready", "agent.not_ready", "agent.logout", "queue.close")
        chosen = verbs[self.dice.below(len(verbs))]
        w.operate(chosen, **({"queue": "support"} if chosen.startswith("queue") else {"agent": user}))
        backs = list(w.switch.room.callbacks.values())
        if backs and self.dice.below(3) == 0:
            back = backs[self.dice.below(len(backs))]
            w.operate(("callback.now", "callback.cancel")[self.dice.below(2)], callback=back.name)

    def trouble(self) -> None:
        kind = self.dice.below(3)
        if kind == 0:
            self.world.load(self.sites[self.dice.below(len(self.sites))])
        elif kind == 1:
            self.world.darken(customer(self.world))
        else:
            self.world.lighten(customer(self.world))

    def settle(self) -> None:
        w = self.world
        w.lighten(customer(w))
        for phone in (*self.callers, *self.desks, customer(w)):
            phone.hang_up(w.now_ms)
            phone.habit = Habit(answer_ms=300, talk_ms=1_000)
        w.run(limits.call_ms_max // 4 + 31 * 60_000)  # past every age and every conversation of ours


def judge(hour: Hour) -> None:
    """The rules, told by the events."""
    w = hour.world
    opened, running, attempts, at_ms = {}, {}, {}, 0
    for event in w.events:
        if event.at_ms > at_ms:  # within one moment an end may be told after the beginning that it made way for
            assert len(running) <= len(hour.desks), f"more calls than agents: {running}"
        kind, name, at_ms = event.kind, event.call, event.at_ms
        if kind == "callback.requested":
            assert event.data["number"] not in opened.values(), "two open callbacks of one number"
            opened[name] = event.data["number"]
        elif kind in ("callback.served", "callback.expired", "callback.cancelled"):
            assert name in opened, "closed twice"
            del opened[name]
            running.pop(name, None)
        elif kind == "callback.dialled":
            assert name in opened and name not in running, "two calls to one customer"
            running[name] = event.data["agent"]
            attempts[name] = attempts.get(name, 0) + 1
        elif kind == "callback.attempt_failed":
            running.pop(name, None)
    assert not opened, "a callback was forgotten"


@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
@pytest.mark.parametrize("seed", range(6))
def test_mischief_leaves_no_callback_open_and_starts_no_call_too_many(seed: int, mode: str) -> None:
    hour = Hour(seed, mode, law9=seed % 3 == 0)
    for _ in range(70):
        hour.act()
    hour.settle()
    w = hour.world
    assert w.quiet() and not w.switch.room.callbacks
    assert w.all("callback.requested") and w.all("callback.dialled"), "nothing was tried: the seed is worth nothing"
    judge(hour)
    for began, ended in (("call.started", "call.ended"), ("queue.connected", "queue.completed"),
                         ("queue.offered", "queue.offer_ended")):
        assert len(w.all(began)) == len(w.all(ended)), began
    tally = w.switch.room.acd._pool.queues[0].tally
    assert tally.offered == tally.ended()


WINDOWS = ("10:00-10:12", "10:13-10:16", "10:14-10:15", "00:00-24:00", "23:00-10:11")  # the world begins at 10:10


class Windows(Hour):
    """The same mischief, while reloads bring one window after the other."""

    def __init__(self, seed: int, mode: str) -> None:
        super().__init__(seed, mode, law9=seed % 3 == 0)
        self.sites = tuple(back_site(mode, more=f"    window: {window}\n") for window in WINDOWS)
        self.in_force: list[tuple[int, str]] = []  # (from which event on, window)
        self.load(WINDOWS[0])

    def load(self, window: str) -> None:
        self.in_force.append((len(self.world.events), window))
        self.world.load(self.sites[WINDOWS.index(window)])

    def trouble(self) -> None:
        kind = self.dice.below(4)
        if kind < 2:
            self.load(WINDOWS[self.dice.below(len(WINDOWS))])
        elif kind == 2:
            self.world.darken(customer(self.world))
        else:
            self.world.lighten(customer(self.world))

    def outside(self) -> list[str]:
        """The attempts that were started at a time of day outside of the window in force."""
        found = []
        for number, event in enumerate(self.world.events):
            if event.kind == "callback.dialled":
                window = [each for begin, each in self.in_force if begin <= number][-1]
                first, last = window.split("-")
                now = f"{datetime.fromtimestamp(event.at_ms // 1_000, UTC):%H:%M}"
                inside = first <= now < last if first < last else now >= first or now < last
                found += [] if inside else [f"{now} outside of {window}"]
        return found


@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
@pytest.mark.parametrize("seed", (1, 4))
def test_mischief_rings_nobody_outside_of_the_window(seed: int, mode: str) -> None:
    hour = Windows(seed, mode)
    for _ in range(150):
        hour.act()
    hour.settle()
    w = hour.world
    assert w.quiet() and not w.switch.room.callbacks and not hour.outside()
    assert w.all("callback.requested") and w.all("callback.dialled"), "nothing was tried: the seed is worth nothing"
    judge(hour)


@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
def test_an_engine_that_died_in_the_night_rings_in_the_morning_and_not_before(mode: str) -> None:
    w = Lasting(back_site(mode, more="    window: 10:14-20:00\n"), seed=3)
    w.watched = True
    w.phone("carrier", host="192.0.2.1", password="").habit = Habit(answer_ms=-1)
    agent(w, "201", answer_ms=500)
    caller(w, dialled="701")
    w.run(30_000)
    w.outage(20_000)
    assert w.run_until(lambda: bool(w.all("callback.dialled")), 400_000)
    rung = datetime.fromtimestamp(w.last("callback.dialled").at_ms // 1_000, UTC)
    assert f"{rung:%H:%M}" == "10:14" and len(w.all("callback.requested")) == 1


@pytest.mark.parametrize("down_ms", [300, 20_000])
@pytest.mark.parametrize("moment", ["callback.requested", "queue.offered", "callback.dialled", "callback.answered"])
@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
def test_the_engine_dies_at_any_moment_and_the_customer_is_served_all_the_same(
    mode: str, moment: str, down_ms: int
) -> None:
    w = Lasting(back_site(mode), seed=3)
    w.watched = True
    w.phone("carrier", host="192.0.2.1", password="").habit = Habit(answer_ms=2_000)
    agent(w, "201", answer_ms=1_500)
    caller(w, dialled="701")
    if moment != "queue.offered" or mode == "agent-first":
        assert w.run_until(lambda: bool(w.all(moment)), 30_000)
    w.outage(down_ms)
    for _ in range(200):
        w.run(1_000)
        if customer(w).up():
            w.press(customer(w), "1")
        if w.all("callback.served"):
            break
    served = w.last("callback.served")
    assert served.data["kept"] and len(w.all("callback.requested")) == 1
    w.run(3_000)
    customer(w).hang_up(w.now_ms)
    w.run(60_000)
    assert w.quiet() and not w.switch.room.callbacks and w.state("201") in ("ready", "wrap_up")
