"""Rests, ramps, reserves, budgets: what is accepted, what it means, and every contradiction with its place."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from engine.dialplan.findings import Finding
from engine.dialplan.humane_reader import AGENT_KEYS, QUEUE_KEYS, TENANT_KEYS
from engine.dialplan.model import RestModel, Site
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with, lines

MAIN = lines(
    "ringdown: 1",
    "languages: [en]",
    "entry: main",
    "flows:",
    "  main:",
    "    - answer",
    "    - queue: {name: support, class: gold, hard: yes, full: bye, no_agents: bye, timeout: bye}",
    "    - hangup: served",
    "  bye:",
    "    - hangup: failed",
)
SITE = lines("ringdown: 1", "languages: [en]", "numbers: {100: main}")
AGENTS = lines(*(f"{number}: {{name: A{number}, queues: [support, vip], team: front}}" for number in range(201, 206)))


def read(**changes: str) -> tuple[Site | None, list[Finding]]:
    given = {"site": SITE, "agents": AGENTS, "queues": "support: {}\nvip: {}\n", "dialplans/main": MAIN, **changes}
    return read_site(files_with({f"{name}.yaml": text for name, text in given.items()}), STOCK)


def good(**changes: str) -> Site:
    site, findings = read(**changes)
    assert site is not None and not [each for each in findings if each.severity == "error"], findings
    return site


def test_own_rules_before_the_teams_before_everybodys() -> None:
    site = good(
        site=SITE + "ceiling: 85%\nteams:\n  front:\n    breaks: {between: 10s}\n",
        agents=lines(
            "201: {name: Ana, queues: [support]}",
            "202: {name: Ben, queues: [support], team: front}",
            "203: {name: Cho, team: front, ceiling: {share: 70%, window: 2h}, breaks: {after: 45min, rest: 5min}}",
        ),
    )
    ana, ben, cho = site.agents.values()
    assert ana.rest == RestModel(ceiling=850)
    assert ben.rest == RestModel(ceiling=850, pause_ms=10_000)
    assert cho.rest == RestModel(
        ceiling=700, window_ms=7_200_000, pause_ms=10_000, long_talk_ms=2_700_000, rest_ms=300_000
    )
    assert good().agents["default/201"].rest is None


def test_a_ramp_begins_with_the_first_day() -> None:
    ana = "201: {name: Ana, started: 2026-11-02, ramp: {from: 4, to: 12, days: 20}}\n"
    site = good(agents=ana + AGENTS[AGENTS.index("202") :])
    agent = site.agents["default/201"]
    assert agent.rest == RestModel(ramp_from=4, ramp_to=12, ramp_days=20)
    assert datetime.date(1970, 1, 1) + datetime.timedelta(days=agent.started) == datetime.date(2026, 11, 2)


def test_queues_and_budgets() -> None:
    site = good(
        site=SITE + "transfers: {hops: 4, people: 4, avoid: 2min}\n",
        queues=lines(
            "support: {reserve: {vip: 2, gold: 1}, starve_after: 5min, hard: yes, hard_hold: 10s, credit: none}",
            "vip: {transfers: {hops: 0, people: 1}}",
        ),
    )
    support, vip = site.queues["default/support"], site.queues["default/vip"]
    assert support.reserve == (("vip", False, 2), ("gold", True, 1))
    assert (support.starve_ms, support.hard, support.hard_hold_ms, support.credit) == (300_000, True, 10_000, "none")
    assert (support.hops_max, vip.hops_max, vip.people_max) == (-1, 0, 1)
    tenant = site.tenants["default"]
    assert (tenant.hops_max, tenant.people_max, tenant.transfer_avoid_ms) == (4, 4, 120_000)
    default = good().tenants["default"]
    assert (default.hops_max, default.people_max, default.transfer_avoid_ms) == (2, 3, 60_000)
    step = next(step for step in site.programs["default/main"].flows["main"] if step.verb == "queue")
    assert (step.data["class"], step.data["hard"]) == ("gold", True)


@pytest.mark.parametrize(
    ("file", "text", "place", "code", "says"),
    [
        ("queues", "support: {reserve: {vip: 5}}\nvip: {}\n", (1, 21), "RD024", "keeps 5 of the 5 agents of vip"),
        ("queues", "support: {reserve: {gold: 7}}\nvip: {}\n", (1, 21), "RD024", "keeps 7 of the 5 agents of support"),
        ("queues", "support: {reserve: {vpi: 1}}\nvip: {}\n", (1, 21), "RD032", "'vpi'"),
        ("queues", "support: {reserve: {support: 1}}\nvip: {}\n", (1, 21), "RD024", "from itself"),
        ("queues", "support: {reserve: {vip: 0}}\nvip: {}\n", (1, 26), "RD024", "from 1 to 1000"),
        ("queues", "support: {starve_after: 10s}\nvip: {}\n", (1, 25), "RD024", "between 1min and 4h"),
        ("queues", "support: {credit: half}\nvip: {}\n", (1, 19), "RD024", "'half'"),
        ("queues", "support: {hard: very}\nvip: {}\n", (1, 17), "RD024", "yes or no"),
        ("queues", "support: {transfers: {hops: 1, people: 5}}\nvip: {}\n", (1, 40), "RD024", "5 people"),
        ("queues", "support: {transfers: {avoid: 1s}}\nvip: {}\n", (1, 23), "RD021", "avoid"),
        ("agents", "201: {team: front, ceiling: 9%}\n", (1, 29), "RD024", "between 10% and 100%"),
        ("agents", "201: {team: front, ceiling: most}\n", (1, 29), "RD024", "'most'"),
        ("agents", "201: {team: front, ceiling: {window: 1h}}\n", (1, 29), "RD022", "share"),
        ("agents", "201: {team: front, ceiling: {share: 80%, window: 1min}}\n", (1, 50), "RD024", "10min"),
        ("agents", "201: {team: front, breaks: {after: 45min}}\n", (1, 36), "RD022", "without rest"),
        ("agents", "201: {team: front, breaks: {rest: 5min}}\n", (1, 35), "RD022", "without after"),
        ("agents", "201: {team: front, breaks: {every: 5min}}\n", (1, 29), "RD021", "every"),
        ("agents", "201: {team: front, ramp: {from: 4, to: 12, days: 9}}\n", (1, 26), "RD022", "first day"),
        ("agents", "201: {team: front, started: 2026-11-02, ramp: {from: 4, days: 9}}\n", (1, 47), "RD022", "no to"),
        ("agents", "201: {team: front, started: 2026-11-02, ramp: {from: 9, to: 4, days: 9}}\n", (1, 54), "RD024", "9"),
        ("agents", "201: {team: front, started: last week}\n", (1, 29), "RD024", "2026-11-02"),
        ("site", SITE + "teams: {fornt: {ceiling: 80%}}\n", (4, 9), "RD043", "'fornt'"),
        ("site", SITE + "transfers: {hops: 99}\n", (4, 19), "RD024", "from 0 to 20"),
        ("site", SITE + "teams:\n  front: {rests: 1}\n", (5, 11), "RD021", "rests"),
    ],
)
def test_contradictions_are_refused_where_they_stand(
    file: str, text: str, place: tuple[int, int], code: str, says: str
) -> None:
    _, findings = read(**{file: text})
    found = [each for each in findings if each.severity == "error"]
    assert [(each.code, each.file) for each in found] == [(code, f"{file}.yaml")], found
    assert (found[0].line, found[0].column) == place and says in f"{found[0].message} {found[0].suggestion}", found


def test_every_key_is_in_the_reference() -> None:
    text = Path("dialplans/LANGUAGE.md").read_text(encoding="utf-8")
    for key in (*QUEUE_KEYS, *AGENT_KEYS, *TENANT_KEYS):
        assert f"`{key}" in text or f"{key}:" in text, key
