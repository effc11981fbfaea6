"""What a run of a speech corpus is worth: verdicts, figures, what is mistaken for what, and what got worse.

Everything is counted in whole numbers and in the order of the corpus, so that two runs of one engine give one text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from hashlib import blake2b

import msgspec

from engine.dialplan.corpus import MATCH, NO_MATCH, Condition, Corpus, Needs, Said
from engine.speech.utterance import Utterance

ENDING = ".accepted.txt"
HEAD = "# What was understood of {file}; compared by ringdown test --speech, renewed with --accept."
lag_worse_ms = 60  # three frames: less is the endpointer's own grain
confusions_max = 20


class Trial(msgspec.Struct, frozen=True, array_like=True):
    """One utterance by one voice on one line. `said`: its place in the corpus; `seed` of the noise."""

    said: int
    text: str
    voice: str
    condition: Condition
    level_dbfs: int
    seed: int


class Result(msgspec.Struct, frozen=True, array_like=True):
    """What came of a trial. `fault`: why it could not be made ('' it was). `audio_ms`, `cpu_ms`: how long it lasted and
    what recognising it cost."""

    trial: Trial
    utterance: Utterance
    audio_ms: int = 0
    cpu_ms: int = 0
    fault: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """`intent`: was it understood as it should be, or rightly not; `false_accept`: it wasn't to be understood and was.
    `slots_right` of `slots` are as expected."""

    intent: bool
    slots_right: int = 0
    slots: int = 0
    false_accept: bool = False

    @property
    def right(self) -> bool:
        return self.intent and self.slots_right == self.slots


class Row(msgspec.Struct):
    """Some trials together: of one utterance in one noise, or of everything. `foreign`: not to be understood."""

    trials: int = 0
    wanted: int = 0
    intents: int = 0
    slots: int = 0
    slots_right: int = 0
    foreign: int = 0
    false_accepts: int = 0
    right: int = 0

    def add(self, said: Said, verdict: Verdict) -> None:
        self.trials += 1
        if said.result == MATCH:
            self.wanted += 1
            self.intents += verdict.intent
        else:
            self.foreign += 1
            self.false_accepts += verdict.false_accept
        self.slots += verdict.slots
        self.slots_right += verdict.slots_right
        self.right += verdict.right

    def join(self, other: Row) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Score(msgspec.Struct):
    """A run of one corpus. `rows`: utterance -> condition -> its trials; `confused`: (place, what was meant, what was
    heard) -> how often; `lags_ms`: from the end of speech to the result, of what was understood."""

    file: str
    engine: str = ""
    rows: dict[str, dict[str, Row]] = {}
    confused: dict[tuple[str, str, str], int] = {}
    lags_ms: list[int] = []
    audio_ms: int = 0
    cpu_ms: int = 0
    faults: list[str] = []

    def sums(self) -> dict[str, Row]:
        """Condition -> the sum of its rows, in the order in which they come."""
        found: dict[str, Row] = {}
        for by in self.rows.values():
            for condition, row in by.items():
                found.setdefault(condition, Row()).join(row)
        return found

    def whole(self) -> Row:
        total = Row()
        for row in self.sums().values():
            total.join(row)
        return total


def trials(corpus: Corpus, voices: Mapping[str, Sequence[str]]) -> list[Trial]:
    """Every trial of a corpus. `voices`: language -> those that speak where an utterance names none."""
    found: list[Trial] = []
    for number, said in enumerate(corpus.said):
        texts = said.texts or ("",)
        speakers: Sequence[str] = (said.voices or voices.get(said.language, ())) if said.texts else ("",)
        for text in texts:
            for voice in speakers:
                for condition in said.conditions:
                    for level in said.levels:
                        named = f"{said.at}\0{text}\0{said.recording}\0{voice}\0{condition}\0{level}"
                        seed = int.from_bytes(blake2b(named.encode(), digest_size=4).digest(), "big")
                        found.append(Trial(number, text, voice, condition, level, seed))
    return found


def judge(said: Said, utterance: Utterance) -> Verdict:
    """Was an utterance understood as the corpus wants it? Slots that aren't expected make it wrong where any are."""
    matched = utterance.result == MATCH and bool(utterance.best)
    if said.result != MATCH:
        right = utterance.result == said.result or (said.result == NO_MATCH and utterance.result == "too_long")
        return Verdict(right, false_accept=matched)
    expected = said.slots or {}
    if not matched:
        return Verdict(False, 0, len(expected))
    best = utterance.best[0]
    good = sum(1 for name, value in expected.items() if same(best.slots.get(name), value))
    extra = 0 if said.slots is None else sum(1 for name in best.slots if name not in expected)
    return Verdict((not said.intent or best.intent == said.intent) and not extra, good, len(expected))


