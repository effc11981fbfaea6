"""The built-in slots: which languages have them, and their word nets."""

from __future__ import annotations

from engine.errors import SpeechError
from engine.speech import notation, slot_values, slots_en, slots_zh, words
from engine.speech.grammar import SLOT_KINDS, Slot
from engine.speech.net import Net

_MODULES = {"en": slots_en, "zh": slots_zh}
LANGUAGES = tuple(_MODULES)


def leading(language: str) -> tuple[str, ...]:
    """Polite words before a phrase."""
    found = _MODULES.get(words.base(language))
    return found.LEADING if found else ()


def trailing(language: str) -> tuple[str, ...]:
    """Polite words after a phrase."""
    found = _MODULES.get(words.base(language))
    return found.TRAILING if found else ()


def between(language: str) -> tuple[str, ...]:
    """Words that join several phrases of one utterance."""
    found = _MODULES.get(words.base(language))
    return found.BETWEEN if found else ()


def draw(net: Net, source: int, target: int, slot: Slot, language: str) -> None:
    """What can be said for a slot. Raises SpeechError: a kind that the language has not, a range that holds nothing,
    a choice without choices; NotationError: a phrase of a choice."""
    problem = wrong(slot, language)
    if problem:
        raise SpeechError(problem)
    if slot.kind == "choice":
        for value, phrases in slot.choices.items():
            for phrase in phrases or (value,):
                ending = net.node()
                net.draw(notation.read(phrase, language), source, ending, no_slot)
                net.pass_by(ending, target, f"={value}")
        return
    module = _MODULES[words.base(language)]
    if slot.kind == "amount":
        module.amount(net, source, target, slot, slot_values.places(slot.currency))
    else:
        getattr(module, slot.kind)(net, source, target, slot)


def no_slot(net: Net, name: str, source: int, target: int) -> None:
    """Where a phrase may hold no slot. Raises SpeechError."""
    raise SpeechError(f"${name} stands in a choice; the phrases of a choice hold words alone")


def wrong(slot: Slot, language: str) -> str:
    """What is wrong with a slot, in words, and what to do; empty when nothing is."""
    if slot.kind not in SLOT_KINDS:
        return f"{slot.kind!r} is no kind of slot; there are {', '.join(SLOT_KINDS)}"
    if slot.kind == "choice":
        return "" if slot.choices else "a choice without choices can't be answered; give it at least one"
    if words.base(language) not in _MODULES:
        return (
            f"there is no slot of kind {slot.kind} in the language {language!r} (there is in {', '.join(LANGUAGES)}); "
            "listen for phrases or a choice there, or for keys"
        )
    if slot.low > slot.high and slot.high:
        return f"nothing lies between {slot.low} and {slot.high}; the smaller number comes first"
    largest = 64 if slot.kind in ("digits", "spelled") else 999_999_999
    if abs(slot.low) > largest or abs(slot.high) > largest:
        return f"a {slot.kind} slot reaches to {largest} at most"
    if slot.low < 0 and slot.kind != "number":
        return f"a slot of kind {slot.kind} has no range below 0"
    return ""
