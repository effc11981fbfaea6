"""How trunks are found, registered with, watched and shared: what the files say, and what is refused where."""

from __future__ import annotations

import pytest

from engine.dialplan.findings import render
from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from engine.dialplan.trunk_model import EnrolModel, ProbeModel, Route
from tests.dialplan.site import STOCK, files_with


def read(trunks: str, outbound: str = "") -> tuple[Site | None, list[tuple[str, int, int]]]:
    site, findings = read_site(files_with({"trunks.yaml": trunks, "outbound.yaml": outbound}), STOCK)
    return site, [(each.code, each.line, each.column) for each in findings]


@pytest.mark.parametrize(
    ("keys", "find"),
    [
        ("host: sip.example.net", "naptr"),
        ("host: sip.example.net, transport: tcp", "srv"),
        ("host: sip.example.net, port: 5060", "host"),
        ("host: 192.0.2.1", "host"),
        ("host: 2001:db8::1", "host"),
    ],
)
def test_what_the_admin_says_the_dns_is_not_asked(keys: str, find: str) -> None:
    site, findings = read(f"carrier: {{{keys}}}\n")
    assert site is not None and site.trunks["carrier"].find == find, findings


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("register: yes", EnrolModel("sip.x.net", "sip.x.net", "44", "44", 600)),
        ("register: {expires: 1h, contact: '4420'}", EnrolModel("sip.x.net", "sip.x.net", "44", "4420", 3_600)),
        ("register: {registrar: reg.x.net:5070, domain: x.net, user: acc}",
         EnrolModel("reg.x.net", "x.net", "acc", "acc", 600, 5_070)),
        ("register: no", None),
    ],
)  # fmt: skip
def test_registrations(keys: str, expected: EnrolModel | None) -> None:
    site, findings = read(f"carrier: {{host: sip.x.net, user: '44', {keys}}}\n")
    assert site is not None and site.trunks["carrier"].enrol == expected, findings


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("probe: yes", ProbeModel(30_000)),
        ("probe: 10s", ProbeModel(10_000)),
        ("probe: {within: 1min, bad: 1, good: 5}", ProbeModel(60_000, 1, 5)),
        ("probe: {bad: 4}", ProbeModel(30_000, 4)),
        ("probe: no", None),
    ],
)
def test_probes(keys: str, expected: ProbeModel | None) -> None:
    others = "calls_per_second: 5, answer_within: 1s, next_on: [404, 480]"
    site, _ = read(f"carrier: {{host: 192.0.2.1, {keys}, {others}}}\n")
    assert site is not None
    trunk = site.trunks["carrier"]
    assert trunk.probe == expected and (trunk.calls_per_second, trunk.silent_ms) == (5, 1_000)
    assert trunk.next_on == (404, 480)


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("carrier: {host: a.net, register: yes}\n", "RD022", 1),
        ("carrier: {addresses: [192.0.2.1], user: x, register: yes}\n", "RD022", 1),
        ("carrier: {host: a.net, user: x, register: {expire: 1h}}\n", "RD021", 44),
        ("carrier: {host: a.net, user: x, register: {expires: 5s}}\n", "RD024", 53),
        ("carrier: {host: a.net, register: {user: 'a b'}}\n", "RD024", 41),
        ("carrier: {host: a.net, user: x, register: {registrar: 'a:99999'}}\n", "RD086", 55),
        ("carrier: {host: a.net, probe: 1s}\n", "RD024", 31),
        ("carrier: {host: a.net, probe: {good: 0}}\n", "RD024", 38),
        ("carrier: {addresses: [192.0.2.1], probe: 30s}\n", "RD022", 42),
        ("carrier: {host: a.net, calls_per_second: 0}\n", "RD024", 42),
        ("carrier: {host: a.net, next_on: [486]}\n", "RD085", 34),
        ("carrier: {host: a.net, next_on: [200]}\n", "RD085", 34),
    ],
)
def test_mistakes_are_told_at_their_place(text: str, code: str, column: int) -> None:
    _, findings = read(text)
    assert (code, 1, column) in findings, findings


