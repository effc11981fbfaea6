"""TESTING.md is true: its example passes on the demo site, and every line and key of a test is named."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from engine.cli.test import test as command
from engine.runtime.site_files import read_folder
from engine.sim.examining import examine
from engine.sim.given_reader import KEYS, STATES
from engine.sim.transcript_reader import ACTS, CALLBACK_KEYS, LINES, QUEUE_KEYS

DIALPLANS = Path(__file__).parents[2] / "dialplans"
REFERENCE = (DIALPLANS / "TESTING.md").read_text("utf-8")


def test_the_example_passes_on_the_demo() -> None:
    site = read_folder(DIALPLANS / "demo").site
    assert site is not None
    text = REFERENCE.split("```yaml\n")[1].split("```")[0]
    report = examine(site, {"dialplans/main.test.yaml": text.encode()})
    assert len(report.results) == 3
    assert report.ok(), [result.failure for _, result in report.failed()] or report.findings


@pytest.mark.parametrize("word", [*LINES, *KEYS, *STATES, *ACTS, *QUEUE_KEYS, *CALLBACK_KEYS])
def test_every_word_is_explained(word: str) -> None:
    assert word in REFERENCE


def test_every_option_is_explained() -> None:
    told = inspect.signature(command).parameters
    assert all(f"--{name.replace('_', '-')}" in REFERENCE for name in told if name not in ("paths", "call"))
    assert "--from" in REFERENCE
