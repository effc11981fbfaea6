"""What reports are made of: one row per stay in a queue, agents' time per quarter of an hour, promises (`promised`).

`Figures.feed` takes the kinds in KINDS in order and collects rows for the next batch. A stay's row is written when it
ends or is connected, and again, complete, when the conversation is over (same key). Agents' time is written once a
minute as a difference that the store adds up in the batch's own transaction.
"""

from __future__ import annotations

import msgspec

from engine.records.events import Event
from engine.records.kpi_agents import AgentTimes, Span, split
from engine.records.numbers import caller_token
from engine.records.promised import KINDS as PROMISE_KINDS
from engine.records.promised import Promised

QUARTER_MS = 900_000
WRITE_MS = 60_000
stays_kept_max = 16_384
KINDS = frozenset((
    "agent.state", "queue.joined", "queue.connected", "queue.completed", "queue.abandoned", "queue.left",
    "call.held", "call.transferred", "call.ended", "callback.requested", "queue.renamed",
)) | PROMISE_KINDS  # fmt: skip

Row = tuple[object, ...]


class Stay(msgspec.Struct):
    """A caller in a queue, or talking to the agent it gave him."""

    tenant: str
    who: int
    row: tuple[int, int, str] = (0, 0, "")  # key of the row that tells of his connection
    queue: str = ""
    agent: str = ""
    waited_ms: int = 0
    held_ms: int = 0
    hold_from_ms: int = 0  # monotonic; 0: not on hold
    transfers: int = 0
    kept: bool = False  # a callback's: it outlives the calls of its attempts


