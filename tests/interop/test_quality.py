"""What a bad line costs the listener where we decode: MOS-LQO through a real bridge, and in the recording of it.

Between G.711's two laws a packet is turned byte by byte on arrival, losses and all: there the far phone conceals. We
decode where the frame times differ, and where a call is recorded; both are judged here.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import opinion
import pytest
from harness.children import until
from harness.desks import desk
from harness.phone import Phone
from harness.rough import RoughEar
from harness.rtp import Ear
from harness.server import ROOT, Engine

from tools.load import wire

LOSS, JITTER_MS, COSTS_MAX = 0.05, 30.0, 0.5
SEEDS = (1, 2, 3, 4)  # four bad lines, the same in every run
GOOD_MIN = 4.0  # what the good line, through the same engine at the same time, must reach for a run to say something
RUNS_MAX = 4
STALLS_MIN = 0.001  # a run is repeated only when our own clock saw this machine hold up more of our frames than that
DIALPLAN = """\
ringdown: 1
about: 8210 records the call from its first word and rings agent 203.
entry: kept

flows:
  kept:
    - answer
    - record: start
    - dial: {to: 203, ring: 20s, failed: over}
    - hangup: served
  over:
    - hangup: failed
"""


@pytest.fixture(scope="module")
def speech() -> listening.Samples:
    """Twenty seconds of the stock voice: three prompts with pauses between them."""
    folders = (ROOT / "dialplans" / "demo" / "prompts" / "en", ROOT / "prompts" / "en")
    names = (("welcome", 0), ("main_menu", 0), ("ten_seconds", 1))
    pause = np.zeros(2_400, np.int16)
    parts = [part for name, place in names for part in (listening.read_wav(folders[place] / f"{name}.wav"), pause)]
    return np.concatenate(parts).astype(np.int16)


@pytest.fixture(scope="module")
def kept_engine() -> Iterator[Engine]:
    edits = {"site.yaml": ("numbers:\n", "numbers:\n  8210: {dialplan: interop, public: yes}\n")}
    with Engine(edits=edits, extra=DIALPLAN) as running:
        yield running


def test_the_judge_is_sane(speech: listening.Samples) -> None:
    """The measure itself: nothing lost is best, the codec costs little, noise and holes cost the more, the more."""
    chance = np.random.default_rng(1)
    noise = chance.standard_normal(speech.size) * np.sqrt((speech.astype(float) ** 2).mean())
    holes = {}
    for loss in (0.05, 0.2):
        gone = np.repeat(chance.random(speech.size // 160 + 1) < loss, 160)[: speech.size]
        holes[loss] = opinion.mos(speech, np.where(gone, 0, speech))
    same = opinion.mos(speech, speech)
    laws = [opinion.mos(speech, listening.decode(listening.encode(speech, codec), codec)) for codec in (0, 8)]
    noisy = [opinion.mos(speech, speech + noise / 10 ** (snr_db / 20)) for snr_db in (40, 20, 10)]
    print(f"\nsame {same:.2f}, µ-law and A-law {laws}, noise at 40, 20, 10 dB {noisy}, holes {holes}")
    assert same > 4.7
    assert all(4.0 < law < same for law in laws)
    assert min(laws) > noisy[0] > noisy[1] > noisy[2]
    assert same > holes[0.05] > holes[0.2] + 0.5


class Line:
    """One call over a bad (or good) line, through the engine to agent 203, whose phone wants A-law in 30 ms frames."""

    def __init__(self, stack: contextlib.ExitStack, engine: Engine, agent: Phone, seed: int, user: str) -> None:
        rough = {"loss": LOSS, "jitter_ms": JITTER_MS} if seed else {"loss": 0.0, "jitter_ms": 0.0}
        self.ear = stack.enter_context(RoughEar(codec=0, seed=seed, **rough))
        self.far = stack.enter_context(Ear(codec=8))
        caller = stack.enter_context(engine.phone(user, secret=False))
        self.dialog = caller.call("8210", sdp=wire.offer("127.0.0.1", self.ear.port, codecs=(0,)))
        self.ear.start(self.dialog.media.host, self.dialog.media.port)
        self.there = agent.wait_call(8)
        sdp = wire.offer("127.0.0.1", self.far.port, codecs=(8,), event=self.there.media.event, frame_ms=30)
        self.there.answer(sdp=sdp)
        self.far.start(self.there.media.host, self.there.media.port)

    def check_line(self) -> None:
        """The line was as bad as it says, and the far end was sent frames that nobody could have copied."""
        audio = [packet for packet in self.far.packets if packet.kind in (0, 8)]
        assert {(packet.kind, len(packet.payload)) for packet in audio[-100:]} == {(8, 240)}
        if self.ear.loss:
            assert 0.03 < self.ear.lost / self.ear.sent < 0.08, (self.ear.lost, self.ear.sent)
            assert self.ear.overtaken > self.ear.sent // 50


def test_five_percent_loss_and_thirty_ms_of_jitter_cost_half_a_point_at_most(
    kept_engine: Engine, speech: listening.Samples
) -> None:
    for run in range(RUNS_MAX):
        heard, kept, stalls = _speak(kept_engine, speech, run)
        opinions = {
            what: {seed: opinion.mos(speech, opinion.lined_up(speech, sound)) for seed, sound in found.items()}
            for what, found in (("bridge", heard), ("recording", kept))
        }
        good = min(each[0] for each in opinions.values())
        if good > GOOD_MIN or stalls < STALLS_MIN:
            break
        print(f"\nrun {run} says nothing: this machine held up {stalls:.1%} of our own frames, so the good line is bad")
    for what, each in opinions.items():
        costs = [each[0] - each[seed] for seed in SEEDS]
        print(f"\n{what}: clean {each[0]:.2f}, bad lines {[round(each[seed], 2) for seed in SEEDS]}, cost mean "
              f"{np.mean(costs):.2f} max {max(costs):.2f} MOS-LQO; {stalls:.1%} of our frames held up")  # fmt: skip
        assert each[0] > GOOD_MIN, f"{what}: the good line is bad already ({stalls:.1%} of our own frames held up)"
        assert max(costs) <= COSTS_MAX, (what, each)


def _speak(
    engine: Engine, speech: listening.Samples, run: int
) -> tuple[dict[int, listening.Samples], dict[int, listening.Samples], float]:
    """One call a line, all at once: what the agent's phone heard, what was recorded, our worst line's own stalls."""
    with desk(engine, "203", ready=False) as agent, contextlib.ExitStack() as stack:
        lines = {seed: Line(stack, engine, agent, seed, f"line{run}{seed}") for seed in (0, *SEEDS)}
        time.sleep(0.5)
        began = time.monotonic()
        for line in lines.values():
            line.ear.play(speech)
        time.sleep(speech.size / listening.RATE + 0.5)
        for line in lines.values():
            line.check_line()
            line.dialog.bye()
            line.there.expect_bye()
        heard = {seed: line.far.heard() for seed, line in lines.items()}
        stalls = max(line.ear.stalls(began) for line in lines.values())
    engine.wait_idle(8)
    until(lambda: len(_recordings(engine)) == (run + 1) * len(lines), 8, what="a recording of every line")
    kept = {seed: listening.read_wav(_recordings(engine)[f"line{run}{seed}"], side=0) for seed in lines}
    return heard, kept, stalls


def _recordings(engine: Engine) -> dict[str, Path]:
    """caller -> the WAV of his call."""
    rows = engine.rows("SELECT caller, recordings FROM calls WHERE recordings != '[]'")
    return {row["caller"]: engine.data / json.loads(row["recordings"])[0] for row in rows}
