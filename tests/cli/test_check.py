"""`ringdown check`: sites, and files within them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.runtime.test_site_files import broken_site

DEMO = Path(__file__).parents[2] / "dialplans" / "demo"


def test_the_demo_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(DEMO)]) == 0
    assert " 0 errors" in capsys.readouterr().out
    assert run(["check", str(DEMO / "dialplans" / "main.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_a_broken_site_shows_place_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = broken_site(tmp_path / "s")
    assert run(["check", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "dialplans/main.yaml:4:" in out and "^" in out and "answer" in out
    assert run(["check", str(folder / "dialplans" / "main.yaml"), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings and all(finding["file"] == "dialplans/main.yaml" for finding in findings)


def test_ways_out_and_none_for_emergencies_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "s"
    shutil.copytree(DEMO, folder)
    (folder / "trunks.yaml").write_text("carrier: {host: sip.example.net}\n")
    (folder / "outbound.yaml").write_text("0x.: carrier\n")
    assert run(["check", str(folder)]) == 1
    assert "outbound.yaml:1:1: error RD361" in capsys.readouterr().out
    site = (folder / "site.yaml").read_text()
    place = "location: {country: DE, A3: Berlin, RD: Ring}"
    (folder / "site.yaml").write_text(f"{site}\nemergency: {{country: de, trunks: [carrier], {place}}}\n")
    assert run(["check", str(folder)]) == 0


def test_a_file_outside_any_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "alone.yaml").write_text("ringdown: 1\n")
    assert run(["check", str(tmp_path / "alone.yaml")]) == 2
    assert "no site.yaml" in capsys.readouterr().err


PLAN = "ringdown: 1\nflows:\n  main:\n    - answer   # at once\n    - silence: 30 seconds\n    - music\n"


def site(folder: Path, plan: str = PLAN) -> Path:
    (folder / "dialplans").mkdir(parents=True)
    (folder / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\nnumbers: {100: {dialplan: main, public: yes}}\n")
    (folder / "dialplans" / "main.yaml").write_text(plan)
    return folder


def test_fix_writes_what_has_one_correction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path / "s")
    plan = folder / "dialplans" / "main.yaml"
    plan.chmod(0o640)
    assert run(["check", str(folder)]) == 1
    capsys.readouterr()
    assert run(["check", str(folder), "--fix"]) == 0
    out = capsys.readouterr().out
    assert f"{plan}:5:16: fixed RD024" in out
    assert "0 errors, 1 warnings" in out
    assert plan.read_text() == PLAN.replace("30 seconds", "30s")
    assert plan.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in plan.parent.iterdir()] == ["main.yaml"]
    before = plan.stat().st_mtime_ns
    assert run(["check", str(plan), "--fix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mended"] == []
    assert plan.stat().st_mtime_ns == before


def test_a_fix_that_cannot_be_written_leaves_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path / "s")
    (folder / "dialplans" / ".main.yaml.mending").mkdir()
    assert run(["check", str(folder), "--fix"]) == 1
    assert "as it was" in capsys.readouterr().err
    assert (folder / "dialplans" / "main.yaml").read_text() == PLAN


def test_a_finding_says_how_to_hear_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path / "s")
    run(["check", str(folder)])
    out = capsys.readouterr().out
    assert f"{folder}/dialplans/main.yaml:5:16: error RD024" in out
    assert "to hear it: ringdown try main" in out


def test_waivers_are_counted_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = PLAN.replace("30 seconds", "30s").replace("flows:", "allow: {RD201: there to be heard}\nflows:")
    folder = site(tmp_path / "s", plan)
    assert run(["check", str(folder), "--strict"]) == 0
    out = capsys.readouterr().out
    assert "main.yaml:7:7: waived RD201: there to be heard" in out
    assert out.endswith("0 errors, 0 warnings, 1 waived\n")
    assert run(["check", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["waived"] for each in found["waived"]] == ["there to be heard"]
    assert found["findings"] == []


def test_a_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--explain", "rd051"]) == 0
    assert "RD051 loop without input (error)" in capsys.readouterr().out
    assert run(["check", "--explain", "RD051", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "loop without input"
    assert run(["check", "--explain", "RD05l"]) == 2
    assert "no finding has the code 'RD05L'" in capsys.readouterr().err


def test_no_path_and_a_path_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == 2
    assert "which site" in capsys.readouterr().err
    assert run(["check", str(tmp_path / "none"), "--fix"]) == 2
    assert "doesn't exist" in capsys.readouterr().err


def test_what_is_open_at_a_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path / "s", PLAN.replace("30 seconds", "30s"))
    assert run(["check", str(folder), "--at", "2026-12-25"]) == 0
    assert "no calendar says what is open at 2026-12-25" in capsys.readouterr().out
    (folder / "calendars.yaml").write_text("office: {open: [mon-fri 09:00-17:00], holidays: GB}\n")
    assert run(["check", str(folder), "--at", "2026-12-25"]) == 0
    shown = capsys.readouterr().out
    assert "default/office" in shown and "holiday" in shown and "Christmas Day" in shown
    assert run(["check", str(folder), "--at", "2026-11-26 10:00", "--json"]) == 0
    opened = json.loads(capsys.readouterr().out)["open"]
    assert [(each["calendar"], each["state"]) for each in opened] == [("default/office", "open")]
    assert run(["check", str(folder), "--at", "yesterday"]) == 2
    assert "2026-12-25" in capsys.readouterr().err
    (folder / "dialplans" / "main.yaml").write_text(PLAN)
    assert run(["check", str(folder), "--at", "2026-12-25"]) == 1


SITES = sorted(path.parent for path in DEMO.parent.glob("*/site.yaml"))


@pytest.mark.parametrize("folder", SITES, ids=lambda folder: folder.name)
def test_a_shipped_site_has_no_finding(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(folder), "--strict", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    assert run(["check", str(folder), "--fix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mended"] == []


def test_checking_imports_no_kernel(tmp_path: Path) -> None:
    folder = site(tmp_path / "s", PLAN.replace("30 seconds", "30s"))
    code = f"import sys; from engine.cli.app import run; print(run(['check', {str(folder)!r}]), 'numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"


MISTAKEN = """ringdown: 1
flows:
  main:
    - answer
    - menu:
        prompt: one_moment
        tries: 2
        choices:
          1: ask
        failed: bye
  ask:
    - menu:
        prompt: please_hold
        tries: 2
        choices:
          5: bye
  bye:
    - play: goodbye
    - hangup: served
