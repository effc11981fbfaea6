"""Needs that relax and the preferred agent: as written, as linked, as asked of the queue; and every mistake's place."""

from __future__ import annotations

import pytest

from engine import limits
from engine.dialplan.actions import JoinQueue
from tests.dialplan.site import Caller, codes_of, site_of

AGENTS = (
    "200: {name: Ana, queues: [support], skills: {power: 2, en: 3}, team: front}\n"
    "201: {name: Li, queues: [sales], skills: {power: 9}}\n"
)
QUEUES = "support: {skills: [power]}\nsales: {skills: [power]}\n"


def dialplan(*options: str) -> str:
    """Options stand from line 9 on."""
    body = "".join(f"        {line}\n" for line in options)
    return (
        "ringdown: 1\nvariables: {owner: digits, many: number}\nflows:\n  main:\n    - answer\n"
        "    - set: {owner: '200'}\n"
        f"    - queue:\n        name: support\n{body}        full: bye\n        no_agents: bye\n        timeout: bye\n"
        "    - hangup: served\n  bye:\n    - hangup: failed\n"
    )


def joined(*options: str) -> JoinQueue:
    site = site_of(dialplan(*options), agents=AGENTS, queues=QUEUES)
    caller = Caller(site)
    caller.answered()
    return caller.one(JoinQueue)


def found(*options: str) -> list[tuple[str, int]]:
    return [each for each in codes_of(dialplan(*options), agents=AGENTS, queues=QUEUES) if each[0] != "RD094"]


def test_steps_are_asked_of_the_queue_in_their_order() -> None:
    steps = (
        "needs:",
        "  - {skills: {power: 2, language: 3}, for: 30s}",
        "  - {skills: {power: 2}, for: 1min, ring: 2}",
    )
    join = joined(*steps, "  - anyone")
    assert join.needs == ()
    assert join.steps == ((30_000, (("power", 2), ("en", 3)), 0), (60_000, (("power", 2),), 2), (0, (), 0))


def test_a_last_step_with_skills_lasts_until_the_end() -> None:
    join = joined("needs:", "  - {skills: {power: 2, en: 2}, for: 30s}", "  - {skills: {power: 1}}")
    assert join.steps == ((30_000, (("power", 2), ("en", 2)), 0), (0, (("power", 1),), 0))


@pytest.mark.parametrize(
    ("options", "finding"),
    [
        (("needs:", "  - {skills: {power: 2}}", "  - anyone"), ("RD022", 10)),
        (("needs:", "  - {skills: {power: 2}, for: 9s}", "  - {skills: {en: 1}, for: 9s}"), ("RD024", 11)),
        (("needs:", "  - anyone", "  - {skills: {power: 2}}"), ("RD024", 10)),
        (("needs:", "  - {for: 9s}", "  - anyone"), ("RD022", 10)),
        (("needs:", "  - {skills: {pwoer: 2}, for: 9s}", "  - anyone"), ("RD040", 10)),
        (("needs:", "  - {skills: {power: 17}, for: 9s}", "  - anyone"), ("RD024", 10)),
        (("needs:", "  - {skills: {power: 1}, fro: 9s}", "  - anyone"), ("RD021", 10)),
        (("needs:", "  - {skills: {power: 1}, for: 9s, ring: 7}", "  - anyone"), ("RD024", 10)),
        (("needs:", "  - soon", "  - anyone"), ("RD023", 10)),
        (("needs:", *["  - {skills: {power: 1}, for: 9s}"] * limits.needs_steps_max, "  - anyone"), ("RD024", 10)),
        (("needs:", "  - {skills: {power: 3}, for: 9s}", "  - anyone"), ("RD102", 10)),
        (("needs:", "  - {skills: {power: 2}, for: 9s}", "  - {skills: {power: 3}}"), ("RD101", 11)),
        (("needs: {power: 3}",), ("RD101", 9)),
        (("prefer: 200",), ("RD022", 9)),
        (("prefer_for: 45s",), ("RD024", 9)),
        (("even_if_away: yes",), ("RD024", 9)),
        (("prefer: 299", "prefer_for: 45s"), ("RD035", 9)),
        (("prefer: 201", "prefer_for: 45s"), ("RD102", 9)),
        (("prefer: $ownr", "prefer_for: 45s"), ("RD034", 9)),
        (("prefer: $many", "prefer_for: 45s"), ("RD070", 9)),
        (("prefer: 200", "prefer_for: 2h"), ("RD024", 10)),
    ],
)
def test_a_mistake_has_its_place(options: tuple[str, ...], finding: tuple[str, int]) -> None:
    assert finding in found(*options)


def test_what_is_right_is_not_accused() -> None:
    steps = ("needs:", "  - {skills: {power: 2}, for: 30s}", "  - anyone")
    assert found(*steps, "prefer: $owner", "prefer_for: 45s", "even_if_away: no") == []
    assert found("prefer: last", "prefer_for: 45s") == []
    assert found("needs: {power: 2, en: 3}") == []


def test_whom_he_prefers() -> None:
    assert joined("prefer: 200", "prefer_for: 45s", "even_if_away: yes") == joined(
        "prefer: $owner", "prefer_for: 45s", "even_if_away: yes"
    )
    join = joined("prefer: $owner", "prefer_for: 45s")
    assert (join.prefer, join.prefer_ms, join.prefer_away) == ("200", 45_000, False)
    assert joined("prefer: last", "prefer_for: 45s").prefer == "last" and joined().prefer == ""


def test_a_skill_that_a_ring_drops_need_not_be_met_at_last() -> None:
    rings = "support: {skills: [power]}\nsales:\n  rings:\n    - {levels: 1, for: 9s}\n    - {without: [en]}\n"
    text = dialplan("needs: {power: 9, en: 5}").replace("name: support", "name: sales")
    assert ("RD101", 9) not in codes_of(text, agents=AGENTS, queues=rings)
    assert ("RD101", 9) in codes_of(text, agents=AGENTS, queues=QUEUES)
