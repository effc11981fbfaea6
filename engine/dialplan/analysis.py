"""What can happen on the way through a linked dialplan: reachability, ends, loops, answering, set variables.

All of it is read off `ways.Graph`. What is legal and still bad for a caller is in `advice`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.dialplan import results
from engine.dialplan.findings import Report
from engine.dialplan.linker import Linked, Unit
from engine.dialplan.program import Step
from engine.dialplan.ways import Edge, Graph, Node, components

_SOUND_EXEMPT = ("dial",)


def analyse(
    report: Report,
    unit: Unit,
    used_elsewhere: tuple[str, ...] = (),
    numbered: Mapping[str, bool] = MappingProxyType({}),
) -> Graph:
    """Report every finding about paths, and return the graph.

    `used_elsewhere`: flows that numbers or other dialplans enter; `numbered`: those among them that calls begin with,
    and whether they do so in a season.
    """
    graph = Graph(unit)
    roots = _roots(unit, used_elsewhere)
    reached = graph.reach(roots)
    _unreachable(report, unit, reached)
    _ends(report, unit, graph, used_elsewhere)
    _loops(report, unit, graph, reached)
    _recursion(report, unit, graph)
    _answered(report, unit, graph, used_elsewhere, numbered)
    _assigned(report, unit, graph, used_elsewhere, results.check(report, unit, graph))
    _finally(report, unit, graph)
    for name in unit.unread:
        variable = unit.draft.variables[name]
        report.add("RD094", variable.key, f"the variable {name!r} is never read", "remove it, or use it")
    return graph


def _roots(unit: Unit, used_elsewhere: tuple[str, ...]) -> list[str]:
    program = unit.program
    named = [program.entry, program.rescue, program.finally_, *program.always.values(), *used_elsewhere]
    return [name for name in dict.fromkeys(named) if name in program.flows]


def _own(unit: Unit, flow: str) -> bool:
    return "." not in flow


def _unreachable(report: Report, unit: Unit, reached: dict[Node, None]) -> None:
    for flow, steps in unit.program.flows.items():
        if not _own(unit, flow) or not steps:
            continue
        if (flow, 0) not in reached:
            if "#" not in flow:
                message = f"no step leads to the flow {flow!r}"
                report.add("RD050", unit.keys[flow], message, "name it at a branch, or remove it")
            continue
        for index in range(1, len(steps)):
            if (flow, index) not in reached:
                key = unit.linked[flow][index].draft.key
                before = steps[index - 1].verb
                report.add("RD054", key, f"this step is never reached: {before} stands before it", "remove it")
                break


def _ends(report: Report, unit: Unit, graph: Graph, used_elsewhere: tuple[str, ...]) -> None:
    """A call's own way must end in hangup, reject or a person; `return` belongs to subflows."""
    program = unit.program
    called = graph.subflows()
    # a flow that another dialplan enters may be meant as a subflow: that dialplan's own check follows it
    main = [program.entry, program.rescue, *program.always.values()]
    main = [flow for flow in main if flow in program.flows and flow not in used_elsewhere]
    for node in graph.reach(main, calls=False):
        if not _own(unit, node[0]) and node[0] in called:
            continue
        step = graph.step(node)
        if step.verb == "return":
            hint = "end with hangup, or go to another flow"
            report.add("RD059", graph.key(node), "return stands outside a subflow", hint)
        elif any(edge.to is None for edge in graph.edges[node]):
            message = f"after this step the flow {node[0].partition('#')[0]!r} has no end"
            report.add("RD053", graph.key(node), message, "end it: - hangup: served, or - goto: FLOW")
    for flow in main:
        if not program.flows[flow]:
            report.add("RD053", unit.keys[flow], f"the flow {flow!r} has no steps", "end it: - hangup: served")


def _silent_return(graph: Graph, flow: str) -> bool:
    """Can the subflow come back without any input?"""
    seen: dict[Node, None] = {}
    todo: list[Node] = [(flow, 0)] if graph.flows.get(flow) else []
    if not todo:
        return True
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen[node] = None
        if graph.step(node).verb == "return":
            return True
        for edge in graph.edges[node]:
            if edge.input or edge.call:
                continue
            if edge.to is None:
                return True
            todo.append(edge.to)
    return False


