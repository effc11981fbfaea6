"""Linked programs: flows as flat tuples of steps, every name resolved, and the state of one running call."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.speech.utterance import Heard


class Step(msgspec.Struct, frozen=True):
    """One step. `verb` chooses its rule in the interpreter; `id` is like `choose/menu(main_menu)`.

    `place` is file:line:column.
    `data` holds the verb's linked options; `outs` its outcomes: name -> flow to go to ('' = falls to the next step).
    Nested lists become flows of their own, named `parent#n`, that return to the step after the branch.
    """

    verb: str
    id: str
    place: str
    data: dict[str, Any]
    outs: dict[str, str] = {}


class Variable(msgspec.Struct, frozen=True):
    """A declared variable: `type` as written ("digits 4..8", "text"), sensitive or not, default or None."""

    type: str
    sensitive: bool = False
    default: str | None = None


class Program(msgspec.Struct, frozen=True):
    """One dialplan, linked. `entry` is a key of `flows`."""

    name: str
    version: str
    entry: str
    flows: dict[str, tuple[Step, ...]]
    variables: dict[str, Variable]
    languages: tuple[str, ...]
    always: dict[str, str] = {}  # key -> flow, live in every menu and gather
    rescue: str = ""
    finally_: str = ""
    waits: dict[str, Program] = {}  # wait list -> its own flows; they share the dialplan's variables
    loops: bool = False  # a wait list: it begins again at its end, and a word leaves the queue
    estimates: bool = False  # a wait list that says or reads how long the caller will wait
    wants: tuple[str, ...] = ()  # facts that change while the call lasts: they are told anew before each turn
    hears: dict[str, str] = {}  # of a wait list: language -> the grammar of the words that leave the queue
    said: dict[str, str] = {}  # … what they mean -> the key that does the same
    accept: int = 0  # … and from how many percent on they are taken


class Running(msgspec.Struct):
    """The state of one call in its dialplan. Pure data: encoded, restored, replayed.

    `stack`: (flow, index of next step) from the outermost to the innermost; `waiting` what the current step waits for.
    """

    program: str
    version: str
    language: str
    stack: list[tuple[str, int]]
    variables: dict[str, str | int | bool]
    facts: dict[str, str]
    ticket: int = 0
    waiting: str = ""  # '' (running) | answer | play | digits | timer | queue | dial | record | echo | stream | ended
    steps_since_input: int = 0
    digits: str = ""  # collected for the current gather or menu
    typed_ahead: str = ""
    tries: int = 0
    finishing: bool = False
    frames: list[int] = []  # depth of `stack` at each subflow that is running
    answered: bool = False
    rescued: int = 0  # faults that have led to `rescue`
    priority_ms: int = 0  # given by `priority`, for the next queue
    retry: str = ""  # which prompt the current menu or gather speaks: '' | again | invalid | no_input
    scratch: dict[str, str | int | bool] = {}
    hearing: int = 0  # ticket of the wish to listen to his words, 0 none
    speaking: bool = False  # … and he speaks
    readings: list[Heard] = []  # what he may have meant instead, best first, while he is asked whether it is right
    refused: list[str] = []  # … and what he has said no to at this step, see `spoken.token`
