"""The page about a machine says what was measured, and every shipped one holds by its own figures."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools import host_size

ROOT = Path(__file__).resolve().parents[2]
FOUND = {"cpu_s_per_call_minute": 0.03, "gaps_ms": {"within_20_3_percent": 99.9, "max": 23.4}, "lost": 0,
         "rss_kib_per_call": 41.2}  # fmt: skip


def test_a_step_keeps_its_figures_and_says_why_it_does_not_hold() -> None:
    step = host_size.step_of(300, FOUND)
    assert (step["core_percent"], step["gaps_outside_percent"], step["longest_gap_ms"]) == (15.0, 0.1, 23.4)
    assert host_size.why_not(step) == ""
    assert host_size.why_not({**step, "lost": 3}) == "3 packets lost"
    assert host_size.why_not({**step, "gaps_outside_percent": 1.5}).startswith("1.5 % of the packets")
    assert host_size.why_not({**step, "core_percent": 71.0}) == "71.0 % of a core"


def test_the_page_is_yaml_that_adds_up() -> None:
    good, bad = host_size.step_of(100, FOUND), host_size.step_of(200, {**FOUND, "lost": 9})
    text = host_size.page("box", {"processor": 'A "B" C', "cores": 2}, [good, bad], 0.5, "2026-11-27", 10)
    found = yaml.safe_load(text)
    assert found["calls_held"] == 100 and found["calls_advised"] == 50
    assert found["ended_by"] == "200 calls: 9 packets lost" and found["machine"]["processor"] == "A 'B' C"
    assert found["measured"]["load_before"] == 0.5 and found["measured"]["busy"] is False
    busy = yaml.safe_load(host_size.page("box", {"cores": 2}, [good], 7.0, "2026-11-27", 10))
    assert busy["measured"]["busy"] is True and len(found["steps"]) == 2
    assert yaml.safe_load(host_size.page("box", {}, [bad], 0.0, "2026-11-27", 10))["calls_held"] == 0


@pytest.mark.parametrize("arguments", [["Big Box"], ["box", "--steps", "100,50"], ["box", "--steps", "a"]])
def test_wrong_words_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        host_size.main(arguments)
    assert left.value.code == 2


def faults(path: Path) -> list[str]:
    """What a page about a machine says that its own figures don't."""
    found = yaml.safe_load(path.read_text("utf-8"))
    held = [step["calls"] for step in found["steps"] if not host_size.why_not(step)]
    best = held[-1] if held else 0
    wrong = []
    if found["host"] != path.stem:
        wrong.append("called otherwise than its file")
    if (found["calls_held"], found["calls_advised"]) != (best, int(best * host_size.RESERVE)):
        wrong.append("other calls than its steps")
    if found["measured"].keys() != {"day", "engine", "seconds_per_step", "load_before", "busy", "how"}:
        wrong.append("how it was measured")
    if found["measured"].get("busy") is not False:
        wrong.append("measured on a busy machine: too low, and would be believed")
    return wrong


def test_pages_hold_by_their_own_figures(tmp_path: Path) -> None:
    assert not {path.name: faults(path) for path in (ROOT / "hardware").glob("hosts/*.yaml") if faults(path)}
    good = host_size.page("box", {"cores": 2}, [host_size.step_of(100, FOUND)], 0.1, "2026-11-27", 10)
    (tmp_path / "box.yaml").write_text(good)
    assert faults(tmp_path / "box.yaml") == []
    (tmp_path / "box.yaml").write_text(good.replace("calls_held: 100", "calls_held: 900"))
    assert faults(tmp_path / "box.yaml") == ["other calls than its steps"]
    (tmp_path / "box.yaml").write_text(good.replace("busy: no", "busy: yes"))
    assert faults(tmp_path / "box.yaml") == ["measured on a busy machine: too low, and would be believed"]


def test_a_busy_machine_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert host_size.too_busy(0.4, 2) == "" and "load 3.0 on 2 cores" in host_size.too_busy(3.0, 2)
    monkeypatch.setattr("os.getloadavg", lambda: (9.0, 9.0, 9.0))
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr(host_size, "climb", lambda *_: pytest.fail("measured all the same"))
    assert host_size.main(["box"]) == 2
    assert "Wait for a quiet time, or say --busy" in capsys.readouterr().err


def test_the_machine_is_described() -> None:
    facts = host_size.machine()
    assert facts["cores"] >= 1 and facts["memory_mib"] > 100 and facts["processor"]
