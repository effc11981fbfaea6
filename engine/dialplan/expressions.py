"""The expressions of `if`, `switch` and `set`: typed, total, without side effects (LANGUAGE.md, Expressions).

`compile_expression` turns text into nested lists (data, so that a program can be encoded) and finds every mistake
before a caller meets it; `evaluation.evaluate` cannot fail on what was compiled. Arithmetic saturates at ±(2**53 − 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from engine.dialplan import evaluation, facts, types
from engine.dialplan.evaluation import DAY_MS
from engine.dialplan.facts import FACTS, WAIT_FACTS
from engine.dialplan.types import DATE, DURATION, FLAG, NUMBER, TEXT, Type

nesting_max = 32
length_max = 1_000


class Problem(Exception):
    """A mistake in an expression: code, column offset (from 0), message, suggestion."""

    def __init__(self, code: str, at: int, message: str, suggestion: str = "", width: int = 1) -> None:
        super().__init__(message)
        self.code, self.at, self.message, self.suggestion, self.width = code, at, message, suggestion, width


class Compiled(msgspec.Struct):
    """`tree` is what `evaluate` runs; `reads` each variable with its offset; `knows` what is set when it holds.

    `facts`: those that it reads. `tested`: those of `reads` that are evaluated only where the expression itself has
    found that they are set, as the last of `known(x) and x > 1`.
    """

    tree: list[Any]
    type: Type
    reads: list[tuple[str, int]]
    knows: list[str]
    facts: list[str] = []
    tested: list[tuple[str, int]] = []


# names of queues, calendars and periods may hold a hyphen; what follows `queue.` alone is a fact of a wait list
_NAMED = (
    r"(?:queue\.(?!(?:position|length|waited|estimated_wait|agents_ready|agents_logged_in)-)|calendar\.)"
    r"(?:[a-z][a-z0-9_-]*/)?[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*|agent\.[0-9]+\.[a-z_]+"
)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})|(?P<time>[0-9]{1,2}:[0-9]{2})"
    r"|(?P<money>[0-9]+(?:\.[0-9]+)?\s*[A-Z]{3}\b)"
    r"|(?P<duration>[0-9]+(?:\.[0-9]+)?(?:ms|s|min|h|d)\b)|(?P<number>[0-9]+)"
    r"|(?P<named>" + _NAMED + r")|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<sign>!=|<=|>=|[=<>+*(),-]))"
)
_FOREIGN = {"==": "=", "&&": "and", "||": "or", "!": "not", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    if len(text) > length_max:
        raise Problem("RD071", 0, f"an expression longer than {length_max} characters")
    tokens: list[_Token] = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        rest = text[place:].lstrip()
        at = len(text) - len(rest)
        for sign, ours in _FOREIGN.items():
            if rest.startswith(sign) and not rest.startswith("!="):
                raise Problem("RD071", at, f"{sign!r} is not written here", f"write {ours!r}", len(sign))
        if match is None or match.lastgroup is None:
            hint = "quote a text with ' '" if rest[0] == '"' else "names, numbers, 'text' and = != < <= > >= + - * ( )"
            if rest[0] == "$":
                hint = "expressions read bare names, without $"
            raise Problem("RD071", at, f"{rest[0]!r} has no meaning in an expression", hint)
        kind = "name" if match.group("named") else match.lastgroup
        text_of = match.group(match.lastgroup)
        tokens.append(_Token(kind, text_of, match.start(match.lastgroup)))
        place = match.end()
    tokens.append(_Token("end", "", end))
    return tokens


class _Bare(msgspec.Struct, frozen=True):
    """A word that is no variable: an enum word until its neighbour says which, then a mistake."""

    text: str
    at: int
    suggestion: str


_Typed = tuple[list[Any], Type]
_NO_BARE = _Bare("", 0, "")


class _Parser:
    """Recursive descent over: or < and < not < comparison < + - < * < value."""

    def __init__(self, text: str, variables: Mapping[str, Type], facts: Mapping[str, Type]) -> None:
        self.text = text
        self.facts = facts
        self.tokens = _tokens(text)
        self.place = 0
        self.variables = variables
        self.reads: list[tuple[str, int]] = []
        self.tested: dict[tuple[str, int], None] = {}  # see Compiled
        self.known: dict[str, None] = {}  # facts that it reads
        self.bare = _NO_BARE
        self.depth = 0

    # --- tokens
    def look(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.tokens[self.place]
        if token.kind != "end":
            self.place += 1
        return token

    def accept(self, *texts: str) -> _Token | None:
        token = self.look()
        if token.text in texts and token.kind in ("sign", "name"):
            return self.take()
        return None

    def expect(self, text: str) -> None:
        if self.accept(text) is None:
            token = self.look()
            raise Problem("RD071", token.at, f"{text!r} is missing here", "", max(1, len(token.text)))

    # --- grammar
    def whole(self) -> _Typed:
        tree = self.either()
        token = self.look()
        if token.kind != "end":
            message = f"{token.text!r} is one word too many"
            raise Problem("RD071", token.at, message, "join conditions by and, or", len(token.text))
        return tree

    def either(self) -> _Typed:
        return self.chain(("or",), self.both, FLAG)

    def both(self) -> _Typed:
        return self.chain(("and",), self.negated, FLAG)

    def chain(self, signs: tuple[str, ...], inner: Callable[[], _Typed], wanted: Type) -> _Typed:
        start = self.look().at
        left, kind = inner()
        while (sign := self.accept(*signs)) is not None:
            self.need(kind, wanted, start, sign.text)
            start, begin = self.look().at, len(self.reads)
            right, right_kind = inner()
            self.need(right_kind, wanted, start, sign.text)
            # the right side is evaluated only while the left one decides nothing
            known = _known(left, holds=sign.text == "and")
            self.tested.update(dict.fromkeys(read for read in self.reads[begin:] if read[0] in known))
            left, kind = [sign.text, left, right], wanted
        return left, kind

    def need(self, kind: Type, wanted: Type, at: int, sign: str) -> None:
        self.settle()
        if kind.kind != wanted.kind:
            raise Problem("RD070", at, f"{sign!r} needs a {wanted.kind}, this is {kind}", "", 1)

    def settle(self) -> None:
        """A bare word that found no choice beside it is an unknown variable."""
        if self.bare.text:
            bare = self.bare
            code = "RD042" if "." in bare.text else "RD034"
            raise Problem(code, bare.at, f"{bare.text!r} is not declared", bare.suggestion, len(bare.text))

    def negated(self) -> _Typed:
        sign = self.accept("not")
        if sign is None:
            return self.comparison()
        self.deeper()
        at = self.look().at
        tree, kind = self.negated()
        self.need(kind, FLAG, at, "not")
        self.depth -= 1
        return ["not", tree], FLAG

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > nesting_max:
            raise Problem("RD071", self.look().at, "nested too deep", "use set to name a part")

    def comparison(self) -> _Typed:
        left, kind = self.sum()
        left_bare, self.bare = self.bare, _NO_BARE
        sign = self.accept("=", "!=", "<", "<=", ">", ">=", "in")
        if sign is None:
            self.bare = left_bare
            return left, kind
        if sign.text == "in":
            self.bare = left_bare
            self.settle()
            return self.listed(left, kind)
        right_at = self.look().at
        right, right_kind = self.sum()
        right_bare, self.bare = self.bare, _NO_BARE
        if left_bare.text:
            self.bare = left_bare
            self.settle()
        if right_bare.text:
            right, right_kind = self.word(right_bare, kind, sign.text)
        right, right_kind = self.adapt(right, right_kind, kind)
        if sign.text in ("=", "!="):
            if not types.comparable(kind, right_kind):
                raise Problem("RD070", right_at, f"a {_named(kind)} is compared with a {_named(right_kind)}")
        elif kind.kind not in _ORDERED or not types.comparable(kind, right_kind):
            message = f"{sign.text!r} compares two {_ORDERED_WORDS}, not {_named(kind)} and {_named(right_kind)}"
            raise Problem(
                "RD070", sign.at, message, "digits compare by = and !=; length(x) is a number", len(sign.text)
            )
        if self.look().text in ("=", "!=", "<", "<=", ">", ">="):
            raise Problem("RD071", self.look().at, "comparisons don't chain", "join two by and")
        if sign.text not in ("=", "!="):
            left, right = _measured(left, kind), _measured(right, right_kind)
        return _while_known([sign.text, left, right]), FLAG

    def word(self, bare: _Bare, kind: Type, sign: str) -> _Typed:
        if kind.kind == "choice":
            if bare.text not in kind.words:
                message = f"{bare.text!r} is not one of {', '.join(kind.words)}"
                raise Problem("RD070", bare.at, message, _suggest(bare.text, kind.words), len(bare.text))
            return ["literal", bare.text], kind
        if kind.kind == "text" and sign in ("=", "!="):
            return ["literal", bare.text], TEXT
        self.bare = bare
        self.settle()
        raise AssertionError

    def adapt(self, tree: list[Any], kind: Type, wanted: Type) -> _Typed:
        """A number's digits beside digits, text or a phone number keep the text that was written (0042 is not 42)."""
        if kind.kind == "number" and tree[0] == "literal" and wanted.kind in types.WRITTEN:
            return ["literal", tree[2]], wanted
        return tree, kind

    def listed(self, left: list[Any], kind: Type) -> _Typed:
        self.expect("(")
        values: list[Any] = []
        while True:
            token = self.look()
            tree, right_kind = self.value()
            bare, self.bare = self.bare, _NO_BARE
            if bare.text:
                tree, right_kind = self.word(bare, kind, "=")
            tree, right_kind = self.adapt(tree, right_kind, kind)
            if tree[0] != "literal":
                raise Problem("RD071", token.at, "a list after in holds only fixed values", "", len(token.text))
            if not types.comparable(kind, right_kind):
                raise Problem(
                    "RD070", token.at, f"a {right_kind.kind} in a list for a {kind.kind}", "", len(token.text)
                )
            values.append(tree[1])
            if self.accept(",") is None:
                break
        self.expect(")")
        return ["in", left, values], FLAG

    def sum(self) -> _Typed:
        return self.arithmetic(("+", "-"), self.product)

    def product(self) -> _Typed:
        return self.arithmetic(("*",), self.value)

    def arithmetic(self, signs: tuple[str, ...], inner: Callable[[], _Typed]) -> _Typed:
        at = self.look().at
        left, kind = inner()
        while (sign := self.accept(*signs)) is not None:
            self.settle()
            right_at = self.look().at
            right, right_kind = inner()
            self.settle()
            if kind.kind == "date":
                left, kind = self.days(left, sign, right, right_kind, right_at)
                continue
            for place, each in ((at, kind), (right_at, right_kind)):
                if each.kind not in _RECKONED:
                    message = f"{sign.text!r} needs numbers, durations, money or a date, this is {each}"
                    raise Problem("RD070", place, message)
            if sign.text == "*":
                if "number" not in (kind.kind, right_kind.kind):
                    raise Problem("RD070", sign.at, f"a {_named(kind)} times a {_named(right_kind)}")
                kind = right_kind if kind.kind == "number" else kind
            elif not types.comparable(kind, right_kind):
                raise Problem("RD070", sign.at, f"a {_named(kind)} {sign.text} a {_named(right_kind)}")
            left = [sign.text, left, right]
        return left, kind

    def days(self, left: list[Any], sign: _Token, right: list[Any], kind: Type, at: int) -> _Typed:
        """A date moves by whole days; two dates lie a duration apart."""
        begin = ["days", left]
        if sign.text == "-" and kind.kind == "date":
            return ["*", ["-", begin, ["days", right]], ["literal", DAY_MS]], DURATION
        if sign.text not in ("+", "-") or kind.kind != "duration":
            raise Problem("RD070", at, f"a date {sign.text} a {_named(kind)}", "as in due + 14d")
        if right[0] == "literal" and right[1] % DAY_MS:
            raise Problem("RD070", at, "a date moves by whole days", "as in due + 14d")
        return ["date", [sign.text, begin, ["whole_days", right]]], DATE

    def value(self) -> _Typed:
        token = self.take()
        if token.kind == "text":
            return ["literal", token.text[1:-1]], TEXT
        if token.kind == "number":
            if len(token.text) > 15:
                return ["literal", types.number_max, token.text], NUMBER
            return ["literal", int(token.text), token.text], NUMBER
        if token.kind in _LITERALS:
            try:
                return _LITERALS[token.kind](token.text)
            except types.TypeProblem as problem:
                raise Problem("RD071", token.at, str(problem), "", len(token.text)) from None
        if token.text == "(":
            self.deeper()
            inner = self.either()
            self.expect(")")
            self.depth -= 1
            return inner
        if token.text == "-":
            self.deeper()
            tree, kind = self.value()
            self.depth -= 1
            if kind.kind not in _RECKONED:
                raise Problem("RD070", token.at, f"'-' needs a number, this is {kind}")
            return ["-", ["literal", 0], tree], kind
        if token.kind == "name":
            return self.name(token)
        message = "the expression ends too early" if token.kind == "end" else f"{token.text!r} cannot stand here"
        raise Problem("RD071", token.at, message, "a name, a number or 'text' is expected", max(1, len(token.text)))

    def name(self, token: _Token) -> _Typed:
        name = token.text
        if self.look().text == "(":
            return self.function(token)
        if name in self.variables:
            self.reads.append((name, token.at))
            return ["variable", name], self.variables[name]
        if name in self.facts:
            return self.fact(name)
        if name in types.FLAGS:
            return ["literal", types.FLAGS[name]], FLAG
        if name in ("and", "or", "not", "in"):
            raise Problem("RD071", token.at, f"{name!r} cannot stand here", "a name is expected", len(name))
        known = [*self.variables, *self.facts]
        self.settle()
        hint = _suggest(name, known) or "declare it under variables:"
        if name in WAIT_FACTS:
            hint = "it is known while the caller waits: use it in a wait list"
        self.bare = _Bare(name, token.at, hint)
        return ["literal", name], Type("word")

    def fact(self, name: str) -> _Typed:
        kind = self.facts[name]
        self.known[name] = None
        read = "holds" if kind.kind == "flag" else "measure" if kind.kind in _RECKONED else "fact"
        return [read, name], kind

    def function(self, token: _Token) -> _Typed:
        self.expect("(")
        if token.text == "days_until":
            return self.days_until()
        if token.text == "known":
            inner = self.take()
            self.expect(")")
            if inner.text in self.facts and inner.text not in self.variables:
                self.known[inner.text] = None
                return ["has", inner.text], FLAG
            if inner.text not in self.variables:
                raise Problem(
                    "RD034", inner.at, f"{inner.text!r} is not declared", _suggest(inner.text, self.variables)
                )
            return ["known", inner.text], FLAG
        if token.text not in ("length", "starts"):
            known = ("known", "length", "starts", "days_until")
            raise Problem(
                "RD071", token.at, f"no function {token.text!r}", _suggest(token.text, known), len(token.text)
            )
        self.deeper()
        at = self.look().at
        tree, kind = self.sum()
        self.settle()
        self.depth -= 1
        if kind.kind not in ("text", "digits", "phone", "choice"):
            raise Problem("RD070", at, f"{token.text}() reads text or digits, not a {kind.kind}")
        if token.text == "length":
            self.expect(")")
            return ["length", tree], NUMBER
        self.expect(",")
        at = self.look().at
        prefix, prefix_kind = self.value()
        self.settle()
        prefix, prefix_kind = self.adapt(prefix, prefix_kind, TEXT)
        if prefix_kind.kind not in ("text", "digits", "phone"):
            raise Problem("RD070", at, "starts() compares with a text", "quote it: '+44'")
        self.expect(")")
        return ["starts", tree, prefix], FLAG


    def days_until(self) -> _Typed:
        """How many days from today to a date; below 0 when it is over."""
        self.deeper()
        at = self.look().at
        tree, kind = self.sum()
        self.settle()
        self.depth -= 1
        if kind.kind != "date":
            raise Problem("RD070", at, f"days_until() reads a date, not a {_named(kind)}")
        self.expect(")")
        if TODAY not in self.facts:
            raise Problem("RD070", at, "no day is known here")
        today, _ = self.fact(TODAY)
        return ["-", ["days", tree], ["days", today]], NUMBER


