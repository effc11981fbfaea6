"""The shortest way to hear a finding: the keys that bring a caller to its step, as a command for `ringdown try`.

Keys are separated by spaces, several digits in one go stay together, `_` says nothing until the step asks again or
gives up, `answer` and `bye` are an agent's. What no key decides (a condition, an empty queue) stands behind the command
in words.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping

import msgspec

from engine import marks
from engine.dialplan.drafts import DraftStep
from engine.dialplan.findings import Finding
from engine.dialplan.linker import Unit
from engine.dialplan.ways import Edge, Graph, Node

_ASKING = ("menu", "gather", "pin", "ask", "asked")
OF_CLIPS = ("RD090", "RD091", "RD092")  # findings that name a clip
_NAMED = re.compile(r"'([^']+)'")
_DIGITS = "1234567890"
words_max = 3
depth_max = 40  # subflows inside subflows that are looked through


class Way(msgspec.Struct, frozen=True):
    """How to get somewhere: what must happen by itself (weighs most), the words for `--keys`, how many steps, and the
    queues that must have an agent."""

    conditions: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    steps: int = 0
    queues: tuple[str, ...] = ()

    def cost(self) -> tuple[int, int, int]:
        return len(self.conditions), len(self.keys), self.steps

    def then(self, other: Way) -> Way:
        return Way(
            self.conditions + other.conditions, self.keys + other.keys, self.steps + other.steps,
            self.queues + other.queues,
        )  # fmt: skip


class Plan:
    """One dialplan with the shortest ways to its steps. `entries`: (flow, words of `try` that enter there)."""

    def __init__(self, unit: Unit, entries: list[tuple[str, str]], graph: Graph | None = None) -> None:
        self.unit = unit
        self.graph = graph or Graph(unit)
        self.entries = entries
        self.inner: dict[str, Way | None] = {}
        self.depth = 0
        self.ways: dict[Node, tuple[str, Way]] = {}
        for flow, command in entries:
            for node, way in self.walk(flow):
                if node not in self.ways or way.cost() < self.ways[node][1].cost():
                    self.ways[node] = command, way
        self.clips: dict[str, Node] = {}
        self.places: dict[tuple[str, int], list[tuple[int, Node]]] = {}
        for node in self.graph.edges:
            for scalar in _own_scalars(self.graph.linked(node).draft):
                self.places.setdefault((scalar.file, scalar.line), []).append((scalar.column, node))
        self.waits()
        for held in self.places.values():
            held.sort(key=lambda each: each[0])

    def waits(self) -> None:
        """What stands in a wait list is heard in the nearest queue that plays it."""
        queues: dict[str, Node] = {}
        for node in sorted(self.ways, key=lambda each: self.ways[each][1].cost()):
            wait = self.graph.step(node).data.get("wait")
            if isinstance(wait, str):
                queues.setdefault(wait, node)
        for flow in self.unit.draft.waits.values():
            for step in flow.steps if flow.root in queues else ():
                for scalar in _own_scalars(step):
                    self.places.setdefault((scalar.file, scalar.line), []).append((scalar.column, queues[flow.root]))

    def walk(self, flow: str, *, inside: bool = False) -> Iterator[tuple[Node, Way]]:
        """Every step that can be reached from the beginning of a flow with the shortest way to it, nearest first
        (Dijkstra). `inside`: without leaving the subflow that it is, neither downward nor by a key that is always
        live."""
        if not self.graph.flows.get(flow):
            return
        found: dict[Node, None] = {}
        number = 0
        heap: list[tuple[tuple[int, int, int], int, Node, Way]] = [((0, 0, 0), 0, (flow, 0), Way())]
        while heap:
            _, _, node, way = heapq.heappop(heap)
            if node in found:
                continue
            found[node] = None
            yield node, way
            for edge in self.graph.edges[node]:
                if edge.to is None or edge.to in found or (inside and (edge.always or edge.call)):
                    continue
                part = self.passing(node, edge)
                if part is not None:
                    number += 1
                    longer = way.then(part)
                    heapq.heappush(heap, (longer.cost(), number, edge.to, longer))

    def passing(self, node: Node, edge: Edge) -> Way | None:
        """What it takes to leave `node` by this edge; None when nobody can."""
        step = self.graph.step(node)
        if step.verb == "subflow":
            return Way(steps=1) if edge.call else self.through(step.outs.get("flow", ""))
        if step.verb in _ASKING:
            return Way((), _pressed(step.verb, step.data, edge), 1)
        if step.verb == "queue" and not edge.out:  # an agent answers, and hangs up first
            name = str(step.data.get("name", "")).removeprefix(f"{self.unit.program.name.partition('/')[0]}/")
            return Way((), ("answer", "bye"), 1, (name,))
        words = self.condition(node, edge)
        return Way((words,) if words else (), (), 1)

    def through(self, flow: str) -> Way | None:
        """The shortest way from a subflow's beginning to its return; None when there is none (or none is found in
        reasonable depth)."""
        if flow not in self.inner and self.depth < depth_max:
            self.inner[flow] = None  # a subflow inside itself has no way through
            self.depth += 1
            self.inner[flow] = self.first_return(flow)
            self.depth -= 1
        return self.inner.get(flow)

    def first_return(self, flow: str) -> Way | None:
        if not self.graph.flows.get(flow):
            return Way(steps=1)
        for node, way in self.walk(flow, inside=True):
            if self.graph.step(node).verb == "return":
                return way.then(Way(steps=1))
            for edge in self.graph.edges[node]:
                part = self.passing(node, edge) if edge.to is None else None
                if part is not None:
                    return way.then(part)
        return None

    def condition(self, node: Node, edge: Edge) -> str:
        """What must happen for this edge, in words; "" when it is what happens anyway."""
        step, draft = self.graph.step(node), self.graph.linked(node).draft
        if step.verb == "when":
            number = edge.out.removeprefix("if ")
            if number.isdigit():
                condition = draft.branches[int(number) - 1].condition
                return f"if {condition.text}" if condition is not None else ""
            return f"no condition of line {draft.key.line} holds"
        if step.verb == "switch":
            value = draft.options.get("value")
            text = value.text if isinstance(value, marks.Scalar) else "the value"
            return f"{text} {edge.out}" if edge.out.startswith("=") else f"{text} is something else"
        if step.verb == "queue":
            name = str(step.data.get("name", "")).rpartition("/")[2]
            out = edge.out.removeprefix("!")
            if edge.out and not edge.out.startswith("!") and len(out) > 1:
                return f"queue {name}: {out}"
            return f"leave the queue {name} to {out}"
        if edge.out in draft.verb.outcomes:
            return f"{step.verb}: {edge.out}"
        if not edge.out and step.verb in ("dial", "transfer", "conference"):
            return f"somebody answers {step.verb} and hangs up"
        return ""

    def node_at(self, file: str, line: int, column: int) -> Node | None:
        """The step that was written at this place."""
        held = self.places.get((file, line))
        if not held:
            return None
        before = [node for start, node in held if start <= column]
        return before[-1] if before else held[0][1]

    def playing(self, finding: Finding) -> Node | None:
        """The step at which a clip that the finding names is heard first."""
        words = _NAMED.findall(finding.message) if finding.code in OF_CLIPS else []
        if words and not self.clips:
            for node in self.ways:
                for clip in _texts(self.graph.step(node).data):
                    self.clips.setdefault(clip, node)
        return next((self.clips[word] for word in words if word in self.clips), None)

    def command(self, finding: Finding) -> str:
        """`ringdown try NAME --keys '1 2 _'` for a finding of this plan, "" when no call gets there."""
        node = self.node_at(finding.file, finding.line, finding.column) or self.playing(finding)
        if node is None or node not in self.ways:
            return ""
        command, way = self.ways[node]
        keys = way.keys
        step = self.graph.step(node)
        if finding.code == "RD052" and step.verb in _ASKING:
            keys += ("_",) * int(step.data.get("tries", 1))
        text = f"ringdown try {command}" + (f" --keys '{' '.join(keys)}'" if keys else "")
        if way.queues:
            text += f" --agents '{', '.join(f'{name}: 1' for name in dict.fromkeys(way.queues))}'"
        if not way.conditions:
            return text
        shown = list(dict.fromkeys(way.conditions))
        more = f"; and {len(shown) - words_max} more" if len(shown) > words_max else ""
        return f"{text}   ({'; '.join(shown[:words_max])}{more})"


def _pressed(verb: str, data: Mapping[str, object], edge: Edge) -> tuple[str, ...]:
    """The keys that leave an asking step by this edge."""
    tries = data.get("tries", 1)
    if edge.out == "person":
        return ("0",)
    if edge.out == "failed":
        return ("_",) * (tries if isinstance(tries, int) else 1)
    if edge.out:
        return (edge.out,) if edge.out[0] in "0123456789*#" else ("_",)
    if verb == "menu":
        return ()
    if verb in ("ask", "asked"):
        return ("1",) if verb == "asked" else ("_",) * (tries if isinstance(tries, int) else 1)
    low, high, always = data.get("min", 4), data.get("max", 4), data.get("always", ())
    count = low if isinstance(low, int) else 4
    digits = (_DIGITS * 7)[:count]
    if count == 1 and isinstance(always, list):
        digits = next((each for each in _DIGITS if each not in always), digits)
    return (digits + (str(data.get("terminator", "")) if high != count else ""),)


def _texts(data: object) -> Iterator[str]:
    """Every text inside a step's data, keys left out."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for each in data.values():
            yield from _texts(each)
    elif isinstance(data, list | tuple):
        for each in data:
            yield from _texts(each)


def _own_scalars(step: DraftStep) -> Iterator[marks.Scalar]:
    """The words of a step that don't belong to a list nested in it."""
    nested = [target.node for target in step.outs.values() if target.inline]
    nested += [target.node for _, target in step.choices.values() if target.inline]
    nested += [branch.target.node for branch in step.branches if branch.target.inline]
    inner = dict.fromkeys(id(node) for node in nested)
    todo: list[marks.Node] = [step.key, step.node]
    while todo:
        node = todo.pop()
        if id(node) in inner:
            continue
        if isinstance(node, marks.Scalar):
            yield node
        elif isinstance(node, marks.Sequence):
            todo.extend(node.items)
        else:
            todo.extend([*node.keys.values(), *node.entries.values()])


def attach(findings: list[Finding], plans: list[Plan]) -> list[Finding]:
    """The findings, each with the command that lets one hear it where a call gets there."""
    done = []
    for finding in findings:
        command = next((found for plan in plans if (found := plan.command(finding))), "")
        done.append(msgspec.structs.replace(finding, hear=command) if command else finding)
    return done
