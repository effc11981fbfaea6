"""What callers did, counted on the drawing."""

from __future__ import annotations

import json

from engine.dialplan.graph import Graph
from engine.dialplan.graph_traffic import Told, Traffic, traffic
from tests.dialplan.test_graph import drawn

FILE = "dialplans/main.yaml"


def step(call: str, name: str, file: str = FILE) -> Told:
    return call, "call.step", json.dumps({"step": name, "text": f"{file}:1:1"})


def told(call: str, kind: str, **data: object) -> Told:
    return call, f"call.{kind}", json.dumps(data)


def by_label(graph: Graph, found: Traffic) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    names = {node.id: node.step or node.label for node in graph.nodes()}
    steps = {names[node]: count for node, count in found.steps.items()}
    edges = {(names[graph.edges[at].source], graph.edges[at].label): count for at, count in found.edges.items()}
    return steps, edges


ASK = told("a", "prompt", clips="en/choose")


def test_steps_edges_drop_off_and_retries() -> None:
    graph = drawn()
    found = traffic(graph, [
        step("a", "main/answer"), step("a", "main/menu(choose)"), ASK,
        told("a", "prompt", clips="en/invalid_choice en/choose"), told("a", "digit", digit="1"),
        step("a", "help/queue(support)"), told("a", "ended", by="caller"),
        step("b", "main/answer"), step("b", "main/menu(choose)"), told("b", "ended", by="caller"),
        step("c", "main/answer"), told("c", "ended", by="dialplan"),
    ])  # fmt: skip
    steps, edges = by_label(graph, found)
    assert found.calls == 3
    assert steps == {"main/answer": 3, "main/menu(choose)": 2, "help/queue(support)": 1}
    assert edges[("a call", "call")] == 3
    assert edges[("main/answer", "answered")] == 2 and edges[("main/menu(choose)", "1")] == 1
    named = {node.id: node.step for node in graph.nodes()}
    assert {named[node]: count for node, count in found.left.items()} == {
        "help/queue(support)": 1, "main/menu(choose)": 1,
    }  # fmt: skip
    assert {named[node]: count for node, count in found.again.items()} == {"main/menu(choose)": 1}


def test_a_wait_list_runs_beside_its_queue() -> None:
    graph = drawn()
    found = traffic(graph, [
        step("a", "help/queue(support)"), step("a", "hold/music"), step("a", "hold/menu(choose)"),
        step("a", "hold/music"), step("a", "help/subflow(twice)"),
    ])  # fmt: skip
    steps, edges = by_label(graph, found)
    assert steps["hold/music"] == 2 and steps["help/subflow(twice)"] == 1
    assert edges[("help/queue(support)", "served")] == 1
    assert edges[("hold/music", "time over")] == 1 and edges[("hold/menu(choose)", "failed")] == 1


def test_a_key_that_is_always_live_leads_from_anywhere() -> None:
    graph = drawn()
    walk = [step("a", "twice/gather(code)"), told("a", "digit", digit="0"), step("a", "person/dial(200)")]
    found = traffic(graph, walk)
    _, edges = by_label(graph, found)
    assert edges == {("in every menu and gather", "0"): 1}


def test_other_dialplans_are_not_counted() -> None:
    graph = drawn()
    found = traffic(graph, [
        step("a", "main/answer", "tenants/press/dialplans/main.yaml"), told("a", "digit", digit="1"),
        step("b", "main/answer"), step("b", "other/answer"), step("b", "main/menu(choose)"),
        ("b", "call.step", json.dumps({"step": "main/answer", "text": "tag: note"})),
    ])  # fmt: skip
    steps, edges = by_label(graph, found)
    assert steps == {"main/answer": 1, "main/menu(choose)": 1} and found.calls == 1
    assert edges == {("a call", "call"): 1}


def test_shares_go_by_the_busiest_step() -> None:
    assert Traffic().share(3) == 0
    assert Traffic(steps={"a": 4, "b": 1}).share(1) == 0.25
