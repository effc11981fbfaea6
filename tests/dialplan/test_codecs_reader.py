"""`codecs:` of site.yaml and of trunks."""

from __future__ import annotations

import pytest

from engine.dialplan import codecs_reader
from engine.dialplan.reader import read_site
from engine.sdp import negotiation
from tests.dialplan.site import STOCK, files_with

CARRIER = "carrier: {host: 192.0.2.1, codecs: [PCMA, L16/16000]}\n"
SITE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n"


def read(site: str = "", trunks: str = "") -> tuple[object, list[str]]:
    files = {"site.yaml": SITE + site} | ({"trunks.yaml": trunks} if trunks else {})
    found, findings = read_site(files_with(files), STOCK)
    return found, [f"{each.code} {each.file}:{each.line}:{each.column}" for each in findings]


def test_the_order_is_kept_and_each_counts_once() -> None:
    site, findings = read("codecs: [G722, PCMA, PCMU, G722]\n", CARRIER)
    assert findings == []
    assert (site.codecs, site.trunks["carrier"].codecs) == (("G722", "PCMA", "PCMU"), ("PCMA", "L16/16000"))
    assert read("codecs: PCMA\n")[0].codecs == ("PCMA",)
    assert read()[0].codecs == ()


@pytest.mark.parametrize(("site", "trunks", "finding"), [
    ("codecs: [G722, OPUS, PCMU]\n", "", "RD024 site.yaml:5:16"),
    ("codecs: {first: PCMU}\n", "", "RD023 site.yaml:5:9"),
    ("", "gate: {host: 192.0.2.1, codecs: [G729]}\n", "RD024 trunks.yaml:1:34"),
    ("codecs: [G722, L16]\n", "", "RD352 site.yaml:5:10"),
    ("codecs: []\n", "", "RD352 site.yaml:5:9"),
])  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(site: str, trunks: str, finding: str) -> None:
    assert finding in read(site, trunks)[1]


def test_every_name_is_one_that_can_be_negotiated() -> None:
    assert tuple(negotiation.BY_NAME) == codecs_reader.NAMES
