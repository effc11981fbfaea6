"""Where a dialplan listens to what callers say, and to what: from its linked program."""

from __future__ import annotations

from collections.abc import Iterator

from engine.dialplan.corpus import Said
from engine.dialplan.program import Program, Step
from engine.speech.utterance import Listening

CONFIRM = "confirm "  # before a step: while it asks whether it has understood
SURE = 50  # percent, where a step doesn't say from where on it takes what was heard


def listening_steps(program: Program) -> Iterator[Step]:
    """The steps that listen to words, in file order."""
    for steps in program.flows.values():
        yield from (step for step in steps if step.data.get("hears"))


def places(program: Program) -> dict[str, dict[str, str]]:
    """Step, or `confirm STEP` -> language -> key of the grammar."""
    found: dict[str, dict[str, str]] = {}
    for step in listening_steps(program):
        found[step.id] = dict(step.data["hears"])
        if step.data.get("asks"):
            found[CONFIRM + step.id] = dict(step.data["asks"])
    return found


def listening(program: Program, said: Said, today: str) -> Listening:
    """The wish to listen that a call would have at the place of an utterance."""
    step = next((each for each in listening_steps(program) if each.id == said.at.removeprefix(CONFIRM)), None)
    accept = step.data.get("accept", SURE) if step is not None else SURE
    return Listening(said.grammar, said.language, threshold=accept / 100, today=today, lists=said.lists)
