"""`phrases:` of a dialplan or a menu: what may be said for a choice, per language, as written.

    phrases:
      billing: [billing, my bill, "[pay] an invoice"]            # a dialplan of one language
      outage: {en: [no power, power cut], zh: [停电, 没电了]}
"""

from __future__ import annotations

from collections.abc import Iterable

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.speech import notation

Phrases = dict[str, list[marks.Scalar]]  # language -> phrases
phrases_max = 200  # of one name in one language


def read(report: Report, node: marks.Node | None, languages: tuple[str, ...], what: str) -> dict[str, Phrases]:
    """Name -> its phrases."""
    found: dict[str, Phrases] = {}
    for key, value in values.mapping(report, node, what) or ():
        found[key.text] = one(report, value, languages, f"{what} {key.text}")
    return found


def one(report: Report, node: marks.Node, languages: tuple[str, ...], what: str) -> Phrases:
    """The phrases of one name. Without a language they are in the dialplan's only one."""
    if not isinstance(node, marks.Mapping):
        if len(languages) > 1:
            others = ", ".join(f"{each}: […]" for each in languages)
            message = f"{what}: in which language are these said?"
            report.add("RD023", node, message, f"write {{{others}}}")
            return {}
        return {languages[0]: _list(report, node, what)}
    found: Phrases = {}
    for key, value in node:
        if key.text not in languages:
            hint = did_you_mean(key.text, languages)
            report.add("RD039", key, f"{key.text!r} is not a language of this dialplan", hint)
        else:
            found[key.text] = _list(report, value, what)
    return found


def _list(report: Report, node: marks.Node, what: str) -> list[marks.Scalar]:
    held = []
    for word in values.scalars(report, node, what):
        if values.prose(report, word, what) is not None:
            held.append(word)
    if len(held) > phrases_max:
        report.add("RD024", node, f"at most {phrases_max} phrases for {what}, not {len(held)}")
    return held[:phrases_max]


def checked(report: Report, phrases: Iterable[marks.Scalar], language: str, slots: Iterable[str] = ()) -> list[str]:
    """Those that can be read; `slots`: the names that may stand in them behind $."""
    found = []
    known = tuple(slots)
    for word in phrases:
        try:
            tree = notation.read(word.text, language)
        except notation.NotationError as problem:
            at = values.inside(word, problem.column - 1)
            report.add("RD280", word, problem.detail, at=at, width=1)
            continue
        unknown = [name for name in notation.slots(tree) if name not in known]
        if unknown:
            named = ", ".join(f"${each}" for each in known) or "none can stand here"
            report.add("RD286", word, f"${unknown[0]} is nothing that is said here", f"slots: {named}")
            continue
        found.append(word.text)
    return found
