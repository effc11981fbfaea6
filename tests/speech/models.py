"""A small model's phones and words for tests: no audio, no decoder."""

from __future__ import annotations

from engine.speech import lexicon, phones
from engine.speech.grammar import Grammar, Line, Slot

PHONES = (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
_WORDS = """
billing\tB IH L IH NG
bills\tB IH L Z
main\tM EY N
menu\tM EH N Y UW
sails\tS EY L Z
sale\tS EY L
sales\tS EY L Z
tomato\tT AH M AA T OW
tomato\tT AH M EY T OW
""".strip("\n")
DIGITS = "zero Z IH R OW|one W AH N|two T UW|three TH R IY|four F AO R|five F AY V|six S IH K S|seven S EH V AH N"
DIGITS += "|eight EY T|nine N AY N|double D AH B AH L|triple T R IH P AH L"


def the_phones(noise: bool = False) -> phones.Phones:
    """SIL, NSN and every phone in its four positions, numbered in this order."""
    names = ["<eps>", "SIL", "NSN", *(f"{phone}_{position}" for phone in PHONES for position in "BIES")]
    return phones.read("".join(f"{name} {number}\n" for number, name in enumerate(names)), noise)


def the_lexicon(more: str = "") -> lexicon.Lexicon:
    """A few words, the digits, and `more` (`word PH PH|word PH`)."""
    lines = _WORDS.split("\n")
    lines += [entry.replace(" ", "\t", 1) for entry in (DIGITS + ("|" + more if more else "")).split("|")]
    return lexicon.Lexicon(lexicon.Dictionary("\n".join(sorted(lines))))


def grammar(*phrases: str, fillers: bool = False, any_order: bool = False, **slots: Slot) -> Grammar:
    """An English grammar; the intent of the n-th phrase is `i` and n, from 0."""
    lines = tuple(Line(phrase, f"i{index}") for index, phrase in enumerate(phrases))
    return Grammar("en", lines, slots, fillers=fillers, any_order=any_order)
