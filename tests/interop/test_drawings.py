"""Every dialplan that ships, drawn by the Mermaid that GitHub and editors use, in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.cli.graph import drawing, locate
from engine.dialplan import graph_text
from engine.dialplan.graph import Graph, label_letters_max
from engine.dialplan.graph_traffic import Traffic
from tests.dialplan.test_graph import drawn
from tests.house.source import ROOT
from tools.node_packages import folder

pytestmark = pytest.mark.interop
PAGE = """<!doctype html><meta charset="utf-8"><script src="{script}"></script><pre id="found"></pre><script>
mermaid.initialize({{startOnLoad: false, maxEdges: 5000, maxTextSize: 5000000, deterministicIds: true}});
const texts = {texts};
(async () => {{
  const found = [];
  for (const [number, text] of texts.entries()) {{
    try {{
      const {{svg}} = await mermaid.render("drawing" + number, text);
      const tree = new DOMParser().parseFromString(svg, "text/html");
      const said = (query) => [...tree.querySelectorAll(query)].map((each) => each.textContent.trim());
      found.push({{nodes: said("g.node"), boxes: said("g.cluster .cluster-label, g.cluster-label"),
                   edges: said("g.edgeLabels g.edgeLabel g.label"),
                   lines: tree.querySelectorAll("path.flowchart-link").length, error: ""}});
    }} catch (error) {{ found.push({{error: String(error)}}); }}
  }}
  document.getElementById("found").textContent = JSON.stringify(found);
}})();
</script>"""


def rendered(texts: list[str], scratch: Path) -> list[dict[str, Any]]:
    """What the browser drew from each text."""
    script = folder() / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    assert script.exists(), "missing: python -m tools.node_packages (tools/test does it)"
    browser = shutil.which("chromium")
    assert browser, "chromium is missing: tools/test installs it"
    page = scratch / "page.html"
    page.write_text(PAGE.format(script=script.as_uri(), texts=json.dumps(texts).replace("</", "<\\/")), "utf-8")
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={scratch / 'profile'}",
        "--virtual-time-budget=120000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found and found[1], done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))  # type: ignore[no-any-return]


def plans() -> list[Path]:
    """Every dialplan that ships."""
    found = [path for path in (ROOT / "dialplans").glob("**/dialplans/*.yaml") if path.name.count(".") == 1]
    assert found
    return sorted(found)


def test_a_browser_draws_every_dialplan(tmp_path: Path) -> None:
    graphs: list[Graph] = [drawing(*locate(str(path), None)) for path in plans()]
    nasty = drawn()
    nasty.boxes[0].title = 'x"<&>#;`|end'
    nasty.boxes[0].nodes[0].label = '1. "end" <b>click</b> `x` #35; subgraph'
    busy = Traffic(9, {node.id: 9 for node in nasty.nodes()}, {"n0": 3}, {"n1": 2}, {0: 9})
    texts = [graph_text.mermaid(graph) for graph in graphs]
    texts += [graph_text.mermaid(nasty), graph_text.mermaid(nasty, busy), "flowchart TD\n  a --> ["]
    found = rendered(texts, tmp_path)
    assert found[-1]["error"], "a broken drawing must be told, or this test proves nothing"
    for graph, each in zip([*graphs, nasty, nasty], found, strict=False):
        assert not each["error"], f"{graph.name}: {each['error']}"
        assert len(each["nodes"]) == len(list(graph.nodes())) and len(each["boxes"]) == len(graph.boxes)
        assert each["lines"] == len(graph.edges) == len(each["edges"])
        labels = each["nodes"] + each["edges"] + each["boxes"]
        assert all(0 < len(label) <= label_letters_max for label in labels), labels
    assert 'x"<&>#;`|end' in found[-3]["boxes"]
    assert '1. "end" <b>click</b> `x` #35; subgraph' in found[-3]["nodes"]
