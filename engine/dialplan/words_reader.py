"""`words:` of grammars.yaml: how words are said that no dictionary has, or has otherwise; per language.

    words:
      ringdown: R IH NG D AW N                       # phones of the language, in capitals
      nguyen: [like win, N UW Y EH N]                # several ways; `like` other words, one after the other
      siobhan: {en: like shiv on}                    # a site of several languages
Whether the words behind `like` are known only a dictionary can tell: `speech_advice` asks it.
"""

from __future__ import annotations

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.phrase_reader import one
from engine.speech import phones
from engine.speech import words as spelling
from engine.speech.lexicon import LIKE

Words = dict[str, dict[str, tuple[str, ...]]]  # language -> word -> how it is said, see `Grammar.words`
ways_max = 8  # to say one word


def read(report: Report, node: marks.Node | None, languages: tuple[str, ...]) -> Words:
    """Those that can be said; what is wrong with the others is told at its place."""
    found: Words = {language: {} for language in languages}
    form = values.mapping(report, node, "words")
    if form is None:
        return found
    if len(form.entries) > limits.own_words_max:
        report.add("RD024", form, f"{len(form.entries)} words; at most {limits.own_words_max} are kept")
        return found
    for key, value in form:
        for language, said in one(report, value, languages, f"the word {key.text}").items():
            word = _word(report, key, language)
            ways = [way for each in said if (way := _way(report, each, language))]
            if len(said) > ways_max:
                report.add("RD024", value, f"{len(said)} ways to say {key.text!r}; at most {ways_max} are told apart")
            elif word and ways:
                found[language][word] = tuple(dict.fromkeys(ways))
    return found


def _word(report: Report, key: marks.Scalar, language: str) -> str:
    """One word, as phrases hold it."""
    split = spelling.split(key.text, language)
    if len(split) != 1 or not all(map(spelling.is_sign, split[0])):
        report.add("RD290", key, f"{key.text!r} is not one word", "a pronunciation is given for each word by itself")
        return ""
    return split[0]


def _way(report: Report, node: marks.Scalar, language: str) -> str:
    """`R IH NG`, or `like ring`; '' after a finding."""
    if node.text.startswith(LIKE) or node.text.strip() == LIKE.strip():
        said = spelling.split(node.text.removeprefix(LIKE.strip()), language)
        if not said or not all(spelling.is_sign(sign) for word in said for sign in word):
            report.add("RD290", node, "like which words?", "as in: like ring down")
            return ""
        return LIKE + " ".join(said)
    known = phones.OF_LANGUAGE.get(spelling.base(language))
    if known is None:
        has = ", ".join(phones.OF_LANGUAGE)
        message = f"the phones of {language} aren't known (those of {has} are)"
        report.add("RD290", node, message, "a recogniser of yours has a dictionary of its own: add the word there")
        return ""
    found: list[str] = []
    at = 0
    for part in node.text.split():
        at = node.text.index(part, at)
        phone = part.rstrip("012")  # stress, as dictionaries write it
        if phone not in known:
            shown = values.inside(node, at)
            if part.upper().rstrip("012") in known and part != part.upper():
                hint = "phones are written in capitals; for words that it sounds like: like " + node.text
            else:
                hint = did_you_mean(phone.upper(), known, otherwise=f"the phones are {' '.join(known)}")
            report.add("RD290", node, f"{part!r} is no phone of {language}", hint, at=shown, width=len(part))
            return ""
        found.append(phone)
        at += len(part)
    return " ".join(found)
