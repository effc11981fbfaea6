"""How a phrase is written: words, (one|or another), [optional], $slot; read into a tree.

    phrase  = one or more of: word, "(" phrase {"|" phrase} ")", "[" phrase {"|" phrase} "]", "$" name
A branch of "(" … ")" or "[" … "]" may not be empty, and a phrase as a whole may not be silence. Punctuation between
words is allowed and means nothing, so a phrase can be written as a sentence.
"""

from __future__ import annotations

import re

import msgspec

from engine.errors import SpeechError
from engine.speech import words as spelling

phrase_length_max = 500  # characters
nesting_max = 8
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SPECIAL = "()[]|$"


class Word(msgspec.Struct, frozen=True, tag=True):
    """One word that has to be said."""

    text: str


class Sequence(msgspec.Struct, frozen=True, tag=True):
    """One after the other."""

    parts: tuple[Node, ...]


class Choice(msgspec.Struct, frozen=True, tag=True):
    """One of `branches`; `optional`: or nothing."""

    branches: tuple[Node, ...]
    optional: bool = False


class SlotPlace(msgspec.Struct, frozen=True, tag=True):
    """Where the value of a slot is said."""

    name: str


Node = Word | Sequence | Choice | SlotPlace


class NotationError(SpeechError):
    """A phrase that can't be read: `column` counts characters of the phrase from 1; the text says what to do."""

    def __init__(self, column: int, detail: str) -> None:
        super().__init__(f"column {column}: {detail}")
        self.column = column
        self.detail = detail


class _Reader:
    """One phrase being read."""

    def __init__(self, text: str, language: str) -> None:
        self.text, self.language, self.at = text, language, 0

    def fail(self, detail: str, at: int | None = None) -> NotationError:
        return NotationError((self.at if at is None else at) + 1, detail)

    def sequence(self, depth: int, closing: str) -> Node:
        """Parts up to `closing`, a bar or the end."""
        parts: list[Node] = []
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in ")]":
                if sign not in closing:
                    raise self.fail(f"'{sign}' closes nothing that is open here; take it away or open it before")
                break
            if sign == "|":
                if not closing:
                    raise self.fail("'|' stands between alternatives inside ( ) or [ ]: write (one|another)")
                break
            if sign in "([":
                parts.append(self.bracket(depth + 1))
            elif sign == "$":
                parts.append(self.slot())
            else:
                parts += self.plain()
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def bracket(self, depth: int) -> Node:
        """An alternative or an option, from its opening to its closing sign."""
        opened, sign = self.at, self.text[self.at]
        closing = ")" if sign == "(" else "]"
        if depth > nesting_max:
            raise self.fail(f"brackets are nested more than {nesting_max} deep; write several phrases instead")
        branches: list[Node] = []
        self.at += 1
        while True:
            begun = self.at
            branch = self.sequence(depth, closing)
            if isinstance(branch, Sequence) and not branch.parts:
                raise self.fail("an alternative is empty; for words that may be left out write [words]", begun)
            branches.append(branch)
            if self.at == len(self.text):
                raise self.fail(f"'{sign}' is never closed; add '{closing}'", opened)
            self.at += 1
            if self.text[self.at - 1] == closing:
                break
        if len(branches) == 1 and sign == "(":
            return branches[0]
        return Choice(tuple(branches), optional=sign == "[")

    def slot(self) -> Node:
        found = _NAME.match(self.text, self.at + 1)
        if found is None:
            raise self.fail("after '$' comes the name of a slot: small letters, digits and _, as in $day")
        self.at = found.end()
        return SlotPlace(found.group())

    def plain(self) -> list[Node]:
        """The words up to the next special sign."""
        begun = self.at
        while self.at < len(self.text) and self.text[self.at] not in _SPECIAL:
            self.at += 1
        found: list[Node] = []
        for word, at in spelling.placed(self.text[begun : self.at], self.language):
            for offset, sign in enumerate(word):
                if not spelling.is_sign(sign):
                    place = begun + at + offset
                    raise self.fail(f"{sign!r} can't be spoken; write the word that is said for it", place)
            if not any(sign.isalpha() for sign in word):
                raise self.fail(f"{word!r} is no word", begun + at)
            found.append(Word(word))
        return found


def read(phrase: str, language: str) -> Node:
    """The tree of a phrase. Raises NotationError with the column that is wrong."""
    if len(phrase) > phrase_length_max:
        detail = f"a phrase has at most {phrase_length_max} characters; write several"
        raise NotationError(phrase_length_max + 1, detail)
    node = _Reader(phrase, language).sequence(0, "")
    if may_be_silent(node):
        raise NotationError(1, "this phrase can be said without a word; take [ ] away from one part of it")
    return node


def may_be_silent(node: Node) -> bool:
    """True when a node can be passed without a word. A slot is never silent."""
    if isinstance(node, Sequence):
        return all(may_be_silent(part) for part in node.parts)
    if isinstance(node, Choice):
        return node.optional or any(may_be_silent(branch) for branch in node.branches)
    return False


def slots(node: Node) -> tuple[str, ...]:
    """Names of the slots in a tree, in the order in which they stand, each once."""
    if isinstance(node, SlotPlace):
        return (node.name,)
    inner = node.parts if isinstance(node, Sequence) else node.branches if isinstance(node, Choice) else ()
    return tuple(dict.fromkeys(name for part in inner for name in slots(part)))
