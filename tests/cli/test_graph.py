"""`ringdown graph`."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.cli.app import run
from engine.records import schema
from engine.records.events import Event
from tests.runtime.test_site_files import broken_site

DEMO = Path(__file__).parents[2] / "dialplans" / "demo"


def test_by_file_and_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", str(DEMO / "dialplans" / "main.yaml")]) == 0
    by_file = capsys.readouterr().out
    assert run(["graph", "main", "--site", str(DEMO)]) == 0
    assert capsys.readouterr().out == by_file
    assert by_file.startswith("flowchart TD\n") and 'start -->|"100"|' in by_file
    assert run(["graph", str(DEMO / "tenants" / "press" / "dialplans" / "orders.yaml"), "--format", "dot"]) == 0
    assert capsys.readouterr().out.startswith('digraph "press/orders" {')


def test_what_can_not_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", "mian"]) == 2
    assert "did you mean 'default/main'?" in capsys.readouterr().err
    assert run(["graph", str(DEMO / "queues.yaml")]) == 2
    assert "is no dialplan" in capsys.readouterr().err
    assert run(["graph", "nowhere.yaml"]) == 2
    assert "doesn't exist" in capsys.readouterr().err
    folder = broken_site(tmp_path / "s")
    assert run(["graph", str(folder / "dialplans" / "main.yaml")]) == 1
    assert "dialplans/main.yaml:4:" in capsys.readouterr().err
    assert run(["graph", "main", "--format", "png"]) == 2


def test_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", "main", "-o", str(tmp_path / "main.mmd")]) == 0
    assert (tmp_path / "main.mmd").read_text().startswith("flowchart TD")
    assert run(["graph", "main", "-o", str(tmp_path / "no" / "main.mmd")]) == 2
    assert "can't write" in capsys.readouterr().err


def test_without_graphviz_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["graph", "main", "--format", "svg"]) == 2
    assert "apt-get install graphviz" in capsys.readouterr().err


@pytest.mark.interop
def test_svg_by_graphviz(tmp_path: Path) -> None:
    assert shutil.which("dot"), "graphviz is missing: tools/test installs it"
    assert run(["graph", "main", "-o", str(tmp_path / "main.svg")]) == 0
    tree = ElementTree.parse(tmp_path / "main.svg")  # our own program wrote it
    words = {text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {"menu main_menu", "star", "full, no_agents, timeout", "while waiting: on_hold"} <= words


def records(path: Path, at_ms: int) -> Path:
    db = sqlite3.connect(path / "ringdown.db")
    for _, script in schema.MIGRATIONS:
        db.executescript(script)
    place = "dialplans/main.yaml:18:7"
    rows = [
        ("call.step", {"step": "main/answer", "text": place}),
        ("call.step", {"step": "main/goto(choose)", "text": place}),
        ("call.step", {"step": "choose/menu(main_menu)", "text": place}),
        ("call.ended", {"by": "caller"}),
    ]  # fmt: skip
    for n, (kind, data) in enumerate(rows, 1):
        event = Event(n, "boot", at_ms + n, n, kind, "default", "call-a", data)
        db.execute(schema.INSERT_EVENT, schema.event_row("node", event))
    db.commit()
    db.close()
    return path


def test_live_paints_what_the_records_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = records(tmp_path, int(time.time() * 1000) - 3_600_000)
    assert run(["graph", "main", "--live", "--data", str(folder)]) == 0
    out = capsys.readouterr().out
    assert '"answer · 1"' in out and '"menu main_menu · 1 ✕1"' in out and '|"answered · 1"|' in out
    assert run(["graph", "main", "--live", "--since", "5m", "--data", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["traffic"]["calls"] == 0
    assert run(["graph", "main", "--live", "--data", str(tmp_path / "none")]) == 1
    assert "no records" in capsys.readouterr().err


def test_it_never_imports_numba() -> None:
    program = (
        "import sys; from engine.cli.app import run; status = run(['graph', 'main']); "
        "sys.exit('imported numba' if 'numba' in sys.modules else status)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)


def test_a_season_is_another_way_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dialplans").mkdir()
    season = "    seasons:\n      - {flow: feast, from: 2026-12-24, until: 2026-12-26}\n"
    numbers = f"numbers:\n  100:\n    dialplan: main\n{season}"
    (tmp_path / "site.yaml").write_text(f"ringdown: 1\nlanguages: [en]\n{numbers}")
    flows = "".join(f"  {name}:\n    - answer\n    - hangup: served\n" for name in ("main", "feast"))
    (tmp_path / "dialplans" / "main.yaml").write_text(f"ringdown: 1\nflows:\n{flows}")
    assert run(["graph", "main", "--site", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert 'start -->|"100"| n0' in out and 'start -->|"100 in season 1"| n2' in out
