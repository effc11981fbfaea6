"""What is legal in a dialplan and still bad for a caller: nobody to reach, waits without an end, a closed door without
a word, more people than he may be given; and secrets that leave a subflow.

Warnings, so that a site can bear with one for a reason (`waivers`). Read off `ways.Graph`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine import limits, marks
from engine.dialplan.findings import Report
from engine.dialplan.model import QueueModel, TenantModel
from engine.dialplan.options import Scope
from engine.dialplan.values import spell_ms
from engine.dialplan.ways import Graph, Node

_PERSONS = ("queue", "dial", "callback", "voicemail", "transfer", "conference", "park", "page")
_ASKING = ("menu", "gather", "pin", "ask")
_CLOSED = ("closed", "holiday")
_WAITED = re.compile(r"\bwaited\b")
_KEY = re.compile(r"[0-9*#]")


def advise(report: Report, graph: Graph, entries: Iterable[str], scope: Scope, tenant: TenantModel) -> None:
    """Report on one dialplan's own flows. `entries`: the flows that calls enter it by."""
    roots = [flow for flow in dict.fromkeys(entries) if graph.flows.get(flow)]
    reached = [node for node in graph.reach(roots) if "." not in node[0]]
    returns = {flow: _returns(graph, flow) for flow in graph.subflows()}
    if scope.queues or scope.borrowed or scope.agents:
        _nobody(report, graph, roots, returns)
    for node in reached:
        _endless(report, graph, node, scope)
        _closed(report, graph, node)
        _secret_returned(report, graph, node, returns)
    _too_many(report, graph, roots, scope, tenant)


def _returns(graph: Graph, flow: str) -> list[Node]:
    """The steps at which a subflow comes back."""
    body = graph.reach([flow], calls=False, always=False)
    return [
        node for node in body if graph.step(node).verb == "return" or any(edge.to is None for edge in graph.edges[node])
    ]


def is_person(graph: Graph, node: Node) -> bool:
    """Does this step bring the caller to somebody, now or later (a message that is heard)?"""
    step = graph.step(node)
    return step.verb in _PERSONS or (step.verb == "record" and "call" not in step.data)


# --- nobody to reach ---------------------------------------------------------------------------------------
def _nobody(report: Report, graph: Graph, roots: list[str], returns: dict[str, list[Node]]) -> None:
    """Steps that ask the caller something and from which no way leads to a person."""
    fine = _leading(graph, [node for node in graph.edges if is_person(graph, node)], returns)
    told: dict[Node, None] = {}
    seen: dict[Node, None] = {}
    todo: list[Node] = [(flow, 0) for flow in roots]
    place = 0
    while place < len(todo):  # breadth first, and not beyond people: who has spoken with one may be asked how it was
        node = todo[place]
        place += 1
        if node in seen or is_person(graph, node):
            continue
        seen[node] = None
        asks = graph.step(node).verb in _ASKING and "." not in node[0]
        if asks and node not in fine and node not in told:
            message = f"from this {graph.step(node).verb} no way leads to a person or a message that somebody hears"
            hint = "offer a way to a queue, dial, callback or voicemail, for instance by always: {0: FLOW}"
            report.add("RD200", graph.key(node), message, hint)
            told.update(_onward(graph, node))
        todo.extend(edge.to for edge in graph.edges[node] if edge.to is not None)


def _leading(graph: Graph, ends: list[Node], returns: dict[str, list[Node]]) -> dict[Node, None]:
    """Every node from which one of `ends` can be reached, also by returning from a subflow."""
    before: dict[Node, list[Node]] = {}
    for node, edges in graph.edges.items():
        step = graph.step(node)
        back = returns.get(step.outs.get("flow", ""), []) if step.verb == "subflow" else []
        for edge in edges:
            if edge.to is not None:
                before.setdefault(edge.to, []).append(node)
                if not edge.call:
                    before[edge.to].extend(back)
    found = dict.fromkeys(ends)
    todo = list(found)
    while todo:
        for node in before.get(todo.pop(), ()):
            if node not in found:
                found[node] = None
                todo.append(node)
    return found


def _onward(graph: Graph, start: Node) -> dict[Node, None]:
    found: dict[Node, None] = {}
    todo = [start]
    while todo:
        node = todo.pop()
        if node not in found:
            found[node] = None
            todo.extend(edge.to for edge in graph.edges[node] if edge.to is not None)
    return found


