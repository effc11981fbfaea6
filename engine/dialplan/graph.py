"""A linked dialplan as a drawing: flows are boxes, steps are nodes, and no edge is without its key or outcome.

Pure and exact, since names in a dialplan are never computed: what is drawn is what a call can do. `graph_text` writes
it as Mermaid or DOT, `graph_traffic` adds what callers did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from engine import marks
from engine.dialplan.program import Program, Step
from engine.dialplan.verbs.table import VERBS

label_letters_max = 40
# What the good end of a step is called on its edge; of a verb that isn't here it is "next".
GOOD_END = {
    "answer": "answered", "play": "heard", "say": "heard", "position": "heard", "estimate": "heard",
    "gather": "entered", "queue": "served", "dial": "hung up", "callback": "booked", "when": "else",
    "subflow": "returned", "record": "recorded", "hours": "open", "lookup": "found", "music": "time over",
    "silence": "time over", "split": "the rest", "round": "done", "pin": "verified",
    "park": "hung up", "conference": "left", "survey": "asked", "ask": "understood",
    "asked": "confirmed", "voicemail": "taken",
}  # fmt: skip
_ONLY_BY_OUTCOME = ("menu", "switch", "repeat")  # a word `continue` is an outcome too
_KEY_WORDS = {"*": "star", "#": "hash"}


class Node(msgspec.Struct):
    """One step, or a place where calls come from (`kind` start | always | fault | finally). `step` is the step's id."""

    id: str
    label: str
    kind: str = "step"  # step | branch | listen | people | end, or one of the above
    step: str = ""
    file: str = ""


class Edge(msgspec.Struct):
    """`outs`: the outcomes that lead this way, as the program names them; '' is the step's good end."""

    source: str
    target: str
    label: str
    outs: tuple[str, ...] = ("",)
    kind: str = ""  # '' | live (a key that is always live) | waiting (beside the queue step)


class Box(msgspec.Struct):
    """One flow, or one wait list, with its nodes in the order of the file."""

    id: str
    title: str
    nodes: list[Node] = []
    waiting: bool = False


class Graph(msgspec.Struct):
    """`asks`: step id -> clips that ask the caller something there, so that being asked again can be counted."""

    name: str
    sources: list[Node] = []
    boxes: list[Box] = []
    edges: list[Edge] = []
    asks: dict[str, list[str]] = {}

    def nodes(self) -> Iterator[Node]:
        """All nodes: sources first, then box by box."""
        yield from self.sources
        for box in self.boxes:
            yield from box.nodes


