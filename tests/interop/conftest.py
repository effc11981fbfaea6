"""Paths and fixtures of the interop tests."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, Path(__file__).resolve().parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from harness import shark  # noqa: E402
from harness.phone import Phone  # noqa: E402
from harness.server import Engine  # noqa: E402

NUMBERS = """\
  8203: {dialplan: interop, entry: ring, public: yes}
  8204: {dialplan: interop, entry: ring_any, public: yes}
  8205: {dialplan: interop, entry: alone, public: yes, fax: ring}
  8700: {dialplan: interop, entry: support, public: yes}
"""
DIALPLAN = """\
ringdown: 1
about: >
  8203 rings agent 203 unanswered, 8204 two agents at once, 8205 echoes until it hears a fax, which rings 203; 8700 is
  the support queue with nothing but music.
entry: ring

flows:
  ring:
    - dial: {to: 203, ring: 20s, failed: over}
    - hangup: served
  ring_any:
    - dial: {to: [203, 204], mode: parallel, ring: 20s, failed: over}
    - hangup: served
  alone:
    - answer
    - echo
  support:
    - answer
    - queue: {name: support, full: over, no_agents: over, timeout: over}
    - hangup: served
  over:
    - hangup: {outcome: failed, cause: 17}
"""


_SHARED: list[Engine] = []
_FAULTS = {"seen": 0}  # of the shared engine: each is reported once


# They wait for deadlines or exchange messages, and judge neither sound nor speed: `tools/test` runs several at a time.
PATIENT = {
    "test_calls", "test_dialogs", "test_registrar", "test_rude_phone", "test_vanishing",
    "test_versions", "test_editors", "test_drawings", "test_bank", "test_network",
    "test_provisioning", "test_first_line", "test_signalling", "test_secrets_kept",
    "test_agent_bus",
}  # fmt: skip

# They judge speed, or sound under losses and load, or load the machine themselves: nothing runs beside them.
ALONE = {
    "test_clock", "test_crowd", "test_edge", "test_hostile", "test_load_tools", "test_quality", "test_readme",
    "test_recovery_soak", "test_speech", "test_speech_kills", "test_speech_sipp", "test_spoken_call", "test_utterances",
}  # fmt: skip


shark.BRIEF |= ALONE


def pytest_configure(config: pytest.Config) -> None:
    shark.NOTES.on = True
    config.addinivalue_line("markers", "patient: waits more than it works, and may do so beside several others")
    config.addinivalue_line("markers", "paired: talks in real time, and may do so beside one other")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs real sockets; slow is what waits for a deadline.

    Patient ones come first, slow and quick by turns: a process of several that takes a slow one has a quick one behind.
    """
    here = Path(__file__).resolve().parent
    slow, quick, others = [], [], []
    for item in items:
        if here not in item.path.parents:
            others.append(item)
            continue
        item.add_marker(pytest.mark.interop)
        if item.path.stem not in PATIENT and not item.get_closest_marker("slow"):
            if item.path.stem not in ALONE:
                item.add_marker(pytest.mark.paired)
            others.append(item)
            continue
        item.add_marker(pytest.mark.patient)
        (slow if item.get_closest_marker("slow") else quick).append(item)
    if "PYTEST_XDIST_WORKER" in os.environ:
        turns = [item for pair in zip_longest(slow, quick) for item in pair if item is not None]
        items[:] = [*turns, *others]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    shark.NOTES.tests.append((time.time(), item.nodeid))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """One process of several: what was read goes to the one that tells of it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["captures"] = shark.NOTES.told()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    shark.NOTES.add(getattr(node, "workeroutput", {}).get("captures", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tshark read; with the modules that were watched only for a moment."""
    notes = shark.NOTES
    if notes.said:
        terminalreporter.section("captures read by tshark")
        terminalreporter.write_line(f"{len(notes.said)} captures, {notes.frames} frames, {notes.seconds:.1f} s for it")
        for line in sorted(notes.said):
            terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure tells what the engine was doing at that moment: agents, calls, its last events and lines."""
    report = yield
    engine = getattr(item, "funcargs", {}).get("engine")
    if report.failed and isinstance(engine, Engine) and engine.folder.exists():
        report.sections.append(("the engine", engine.story()))
    return report


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine with the demo site for every test that leaves it as it found it."""
    edits = {"queues.yaml": ("wrap_up: 10s", "wrap_up: 1s"), "site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS)}
    with Engine(edits=edits, extra=DIALPLAN) as running:
        _SHARED.append(running)
        yield running


@pytest.fixture(autouse=True, scope="module")
def _wire_is_sound(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the shared engine said in a module is that module's failure; other engines are judged when they stop."""
    yield
    for engine in _SHARED:
        if engine.watch is not None:
            engine.watch.roll()


@pytest.fixture(autouse=True)
def _idle_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that used the shared engine must leave no call and no agent at work behind: that is its own failure.

    An agent left logged in would be offered the next test's caller, at a phone that is gone.
    """
    yield
    if "engine" in request.fixturenames:
        engine: Engine = request.getfixturevalue("engine")
        assert engine.child is not None and engine.child.running(), f"the engine died:\n{engine.output()[-4000:]}"
        try:
            engine.wait_idle(8)
        finally:
            for call in engine.ask("calls"):
                engine.command("call", str(call.get("call")), "hangup")
            stayed = engine.send_home()
        faults = [line for line in engine.output().splitlines() if "Traceback" in line][_FAULTS["seen"] :]
        _FAULTS["seen"] += len(faults)
        if faults:
            pytest.fail("a fault in the engine:\n" + faults[0].replace("\\n", "\n"), pytrace=False)
        assert not stayed, f"agents {stayed} were left logged in"


@pytest.fixture
def caller(engine: Engine) -> Iterator[Phone]:
    """A stranger's phone, without credentials."""
    with engine.phone("stranger", secret=False) as phone:
        yield phone
