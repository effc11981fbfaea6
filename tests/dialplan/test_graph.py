"""Drawings: boxes, nodes and edges of a linked dialplan."""

from __future__ import annotations

from engine import marks
from engine.dialplan import graph
from engine.dialplan.graph import Edge, Graph
from tests.dialplan.site import site_of

PLAN = """\
ringdown: 1
variables:
  code: digits 4..8
  tier: choice gold silver = silver
always: {0: person}
rescue: bye
finally: note
flows:
  main:
    - answer
    - menu:
        prompt: choose
        choices:
          1: help
          2:
            - play: hello
          star: again
        failed: bye
    - when:
        - if: tier = gold and access.caller = access.dialled
          then: help
    - switch:
        value: tier
        cases: {gold: help, silver: bye}
  help:
    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}
    - subflow: twice
    - goto: bye
  twice:
    - gather: {into: code, failed: bye}
    - return
  person:
    - dial: {to: 200, failed: bye}
    - hangup: served
  bye:
    - music
  note:
    - tag: over
waits:
  hold:
    - music: 40s
    - menu:
        prompt: choose
        choices:
          1: bye
          2:
            - play: hello
        failed: continue
"""


def drawn(text: str = PLAN, numbers: dict[str, str] | None = None) -> Graph:
    program = site_of(text).programs["default/main"]
    tree, _ = marks.load(text.encode(), "dialplans/main.yaml")
    return graph.draw(program, numbers, graph.conditions({"dialplans/main.yaml": tree}))


def ways(found: Graph) -> dict[tuple[str, str], list[str]]:
    """(label of the source, label of the target) -> labels of the edges."""
    names = {node.id: node.label for node in found.nodes()}
    held: dict[tuple[str, str], list[str]] = {}
    for edge in found.edges:
        held.setdefault((names[edge.source], names[edge.target]), []).append(edge.label)
    return held


def test_flows_are_boxes_with_their_lists() -> None:
    found = drawn()
    titles = {box.title: [node.label for node in box.nodes] for box in found.boxes}
    assert list(titles) == ["main", "help", "twice", "person", "bye", "note", "while waiting: hold"]
    assert titles["main"] == ["answer", "menu choose", "when", "switch tier", "play hello"]
    assert titles["help"] == ["queue support", "subflow twice", "goto bye"]
    assert [box.waiting for box in found.boxes] == [False] * 6 + [True]


def test_every_edge_has_its_key_or_outcome() -> None:
    found = ways(drawn(numbers={"100": "", "200": "help"}))
    assert found["a call", "answer"] == ["100"] and found["a call", "queue support"] == ["200"]
    assert found["in every menu and gather", "dial 200"] == ["0"]
    assert found["an internal fault", "music"] == ["fault"]
    assert found["the call is over", "tag over"] == ["however it ends"]
    assert found["menu choose", "queue support"] == ["1"]
    assert found["menu choose", "play hello"] == ["2", "2"]  # in main, and in the wait list
    assert found["menu choose", "menu choose"] == ["star"]
    assert found["menu choose", "music"] == ["failed", "failed", "1"]
    assert found["play hello", "when"] == ["heard"]  # a list comes back behind its branch
    assert found["when", "queue support"] == ["tier = gold and access.caller = access.…"]
    assert found["when", "switch tier"] == ["else"]
    assert found["switch tier", "queue support"] == ["= gold"] and found["switch tier", "music"] == ["= silver"]
    assert found["queue support", "subflow twice"] == ["served"]
    assert found["subflow twice", "gather code"] == ["runs"] and found["subflow twice", "goto bye"] == ["returned"]
    assert ("switch tier", "play hello") not in found


def test_shares_rounds_and_hours() -> None:
    text = """\
ringdown: 1
variables: {code: digits = 1}
flows:
  main:
    - answer
    - split:
        - share: 12.5%
          then: bye
        - share: 30%
          then: bye
    - repeat:
        times: 3
        until: code = 7
        steps:
          - gather: {into: code, failed: bye}
        exhausted: bye
    - goto: bye
  bye:
    - hangup: served
"""
    found = ways(drawn(text))
    assert found["split", "hangup served"] == ["12.5%, 30%"] and found["split", "repeat"] == ["the rest"]
    assert found["repeat", "gather code"] == ["first round"] and found["gather code", "round"] == ["entered"]
    assert found["round", "gather code"] == ["once more"] and found["round", "goto bye"] == ["done"]
    assert found["round", "hangup served"] == ["exhausted"] and ("repeat", "goto bye") not in found


def test_a_wait_list_goes_round_and_its_keys_leave_the_queue() -> None:
    found = drawn()
    names = {node.id: (node.label, box.title) for box in found.boxes for node in box.nodes}
    hold = [
        (names[edge.source][0], edge.label, names[edge.target])
        for edge in found.edges
        if edge.source in names and names[edge.source][1].startswith("while")
    ]
    assert ("menu choose", "1", ("music", "bye")) in hold
    assert ("music", "time over", ("menu choose", "while waiting: hold")) in hold
    assert ("menu choose", "failed", ("music", "while waiting: hold")) in hold
    beside = [edge for edge in found.edges if edge.kind == "waiting"]
    assert len(beside) == 1 and names[beside[0].source][0] == "queue support"


def test_labels_are_short_and_never_empty() -> None:
    name = "b" * 60
    flows = f"  main:\n    - dial: {{to: 200, failed: {name}}}\n    - hangup\n  {name}:\n    - hangup\n"
    text = f"ringdown: 1\nflows:\n{flows}"
    for found in (drawn(), drawn(text)):
        labels = [node.label for node in found.nodes()] + [edge.label for edge in found.edges]
        labels += [box.title for box in found.boxes]
        assert all(0 < len(label) <= graph.label_letters_max for label in labels)


def test_outcomes_that_lead_the_same_way_share_an_edge() -> None:
    edges = [edge for edge in drawn().edges if "no_agents" in edge.outs]
    assert len(edges) == 1 and edges[0].outs == ("full", "no_agents", "timeout", "1")  # 1 leaves the wait list
    many = [Edge("a", "b", "x" * 30, (str(number),)) for number in range(3)]
    assert len(graph._merged(many)) == 3  # together they would be too long to read


def test_a_menus_clips_are_known_as_questions() -> None:
    found = drawn()
    assert found.asks["main/menu(choose)"] == ["en/choose"]
    assert "main/answer" not in found.asks