def same(heard: object, expected: object) -> bool:
    """1 and yes are different values, although Python takes them for equal."""
    return type(heard) is type(expected) and heard == expected


def score(corpus: Corpus, results: Sequence[Result], engine: str = "") -> Score:
    """The figures of a run."""
    made = Score(corpus.file, engine)
    for result in results:
        said = corpus.said[result.trial.said]
        if result.fault:
            made.faults.append(f"{said.name} ({result.trial.voice or 'recording'}): {result.fault}")
            continue
        verdict = judge(said, result.utterance)
        made.rows.setdefault(said.name, {}).setdefault(str(result.trial.condition), Row()).add(said, verdict)
        made.audio_ms += result.audio_ms
        made.cpu_ms += result.cpu_ms
        told = result.utterance
        if told.result == MATCH and told.decided_ms >= 0 and told.speech_end_ms >= 0:
            made.lags_ms.append(told.decided_ms - told.speech_end_ms)
        if not verdict.right:
            for meant, heard in confusions(said, result):
                made.confused[said.at, meant, heard] = made.confused.get((said.at, meant, heard), 0) + 1
    return made


def confusions(said: Said, result: Result) -> list[tuple[str, str]]:
    """(what was meant, what was heard instead): intents where these differ, else the words that were taken for
    others; what nobody understood is heard as "no match"."""
    told = result.utterance
    if told.result != MATCH or not told.best:
        return [(said.intent or result.trial.text or said.recording, told.result.replace("_", " "))]
    best = told.best[0]
    if said.result != MATCH:
        return [(f"“{result.trial.text or said.recording or 'nobody speaks'}”", best.intent or best.text)]
    if said.intent and best.intent != said.intent:
        return [(said.intent, best.intent)]
    meant, heard = result.trial.text.lower().split(), best.text.split()
    pairs = []
    for kind, a, b, c, d in SequenceMatcher(None, meant, heard, autojunk=False).get_opcodes():
        if kind != "equal" and meant:
            pairs.append((" ".join(meant[a:b]) or "(nothing)", " ".join(heard[c:d]) or "(nothing)"))
    return pairs[:4]


def ranked(made: Score) -> list[tuple[int, str, str, str]]:
    """(how often, place, meant, heard), the most frequent first."""
    found = [(count, *key) for key, count in made.confused.items()]
    return sorted(found, key=lambda each: (-each[0], each[1:]))[:confusions_max]


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that so many percent don't exceed; -1 of none."""
    if not values:
        return -1
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def per_cent(part: int, whole: int) -> str:
    """`98.2 %`, `–` of nothing. Never rounded up to 100."""
    return f"{part * 1_000 // whole / 10:.1f} %" if whole else "–"


# --- what was accepted -------------------------------------------------------------------------------------
def path_of(file: str) -> str:
    """dialplans/main.speech.yaml -> dialplans/main.speech.accepted.txt"""
    return file.removesuffix(".yaml") + ENDING


