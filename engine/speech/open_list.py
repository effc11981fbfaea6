"""A list that only the call knows (doctors, departments, towns of a lookup) as what a caller may say.

Entries stand in a text, with `|` or a line's end between them. What is said for an entry are its words; typed is its
place in the list. Entries that can't be said, or sound like an earlier one, still have their place.
"""

from __future__ import annotations

import re

import msgspec

from engine import limits
from engine.speech import words as spelling

_BETWEEN = re.compile(r"[|\n]")


class OpenList(msgspec.Struct, frozen=True):
    """`entries` in their order; `phrases`: what is said -> the entry; `left_out`: entries that can't be said."""

    entries: tuple[str, ...] = ()
    phrases: dict[str, str] = {}
    left_out: tuple[str, ...] = ()


def join(entries: list[str]) -> str:
    """The text of a list, its entries without the sign that divides them."""
    return "|".join(_BETWEEN.sub(" ", each) for each in entries)


def read(text: str, language: str) -> OpenList:
    """The list of a text, whatever it holds. Empty entries are none; what is beyond the bounds is left out."""
    found = dict.fromkeys(entry for each in _BETWEEN.split(text) if (entry := each.strip()))
    entries = tuple(found)[: limits.spoken_list_entries_max]
    phrases: dict[str, str] = {}
    left_out = list(tuple(found)[limits.spoken_list_entries_max :])
    for entry in entries:
        said = spelling.split(entry, language) if len(entry) <= limits.spoken_entry_letters_max else []
        phrase = " ".join(said)
        if not phrase or phrase in phrases or not all(map(_sayable, said)):
            left_out.append(entry)
        else:
            phrases[phrase] = entry
    return OpenList(entries, phrases, tuple(left_out))


def _sayable(word: str) -> bool:
    return all(map(spelling.is_sign, word)) and any(sign.isalpha() for sign in word)