TWO = "a: {host: 192.0.2.1, probe: 30s}\nb: {host: 192.0.2.2, probe: 30s}\nc: {host: 192.0.2.3, probe: 30s}\n"


@pytest.mark.parametrize(
    ("trunks", "expected"),
    [
        ("[a, b, c]", (Route("a", 1), Route("b", 2), Route("c", 3))),
        ("\n    - {trunk: a, weight: 3}\n    - b", (Route("a", 1, 3), Route("b", 1, 1))),
        ("\n    - {trunk: c, priority: 2}\n    - a\n    - {trunk: b, weight: 9}",
         (Route("c", 2), Route("a", 1), Route("b", 1, 9))),
    ],
)
def test_the_trunks_of_a_rule(trunks: str, expected: tuple[Route, ...]) -> None:
    site, findings = read(TWO, f"00.:\n  strip: 2\n  trunks: {trunks}\n")
    assert site is not None and findings == [], findings
    (rule,) = site.outbound
    assert rule.routes == expected and rule.trunk == min(expected, key=lambda each: each.priority).trunk


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (" {trunks: a}", ("RD023", 1, 15)),
        (" {trunks: [a, x]}", ("RD036", 1, 19)),
        (" {trunks: [a, a]}", ("RD350", 1, 19)),
        ("\n  trunks:\n    - {weight: 3}", ("RD022", 3, 7)),
        ("\n  trunks:\n    - {trunk: a, weight: 0}", ("RD024", 3, 26)),
        ("\n  trunks:\n    - {trunk: a, wait: 1}", ("RD021", 3, 18)),
        (" {trunk: a, trunks: [b]}", ("RD023", 1, 17)),
        (" {strip: 1}", ("RD022", 1, 1)),
    ],
)
def test_mistakes_in_rules(rule: str, found: tuple[str, int, int]) -> None:
    _, findings = read(TWO, f"00.:{rule}\n")
    assert found in findings, findings


def test_of_several_trunks_each_wants_a_probe() -> None:
    trunks = TWO.replace("192.0.2.2, probe: 30s", "192.0.2.2")
    files = files_with({"trunks.yaml": trunks, "outbound.yaml": "0.: {trunks: [a, b]}\n"})
    site, findings = read_site(files, STOCK)
    assert site is not None
    (warning,) = findings
    assert (warning.code, warning.file, warning.line, warning.column) == ("RD351", "outbound.yaml", 1, 18)
    assert "add probe: 30s to b" in render(warning)


# --- boxes that register with us ------------------------------------------------------------------------------------
BOX = "attic: {register: accept, auth: secret attic, "


@pytest.mark.parametrize(
    ("account", "accounts"), [("attic", ("attic",)), ("[port1, port2]", ("port1", "port2"))],
)  # fmt: skip
def test_a_box_may_register(account: str, accounts: tuple[str, ...]) -> None:
    site, findings = read(f"{BOX}account: {account}, calls_max: 2}}\n")
    assert site is not None, findings
    trunk = site.trunks["attic"]
    assert (trunk.accounts, trunk.user, trunk.secret, trunk.host, trunk.enrol) == (
        accounts, accounts[0], "attic", "", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("attic: {register: accept, auth: secret attic}\n", "RD022"),
        ("attic: {register: accept, account: attic}\n", "RD022"),
        ("attic: {host: 192.0.2.7, account: attic}\n", "RD022"),
        (BOX + "account: attic, host: 192.0.2.7}\n", "RD364"), (BOX + "account: attic, probe: 30s}\n", "RD364"),
        (BOX + "account: attic, addresses: [192.0.2.0/24]}\n", "RD364"), (BOX + "account: attic, user: a}\n", "RD364"),
        (BOX + "account: [attic, attic]}\n", "RD365"), (BOX + "account: '200'}\n", "RD365"),
        (BOX + "account: attic}\nloft: {register: accept, auth: secret loft, account: attic}\n", "RD365"),
        (BOX + "account: 'a b'}\n", "RD024"),
    ],
)  # fmt: skip
def test_a_box_that_could_not_be_told_apart_is_refused(text: str, code: str) -> None:
    site, findings = read(text)
    assert site is None and code in [each[0] for each in findings]
