"""The graph of a linked dialplan: which step can follow which, and by what.

Nodes are (flow, index). A hoisted list's end leads behind its branching step; a subflow's end leads behind its
`subflow` step. Edges that need the caller's key, another person or the passing of a long time are `input` edges; a
cycle without one is a loop that nobody can leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from engine import marks
from engine.dialplan.linker import AGAIN, Linked, Unit
from engine.dialplan.program import Step

Node = tuple[str, int]
# outcomes of a queue that come at once, not after a wait
_QUEUE_INSTANT = ("full", "no_agents", "closed", "voicemail", "callback", "elsewhere", "over_budget")
_ENDLESS = ("music", "silence")
# verbs whose unhappy outcomes, too, come only after the caller has had his chance to press a key
_ASKS_ALWAYS = ("callback",)
# verbs whose values are there only behind their good end
_WRITES_WHEN_WELL = ("lookup",)


class Edge(msgspec.Struct, frozen=True, gc=False):  # there are many, and no circle goes through one
    """One way on. `out`: the outcome that takes it, "" for falling through to the next step.

    `to` None: the flow's own end without anything behind it. `knows`: variables set on this way. `after_answer`: the
    call is answered on this way. `always`: by a key that is live everywhere; leaves every running subflow. `failed`:
    nothing that the step writes has been written on this way.
    """

    to: Node | None
    input: bool = False
    call: bool = False
    knows: tuple[str, ...] = ()
    after_answer: bool = False
    always: bool = False
    out: str = ""
    failed: bool = False


class Graph:
    """All edges of a unit's program, and how to walk them."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.flows = unit.program.flows
        self.edges: dict[Node, list[Edge]] = {}
        for flow, steps in self.flows.items():
            for index, step in enumerate(steps):
                self.edges[flow, index] = list(self._leaving((flow, index), step))

    def after(self, node: Node) -> Node | None:
        """Where control goes when the step falls through; None at the end of a named flow."""
        flow, index = node
        while index + 1 >= len(self.flows[flow]):
            if flow not in self.unit.origin:
                return None
            flow, index = self.unit.origin[flow]
        return flow, index + 1

    def first(self, flow: str, branching: Node) -> Node | None:
        """The first node of a flow; an empty list falls through behind the branching step."""
        if self.flows.get(flow):
            return flow, 0
        return self.after(branching) if "#" in flow else None

    def to(self, node: Node, target: str) -> Node | None:
        if not target:
            return self.after(node)
        return node if target == AGAIN else self.first(target, node)

    def _leaving(self, node: Node, step: Step) -> Iterator[Edge]:
        verb, outs, declared = step.verb, step.outs, self.unit.linked[node[0]][node[1]].draft.verb
        if verb == "subflow":
            if "flow" in outs:
                yield Edge(self.to(node, outs["flow"]), call=True, out="flow")
            yield Edge(self.after(node))
        elif verb in ("menu", "gather", "pin"):
            into = verb != "menu"
            for name, target in outs.items():
                waits = name not in ("failed", "unavailable")
                yield Edge(self.to(node, target), input=waits, out=name, failed=into)
            for key in step.data.get("always", ()):
                away = self.first(self.unit.program.always[key], node)
                yield Edge(away, input=True, always=True, out=key, failed=into)
            if step.data.get("person"):
                away = self.first(step.data["person"], node)
                yield Edge(away, input=True, always=True, out="person", failed=into)
            if into:
                yield Edge(self.after(node), input=True)
        elif verb == "queue":
            for name, target in outs.items():
                instant = name in _QUEUE_INSTANT or name.startswith("overflow ")
                yield Edge(self.to(node, target), input=not instant, out=name)
            yield Edge(self.after(node), input=True)
        elif verb == "stream":
            for name, target in outs.items():
                yield Edge(self.to(node, target), input=name != "failed", out=name)
            yield Edge(self.after(node), input="fork" not in step.data)
        elif verb == "park":
            for name, target in outs.items():
                yield Edge(self.to(node, target), input=name != "full", out=name)
            yield Edge(self.after(node), input=True)
        elif verb in ("when", "switch"):
            knows = self.unit.linked[node[0]][node[1]].knows
            for name, target in outs.items():
                yield Edge(self.to(node, target), knows=tuple(knows.get(name, ())), out=name)
            if "else" not in outs and not self._covered(step):
                yield Edge(self.after(node))
        elif verb == "round":
            for name, target in outs.items():
                yield Edge(self.to(node, target), out=name)
            if not self._covered(step):
                yield Edge(self.after(node), knows=tuple(self.unit.linked[node[0]][node[1]].knows.get("until", ())))
        else:
            waits = verb in _ASKS_ALWAYS
            for name, target in outs.items():
                yield Edge(self.to(node, target), input=waits, out=name, failed=verb in _WRITES_WHEN_WELL)
            if not declared.ends and not self._endless(step) and not self._covered(step):
                asks = declared.input or (verb == "record" and "call" not in step.data)
                yield Edge(self.after(node), input=asks, after_answer=verb == "dial")

    def _endless(self, step: Step) -> bool:
        return step.verb in _ENDLESS and "for" not in step.data

    def _covered(self, step: Step) -> bool:
        """Do its outcomes leave nobody to go on behind it? (Shares of 100 % in all, a list to repeat.)"""
        if step.verb == "switch":
            return bool(step.outs) and "else" not in step.outs
        if step.verb == "split":
            return not step.data["rest"] or "else" in step.outs
        if step.verb == "round":  # only its condition could end the rounds before they are exhausted
            return "until" not in step.data and bool(step.outs.get("exhausted"))
        return step.verb == "repeat"

    def reach(self, roots: list[str], *, calls: bool = True, always: bool = True) -> dict[Node, None]:
        """Every node that can be reached from the flows `roots`, also by way of subflows and `always` keys."""
        found: dict[Node, None] = {}
        todo: list[Node] = [(flow, 0) for flow in roots if self.flows.get(flow)]
        while todo:
            node = todo.pop()
            if node in found:
                continue
            found[node] = None
            for edge in self.edges[node]:
                if edge.to is not None and (calls or not edge.call) and (always or not edge.always):
                    todo.append(edge.to)
        return found

    def step(self, node: Node) -> Step:
        return self.flows[node[0]][node[1]]

    def linked(self, node: Node) -> Linked:
        return self.unit.linked[node[0]][node[1]]

    def key(self, node: Node) -> marks.Scalar:
        return self.linked(node).draft.key

    def subflows(self) -> dict[str, None]:
        """Flows that are entered by `subflow`."""
        called: dict[str, None] = {}
        for steps in self.flows.values():
            for step in steps:
                if step.verb == "subflow" and "flow" in step.outs:
                    called[step.outs["flow"]] = None
        return called


def components(nodes: list[Node], following: Callable[[Node], list[Node]]) -> Iterator[list[Node]]:
    """Strongly connected parts of the graph that `following` spans (Tarjan, iterative)."""
    order: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    held: dict[Node, None] = {}
    for root in nodes:
        if root in order:
            continue
        work: list[tuple[Node, Iterator[Node]]] = []
        order[root] = low[root] = len(order)
        stack.append(root)
        held[root] = None
        work.append((root, iter(following(root))))
        while work:
            node, rest = work[-1]
            for each in rest:
                if each not in order:
                    order[each] = low[each] = len(order)
                    stack.append(each)
                    held[each] = None
                    work.append((each, iter(following(each))))
                    break
                if each in held:
                    low[node] = min(low[node], order[each])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    part = []
                    while True:
                        each = stack.pop()
                        del held[each]
                        part.append(each)
                        if each == node:
                            break
                    yield part
