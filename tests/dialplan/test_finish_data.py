"""What the linker makes of a step that looks something up, and of which fields a program then knows."""

from __future__ import annotations

from tests.dialplan.site import lines, second_step, site_of

LOOKUPS = lines(
    "customer:", "  post: https://a/b", "  send: {id: $id, all: $access.caller, again: '$id'}", "  timeout: 500ms",
    "  returns: {tier: choice standard vip = standard, pin: digits 4 sensitive}",
    "other:", "  get: https://a/b", "  returns: {x: number}",
)  # fmt: skip
HEAD = "variables: {id: digits 3 = 123}\n"
STEP = "    - lookup: {name: customer, failed: bye}\n    - goto: bye\n  bye:\n"


def test_a_step_knows_its_lookup_whole() -> None:
    step = second_step(STEP, head=HEAD, lookups=LOOKUPS)
    assert step.id == "main/lookup(customer)" and step.outs == {"failed": "bye"}
    assert step.data == {
        "lookup": "default/customer", "sends": ["id", "access.caller"], "timeout": 500,
        "fields": [["customer.tier", False, "standard"], ["customer.pin", True, None]],
    }  # fmt: skip


def test_a_program_declares_what_it_reads_or_fills_and_no_more() -> None:
    site = site_of(f"ringdown: 1\n{HEAD}flows:\n  main:\n    - answer\n{STEP}    - hangup: served\n", lookups=LOOKUPS)
    variables = site.programs["default/main"].variables
    assert sorted(variables) == ["customer.pin", "customer.tier", "id"]
    assert variables["customer.pin"].sensitive and variables["customer.tier"].default == "standard"
