"""A speech corpus as data: what callers say at the places of a dialplan, and what shall be understood.

`corpus_reader` makes it from a `NAME.speech.yaml`; `ringdown test --speech` puts it through the recogniser.
"""

from __future__ import annotations

import msgspec

from engine.dialplan.types import Value

ENDING = ".speech.yaml"
MATCH, NO_MATCH, NO_INPUT = "match", "no_match", "no_input"
NOISES = ("white", "pink", "babble", "household", "keyboard", "street", "engine", "music")
LEVEL_DBFS = -22
TODAY = "2026-03-04"  # where a corpus names no day: relative dates must not change their meaning over night


class Condition(msgspec.Struct, frozen=True):
    """What is heard around a voice. `noise`: one of NOISES, "" none; it lies `below_db` under the voice."""

    noise: str = ""
    below_db: int = 0

    def __str__(self) -> str:
        return f"{self.noise} {self.below_db}" if self.noise else "clean"


class Said(msgspec.Struct, frozen=True):
    """One utterance of a corpus, however many voices will say it.

    `at` is the step that listens, `grammar` what it listens for there in `language` (key in `Site.grammars`). Either
    `texts`, to be spoken by a synthesiser, or `recording`, a path inside the site's folder; neither: nobody speaks.
    `result`: match | no_match | no_input; `intent` "" isn't judged, nor are `slots` that are None.
    `voices`: "engine voice", () those that are installed; `levels`: dBFS of the active speech.
    """

    file: str
    line: int
    column: int
    at: str
    grammar: str
    language: str
    texts: tuple[str, ...] = ()
    recording: str = ""
    result: str = MATCH
    intent: str = ""
    slots: dict[str, Value] | None = None
    voices: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = (Condition(), Condition("pink", 20))
    levels: tuple[int, ...] = (LEVEL_DBFS,)
    lists: dict[str, tuple[str, ...]] = {}  # of slots whose list only a call knows: what it is here

    @property
    def name(self) -> str:
        """The same for every voice and in every noise, and whatever is written above it."""
        words = " / ".join(self.texts) or self.recording or "nobody speaks"
        return f"{self.at}: {words}" + (f" ({self.language})" if self.language != "en" else "")


class Needs(msgspec.Struct, frozen=True):
    """What a corpus must reach, in percent; -1: nothing is demanded."""

    intents: int = -1
    slots: int = -1
    false_accepts: int = -1  # of what should not have been understood, at most


class Corpus(msgspec.Struct, frozen=True):
    """A file of utterances. `today`: the day from which relative dates count."""

    file: str
    said: tuple[Said, ...]
    needs: Needs = Needs()
    today: str = TODAY


def dialplan_of(file: str) -> str:
    """The full name of the dialplan that a corpus stands beside: main.speech.yaml (or main.night.speech.yaml) beside
    main.yaml."""
    parts = file.split("/")
    tenant = parts[1] if parts[0] == "tenants" and len(parts) > 2 else "default"
    return f"{tenant}/{parts[-1].partition('.')[0]}"
