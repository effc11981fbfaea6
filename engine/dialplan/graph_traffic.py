"""What callers did on a drawing: how many came to a step, which way they left it, where they hung up, what they had
to be asked again. Fed with the records' events, in order; pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from engine.dialplan.graph import Graph

EVENTS = ("call.step", "call.prompt", "call.digit", "call.ended")
Key = TypeVar("Key", int, str)
Told = tuple[str, str, str]  # call, kind of event, its data as JSON text


class Traffic(msgspec.Struct):
    """Counts by node id and by place of the edge in `Graph.edges`. `calls`: how many calls came by here at all."""

    calls: int = 0
    steps: dict[str, int] = {}
    left: dict[str, int] = {}
    again: dict[str, int] = {}
    edges: dict[int, int] = {}

    def share(self, count: int) -> float:
        """A count in proportion to the busiest step, 0 to 1."""
        most = max(self.steps.values(), default=0)
        return min(1.0, count / most) if most else 0.0


class _Walk(msgspec.Struct):
    """One call on its way: the node in its flows, and the one in its wait list."""

    at: str = ""
    waits_at: str = ""
    keys: str = ""
    asked: int = 0


def traffic(graph: Graph, told: Iterable[Told]) -> Traffic:
    """Fold the events of calls into counts. Steps of other dialplans (by id and file) are passed over; a flow that
    several dialplans share counts the callers of all of them."""
    return _Fold(graph).run(told)


class _Fold:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.found = Traffic()
        self.nodes = {(node.step, node.file): node.id for node in graph.nodes() if node.step}
        self.asks = {
            node.id: frozenset(graph.asks[node.step]) for node in graph.nodes() if graph.asks.get(node.step)
        }
        self.waiting = {node.id: True for box in graph.boxes if box.waiting for node in box.nodes}
        self.ways: dict[tuple[str, str], list[int]] = {}
        for place, edge in enumerate(graph.edges):
            self.ways.setdefault((edge.source, edge.target), []).append(place)
        self.sources = [node.id for node in graph.sources]
        self.walks: dict[str, _Walk] = {}

    def run(self, told: Iterable[Told]) -> Traffic:
        for call, kind, text in told:
            if kind == "call.ended":
                self.end(call, json.loads(text))
            elif kind == "call.step":
                self.step(call, json.loads(text))
            elif call in self.walks:
                self.within(self.walks[call], kind, json.loads(text))
        return self.found

    def step(self, call: str, data: dict[str, object]) -> None:
        parts = str(data.get("text", "")).rsplit(":", 2)
        node = self.nodes.get((str(data.get("step", "")), parts[0])) if len(parts) == 3 else None
        walk = self.walks.get(call)
        if node is None:
            if walk is not None and len(parts) == 3:
                walk.at = walk.waits_at = ""  # another dialplan's step: from there on no edge of ours is gone
            return
        if walk is None:
            walk = self.walks[call] = _Walk()
            self.found.calls += 1
        _add(self.found.steps, node)
        before = walk.waits_at if node in self.waiting else walk.at
        self.gone(before, node, walk)
        if node in self.waiting:
            walk.waits_at = node
        else:
            walk.at, walk.waits_at = node, ""
        walk.keys, walk.asked = "", 0

    def gone(self, before: str, node: str, walk: _Walk) -> None:
        """Count the edge; where several lead the same way the keys tell which."""
        ways = self.ways.get((walk.waits_at, node), []) if walk.waits_at and node not in self.waiting else []
        ways = ways or self.ways.get((before, node), [])
        if before and not ways and node in self.waiting:
            return
        if not ways:
            ways = [place for source in self.sources for place in self.ways.get((source, node), [])]
            if before:  # only a key that is always live, or a fault, leads from anywhere to here
                ways = [place for place in ways if self.graph.edges[place].source != "start"]
        if ways:
            pressed = [place for place in ways if walk.keys and walk.keys in self.graph.edges[place].outs]
            _add(self.found.edges, (pressed or ways)[0])

    def within(self, walk: _Walk, kind: str, data: dict[str, object]) -> None:
        if kind == "call.digit":
            walk.keys += str(data.get("digit", ""))
            return
        here = walk.waits_at or walk.at
        if self.asks.get(here, frozenset()).isdisjoint(str(data.get("clips", "")).split()):
            return
        walk.asked += 1
        walk.keys = ""
        if walk.asked > 1:
            _add(self.found.again, here)

    def end(self, call: str, data: dict[str, object]) -> None:
        walk = self.walks.pop(call, None)
        if walk is not None and walk.at and data.get("by") == "caller":
            _add(self.found.left, walk.at)


def _add(counts: dict[Key, int], key: Key) -> None:
    counts[key] = counts.get(key, 0) + 1
