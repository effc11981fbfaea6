"""`gate:` of a site, a tenant and a trunk."""

from __future__ import annotations

import pytest

from engine.dialplan.gate_model import AccessModel, GateModel
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\nlisten: ['udp:127.0.0.1:5060']\n"


def test_every_list_is_read() -> None:
    text = SITE + (
        "gate:\n  allow: [192.0.2.0/24, '2001:db8::/32']\n  deny: [192.0.2.7]\n  trusted: [198.51.100.1]\n"
        "  per_second: 500\n  scanners: {words: [Probe-o-Matic], answer: false}\n"
        "  listeners:\n    'udp:127.0.0.1:5060': {deny: [10.0.0.0/8]}\n"
    )
    tenant = "ringdown: 1\ndomain: chess.test\ngate: {allow: [10.1.0.0/16]}\n"
    trunk = "carrier: {host: 192.0.2.9, addresses: [192.0.2.0/28], deny: [192.0.2.3]}\n"
    files = {"site.yaml": text, "tenants/chess/tenant.yaml": tenant, "trunks.yaml": trunk}
    site, findings = read_site(files_with(files), STOCK)
    assert site is not None, findings
    assert site.gate == GateModel(
        AccessModel(("192.0.2.0/24", "2001:db8::/32"), ("192.0.2.7",)),
        {"udp:127.0.0.1:5060": AccessModel((), ("10.0.0.0/8",))}, ("198.51.100.1",), ("probe-o-matic",), False, 500,
    )  # fmt: skip
    assert site.tenants["chess"].gate == AccessModel(("10.1.0.0/16",)) and site.tenants["default"].gate is None
    assert site.trunks["carrier"].deny == ("192.0.2.3",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gate: {deny: [example.net]}\n", "RD086"), ("gate: {deny: [192.0.2.1/24]}\n", "RD086"),
        ("gate: {open: true}\n", "RD021"), ("gate: [a]\n", "RD023"), ("gate: {per_second: 1}\n", "RD024"),
        ("gate:\n  scanners: {words: [sip]}\n", "RD022"), ("gate:\n  scanners: {word: [sipp]}\n", "RD021"),
        ("gate:\n  listeners:\n    'tcp:127.0.0.1:5060': {deny: [10.0.0.0/8]}\n", "RD368"),
        ("gate: {allow: ['::/0'], deny: ['::/0']}\n", "RD369"),
    ],
)  # fmt: skip
def test_mistakes_are_told(text: str, code: str) -> None:
    found = read_site(files_with({"site.yaml": SITE + text}), STOCK)[1]
    assert [each.code for each in found if each.severity == "error"] == [code]
