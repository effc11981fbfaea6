"""Drawings as Mermaid and DOT."""

from __future__ import annotations

import re

from engine.dialplan.graph import Box, Edge, Graph, Node
from engine.dialplan.graph_text import LEFT_MARK, SHADES, dot, mermaid
from engine.dialplan.graph_traffic import Traffic

NASTY = 'say "a" <b> & #1; `c` | d\\'


def small() -> Graph:
    nodes = [Node("n0", "menu m", "listen", "main/menu(m)", "f"), Node("n1", NASTY, "end", "main/say", "f")]
    edges = [Edge("start", "n0", "100", ("100",)), Edge("n0", "n1", "1", ("1",))]
    edges.append(Edge("n0", "n0", NASTY, ("x",), "live"))
    return Graph("default/main", [Node("start", "a call", "start")], [Box("box0", "main", nodes)], edges)


def test_mermaid_escapes_what_would_end_a_label() -> None:
    text = mermaid(small())
    labels = re.findall(r'"([^"]*)"', text)
    assert len(labels) == text.count('"') // 2 == 7
    assert all(not set(label) & set('<>`|') for label in labels)
    assert "say #quot;a#quot; #lt;b#gt; #amp; #35;1#59; #96;c#96; #124; d\\" in labels
    assert 'subgraph box0["main"]' in text and 'n0 -->|"1"| n1' in text and "n0 -.->" in text


def test_dot_escapes_quotes_and_backslashes() -> None:
    text = dot(small())
    assert r'label="say \"a\" <b> & #1; `c` | d\\"' in text
    assert "subgraph cluster_box0" in text and "style=dashed" in text


def test_traffic_is_painted_and_counted() -> None:
    traffic = Traffic(10, {"n0": 10, "n1": 4}, {"n1": 2}, {"n0": 3}, {0: 10, 1: 4})
    text = mermaid(small(), traffic)
    assert '"menu m · 10 ↻3"' in text and "· 4 ✕2" in text and '|"1 · 4"|' in text
    assert f"style n0 fill:{SHADES[-1]}" in text and f"style n1 fill:{SHADES[2]},color:#000,stroke:{LEFT_MARK}" in text
    assert "linkStyle 0 stroke-width:5.0px" in text and "linkStyle 1 stroke-width:2.6px" in text
    assert f'fillcolor="{SHADES[-1]}"' in dot(small(), traffic) and "penwidth=2.6" in dot(small(), traffic)


def test_counts_leave_labels_short() -> None:
    graph = small()
    graph.boxes[0].nodes[0].label = "x" * 40
    text = mermaid(graph, Traffic(1, {"n0": 123456}, {"n0": 99}, {"n0": 9999}, {}))
    assert "…" in text
    assert max(len(label) for label in re.findall(r'n0\[/"([^"]*)"', text)) == 40
