"""Callers without number through one dialplan, each with dice of his own, counted at every step and way out.

What a caller does at a step is given as chances; `chain` computes from the same chances what must come of it, and
`judge` holds the two against each other.
"""

from __future__ import annotations

from math import sqrt

import msgspec

from engine.dialplan import actions
from engine.dialplan.model import Site
from engine.dialplan.program import Program, Step
from engine.sim.chain import OK, Chances, Expected, menu_chances
from engine.sim.network import Dice
from engine.sim.walker import Walker

Z_999 = 3.2905  # two-sided 99.9 %
ONE = 1_000_000
EVENTS_MAX = 100_000
WRONG_SHARE = 0.5  # of the tries that fail: a wrong key, else none


Mine = dict[tuple[str, str], int]  # what one call did


class Habits(msgspec.Struct, frozen=True):
    """`keys`: place of a menu -> key ("always 0" for one that is live everywhere) -> chance in one try; `ends`: place
    of a gather, queue or dial -> way -> chance ('' success)."""

    keys: dict[str, dict[str, float]]
    ends: dict[str, dict[str, float]]


class Counts(msgspec.Struct):
    """Of a crowd: calls, steps, events told; by (place, way) the sum of what each call did, and of its squares."""

    calls: int = 0
    steps: int = 0
    events: int = 0
    ways: dict[tuple[str, str], int] = {}
    squares: dict[tuple[str, str], int] = {}


class Share(msgspec.Struct, frozen=True):
    """One way out of a step: how many leave so in the mean of a call, counted and computed; `low` and `high` bound what
    is computed with 99.9 %."""

    place: str
    way: str
    counted: float
    computed: float
    low: float
    high: float

    def fits(self) -> bool:
        return self.low <= self.computed <= self.high


def usual(program: Program, *, wrong: float = 0.1, always: float = 0.02) -> Habits:
    """Habits for a program: every key of a menu is as likely, gathers, queues and dials end in all their ways."""
    keys: dict[str, dict[str, float]] = {}
    ends: dict[str, dict[str, float]] = {}
    for steps in program.flows.values():
        for step in steps:
            if step.verb == "menu":
                chosen = [out for out in step.outs if out != "failed"]
                live = [key for key in step.data["always"] if key not in step.outs]
                left = 1.0 - wrong - always * len(live)
                keys[step.place] = dict.fromkeys(chosen, left / len(chosen))
                keys[step.place].update({f"always {key}": always for key in live})
            elif step.verb == "gather":
                ends[step.place] = menu_chances({OK: 1.0 - wrong}, step.data["tries"])
            elif step.verb in ("queue", "dial"):
                outs = [out for out in step.outs if out[0] != "!"]
                ends[step.place] = {OK: 0.6, **dict.fromkeys(outs, 0.4 / len(outs))}
    return Habits(keys, ends)


def chances_of(program: Program, habits: Habits, more: Chances) -> Chances:
    """What the chain needs: ways of every step that has several. `more`: of steps that decide by values."""
    found: dict[str, dict[str, float]] = {**habits.ends, **{place: dict(each) for place, each in more.items()}}
    for steps in program.flows.values():
        for step in steps:
            if step.verb == "menu":
                found[step.place] = menu_chances(habits.keys[step.place], step.data["tries"])
    return found


