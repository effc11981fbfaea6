"""What recognisers cost: callers who are listened to at once, some of whom speak, through real children in real time.

    python -m tools.speech_load [--callers 100] [--speaking 30] [--seconds 20] [--children 2]

Prints a table: processor time of the children per caller who speaks and together, frames dropped, results that
were right, and how long after the last sound they stood.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import numpy as np

from engine.runtime import recognizer_wire as wire
from engine.runtime.graph_shelf import Shelf, shipped
from engine.runtime.log import Log
from engine.runtime.recognizer_pool import Pool
from engine.runtime.wav import read_wav
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples, Utterance

PROMPTS = Path(__file__).resolve().parent.parent / "prompts/en/digits"
DIGITS = Grammar("en", (Line("$number", "number"),), {"number": Slot("digits", 4, 4)})
TEXTS = ("4079", "1111", "8463", "9550", "7777", "4917")


def spoken(text: str) -> Samples:
    """Four digits with a quiet line around them, four seconds long at least."""
    noise = np.random.default_rng(int(text)).normal(0, 6, 8 * 4_000).astype(np.int16)
    said = np.concatenate([noise[:4_000], *(read_wav(PROMPTS / f"{digit}.wav") for digit in text)])
    return np.concatenate([said, noise])


async def load(callers: int, speaking: int, seconds: int, children: int) -> int:
    model = str(shipped("en"))
    Shelf().prepared(model, DIGITS, {})
    done: dict[int, Utterance] = {}
    pool = Pool(Log(), lambda number, ms: None, done.__setitem__, size=children)
    pool.learn({"digits": DIGITS}, [("digits", model)])
    pool.start()
    while pool.figures.children_ready < children:
        await asyncio.sleep(0.05)
    sounds = {text: spoken(text) for text in TEXTS}
    quiet = np.random.default_rng(7).normal(0, 6, FRAME_SAMPLES).astype(np.int16)
    wanted: dict[int, str] = {}
    lines: list[tuple[int, int]] = [(0, 0)] * callers  # number, frame

    def begin(caller: int) -> None:
        number = len(wanted) + 1
        wanted[number] = TEXTS[number % len(TEXTS)] if caller < speaking else ""
        lines[caller] = number, 0
        pool.listen(number, Listening("digits", "en"), wire.Engine("embedded", model))

    for caller in range(callers):
        begin(caller)
    await asyncio.sleep(1.5)
    cpu_ms, loop = pool.figures.cpu_ms, asyncio.get_running_loop()
    began_s = loop.time()
    for tick in range(seconds * 50):
        block = np.zeros(callers, wire.FRAME)
        for caller, (number, frame) in enumerate(lines):
            at, sound = frame * FRAME_SAMPLES, sounds.get(wanted[number])
            row = block[caller]
            row["token"], row["frame"] = number, frame
            row["heard"] = quiet if sound is None or at + FRAME_SAMPLES > len(sound) else sound[at : at + FRAME_SAMPLES]
            lines[caller] = number, frame + 1
            if number in done:
                begin(caller)
        pool.sound(block)
        await asyncio.sleep(max(0.0, began_s + (tick + 1) * 0.02 - loop.time()))
    await asyncio.sleep(1.5)
    took_s = loop.time() - began_s
    cores = (pool.figures.cpu_ms - cpu_ms) / 1_000 / took_s
    right = sum(each.result == "match" and each.best[0].slots == {"number": wanted[n]} for n, each in done.items())
    waited = sorted(each.decided_ms - each.speech_end_ms for each in done.values() if each.speech_end_ms >= 0) or [0]
    print(f"callers {callers}, speaking {speaking}, seconds {seconds}, children {children}")
    print(f"children together      {cores:.3f} core")
    print(f"per caller who speaks  {cores / max(1, speaking):.4f} core (with all who are listened to)")
    print(f"frames dropped         {pool.figures.frames_dropped}")
    print(f"children lost          {pool.figures.children_lost}")
    print(f"utterances             {len(done)}, right {right}")
    print(f"last sound to result   {waited[len(waited) // 2]} ms median, {waited[-1]} ms at most")
    await pool.close()
    return 0 if not pool.figures.children_lost else 1


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("callers", 100), ("speaking", 30), ("seconds", 20), ("children", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args(arguments)
    return asyncio.run(load(given.callers, given.speaking, given.seconds, given.children))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