# --- waits and closed doors ----------------------------------------------------------------------------------
def _endless(report: Report, graph: Graph, node: Node, scope: Scope) -> None:
    step = graph.step(node)
    if step.verb in ("music", "silence") and "for" not in step.data:
        message = f"{step.verb} without a time lasts until the caller hangs up"
        report.add("RD201", graph.key(node), message, f"give it one, {step.verb}: 40s, and say what follows")
        return
    if step.verb != "queue" or "max_wait" in step.data:
        return
    name = str(step.data.get("name", ""))
    model = _queue(scope, name)
    if model is None or model.wait_ms_max or _relieved(step.data.get("overflow"), model):
        return
    if any(_KEY.match(out) or out.startswith("!") for out in step.outs):
        return  # his wait list lets him leave
    shown = name.rpartition("/")[2]
    message = f"who waits for {shown} waits up to {spell_ms(limits.queue_wait_ms_max)}: there is no max_wait"
    hint = "add max_wait: 20min to the queue or here, an overflow by the time waited, or a key to the wait list"
    report.add("RD201", graph.key(node), message, hint)


def _queue(scope: Scope, name: str) -> QueueModel | None:
    return scope.borrowed.get(name) or scope.queues.get(name.rpartition("/")[2])


def _relieved(own: list[list[object]] | None, model: QueueModel) -> bool:
    """Does overflow take him away by the time that he has waited?"""
    rules = [str(row[1]) for row in own] if own else [rule.text for rule in model.overflow]
    return any(_WAITED.search(text) for text in rules)


def _closed(report: Report, graph: Graph, node: Node) -> None:
    """Where it is closed the caller hears why, or is refused by a signal, before the call ends."""
    written = graph.linked(node).draft.outs
    for edge in graph.edges[node]:
        if edge.out in _CLOSED and edge.out in written and _mute(graph, edge.to):
            place = written[edge.out].node
            message = f"on the way {edge.out} the call ends before the caller has heard anything"
            report.add("RD202", place, message, "say when you open: - play: PROMPT, or lead to a voicemail")


def _mute(graph: Graph, start: Node | None) -> bool:
    """Can the call end from here without a sound, a person or a refusal by signal?"""
    seen: dict[Node, None] = {}
    todo = [start]
    while todo:
        node = todo.pop()
        if node is None:
            return True
        if node in seen:
            continue
        seen[node] = None
        verb = graph.linked(node).draft.verb
        if verb.name == "hangup":
            return True
        if not (verb.sound or verb.name in ("reject", "return") or is_person(graph, node)):
            todo.extend(edge.to for edge in graph.edges[node] if not edge.always)
    return False


# --- people ------------------------------------------------------------------------------------------------------
def _too_many(report: Report, graph: Graph, roots: list[str], scope: Scope, tenant: TenantModel) -> None:
    """Queues that the caller joins when he has met as many people as he may, on the shortest way there."""
    met: dict[Node, int] = {}
    rounds: list[list[Node]] = [[(flow, 0) for flow in roots]]
    people = 0
    while people < len(rounds):
        todo = rounds[people]
        while todo:
            node = todo.pop()
            if node in met:
                continue
            met[node] = people
            for edge in graph.edges[node]:
                if edge.to is None:
                    continue
                served = graph.step(node).verb == "queue" and not edge.out
                if served and len(rounds) == people + 1:
                    rounds.append([])
                rounds[people + served].append(edge.to)
        people += 1
    for node, count in met.items():
        step = graph.step(node)
        if step.verb != "queue" or "." in node[0] or "over_budget" in step.outs:
            continue
        model = _queue(scope, str(step.data.get("name", "")))
        allowed = model.people_max if model is not None and model.people_max >= 0 else tenant.people_max
        if count >= max(1, allowed):
            message = f"by here the caller may have been given to {count} people, and transfers allow {allowed}"
            report.add("RD203", graph.key(node), message, "name over_budget:, or raise people: in transfers")


# --- secrets -------------------------------------------------------------------------------------------------------
def _secret_returned(report: Report, graph: Graph, node: Node, returns: dict[str, list[Node]]) -> None:
    """What a subflow returns may be a secret only where `into` is one."""
    step, variables = graph.step(node), graph.unit.program.variables
    into = variables.get(str(step.data.get("into", "")))
    if step.verb != "subflow" or into is None or into.sensitive or into.type == "flag":
        return
    for end in returns.get(step.outs.get("flow", ""), ()):
        if graph.step(end).verb != "return":
            continue
        for name, place, at in graph.linked(end).reads:
            if name in variables and variables[name].sensitive and isinstance(place, marks.Scalar):
                message = f"{name} is sensitive and is returned into {step.data['into']}, which is not"
                report.add("RD079", place, message, "declare both sensitive", at=at, width=len(name))
