"""`ringdown test` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.cli.app import run
from tests.sim.shows import FILE, files

HEAD = "ringdown: 1\ngiven: {dialled: 100}\ntests:\n"
GOOD = f"{HEAD}  one:\n    - hears: [hello, choose]\n  two:\n    - outcome: failed\n"
BAD = f"{HEAD}  wrong:\n    - hears: [hello, goodbye]\n"


def folder(path: Path, **more: str) -> Path:
    for name, data in files(**more).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def test_a_site_whose_tests_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", str(folder(tmp_path, **{FILE: GOOD}))]) == 0
    assert capsys.readouterr().out.startswith("2 tests in 1 files, 0 failed")


def test_a_failure_shows_line_caret_what_was_heard_and_the_transcript(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["test", str(folder(tmp_path, **{FILE: BAD}) / FILE)]) == 1
    out = capsys.readouterr().out.split("\n")
    assert out[0] == "dialplans/main.test.yaml:5:22: wrong: expected to hear goodbye"
    assert out[1] == "        - hears: [hello, goodbye]" and out[2] == " " * 25 + "^^^^^^^"
    assert out[3].startswith("    but heard choose “Press 1 or 2.” at 0.4 s, from dialplans/main.yaml:12:7")
    assert out[5].endswith("5550100 dials 100, Wednesday 2026-03-04 10:00 Europe/London")
    assert "1 tests in 1 files, 1 failed" in out[-2]


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = folder(tmp_path, **{FILE: GOOD, "dialplans/main.b.test.yaml": BAD})
    assert run(["test", str(site), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["files"], [each["ok"] for each in told["tests"]]) == (False, 2, [False, True, True])
    wrong = told["tests"][0]
    assert wrong["expected"] == "to hear goodbye" and wrong["at"] == "dialplans/main.b.test.yaml:5:22"
    assert wrong["transcript"] and wrong["call_seconds"] < 5


def test_junit_is_read_by_what_reads_junit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = folder(tmp_path / "s", **{FILE: GOOD, "dialplans/main.b.test.yaml": BAD, "dialplans/x.test.yaml": "a: 1\n"})
    report = tmp_path / "j.xml"
    assert run(["test", str(site), "--junit", str(report)]) == 1
    root = ElementTree.parse(report).getroot()
    assert [(suite.get("name", "").split(":")[0], suite.get("failures")) for suite in root] == [
        ("dialplans/main.b.test.yaml", "1"), ("dialplans/main.test.yaml", "0"), ("dialplans/x.test.yaml", "0"),
        ("dialplans/x.test.yaml", "0"), ("dialplans/x.test.yaml", "0"),
    ]  # fmt: skip
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None and "to hear goodbye" in failure.get("message", "") and "^^^" in (failure.text or "")
    assert root.find("testsuite/testcase/error") is not None
    assert run(["test", str(site), "--junit", str(tmp_path / "no" / "j.xml")]) == 2
    assert "can't write" in capsys.readouterr().err


def test_a_folder_of_sites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path / "a", **{FILE: GOOD})
    folder(tmp_path / "b", **{FILE: BAD})
    assert run(["test", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("b/dialplans/main.test.yaml:5:22: wrong") and "3 tests in 2 files, 1 failed" in out


def test_only_some_and_with_their_transcripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = folder(tmp_path, **{FILE: GOOD})
    assert run(["test", str(site), "--match", "two", "--transcript"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("dialplans/main.test.yaml:6:3: two: ok") and "one: ok" not in out
    assert "hears goodbye “Goodbye.”" in out and "1 tests in 1 files" in out


def test_what_can_not_be_tested(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = folder(tmp_path / "a")
    assert run(["test", str(empty)]) == 1
    assert "no test: write one" in capsys.readouterr().out
    broken = folder(tmp_path / "b", **{FILE: GOOD, "dialplans/main.yaml": "ringdown: 1\nflows: {}\n"})
    assert run(["test", str(broken)]) == 1
    assert "error RD" in capsys.readouterr().out
    assert run(["test", str(tmp_path / "none")]) == 2
    assert run(["test", str(empty / "dialplans" / "main.yaml")]) == 2
    assert "is no file of tests" in capsys.readouterr().err
    (tmp_path / "c").mkdir()
    assert run(["test", str(tmp_path / "c")]) == 2
    assert "is no site and holds none" in capsys.readouterr().err


def test_numba_is_never_imported(tmp_path: Path) -> None:
    script = (
        "import sys; from engine.cli.app import run; status = run(sys.argv[1:]); "
        "sys.exit('imported numba' if 'numba' in sys.modules else status)"
    )
    site = folder(tmp_path, **{FILE: GOOD})
    done = subprocess.run([sys.executable, "-c", script, "test", str(site)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_coverage_names_what_nobody_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = folder(tmp_path, **{FILE: GOOD})
    assert run(["test", str(site), "--coverage"]) == 0
    out = capsys.readouterr().out
    assert "dialplans/main.yaml:23:7: enter/gather(ask_code): never reached" in out
    assert "dialplans/main.yaml:12:7: main/menu(choose): never left by 1" in out
    assert "coverage: steps 5 of 14 (36 %), branches 1 of 9 (11 %)" in out
    assert run(["test", str(site), "--coverage-min", "20"]) == 1
    assert "the site: less than 20 %" in capsys.readouterr().out
    assert run(["test", str(site), "--coverage", "--json"]) == 0
    cover = json.loads(capsys.readouterr().out)["coverage"][0]
    assert (cover["steps"], cover["steps_seen"], cover["branches_seen"]) == (14, 5, 1)
    assert {"place": "dialplans/main.yaml:12:7", "step": "main/menu(choose)", "way": "2"} in cover["missing"]


def test_golden_transcripts_are_kept_compared_and_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = folder(tmp_path, **{FILE: GOOD})
    assert run(["test", str(site), "--golden"]) == 0
    kept = site / "dialplans" / "main.test.golden.txt"
    before = kept.read_text("utf-8")
    assert "[one]" in before and "hears choose “Press 1 or 2.”" in before
    assert run(["test", str(site), "--golden"]) == 0 and kept.read_text("utf-8") == before
    prompts = site / "prompts" / "en.yaml"
    prompts.write_text(prompts.read_text("utf-8").replace("hello: Hello.", "hello: Good day."), "utf-8")
    assert run(["test", str(site)]) == 0
    capsys.readouterr()
    assert run(["test", str(site), "--golden"]) == 1
    out = capsys.readouterr().out
    assert "one: expected line 2 of the golden transcript, “0.0 s  hears hello “Hello.””" in out
    assert "but “0.0 s  hears hello “Good day.””" in out and kept.read_text("utf-8") == before
    assert run(["test", str(site), "--golden-write"]) == 0 and "Good day." in kept.read_text("utf-8")
    assert run(["test", str(site), "--golden"]) == 0
    assert run(["check", str(site)]) == 0  # the kept file is nothing that a site's reader trips over
