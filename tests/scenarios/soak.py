"""A seeded hour of mischief for the whole switch: callers, agents, faults and operators in random order.

`python -m tests.scenarios.soak SEED STEPS` prints the digest of every output, for comparison between hash seeds.
"""

from __future__ import annotations

import sys

from engine import limits
from engine.call.effects import Drain
from engine.dialplan.model import Site
from engine.sim.network import Dice, Weather
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES, busy_site

WEATHERS = (
    Weather(), Weather(latency_ms=20, jitter_ms=30, loss=50, duplicate=30, reorder=30),
    Weather(latency_ms=40, jitter_ms=80, loss=150, duplicate=100, reorder=100),
)  # fmt: skip
NUMBERS = (
    "100", "700", "700", "710", "711", "720", "721", "722", "723", "730", "731", "732", "740", "741", "742", "9196",
    "31337", "201", "204", "600", "*50", "*52", "*53", "*51", "9555", "0049555",
)  # fmt: skip
KEYS = (*"0123456789*#", "*1202#", "*1700#", "*1999#", "*2", "*3", "*1", "**1", "1234", "5678")
TARGETS = ("202", "203", "100", "700", "31337", "9555")
HABITS = (
    Habit(answer_ms=300), Habit(answer_ms=2_000, talk_ms=3_000), Habit(answer_ms=-1), Habit(answer_ms=100, status=486),
    Habit(answer_ms=700, status=603), Habit(answer_ms=500, status=302), Habit(answer_ms=0),
    Habit(answer_ms=900, early=True), Habit(answer_ms=10_000), Habit(answer_ms=400, ring=False),
    Habit(answer_ms=300, refer_bye=True),
)  # fmt: skip


def versions() -> tuple[Site, Site, Site]:
    """The site, one with an agent less and another wrap-up, one without a queue that calls may wait in."""
    fewer = "".join(line + "\n" for line in BUSY_AGENTS.splitlines() if not line.startswith("203"))
    alone = BUSY_AGENTS.replace(", wide: 2", "").replace(", wide", "")
    narrow = "".join(line + "\n" for line in BUSY_QUEUES.splitlines() if not line.startswith("wide"))
    wide = "ringdown: 1\nflows:\n  main:\n    - answer\n    - echo\n  whispered:\n    - answer\n    - echo\n"
    return (
        busy_site(),
        busy_site(agents=fewer, queues=BUSY_QUEUES.replace("wrap_up: 5s", "wrap_up: 1s")),
        busy_site(queues=narrow, agents=alone, dialplans__wide=wide),
    )


VERSIONS = versions()


class Mischief:
    """Random acts on a world; every act is drawn from the seed."""

    def __init__(self, seed: int, *, law9: bool = False, watched: bool = False) -> None:
        self.dice = Dice(seed)
        self.world = world = World(VERSIONS[0], seed=seed, weather=WEATHERS[seed % len(WEATHERS)], law9=law9)
        world.watched = watched
        self.agents = [world.phone(user) for user in ("201", "202", "203", "205")]
        self.agents.append(world.phone("201"))  # a second phone of the same agent
        self.static = world.phone("204", host="10.0.9.4")
        self.carriers = [world.phone("carrier", host=host, password="") for host in ("192.0.2.1", "198.51.100.7")]
        self.callers = [world.phone(f"555{n:04d}", password="") for n in range(4)]
        self.callers[3].events_payload = False
        for phone in self.agents:
            phone.register(world.now_ms)
            world.run(300)
            world.operate("agent.login", agent=phone.user)

    def act(self) -> None:
        """One act, then up to three seconds of its consequences."""
        dice, world = self.dice, self.world
        acts = (
            self.call, self.call, self.call, self.hang_up, self.press, self.press, self.habit, self.hold, self.refer,
            self.operate, self.wait, self.info, self.trouble,
        )  # fmt: skip
        acts[dice.below(len(acts))]()
        world.run(dice.below(3_000))

    def _one(self, phones: list[Phone]) -> Phone:
        return phones[self.dice.below(len(phones))]

    def _all(self) -> list[Phone]:
        return [*self.callers, *self.agents, self.static, *self.carriers]

    def call(self) -> None:
        caller = self._one([*self.callers, *self.callers, *self.agents, *self.carriers])
        if len(caller.sessions) < 2:
            number = NUMBERS[self.dice.below(len(NUMBERS))]
            caller.call(number, self.world.now_ms, secret=bool(caller.password), offer=self.dice.below(8) > 0)

    def hang_up(self) -> None:
        self._one(self._all()).hang_up(self.world.now_ms)

    def press(self) -> None:
        self.world.press(self._one(self._all()), KEYS[self.dice.below(len(KEYS))], gap_ms=50)

    def info(self) -> None:
        phone = self._one(self._all())
        for session in phone.up():
            phone.digit(session, "0123456789*#"[self.dice.below(12)], self.world.now_ms)

    def habit(self) -> None:
        self._one([*self.agents, self.static, *self.carriers]).habit = HABITS[self.dice.below(len(HABITS))]

    def hold(self) -> None:
        phone = self._one(self._all())
        for session in phone.up():
            direction = ("sendonly", "sendrecv", "inactive")[self.dice.below(3)]
            phone.hold(session, self.world.now_ms, direction=direction)

    def refer(self) -> None:
        phone = self._one([*self.agents, *self.agents, *self._all()])
        for session in phone.up():
            phone.refer(session, TARGETS[self.dice.below(len(TARGETS))], self.world.now_ms)

    def operate(self) -> None:
        verb = ("agent.login", "agent.login", "agent.logout", "agent.ready", "agent.not_ready")[self.dice.below(5)]
        self.world.operate(verb, agent=("201", "202", "203", "205")[self.dice.below(4)])
        live = list(self.world.switch.room.calls.values())
        if live and self.dice.below(4) == 0:
            self.world.operate("call.hangup", call=live[self.dice.below(len(live))].name)

    def wait(self) -> None:
        self.world.run(self.dice.below(15_000))

    def trouble(self) -> None:
        """A reload, a phone that goes dark or comes back, a port that can't be bound, a registration more."""
        world, kind = self.world, self.dice.below(5)
        if kind == 0:
            world.load(VERSIONS[self.dice.below(len(VERSIONS))])
        elif kind == 1:
            world.darken(self._one(self._all()))
        elif kind == 2:
            for phone in self._all():
                world.lighten(phone)
        elif kind == 3:
            some = range(limits.rtp_port_first, limits.rtp_port_last, 14)
            world.media.taken = {} if world.media.taken else dict.fromkeys(some, True)
        else:
            self._one(self.agents).register(world.now_ms)

    def settle(self) -> None:
        """Everybody hangs up, and no new call is taken; after the longest deadline nothing may be left."""
        for phone in self._all():
            phone.hang_up(self.world.now_ms)
        self.world.run(300_000)
        self.world.give(Drain())
        self.world.run(limits.drain_farewell_ms_max + 100)
        self.drained = "engine.stopped" in self.world.kinds()


def main() -> None:
    seed, steps = int(sys.argv[1]), int(sys.argv[2])
    mischief = Mischief(seed)
    for _ in range(steps):
        mischief.act()
    mischief.settle()
    print(mischief.world.digest.hexdigest(), mischief.world.quiet())


if __name__ == "__main__":
    main()
