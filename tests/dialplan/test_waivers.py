"""Waivers: one finding less for a reason, in a flow, a file or a folder; and none that hides something else."""

from __future__ import annotations

import pytest

from engine.dialplan.reader import Checked, check_site
from tests.dialplan.site import STOCK, files_with

PLAN = "ringdown: 1\n{allow}flows:\n  main:\n    - answer\n    - music\n"
TWO = PLAN + "  other:\n    - answer\n    - music\nwaits:\n  hold:\n    - play: hello\n"
SITE = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main, 101: {dialplan: main, entry: other}}\n"


def check(allow: str, text: str = PLAN, **more: str) -> Checked:
    changes = {path.replace("__", "/") + ".yaml": each for path, each in more.items()}
    return check_site(files_with({"dialplans/main.yaml": text.replace("{allow}", allow), **changes}), STOCK)


def codes(checked: Checked) -> list[str]:
    return [each.code for each in checked.findings]


def test_a_waiver_takes_the_finding_and_keeps_the_reason() -> None:
    assert codes(check("")) == ["RD201"]
    checked = check("allow: {RD201: there to be listened to}\n")
    assert checked.site is not None
    assert codes(checked) == []
    assert [(each.code, each.line, each.waived) for each in checked.waived] == [
        ("RD201", 6, "there to be listened to"),
    ]  # fmt: skip


def test_a_waiver_of_one_flow_leaves_the_others() -> None:
    checked = check("allow:\n  other: {RD201: a test line}\n", TWO, site=SITE)
    assert [(each.code, each.line) for each in checked.findings] == [("RD201", 7)]
    assert [each.line for each in checked.waived] == [10]
    both = check("allow: {RD201: a test line}\n", TWO, site=SITE)
    assert (codes(both), len(both.waived)) == ([], 2)


def test_a_waiver_of_site_yaml_covers_the_root_folder_and_no_tenant() -> None:
    numbers = "numbers: {100: main, 98668: press/front}\n"
    press = {"tenants__press__tenant": "name: Press\n", "tenants__press__dialplans__front": PLAN.replace("{allow}", "")}
    checked = check("", site=f"ringdown: 1\nlanguages: [en]\n{numbers}allow: {{RD201: as agreed}}\n", **press)
    assert [each.file for each in checked.findings] == ["tenants/press/dialplans/front.yaml"]
    assert [each.file for each in checked.waived] == ["dialplans/main.yaml"]
    press["tenants__press__tenant"] += "allow: {RD201: as agreed too}\n"
    checked = check("allow: {RD201: here}\n", site=f"ringdown: 1\nlanguages: [en]\n{numbers}", **press)
    assert codes(checked) == []
    assert [each.waived for each in checked.waived] == ["here", "as agreed too"]


@pytest.mark.parametrize(
    ("allow", "found"),
    [
        ("allow: {RD201: ''}\n", ["RD211", "RD201"]),
        ("allow: {RD201: '...'}\n", ["RD211", "RD201"]),
        ("allow:\n  RD201: for # nobody\n", ["RD017", "RD201"]),
        ("allow: {RD201: [a]}\n", ["RD023", "RD201"]),
        ("allow: {RD2O1: a letter}\n", ["RD210", "RD201"]),
        ("allow: {RD051: they like it}\n", ["RD210", "RD201"]),
        ("allow: {RD212: never mind}\n", ["RD210", "RD201"]),
        ("allow: {man: {RD201: a test line}}\n", ["RD210", "RD201"]),
        ("allow: RD201\n", ["RD023", "RD201"]),
        ("allow: {RD201: a test line, RD054: kept}\n", ["RD212"]),
        # with an error the analysis has not been everywhere, so that nothing is known to be unused
        ("allow: {RD054: kept}\nnonsense: 1\n", ["RD021"]),
    ],
)
def test_waivers_that_are_findings(allow: str, found: list[str]) -> None:
    assert codes(check(allow)) == found
