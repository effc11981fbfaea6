"""What recognisers cost: callers who are listened to at once, some of whom speak, through real children in real time.

    python -m tools.speech_load [--callers 100] [--speaking 30] [--seconds 20] [--children 2] [--calls 100]

First all callers are silent, then some speak sentence after sentence without a rest, which no caller does. The table:
processor time of the children for each who is silent and each who speaks (what speaking adds is all his), and together;
frames dropped, answers that were right, how long after the last sound they stood. With `--calls`, so many calls with
music run on an engine beside, and the gaps between their packets at the receiver are counted: recognisers are niced,
calls must not notice them. Then how fast a recogniser process starts and is ready for a grammar, and how fast a
grammar of 1,000 phrases is compiled, and found again.

Processor time counts, not time on the wall; still it is up to twice as much on a machine whose cores others use, too.
Goals: 0.01 core per caller who speaks, 0.4 core together, model and grammar ready in 0.5 s, 1,000 phrases in 1 s, gaps
as in tools.measure (99 % within 20.5 ms, none over 25 ms).

Measured on two cores beside other work, at a load of eight to ten (2026-11): 0.07 core while 100 are silent (0.15
before they ended at one gate), 0.37 to 0.39 while 30 speak; 0.0007 for each who is silent and 0.010 to 0.012 for each
who speaks (a fifth of all frames decoded), nothing dropped; 325 ms from the last sound to the result; a model with a
kept grammar ready in 39 to 103 ms; a process in 0.5 s of processor, nearly all of it numpy and numba; 1,000 phrases
compiled in 0.20 s, found again in 0.04 s. Gaps beside 100 calls were within 23 to 26 ms at 99 %, with recognisers and
without any: it was the other work that made them. They were not measured on a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.runtime import child_health
from engine.runtime import recognizer_wire as wire
from engine.runtime.graph_shelf import OwnModel, Shelf, shipped
from engine.runtime.log import Log
from engine.runtime.recognizer_pool import Pool
from engine.runtime.wav import read_wav
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples, Utterance
from tools import measure

PROMPTS = Path(__file__).resolve().parent.parent / "prompts/en/digits"
DIGITS = Grammar("en", (Line("$number", "number"),), {"number": Slot("digits", 4, 4)})
TEXTS = ("4079", "1111", "8463", "9550", "7777", "4917")
MODEL = str(shipped("en"))
SETTLE_S = 1.5  # until the children have answered the last ping


def spoken(text: str) -> Samples:
    """Four digits with a quiet line around them, four seconds long at least."""
    noise = np.random.default_rng(int(text)).normal(0, 6, 8 * 4_000).astype(np.int16)
    said = np.concatenate([noise[:4_000], *(read_wav(PROMPTS / f"{digit}.wav") for digit in text)])
    return np.concatenate([said, noise])


@dataclass
class Crowd:
    """Callers at a pool. The first `speaking` say TEXTS again and again, whoever else is listened to is silent."""

    pool: Pool
    callers: int
    speaking: int = 0
    done: dict[int, Utterance] = field(default_factory=dict)
    wanted: dict[int, str] = field(default_factory=dict)
    lines: list[tuple[int, int]] = field(default_factory=list)  # number, frame

    def begin(self, caller: int) -> None:
        number = len(self.wanted) + 1
        self.wanted[number] = TEXTS[number % len(TEXTS)] if caller < self.speaking else ""
        self.lines[caller] = number, 0
        self.pool.listen(number, Listening("digits", "en"), wire.Engine("embedded", MODEL), caller + 1)

    async def hold(self, seconds: float, speaking: int) -> tuple[float, float]:
        """Let them be listened to: (cores of the children, share of the frames in which somebody was decoded)."""
        self.speaking = speaking
        if not self.lines:
            self.lines = [(0, 0)] * self.callers
        sounds = {text: spoken(text) for text in TEXTS}
        quiet = np.random.default_rng(7).normal(0, 6, FRAME_SAMPLES).astype(np.int16)
        for caller in range(self.callers):
            number, _ = self.lines[caller]
            if caller < speaking or not number:
                self.pool.leave(number)
                self.begin(caller)
        await asyncio.sleep(SETTLE_S)
        loop, figures = asyncio.get_running_loop(), self.pool.figures
        frames, decoded, before_s, began_s = figures.frames, figures.decoded, used_s(self.pool), loop.time()
        for tick in range(int(seconds * 50)):
            block = np.zeros(self.callers, wire.FRAME)
            for caller, (number, frame) in enumerate(self.lines):
                at, sound = frame * FRAME_SAMPLES, sounds.get(self.wanted[number])
                row, end = block[caller], frame * FRAME_SAMPLES + FRAME_SAMPLES
                row["token"], row["frame"] = number, frame
                row["heard"] = quiet if sound is None or end > len(sound) else sound[at:end]
                self.lines[caller] = number, frame + 1
                if number in self.done:
                    self.begin(caller)
            self.pool.sound(block)
            await asyncio.sleep(max(0.0, began_s + (tick + 1) * 0.02 - loop.time()))
        cores = (used_s(self.pool) - before_s) / (loop.time() - began_s)
        await asyncio.sleep(SETTLE_S)
        now = self.pool.figures
        return cores, (now.decoded - decoded) / max(1, now.frames - frames)


def used_s(pool: Pool) -> float:
    """Processor time of the children so far, the kernel's own account: their answers may be late."""
    seen = [child_health.vitals(child.process.pid) for child in pool._children if child.process is not None]
    return sum(each.cpu_s for each in seen if each is not None)


