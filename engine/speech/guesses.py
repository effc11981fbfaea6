"""How words that no dictionary holds are probably said: names, brands, towns. In the phones of our English model.

From the phonemes that espeak-ng writes (IPA, American English), or else from words that are known. Running espeak-ng
is `runtime.guessing`'s.
"""

from __future__ import annotations

from collections.abc import Callable

_SILENT = frozenset("ˈˌːˑʲ̩̃͡‿-|_ \u200d")  # stress, length, ties: our phones don't tell them apart
_PHONES = {
    "eɪ": "EY", "aɪ": "AY", "ɔɪ": "OY", "aʊ": "AW", "oʊ": "OW", "əʊ": "OW", "tʃ": "CH", "dʒ": "JH", "əl": "AH L",
    "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɛ": "EH", "e": "EH", "æ": "AE", "a": "AA", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO",
    "o": "AO", "ʊ": "UH", "u": "UW", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɚ": "ER", "ɜ": "ER", "ɝ": "ER",
    "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH",
    "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "h": "HH", "m": "M", "n": "N", "ŋ": "NG", "l": "L", "ɫ": "L", "ɬ": "L",
    "ɹ": "R", "r": "R", "w": "W", "j": "Y", "ɾ": "T", "ʔ": "T", "x": "K", "ç": "HH",
}  # fmt: skip
_part_min = 3  # letters of a word that is taken for a part of another
_LONGEST = max(map(len, _PHONES))
_BEFORE_SYLLABIC = "\u0329"  # the mark under a consonant that is a syllable by itself: button, bottle


def from_ipa(text: str) -> str:
    """`bˈɪlɪŋ` as `B IH L IH NG`; empty when a sign isn't known, for then the guess would be worth nothing."""
    for consonant in "nlm":
        text = text.replace(consonant + _BEFORE_SYLLABIC, "ə" + consonant)
    plain = "".join(sign for sign in text if sign not in _SILENT)
    phones: list[str] = []
    at = 0
    while at < len(plain):
        for size in range(_LONGEST, 0, -1):
            phone = _PHONES.get(plain[at : at + size])
            if phone is not None:
                phones.append(phone)
                at += size
                break
        else:
            return ""
    return " ".join(phones)


def derived(word: str, known: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """From words that are known: a plural or genitive, or two words written as one (`ringdown`). The fallback where
    espeak-ng isn't installed; () when nothing fits."""
    for ending in ("'s", "s"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _part_min:
            return tuple(f"{said} {_plural(said.split()[-1])}" for said in known(stem)) or _joined(word, known)
    return _joined(word, known)


def _plural(last: str) -> str:
    if last in ("S", "Z", "SH", "ZH", "CH", "JH"):
        return "IH Z"
    return "S" if last in ("P", "T", "K", "F", "TH") else "Z"


def _joined(word: str, known: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    for cut in range(len(word) - _part_min, _part_min - 1, -1):
        first, second = known(word[:cut]), known(word[cut:])
        if first and second:
            return (f"{first[0]} {second[0]}",)
    return ()
