"""Step ids: `flow/verb(object)`. They survive an inserted line, so traces, coverage and differences stay readable."""

from __future__ import annotations

from engine import marks

object_letters_max = 40


def step_id(flow: str, verb: str, named: marks.Node | None) -> str:
    """The id of a step: `choose/menu(main_menu)`; a list shows its first item, a mapping nothing."""
    word = ""
    if isinstance(named, marks.Sequence) and named.items:
        named = named.items[0]
    if isinstance(named, marks.Scalar):
        word = " ".join(named.text.split())
        if len(word) > object_letters_max:
            word = word[: object_letters_max - 1] + "…"
    return f"{flow}/{verb}({word})" if word else f"{flow}/{verb}"


def path_of(notes: list[tuple[str, str]]) -> list[str]:
    """The steps of a call from its notes (kind, step id), repeated steps once."""
    path: list[str] = []
    for kind, step in notes:
        if kind == "step" and (not path or path[-1] != step):
            path.append(step)
    return path
