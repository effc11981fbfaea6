"""Queues between tenants: lent and borrowed, or refused with both files named."""

from __future__ import annotations

import pytest

from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

STEP = """ringdown: 1
flows:
  main:
    - answer
    - queue: {name: platform/overflow, full: bye, no_agents: bye, timeout: bye}
    - goto: bye
  bye:
    - hangup: served
"""
QUEUES = "orders:\n  overflow:\n    - {if: waited > 1min or no_agents, queue: platform/overflow}\n"
OWNER = "name: Platform\nlends:\n  queues:\n    overflow: [press]\n"
BORROWER = "name: Press\nborrows:\n  queues: [platform/overflow]\n"


def read(owner: str = OWNER, borrower: str = BORROWER, queues: str = QUEUES, step: str = STEP):  # type: ignore[no-untyped-def]
    return read_site(
        files_with(
            {
                "tenants/platform/tenant.yaml": owner,
                "tenants/platform/queues.yaml": "overflow: {max_wait: 9min}\nown: {max_wait: 9min}\n",
                "tenants/platform/agents.yaml": "300: {name: Pia, queues: [overflow, own]}\n",
                "tenants/press/tenant.yaml": borrower,
                "tenants/press/queues.yaml": queues,
                "tenants/press/agents.yaml": "300: {name: Paul, queues: [orders]}\n",
                "tenants/press/dialplans/main.yaml": step,
            }
        ),
        STOCK,
    )


def test_a_borrowed_queue_serves_steps_and_overflow() -> None:
    site, findings = read()
    assert site is not None and not findings
    assert site.queues["press/orders"].overflow[0].to == "platform/overflow"
    assert site.programs["press/main"].flows["main"][1].data["name"] == "platform/overflow"


@pytest.mark.parametrize(
    ("changes", "code", "file"),
    [
        ({"owner": "name: Platform\n"}, "RD114", "tenants/press/tenant.yaml"),
        ({"borrower": "name: Press\n", "queues": "orders: {ring: 9s}\n", "step": ""}, "RD115", "platform"),
        ({"borrower": BORROWER.replace("overflow]", "overflo]")}, "RD032", "tenants/press/tenant.yaml"),
        ({"borrower": BORROWER.replace("platform/", "plattform/")}, "RD041", "tenants/press/tenant.yaml"),
        ({"owner": OWNER.replace("overflow:", "ovrflow:")}, "RD032", "tenants/platform/tenant.yaml"),
        ({"owner": OWNER.replace("[press]", "[press, pres]")}, "RD041", "tenants/platform/tenant.yaml"),
        ({"owner": OWNER + "  teams: {night: {to: [press]}}\n"}, "RD026", "tenants/platform/tenant.yaml"),
        ({"queues": QUEUES.replace("platform/overflow", "platform/own")}, "RD032", "tenants/press/queues.yaml"),
    ],
)
def test_one_side_without_the_other(changes: dict[str, str], code: str, file: str) -> None:
    if changes.get("step") == "":
        changes["step"] = "ringdown: 1\nflows:\n  main:\n    - answer\n    - hangup: served\n"
    _, findings = read(**changes)
    assert any(each.code == code and file in each.file for each in findings), findings
    if code == "RD114":
        assert "tenants/platform/tenant.yaml" in findings[0].suggestion or any(
            "tenants/platform/tenant.yaml" in each.suggestion for each in findings
        )


# --- prompts ------------------------------------------------------------------------------------------------
PLAYS = "ringdown: 1\nflows:\n  main:\n    - answer\n    - play: common\n    - hangup: served\n"
LENDS = "name: Platform\nlends:\n  prompts: {common: [press]}\n"
BORROWS = "name: Press\nborrows:\n  prompts: [platform/common]\n"


def read_prompts(owner: str = LENDS, borrower: str = BORROWS, **more: str):  # type: ignore[no-untyped-def]
    return read_site(
        files_with(
            {
                "tenants/platform/tenant.yaml": owner,
                "tenants/platform/prompts/en.yaml": "common: We are all busy.\n",
                "tenants/press/tenant.yaml": borrower,
                "tenants/press/dialplans/main.yaml": PLAYS,
                **{path.replace("__", "/") + ".yaml": text for path, text in more.items()},
            }
        ),
        STOCK,
        thorough=True,
    )


def clips(site) -> list[str]:  # type: ignore[no-untyped-def]
    return list(site.programs["press/main"].flows["main"][1].data["prompt"]["en"])


def test_a_borrowed_prompt_is_heard_by_its_own_name() -> None:
    site, findings = read_prompts()
    assert site is not None
    theirs = [each.code for each in findings if each.file.startswith("tenants/")]
    assert theirs == ["RD091"], "lent is not unused; it is unspoken"
    assert clips(site) == ["platform:en/common"]


def test_his_own_prompt_comes_before_a_borrowed_one() -> None:
    site, _ = read_prompts(tenants__press__prompts__en="common: Mine.\n")
    assert site is not None and clips(site) == ["press:en/common"]


@pytest.mark.parametrize(
    ("owner", "borrower", "codes"),
    [
        ("name: Platform\n", BORROWS, ["RD114", "RD033"]),
        (LENDS, "name: Press\n", ["RD115", "RD033"]),
        (LENDS.replace("common", "comon"), BORROWS, ["RD114", "RD033"]),
        (LENDS, BORROWS.replace("platform/", "platfrm/"), ["RD041", "RD115"]),
        (LENDS.replace("[press]", "[press, chess]"), BORROWS, ["RD041"]),
    ],
)
def test_half_a_loan_of_a_prompt_is_a_finding(owner: str, borrower: str, codes: list[str]) -> None:
    _, findings = read_prompts(owner, borrower)
    assert set(codes) <= {each.code for each in findings}
