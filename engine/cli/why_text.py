"""Explanations from a journal as text: every agent of the queue at every decision, and the wait by its causes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from engine.cli.show import clock, seconds
from engine.console import reasoning

if TYPE_CHECKING:
    from engine.acd.explain import Seat
    from engine.runtime.explaining import Account, Told


def lines(found: Account) -> list[str]:
    """All decisions in order, then the causes."""
    told: list[str] = []
    for each in found.decisions:
        told += [*decision(each), ""]
    spent = causes(found)
    if spent:
        ranked = sorted(spent.items(), key=lambda each: -each[1])
        told.append("Where the time went, exactly: " + ", ".join(f"{seconds(ms)} {text}" for text, ms in ranked) + ".")
    return told or ["he was in no queue, or no decision about him is in the journal"]


def decision(told: Told) -> list[str]:
    """One decision: who was asked by which rule, then each agent, candidates first."""
    full = told.explanation
    who = ", ".join(reasoning.short_name(each) for each in told.asked)
    needs = ", ".join(f"{told.skills.get(skill, skill)} {level}" for skill, level in full.needs)
    facts = [
        f"queue {told.queue}",
        f"rule {full.strategy} of site {told.site[:12]}",
        f"waited {seconds(full.waited_ms)}",
    ]
    facts += [f"needs {needs}"] if needs else []
    facts += [f"ring {full.ring}"] if full.ring else []
    found = [f"{clock(told.at_ms)}  {f'{who} asked' if who else 'nobody for him'}: {'; '.join(facts)}"]
    for seat in sorted(full.seats, key=lambda each: (bool(each.against), each.key, not each.picked)):
        found.append(
            f"    {reasoning.short_name(told.names.get(seat.agent, '')) or seat.agent!s:<10} {_seat(told, seat)}"
        )
    return found if full.seats else [*found, "    no agent belongs to the queue"]


def _seat(told: Told, seat: Seat) -> str:
    if seat.against:
        return ", ".join(
            reasoning.against(word, told.skills.get(int(detail), detail) if word == "lacks" else _detail(word, detail))
            for word, detail in seat.against
        )
    key = reasoning.key_words(told.explanation.strategy, seat.shown)
    return f"ASKED: {key}" if seat.picked else f"{reasoning.against(seat.lost_by, '')}: {key}"


def _detail(word: str, detail: str) -> str:
    return "" if detail == word else detail


def causes(found: Account) -> dict[str, int]:
    """Cause in words -> ms, over all that he waited; a phone that rang for him is one too."""
    spent: dict[str, int] = {}
    for moment, after in pairwise(found.moments):
        if moment.waits and after.at_ms > moment.at_ms:
            word = "a phone rang for him" if moment.ringing else reasoning.cause(moment.able, moment.lacking)
            spent[word] = spent.get(word, 0) + after.at_ms - moment.at_ms
    return spent


def as_data(found: Account) -> dict[str, Any]:
    """For `--json`: decisions with every agent, and the causes."""
    return {"decisions": [msgspec.to_builtins(each) for each in found.decisions], "causes": causes(found)}
