"""hours, split and repeat, walked."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Digit, LeaveQueue, TimerFired
from engine.dialplan.interpreter import start, start_wait
from engine.dialplan.model import Site
from engine.dialplan.verbs.choose import draw
from tests.dialplan.site import STOCK, Caller, files_with, lines, site_of
from tests.dialplan.test_calendars import at

HEAD = "ringdown: 1\n"
OFFICE = "office:\n  open: [mon-fri 08:00-20:00]\n  holidays: GB-ENG\n  time_zone: Europe/London\n"
HOURS = HEAD + lines(
    "flows:",
    "  main:",
    "    - hours:",
    "        calendar: office",
    "        closed: shut",
    "        {holiday}",
    "    - tag: open",
    "    - reject: 480",
    "  shut:",
    "    - tag: shut",
    "    - reject: 480",
    "  feast:",
    "    - tag: feast",
    "    - reject: 480",
)


def tags(site: Site, **facts: str) -> list[str]:
    """What a call tags that arrives with these facts."""
    program = site.programs["default/main"]
    _, out = start(program, {name.replace("__", "."): value for name, value in facts.items()}, "en", site, 0)
    return [each.text for each in out if getattr(each, "kind", "") == "tag"]


@pytest.mark.parametrize(
    ("moment", "override", "with_holiday", "expected"),
    [
        ("2026-12-24 10:00", "", True, "open"),
        ("2026-12-24 21:00", "", True, "shut"),
        ("2026-12-25 10:00", "", True, "feast"),
        ("2026-12-25 10:00", "", False, "shut"),
        ("2026-12-25 10:00", "open", True, "open"),
        ("2026-12-24 10:00", "closed", True, "shut"),
    ],
)
def test_hours_go_by_calendar_clock_and_operator(
    moment: str, override: str, with_holiday: bool, expected: str
) -> None:
    dialplan = HOURS.replace("{holiday}", "holiday: feast" if with_holiday else "")
    if not with_holiday:
        dialplan = dialplan.partition("  feast:")[0]
    site = site_of(dialplan, calendars=OFFICE)
    program = site.programs["default/main"]
    assert program.wants == ("system.now", "calendar:default/office")
    facts = {"system.now": str(at(moment)), **({"calendar:default/office": override} if override else {})}
    _, out = start(program, facts, "en", site, 0)
    notes = [(each.kind, each.text) for each in out if getattr(each, "kind", "") in ("tag", "hours")]
    state = {"open": "open", "feast": "holiday"}.get(expected, "closed")
    state = "holiday" if moment.startswith("2026-12-25") and not override else state
    assert notes == [("hours", f"default/office {state}"), ("tag", expected)]


def test_a_split_draws_evenly_and_a_caller_goes_the_same_way_again() -> None:
    dialplan = HEAD + lines(
        "flows:",
        "  main:",
        "    - split:",
        "        - share: 12.5%",
        "          then:",
        "            - tag: one",
        "        - share: 30%",
        "          then: other",
        "        - else:",
        "            - tag: rest",
        "    - reject: 480",
        "  other:",
        "    - tag: two",
        "    - reject: 480",
    )
    site = site_of(dialplan)
    counts = {"one": 0, "two": 0, "rest": 0}
    for number in range(4_000):
        (way,) = tags(site, call__id=f"bako-{number}")
        counts[way] += 1
        if number < 100:
            assert tags(site, call__id=f"bako-{number}") == [way]
    # within four standard deviations; the draw is the same on every machine
    for way, share in (("one", 0.125), ("two", 0.3), ("rest", 0.575)):
        deviation = (4_000 * share * (1 - share)) ** 0.5
        assert abs(counts[way] - 4_000 * share) < 4 * deviation, counts
    assert draw("bako-1|0|main/split") == draw("bako-1|0|main/split")
    assert all(0 <= draw(str(seed)) < 10_000 for seed in range(1_000))


def test_who_is_in_no_share_goes_on() -> None:
    dialplan = HEAD + lines(
        "flows:",
        "  main:",
        "    - split:",
        "        - share: 0.01%",
        "          then: other",
        "    - tag: on",
        "    - reject: 480",
        "  other:",
        "    - reject: 480",
    )
    assert tags(site_of(dialplan), call__id="bako-1") == ["on"]


ROUNDS = HEAD + lines(
    "variables:",
    "  count: number = 0",
    "  code: digits 1",
    "flows:",
    "  main:",
    "    - answer",
    "    - repeat:",
    "        times: 3",
    "        until: code = 7",
    "        steps:",
    "          - set: {count: count + 1}",
    "          - gather: {into: code, prompt: choose, tries: 1, failed: bye}",
    "          - tag: round $count",
    "        exhausted:",
    "          - tag: exhausted",
    "    - tag: behind $code",
    "    - goto: bye",
    "  bye:",
    "    - hangup: served",
)


def pressing(keys: str, dialplan: str = ROUNDS) -> Caller:
    caller = Caller(site_of(dialplan))
    caller.answered()
    for key in keys:
        caller.tell(Digit(key))
    return caller


def test_a_list_is_repeated_until_its_condition_holds_or_the_rounds_are_over() -> None:
    assert pressing("7").notes("tag") == ["round 1", "behind 7"]
    caller = pressing("127")
    assert caller.notes("tag") == ["round 1", "round 2", "round 3", "behind 7"]
    assert caller.run.waiting == "ended"
    caller = pressing("123")
    assert caller.notes("tag") == ["round 1", "round 2", "round 3", "exhausted", "behind 3"]
    assert not [name for name in caller.run.scratch if name.startswith("round")]


def test_leaving_a_list_in_the_middle_begins_it_afresh_the_next_time() -> None:
    menu = "{prompt: choose, tries: 1, choices: {9: main}, failed: continue}"
    dialplan = ROUNDS.replace("  bye:\n", f"  bye:\n    - menu: {menu}\n")
    caller = pressing("1", dialplan)
    caller.tell(TimerFired(caller.run.ticket))  # the prompt never ends: then silence is no digit
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.path()[-1] == "bye/menu(choose)"
    caller.tell(Digit("9"))
    assert caller.path()[-3:] == ["main/repeat", "main/set", "main/gather(choose)"]
    for key in "123":
        caller.tell(Digit(key))
    # three whole rounds again, though one and a half were done before
    assert caller.notes("tag") == ["round 1", "round 3", "round 4", "round 5", "exhausted", "behind 3"]


def test_rounds_inside_rounds() -> None:
    dialplan = HEAD + lines(
        "variables:",
        "  count: number = 0",
        "flows:",
        "  main:",
        "    - repeat:",
        "        times: 3",
        "        steps:",
        "          - repeat:",
        "              times: 4",
        "              steps:",
        "                - set: {count: count + 1}",
        "    - tag: in all $count",
        "    - reject: 480",
    )
    assert tags(site_of(dialplan)) == ["in all 12"]


def test_rounds_without_input_are_no_endless_loop_and_what_they_set_is_set() -> None:
    dialplan = HEAD + lines(
        "variables:",
        "  count: number",
        "flows:",
        "  main:",
        "    - repeat:",
        "        times: 2",
        "        until: count > 5",
        "        steps:",
        "          - set: {count: 2}",
        "    - tag: it is $count",
        "    - reject: 480",
    )
    assert tags(site_of(dialplan)) == ["it is 2"]


def test_hours_in_a_wait_list_are_wanted_by_the_whole_dialplan() -> None:
    dialplan = HEAD + lines(
        "flows:",
        "  main:",
        "    - answer",
        "    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}",
        "    - goto: bye",
        "  bye:",
        "    - hangup: served",
        "waits:",
        "  hold:",
        "    - hours: {calendar: office, closed: bye}",
        "    - music: 10s",
    )
    site = site_of(dialplan, calendars=OFFICE)
    assert site.programs["default/main"].wants == ("system.now", "calendar:default/office")
    assert "!bye" in site.programs["default/main"].flows["main"][1].outs


def test_the_base_site_has_no_calendar() -> None:
    from engine.dialplan.reader import read_site

    site, _ = read_site(files_with({}), STOCK)
    assert site is not None and site.calendars == {}


def test_the_way_is_noted_but_not_in_a_wait_list() -> None:
    split = ("    - split:", "        - share: 100%", "          then: bye")
    site = site_of(HEAD + lines("flows:", "  main:", *split, "  bye:", "    - reject: 480"))
    assert Caller(site).notes("split") == ["100%"]
    waiting = lines(
        "flows:", "  main:", "    - answer",
        "    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}", "    - goto: bye",
        "  bye:", "    - hangup: served", "waits:", "  hold:", *split, "    - music: 10s",
    )  # fmt: skip
    site = site_of(HEAD + waiting)
    caller = Caller(site)
    caller.answered()
    program = site.programs["default/main"].waits["hold"]
    _, out = start_wait(program, caller.run, {}, site)
    assert LeaveQueue("!bye") in out
    assert not [each for each in out if getattr(each, "kind", "") == "split"]
