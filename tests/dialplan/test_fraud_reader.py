"""`fraud:` of site.yaml."""

from __future__ import annotations

import pytest

from engine.dialplan.fraud_model import FraudRule, Threshold
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\nfraud:\n  premium:\n"
CALENDARS = "office: {open: [mon-fri 08:00-18:00]}\n"


def test_every_field_is_read() -> None:
    text = SITE + (
        "    to: ['+4490.', '+88.']\n    trunks: [carrier]\n    tenants: [default]\n    outside: office\n"
        "    per: tenant\n    window: 8h\n    calls_at_once: {stop: 2}\n    calls_per_minute: {warn: 2, stop: 4}\n"
        "    calls_in_a_row: {warn: 3}\n    calls_total: {warn: 20, stop: 50}\n"
        "    call_duration: {warn: 10min, stop: 30min}\n  rest: {to: ['+.'], calls_total: {stop: 9}}\n"
    )
    site, findings = read_site(files_with({"site.yaml": text, "calendars.yaml": CALENDARS}), STOCK)
    assert site is not None, findings
    assert site.fraud == (
        FraudRule(
            "premium", ("+4490.", "+88."), ("carrier",), ("default",), "", "default/office", "tenant",
            Threshold(0, 2), Threshold(2, 4), Threshold(3, 0), Threshold(20, 50), Threshold(600_000, 1_800_000),
            28_800_000,
        ),
        FraudRule("rest", ("+.",), total=Threshold(0, 9)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("    to: ['090']\n    calls_total: {stop: 1}\n", "RD082"), ("    calls_total: {stop: 1}\n", "RD022"),
        ("    to: ['+.']\n", "RD370"), ("    to: ['+.']\n    calls_total: {warn: 5, stop: 2}\n", "RD371"),
        ("    to: ['+.']\n    trunks: [nobody]\n    calls_total: {stop: 1}\n", "RD036"),
        ("    to: ['+.']\n    tenants: [nobody]\n    calls_total: {stop: 1}\n", "RD041"),
        ("    to: ['+.']\n    during: nights\n    calls_total: {stop: 1}\n", "RD124"),
        ("    to: ['+.']\n    per: agent\n    calls_total: {stop: 1}\n", "RD024"),
        ("    to: ['+.']\n    window: 2d\n    calls_total: {stop: 1}\n", "RD024"),
        ("    to: ['+.']\n    calls_total: {halt: 1}\n", "RD021"), ("    to: ['+.']\n    calls: {stop: 1}\n", "RD021"),
    ],
)  # fmt: skip
def test_mistakes_are_told(text: str, code: str) -> None:
    found = read_site(files_with({"site.yaml": SITE + text, "calendars.yaml": CALENDARS}), STOCK)[1]
    assert code in [each.code for each in found if each.severity == "error"]
