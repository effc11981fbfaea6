"""Dialplans as read: the steps of each flow with their places, names not yet resolved."""

from __future__ import annotations

import msgspec

from engine import marks
from engine.dialplan.phrase_reader import Phrases
from engine.dialplan.types import Declaration
from engine.dialplan.verbs.table import Verb


class Target(msgspec.Struct, frozen=True):
    """Where an outcome leads: a flow's name, a hoisted list ("parent#n"), `again` or `continue`."""

    flow: str
    node: marks.Node
    inline: bool = False


class Branch(msgspec.Struct, frozen=True):
    """One line of `when`: condition None is `else`."""

    condition: marks.Scalar | None
    target: Target


class DraftStep(msgspec.Struct):
    """A step with its options as nodes; `outs` outcome -> target; `choices` key or case -> (its scalar, target)."""

    verb: Verb
    node: marks.Node
    key: marks.Scalar
    options: dict[str, marks.Node] = {}
    outs: dict[str, Target] = {}
    choices: dict[str, tuple[marks.Scalar, Target]] = {}
    branches: list[Branch] = []


class DraftFlow(msgspec.Struct):
    """A flow, or a list hoisted out of `parent` (its steps return to the step after the branch)."""

    name: str
    key: marks.Scalar
    steps: list[DraftStep]
    root: str
    parent: str = ""


class DraftVariable(msgspec.Struct, frozen=True):
    key: marks.Scalar
    text: str
    declared: Declaration


class Draft(msgspec.Struct):
    """One dialplan file. `broken`: something in it was refused, so the analysis of paths would mislead."""

    name: str
    file: str
    root: marks.Mapping
    languages: tuple[str, ...] = ()
    entry: marks.Scalar | None = None
    variables: dict[str, DraftVariable] = {}
    always: dict[str, Target] = {}
    rescue: marks.Scalar | None = None
    finally_: marks.Scalar | None = None
    flows: dict[str, DraftFlow] = {}
    waits: dict[str, DraftFlow] = {}
    broken: bool = False
    phrases: dict[str, Phrases] = {}  # what may be said for a flow, or for a value of a choice
    person: marks.Node | None = None  # where "agent" and "operator" lead
