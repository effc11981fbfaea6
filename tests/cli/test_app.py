"""The command line as a whole: statuses 0, 1 and 2, and a start that costs nothing it doesn't need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine import __version__
from engine.cli.app import run
from tests.cli.engine_double import engine, refused


@pytest.mark.parametrize(("arguments", "status"), [
    (["--version"], 0), (["nonsense"], 2), (["calls", "--nonsense"], 2), (["calls", "--limit", "0"], 2),
    (["agent"], 2), (["calls", "--help"], 0), (["check", "/no/such/path"], 2),
])
def test_statuses(arguments: list[str], status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)] if arguments[0] == "calls" else []
    assert run([*arguments, *data]) == status
    if status == 2:
        assert capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0 and capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("command", [["agents"], ["queues"], ["status"], ["reload"], ["tail"], ["calls", "--live"],
                                     ["call", "last"], ["agent", "200", "ready"]])
def test_without_an_engine_the_remedy_is_named(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--data", str(tmp_path)]) == 1
    assert "ringdown serve" in capsys.readouterr().err


def test_what_the_engine_refuses_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"agent.ready": refused("no agent '999'")}):
        assert run(["agent", "999", "ready", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "ringdown: no agent '999'\n"


def test_calls_loads_nothing_that_makes_a_start_slow(tmp_path: Path) -> None:
    script = (
        "import sys; from engine.cli.app import run; status = run(sys.argv[1:]); "
        "heavy = {'numba', 'numpy', 'uvloop', 'asyncio', 'structlog', 'aiosqlite', 'textual', 'matplotlib'}; "
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else status)"
    )
    command = [sys.executable, "-c", script, "calls", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_reading_commands_never_import_numba(tmp_path: Path) -> None:
    script = (
        "import sys; from engine.cli.app import run; status = run(sys.argv[1:]); "
        "sys.exit('imported numba' if 'numba' in sys.modules else status)"
    )
    demo = Path(__file__).parents[2] / "dialplans" / "demo"
    done = subprocess.run([sys.executable, "-c", script, "check", str(demo)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_command_stands_once() -> None:
    from engine.cli.app import _COMMANDS

    names = [name for name, _ in _COMMANDS]
    assert len(names) == len(set(names)) and {"check", "test", "try", "reload", "serve"} <= set(names)
