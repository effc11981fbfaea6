"""`one_of`: steps that take an entry of a list which a variable of the call holds."""

from __future__ import annotations

from engine import limits
from engine.dialplan.program import Step
from engine.dialplan.turn import Turn
from engine.speech import open_list
from engine.speech.open_list import OpenList
from engine.speech.utterance import Heard, Utterance

told_max = 3  # entries that a fault names


def of(turn: Turn, name: str) -> OpenList:
    """The list in a variable, for the call's language."""
    return open_list.read(str(turn.run.variables.get(name, "")), turn.run.language)


def entries(turn: Turn, step: Step) -> tuple[str, ...]:
    """What a gather's value may be, in order; () when it takes no entry of a list."""
    source = step.data.get("lists", {}).get(step.data.get("into", ""))
    return of(turn, source).entries if source else ()


def empty(turn: Turn, step: Step) -> bool:
    """Is a list empty that this step needs? What in it can't be said is told to whoever looks after the site."""
    for slot, source in step.data.get("lists", {}).items():
        held = of(turn, source)
        if held.left_out:
            shown = ", ".join(repr(each[: limits.spoken_entry_letters_max]) for each in held.left_out[:told_max])
            more = f" and {len(held.left_out) - told_max} more" if len(held.left_out) > told_max else ""
            turn.fault(f"{source}: nobody can say {shown}{more} for {slot}; keys take them by their place")
        if not held.entries:
            return True
    return False


def phrases(turn: Turn, step: Step) -> dict[str, tuple[str, ...]] | None:
    """What may be said for the step's lists, for `Listening.lists`; None when nothing of one can be."""
    found = {slot: tuple(of(turn, name).phrases) for slot, name in step.data.get("lists", {}).items()}
    return found if all(found.values()) else None


def meant(turn: Turn, step: Step | None, said: Utterance) -> Utterance:
    """The utterance with entries in place of the words that were said for them."""
    lists = step.data.get("lists", {}) if step is not None else {}
    if not lists:
        return said
    held = {slot: of(turn, name).phrases for slot, name in lists.items()}
    best = []
    for each in said.best:
        slots = {slot: held.get(slot, {}).get(str(value), value) for slot, value in each.slots.items()}
        best.append(Heard(each.text, each.intent, slots, each.confidence))
    return Utterance(
        said.result, tuple(best), said.speech_start_ms, said.speech_end_ms, said.decided_ms, said.barged_in,
        said.engine, said.detail,
    )  # fmt: skip