async def stand(children: int, done: dict[int, Utterance] | None = None) -> Pool:
    """A pool whose children are ready."""
    pool = Pool(Log(), lambda number, ms: None, ({} if done is None else done).__setitem__, size=children)
    pool.learn({"digits": DIGITS}, [("digits", MODEL)])
    pool.start()
    while pool.figures.children_ready < children:
        await asyncio.sleep(0.005)
    return pool


async def beside(calls: int, seconds: float) -> dict[str, float]:
    """Gaps between the packets of calls with music on an engine of their own, in milliseconds."""
    loop = asyncio.get_running_loop()

    def work() -> dict[str, float]:
        with measure.server() as running:
            found = measure.load(running, "media", number="9664", calls=calls, rate=50, seconds=seconds, settle=2)
        return {**found["gaps_ms"], "lost": found["lost"], "cpu_s_per_call_minute": found["cpu_s_per_call_minute"]}

    return await loop.run_in_executor(None, work)


async def cost(options: argparse.Namespace) -> dict[str, object]:
    """The crowd's figures, and those of the calls beside it."""
    done: dict[int, Utterance] = {}
    pool = await stand(options.children, done)
    crowd = Crowd(pool, options.callers, done=done)
    idle, _ = await crowd.hold(options.seconds, 0)
    calls = asyncio.create_task(beside(options.calls, options.seconds)) if options.calls else None
    if calls is not None:  # the speakers speak until the calls are measured
        parts = [await crowd.hold(options.seconds, options.speaking)]
        while not calls.done():
            parts.append(await crowd.hold(options.seconds, options.speaking))
        together, decoded = max(parts)
    else:
        together, decoded = await crowd.hold(options.seconds, options.speaking)
    heard = {number: each for number, each in done.items() if crowd.wanted[number]}
    right = sum(
        each.result == "match" and each.best[0].slots == {"number": crowd.wanted[n]} for n, each in heard.items()
    )
    waited = sorted(each.decided_ms - each.speech_end_ms for each in heard.values() if each.speech_end_ms >= 0) or [0]
    figures = pool.figures
    each_idle = idle / options.callers
    result: dict[str, object] = {
        "children together, all silent": f"{idle:.3f} core",
        "per caller who is silent": f"{each_idle:.5f} core",
        f"children together, {options.speaking} speak": f"{together:.3f} core (goal 0.4)",
        "per caller who speaks": f"{(together - idle) / max(1, options.speaking) + each_idle:.4f} core (goal 0.01)",
        "frames in which speech is decoded": f"{100 * decoded:.0f} %",
        "frames dropped": figures.frames_dropped,
        "processes lost": figures.children_lost,
        "memory of the children": f"{figures.memory_bytes >> 20} MiB",
        "sentences": f"{len(heard)}, right {right}",
        "last sound to result": f"{waited[len(waited) // 2]} ms median, {waited[-1]} ms at most",
    }
    if calls is not None:
        gaps = calls.result()
        result["gaps of the calls beside"] = (
            f"99 % {gaps['p99']:.1f} ms (20.5), longest {gaps['max']:.1f} ms (25), lost {gaps['lost']:.0f}"
        )
    await pool.close()
    return result


async def start() -> dict[str, object]:
    """A process from nothing to a grammar that is listened for; the model with a kept grammar within it."""
    Shelf().prepared(MODEL, DIGITS, {})
    began_s = time.monotonic()
    pool = await stand(1)
    stood_s = time.monotonic() - began_s
    process = pool._children[0].process
    used = child_health.vitals(process.pid) if process is not None else None
    await pool.close()
    shelf = Shelf()
    began_s = time.monotonic()
    shelf.prepared(MODEL, DIGITS, {})
    ready_s = time.monotonic() - began_s
    return {
        "model with a kept grammar ready": f"{ready_s * 1000:.0f} ms (goal 500)",
        "process from its start to ready": f"{stood_s:.2f} s, processor {used.cpu_s if used is not None else 0:.2f} s",
    }


def phrases() -> dict[str, object]:
    """1,000 phrases of two words each, compiled into an empty cache and found again."""
    dictionary = OwnModel(Path(MODEL)).dictionary
    words = [word for word in (line.partition("\t")[0] for line in dictionary.lines[5_000::50]) if word.isalpha()]
    lines = tuple(Line(f"{a} {b}", a) for a, b in zip(words[:1_000], words[1_000:2_000], strict=True))
    grammar = Grammar("en", lines)
    with tempfile.TemporaryDirectory() as folder:
        took = []
        for _ in range(2):
            shelf = Shelf(Path(folder))
            shelf.own(MODEL).dictionary  # noqa: B018  (unpacked once per process)
            began_s = time.process_time()
            shelf.prepared(MODEL, grammar, {})
            took.append(time.process_time() - began_s)
    return {"1,000 phrases compiled": f"{took[0]:.2f} s (goal 1)", "the same, kept": f"{took[1]:.2f} s"}


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("callers", 100), ("speaking", 30), ("seconds", 20), ("children", 2), ("calls", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    Shelf().prepared(MODEL, DIGITS, {})
    found = {**asyncio.run(cost(options)), **asyncio.run(start()), **phrases()}
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print(f"callers {options.callers}, speaking {options.speaking}, children {options.children}")
        for label, figure in found.items():
            print(f"{label:34}  {figure}")
    return 0 if not found["processes lost"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
