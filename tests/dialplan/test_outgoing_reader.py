"""What people may dial and show, and the way of emergency calls, as a site says it."""

from __future__ import annotations

import pytest

from engine.dialplan.outgoing_model import Emergency, Location, ServiceClass
from engine.dialplan.outgoing_reader import without_help
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\n"
EMERGENCY = SITE + "emergency: {country: de, trunks: [carrier], location: {country: DE, A3: Berlin, RD: Ring}%s}\n"


def codes(**files: str) -> list[str]:
    named = {f"{name}.yaml": text for name, text in files.items()}
    return [each.code for each in read_site(files_with(named), STOCK)[1] if each.severity == "error"]


def test_classes_rates_and_caller_ids() -> None:
    text = SITE + (
        "caller_ids: ['+493022334455']\nrates: {'+49.': 0.02, '+.': '1.5'}\n"
        "classes:\n  default: {allow: ['+49.'], refuse: ['+49900.'], hours: office, spend: {day: 5.00, month: 60}}\n"
    )
    agents = BASE["agents.yaml"].decode().replace("team: front", "team: front, class: default")  # type: ignore[union-attr]
    files = {"site.yaml": text, "agents.yaml": agents, "calendars.yaml": "office: {open: [mon-fri 08:00-18:00]}\n"}
    site, findings = read_site(files_with(files), STOCK)
    assert site is not None, findings
    tenant = site.tenants["default"]
    assert tenant.caller_ids == ("+493022334455",) and tenant.rates == (("+49.", 20), ("+.", 1_500))
    assert tenant.classes["default"] == ServiceClass(
        "default", ("+49.",), ("+49900.",), "default/office", 5_000, 60_000
    )
    assert site.agents["default/200"].service_class == "default"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("caller_ids: ['030']\n", "RD082"), ("rates: {'0.': 1}\n", "RD082"), ("rates: {'+49.': '1,50'}\n", "RD024"),
        ("classes:\n  default: {allow: [all]}\n", "RD082"), ("classes:\n  default: {spend: {week: 1}}\n", "RD021"),
        ("classes:\n  default: {spend: {day: much}}\n", "RD024"), ("classes: [a]\n", "RD023"),
        ("emergency: {trunks: [carrier], location: {country: DE, A3: Berlin}}\n", "RD022"),
        ("emergency: {country: de, trunks: [nobody], location: {country: DE, A3: Berlin}}\n", "RD036"),
        ("emergency: {country: de, trunks: [carrier]}\n", "RD022"),
        ("emergency: {country: de, trunks: [carrier], location: {country: DE}}\n", "RD022"),
        ("emergency: {country: de, trunks: [carrier], location: {country: DE, A3: x, street: y}}\n", "RD021"),
        ("emergency: {country: xx, trunks: [carrier], location: {country: DE, A3: Berlin}}\n", "RD024"),
    ],
)  # fmt: skip
def test_mistakes_are_told(text: str, code: str) -> None:
    assert codes(site=SITE + text) == [code]


def test_an_agents_class_must_be_there() -> None:
    ana = "200: {name: Ana, queues: [support], skills: {power: 2}, team: front, class: vip}\n"
    assert codes(agents=ana) == ["RD363"]


def test_emergency_numbers_are_the_countrys_or_the_sites_own() -> None:
    site, findings = read_site(files_with({"site.yaml": EMERGENCY % ", call_back: '+493022334455'"}), STOCK)
    assert site is not None, findings
    place = Location((("country", "DE"), ("A3", "Berlin"), ("RD", "Ring")))
    assert site.emergency == Emergency("de", ("112", "110"), ("carrier",), (), "+493022334455", place)
    site, _ = read_site(files_with({"site.yaml": EMERGENCY % ", numbers: ['112', '19222'], prefixes: ['8']"}), STOCK)
    assert site is not None and site.emergency is not None and site.emergency.numbers == ("112", "19222")


def test_a_number_of_the_sites_own_may_not_be_one() -> None:
    assert codes(site=(EMERGENCY % "").replace("{100: main}", "{100: main, 110: main}")) == ["RD362"]
    ana = "112: {name: Ana, queues: [support], skills: {power: 2}, team: front}\n"
    assert codes(site=EMERGENCY % "", agents=ana) == ["RD362"]


def test_ways_out_without_an_emergency_route_are_for_check_to_refuse() -> None:
    site, _ = read_site(files_with({"site.yaml": SITE}), STOCK)
    assert site is not None  # it is read, and runs on
    (found,) = without_help(site)
    assert (found.code, found.severity, found.file) == ("RD361", "error", "outbound.yaml")
    site, _ = read_site(files_with({"site.yaml": EMERGENCY % ""}), STOCK)
    assert site is not None and not without_help(site)
    inward = {name: text for name, text in files_with({"site.yaml": SITE}).items() if name != "outbound.yaml"}
    site, _ = read_site(inward, STOCK)
    assert site is not None and not without_help(site)
