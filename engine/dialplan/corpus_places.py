"""Where a dialplan listens to what callers say, and to what: from its linked program."""

from __future__ import annotations

from collections.abc import Iterator

from engine import limits
from engine.dialplan.corpus import Said
from engine.dialplan.program import Program, Step
from engine.speech.utterance import Listening

CONFIRM = "confirm "  # before a step: while it asks whether it has understood
WAIT = "wait "  # before a wait list: what its callers may say, whatever of it they hear
SURE = 50  # percent, where a step doesn't say from where on it takes what was heard


def listening_steps(program: Program) -> Iterator[Step]:
    """The steps that listen to words, in file order."""
    for steps in program.flows.values():
        yield from (step for step in steps if step.data.get("hears"))


def places(program: Program) -> dict[str, dict[str, str]]:
    """Step, `confirm STEP` or `wait LIST` -> language -> key of the grammar."""
    found: dict[str, dict[str, str]] = {}
    for step in listening_steps(program):
        found[step.id] = dict(step.data["hears"])
        if step.data.get("asks"):
            found[CONFIRM + step.id] = dict(step.data["asks"])
    return {**found, **{WAIT + name: dict(wait.hears) for name, wait in program.waits.items() if wait.hears}}


def listening(program: Program, said: Said, today: str) -> Listening:
    """The wish to listen that a call would have at the place of an utterance."""
    wait = program.waits.get(said.at.removeprefix(WAIT)) if said.at.startswith(WAIT) else None
    if wait is not None:
        return Listening(
            said.grammar, said.language, pause_ms=limits.speech_pause_ms, utterance_ms_max=limits.utterance_ms_max,
            threshold=wait.accept / 100, today=today,
        )  # fmt: skip
    step = next((each for each in listening_steps(program) if each.id == said.at.removeprefix(CONFIRM)), None)
    accept = step.data.get("accept", SURE) if step is not None else SURE
    return Listening(said.grammar, said.language, threshold=accept / 100, today=today, lists=said.lists)
