"""A recording heard as a call would be: the same endpointing, the same recogniser, one line of result."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import numpy as np

from engine.errors import SiteError
from engine.runtime.embedded_recognizer import EmbeddedRecognizer
from engine.runtime.graph_shelf import Shelf
from engine.runtime.hearers import Embedded
from engine.runtime.one_utterance import OneUtterance
from engine.runtime.recognizer_child import endpointing
from engine.runtime.vosk_library import Reading
from engine.runtime.wav import read_wav
from engine.speech import picture
from engine.speech.endpointing import FRAME_MS, PRE_ROLL_FRAMES, Gates
from engine.speech.grammar import Grammar
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples, Utterance

lead_frames, tail_frames = 25, 100  # of silence around a recording that begins or ends with its first or last word
_SILENCE = np.zeros(FRAME_SAMPLES, np.int16)


class FileHeard(msgspec.Struct, frozen=True):
    """`speech_start_ms` and `speech_end_ms` are places in the file, -1 where nobody speaks. The alternatives are what
    else it may have been."""

    file: str
    text: str
    slots: dict[str, str | int | bool]
    confidence: float
    alternatives: list[dict[str, str | float]]
    speech_start_ms: int
    speech_end_ms: int


def hear_file(path: Path, grammar: Grammar, folder: str, shelf: Shelf, plot: Path | None = None) -> FileHeard:
    """The first utterance of a WAV file (any rate, linear or G.711). Raises SiteError for a file that can't be read,
    SpeechError for a model or grammar that can't be used. `plot`: an SVG of it is written there."""
    said, gates, readings = asyncio.run(_hear(read_wav(path), grammar, folder, shelf))
    if plot is not None:
        try:
            plot.write_text(_picture(path.name, said, gates, readings), encoding="utf-8")
        except OSError as error:
            raise SiteError(f"can't write {plot}: {error.strerror}") from error
    best = said.best[0] if said.best else None
    within = lead_frames * 20

    def place(ms: int) -> int:
        return max(0, ms - within) if ms >= 0 else -1

    return FileHeard(
        str(path), best.text if best else "", dict(best.slots) if best else {}, best.confidence if best else 0.0,
        [{"text": each.text, "confidence": each.confidence} for each in said.best[1:]],
        place(said.speech_start_ms), place(said.speech_end_ms),
    )  # fmt: skip


def _picture(name: str, said: Utterance, gates: list[Gates], readings: list[Reading]) -> str:
    """It begins with the file: the silence before it is left out of all times."""
    before_ms = lead_frames * FRAME_MS
    # the decoder's first sample is that of the pre-roll
    first_ms = max(0, said.speech_start_ms - PRE_ROLL_FRAMES * FRAME_MS) - before_ms
    lines = [
        picture.Line(tuple(picture.Word(w, first_ms + round(a * 1_000), first_ms + round(b * 1_000))
                           for w, a, b in each.timed), each.score)
        for each in readings if each.timed
    ]  # fmt: skip

    def place(ms: int) -> int:
        return max(0, ms - before_ms) if ms >= 0 else -1

    return picture.draw(
        name, gates[lead_frames:], lines, start_ms=place(said.speech_start_ms), end_ms=place(said.speech_end_ms),
        decided_ms=place(said.decided_ms) if said.speech_start_ms >= 0 else -1,
    )  # fmt: skip


async def _hear(
    samples: Samples, grammar: Grammar, folder: str, shelf: Shelf
) -> tuple[Utterance, list[Gates], list[Reading]]:
    listening = Listening("", grammar.language, threshold=0.0)
    utterance = OneUtterance(listening, endpointing()(listening, None), lambda ms: None)
    recognizer = EmbeddedRecognizer(shelf, folder, {})
    recognizer.timed = []
    recognizer.start(grammar)
    gates: list[Gates] = []
    utterance.serve(Embedded(recognizer))
    whole = np.concatenate([np.tile(_SILENCE, lead_frames), samples, np.tile(_SILENCE, tail_frames)])
    for number in range(len(whole) // FRAME_SAMPLES):
        frame = whole[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]
        utterance.frame(number, frame, _SILENCE)
        gates.append(utterance.endpoint.gates)
        if utterance.over:
            break
    return await utterance.conclude(), gates, recognizer.timed or []
