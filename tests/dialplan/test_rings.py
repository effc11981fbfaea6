"""Rings of a queue: as written, and every mistake's place."""

from __future__ import annotations

import pytest

from engine import limits
from engine.dialplan.model import RingModel
from tests.dialplan.site import BASE, codes_of, site_of

MAIN = BASE["dialplans/main.yaml"].decode()  # type: ignore[union-attr]
AGENTS = (
    "200: {name: Ana, queues: [support], team: front}\n"
    "201: {name: Li, queues: {support: 2}, team: bpo, skills: {power: 2}}\n"
    "202: {name: Bo, queues: [sales]}\n"
)


def queues(*rings: str) -> str:
    """Rings stand from line 3 on."""
    return "support:\n  rings:\n" + "".join(f"    - {ring}\n" for ring in rings) + "sales: {weight: 1}\n"


def found(*rings: str) -> list[tuple[str, int]]:
    return codes_of(MAIN, queues=queues(*rings), agents=AGENTS)


def test_rings_are_read() -> None:
    text = queues("{levels: 1, for: 20s}", "{levels: 2, teams: [bpo], for: 30s}",
                  "{queues: [sales], without: [power], for: 9s}", "everybody")  # fmt: skip
    site = site_of(MAIN, queues=text, agents=AGENTS)
    assert site.queues["default/support"].rings == (
        RingModel(level=1, for_ms=20_000),
        RingModel(level=2, teams=("bpo",), for_ms=30_000),
        RingModel(queues=("default/sales",), without=("power",), for_ms=9_000),
        RingModel(),
    )
    assert site.queues["default/sales"].rings == ()


@pytest.mark.parametrize(
    ("rings", "finding"),
    [
        (("{levels: 1}", "everybody"), ("RD022", 3)),
        (("{levels: 1, for: 9s}", "{levels: 2, for: 9s}"), ("RD024", 4)),
        (("everybody", "{levels: 2}"), ("RD024", 3)),
        (("{level: 1, for: 9s}", "everybody"), ("RD021", 3)),
        (("{levels: 0, for: 9s}", "everybody"), ("RD024", 3)),
        (("{teams: [fornt], for: 9s}", "everybody"), ("RD043", 3)),
        (("{queues: [sale], for: 9s}", "everybody"), ("RD032", 3)),
        (("{levels: 1, without: [powr], for: 9s}", "everybody"), ("RD040", 3)),
        (("[1, 2]", "everybody"), ("RD023", 3)),
        (("{levels: 1, for: 9s}", "{teams: [front], for: 9s}", "everybody"), ("RD102", 4)),
        (("{levels: 1, for: 9s}", "{queues: [sales]}"), ("RD102", 3)),
        (("{levels: 1, for: 9s}", *["{levels: 2, for: 9s}"] * limits.rings_max), ("RD024", 3)),
    ],
)
def test_a_mistake_has_its_place(rings: tuple[str, ...], finding: tuple[str, int]) -> None:
    assert finding in found(*rings)


def test_what_is_right_is_not_accused() -> None:
    assert found("{levels: 1, for: 9s}", "{teams: [bpo], for: 9s}", "{queues: [sales]}") == []
    assert codes_of(MAIN, queues="support: {rings: soon}\nsales: {weight: 1}\n", agents=AGENTS) == [("RD023", 1)]
