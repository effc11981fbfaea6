"""How a value is spoken, as clips of the site: digits, numbers, a place in the queue, and what `saying` knows.

A clip that the site doesn't have is left out rather than handed to the media plane; a number, date or amount that
lacks one of its words is read digit by digit, so that nobody hears half of it.
"""

from __future__ import annotations

from engine.dialplan import saying
from engine.dialplan.model import Site
from engine.dialplan.numerals import number_clips
from engine.dialplan.types import Value

__all__ = ["WORDS", "clips_for", "is_words", "number_clips", "present", "words_of"]

WORDS = "words"  # the way of a text that the runtime's synthesiser speaks, see call.words
_GAP = "\u00a0"  # between the words of one, as a space parts clips in the records
_KEYS = {"*": "star", "#": "hash"}


def clips_for(kind: str, value: Value, language: str, site: Site, tenant: str = "") -> tuple[str, ...]:
    """Clip names that speak `value` as `kind` (digits | number | phone | position | words, or one of saying.KINDS).

    A tenant's own recordings of stock names come first. Unknown kinds and values give no clip.
    """
    if kind == WORDS:
        text = " ".join(str(value).split())
        return (f"{language}/{WORDS}/{text.replace(' ', _GAP)}",) if any(map(str.isalnum, text)) else ()
    if kind == "position":
        return _position(_integer(value), language, site, tenant)
    if kind == "number":
        names = [f"numbers/{word}" for word in number_clips(_integer(value), language)]
    elif kind.partition(" ")[0] in saying.KINDS:
        names = saying.phrase(kind, value, language)
    else:
        return present(_digits(value), language, site, tenant)
    clips = present(names, language, site, tenant)
    if len(clips) == len(names) or kind == "spelled":
        return clips
    return present(_digits(value), language, site, tenant)


def is_words(clip: str) -> bool:
    """Is it no recording, but words to be spoken? `en/words/Acme Ltd`."""
    return clip.partition("/")[2].startswith(f"{WORDS}/")


def words_of(clip: str) -> tuple[str, str]:
    """(language, text) of such words."""
    language, _, rest = clip.partition("/")
    return language, rest.partition("/")[2].replace(_GAP, " ")


def _digits(value: Value) -> list[str]:
    return [f"digits/{_KEYS.get(letter, letter)}" for letter in str(value) if letter in "0123456789*#"]


def _integer(value: Value) -> int:
    text = str(int(value) if isinstance(value, bool) else value)
    sign, text = (-1, text[1:]) if text[:1] == "-" else (1, text)
    return sign * int(text) if text.isascii() and text.isdigit() else 0


def present(names: list[str], language: str, site: Site, tenant: str) -> tuple[str, ...]:
    prompts = site.prompts
    clips = []
    for name in names:
        own = f"{tenant}:{language}/{name}"
        if tenant and own in prompts:
            clips.append(own)
        elif f"{language}/{name}" in prompts:
            clips.append(f"{language}/{name}")
    return tuple(clips)


def _position(place: int, language: str, site: Site, tenant: str) -> tuple[str, ...]:
    if place < 1:
        return ()
    if place == 1:
        first = present(["you_are_next", "position_first"], language, site, tenant)
        if first:
            return first[:1]
    number = [f"numbers/{word}" for word in number_clips(place, language)]
    return present(["position_is", *number, "position_after"], language, site, tenant)
