"""A caller who waits, over real sockets: overflow, the estimate as it sounds, cut off by the agent's answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import listening
import pytest
from harness.children import until
from harness.desks import desk, sipp_desk
from harness.rtp import Ear
from harness.server import ROOT, Engine

LEARNT = 16  # conversations after which the engine says how long a wait will be
QUEUES = """\
first:
  ring: 20s
  overflow: [{if: waited > 2s, queue: second, credit: full}]
second:
  ring: 20s
  announce: {position: 30s, estimate: 10s}
support:
"""
AGENTS = """\
210: {name: Kim, queues: [second]}
211: {name: Lou, queues: [first]}
200:"""
DIALPLAN = """\
ringdown: 1
about: 8701 waits in first, which overflows into second; 8702 is second itself
entry: second
flows:
  first:
    - answer
    - queue: {name: first, announce: {estimate: 10s, position: 30s}, full: over, no_agents: over, timeout: over}
    - hangup: served
  second:
    - answer
    - queue: {name: second, full: over, no_agents: over, timeout: over}
    - hangup: served
  over:
    - hangup: {outcome: failed, cause: 17}
"""
NUMBERS = """\
numbers:
  8701: {dialplan: interop, entry: first, public: yes}
  8702: {dialplan: interop, entry: second, public: yes}
"""


@pytest.fixture
def waits() -> Iterator[Engine]:
    edits = {
        "queues.yaml": ("support:\n", QUEUES), "agents.yaml": ("200:", AGENTS), "site.yaml": ("numbers:\n", NUMBERS),
    }  # fmt: skip
    with Engine(edits=edits, extra=DIALPLAN) as running:
        yield running


def sound(*names: str) -> listening.Samples:
    import numpy as np

    return np.concatenate([listening.read_wav(ROOT / "prompts" / "en" / f"{name}.wav") for name in names])


def learn(engine: Engine, tmp_path: Path) -> None:
    """Short conversations, one after another, until the engine knows how long they last."""
    with sipp_desk(engine, "210", tmp_path, "uas_answer.xml", calls=2 * LEARNT, seconds=90):
        for number in range(LEARNT):
            with engine.phone(f"learner{number}", secret=False) as phone, Ear() as ear:
                dialog = phone.call("8702", media=ear.port)
                engine.wait_agent("210", "talking", seconds=8)
                dialog.bye()
                engine.wait_agent("210", "ready", seconds=5)


def test_overflow_the_estimate_heard_and_an_answer_that_cuts_it_off(waits: Engine, tmp_path: Path) -> None:
    """He overflows, hears the range as the prompts say it, and the agent within 200 ms of his answer."""
    learn(waits, tmp_path)
    with ExitStack() as stack:
        kim = stack.enter_context(desk(waits, "210"))
        busy, caller = (stack.enter_context(waits.phone(name, secret=False)) for name in ("busy", "stranger"))
        other, ear, mouth = (stack.enter_context(Ear()) for _ in range(3))
        first = busy.call("8702", media=other.port)
        other.start(first.media.host, first.media.port)
        taken = kim.wait_call(8)
        taken.answer(media=mouth.port)
        waits.wait_agent("210", "talking", seconds=5)

        dialog = caller.call("8701", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        said = sound("wait_less_than", "numbers/2", "wait_minutes")
        until(lambda: "queue.overflowed" in waits.kinds(waits.ask("calls")[-1]["call"]), 8, what="he overflows")
        until(lambda: listening.share_heard(said, ear.heard(), score=0.85) > 0.7, 20, every=0.3, what="the estimate")

        first.bye()
        taken.expect_bye()
        offer = kim.wait_call(8)
        voice = listening.chirps(7, 4)
        place = len(ear.heard())
        until(lambda: listening.align(said[:8000], ear.heard()[place:]).score > 0.6, 14, what="it is said again")
        answered = time.monotonic()
        offer.answer(media=mouth.port)
        mouth.start(offer.media.host, offer.media.port)
        mouth.play(voice)
        time.sleep(1.5)
        after = ear.heard(since=answered + 0.2)
        assert listening.align(voice[:8000], after).score > 0.6, "the agent isn't heard"
        assert listening.align(said, after).score < 0.3, "the announcement goes on over the agent"
        dialog.bye()
        offer.expect_bye()
    waits.wait_idle()
    joined = [e["data"]["queue"] for e in waits.events(dialog_call(waits)) if e["kind"] == "queue.joined"]
    assert joined == ["default/first", "default/second"]


def dialog_call(engine: Engine) -> str:
    return str(engine.last_call(dialled="8701")["call"])