"""


def test_the_command_of_a_finding_lets_one_hear_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site(tmp_path / "s", MISTAKEN)
    assert run(["check", str(folder), "--json"]) == 1
    finding = json.loads(capsys.readouterr().out)["findings"][0]
    assert (finding["code"], finding["line"]) == ("RD052", 12)
    assert finding["hear"] == "ringdown try main --keys '1 _ _'"
    # the site is refused, and its caller's way can still be walked to where it goes wrong
    assert run([*shlex.split(finding["hear"])[1:], "--site", str(folder)]) == 0
    told = capsys.readouterr()
    assert "the site is refused (1 errors" in told.err
    assert told.out.count("please_hold") >= 2
    assert "goodbye" not in told.out  # nothing follows: the call ends without a word


def test_a_warning_is_heard_by_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = MISTAKEN.replace("          5: bye\n", "          5: bye\n        failed: wait\n") + "  wait:\n    - music\n"
    folder = site(tmp_path / "s", plan)
    assert run(["check", str(folder), "--json"]) == 0
    hear = {each["code"]: each["hear"] for each in json.loads(capsys.readouterr().out)["findings"]}
    assert hear["RD201"] == "ringdown try main --keys '1 _ _'"
    assert run([*shlex.split(hear["RD201"])[1:], "--site", str(folder)]) == 0
    assert "wait/music" in capsys.readouterr().out
