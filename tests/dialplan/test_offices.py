"""Offices: as written, who names them, and every mistake's place."""

from __future__ import annotations

import pytest

from engine.dialplan.model import RingModel
from engine.dialplan.trunk_model import OfficeModel
from tests.dialplan.site import BASE, codes_of, site_of

MAIN = BASE["dialplans/main.yaml"].decode()  # type: ignore[union-attr]
SITE = BASE["site.yaml"].decode()  # type: ignore[union-attr]
OFFICES = "offices:\n  berlin: {latency: 5ms}\n  home: {latency: 40ms, cost: 2, codecs: [PCMA], about: homes}\n"
AGENTS = (
    "200: {name: Ana, queues: [support], skills: {power: 2}, team: front, office: berlin}\n"
    "201: {name: Li, queues: [support], office: home}\n"
)
TRUNKS = "carrier: {host: 192.0.2.1, addresses: [192.0.2.1], office: berlin}\n"


def test_offices_and_who_is_there() -> None:
    queues = "support:\n  rings:\n    - {offices: [berlin], for: 20s}\n    - everybody\nsales: {weight: 1}\n"
    site = site_of(MAIN, site=SITE + OFFICES, agents=AGENTS, trunks=TRUNKS, queues=queues)
    assert site.offices == {"berlin": OfficeModel("berlin", 1, 5), "home": OfficeModel("home", 2, 40, 2, ("PCMA",))}
    assert [site.agents[f"default/{number}"].office for number in (200, 201)] == ["berlin", "home"]
    assert site.trunks["carrier"].office == "berlin"
    assert site.queues["default/support"].rings == (RingModel(offices=("berlin",), for_ms=20_000), RingModel())


@pytest.mark.parametrize(
    ("files", "finding"),
    [
        ({"agents": AGENTS}, [("RD386", 1), ("RD386", 2)]),
        ({"site": SITE + OFFICES, "trunks": TRUNKS.replace("berlin", "bern"), "agents": AGENTS}, [("RD386", 1)]),
        ({"site": SITE + OFFICES.replace("5ms", "5h"), "agents": AGENTS}, [("RD024", SITE.count("\n") + 2)]),
        ({"site": SITE + OFFICES.replace("cost", "price"), "agents": AGENTS}, [("RD021", SITE.count("\n") + 3)]),
        ({"site": SITE + "offices: berlin\n"}, [("RD023", SITE.count("\n") + 1)]),
        (
            {"site": SITE + OFFICES, "agents": AGENTS,
             "queues": "support:\n  rings:\n    - {offices: [bern], for: 20s}\n    - everybody\nsales: {weight: 1}\n"},
            [("RD386", 3)],
        ),
    ],
)  # fmt: skip
def test_mistakes(files: dict[str, str], finding: list[tuple[str, int]]) -> None:
    assert codes_of(MAIN, **files) == finding