def _loops(report: Report, unit: Unit, graph: Graph, reached: dict[Node, None]) -> None:
    """Strongly connected parts of the graph without its input edges (Tarjan, iterative)."""
    silent = {flow: _silent_return(graph, flow) for flow in graph.subflows()}

    def following(node: Node) -> list[Node]:
        step = graph.step(node)
        if step.verb == "subflow" and not silent.get(step.outs.get("flow", ""), True):
            return []
        return [edge.to for edge in graph.edges[node] if edge.to is not None and not edge.input and not edge.call]

    for part in components(list(reached), following):
        node = min(part, key=lambda each: (graph.key(each).line, graph.key(each).column))
        last = max(part, key=lambda each: (graph.key(each).line, graph.key(each).column))
        if len(part) == 1 and node not in following(node):
            continue
        if all(not _own(unit, each[0]) for each in part):
            continue
        message = f"from here the caller comes back here without pressing a key (by way of line {graph.key(last).line})"
        report.add("RD051", graph.key(node), message, "end it after some tries, or take input on the way")


def _recursion(report: Report, unit: Unit, graph: Graph) -> None:
    """A subflow that can enter itself before it returned: its step lies in one circle with the flow that it enters."""
    if not graph.subflows():
        return

    def following(node: Node) -> list[Node]:
        return [edge.to for edge in graph.edges[node] if edge.to is not None and not edge.always]

    circle: dict[Node, int] = {}
    for number, part in enumerate(components(list(graph.edges), following)):
        circle.update(dict.fromkeys(part, number))
    for node, number in circle.items():
        step = graph.step(node)
        flow = step.outs.get("flow", "") if step.verb == "subflow" else ""
        if flow and circle.get((flow, 0)) == number and _own(unit, node[0]):
            message = f"the subflow {flow!r} enters itself before it has returned"
            report.add("RD058", graph.key(node), message, "use goto for a loop")


def _answered(
    report: Report, unit: Unit, graph: Graph, used_elsewhere: tuple[str, ...], numbered: Mapping[str, bool]
) -> None:
    """Forward flow of {not answered: 1, answered: 2}: sound needs an answered call, reject an unanswered one.

    4, perhaps unanswered: a flow that a number enters may reject, but sites of earlier versions let it sound as well.
    """
    program = unit.program
    state: dict[Node, int] = {}
    todo: list[tuple[Node, int]] = []

    def push(node: Node | None, value: int) -> None:
        if node is not None and state.get(node, 0) | value != state.get(node, 0):
            state[node] = state.get(node, 0) | value
            todo.append((node, state[node]))

    def enter(flow: str, value: int) -> None:
        if program.flows.get(flow):
            push((flow, 0), value)

    answering = _answering(graph) if graph.subflows() else {}
    enter(program.entry, 1)
    for flow, seasonal in numbered.items():
        enter(flow, 1 if seasonal else 4)
    for flow in (program.rescue, *program.always.values()):
        enter(flow, 2)
    called = graph.subflows()
    for flow in used_elsewhere:
        if flow not in called and not state.get((flow, 0)):
            enter(flow, 2)
    while todo:
        node, _ = todo.pop()
        value = state[node]
        step = graph.step(node)
        if step.verb == "answer":
            value = 2
        for edge in graph.edges[node]:
            passed = 2 if edge.after_answer else value
            if step.verb == "subflow" and not edge.call and (step.outs.get("flow", ""), 0) in answering:
                passed = 2
            push(edge.to, passed)
    for node, value in state.items():
        verb = graph.linked(node).draft.verb
        if verb.sound and value & 1 and verb.name not in _SOUND_EXEMPT:
            way = "" if value == 1 else " on some way"
            message = f"{verb.name} before the call is answered{way}"
            report.add("RD055", graph.key(node), message, "put - answer before it")
        elif verb.name == "reject" and value == 2:
            report.add("RD056", graph.key(node), "reject, but the call has been answered", "use - hangup: OUTCOME")


def _answering(graph: Graph) -> dict[Node, None]:
    """The nodes from which some way leads to an `answer`, also by way of subflows: one walk against the edges."""
    before: dict[Node, list[Node]] = {}
    todo: list[Node] = []
    for node, edges in graph.edges.items():
        if graph.step(node).verb == "answer":
            todo.append(node)
        for edge in edges:
            if edge.to is not None:
                before.setdefault(edge.to, []).append(node)
    found = dict.fromkeys(todo)
    while todo:
        for node in before.get(todo.pop(), ()):
            if node not in found:
                found[node] = None
                todo.append(node)
    return found


