"""The recogniser that comes with the engine: vosk with a compiled grammar, an utterance at a time, in this process."""

from __future__ import annotations

import msgspec

from engine.errors import SpeechError
from engine.runtime.graph_shelf import Lists, Prepared, Shelf
from engine.runtime.vosk_library import Decoder, Reading
from engine.speech import confidence
from engine.speech import words as spelling
from engine.speech.grammar import Grammar
from engine.speech.ports import RATE_HZ, Heard, Partial, Samples

alternatives_max = 10
mute_told_max = 3
readings_max = 5


class EmbeddedRecognizer:
    """`speech.ports.Recognizer`. `start`, `feed` …, `finish` or `cancel`; then again."""

    def __init__(self, shelf: Shelf, folder: str, lists: Lists, rate_hz: int = RATE_HZ) -> None:
        """`folder`: of the model; `lists`: the choices of the grammar's open lists; `rate_hz`: of what is fed."""
        self.name = "embedded"
        self._shelf, self._folder, self._lists, self._rate_hz = shelf, folder, lists, rate_hz
        self._prepared: Prepared | None = None
        self._decoder: Decoder | None = None
        self._language = ""
        self._today = ""
        self.words_so_far = ""
        self.timed: list[Reading] | None = None  # where it is a list: what the decoder gave, with the words' times

    def start(self, grammar: Grammar, today: str = "") -> None:
        """Begin an utterance. Compiles the grammar if nobody has yet. Raises SpeechError."""
        prepared = self._prepared = self._shelf.prepared(self._folder, grammar, self._lists)
        self.name = "embedded" if prepared.ours else "folder"
        if prepared.mute:
            shown = ", ".join(prepared.mute[:mute_told_max])
            self.name += f" (can't hear {len(prepared.mute)} entries without a pronunciation: {shown})"
        self._decoder = Decoder(prepared.model, prepared.phrases, alternatives_max, self._rate_hz)
        if self.timed is not None:
            self._decoder.time_words()
        self._language, self._today, self.words_so_far = grammar.language, today, ""

    def feed(self, frame: Samples) -> Partial | None:
        """Samples, any number; a Partial when other words are heard now than before."""
        if self._decoder is None or self._prepared is None:
            raise SpeechError("an utterance has to be started before it is fed")
        self._decoder.feed(frame)
        words = self._decoder.partial()
        if words == self.words_so_far:
            return None
        self.words_so_far = words
        return Partial(words, *self._prepared.matcher.state(spelling.split(words, self._language)))

    def finish(self) -> tuple[Heard, ...]:
        """The readings, best first, each with another meaning; () when nothing of the grammar was heard."""
        decoder, self._decoder = self._decoder, None
        if decoder is None or self._prepared is None:
            return ()
        readings = decoder.final()
        if self.timed is not None:
            self.timed = readings
        return self._meant(readings, self._prepared)

    def cancel(self) -> None:
        """Forget the utterance."""
        self._decoder = None

    def _meant(self, alternatives: list[Reading], prepared: Prepared) -> tuple[Heard, ...]:
        garbage: float | None = None
        found: list[tuple[list[Heard], float]] = []  # what the words of one alternative may mean, and its score
        known: dict[tuple[str, str], None] = {}
        for each in alternatives:
            said = spelling.split(each.words, self._language)
            if spelling.GARBAGE in said:
                garbage = each.score if garbage is None else max(garbage, each.score)
                continue
            fresh: list[Heard] = []
            for heard in prepared.matcher.read(said, self._today) if said else ():
                meaning = heard.intent, repr(sorted(heard.slots.items()))
                if meaning not in known:
                    known[meaning] = None
                    fresh.append(heard)
            if fresh:
                found.append((fresh, each.score))
        found.sort(key=lambda pair: -pair[1])
        # of "next Friday" people think two ways: that makes nobody less sure of the words
        sure = confidence.confidences([score for _, score in found], garbage, prepared.calibration)
        return tuple(
            msgspec.structs.replace(heard, confidence=each)
            for (fresh, _), each in zip(found, sure, strict=True)
            for heard in fresh
        )[:readings_max]
