"""`bus:` of site.yaml."""

from __future__ import annotations

import pytest

from engine.dialplan.bus import BusModel
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n"


def read(bus: str) -> tuple[BusModel | None, list[tuple[str, int]]]:
    site, findings = read_site(files_with({"site.yaml": SITE + bus}), STOCK)
    return (site.bus if site is not None else None), [(each.code, each.line) for each in findings]


def test_what_may_be_said() -> None:
    assert read("") == (None, [])
    assert read("bus: {broker: mqtt.example.net}\n") == (BusModel("mqtt.example.net"), [])
    full = "bus: {broker: '192.0.2.1:1884', topic: acme/phones, user: us, password: secret bus}\n"
    assert read(full) == (BusModel("192.0.2.1", 1_884, "acme/phones", "us", "bus"), [])
    assert read("bus: {broker: mqtt.example.net, tls: yes}\n")[0] == BusModel("mqtt.example.net", 8_883, tls=True)


def test_agents_on_the_bus() -> None:
    model, found = read("bus: {broker: 127.0.0.1, agents: yes, grace: 1min}\n")
    assert model == BusModel("127.0.0.1", agents=True, grace_ms=60_000) and found == []
    assert read("bus: {broker: mqtt.example.net, tls: yes, agents: yes}\n")[1] == []
    model, found = read("bus: {broker: mqtt.example.net, agents: yes}\n")
    assert model == BusModel("mqtt.example.net", agents=True) and found == [("RD372", 5)]


@pytest.mark.parametrize(("bus", "code"), [
    ("bus: {user: us}\n", "RD022"), ("bus: {broker: a b}\n", "RD086"), ("bus: {broker: 'a:70000'}\n", "RD086"),
    ("bus: {broker: a, topic: '#'}\n", "RD024"), ("bus: {broker: a, password: hunter}\n", "RD080"),
    ("bus: {broker: a, brokr: b}\n", "RD021"), ("bus: {broker: a, grace: 1h}\n", "RD024"),
    ("bus: {broker: a, agents: some}\n", "RD024"),
])  # fmt: skip
def test_what_may_not(bus: str, code: str) -> None:
    model, found = read(bus)
    assert model is None and found == [(code, 5)]