def _assigned(
    report: Report, unit: Unit, graph: Graph, used_elsewhere: tuple[str, ...], silent: Mapping[str, None]
) -> None:
    """Definite assignment: a forward analysis that meets by intersection, on bit masks. `silent`: subflows that may
    come back without a result."""
    program = unit.program
    names = list(program.variables)
    bit = {name: 1 << place for place, name in enumerate(names)}
    every = (1 << len(names)) - 1
    defaults = sum(bit[name] for name, variable in program.variables.items() if variable.default is not None)
    state: dict[Node, int] = {}
    exits: dict[str, int] = {}
    callers: dict[str, list[Node]] = {}
    todo: list[Node] = []

    def push(node: Node | None, value: int) -> None:
        if node is None:
            return
        old = state.get(node)
        new = value if old is None else old & value
        if new != old:
            state[node] = new
            todo.append(node)

    for flow in (program.entry, program.rescue, program.finally_, *used_elsewhere):
        if program.flows.get(flow):
            push((flow, 0), defaults)
    bodies = {flow: graph.reach([flow], calls=False, always=False) for flow in graph.subflows()}
    owners: dict[Node, list[str]] = {}
    for flow, body in bodies.items():
        for node in body:
            owners.setdefault(node, []).append(flow)
    while todo:
        node = todo.pop()
        step, linked = graph.step(node), graph.linked(node)
        before = state[node]
        written = sum(bit[name] for name in dict.fromkeys(linked.writes) if name in bit)
        after = before | written
        callee = step.outs.get("flow", "") if step.verb == "subflow" else ""
        for edge in graph.edges[node]:
            known = sum(bit[name] for name in dict.fromkeys(edge.knows) if name in bit)
            if callee and edge.call:
                callers.setdefault(callee, []).append(node)
                # `into` is written when the subflow returns, not when it begins
                into = bit.get(str(step.data.get("into", "")), 0)
                push(edge.to, before | (written & ~into))
            elif callee:
                if callee in exits:
                    into = bit.get(str(step.data.get("into", "")), 0) if callee in silent else 0
                    push(edge.to, before | (written & ~into) | exits[callee])
            elif edge.failed and step.verb in ("lookup", "pin"):
                # what an earlier answer had filled is gone, but for defaults
                push(edge.to, before & ~(written & ~defaults))
            elif edge.failed or _fails(step, edge, graph, node):
                push(edge.to, before | known)
            else:
                push(edge.to, after | known)
        if step.verb == "return" or any(edge.to is None for edge in graph.edges[node]):
            for flow in owners.get(node, ()):
                old = exits.get(flow, every)
                if flow not in exits or old & after != old:
                    exits[flow] = old & after
                    todo.extend(each for each in dict.fromkeys(callers.get(flow, ())))
    for node, before in state.items():
        for name, place, at in graph.linked(node).reads:
            if name in bit and not before & bit[name] and not _set_here(graph.linked(node), name):
                hint = f"give it a default: {name}: {program.variables[name].type} = …, or test known({name})"
                report.add("RD072", place, f"{name!r} may not be set here", hint, at=at, width=len(name))


def _set_here(linked: Linked, name: str) -> bool:
    """`set: {a: 1, b: a + 1}`: an earlier line of the same step has set it."""
    return linked.draft.verb.name == "set" and name in linked.writes[: max(0, len(linked.writes) - 1)]


def _fails(step: Step, edge: Edge, graph: Graph, node: Node) -> bool:
    """On the unhappy ways of a gather nothing has been written."""
    return step.verb in ("gather", "record") and edge.to != graph.after(node)


def _finally(report: Report, unit: Unit, graph: Graph) -> None:
    """What runs after the caller has gone may neither sound nor wait."""
    flow = unit.program.finally_
    if not flow:
        return
    for node in graph.reach([flow]):
        verb = graph.linked(node).draft.verb
        if "finally" not in verb.places:
            message = f"{verb.name} cannot run in finally: nobody is on the line any more"
            report.add("RD060", graph.key(node), message, "here: when, switch, set, tag, goto")
