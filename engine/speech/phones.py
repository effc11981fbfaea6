"""The phones of a model and their numbers in a decoding graph.

A model here has one-state phones (Kaldi's `chain` topology): of the phone with the number n the transition 2n enters it
and 2n-1 stays in it. Every phone but silence and noise exists four times, by its position in the word (`_B` begins it,
`_I` stands inside, `_E` ends it, `_S` is all of it); the four sound alike.
"""

from __future__ import annotations

import msgspec

from engine.errors import SpeechError

SILENCE, NOISE = "SIL", "NSN"
# in which pronunciations of a language are written, by whoever has no model at hand; a test holds them to the models
OF_LANGUAGE = {
    "en": (
        "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH",
        "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
    ),
}  # fmt: skip


class Phones(msgspec.Struct, frozen=True):
    """`numbers`: phone with its position -> number; `noise`: whether the model has learnt what noise sounds like."""

    numbers: dict[str, int]
    noise: bool = False

    def enter(self, name: str) -> int:
        """The transition that begins a phone: its first frame."""
        return 2 * self.numbers[name]

    def stay(self, name: str) -> int:
        """The transition that goes on with it."""
        return 2 * self.numbers[name] - 1

    def names(self) -> tuple[str, ...]:
        """The phones without positions, silence and noise, in the model's order."""
        return tuple(name[:-2] for name in self.numbers if name.endswith("_S"))

    def placed(self, pronunciation: str) -> tuple[str, ...]:
        """`B IH L` with positions: B_B IH_I L_E. Raises SpeechError for a phone that the model has not."""
        phones = pronunciation.split()
        for phone in phones:
            if f"{phone}_S" not in self.numbers:
                raise SpeechError(
                    f"the pronunciation {pronunciation!r} holds {phone!r}, which is no phone of this model; "
                    f"it has {' '.join(self.names())}"
                )
        if len(phones) == 1:
            return (f"{phones[0]}_S",)
        last = len(phones) - 1
        return tuple(f"{phone}_{'B' if at == 0 else 'E' if at == last else 'I'}" for at, phone in enumerate(phones))


def read(text: str, noise: bool = False) -> Phones:
    """`phones.txt` of a model: a phone and its number by line. Raises SpeechError when it is not that."""
    numbers: dict[str, int] = {}
    for place, line in enumerate(text.splitlines(), 1):
        name, _, number = line.rpartition(" ")
        if not name or not number.isdecimal():
            raise SpeechError(f"phones.txt line {place}: a phone and its number are expected, not {line[:80]!r}")
        if int(number):
            numbers[name] = int(number)
    if SILENCE not in numbers or not any(name.endswith("_S") for name in numbers):
        raise SpeechError("phones.txt has no SIL, or no phones with positions (AA_B, AA_I, AA_E, AA_S)")
    return Phones(numbers, noise and NOISE in numbers)


def boundaries(phones: Phones) -> str:
    """The text of `word_boundary.int`, which says what position each phone has."""
    kinds: dict[str, str] = {"B": "begin", "I": "internal", "E": "end", "S": "singleton"}
    return "".join(
        f"{number} {'nonword' if name in (SILENCE, NOISE) else kinds[name[-1]]}\n"
        for name, number in sorted(phones.numbers.items(), key=lambda entry: entry[1])
    )


