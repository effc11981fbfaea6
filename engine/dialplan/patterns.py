"""Patterns for digits that a caller types (`regex:` of gather): a small language that cannot run away.

    7          that digit            .  or x or \\d    any digit
    [2-9]      one of a range        [^0]             any digit but
    (ab|cd)    one of two            ? * + {3} {2,4}  how often what stands before

A pattern always means the whole of what was typed. It becomes a set of positions (Glushkov's construction) held as
bits of an integer: matching costs one pass over the digits and at most `positions_max` steps for each, whatever the
pattern is; nothing is ever tried twice.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

DIGITS = "0123456789"
text_max = 200
positions_max = 256
repeat_max = 64
nesting_max = 16
pieces_max = 2_000  # empty brackets take no position, but time
_REPEAT = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")


class PatternProblem(Exception):
    """A pattern that is not understood; `at` is the offset in its text."""

    def __init__(self, at: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.at, self.message, self.suggestion = at, message, suggestion


class Pattern(msgspec.Struct, frozen=True):
    """Bits are positions. `first`, `last`: where a match may begin and end; `follow[p]`: what may come after p;
    `digits[d]`: positions that take the digit d; `empty`: nothing at all matches."""

    first: int
    last: int
    follow: tuple[int, ...]
    digits: tuple[int, ...]
    empty: bool


class _Piece(msgspec.Struct, frozen=True):
    first: int
    last: int
    empty: bool


_NOTHING = _Piece(0, 0, True)


@lru_cache(maxsize=256)
def read(text: str) -> Pattern:
    """The pattern of a text. Raises PatternProblem."""
    if len(text) > text_max:
        raise PatternProblem(0, f"a pattern longer than {text_max} characters")
    reader = _Reader(text)
    whole = reader.either(0)
    if reader.at < len(text):
        raise PatternProblem(reader.at, f"{text[reader.at]!r} closes nothing", "remove it, or open ( before")
    takes = tuple(sum(1 << place for place, each in enumerate(reader.takes) if digit in each) for digit in DIGITS)
    return Pattern(whole.first, whole.last, tuple(reader.follow), takes, whole.empty)


def matches(pattern: Pattern, typed: str) -> bool:
    """Does the whole of `typed` (digits) match?"""
    now = -1
    for digit in typed:
        if digit not in DIGITS:
            return False
        reach = pattern.first if now == -1 else _following(pattern, now)
        now = reach & pattern.digits[int(digit)]
        if not now:
            return False
    return pattern.empty if now == -1 else bool(now & pattern.last)


def lengths(pattern: Pattern, high: int) -> list[int]:
    """How many digits a match may have, up to `high`."""
    usable = 0
    for takes in pattern.digits:
        usable |= takes
    found = [0] if pattern.empty else []
    now = pattern.first & usable
    for length in range(1, high + 1):
        if now & pattern.last:
            found.append(length)
        now = _following(pattern, now) & usable
    return found


def _following(pattern: Pattern, now: int) -> int:
    reach = 0
    while now:
        low = now & -now
        reach |= pattern.follow[low.bit_length() - 1]
        now ^= low
    return reach


class _Reader:
    """Recursive descent over: alternatives < sequence < repeated < one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.takes: list[str] = []  # position -> the digits it takes
        self.follow: list[int] = []
        self.pieces = 0  # read so far, those of repetitions too

    def look(self) -> str:
        return self.text[self.at : self.at + 1]

    def either(self, depth: int) -> _Piece:
        if depth > nesting_max:
            raise PatternProblem(self.at, f"brackets nested deeper than {nesting_max}")
        whole = self.sequence(depth)
        while self.look() == "|":
            self.at += 1
            other = self.sequence(depth)
            whole = _Piece(whole.first | other.first, whole.last | other.last, whole.empty or other.empty)
        return whole

    def sequence(self, depth: int) -> _Piece:
        whole = _NOTHING
        while self.look() not in ("", "|", ")"):
            whole = self.joined(whole, self.repeated(depth))
        return whole

    def joined(self, left: _Piece, right: _Piece) -> _Piece:
        for place in range(len(self.follow)):
            if left.last >> place & 1:
                self.follow[place] |= right.first
        return _Piece(
            left.first | (right.first if left.empty else 0), right.last | (left.last if right.empty else 0),
            left.empty and right.empty,
        )  # fmt: skip

    def repeated(self, depth: int) -> _Piece:
        began = self.at
        piece = self.one(depth)
        low, high = self.count()
        if (low, high) == (1, 1):
            return piece
        if high == 0:
            raise PatternProblem(began, "what may stand here no times can go")
        ended = self.at
        # each copy is read again from the text, so that its positions are its own
        whole = piece if low else _Piece(piece.first, piece.last, True)
        copies = [piece]
        for number in range(1, high if high > 0 else max(low, 1)):
            self.at = began
            copy = self.one(depth)
            copies.append(copy)
            whole = self.joined(whole, copy if number < low else _Piece(copy.first, copy.last, True))
        self.at = ended
        if high < 0:
            self.joined(copies[-1], copies[-1])
        return whole

    def count(self) -> tuple[int, int]:
        """(at least, at most); -1 at most: any number."""
        sign = self.look()
        low, high = {"?": (0, 1), "*": (0, -1), "+": (1, -1)}.get(sign, (1, 1))
        if sign == "{":
            match = _REPEAT.match(self.text, self.at)
            if match is None:
                raise PatternProblem(self.at, "how often is written {3}, {2,4} or {2,}")
            low = int(match.group(1))
            high = int(match.group(3)) if match.group(3) else -1 if match.group(2) else low
            if max(low, high) > repeat_max or -1 < high < low:
                raise PatternProblem(self.at, f"{match.group()} is not from 0 to {repeat_max}, the smaller first")
            self.at = match.end()
        elif (low, high) != (1, 1):
            self.at += 1
        if (low, high) != (1, 1) and self.look() in ("?", "*", "+", "{") and self.look():
            raise PatternProblem(self.at, "two counts one after the other", "put brackets round what the first counts")
        return low, high

    def one(self, depth: int) -> _Piece:
        self.pieces += 1
        if self.pieces > pieces_max:
            raise PatternProblem(self.at, f"a pattern of more than {pieces_max} parts with all its repetitions")
        sign = self.look()
        if sign == "(":
            began = self.at
            self.at += 1
            inner = self.either(depth + 1)
            if self.look() != ")":
                raise PatternProblem(began, "this ( is never closed")
            self.at += 1
            return inner
        if sign == "[":
            return self.position(self.listed())
        if self.text.startswith("\\d", self.at):
            self.at += 2
            return self.position(DIGITS)
        if sign in (".", "x"):
            self.at += 1
            return self.position(DIGITS)
        if sign and sign in DIGITS:
            self.at += 1
            return self.position(sign)
        hint = "digits, . for any, [2-9], (a|b), and ? * + {n} {n,m} for how often"
        if sign in ("^", "$"):
            hint = "leave it out: a pattern always means the whole of what was typed"
        raise PatternProblem(self.at, f"{sign!r} has no meaning in a pattern", hint)

    def listed(self) -> str:
        began = self.at
        end = self.text.find("]", began)
        inner = self.text[began + 1 : end] if end > 0 else ""
        body = inner.removeprefix("^")
        if re.fullmatch(r"(?:[0-9](?:-[0-9])?)+", body) is None:
            raise PatternProblem(began, "one of several digits is written [135], [2-9] or [^0]")
        found = ""
        for match in re.finditer(r"([0-9])(?:-([0-9]))?", body):
            first, last = match.group(1), match.group(2) or match.group(1)
            if last < first:
                raise PatternProblem(began, f"the range {first}-{last} is empty", "the smaller digit comes first")
            found += DIGITS[int(first) : int(last) + 1]
        self.at = end + 1
        return "".join(digit for digit in DIGITS if digit not in found) if inner[:1] == "^" else found

    def position(self, takes: str) -> _Piece:
        if len(self.takes) >= positions_max:
            raise PatternProblem(self.at, f"a pattern of more than {positions_max} digits with all its repetitions")
        self.takes.append(takes)
        self.follow.append(0)
        bit = 1 << (len(self.takes) - 1)
        return _Piece(bit, bit, False)