class Crowd:
    """Callers of one dialplan of a traced site (`Site.traced`)."""

    def __init__(self, site: Site, name: str, habits: Habits, seed: int) -> None:
        self.site, self.name, self.habits = site, name, habits
        self.program = site.programs[name]
        self.dice = Dice(seed)
        self.counts = Counts()

    def send(self, calls: int) -> Counts:
        for _ in range(calls):
            self.one()
        return self.counts

    def one(self) -> None:
        """One caller, from his arrival to the end of his call."""
        self.walk(Walker(self.site, self.name))

    def walk(self, walker: Walker) -> None:
        """One caller whose call has just begun."""
        counts = self.counts
        mine: Mine = {}
        self._count(walker, mine)
        for _ in range(EVENTS_MAX):
            if walker.over():
                break
            counts.events += 1
            self._react(walker, mine)
        else:
            raise AssertionError(f"a call of {self.name} doesn't end: {walker.run.stack}")
        counts.calls += 1
        ways, squares = counts.ways, counts.squares
        for key, times in mine.items():
            ways[key] = ways.get(key, 0) + times
            squares[key] = squares.get(key, 0) + times * times

    def _count(self, walker: Walker, mine: Mine) -> None:
        """A step that is begun leaves by success, until a note says by what else."""
        for action in walker.last:
            if type(action) is not actions.Note:
                continue
            if action.kind == "step":
                self.counts.steps += 1
                mine[action.text, OK] = mine.get((action.text, OK), 0) + 1
            elif action.kind == "way" and action.way != "flow":
                mine[action.text, action.way] = mine.get((action.text, action.way), 0) + 1
                mine[action.text, OK] -= 1

    def _tell(self, walker: Walker, happening: actions.Happening, mine: Mine) -> None:
        walker.tell(happening)
        self._count(walker, mine)

    def _react(self, walker: Walker, mine: Mine) -> None:
        run = walker.run
        step = _waits_at(walker)
        if run.waiting in ("play", "digits") and step.verb == "menu":
            keys = self._menu_keys(step)
            for key in keys:
                self._tell(walker, actions.Digit(key), mine)
            if not keys:
                self._be_silent(walker, mine)
        elif run.waiting in ("play", "digits") and step.verb == "gather":
            self._gather(walker, step, mine)
        elif run.waiting == "queue":
            way = self._pick(self.habits.ends[step.place])
            result = actions.QueueEnded(run.ticket, way or "served")
            if way and way not in ("full", "no_agents", "timeout"):
                result = actions.QueueEnded(run.ticket, "exit", way)
            self._tell(walker, result, mine)
        elif run.waiting == "dial":
            way = self._pick(self.habits.ends[step.place])
            self._tell(walker, actions.DialEnded(run.ticket, way or "served"), mine)
        else:
            walker.patience()
            self._count(walker, mine)

    def _menu_keys(self, step: Step) -> str:
        """One try: the digits of a key, a wrong one, or nothing."""
        way = self._pick(self.habits.keys[step.place])
        if way:
            return way.removeprefix("always ")
        if self.dice.below(ONE) < WRONG_SHARE * ONE:
            return next(key for key in "9876543210#*" if not _live(step, key))
        return ""

    def _gather(self, walker: Walker, step: Step, mine: Mine) -> None:
        """One try: digits enough, or none in time."""
        failed = self.habits.ends[step.place]["failed"]
        if self.dice.below(ONE) < failed ** (1.0 / step.data["tries"]) * ONE:
            self._be_silent(walker, mine)
            return
        for _ in range(step.data["max"]):
            self._tell(walker, actions.Digit("0123456789"[self.dice.below(10)]), mine)

    def _be_silent(self, walker: Walker, mine: Mine) -> None:
        """Hear the prompt out, and the time after it."""
        ticket = walker.run.ticket
        if walker.run.waiting == "play":
            self._tell(walker, actions.PlayDone(ticket), mine)
        self._tell(walker, actions.TimerFired(ticket), mine)

    def _pick(self, chances: dict[str, float]) -> str:
        """A way by its chance; '' for what the chances leave (which is success where they name it so)."""
        drawn = self.dice.below(ONE) / ONE
        for way, chance in chances.items():
            drawn -= chance
            if drawn < 0:
                return way
        return ""


def _waits_at(walker: Walker) -> Step:
    flow, index = walker.run.stack[-1]
    return walker.program.flows[flow][index - 1]


def _live(step: Step, key: str) -> bool:
    return key in step.outs or key in step.data["always"] or key in step.data["prefixes"]


def judge(counts: Counts, computed: Expected) -> list[Share]:
    """Every way out of every step, with the interval of 99.9 % around what was counted."""
    found = []
    calls = counts.calls
    for (place, way), mean in computed.ways.items():
        times = counts.ways.get((place, way), 0)
        share = times / calls
        spread = sqrt(max(counts.squares.get((place, way), 0) / calls - share * share, 1.0 / calls) / calls)
        found.append(Share(place, way, share, mean, share - Z_999 * spread, share + Z_999 * spread))
    return found
