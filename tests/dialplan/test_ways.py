"""The graph: who follows whom, by what, and that a verb nobody mentions there is still followed."""

from __future__ import annotations

from engine.dialplan.catalogue import Catalogue
from engine.dialplan.findings import Report
from engine.dialplan.flow_reader import read_dialplan
from engine.dialplan.linker import Unit, link
from engine.dialplan.model import QueueModel
from engine.dialplan.options import Scope
from engine.dialplan.ways import Graph, components
from engine.marks import load
from tests.dialplan.site import STOCK

TEXT = """ringdown: 1
variables: {code: digits 4}
always: {0: bye}
flows:
  main:
    - answer
    - menu:
        prompt: goodbye
        choices:
          1:
            - play: thank_you
          2: again
        failed: bye
    - gather: {into: code, failed: bye}
    - subflow: note
    - queue: {name: support, full: bye, no_agents: bye, timeout: bye}
    - dial: {to: 'sip:a@example.net', failed: bye}
    - music
  note:
    - when:
        - if: code = 1234
          then: bye
    - return
  bye:
    - hangup: served
"""


def unit(text: str = TEXT) -> Unit:
    report = Report()
    scope = Scope("default", Catalogue(report, STOCK))
    scope.queues["support"] = QueueModel("default", "support")
    root, _ = load(text.encode(), "main.yaml")
    assert root is not None
    draft = read_dialplan(report, "main", root, ("en",))
    assert draft is not None
    linked = link(report, scope, draft)
    assert linked is not None
    assert report.findings == []
    return linked


def test_edges_name_their_outcome_and_where_they_lead() -> None:
    graph = Graph(unit())
    ways = {node: [(edge.out, edge.to, edge.input) for edge in edges] for node, edges in graph.edges.items()}
    assert ways["main", 0] == [("", ("main", 1), False)]
    assert ways["main", 1] == [
        ("failed", ("bye", 0), False), ("1", ("main#1", 0), True), ("2", ("main", 1), True), ("0", ("bye", 0), True),
    ]  # fmt: skip
    assert ways["main#1", 0] == [("", ("main", 2), False)]
    assert ways["main", 2] == [("failed", ("bye", 0), False), ("0", ("bye", 0), True), ("", ("main", 3), True)]
    assert ways["main", 3] == [("flow", ("note", 0), False), ("", ("main", 4), False)]
    assert ways["main", 4][-1] == ("", ("main", 5), True)
    assert ("timeout", ("bye", 0), True) in ways["main", 4]
    assert ("full", ("bye", 0), False) in ways["main", 4]
    assert graph.edges["main", 5][-1].after_answer
    assert ways["main", 6] == []  # music without a time has no end
    assert ways["note", 0] == [("if 1", ("bye", 0), False), ("", ("note", 1), False)]
    assert ways["note", 1] == ways["bye", 0] == []


def test_reach_with_and_without_subflows_and_keys_that_are_always_live() -> None:
    graph = Graph(unit())
    assert ("note", 0) in graph.reach(["main"])
    assert ("note", 0) not in graph.reach(["main"], calls=False)
    assert ("bye", 0) in graph.reach(["main"], always=False)
    assert graph.subflows() == {"note": None}


def test_components_are_the_circles() -> None:
    edges = {("a", 0): [("b", 0)], ("b", 0): [("c", 0)], ("c", 0): [("b", 0)], ("d", 0): [("a", 0)]}
    found = [sorted(part) for part in components(list(edges), lambda node: edges[node])]
    assert [("b", 0), ("c", 0)] in found
    assert len(found) == 3
