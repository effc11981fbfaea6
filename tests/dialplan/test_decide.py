"""when, switch, set, tag, goto, subflow, return, reject."""

from __future__ import annotations

from engine.dialplan.actions import (
    Reject,
)
from tests.dialplan.site import Caller, lines, site_of

HEAD = "ringdown: 1\n"


def flow(*steps: str, **flows: tuple[str, ...]) -> str:
    text = [HEAD, "flows:", "  main:", *(f"    {each}" for each in steps)]
    for name, more in flows.items():
        text += [f"  {name}:", *(f"    {each}" for each in more)]
    return lines(*text)


def test_a_list_stays_here_and_a_word_goes_there() -> None:
    site = site_of(
        flow(
            "- answer",
            "- when:",
            "    - if: access.kind = public",
            "      then:",
            "        - when:",
            "            - if: access.dialled = 100",
            "              then:",
            "                - tag: inner",
            "        - tag: outer",
            "- tag: behind",
            "- goto: away",
            away=("- hangup: served",),
        )
    )
    caller = Caller(site)
    caller.answered()
    assert caller.notes("tag") == ["inner", "outer", "behind"]
    assert caller.path()[-1] == "away/hangup(served)"
    assert caller.run.waiting == "ended"


def test_set_switch_and_variables() -> None:
    dialplan = HEAD + lines(
        "variables:",
        "  tier: choice standard gold = standard",
        "  tries: number = 2",
        "  pin: digits 4 sensitive = 0042",
        "flows:",
        "  main:",
        "    - set: {tries: tries * 2 + 1, tier: gold, pin: 1234}",
        "    - switch:",
        "        value: tier",
        "        cases:",
        "          gold:",
        "            - tag: gold $tries",
        "          standard: bye",
        "    - goto: bye",
        "  bye:",
        "    - reject: {code: 486, cause: 17}",
    )
    caller = Caller(site_of(dialplan))
    assert caller.notes("tag") == ["gold 5"]
    # sensitive values never leave in clear
    assert caller.notes("set") == ["tries=5", "tier=gold", "pin=····"]
    assert caller.run.variables["pin"] == "1234"
    assert caller.one(Reject) == Reject(486, 17)
    assert "Hangup" not in caller.kinds()


def test_subflows_come_back_with_a_result() -> None:
    dialplan = HEAD + lines(
        "variables:",
        "  tries: number = 0",
        "  fine: flag = no",
        "flows:",
        "  main:",
        "    - subflow: {flow: check, with: {tries: 3}, into: fine}",
        "    - when:",
        "        - if: fine",
        "          then:",
        "            - subflow: plain",
        "    - tag: back $tries",
        "    - reject: 480",
        "  check:",
        "    - goto: really",
        "  really:",
        "    - when:",
        "        - if: tries = 3",
        "          then:",
        "            - return: tries > 2",
        "    - return: no",
        "  plain:",
        "    - tag: plain",
    )
    caller = Caller(site_of(dialplan))
    assert caller.notes("tag") == ["plain", "back 3"]
    assert caller.run.variables["fine"] is True
    assert caller.run.frames == []
