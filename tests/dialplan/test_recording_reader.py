"""`recording:` of sites, tenants and queues: announcements, keys, beeps, quotas, and what is wrong with them."""

from __future__ import annotations

import pytest

from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from engine.dialplan.recording_model import RecordingModel, RecordingRule, quotas, records_calls, rule_of
from tests.dialplan.site import STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\n"
HELLO, CHOOSE = {"en": ("en/hello",)}, {"en": ("en/choose",)}


def site(recording: str, *, queue: str = "yes", tenant: str = "") -> Site:
    files = files_with(
        {
            "site.yaml": f"{SITE}recording: {recording}\n",
            "queues.yaml": f"support:\n  skills: [power]\n  record: {queue}\n",
            **({"tenants/press/tenant.yaml": tenant} if tenant else {}),
        }
    )
    found, findings = read_site(files, STOCK)
    assert found is not None, findings
    return found


def codes(recording: str, *, queue: str = "yes", **files: str) -> list[str]:
    changes = {"site.yaml": f"{SITE}recording: {recording}\n", "queues.yaml": f"support: {{record: {queue}}}\n"}
    return [each.code for each in read_site(files_with({**changes, **files}), STOCK)[1]]


def test_each_direction_has_its_rule_and_a_queue_its_own() -> None:
    made = site(
        "{incoming: {announce: hello, opt_out: star, beep: yes}, outgoing: {announce: choose, calls: yes}}",
        queue="\n    announce: choose\n    outgoing: {announce: hello, opt_out: 9}",
    )
    assert made.tenants["default"].recording == RecordingModel(
        RecordingRule(HELLO, "*", True), RecordingRule(CHOOSE), calls=True
    )
    assert made.queues["default/support"].record
    assert rule_of(made, "default") == RecordingRule(HELLO, "*", True)
    assert rule_of(made, "default", "default/support") == RecordingRule(CHOOSE)
    assert rule_of(made, "default", "default/support", outgoing=True) == RecordingRule(HELLO, "9")
    assert records_calls(made, "default")


def test_a_tenant_without_rules_has_the_platforms() -> None:
    press = "recording: {quota: {size: 500MB, full: refuse}}\n"
    made = site("{incoming: {announce: hello}, quota: 20GB}", tenant=press)
    assert rule_of(made, "press") == RecordingRule(HELLO) and rule_of(made, "press", outgoing=True) is None
    assert quotas(made) == {"default": (20_000_000_000, "oldest"), "press": (500_000_000, "refuse")}
    assert not records_calls(made, "press")


def test_a_queue_says_yes_or_no_as_before() -> None:
    assert site("{}", queue="yes").queues["default/support"].record
    plain = site("{}", queue="no").queues["default/support"]
    assert not plain.record and plain.recording is None


@pytest.mark.parametrize(
    ("recording", "code"),
    [
        ("{incoming: {announce: nobody}}", "RD033"),
        ("{incoming: {announce: hello, opt_out: 12}}", "RD063"),
        ("{incoming: {opt_out: star}}", "RD161"),
        ("{incoming: {beep: perhaps}}", "RD024"),
        ("{quota: a lot}", "RD024"),
        ("{quota: 0GB}", "RD024"),
        ("{quota: {full: oldest}}", "RD022"),
        ("{quota: {size: 1GB, full: everything}}", "RD024"),
        ("{sideways: {}}", "RD021"),
        ("yes", "RD023"),
    ],
)
def test_what_is_wrong_is_told(recording: str, code: str) -> None:
    assert code in codes(recording)


def test_an_announcement_speaks_no_values() -> None:
    prompts = "hello: Hello $access.caller.\nchoose: Choose now.\n"
    found = codes("{incoming: {announce: hello}}", **{"prompts/en.yaml": prompts})
    assert "RD160" in found
