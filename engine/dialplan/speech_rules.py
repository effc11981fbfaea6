"""The rules for option kinds of steps that listen to words (see `options`)."""

from __future__ import annotations

from typing import Any

from engine import marks
from engine.dialplan import keyed, values
from engine.dialplan.options import Context, Rule
from engine.dialplan.types import TEXT
from engine.dialplan.verbs.table import Option

WAYS = ("keys", "speech")
AFTER_FIRST = "after_first"


def listen(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """Does it listen to words too? Keys are taken always."""
    named = values.scalars(context.report, node, what)
    for word in named:
        values.choice(context.report, word, what, WAYS)
    words = [word.text for word in named]
    if "speech" in words and "keys" not in words:
        message = "keys work wherever a caller may speak"
        context.report.add("RD024", node, message, "write listen: [keys, speech]")
    return any(word != "keys" for word in words)  # a misspelt one is told already


def barge_in(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """True, False, or "after_first": once the prompt's first sentence is over."""
    if isinstance(node, marks.Scalar) and node.text == AFTER_FIRST:
        return AFTER_FIRST
    return values.flag(context.report, node, what)


def keyed_form(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.choice(context.report, node, what, keyed.FORMS)


def open_list(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The variable, or the field of a lookup, that holds the list."""
    word = values.scalar(context.report, node, what)
    if word is None:
        return None
    name = word.text.removeprefix("$")
    if name not in context.types:
        context.unknown("RD034", word, f"${name} is not declared", list(context.types))
    elif context.types[name] != TEXT or context.declared[name].sensitive:
        secret = " sensitive" if context.declared[name].sensitive else ""
        message = f"${name} is a {context.types[name]}{secret}, which holds no list that could be said"
        context.report.add("RD292", word, message, "declare a text: its entries stand with | between them")
    else:
        context.read(name, word)
        return name
    return None


RULES: dict[str, Rule] = {"listen": listen, "barge_in": barge_in, "keyed": keyed_form, "open_list": open_list}
