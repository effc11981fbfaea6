"""From the phonemes that espeak-ng writes (IPA, American English) to the phones of our English model (ARPAbet).

For words that no dictionary holds: names, brands, towns. Running espeak-ng is `runtime.guessing`'s.
"""

from __future__ import annotations

_SILENT = frozenset("ˈˌːˑʲ̩̃͡‿-|_ \u200d")  # stress, length, ties: our phones don't tell them apart
_PHONES = {
    "eɪ": "EY", "aɪ": "AY", "ɔɪ": "OY", "aʊ": "AW", "oʊ": "OW", "əʊ": "OW", "tʃ": "CH", "dʒ": "JH", "əl": "AH L",
    "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɛ": "EH", "e": "EH", "æ": "AE", "a": "AA", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO",
    "o": "AO", "ʊ": "UH", "u": "UW", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɚ": "ER", "ɜ": "ER", "ɝ": "ER",
    "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH",
    "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "h": "HH", "m": "M", "n": "N", "ŋ": "NG", "l": "L", "ɫ": "L", "ɬ": "L",
    "ɹ": "R", "r": "R", "w": "W", "j": "Y", "ɾ": "T", "ʔ": "T", "x": "K", "ç": "HH",
}  # fmt: skip
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
