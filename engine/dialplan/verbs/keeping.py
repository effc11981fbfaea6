"""Steps whose callers' words are kept as sound: who hears so first, and where it is never done.

telling (waiting = consent) --told, declined, none--> the step as it is written
"""

from __future__ import annotations

from collections.abc import Callable

from engine.dialplan.program import Step
from engine.dialplan.turn import Turn
from engine.dialplan.utterance_model import ANNOUNCED, UtteranceRule, place_of, rule_of
from engine.dialplan.verbs.recording import told_first


def kept(turn: Turn, step: Step) -> UtteranceRule | None:
    """By which rule is what is said at this step kept? None: by none. Of a sensitive step nothing ever is."""
    if step.data.get("sensitive") or not (step.data.get("hears") or step.data.get("asks")):
        return None
    rule = rule_of(turn.site, turn.tenant)
    return rule if rule is not None and rule.holds_at(place_of(turn.program.name, step.id)) else None


def telling(begin: Callable[[Turn, Step], None]) -> Callable[[Turn, Step], None]:
    """The beginning of a step that listens: who will be kept is told first, once in a call."""

    def first(turn: Turn, step: Step) -> None:
        rule = kept(turn, step)
        if rule is None or rule.consent != ANNOUNCED or not told_first(turn, step):
            begin(turn, step)

    return first
