"""The wheel holds the engine, the stock prompts and the demo site."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.source import ENGINE, ROOT, tracked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names in a wheel built from a copy of the sources, so that nothing is left in the repository."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("engine", "prompts", "dialplans", "hardware"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(source / "out"), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout[-2_000:] + built.stderr[-2_000:]
    (path,) = (source / "out").glob("*.whl")
    return zipfile.ZipFile(path).namelist()


@pytest.mark.slow
def test_the_wheel_holds_every_module(wheel: list[str]) -> None:
    modules = {str(path.relative_to(ROOT)) for path in ENGINE.rglob("*.py")}
    assert modules <= set(wheel), modules - set(wheel)
    assert "engine/py.typed" in wheel


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["prompts", "dialplans/demo", "hardware/gateways", "hardware/phones"])
def test_the_wheel_holds_data(wheel: list[str], folder: str) -> None:
    files = tracked(f"{folder}/**/*.yaml", f"{folder}/**/*.wav")
    assert files
    expected = {f"engine/share/{path.relative_to(ROOT)}" for path in files}
    assert expected <= set(wheel), sorted(expected - set(wheel))[:10]


@pytest.mark.slow
def test_the_wheel_holds_the_models_of_speech(wheel: list[str]) -> None:
    files = {str(path.relative_to(ROOT)) for path in tracked("engine/speech/models/**/*")}
    assert any(name.endswith("am/final.mdl") for name in files)
    assert files <= set(wheel), sorted(files - set(wheel))


@pytest.mark.slow
def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    strange = [name for name in wheel if not name.startswith("engine/") and ".dist-info/" not in name]
    assert not strange
    assert any(name.endswith("licenses/LICENSE") for name in wheel)


def test_sources_are_where_the_mapping_says() -> None:
    for folder in ("prompts", "dialplans/demo", "hardware/gateways", "hardware/phones"):
        assert (ROOT / Path(folder)).is_dir()
