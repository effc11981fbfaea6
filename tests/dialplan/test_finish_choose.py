"""Shares add up; hours and repeat say what is missing; what a repeated list sets is known where it must be."""

from __future__ import annotations

from tests.dialplan.site import codes_of, lines, site_of

HEAD = "ringdown: 1\nflows:\n  main:\n"
TAIL = "    - reject: 480\n"
OFFICE = "office: {open: always}\n"


def split(*shares: str) -> list[tuple[str, int]]:
    rows = "".join(f"        - share: {each}\n          then: continue\n" for each in shares)
    return codes_of(HEAD + "    - split:\n" + rows + TAIL)


def test_shares_are_percentages_of_all_callers() -> None:
    assert split("12.5%", "0.01%", "87.49%") == []
    assert split("60%", "40.01%") == [("RD125", 7)]
    for wrong in ("0%", "101%", "half", "20", "-5%", "1.234%"):
        assert split(wrong) == [("RD125", 5)], wrong


def test_else_after_the_whole_and_lines_without_a_share() -> None:
    rest = "        - else: continue\n"
    whole = HEAD + "    - split:\n        - share: 100%\n          then: continue\n"
    assert codes_of(whole + rest + TAIL) == [("RD125", 4)]
    assert ("RD022", 5) in codes_of(HEAD + "    - split:\n        - share: 5%\n" + TAIL)
    assert ("RD021", 5) in codes_of(HEAD + "    - split:\n        - {if: yes, then: continue}\n" + TAIL)
    assert codes_of(HEAD + "    - split: 5%\n" + TAIL) == [("RD023", 4)]


def test_hours_need_a_calendar_and_a_way_when_it_is_closed() -> None:
    assert codes_of(HEAD + "    - hours: {calendar: office, closed: continue}\n" + TAIL, calendars=OFFICE) == []
    assert codes_of(HEAD + "    - hours: office\n" + TAIL, calendars=OFFICE) == [("RD052", 4)]
    missing = HEAD + "    - hours: {calendar: offce, closed: continue}\n" + TAIL
    assert codes_of(missing, calendars=OFFICE) == [("RD124", 4)]
    assert codes_of(missing) == [("RD124", 4)]
    computed = HEAD + "    - hours: {calendar: $where, closed: continue}\n" + TAIL
    assert codes_of(computed, calendars=OFFICE) == [("RD077", 4)]


def repeat(*texts: str, variables: str = "") -> list[tuple[str, int]]:
    head = f"ringdown: 1\nvariables: {{{variables}}}\n" if variables else "ringdown: 1\n\n"
    return codes_of(head + lines("flows:", "  main:", "    - repeat:", *(f"        {each}" for each in texts)) + TAIL)


def test_what_a_repeat_needs() -> None:
    assert repeat("times: 2", "steps:", "  - tag: x") == []
    assert repeat("steps:", "  - tag: x") == [("RD022", 5)]
    assert repeat("times: 2") == [("RD022", 5)]
    assert repeat("times: 0", "steps:", "  - tag: x") == [("RD024", 6)]
    assert repeat("times: 2", "steps: other") == [("RD023", 7)]
    assert repeat("times: 2", "until: 3", "steps:", "  - tag: x") == [("RD070", 7)]
    assert repeat("times: 2", "steps:", "  - tag: x", "exhausted: nowhere") == [("RD031", 5 + 4)]


def test_what_the_list_sets_is_known_after_it_and_not_before() -> None:
    body = ("steps:", "  - set: {a: 1}")
    assert repeat("times: 2", "until: a = 1", *body, variables="a: number") == []
    assert repeat("times: 2", *body, "exhausted:", "  - tag: $a", variables="a: number") == []
    early = ("steps:", "  - tag: $a", "  - set: {a: 1}")
    assert repeat("times: 2", *early, variables="a: number") == [("RD072", 8)]


def test_a_list_that_never_comes_to_its_end_is_told() -> None:
    assert repeat("times: 2", "steps:", "  - goto: main") == [("RD051", 5), ("RD054", 5), ("RD054", 9)]


def test_ways_are_named_by_their_shares_for_graph_and_coverage() -> None:
    text = HEAD + "    - split:\n" + "        - share: 25%\n          then: [{tag: a}]\n" * 2 + TAIL
    step = site_of(text).programs["default/main"].flows["main"][0]
    assert list(step.outs) == ["25%", "25% (2)"] and step.data["ways"] == [[2_500, "25%"], [5_000, "25% (2)"]]
