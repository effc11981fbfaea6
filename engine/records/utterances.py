"""What callers said, from the records: utterance by utterance, with what speaks against how it was understood.

An utterance alone doesn't say whether it was understood rightly; what the caller did next does. He says "no" to what
was heard, puts it right, presses keys instead, or ends with a person because he wasn't understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

KINDS = ("speech.heard", "call.prompt", "call.digit", "queue.joined", "dial.started")
MASK = "····"
SURE = 70  # percent; what was taken with less was taken unsurely
NO, NO_MORE = "no", "no, "  # intents of who refuses what was heard, and who says what he meant
REFUSED, CORRECTED, NO_MATCH, TOO_LONG, FAILED, UNSURE = (
    "refused by a no", "corrected", "no match", "too long", "recogniser failed", "unsure",
)  # fmt: skip
KEYS, PERSON = "then keys", "then a person"
WEIGHTS = {REFUSED: 50, CORRECTED: 50, NO_MATCH: 40, TOO_LONG: 30, FAILED: 20, UNSURE: 10, KEYS: 5, PERSON: 5}
_RESULTS = {"no_match": NO_MATCH, "too_long": TOO_LONG, "failed": FAILED}
_AFTER = {"call.digit": KEYS, "queue.joined": PERSON, "dial.started": PERSON}


class Row(msgspec.Struct, frozen=True):
    """An event of one of KINDS, as the store holds it."""

    boot: str
    n: int
    at_ms: int
    tenant: str
    call: str
    kind: str
    data: dict[str, Any]


class Utterance(msgspec.Struct):
    """`id`: call/number of its event. `asked`: the clips played before; `heard` best first, "words percent";
    `confidence` percent, -1 when nothing was understood; `audio`: its file as the records name it, "" none was kept;
    `wrong`: what speaks against it; `lists`: of its open lists, JSON of slot -> phrases, "" without or not kept."""

    id: str
    boot: str
    at_ms: int
    tenant: str
    call: str
    dialplan: str
    step: str
    grammar: str
    language: str
    asked: str
    result: str
    text: str
    intent: str
    slots: str
    confidence: int
    alternatives: str
    speech_ms: int
    answer_ms: int
    barged_in: bool
    engine: str
    detail: str
    audio: str
    wrong: list[str] = []
    lists: str = ""

    @property
    def secret(self) -> bool:
        """A sensitive step heard it: its words aren't in the records."""
        return self.text == MASK or MASK in self.slots

    @property
    def badness(self) -> int:
        """0: nothing speaks against it."""
        return sum(WEIGHTS[each] for each in self.wrong)


def fold(rows: Iterable[Row]) -> list[Utterance]:
    """All of them, in the order of the rows, which are those of a boot by number."""
    asked: dict[tuple[str, str], str] = {}
    last: dict[tuple[str, str], Utterance] = {}
    found: list[Utterance] = []
    for row in rows:
        place = row.boot, row.call
        if row.kind == "call.prompt":
            asked[place] = str(row.data.get("clips", ""))
        elif row.kind == "speech.heard":
            each = _utterance(row, asked.get(place, ""))
            _judge_before(last.get(place), each)
            last[place] = each
            found.append(each)
        elif place in last and last[place].result in _RESULTS:
            _add(last[place], _AFTER[row.kind])
    return found


def _utterance(row: Row, asked: str) -> Utterance:
    data = row.data
    def text(name: str) -> str:
        return str(data.get(name, ""))

    each = Utterance(
        f"{row.call}/{row.n}", row.boot, row.at_ms, row.tenant, row.call, text("dialplan"), text("step"),
        text("grammar"), text("language"), asked, text("result"), text("text"), text("intent"), text("slots"),
        int(data.get("confidence", -1)) if data.get("text") else -1, text("alternatives"),
        int(data.get("speech_ms", -1)), int(data.get("answer_ms", -1)), bool(data.get("barged_in")), text("engine"),
        text("detail"), text("audio"), lists=text("lists"),
    )  # fmt: skip
    if each.result in _RESULTS:
        _add(each, _RESULTS[each.result])
    elif each.result == "match" and each.confidence < SURE:
        _add(each, UNSURE)
    return each


def _judge_before(before: Utterance | None, each: Utterance) -> None:
    """What does this one say of the one before?"""
    if before is None or before.result != "match" or each.result != "match":
        return
    if before.intent == NO or before.intent.startswith(NO_MORE):
        return  # a refusal isn't refused
    if each.intent.startswith(NO_MORE) or (each.intent == NO and each.slots):
        _add(before, CORRECTED)
    elif each.intent == NO:
        _add(before, REFUSED)


def _add(each: Utterance, word: str) -> None:
    if word not in each.wrong:
        each.wrong.append(word)


def worst(found: Iterable[Utterance], count: int) -> list[Utterance]:
    """The `count` worst, the worst first, of those that something speaks against; 0: all, also the good ones."""
    ranked = sorted(found, key=lambda each: (-each.badness, each.confidence, each.at_ms, each.id))
    return [each for each in ranked if each.badness][:count] if count else ranked


def at(found: Iterable[Utterance], place: str) -> Iterator[Utterance]:
    """Those of a dialplan (front, or tenant/front), a flow (front/choose), a step, or a grammar's key."""
    for each in found:
        name = each.dialplan.partition("/")[2]
        whole = f"{each.dialplan}/{each.step}"
        if each.grammar == place or any(_within(place, text) for text in (whole, f"{name}/{each.step}")):
            yield each


def _within(place: str, text: str) -> bool:
    return text.startswith(place) and text[len(place) : len(place) + 1] in ("", "/", "#")
