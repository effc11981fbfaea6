"""The pool: everything that the distributor holds, as data (DESIGN §4, law 9).

A pool is the set of queues and agents that can meet. Columns hold agents, entries, offers and memberships; `Queue`
holds what there is one of per queue. Order lists, idle lists, dictionaries and the deadline heap are derived: they
can be rebuilt from the columns at any time (`reindex`), which restoring and healing rely on.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from engine.acd.columns import NEEDS_MAX, AgentColumns, Column, EntryColumns, OfferColumns, TeamColumns
from engine.acd.commands import AcdCommand, Breach
from engine.acd.curves import Curves
from engine.acd.deadlines import AGENT, ENTRY, LOOK, MORE, OFFER, DeadlineHeap
from engine.acd.learning import Learnt
from engine.acd.metrics import Tally
from engine.acd.model import AgentSpec, QueueSpec
from engine.acd.stages import Stage, ring_of
from engine.acd.tables import E_ABSENT, E_CONNECTED, E_ENDED, E_RECALLED, E_WAITING, LOGGED_OUT, SkillArray

OFFER_GRACE_MS = 2_000  # the owner's own ring limit comes first; after this the offer fails by itself
LATE_MS = 32_000  # how long a closed offer is remembered: 64·T1, after that no answer can cross
OFFERS_MAX = 1 << 16
MEMBERSHIPS_MAX = 1 << 20
SKILLS_MAX = 1 << 10

Mask = npt.NDArray[np.bool_]
Place = tuple[int, int, int]  # effective age, sequence of joining, entry row


class Queue(msgspec.Struct):
    """One queue's state. `order` holds everybody who isn't connected yet, `waiting` those for whom nothing rings."""

    row: int
    spec: QueueSpec
    strategy: int  # row of policy.STRATEGIES
    draining: bool = False
    tally: Tally = msgspec.field(default_factory=Tally)
    turns: dict[int, int] = {}  # level -> id of the agent who had the last turn there (round-robin)
    # derived
    order: list[Place] = []
    waiting: list[Place] = []
    absent: list[Place] = []  # whose place is kept while they are away: absent or recalled
    idle: list[int] = []  # membership rows of idle agents, ascending: best level first
    first_row: int = 0
    end_row: int = 0
    on_duty: int = 0  # logged in
    connected: int = 0
    touched: bool = False
    learnt: Learnt = msgspec.field(default_factory=Learnt)
    curves: Curves | None = None  # of `learnt`; derived when somebody asks (waits)
    shared: list[Queue] | None = None  # other queues that some of its agents serve; derived alike
    team: Mask | None = None  # its agents by agent row; derived alike
    barred: bool = False  # during a pick: some of his rows are barred
    policy_failed: bool = False  # told already
    ring_top: int = 0  # the widest ring that anybody of it is in, 0 without rings
    ranked: bool = False  # somebody here is older than his wait: by priority
    followers: list[int] = []  # rows of queues that may ask more agents when more are idle here (`reserve`)
    gives_way_ms: int = 0  # the shortest wait that ends a rest of one of its agents, 0 none


class Writers(NamedTuple):
    """Who writes the columns `turn` and `lot` before a pick: numpy or kernels, to the same values. See `turns`."""

    mark: Callable[[Pool, Queue, list[int], bool], None]
    draw: Callable[[Pool, Queue, bool], None]


Explainer = Callable[["Pool", Queue, int, list[int], int], None]  # queue, entry, membership rows, now_ms


class Pool:
    """Plain state and its bookkeeping; the rules are in agents, offers, entries, decide and reload."""

    def __init__(self, seed: int, entries_max: int, agents_max: int) -> None:
        self.seed = seed  # for the strategies that draw lots
        self.now_ms = 0
        self.sequence = 0  # of joining
        self.draws = 0  # lots drawn so far: with the seed, the state of the random source
        self.fades = 0  # halvings of the loads so far: see `fairness`
        self.hard = False  # a hard call has come: from then on shares are counted
        self.agents = AgentColumns(agents_max)
        self.entries = EntryColumns(entries_max)
        self.offers = OfferColumns(OFFERS_MAX)
        self.team = TeamColumns(MEMBERSHIPS_MAX)
        self.skills: SkillArray = np.zeros((1, 1), dtype=np.int8)  # [agent, skill] -> level
        self.specs: list[AgentSpec | None] = []  # by agent row
        self.memberships: list[tuple[tuple[int, int, int], ...]] = []  # by agent row: (queue row, level, position)
        self.pause_reasons: list[str] = []  # by agent row
        self.queues: list[Queue | None] = []
        self.closed: deque[int] = deque()  # closed offers, oldest first
        self.touched: list[int] = []
        self.plans: dict[int, tuple[Stage, ...]] = {}  # by entry row, of callers whose needs or rings change with time
        self.out: list[AcdCommand] = []
        # derived
        self.calls: dict[int, int] = {}  # call -> entry row
        self.agent_rows: dict[int, int] = {}  # agent id -> row
        self.queue_rows: dict[int, int] = {}  # queue id -> row
        self.seats: list[list[tuple[Queue, int]]] = []  # by agent row: (queue, membership row)
        self.skill_of: list[dict[int, int]] = []
        self.heap = DeadlineHeap()
        self.occupancy = False  # a strategy reads how occupied agents are
        self.policies = False  # a queue has a policy of its own
        self.preferences = False  # perhaps a caller waits for an agent of his choice
        self.stale = False  # somebody has gone, and what is derived still counts him
        self.explain: Explainer | None = None  # told of each decision just before its offers: see `brief`
        self.begun: list[int] = []  # with it: entries that began to wait, or to wait for others, since the last settle
        self.writers: Writers  # set by the distributor: a choice of this process, not state

    # --- small verbs --------------------------------------------------------------------------------
    def touch(self, queue: Queue) -> None:
        """Something changed that may let a caller of this queue be served: look at it in the next settle."""
        if not queue.touched:
            queue.touched = True
            self.touched.append(queue.row)

    def learn(self, queue: Queue, kind: int, ms: int) -> None:
        """A duration that the queue's estimates of wait stand on; `kind` as in `learning`."""
        if queue.learnt.note(kind, ms):
            queue.curves = None

    def breach(self, rule: str, detail: str) -> None:
        self.out.append(Breach(rule, detail))

    def queue_at(self, row: int) -> Queue:
        queue = self.queues[row]
        assert queue is not None  # entries and memberships keep their queue alive
        return queue

    def deadline_columns(self) -> tuple[Column, ...]:
        """By kind: OFFER, ENTRY, AGENT, MORE, LOOK."""
        entries = self.entries
        return self.offers.deadline, entries.deadline, self.agents.deadline, entries.more_at, entries.look_at

    def deadline_rows(self) -> tuple[int, ...]:
        """How many rows of each of them are in use."""
        callers = self.entries.used
        return self.offers.used, callers, self.agents.used, callers, callers

    def arm_agent(self, row: int, at_ms: int) -> None:
        self.agents.deadline[row] = at_ms
        if at_ms:
            self.heap.arm(AGENT, row, at_ms)

    def arm_entry(self, row: int, at_ms: int) -> None:
        self.entries.deadline[row] = at_ms
        if at_ms:
            self.heap.arm(ENTRY, row, at_ms)

    def arm_offer(self, row: int, at_ms: int) -> None:
        self.offers.deadline[row] = at_ms
        if at_ms:
            self.heap.arm(OFFER, row, at_ms)

    def arm_more(self, entry: int, at_ms: int) -> None:
        """One more phone may ring for this caller then."""
        self.entries.more_at[entry] = at_ms
        self.heap.arm(MORE, entry, at_ms)

    def arm_look(self, entry: int, at_ms: int) -> None:
        """Somebody who is barred for this caller may be asked then: his queue gets a look. An earlier look stays."""
        armed = self.entries.look_at[entry]
        if not armed or at_ms < armed:
            self.entries.look_at[entry] = at_ms
            self.heap.arm(LOOK, entry, at_ms)

    def trim_heap(self) -> None:
        """Most deadlines never fire: throw the stale words away when they outnumber the live ones."""
        live_max = 2 * len(self.agents) + 3 * len(self.entries)  # with offers, one more phone and a new look
        if len(self.heap.words) > 256 + 3 * live_max:
            self.rebuild_heap()

    def rebuild_heap(self) -> None:
        self.heap.rebuild(self.deadline_columns(), self.deadline_rows())

    # --- places and idle lists ----------------------------------------------------------------------
    def place(self, entry: int) -> Place:
        entries = self.entries
        return entries.effective[entry], entries.sequence[entry], entry

    def waits_since(self, entry: int) -> int:
        """When his wait began, one that he has brought with him included."""
        return self.entries.joined[entry] - self.entries.credit[entry]

    def queue_up(self, queue: Queue, entry: int) -> None:
        """Into `waiting`, at the place he has always had."""
        insort(queue.waiting, self.place(entry))
        self.touch(queue)
        if self.explain is not None:
            self.begun.append(entry)

    def unqueue(self, places: list[Place], entry: int) -> None:
        place = self.place(entry)
        index = bisect_left(places, place)
        if index < len(places) and places[index] == place:
            del places[index]

    def set_idle(self, agent: int, idle: int) -> None:
        """Into or out of the idle lists of all his queues."""
        if self.agents.idle[agent] == idle:
            return
        self.agents.idle[agent] = idle
        for queue, row in self.seats[agent]:
            if idle:
                insort(queue.idle, row)
                self.touch(queue)
                for follower in queue.followers:
                    self.touch(self.queue_at(follower))
            else:
                del queue.idle[bisect_left(queue.idle, row)]

    def needs_of(self, entry: int) -> tuple[int, ...]:
        """skill << 8 | level, without the empty places."""
        needs = []
        for column in self.entries.needs:
            need = column[entry]
            if not need:
                break
            needs.append(need)
        return tuple(needs)

    def give_skills(self, row: int, skills: tuple[tuple[int, int], ...]) -> None:
        """These are an agent's skills now, in his spec and in what is derived from it."""
        spec = self.specs[row]
        if spec is None:
            return
        self.specs[row] = msgspec.structs.replace(spec, skills=skills)
        self.skill_of[row] = dict(skills)
        top = max((skill for skill, _ in skills), default=0)
        if top >= self.skills.shape[1]:
            wider = np.zeros((self.skills.shape[0], top + 1), dtype=np.int8)
            wider[:, : self.skills.shape[1]] = self.skills
            self.skills = wider
        self.skills[row] = 0
        for skill, level in skills:
            self.skills[row, skill] = level

    # --- derived state ------------------------------------------------------------------------------
    def reindex(self) -> None:
        """Build everything derived from columns, specs and memberships: after configure, restore and healing."""
        agents, self.stale = self.agents, False
        self.agent_rows = {spec.id: row for row, spec in enumerate(self.specs) if spec is not None}
        self.queue_rows = {queue.spec.id: row for row, queue in enumerate(self.queues) if queue is not None}
        skills = [dict(spec.skills) if spec is not None else {} for spec in self.specs]
        self.skill_of = skills
        top = max((skill for held in skills for skill in held), default=0)
        self.skills = np.zeros((max(1, len(skills)), top + 1), dtype=np.int8)
        for row, held in enumerate(skills):
            for skill, level in held.items():
                self.skills[row, skill] = level
        self.policies = any(queue is not None and queue.spec.policy is not None for queue in self.queues)
        self._seat_everybody()
        for row, spec in enumerate(self.specs):
            if spec is None:
                continue
            for home, membership in self.seats[row]:
                if agents.idle[row]:
                    home.idle.append(membership)
                if agents.state[row] != LOGGED_OUT:
                    home.on_duty += 1
        for queue in self.queues:
            if queue is not None:
                queue.idle.sort()
        self.follow()
        self._line_up()
        self.rebuild_heap()

    def _seat_everybody(self) -> None:
        """The membership rows, contiguous by queue."""
        for queue in self.queues:
            if queue is not None:
                queue.idle, queue.on_duty, queue.ring_top, queue.shared, queue.team = [], 0, 0, None, None
        seats = sorted(
            (queue, level, position, agent)
            for agent, memberships in enumerate(self.memberships)
            for queue, level, position in memberships
        )
        self.team = team = TeamColumns(MEMBERSHIPS_MAX, max(64, len(seats)))
        self.seats = [[] for _ in self.specs]
        for queue_row, level, position, agent in seats:
            row = team.take()
            team.queue[row], team.agent[row] = queue_row, agent
            team.level[row], team.position[row] = level, position
            home, spec = self.queue_at(queue_row), self.specs[agent]
            self.seats[agent].append((home, row))
            if home.spec.rings:
                team.ring[row] = ring_of(home.spec.rings, level, spec.team if spec else "", spec.office if spec else 0)
                home.ring_top = max(home.ring_top, team.ring[row])
        starts = np.searchsorted(team.block[TeamColumns.index("queue"), : team.used], np.arange(len(self.queues) + 1))
        for queue in self.queues:
            if queue is not None:
                queue.first_row, queue.end_row = int(starts[queue.row]), int(starts[queue.row + 1])

    def follow(self) -> None:
        """Which queues wait for which others' agents, and whose agents give up a rest for a caller."""
        for queue in self.queues:
            if queue is not None:
                queue.followers, queue.gives_way_ms = [], 0
        for queue in self.queues:
            for number, _, _ in queue.spec.reserve if queue is not None else ():
                row = self.queue_rows.get(number, -1)
                if row >= 0 and queue is not None:
                    self.queue_at(row).followers.append(queue.row)
        for row, spec in enumerate(self.specs):
            if spec is not None and spec.rests is not None and spec.rests.gives_way_ms:
                for home, _ in self.seats[row]:
                    home.gives_way_ms = min(home.gives_way_ms or spec.rests.gives_way_ms, spec.rests.gives_way_ms)

    def _line_up(self) -> None:
        """Callers into the order and waiting lists."""
        entries = self.entries
        self.calls, self.preferences = {}, False
        for queue in self.queues:
            if queue is not None:
                queue.order, queue.waiting, queue.absent, queue.connected = [], [], [], 0
                queue.ranked = False
        for row in range(entries.used):
            state = entries.state[row]
            if state == E_ENDED:
                continue
            self.calls[entries.call[row]] = row
            self.preferences = self.preferences or entries.prefer[row] >= 0
            home = self.queue_at(entries.queue[row])
            if state == E_CONNECTED:
                home.connected += 1
                continue
            home.order.append(self.place(row))
            home.ranked |= entries.effective[row] != self.waits_since(row)
            if state == E_WAITING:
                home.waiting.append(self.place(row))
            elif state in (E_ABSENT, E_RECALLED):
                home.absent.append(self.place(row))
        for queue in self.queues:
            if queue is not None:
                queue.order.sort()
                queue.waiting.sort()
                queue.absent.sort()


_NO_NEEDS = (0,) * NEEDS_MAX


def pack_needs(needs: tuple[tuple[int, int], ...]) -> tuple[int, ...] | None:
    """(skill, level) pairs as words, padded to NEEDS_MAX; None when they can't be held: too many or out of range."""
    if not needs:
        return _NO_NEEDS
    if len(needs) > NEEDS_MAX:
        return None
    words = []
    for skill, level in needs:
        if not (0 <= skill < SKILLS_MAX and 1 <= level <= 16):
            return None
        words.append(skill << 8 | level)
    return (*words, *(0 for _ in range(NEEDS_MAX - len(words))))


def bounded(value: int, limit: int) -> int:
    """A configured maximum: 0 (or nonsense) means the limit's own value."""
    return min(value, limit) if value > 0 else limit