def short(text: str, letters: int = label_letters_max) -> str:
    """The text on one line, cut with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= letters else line[: letters - 1] + "…"


def conditions(trees: Mapping[str, marks.Node | None]) -> dict[str, list[str]]:
    """Place of each `when` ("file:line:column", as `Step.place`) -> its conditions as written, for labels."""
    found: dict[str, list[str]] = {}
    todo: list[marks.Node] = [tree for tree in trees.values() if tree is not None]
    while todo:
        node = todo.pop()
        if isinstance(node, marks.Sequence):
            todo.extend(node.items)
        elif isinstance(node, marks.Mapping):
            for key, value in node:
                todo.append(value)
                if key.text == "when" and isinstance(value, marks.Sequence):
                    lines = [item.entries.get("if") for item in value.items if isinstance(item, marks.Mapping)]
                    texts = [each.text if isinstance(each, marks.Scalar) else "else" for each in lines]
                    found[f"{key.file}:{key.line}:{key.column}"] = texts
    return found


def draw(
    program: Program, numbers: Mapping[str, str] | None = None, written: Mapping[str, list[str]] | None = None
) -> Graph:
    """The drawing of one dialplan. `numbers`: dialled number -> flow ('' = the dialplan's entry), see `conditions`
    for `written`."""
    return _Drawing(program, written or {}).draw(numbers or {})


class _Drawing:
    def __init__(self, program: Program, written: Mapping[str, list[str]]) -> None:
        self.program = program
        self.written = written
        self.graph = Graph(program.name)
        self.ids: dict[tuple[str, str, int], str] = {}  # (wait list or '', flow, index) -> node id
        self.boxes: dict[tuple[str, str], Box] = {}

    def draw(self, numbers: Mapping[str, str]) -> Graph:
        program, graph = self.program, self.graph
        self.place("", program.flows)
        for name, wait in program.waits.items():
            self.place(name, wait.flows)
        self.sources(numbers)
        self.lead("", program.flows)
        for name, wait in program.waits.items():
            self.lead(name, wait.flows)
        graph.edges = _merged(graph.edges)
        return graph

    # --- nodes
    def place(self, wait: str, flows: Mapping[str, tuple[Step, ...]]) -> None:
        """A box for every flow; lists inside branches stay in the box of their flow, at its end."""
        for flow in sorted(flows, key=lambda name: "#" in name):
            root = flow.partition("#")[0]
            box = self.boxes.get((wait, root))
            if box is None:
                title = f"while waiting: {root}" if wait else root
                box = Box(f"box{len(self.boxes)}", short(title), waiting=bool(wait))
                self.boxes[wait, root] = box
                self.graph.boxes.append(box)
            for index, step in enumerate(flows[flow]):
                node = Node(f"n{len(self.ids)}", _words(step), _kind(step), step.id, step.place.rsplit(":", 2)[0])
                self.ids[wait, flow, index] = node.id
                box.nodes.append(node)
                asked = _asks(step)
                if asked:
                    self.graph.asks[step.id] = asked

    def first(self, wait: str, flow: str) -> str:
        """The node where a flow begins, '' when it has no steps."""
        return self.ids.get((wait, flow, 0), "")

    def sources(self, numbers: Mapping[str, str]) -> None:
        program = self.program
        ways = [(number, flow or program.entry) for number, flow in numbers.items()] or [("call", program.entry)]
        self.source("start", "a call", [(label, flow, "") for label, flow in ways])
        live = [(_key(key), flow, "live") for key, flow in program.always.items()]
        self.source("always", "in every menu and gather", live)
        self.source("fault", "an internal fault", [("fault", program.rescue, "")] if program.rescue else [])
        last = [("however it ends", program.finally_, "")] if program.finally_ else []
        self.source("finally", "the call is over", last)

    def source(self, kind: str, label: str, ways: list[tuple[str, str, str]]) -> None:
        edges = [Edge(kind, self.first("", flow), short(text), (text,), way) for text, flow, way in ways]
        edges = [edge for edge in edges if edge.target]
        if edges:
            self.graph.sources.append(Node(kind, label, kind))
            self.graph.edges.extend(edges)

    # --- edges
    def lead(self, wait: str, flows: Mapping[str, tuple[Step, ...]]) -> None:
        origin = {
            target: (flow, index)
            for flow, steps in flows.items()
            for index, step in enumerate(steps)
            for target in step.outs.values()
            if "#" in target
        }
        for flow, steps in flows.items():
            for index, step in enumerate(steps):
                source = self.ids[wait, flow, index]
                after = self.after(wait, flows, origin, flow, index)
                for out, target in step.outs.items():
                    self.way(wait, step, source, out, target, after)
                if "wait" in step.data and not wait:
                    beside = self.first(step.data["wait"], step.data["wait"])
                    self.edge(source, beside, "while waiting", (), "waiting")
                if step.verb == "round":  # the end of a list that is repeated
                    self.edge(source, self.first(wait, flow), "once more", ("",))
                if _falls(step) and after:
                    back = bool(wait) and index + 1 >= len(steps) and after == self.first(wait, wait)
                    self.edge(source, after, "begins again" if back else GOOD_END.get(step.verb, "next"), ("",))

    def way(self, wait: str, step: Step, source: str, out: str, target: str, after: str) -> None:
        if out.startswith("!"):
            return  # a wait list's menu leads there: its own edge is drawn
        if target.startswith("!"):
            to = self.first("", target[1:])
        elif target == "again":
            to = source
        else:
            to = self.first(wait, target) or ("" if target and "#" not in target else after) if target else after
        label, outs = self.label(step, out), (out,)
        if step.verb in ("goto", "subflow") and out == "flow":
            label, outs = ("goes to" if step.verb == "goto" else "runs"), ("",)
        elif step.verb == "repeat" and out == "steps":
            label = "first round"
        self.edge(source, to, label, outs)

    def edge(self, source: str, target: str, label: str, outs: tuple[str, ...], kind: str = "") -> None:
        if target:
            self.graph.edges.append(Edge(source, target, short(label), outs, kind))

    def label(self, step: Step, out: str) -> str:
        if step.verb == "when" and out.startswith("if "):
            texts = self.written.get(step.place, [])
            number = int(out[3:]) - 1
            return texts[number] if number < len(texts) else out
        if step.verb == "split" and out.startswith("share "):
            bounds = [0, *(bound for bound, _ in step.data["ways"])]
            number = int(out[6:])
            return f"{(bounds[number] - bounds[number - 1]) / 100:g}%"
        return _key(out) if step.verb == "menu" or step.data.get("wait") else out

    def after(
        self, wait: str, flows: Mapping[str, tuple[Step, ...]], origin: Mapping[str, tuple[str, int]], flow: str,
        index: int,
    ) -> str:  # fmt: skip
        """Where the call goes when the step falls through, '' at the end of a flow; a wait list begins again."""
        while index + 1 >= len(flows[flow]):
            if flow not in origin:
                return self.first(wait, wait) if wait else ""
            flow, index = origin[flow]
        return self.ids[wait, flow, index + 1]


def _words(step: Step) -> str:
    """`choose/menu(main_menu)` -> `menu main_menu`."""
    words = step.id.partition("/")[2] or step.id
    verb, bracket, rest = words.partition("(")
    return short(f"{verb} {rest.rpartition(')')[0]}" if bracket else words)


def _kind(step: Step) -> str:
    verb = VERBS.get(step.verb)
    if step.verb in ("when", "switch", "hours", "split"):
        return "branch"
    if verb is None or not verb.input:
        return "end" if verb is not None and verb.ends and step.verb != "goto" else "step"
    return "listen" if step.verb in ("menu", "gather", "pin", "ask") else "people"


def _key(word: str) -> str:
    return "".join(_KEY_WORDS.get(letter, letter) for letter in word)


def _falls(step: Step) -> bool:
    """Does the step have a good end that leads to the next one?"""
    verb = VERBS.get(step.verb)
    if (verb is not None and verb.ends) or step.verb in _ONLY_BY_OUTCOME:
        return False
    if step.verb in ("music", "silence"):
        return "for" in step.data
    if step.verb == "split" and not step.data["rest"]:
        return False
    return not (step.verb in ("when", "split") and "else" in step.outs)


def _asks(step: Step) -> list[str]:
    """The clips with which a menu or gather asks, in any language."""
    if step.verb not in ("menu", "gather", "pin", "ask"):
        return []
    found: dict[str, None] = {}
    for option in ("prompt", "again"):
        spoken = step.data.get(option)
        for parts in spoken.values() if isinstance(spoken, dict) else ():
            found.update({part: None for part in parts if isinstance(part, str)})
    return list(found)


def _merged(edges: list[Edge]) -> list[Edge]:
    """Outcomes that lead the same way share an edge as long as its label stays readable."""
    kept: dict[tuple[str, str, str], Edge] = {}
    done: list[Edge] = []
    for edge in edges:
        key = edge.source, edge.target, edge.kind
        old = kept.get(key)
        if old is not None and len(old.label) + len(edge.label) + 2 <= label_letters_max:
            old.label, old.outs = f"{old.label}, {edge.label}", old.outs + edge.outs
            continue
        kept[key] = edge
        done.append(edge)
    return done
