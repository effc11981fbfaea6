"""What may be said, as options of a command line: --phrases 'a|b', --slot digits:4 or --grammar FILE.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine import marks
    from engine.dialplan.findings import Report
    from engine.speech.grammar import Grammar


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
    """`grammars.yaml#visit`: one grammar of such a file; or a file that is one grammar by itself (phrases, slots,
    fillers, any_order), with `words` and `language` beside it."""
    from engine import marks
    from engine.dialplan import grammars_reader, spoken, words_reader
    from engine.dialplan.findings import Report, render
    from engine.errors import UsageError

    path, name = _named(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from error
    root, faults = marks.load(data, str(path))
    if root is not None:
        faults = [fault for fault in faults if fault.kind != "flow"]  # a file of one grammar may be JSON
    report = Report()
    for fault in faults:
        report.fault(fault)
    if not faults and not isinstance(root, marks.Mapping):
        raise UsageError(f"{path}: a grammar is a mapping, with phrases: and below it meaning: [the words]")
    said = root.entries.get("language") if isinstance(root, marks.Mapping) else None
    own = said.text if isinstance(said, marks.Scalar) else language
    held: dict[str, grammars_reader.Named] = {}
    words: words_reader.Words = {}
    if isinstance(root, marks.Mapping) and "grammars" in root.entries:
        languages = _languages(root, own)
        found = grammars_reader.read(report, root, languages, {})
        held, words = found.named, found.words
        if not name and len(held) == 1:
            name = next(iter(held))
    elif isinstance(root, marks.Mapping):
        _alone(report, root)
        held = {name: grammars_reader.grammar(report, name or "this file", root, (own,))}
        grammars_reader.check(report, held, (own,))
        words = words_reader.read(report, root.entries.get("words"), (own,))
    if report.errors:
        raise UsageError("\n".join(render(each) for each in report.finished({str(path): data})))
    if name not in held:
        raise UsageError(f"{path} holds {', '.join(held) or 'no grammar'}: say which, as in {path}#NAME")
    return msgspec.structs.replace(spoken.alone(held[name], held, own), words=words.get(own, {}))


def _named(path: Path) -> tuple[Path, str]:
    """`grammars.yaml#visit` is the grammar `visit` of that file, unless there is a file of that name."""
    text, sign, name = str(path).rpartition("#")
    return (type(path)(text), name) if sign and not path.exists() else (path, "")


def _alone(report: Report, root: marks.Mapping) -> None:
    from engine.dialplan import grammars_reader, values

    values.known_keys(report, root, "a grammar", (*grammars_reader.KEYS, "words", "language"))


def _languages(root: marks.Mapping, language: str) -> tuple[str, ...]:
    """Those of a site's file, which stands alone here: whatever looks like one is one."""
    import re

    from engine import marks

    found = {language: None}
    todo: list[marks.Node] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, marks.Mapping):
            if node.entries and all(re.fullmatch(r"[a-z]{2}(?:-[a-z]{2,8})?", each) for each in node.entries):
                found |= dict.fromkeys(node.entries)
            todo += node.entries.values()
    return tuple(found)
