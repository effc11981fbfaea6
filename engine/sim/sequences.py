"""Random sequences of happenings through a dialplan: nothing may raise, and nothing may wait for ever.

A sequence tells the interpreter whatever could come, fitting or not, late or twice, and then lets the caller do
nothing any more: the call must end by itself, or by the longest time that a call may last.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from engine.dialplan import actions
from engine.dialplan.model import Site
from engine.sim.network import Dice
from engine.sim.walker import Walker
from engine.speech.utterance import FAILED, MATCH, NO_INPUT, NO_MATCH, TOO_LONG, Heard, Utterance

EVENTS_MAX = 30  # of the random part
REST_MAX = 20_000  # patient events afterwards …
ROUNDS_MAX = 100  # … of a wait list: it goes round until its queue ends it
KINDS: tuple[type, ...] = tuple(kind for kind in get_args(actions.Happening) if kind is not actions.Started)
NAMES = tuple(kind.__name__ for kind in KINDS)
FIELDS = tuple(tuple((each.encode_name, each.type) for each in msgspec.structs.fields(kind)) for kind in KINDS)
KEYS = "0123456789*#"
CHOICES = (*KEYS, "timeout", "!strange")
WORDS = (
    "served", "full", "no_agents", "timeout", "closed", "exit", "left", "overflow", "number", "transferred", "busy",
    "no_answer", "rejected", "unreachable", "failed", "allowed", "accepted", "no_number", "refused", "already_open",
    "ok", "not_found", "over_budget", "open", "declined", "told", "done", "strange", "",
)  # fmt: skip
RESULTS = (MATCH, MATCH, NO_MATCH, NO_INPUT, TOO_LONG, FAILED)
_FITS = {
    "play": ("PlayDone", "Digit", "TimerFired"), "digits": ("Digit", "Digit", "TimerFired"), "timer": ("TimerFired",),
    "queue": ("QueueEnded",), "dial": ("DialEnded",), "record": ("RecordDone", "TimerFired"),
    "answer": ("AnsweredNow",), "rescue": ("AnsweredNow",), "box": ("BoxAnswer",), "callback": ("CallbackAnswer",),
    "lookup": ("LookupAnswered", "TimerFired"), "fetch": ("SoundFetched", "TimerFired"), "park": ("ParkEnded",),
    "room": ("RoomEnded",), "stream": ("StreamOver", "StreamKey", "TimerFired"),
}  # fmt: skip


class Trouble(msgspec.Struct, frozen=True):
    """A sequence that must not be: the seed and the number of it bring it back."""

    dialplan: str
    seed: int
    number: int
    why: str
    told: tuple[str, ...] = ()


def doors(site: Site) -> list[tuple[str, str, str]]:
    """(dialplan, entry, wait list) of everything that a caller of the site may begin with."""
    found: list[tuple[str, str, str]] = []
    for name, program in site.programs.items():
        entries = [number.entry for number in site.numbers.values() if number.dialplan == name]
        found += [(name, entry, "") for entry in dict.fromkeys(["", *entries])]
        found += [(name, "", wait) for wait in program.waits]
    return found


def run(site: Site, door: tuple[str, str, str], seed: int, number: int) -> Trouble | None:
    """Sequence `number` of `seed` through one door; None when all went well. Never raises."""
    dice = Dice(seed * 1_000_003 + number)
    told: list[actions.Happening] = []
    name = door[0]
    try:
        walker = Walker(site, name, entry=door[1], wait=door[2])
        why = walker.unguarded()
        for _ in range(dice.below(EVENTS_MAX)):
            if why or walker.over():
                break
            happening = _happening(walker, dice)
            told.append(happening)
            walker.tell(happening)
            why = walker.unguarded()
        for _ in range(ROUNDS_MAX if door[2] else REST_MAX):
            if why or walker.over():
                break
            walker.patience()
            why = walker.unguarded()
        if not why and not walker.over() and not door[2]:
            why = f"it goes round at {walker.run.stack} when the caller does nothing"
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
    return Trouble(name, seed, number, why, tuple(map(repr, told))) if why else None


def _happening(walker: Walker, dice: Dice) -> actions.Happening:
    """Mostly one that fits the wait, else any; its ticket is sometimes another wait's."""
    fitting = _FITS.get(walker.run.waiting, ())
    name = fitting[dice.below(len(fitting))] if fitting and dice.below(10) else NAMES[dice.below(len(NAMES))]
    if name == "CallerGone" and dice.below(4):
        name = "Digit"  # else most sequences would be short
    number = NAMES.index(name)
    made: actions.Happening = KINDS[number](
        **{field: _value(field, kind, walker, dice) for field, kind in FIELDS[number]}
    )  # fmt: skip
    return made


def _utterance(walker: Walker, dice: Dice) -> Utterance:
    """What a recogniser might answer, also what the grammar never meant: any intent, no slots, any confidence."""
    result = RESULTS[dice.below(len(RESULTS))]
    flow, following = walker.run.stack[-1] if walker.run.stack else ("", 0)
    steps = walker.program.flows.get(flow, ())
    outs = tuple(steps[following - 1].outs) if 0 < following <= len(steps) else ()
    intents = (*outs, "person", "again", "help", "yes", "no", "strange", "")
    many = dice.below(3) if result != MATCH else 1 + dice.below(2)
    best = tuple(
        Heard("some words", intents[dice.below(len(intents))], {}, dice.below(100) / 100) for _ in range(many)
    )  # fmt: skip
    return Utterance(result, best, 0, dice.below(2_000), dice.below(3_000), barged_in=bool(dice.below(2)))


def _value(name: str, kind: object, walker: Walker, dice: Dice) -> Any:
    if name == "ticket":
        return walker.run.ticket if dice.below(8) else max(0, walker.run.ticket - 1)
    if name == "digit":
        return KEYS[dice.below(len(KEYS))]
    if name == "key":
        return CHOICES[dice.below(len(CHOICES))]
    if kind is int:
        return dice.below(100_000)
    if kind is bool:
        return bool(dice.below(2))
    if kind is str:
        return WORDS[dice.below(len(WORDS))]
    if kind is Utterance:
        return _utterance(walker, dice)
    return {}
