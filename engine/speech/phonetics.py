"""How alike two phrases sound: a distance between phones by how they are made, and between phrases by their phones.

Phones are ARPAbet, with or without stress. Those of another language are equal or as far apart as can be.
"""

from __future__ import annotations

from collections.abc import Sequence

Phones = tuple[str, ...]

# vowel -> (height, backness, rounding), of a diphthong where it begins and where it ends; 0 … 2
_VOWELS: dict[str, tuple[float, ...]] = {
    "IY": (2.0, 0.0, 0), "IH": (1.7, 0.4, 0), "EH": (1.0, 0.3, 0), "AE": (0.4, 0.3, 0), "AA": (0.0, 1.6, 0),
    "AO": (0.7, 2.0, 1), "AH": (0.8, 1.2, 0), "UH": (1.7, 1.6, 1), "UW": (2.0, 2.0, 1), "ER": (1.0, 1.0, 0.5),
    "AX": (1.0, 1.1, 0), "EY": (1.0, 0.2, 0, 1.9, 0.1, 0), "AY": (0.1, 1.0, 0, 1.8, 0.3, 0),
    "OY": (0.8, 1.9, 1, 1.8, 0.3, 0), "AW": (0.1, 1.0, 0, 1.7, 1.7, 1), "OW": (1.0, 1.7, 1, 1.8, 1.9, 1),
}  # fmt: skip
# consonant -> (place from the lips back, manner, voice)
_STOP, _AFFRICATE, _FRICATIVE, _NASAL, _LIQUID, _GLIDE = 0.0, 0.7, 1.2, 2.2, 3.0, 3.6
_CONSONANTS: dict[str, tuple[float, float, float]] = {
    "P": (0.0, _STOP, 0), "B": (0.0, _STOP, 1), "T": (2.0, _STOP, 0), "D": (2.0, _STOP, 1), "K": (4.0, _STOP, 0),
    "G": (4.0, _STOP, 1), "CH": (2.7, _AFFRICATE, 0), "JH": (2.7, _AFFRICATE, 1), "F": (0.4, _FRICATIVE, 0),
    "V": (0.4, _FRICATIVE, 1), "TH": (1.0, _FRICATIVE, 0), "DH": (1.0, _FRICATIVE, 1), "S": (2.0, _FRICATIVE, 0),
    "Z": (2.0, _FRICATIVE, 1), "SH": (2.8, _FRICATIVE, 0), "ZH": (2.8, _FRICATIVE, 1), "HH": (4.8, _FRICATIVE, 0),
    "M": (0.0, _NASAL, 1), "N": (2.0, _NASAL, 1), "NG": (4.0, _NASAL, 1), "L": (2.0, _LIQUID, 1),
    "R": (2.6, _LIQUID, 1), "W": (0.2, _GLIDE, 1), "Y": (3.2, _GLIDE, 1),
}  # fmt: skip
_WEAK = ("HH", "T", "D", "AH", "AX", "IH")  # what is swallowed, or comes of itself, in quick speech
_MISSING, _MISSING_WEAK = 0.6, 0.4
alike_cost_max = 1.3  # two phones of one kind, as in five and nine; a line's noise hides as much
alike_share_max = 0.4  # … of the longer phrase


def plain(pronunciation: str) -> Phones:
    """`B IH1 L` as phones without stress."""
    return tuple(phone.rstrip("0123456789").upper() for phone in pronunciation.split())


def is_vowel(phone: str) -> bool:
    """Of a phone set that isn't known here, by its first letter."""
    return phone in _VOWELS or (phone not in _CONSONANTS and phone[:1] in "AEIOUV")


def syllables(phones: Sequence[str]) -> int:
    """How many vowels."""
    return sum(1 for phone in phones if is_vowel(phone))


def unlike(left: str, right: str) -> float:
    """0 for the same phone, up to 1 for what nobody takes for the other."""
    if left == right:
        return 0.0
    if left in _VOWELS and right in _VOWELS:
        first, second = _VOWELS[left], _VOWELS[right]
        pairs = zip((first * 2)[:6], (second * 2)[:6], strict=True)
        return min(1.0, sum(abs(a - b) for a, b in pairs) / 9)
    if left in _CONSONANTS and right in _CONSONANTS:
        one, other = _CONSONANTS[left], _CONSONANTS[right]
        # on a telephone's band, places are heard badly and voicing worse
        return min(1.0, abs(one[0] - other[0]) * 0.15 + abs(one[1] - other[1]) * 0.25 + abs(one[2] - other[2]) * 0.2)
    return 1.0


def missing(phone: str) -> float:
    """What it costs when a phone is only in one of two phrases."""
    return _MISSING_WEAK if phone in _WEAK else _MISSING


def distance(left: Sequence[str], right: Sequence[str]) -> float:
    """What it takes to make one phrase of the other, in phones: 0 for the same, about 1 for one that differs wholly."""
    above = [0.0]
    for phone in right:
        above.append(above[-1] + missing(phone))
    for phone in left:
        row = [above[0] + missing(phone)]
        for at, other in enumerate(right):
            row.append(
                min(above[at] + unlike(phone, other), above[at + 1] + missing(phone), row[at] + missing(other))
            )
        above = row
    return above[-1]


def alike(left: Sequence[str], right: Sequence[str]) -> bool:
    """Would the one be taken for the other on a telephone?"""
    longer = max(len(left), len(right))
    if abs(len(left) - len(right)) * _MISSING_WEAK > alike_cost_max:
        return False
    cost = distance(left, right)
    return cost <= alike_cost_max and cost <= alike_share_max * longer
