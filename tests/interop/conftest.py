"""Paths and fixtures of the interop tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, Path(__file__).resolve().parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from harness.phone import Phone  # noqa: E402
from harness.server import Engine  # noqa: E402

NUMBERS = """\
  8203: {dialplan: interop, entry: ring, public: yes}
  8204: {dialplan: interop, entry: ring_any, public: yes}
  8700: {dialplan: interop, entry: support, public: yes}
"""
DIALPLAN = """\
ringdown: 1
about: 8203 rings agent 203 unanswered, 8204 two agents at once; 8700 is the support queue with nothing but music.
entry: ring

flows:
  ring:
    - dial: {to: 203, ring: 20s, failed: over}
    - hangup: served
  ring_any:
    - dial: {to: [203, 204], mode: parallel, ring: 20s, failed: over}
    - hangup: served
  support:
    - answer
    - queue: {name: support, full: over, no_agents: over, timeout: over}
    - hangup: served
  over:
    - hangup: {outcome: failed, cause: 17}
"""


_FAULTS = {"seen": 0}  # of the shared engine: each is reported once


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs real sockets."""
    here = Path(__file__).resolve().parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine with the demo site for every test that leaves it as it found it."""
    edits = {"queues.yaml": ("wrap_up: 10s", "wrap_up: 1s"), "site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS)}
    with Engine(edits=edits, extra=DIALPLAN) as running:
        yield running


@pytest.fixture(autouse=True)
def _idle_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that used the shared engine must leave no call behind: what hangs on is that test's failure."""
    yield
    if "engine" in request.fixturenames:
        engine: Engine = request.getfixturevalue("engine")
        assert engine.child is not None and engine.child.running(), f"the engine died:\n{engine.output()[-4000:]}"
        try:
            engine.wait_idle(8)
        finally:
            for call in engine.ask("calls"):
                engine.command("call", str(call.get("call")), "hangup")
        faults = [line for line in engine.output().splitlines() if "Traceback" in line][_FAULTS["seen"] :]
        _FAULTS["seen"] += len(faults)
        if faults:
            pytest.fail("a fault in the engine:\n" + faults[0].replace("\\n", "\n"), pytrace=False)


@pytest.fixture
def caller(engine: Engine) -> Iterator[Phone]:
    """A stranger's phone, without credentials."""
    with engine.phone("stranger", secret=False) as phone:
        yield phone
