"""`tls:` of site.yaml."""

from __future__ import annotations

import pytest

from engine.dialplan.model import TrunkModel
from engine.dialplan.reader import read_site
from engine.dialplan.tls import TlsModel
from tests.dialplan.site import STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n"
LISTEN = "listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']\n"


def read(text: str) -> tuple[TlsModel | None, list[str]]:
    site, findings = read_site(files_with({"site.yaml": SITE + text}), STOCK)
    return (site.tls if site is not None else None), [each.code for each in findings]


def trunk(text: str) -> tuple[TrunkModel | None, list[str]]:
    site, findings = read_site(files_with({"trunks.yaml": f"carrier: {text}\n"}), STOCK)
    return (site.trunks["carrier"] if site is not None else None), [each.code for each in findings]


def test_what_it_says() -> None:
    assert read(LISTEN + "tls: {certificate: tls/sip.pem}\n") == (TlsModel("tls/sip.pem"), [])
    full = "tls: {certificate: /etc/sip.pem, key: a.key, trusted: b.pem, clients: c/d.pem}\n"
    model = read(full)[0]
    assert model == TlsModel("/etc/sip.pem", "a.key", "b.pem", "c/d.pem")
    assert list(model.files()) == ["certificate", "key", "trusted", "clients"]
    assert TlsModel("x").files() == {"certificate": "x"}


@pytest.mark.parametrize(("text", "code"), [
    (LISTEN, "RD340"), (LISTEN + "tls: {key: a}\n", "RD022"), ("tls: {certificate: ../sip.pem}\n", "RD024"),
    ("tls: {certificate: a.pem, keys: b}\n", "RD021"), ("tls: a.pem\n", "RD023"),
    ("tls: {certificate: [a]}\n", "RD023"),
    ("tls: {certificate: a.pem, key: '-----BEGIN PRIVATE KEY-----'}\n", "RD080"),
    ("tls: {certificate: a//b}\n", "RD024"),
])  # fmt: skip
def test_what_may_not(text: str, code: str) -> None:
    assert read(text) == (None, [code])


def test_a_trunk_with_tls() -> None:
    found, codes = trunk("{host: sip.example.net, transport: tls}")
    assert codes == [] and found is not None
    assert (found.port, found.transport, found.find, found.tls_name) == (5061, "tls", "srv", "")
    found, codes = trunk("{host: 192.0.2.1, port: 5071, transport: tls, tls_name: sip.example.net}")
    assert found is not None and (found.port, found.tls_name, codes) == (5071, "sip.example.net", [])
    assert trunk("{host: 192.0.2.1, transport: tls, tls_name: 'a b'}")[1] == ["RD086"]
