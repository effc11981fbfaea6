"""Results of subflows: of the right type, on every way, and set only where they are."""

from __future__ import annotations

from tests.dialplan.site import Caller, codes_of, lines, site_of


def plan(*ask: str, variables: str = "fine: flag = no", use: str = "fine = yes") -> list[tuple[str, int]]:
    return codes_of(lines(
        "ringdown: 1", f"variables: {{{variables}}}", "flows:", "  main:", "    - subflow: {flow: ask, into: fine}",
        f"    - when: [{{if: {use}, then: bye}}]", "    - goto: bye", "  bye:", "    - reject: 480", "  ask:",
        *(f"    {each}" for each in ask),
    ))  # fmt: skip


BRANCH = ("- when:", "    - if: access.kind = agent", "      then:", "        - return: yes")


def test_a_result_on_every_way_is_fine() -> None:
    assert plan(*BRANCH, "- return: no") == []
    assert plan("- return: no", variables="fine: flag") == []
    assert plan("- return: 5 EUR", variables="fine: money EUR", use="fine > 3 EUR") == []


def test_a_way_without_a_result_leaves_the_variable_as_it_was() -> None:
    assert plan(*BRANCH) == [("RD128", 5)]
    assert plan(*BRANCH, "- return") == [("RD128", 5)]
    assert plan(*BRANCH, variables="fine: flag") == [("RD128", 5), ("RD072", 6)]


def test_a_result_of_another_type() -> None:
    assert plan("- return: 3") == [("RD070", 11)]
    assert plan(*BRANCH, "- return: access.caller") == [("RD070", 15)]
    assert plan("- return: 5 USD", variables="fine: money EUR = 1", use="fine > 3 EUR") == [("RD070", 11)]
    assert plan("- return: length(access.caller)", variables="fine: number = 0", use="fine > 3") == []


def test_digits_come_back_as_they_were_written() -> None:
    assert plan("- return: 0042", variables="fine: digits 4", use="fine = 0042") == []
    assert plan("- return: 42", variables="fine: digits 4", use="fine = 0042") == [("RD070", 11)]
    text = lines(
        "ringdown: 1", "variables: {code: digits 4}", "flows:", "  main:", "    - subflow: {flow: ask, into: code}",
        "    - tag: $code", "    - reject: 480", "  ask:", "    - return: 0042",
    )  # fmt: skip
    assert Caller(site_of(text)).notes("tag") == ["0042"]


def test_a_result_that_nobody_takes_may_be_anything() -> None:
    assert codes_of(lines(
        "ringdown: 1", "flows:", "  main:", "    - subflow: ask", "    - reject: 480", "  ask:", "    - return: 3",
    )) == []  # fmt: skip


def test_what_until_knows_is_known_behind_the_rounds() -> None:
    def rounds(exhausted: str) -> list[tuple[str, int]]:
        return codes_of(lines(
            "ringdown: 1", "variables: {code: digits 4}", "flows:", "  main:", "    - answer", "    - repeat:",
            "        times: 3", "        until: known(code)", "        steps:",
            "          - gather: {into: code, prompt: choose, tries: 1, failed: continue}",
            *([f"        exhausted: {exhausted}"] if exhausted else []), "    - tag: $code", "    - goto: bye",
            "  bye:", "    - hangup: served",
        ))  # fmt: skip

    assert rounds("bye") == []
    assert rounds("") == [("RD072", 11)]


def test_rounds_that_can_only_be_exhausted_leave_nobody_to_go_on() -> None:
    found = codes_of(lines(
        "ringdown: 1", "flows:", "  main:", "    - repeat:", "        times: 3", "        steps:", "          - tag: x",
        "        exhausted: bye", "    - tag: never", "    - goto: bye", "  bye:", "    - reject: 480",
    ))  # fmt: skip
    assert found == [("RD054", 9)]
