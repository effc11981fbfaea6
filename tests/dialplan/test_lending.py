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
