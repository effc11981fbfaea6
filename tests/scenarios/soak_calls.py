"""Long soak of the whole switch: calls by the thousand through SIP, dialplans and the distributor, in virtual time.

`python -m tests.scenarios.soak_calls SEED CALLS` prints one JSON line. Callers arrive by chance, wait, talk, give up or
dial an agent; phones answer, refuse, ring on, answer together in one millisecond (ring-all), answer as the caller hangs
up (CANCEL and 200 cross) or after their offer was withdrawn; BYEs are lost with their phone, phones of agents die and
come back, agents pause and leave, and the site is loaded anew while phones ring. The network's weather is drawn too.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from heapq import heappop, heappush

from engine import limits
from engine.call.effects import Drain
from engine.sim.network import Dice
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from tests.scenarios.soak import VERSIONS, WEATHERS
from tests.scenarios.soak_pool import Unsound

CALLERS = 24
GAP_MS = 4_000  # between two arrivals, on average
NUMBERS = ("700",) * 5 + ("710",) * 3 + ("711", "742", "740", "100", "720", "721", "201")
HABITS = (
    (Habit(answer_ms=300), 30), (Habit(answer_ms=2_000), 30), (Habit(answer_ms=300, talk_ms=20_000), 15),
    (Habit(answer_ms=9_995), 5), (Habit(answer_ms=-1), 5), (Habit(answer_ms=0), 5),
    (Habit(answer_ms=400, status=486), 5), (Habit(answer_ms=900, status=603), 5),
)  # fmt: skip


class CallSoak:
    """A busy site; `run` returns what it counted."""

    def __init__(self, seed: int, calls: int) -> None:
        self.seed, self.calls_max = seed, calls
        self.dice = Dice(seed)
        self.world = world = World(VERSIONS[0], seed=seed, weather=WEATHERS[self.dice.below(len(WEATHERS))])
        world.check_every = 50
        world.keep = False
        self.agents = [world.phone(user) for user in ("201", "202", "203", "205", "201")]
        self.callers = [world.phone(f"555{n:04d}", password="") for n in range(CALLERS)]
        self.diary: list[tuple[int, int, str, int]] = []
        self.number = self.dialled = 0
        for index, phone in enumerate(self.agents):
            phone.register(world.now_ms)
            world.run(300)
            world.operate("agent.login", agent=phone.user)
            self.note(self.dice.below(60_000), "mood", index)
        self.note(0, "arrival")
        self.note(600_000, "reload")

    def note(self, after_ms: int, what: str, who: int = 0) -> None:
        self.number += 1
        heappush(self.diary, (self.world.now_ms + after_ms, self.number, what, who))

    def run(self) -> dict[str, object]:
        world = self.world
        while self.diary:
            at, _, what, who = heappop(self.diary)
            world.run(max(0, at - world.now_ms))
            getattr(self, what)(who)
        return self.come_to_rest()

    # --- callers ----------------------------------------------------------------------------------------------
    def arrival(self, _: int) -> None:
        dice, world = self.dice, self.world
        free = [index for index, phone in enumerate(self.callers) if not phone.sessions and not self.dark(phone)]
        if free:
            index = free[dice.below(len(free))]
            self.dialled += 1
            self.callers[index].call(NUMBERS[dice.below(len(NUMBERS))], world.now_ms)
            patience = (300 + 5 + dice.below(12), 2_000 + dice.below(30), 9_990 + dice.below(40), 8_000, 30_000, 90_000)
            self.note(patience[dice.below(len(patience))], "leave", index)
            if dice.below(8) == 0:
                self.note(1_000 + dice.below(5_000), "key", index)
        if self.dialled < self.calls_max:
            self.note(dice.below(2 * GAP_MS), "arrival")

    def dark(self, phone: Phone) -> bool:
        return bool(self.world.network.dark.get(phone.host))

    def leave(self, index: int) -> None:
        """He hangs up; one in fifty loses his line in the same moment, so that his BYE or CANCEL never arrives."""
        phone = self.callers[index]
        lost = self.dice.below(50) == 0 and bool(phone.sessions)
        if lost:
            self.world.darken(phone)
        phone.hang_up(self.world.now_ms)
        if lost:
            self.note(180_000, "lighten", index)

    def lighten(self, index: int) -> None:
        self.world.lighten(self.callers[index])

    def key(self, index: int) -> None:
        self.world.press(self.callers[index], "12*"[self.dice.below(3)], gap_ms=10)

    # --- agents -----------------------------------------------------------------------------------------------
    def mood(self, index: int) -> None:
        """Another habit; sometimes his phone dies for a while, or he leaves and comes back."""
        dice, world = self.dice, self.world
        phone = self.agents[index]
        draw = dice.below(sum(weight for _, weight in HABITS))
        for habit, weight in HABITS:
            if draw < weight:
                phone.habit = habit
                break
            draw -= weight
        act = dice.below(12)
        if act == 0:
            world.darken(phone)
            self.note(20_000 + dice.below(100_000), "phone_back", index)
        elif act == 1:
            world.operate(("agent.logout", "agent.not_ready")[dice.below(2)], agent=phone.user)
            self.note(dice.below(60_000), "comes_back", index)
        elif act == 2:
            for session in phone.up():
                phone.hold(session, world.now_ms, direction=("sendonly", "sendrecv")[dice.below(2)])
        if self.dialled < self.calls_max:
            self.note(10_000 + dice.below(60_000), "mood", index)

    def phone_back(self, index: int) -> None:
        phone = self.agents[index]
        self.world.lighten(phone)
        phone.hang_up(self.world.now_ms)
        phone.register(self.world.now_ms)
        self.note(1_000, "comes_back", index)

    def comes_back(self, index: int) -> None:
        user = self.agents[index].user
        self.world.operate("agent.login", agent=user)
        self.world.operate("agent.ready", agent=user)

    def reload(self, _: int) -> None:
        """Another version of the site as soon as a phone rings for a caller, or at once when none does."""
        world = self.world
        world.run_until(lambda: bool(world.switch.room.offers), 10_000)
        world.load(VERSIONS[self.dice.below(len(VERSIONS))])
        for index in range(len(self.agents)):
            self.note(2_000, "comes_back", index)
        if self.dialled < self.calls_max:
            self.note(300_000 + self.dice.below(600_000), "reload")

    # --- the end ----------------------------------------------------------------------------------------------
    def come_to_rest(self) -> dict[str, object]:
        """Everybody hangs up; after the longest deadline nothing is left of any call, and every sum is even."""
        world = self.world
        for phone in [*self.callers, *self.agents]:
            world.lighten(phone)
            phone.hang_up(world.now_ms)
        world.run(300_000)
        world.give(Drain())
        world.run(limits.drain_farewell_ms_max + 100)
        room = world.switch.room
        states = {row.key: row.state for row in room.agents.values()}
        count = Counter(event.kind for event in world.events)
        let_in = [event for event in world.all("queue.left") if event.data["position"]]
        faults = {
            "not quiet": not world.quiet(), "not drained": not count["engine.stopped"],
            "agents": [key for key, state in states.items() if state not in ("ready", "not_ready", "logged_out")],
            "calls": count["call.started"] - count["call.ended"],
            "talks": count["queue.connected"] - count["queue.completed"],
            "offers": count["queue.offered"] - count["queue.offer_ended"],
            "queued": count["queue.joined"] - count["queue.connected"] - count["queue.abandoned"] - len(let_in),
            "breaches": count["engine.breach"], "errors": [log.text for log in world.logs if log.level == "error"],
        }  # fmt: skip
        if any(faults.values()):
            raise Unsound(f"seed {self.seed}: { {name: what for name, what in faults.items() if what} }, {states}")
        return {"seed": self.seed, "calls": self.dialled, "virtual_s": world.now_ms // 1_000, "events": count}


def main() -> None:
    print(json.dumps(CallSoak(int(sys.argv[1]), int(sys.argv[2])).run()))


if __name__ == "__main__":
    main()
