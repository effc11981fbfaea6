"""A drawing as text: Mermaid (for Markdown and browsers) and DOT (for graphviz).

Labels are escaped so that no name or condition can end a label or be taken for markup, and are at most
`graph.label_letters_max` letters long.
"""

from __future__ import annotations

from engine.dialplan.graph import Edge, Graph, Node, label_letters_max, short
from engine.dialplan.graph_traffic import Traffic

_SHAPES = {  # kind -> Mermaid's brackets
    "branch": ("{{", "}}"), "listen": ("[/", "/]"), "people": ("[[", "]]"), "end": ("([", "])"), "start": ("([", "])"),
    "always": ("([", "])"), "fault": ("([", "])"), "finally": ("([", "])"),
}  # fmt: skip
_DOT_SHAPES = {
    "branch": "hexagon", "listen": "parallelogram", "people": "component", "end": "oval", "start": "oval",
    "always": "oval", "fault": "oval", "finally": "oval",
}  # fmt: skip
# busier steps are darker: five steps of one colour, readable in black on all of them
SHADES = ("#f7fbff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6")
LEFT_MARK = "#d7301f"  # where callers hang up
_SPECIAL = {'"': "#quot;", "#": "#35;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "`": "#96;", "|": "#124;", ";": "#59;"}


def mermaid(graph: Graph, traffic: Traffic | None = None) -> str:
    """The drawing as a Mermaid flowchart."""
    lines = ["flowchart TD", f"  %% {graph.name}: written by ringdown graph"]
    lines += [f"  {_mermaid_node(node, traffic)}" for node in graph.sources]
    for box in graph.boxes:
        lines.append(f'  subgraph {box.id}["{_escaped(box.title)}"]')
        lines += [f"    {_mermaid_node(node, traffic)}" for node in box.nodes]
        lines.append("  end")
    for place, edge in enumerate(graph.edges):
        arrow = "-.->" if edge.kind else "-->"
        lines.append(f'  {edge.source} {arrow}|"{_escaped(edge_label(edge, place, traffic))}"| {edge.target}')
    if traffic is not None:
        for node in graph.nodes():
            lines += _mermaid_paint(node, traffic)
        for place in range(len(graph.edges)):
            lines.append(f"  linkStyle {place} stroke-width:{_width(place, traffic)}px")
    return "\n".join(lines) + "\n"


def _mermaid_node(node: Node, traffic: Traffic | None) -> str:
    opening, closing = _SHAPES.get(node.kind, ("[", "]"))
    return f'{node.id}{opening}"{_escaped(node_label(node, traffic))}"{closing}'


def _mermaid_paint(node: Node, traffic: Traffic) -> list[str]:
    if not node.step:
        return []
    border = f",stroke:{LEFT_MARK},stroke-width:3px" if traffic.left.get(node.id) else ""
    return [f"  style {node.id} fill:{_shade(node, traffic)},color:#000{border}"]


def _shade(node: Node, traffic: Traffic) -> str:
    share = traffic.share(traffic.steps.get(node.id, 0))
    return SHADES[min(len(SHADES) - 1, int(share * len(SHADES)))]


def node_label(node: Node, traffic: Traffic | None) -> str:
    """What a node says; with traffic also how many came, hung up there (✕) and were asked again (↻)."""
    if traffic is None or not node.step:
        return node.label
    counts = f" · {traffic.steps.get(node.id, 0)}"
    if traffic.left.get(node.id):
        counts += f" ✕{traffic.left[node.id]}"
    if traffic.again.get(node.id):
        counts += f" ↻{traffic.again[node.id]}"
    return short(node.label, label_letters_max - len(counts)) + counts


def _width(place: int, traffic: Traffic) -> str:
    return f"{1 + 4 * traffic.share(traffic.edges.get(place, 0)):.1f}"


def edge_label(edge: Edge, place: int, traffic: Traffic | None) -> str:
    """The edge's key or outcome; with traffic also how often it was gone. `place`: its place in `Graph.edges`."""
    if traffic is None or edge.kind == "waiting":
        return edge.label
    counts = f" · {traffic.edges.get(place, 0)}"
    return short(edge.label, label_letters_max - len(counts)) + counts


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def dot(graph: Graph, traffic: Traffic | None = None) -> str:
    """The drawing in graphviz' language."""
    lines = [f"digraph {_quoted(graph.name)} {{", "  rankdir=TB; compound=true;"]
    lines.append('  node [shape=box, style=filled, fillcolor=white, fontname="sans-serif", fontsize=11];')
    lines.append('  edge [fontname="sans-serif", fontsize=10];')
    lines += [f"  {_dot_node(node, traffic)}" for node in graph.sources]
    for box in graph.boxes:
        style = "dashed" if box.waiting else "rounded"
        lines.append(f"  subgraph cluster_{box.id} {{ label={_quoted(box.title)}; style={style};")
        lines.append('    fontname="sans-serif";')
        lines += [f"    {_dot_node(node, traffic)}" for node in box.nodes]
        lines.append("  }")
    for place, edge in enumerate(graph.edges):
        style = ", style=dashed" if edge.kind else ""
        style += f", penwidth={_width(place, traffic)}" if traffic is not None else ""
        label = _quoted(edge_label(edge, place, traffic))
        lines.append(f"  {edge.source} -> {edge.target} [label={label}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_node(node: Node, traffic: Traffic | None) -> str:
    parts = [f"label={_quoted(node_label(node, traffic))}", f"shape={_DOT_SHAPES.get(node.kind, 'box')}"]
    if traffic is not None and node.step:
        parts.append(f'fillcolor="{_shade(node, traffic)}"')
        if traffic.left.get(node.id):
            parts.append(f'color="{LEFT_MARK}", penwidth=3')
    return f"{node.id} [{', '.join(parts)}];"


def _quoted(text: str) -> str:
    backslash = "\\"
    return '"' + text.replace(backslash, backslash * 2).replace('"', backslash + '"') + '"'
