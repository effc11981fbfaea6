"""`numbers:` of a trunk, and the ways of callers whose number isn't known."""

from __future__ import annotations

import pytest

from engine.dialplan.number_plans import NumberPlan
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

TRUNK = "carrier: {host: sip.example.net, numbers: {%s}}\n"


def found(text: str) -> list[tuple[str, int, int]]:
    _, findings = read_site(files_with({"trunks.yaml": TRUNK % text}), STOCK)
    return [(each.code, each.line, each.column) for each in findings if each.file == "trunks.yaml"]


def test_a_plan_in_full() -> None:
    text = (
        "country: de, format: national, area: '30', strip: '9', prefix: '0', main: '030 22334455', identity: rpid, "
        "diversion: both, location: header X-Location, verify: yes, about: the SIP line"
    )
    site, _ = read_site(files_with({"trunks.yaml": TRUNK % text}), STOCK)
    assert site is not None
    assert site.trunks["carrier"].numbers == NumberPlan(
        "de", "national", "30", "9", "0", "+493022334455", "rpid", "both", "X-Location", True
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("format: national", "RD022"), ("country: uk", "RD360"), ("country: de, format: nation", "RD024"),
        ("country: de, area: '030'", "RD024"), ("country: de, format: subscriber", "RD022"),
        ("country: dk, format: subscriber", "RD024"), ("country: de, main: '22'", "RD082"),
        ("country: de, strip: x", "RD082"),
        ("country: de, location: fax", "RD024"), ("country: de, identity: yes", "RD024"),
        ("country: de, trust: yes", "RD021"), ("country: de, verify: maybe", "RD024"),
    ],
)  # fmt: skip
def test_mistakes_have_their_place(text: str, code: str) -> None:
    places = found(text)
    assert [each[0] for each in places] == [code] and places[0][1] == 1 and places[0][2] > 30


def test_the_flows_for_unknown_callers_must_exist_and_count_as_reached() -> None:
    plan = "ringdown: 1\nflows:\n  main: [answer, hangup]\n  hidden: [answer, hangup]\n"
    site = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: {dialplan: main, anonymous: %s}\n"
    read, findings = read_site(files_with({"site.yaml": site % "hidden", "dialplans/main.yaml": plan}), STOCK)
    assert read is not None and read.numbers["100"].anonymous == "hidden"
    assert not [each for each in findings if each.code == "RD050"]
    read, findings = read_site(files_with({"site.yaml": site % "hiden", "dialplans/main.yaml": plan}), STOCK)
    assert read is None and [each.code for each in findings if each.severity == "error"] == ["RD031"]


def test_the_flow_for_a_fax_must_exist_and_counts_as_reached() -> None:
    plan = "ringdown: 1\nflows:\n  main: [answer, hangup]\n  paper: [answer, hangup]\n"
    site = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: {dialplan: main, fax: %s}\n"
    read, findings = read_site(files_with({"site.yaml": site % "paper", "dialplans/main.yaml": plan}), STOCK)
    assert read is not None and read.numbers["100"].fax == "paper"
    assert not [each for each in findings if each.code == "RD050"]
    read, findings = read_site(files_with({"site.yaml": site % "papre", "dialplans/main.yaml": plan}), STOCK)
    errors = [(each.code, each.line, each.column) for each in findings if each.severity == "error"]
    assert read is None and errors == [("RD031", 4, 30)]
