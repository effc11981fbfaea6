"""What we stand on: imports are declared, the locks are complete, hashed and name no address."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.source import ROOT, engine_modules, imports, parse, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("requirements.txt", "requirements-test.txt")
OURS = {"engine", "tools", "tests", "harness", "conftest"}
IMPORT_NAMES = {"pyyaml": "yaml", "import-linter": "importlinter", "pyvoip": "pyvoip", "pytest-xdist": "xdist",
                "visqol-python": "visqol", "webrtcvad-wheels": "webrtcvad", "dnspython": "dns"}
NOT_LOCKED = {"docopt": "num2words' command line alone wants it, and it has no wheel"}


def canonical(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def import_names(requirements: list[str]) -> set[str]:
    return {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in map(canonical, requirements)}


def locked(text: str) -> dict[str, list[str]]:
    """Package -> hashes."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", text):
        match = re.match(r"([a-z0-9-]+)==\S+", block)
        if match:
            found[match.group(1)] = re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", block)
    return found


def third_party(path: Path) -> set[str]:
    module = parse(path.read_text("utf-8"), str(path.relative_to(ROOT)))
    names = {name.split(".")[0] for _, name in imports(module)}
    return {name for name in names if name not in sys.stdlib_module_names and name not in OURS}


def test_the_engine_imports_only_what_it_declares() -> None:
    declared = import_names(PROJECT["dependencies"])
    used = {name for module in engine_modules() for name in third_party(ROOT / module.path)}
    drawn = {module.path for module in engine_modules() if "matplotlib" in third_party(ROOT / module.path)}
    assert drawn == {"engine/cli/report_plot.py"}, "an extra (plots): imported there, when a picture is asked for"
    pronounced = {module.path for module in engine_modules() if "pypinyin" in third_party(ROOT / module.path)}
    assert pronounced == {"engine/speech/wording.py"}, "an extra (prompts): imported there, when Mandarin is spoken"
    assert used <= declared | {"llvmlite", "matplotlib", "pypinyin"}, used - declared
    assert "pyVoIP" not in used


def test_tests_and_tools_import_only_what_they_declare() -> None:
    extras = [name for group in PROJECT["optional-dependencies"].values() for name in group]
    peers = {"pyVoIP", "pipecat", "websockets"}  # tools/peer_packages; the last one is vosk's own
    declared = import_names(PROJECT["dependencies"] + extras) | peers
    tests = tracked("tests/**/*.py")
    siblings = {path.stem for path in tests} | {path.parent.name for path in tests}
    trainer = set(tracked("tools/train/*.py"))
    used = {name for path in {*tests, *tracked("tools/**/*.py")} - trainer for name in third_party(path)}
    assert used <= declared | siblings, used - declared - siblings
    # the trainer of the speech model has requirements of its own, which neither the engine nor CI installs
    lines = (ROOT / "tools/train/requirements.txt").read_text("utf-8").splitlines()
    training = import_names([line for line in lines if line and not line.startswith("#")])
    assert all("==" in line for line in lines if line and not line.startswith("#")), "pinned"
    needed = {name for path in trainer for name in third_party(path)}
    assert needed <= declared | training, needed - declared - training


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_hashed_and_name_no_address(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    packages = locked(text)
    assert len(packages) > 15
    assert all(packages.values()), [package for package, hashes in packages.items() if not hashes]
    assert "://" not in text and "index-url" not in text and "find-links" not in text and "file:" not in text


def test_locks_cover_what_is_declared() -> None:
    run, test = (locked((ROOT / name).read_text("utf-8")) for name in LOCKS)
    assert {canonical(name) for name in PROJECT["dependencies"]} <= run.keys()
    extras = [name for group in PROJECT["optional-dependencies"].values() for name in group]
    assert {canonical(name) for name in extras} <= test.keys()
    assert run.items() <= test.items(), "the test lock must hold the run-time lock's own versions"
    assert not NOT_LOCKED.keys() & (run.keys() | test.keys())


def test_nothing_left_out_is_imported() -> None:
    assert not [module.path for module in engine_modules() if third_party(ROOT / module.path) & NOT_LOCKED.keys()]


def test_the_lock_reader_reads() -> None:
    sample = "a-b==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via x\nc==2\n"
    assert locked(sample) == {"a-b": ["sha256:" + "0" * 64], "c": []}
