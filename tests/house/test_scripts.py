"""tools/run and tools/setup in a folder of their own, with a stand-in for Python that writes down how it was called."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.house.source import ROOT

STAND_IN = """#!/bin/sh
printf '%s|%s\\n' "$PYTHONPATH" "$*" >>"{log}"
case "$*" in
"-m venv"*) mkdir -p "{venv}/bin" && cp "$0" "{venv}/bin/python" ;;
*"pip install"*) sleep {slow}; exit {pip_status} ;;
esac
exit 0
"""


class House:
    """A repository with just the scripts, a lock and one kernel."""

    def __init__(self, top: Path, *, pip_status: int = 0, slow: str = "0") -> None:
        self.top, self.log = top, top / "log"
        (top / "tools").mkdir(parents=True)
        (top / "engine").mkdir()
        for name in ("run", "setup"):
            shutil.copy(ROOT / "tools" / name, top / "tools" / name)
        (top / "engine" / "limits.py").write_text("legs_max = 4\n")
        (top / "engine" / "kernel.py").write_text("from engine import jit\n")
        (top / "requirements.txt").write_text("numpy==1.0 --hash=sha256:0\n")
        (top / "requirements-test.txt").write_text("numpy==1.0 --hash=sha256:0\npytest==1.0 --hash=sha256:0\n")
        self.python = top / "stand-in"
        text = STAND_IN.format(log=self.log, venv=top / ".venv", pip_status=pip_status, slow=slow)
        self.python.write_text(text)
        self.python.chmod(0o755)

    def start(self, *command: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHON": str(self.python), "PYTHONPATH": ""}
        return subprocess.Popen(
            [str(self.top / command[0]), *command[1:]], cwd="/", env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*command)
        out, errors = process.communicate(timeout=30)
        return subprocess.CompletedProcess(command, process.returncode, out, errors)

    def calls(self) -> list[str]:
        """What Python was asked to do since the last time, without probing."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [line.split("|", 1)[1] for line in lines if "|-c " not in line and "--version" not in line]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def test_the_first_run_sets_up_compiles_and_serves(house: House) -> None:
    assert house.run("tools/run").returncode == 0
    calls = house.calls()
    assert calls[0].startswith("-m venv --clear")
    install = next(call for call in calls if "pip install" in call)
    assert "--require-hashes" in install and "--no-deps" in install and "--only-binary :all:" in install
    assert install.endswith("requirements.txt")
    assert calls[-2:] == ["-P -m engine warm", "-P -m engine serve"]


def test_a_later_run_goes_straight_to_ringdown(house: House) -> None:
    house.run("tools/run")
    house.calls()
    began = time.monotonic()
    assert house.run("tools/run", "dial", "100", "--press", "1").returncode == 0
    assert house.run("tools/run").returncode == 0
    assert time.monotonic() - began < 2 * 0.3
    assert house.calls() == ["-P -m engine dial 100 --press 1", "-P -m engine serve"]


def test_commands_that_need_no_kernel_compile_none(house: House) -> None:
    house.run("tools/run", "check", "somewhere")
    assert house.calls()[-1] == "-P -m engine check somewhere"
    assert not (house.top / ".venv" / "kernels").exists()


def test_a_changed_lock_installs_again_and_a_changed_kernel_compiles_again(house: House) -> None:
    house.run("tools/run")
    house.calls()
    (house.top / "requirements.txt").write_text("numpy==2.0 --hash=sha256:1\n")
    house.run("tools/run", "calls")
    assert any("pip install" in call for call in house.calls())
    (house.top / "engine" / "kernel.py").write_text("from engine import jit\nx = 1\n")
    house.run("tools/run")
    assert house.calls() == ["-P -m engine warm", "-P -m engine serve"]


def test_a_failed_installation_is_said_and_not_taken_for_done(tmp_path: Path) -> None:
    broken = House(tmp_path / "broken", pip_status=1)
    result = broken.run("tools/run", "calls")
    assert result.returncode == 1
    assert "could not install requirements.txt" in result.stderr and not result.stdout
    assert not (broken.top / ".venv" / "lock").exists()


def test_two_terminals_set_up_once(tmp_path: Path) -> None:
    slow = House(tmp_path / "slow", slow="0.5")
    both = [slow.start("tools/setup") for _ in range(2)]
    errors = [process.communicate(timeout=30)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("pip install" in call for call in slow.calls()) == 1
    assert sum("waiting" in text for text in errors) == 1


def test_the_test_tools_count_as_set_up_for_running_too(house: House) -> None:
    house.run("tools/setup", "--test")
    assert house.calls()[-1].endswith("requirements-test.txt")
    house.run("tools/run", "calls")
    assert house.calls() == ["-P -m engine calls"]


def test_without_a_python_the_reason_is_given(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = house.top / "bin"
    bare.mkdir()
    for name in ("sh", "cat", "sha256sum", "dirname", "readlink", "flock", "grep"):
        found = shutil.which(name)
        assert found
        (bare / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(bare))
    house.python = Path("no-python-here")
    result = house.run("tools/setup")
    assert result.returncode == 1 and "Python 3.11, 3.12 or 3.13 is needed" in result.stderr