def _money(text: str) -> _Typed:
    kind = types.money(text[-3:])
    return ["literal", types.money_of(text, kind)], kind


TODAY = "system.today"
_ORDERED = ("number", "duration", "money", "date", "time")
_ORDERED_WORDS = "numbers, durations, dates, times or amounts of one currency"
_RECKONED = ("number", "duration", "money")
_LITERALS: dict[str, Callable[[str], _Typed]] = {
    "duration": lambda text: (["literal", types.duration_ms(text)], DURATION),
    "date": lambda text: (["literal", types.date_of(text)], DATE),
    "time": lambda text: (["literal", types.time_of(text)], types.TIME),
    "money": _money,
}


def _named(kind: Type) -> str:
    return str(kind) if kind.kind == "money" else kind.kind


def _measured(tree: list[Any], kind: Type) -> list[Any]:
    """Dates and times as whole numbers that can be compared."""
    return {"date": ["days", tree], "time": ["minutes", tree]}.get(kind.kind, tree)


def _suggest(word: str, known: Any) -> str:
    from engine.dialplan.findings import did_you_mean

    return did_you_mean(word, known)


def compile_expression(
    text: str, variables: Mapping[str, Type], wanted: Type | None = None, facts: Mapping[str, Type] = FACTS
) -> Compiled:
    """Compile `text`; `wanted` is the type it must have (a flag for `if`, a variable's for `set`). Raises Problem."""
    parser = _Parser(text, variables, facts)
    tree, kind = parser.whole()
    if wanted is not None and parser.bare.text and wanted.kind in ("choice", "text"):
        bare = parser.bare
        if wanted.kind == "text":
            parser.settle()
        tree, kind = parser.word(bare, wanted, "=")
        parser.bare = _NO_BARE
    parser.settle()
    if wanted is not None:
        tree, kind = parser.adapt(tree, kind, wanted)
        if tree[0] == "literal" and wanted.kind in ("digits", "phone", "choice", "text") and isinstance(tree[1], str):
            try:
                tree, kind = ["literal", types.literal(tree[1], wanted)], wanted
            except types.TypeProblem as problem:
                raise Problem("RD070", 0, str(problem), "", len(text)) from None
        if not types.fits(kind, wanted):
            need = "a condition is a flag (yes or no)" if wanted is FLAG else f"{wanted} is needed"
            hint = f"compare it: {text.strip()} = …" if wanted is FLAG else ""
            raise Problem("RD070", 0, f"{need}, this is {kind}", hint, len(text))
    return Compiled(tree, kind, parser.reads, _known(tree), list(parser.known), list(parser.tested))


def _while_known(comparison: list[Any]) -> list[Any]:
    """A comparison with a value that perhaps nobody knows (facts.perhaps) holds only while it is known."""
    for name in dict.fromkeys(evaluation.names(comparison)):
        if facts.perhaps(name):
            comparison = ["and", ["has", name] if "." in name else ["known", name], comparison]
    return comparison


def _known(tree: list[Any], *, holds: bool = True) -> list[str]:
    """Variables that are certainly set when the condition holds, or when it doesn't."""
    if tree[0] == "known":
        return [tree[1]] if holds else []
    if tree[0] == "not":
        return _known(tree[1], holds=not holds)
    if tree[0] not in ("and", "or"):
        return []
    left, right = _known(tree[1], holds=holds), _known(tree[2], holds=holds)
    if holds == (tree[0] == "and"):
        return list(dict.fromkeys(left + right))  # both sides are so
    return [name for name in left if name in right]  # one of them is, nobody knows which
