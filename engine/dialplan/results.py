"""What subflows give back: the type that `into` can hold, on every way that comes back."""

from __future__ import annotations

from typing import Any

from engine.dialplan import types
from engine.dialplan.findings import Report
from engine.dialplan.linker import Unit
from engine.dialplan.ways import Graph, Node


def check(report: Report, unit: Unit, graph: Graph) -> dict[str, None]:
    """Report results that don't fit. Returns the subflows with `into` that may come back without a result."""
    silent: dict[str, None] = {}
    ends: dict[str, tuple[list[Node], bool]] = {}
    for node in graph.edges:
        step = graph.step(node)
        into, callee = str(step.data.get("into", "")), step.outs.get("flow", "")
        if step.verb != "subflow" or not into or into not in unit.program.variables:
            continue
        if callee not in ends:
            ends[callee] = _ends(graph, callee)
        giving, empty = ends[callee]
        wanted = types.declare(unit.program.variables[into].type).type
        for each in giving:
            kind, tree = graph.linked(each).returns, graph.step(each).data["value"]
            if kind is not None and not types.fits(kind, wanted) and not _reads_as(tree, wanted):
                place = graph.linked(each).draft.options.get("value", graph.key(each))
                message = f"{into!r} takes this result and is a {wanted}, not a {kind}"
                report.add("RD070", place, message, "return what fits, or declare it otherwise")
        if empty:
            silent[callee] = None
            place = graph.linked(node).draft.options.get("into", graph.key(node))
            message = f"on some way the subflow {callee!r} comes back without a result for {into!r}"
            report.add("RD128", place, message, "end every way of it by return: VALUE")
    return silent


def _reads_as(tree: list[Any], wanted: types.Type) -> bool:
    """Is it a number written out that digits, a text or a phone number can hold (`return: 0042`)?"""
    if tree[0] != "literal" or len(tree) < 3 or wanted.kind not in types.WRITTEN:
        return False
    try:
        types.literal(tree[2], wanted)
    except types.TypeProblem:
        return False
    return True


def _ends(graph: Graph, flow: str) -> tuple[list[Node], bool]:
    """(the returns that give a value, whether some way comes back without one)."""
    giving: list[Node] = []
    empty = not graph.flows.get(flow)
    for node in graph.reach([flow], calls=False, always=False):
        step = graph.step(node)
        if step.verb == "return" and "value" in step.data:
            giving.append(node)
        elif step.verb == "return" or any(edge.to is None for edge in graph.edges[node]):
            empty = True
    return giving, empty
