"""Trunks and outbound rules."""

from __future__ import annotations

import pytest

from engine.dialplan.findings import render
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with, lines


def test_trunks() -> None:
    site, findings = read_site(
        files_with(
            {
                "trunks.yaml": lines(
                    "carrier:",
                    "  host: sip.example.net",
                    "  addresses: [192.0.2.0/24, gw.example.net]",
                    "  transport: tcp",
                    "  calls_max: 30",
                    "  media_from: 198.51.100.0/24",
                    "  session_timer: 10min",
                    "  password: secret carrier_a",
                )
            }
        ),
        STOCK,
    )
    assert site is not None and findings == [], [render(each) for each in findings]
    trunk = site.trunks["carrier"]
    assert (trunk.transport, trunk.calls_max, trunk.session_timer_s, trunk.secret) == ("tcp", 30, 600, "carrier_a")
    assert (trunk.addresses, trunk.media_from) == (("192.0.2.0/24", "gw.example.net"), "198.51.100.0/24")


@pytest.mark.parametrize(("text", "manners"), [
    ("", (False, False, False)), (", ringing: plain, forward: refuse, replaces: no", (False, False, False)),
    (", ringing: acknowledged, forward: follow, replaces: yes", (True, True, True)),
])  # fmt: skip
def test_manners_of_a_trunk(text: str, manners: tuple[bool, bool, bool]) -> None:
    files = files_with({"trunks.yaml": f"carrier: {{host: a.example{text}}}\n"})
    site, findings = read_site(files, STOCK)
    assert site is not None and findings == [], [render(each) for each in findings]
    trunk = site.trunks["carrier"]
    assert (trunk.reliable, trunk.forward, trunk.replaces) == manners


@pytest.mark.parametrize(("text", "policy", "codes"), [
    ("", "off", []), (", srtp: optional", "optional", []), (", srtp: no", "off", []),
    (", srtp: required", "required", ["RD345"]), (", srtp: yes", "required", ["RD345"]),
    (", srtp: maybe", "", ["RD024"]), (", srtp: [required]", "", ["RD023"]),
])  # fmt: skip
def test_encrypted_media_of_a_trunk(text: str, policy: str, codes: list[str]) -> None:
    files = files_with({"trunks.yaml": f"carrier: {{host: a.example{text}}}\n"})
    site, findings = read_site(files, STOCK)
    assert [each.code for each in findings] == codes
    assert policy == (site.trunks["carrier"].srtp if site is not None else "")


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("trunks.yaml", "carrier: {user: x}\n", "RD022"),
        ("trunks.yaml", "carrier: {host: a.example, auth: hunter2}\n", "RD080"),
        ("trunks.yaml", "carrier: {host: a.example, tenant: nobody}\n", "RD041"),
        ("trunks.yaml", "carrier: {host: a.example, forward: maybe}\n", "RD024"),
        ("trunks.yaml", "carrier: {host: a.example, ringing: loudly}\n", "RD024"),
        ("outbound.yaml", "00.: {strip: 2}\n", "RD022"),
        ("outbound.yaml", "00.: {trunk: carrier, strip: 9}\n", "RD024"),
        ("outbound.yaml", "00.: {trunk: carrier, tenants: [nobody]}\n", "RD041"),
        ("outbound.yaml", "00.: {trunk: carrier, caller_id: me}\n", "RD082"),
    ],
)
def test_wrong_settings(file: str, text: str, code: str) -> None:
    _, findings = read_site(files_with({file: text}), STOCK)
    assert [each.code for each in findings] == [code], [render(each) for each in findings]
    assert findings[0].file == file and findings[0].line >= 1