class Figures:
    """See the module's docstring. Memory is bounded: one Stay per call in a queue, one span per agent."""

    def __init__(self) -> None:
        self.agents = AgentTimes()
        self.promised = Promised()
        self._stays: dict[str, Stay] = {}
        self._contacts: dict[tuple[int, int, str], Row] = {}
        self._times: dict[tuple[int, str, str, str, str], int] = {}
        self.mark: tuple[str, int, int, int] = ("", 0, 0, 0)  # boot, n, at_ms, now_ms up to which times were taken
        self._last: Event | None = None
        self._written_ms = 0

    def feed(self, event: Event) -> None:
        """One event whose kind is in KINDS."""
        kind = event.kind
        self._last = event
        if kind in PROMISE_KINDS:
            self.promised.feed(event)
        if kind == "agent.state" or kind == "queue.connected" or kind == "call.held":
            self._spend(self.agents.feed(event))
        if kind == "queue.joined":
            if len(self._stays) >= stays_kept_max:
                self._stays.pop(next(iter(self._stays)))
            who = caller_token(event.tenant, str(event.data.get("caller") or ""))
            self._stays[event.call] = Stay(event.tenant, who)
        elif kind == "queue.connected":
            self._connected(event)
        elif kind == "queue.completed":
            self.agents.feed(event)
            self._completed(event)
        elif kind == "queue.abandoned":
            self._ended(event, "abandoned")
        elif kind == "queue.left":
            self._ended(event, str(event.data.get("reason") or "left"))
        elif kind == "queue.renamed":
            self._renamed(str(event.data["was"]), str(event.data["queue"]))
        elif kind == "call.ended":
            self.agents.feed(event)
            stay = self._stays.get(event.call)
            if stay is not None and not (stay.kept and not stay.row[0]):
                del self._stays[event.call]
        elif kind == "callback.requested":
            self._kept(event)
        elif kind not in ("agent.state", "queue.told"):
            self._talking(event)

    def take(self, *, closing: bool = False) -> tuple[list[Row], list[Row]]:
        """(rows of `contacts`, differences of `agent_times`) since the last call."""
        contacts = list(self._contacts.values())
        self._contacts.clear()
        last = self._last
        if last is None or not (closing or last.now_ms - self._written_ms >= WRITE_MS):
            return contacts, []
        self._written_ms = last.now_ms
        self.mark = (last.boot, last.n, last.at_ms, last.now_ms)
        self._spend(self.agents.cut(last.at_ms, last.now_ms))
        times: list[Row] = [(*key, ms) for key, ms in self._times.items()]
        self._times.clear()
        return contacts, times

    def go_on(self, told: list[Event], mark: tuple[str, int, int, int]) -> None:
        """After a crash: `told` brings open calls and agents to where they were at `mark`, whose times were written."""
        for event in told:
            self.feed(event)
        self.mark, self._written_ms = mark, mark[3]
        self.agents.cut(mark[2], mark[3])
        self._times.clear()

    def _spend(self, spans: list[Span]) -> None:
        for span in spans:
            for quarter_ms, part in split(span, QUARTER_MS):
                key = (quarter_ms, span.agent, span.state, span.reason, span.queue)
                self._times[key] = self._times.get(key, 0) + part

    def _kept(self, event: Event) -> None:
        """The stay of the call in which he asked goes on as the callback's: one contact."""
        stay = self._stays.pop(str(event.data.get("origin") or ""), None)
        if stay is None or stay.row[0]:
            stay = Stay(event.tenant, caller_token(event.tenant, str(event.data.get("number") or "")))
        stay.kept = True
        self._stays[event.call] = stay

    def _connected(self, event: Event) -> None:
        stay = self._stays.get(event.call)
        if stay is None:
            stay = self._stays[event.call] = Stay(event.tenant, 0)
        data = event.data
        stay.row = (event.at_ms, event.n, event.boot)
        stay.queue, stay.agent = str(data.get("queue") or ""), str(data.get("agent") or "")
        stay.waited_ms = _number(data.get("waited_ms"))
        stay.held_ms = stay.hold_from_ms = stay.transfers = 0
        self._contacts[stay.row] = _row(stay, "connected", 0)

    def _completed(self, event: Event) -> None:
        """Over: the row of the connection is written again. Without one (we were started meanwhile) there is none."""
        stay = self._stays.pop(event.call, None)
        if stay is None or not stay.row[0]:
            return
        if stay.hold_from_ms:
            stay.held_ms += max(0, event.now_ms - stay.hold_from_ms)
        self._contacts[stay.row] = _row(stay, "connected", _number(event.data.get("talked_ms")))

    def _ended(self, event: Event, result: str) -> None:
        stay = self._stays.pop(event.call, None) or Stay(event.tenant, 0)
        stay.row = (event.at_ms, event.n, event.boot)
        stay.queue, stay.agent = str(event.data.get("queue") or ""), ""
        stay.waited_ms = _number(event.data.get("waited_ms"))
        self._contacts[stay.row] = _row(stay, result, 0)

    def _renamed(self, was: str, queue: str) -> None:
        """Stays and times that are open go on under the new name; what is written already the store renames."""
        for stay in self._stays.values():
            if stay.queue == was:
                stay.queue = queue
        for running in self.agents.open.values():
            if running.queue == was:
                running.queue = queue

    def _talking(self, event: Event) -> None:
        """Hold by the agent, and transfers begun, of the conversation that a queue gave."""
        stay = self._stays.get(event.call)
        if stay is None or not stay.row[0]:
            return
        data = event.data
        if event.kind == "call.transferred":
            stay.transfers += data.get("result") == "started"
        elif str(data.get("by") or "").startswith("agent "):
            if data.get("held"):
                stay.hold_from_ms = stay.hold_from_ms or event.now_ms
            elif stay.hold_from_ms:
                stay.held_ms += max(0, event.now_ms - stay.hold_from_ms)
                stay.hold_from_ms = 0


def _row(stay: Stay, result: str, talked_ms: int) -> Row:
    """Row of `contacts`, in the order of its columns."""
    at_ms, n, boot = stay.row
    return (
        at_ms, n, boot, stay.tenant, stay.queue, stay.agent, result, stay.waited_ms, talked_ms, stay.held_ms,
        stay.transfers, stay.who,
    )  # fmt: skip


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