def render(made: Score) -> str:
    """A run as it is kept beside its corpus: one line for each utterance and noise, so that a diff can be read."""
    lines = [HEAD.format(file=made.file.rsplit("/", 1)[-1]), f"engine: {made.engine}"]
    lines.append(f"answer after: {percentile(made.lags_ms, 50)} ms")
    for name, by in made.rows.items():
        lines += ["", f"[{name}]"]
        for condition, row in by.items():
            slots = f", slots {row.slots_right} of {row.slots}" if row.slots else ""
            good = row.foreign - row.false_accepts if row.foreign else row.intents
            lines.append(f"    {condition}: {good} of {row.trials}{slots}")
    return "\n".join([*lines, ""])


class Accepted(msgspec.Struct):
    """A run as it was accepted: utterance -> condition -> (good, of, slots right, of)."""

    engine: str = ""
    lag_ms: int = -1
    rows: dict[str, dict[str, tuple[int, int, int, int]]] = {}


def parse(text: str) -> Accepted:
    """What `render` wrote; a line that isn't understood is left out."""
    kept = Accepted()
    rows: dict[str, tuple[int, int, int, int]] | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("[") and line.endswith("]"):
            rows = kept.rows.setdefault(line[1:-1], {})
        elif line.startswith("engine: "):
            kept.engine = line.removeprefix("engine: ")
        elif line.startswith("answer after: "):
            word = line.split()[2]
            kept.lag_ms = int(word) if word.lstrip("-").isdigit() else -1
        elif rows is not None and ":" in line:
            condition, _, figures = line.strip().partition(":")
            numbers = [int(word) for word in figures.replace(",", " ").split() if word.isdigit()]
            if len(numbers) in (2, 4):
                good, of, right, slots = (*numbers, 0, 0)[:4]
                rows[condition] = (good, of, right, slots)
    return kept


def drops(kept: Accepted, made: Score) -> list[str]:
    """What got worse since, in words; [] for nothing. Only what both runs tried equally often is compared."""
    sums: dict[str, list[int]] = {}
    worse: list[str] = []
    for name, by in made.rows.items():
        for condition, row in by.items():
            was = kept.rows.get(name, {}).get(condition)
            if was is None or was[1] != row.trials or was[3] != row.slots:
                continue
            good = row.foreign - row.false_accepts if row.foreign else row.intents
            kind = "false accepts" if row.foreign else "intents"
            for what, before, now, of in ((kind, was[0], good, row.trials), ("slots", was[2], row.slots_right, was[3])):
                total = sums.setdefault(f"{what}, {condition}", [0, 0, 0])
                total[0], total[1], total[2] = total[0] + before, total[1] + now, total[2] + of
            if good < was[0] or row.slots_right < was[2]:
                slots = f", slots {row.slots_right} of {row.slots}, {was[2]} before" if row.slots else ""
                worse.append(f"{name} ({condition}): {good} of {row.trials}, {was[0]} before{slots}")
    told = []
    for what, (before, now, of) in sums.items():
        if now < before:
            if what.startswith("false accepts"):
                told.append(f"{what}: {of - now} of {of}, {of - before} when it was accepted")
            else:
                told.append(f"{what}: {per_cent(now, of)}, {per_cent(before, of)} when it was accepted")
    lag = percentile(made.lags_ms, 50)
    if 0 <= kept.lag_ms < lag - lag_worse_ms:
        told.append(f"answer after {lag} ms, {kept.lag_ms} ms when it was accepted")
    return [*told, *(f"  {each}" for each in worse[:confusions_max])] if told else []


def missed(needs: Needs, row: Row) -> list[str]:
    """What a corpus demands and this run doesn't reach, in words."""
    told = []
    for name, part, whole, least in (
        ("intents", row.intents, row.wanted, needs.intents), ("slots", row.slots_right, row.slots, needs.slots),
    ):  # fmt: skip
        if least >= 0 and whole and part * 100 < least * whole:
            told.append(f"{name} {per_cent(part, whole)}, needs {least} %")
    most = needs.false_accepts
    if most >= 0 and row.foreign and row.false_accepts * 100 > most * row.foreign:
        told.append(f"false accepts {per_cent(row.false_accepts, row.foreign)}, at most {most} % are allowed")
    return told
