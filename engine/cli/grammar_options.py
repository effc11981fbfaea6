"""What may be said, as options of a command line: --phrases 'a|b', --slot digits:4 or --grammar FILE.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.speech.grammar import Grammar


class File(msgspec.Struct, forbid_unknown_fields=True):
    """A grammar's file, but for its slots."""

    phrases: dict[str, str | list[str]]
    words: dict[str, list[str]] = {}
    fillers: bool = True
    any_order: bool = False
    language: str = ""


class SlotFile(msgspec.Struct, forbid_unknown_fields=True):
    """A slot of such a file."""

    kind: str
    low: int = 0
    high: int = 0
    currency: str = ""
    choices: dict[str, list[str]] = {}


def chosen(phrases: str, slot: str, file: Path | None, language: str, *, needed: bool = True) -> Grammar | None:
    """The grammar that one of the options gives; None when none is given and none `needed`.

    Raises UsageError: none or several of them, or what is wrong in it, with its column.
    """
    from engine.errors import SpeechError, UsageError
    from engine.speech import grammar_net

    given = [name for name, value in (("--phrases", phrases), ("--slot", slot), ("--grammar", file)) if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: one of them says what may be said")
    if not given:
        if needed:
            raise UsageError("what may be said? --phrases 'sales|billing', --slot digits:4 or --grammar FILE.yaml")
        return None
    if file is not None:
        grammar = _from_file(file, language)
    else:
        grammar = _of_phrases(phrases, language) if phrases else _of_slot(slot, language)
    try:
        wrong = grammar_net.problems(grammar)
        if not wrong:
            grammar_net.build(grammar)
    except SpeechError as error:
        raise UsageError(f"{given[0]}: {error}") from error
    if wrong:
        phrase, column, detail = wrong[0]
        raise UsageError(f"{given[0]}: {phrase!r}, column {column}: {detail}")
    return grammar


def _of_phrases(text: str, language: str) -> Grammar:
    """Each phrase means itself. A bar inside brackets belongs to the phrase."""
    from engine.speech.grammar import Grammar, Line

    parts, depth, current = list[str](), 0, ""
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += sign
    lines = [each.strip() for each in (*parts, current) if each.strip()]
    return Grammar(language, tuple(Line(each, each) for each in lines))


def _of_slot(text: str, language: str) -> Grammar:
    """`digits:4`, `digits:6-8`, `number:1-99`, `amount:usd`, `date` …"""
    from engine.errors import UsageError
    from engine.speech.grammar import SLOT_KINDS, Grammar, Line, Slot

    kind, _, rest = text.partition(":")
    if kind not in SLOT_KINDS or kind == "choice":
        known = ", ".join(each for each in SLOT_KINDS if each != "choice")
        raise UsageError(f"--slot {text!r}: no slot {kind!r}; there are {known}")
    low, _, high = rest.partition("-")
    if kind == "amount" and rest:
        slot = Slot(kind, currency=rest.upper())
    elif rest and not (low.isdecimal() and (high or low).isdecimal()):
        raise UsageError(f"--slot {text!r}: behind the colon stands a length or a range, as in digits:6-8")
    else:
        slot = Slot(kind, int(low or 0), int(high or low or 0))
    return Grammar(language, (Line(f"${kind}", kind),), {kind: slot})


def _from_file(path: Path, language: str) -> Grammar:
    """A file with the fields of a grammar: phrases (intent -> phrase or phrases), slots, words, fillers, any_order."""
    from engine.errors import UsageError
    from engine.speech.grammar import Grammar, Line, Slot

    try:
        raw = msgspec.yaml.decode(path.read_bytes())
        slots = {name: msgspec.convert(each, SlotFile) for name, each in (raw.pop("slots", None) or {}).items()}
        file = msgspec.convert(raw, File)
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from error
    except (msgspec.MsgspecError, AttributeError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error
    lines = [
        Line(phrase, intent)
        for intent, given in file.phrases.items()
        for phrase in ([given] if isinstance(given, str) else given)
    ]
    made = {
        name: Slot(each.kind, each.low, each.high, each.currency, {key: tuple(v) for key, v in each.choices.items()})
        for name, each in slots.items()
    }
    said = {word: tuple(each) for word, each in file.words.items()}
    return Grammar(file.language or language, tuple(lines), made, said, file.fillers, file.any_order)
