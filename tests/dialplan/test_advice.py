"""What is legal and still bad for a caller, found where it is and not where it isn't."""

from __future__ import annotations

import pytest

from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with
from tests.dialplan.test_analysis import plan

BYE = ("play: goodbye", "hangup: served")
SERVED = "full: bye, no_agents: bye, timeout: bye"
MENU = "menu: {prompt: choose, choices: {1: %s}, failed: bye}"


def advice(text: str, **more: str) -> list[tuple[str, int]]:
    changes = {"dialplans/main.yaml": text, **{path.replace("__", "/") + ".yaml": t for path, t in more.items()}}
    return [(each.code, each.line) for each in read_site(files_with(changes), STOCK)[1]]


@pytest.mark.parametrize(
    "text",
    [
        plan("answer", MENU % "person", person=("dial: {to: 200, failed: bye}", "hangup"), bye=BYE),
        plan("answer", MENU % "message", message=("record: {max: 1min, finish: hash}", "hangup"), bye=BYE),
        # by a key that is live everywhere
        plan("answer", MENU % "again", head="always: {0: person}",
             person=("dial: {to: 200, failed: bye}", "hangup"), bye=BYE),
        # the menu stands in a subflow, the queue behind it
        plan("answer", "subflow: ask", f"queue: {{name: support, {SERVED}}}", "hangup: served",
             ask=("menu: {prompt: choose, choices: {1: one}, failed: bye}",), one=("return",), bye=BYE),
        # who has spoken with somebody may be asked how it was
        plan("answer", f"queue: {{name: support, {SERVED}}}", MENU % "bye", bye=BYE),
        # no question, no way needed
        plan("answer", "play: hello", "hangup", bye=("hangup",)).replace("  bye:\n    - hangup\n", ""),
    ],
)  # fmt: skip
def test_a_caller_who_reaches_somebody(text: str) -> None:
    assert advice(text) == []


def test_a_caller_who_reaches_nobody() -> None:
    info = plan("answer", "play: hello", MENU % "info", info=("play: hello", MENU % "bye"), bye=BYE)
    assert advice(info) == [("RD200", 6)]  # told once, at the first question
    # the second question has no way, the first has
    half = plan("answer", "menu: {prompt: choose, choices: {1: person, 2: info}, failed: bye}",
                person=("dial: {to: 200, failed: bye}", "hangup"), info=(MENU % "bye",), bye=BYE)  # fmt: skip
    assert advice(half) == [("RD200", 10)]
    # a site without queues and agents is an information line
    assert advice(info, queues="{}\n", agents="{}\n", outbound="+.: carrier\n") == []


LONG = "support:\n  skills: [power]\n"


@pytest.mark.parametrize(
    ("more", "queues", "found"),
    [
        ("", LONG, [("RD201", 5)]),
        (", max_wait: 10min", LONG, []),
        ("", LONG + "  max_wait: 10min\n", []),
        ("", LONG + "  overflow:\n    - {if: waited > 5min, outcome: timeout}\n", []),
        ("", LONG + "  overflow:\n    - {if: estimated_wait > 5min, outcome: timeout}\n", [("RD201", 5)]),
    ],
)
def test_a_wait_has_an_end(more: str, queues: str, found: list[tuple[str, int]]) -> None:
    text = plan("answer", f"queue: {{name: support, {SERVED}{more}}}", "goto: bye", bye=BYE)
    assert advice(text, queues=queues) == found


def test_overflow_of_the_step_ends_the_wait() -> None:
    step = ("queue:", "    name: support", "    full: bye", "    no_agents: bye", "    timeout: bye", "    overflow:")
    for rule, found in (("waited > 5min", []), ("length > 5", [("RD201", 5)])):
        text = plan("answer", "\n    ".join((*step, f"      - {{if: {rule}, flow: bye}}")), "goto: bye", bye=BYE)
        assert advice(text, queues=LONG) == found


def test_a_key_that_leaves_the_wait_list_ends_the_wait() -> None:
    text = plan("answer", f"queue: {{name: support, waiting: hold, {SERVED}}}", "goto: bye", bye=BYE)
    waits = "waits:\n  hold:\n    - menu: {prompt: choose, choices: {1: bye}, failed: continue}\n    - music: 40s\n"
    assert advice(text + waits, queues=LONG) == []
    assert advice(text + "waits:\n  hold:\n    - music: 40s\n", queues=LONG) == [("RD201", 5)]


def test_music_and_silence_end() -> None:
    assert advice(plan("answer", "music")) == [("RD201", 5)]
    assert advice(plan("answer", "silence")) == [("RD201", 5)]
    assert advice(plan("answer", "music: 40s", "hangup")) == []


@pytest.mark.parametrize(
    ("closed", "found"),
    [
        ("shut", [("RD202", 5)]),
        ("bye", []),
        ("decide", [("RD202", 5)]),
        ("night", []),
    ],
)
def test_closed_is_said(closed: str, found: list[tuple[str, int]]) -> None:
    text = plan(
        "answer", f"queue: {{name: support, closed: {closed}, {SERVED}}}", "goto: bye", bye=BYE,
        shut=("hangup: closed",), decide=("when: [{if: access.kind = agent, then: bye}]", "goto: shut"),
        night=("dial: {to: 200, failed: bye}", "goto: shut"),
    )  # fmt: skip
    # flows that only the other cases use are unreachable here
    assert [each for each in advice(text) if each[0] != "RD050"] == found


OFFICE = "office: {open: [mon-fri 09:00-17:00], holidays: GB}\n"
HOURS = "hours: {calendar: office, closed: %s, holiday: %s}"


@pytest.mark.parametrize(
    ("closed", "holiday", "found"),
    [
        ("bye", "bye", []),
        ("shut", "bye", [("RD202", 5)]),
        ("bye", "shut", [("RD202", 5)]),
        ("said", "refused", []),
        ("asked", "bye", []),
    ],
)
def test_closed_hours_are_said(closed: str, holiday: str, found: list[tuple[str, int]]) -> None:
    text = plan(
        "answer", HOURS % (closed, holiday), "dial: {to: 200, failed: bye}", "goto: bye", bye=BYE,
        shut=("tag: shut", "hangup: closed"), said=("tag: shut", "play: hello", "goto: shut"),
        refused=("language: en", "echo"), asked=("menu: {prompt: choose, choices: {1: said}, failed: bye}",),
    )  # fmt: skip
    assert [each for each in advice(text, calendars=OFFICE) if each[0] not in ("RD050", "RD200")] == found


def test_a_closed_line_may_be_refused_by_a_signal() -> None:
    text = plan(HOURS % ("shut", "shut"), "dial: {to: 200, failed: bye}", "goto: bye", bye=("answer", *BYE),
                shut=("reject: 480",))  # fmt: skip
    assert advice(text, calendars=OFFICE) == []


def queued(*more: str) -> tuple[str, ...]:
    return tuple(f"queue: {{name: support, {SERVED}{each}}}" for each in more)


def test_no_more_people_than_transfers_allow() -> None:
    many = plan("answer", *queued("", "", "", ""), "goto: bye", bye=BYE)
    assert advice(many) == [("RD203", 8)]
    assert advice(plan("answer", *queued("", "", ""), "goto: bye", bye=BYE)) == []
    assert advice(plan("answer", *queued("", "", "", ", over_budget: bye"), "goto: bye", bye=BYE)) == []
    site = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\ntransfers: {people: 9}\n"
    assert advice(many, site=site) == []
    assert advice(many, queues=LONG + "  max_wait: 9min\n  transfers: {people: 1}\n") == [
        ("RD203", 6), ("RD203", 7), ("RD203", 8),
    ]  # fmt: skip
    # the shortest way counts: whoever jumps here has met nobody
    short = plan("answer", "when: [{if: access.kind = agent, then: last}]", *queued("", "", ""), "goto: last",
                 last=(*queued(""), "goto: bye"), bye=BYE)  # fmt: skip
    assert advice(short) == []


HEAD = "variables: {pin: digits 4 sensitive, plain: digits, right: flag, masked: digits sensitive}"
ASK = "gather: {into: pin, prompt: choose, failed: bye}"


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("set: {plain: pin}", [("RD079", 7)]),
        ("set: {masked: pin}", []),
        ("set: {right: pin = 1234}", []),
        ("subflow: {flow: note, with: {plain: pin}}", [("RD079", 7)]),
        ("dial: {to: $pin, failed: bye}", [("RD079", 7)]),
        ("subflow: {flow: give, into: plain}", [("RD079", 17)]),
        ("subflow: {flow: give, into: masked}", []),
        ("subflow: {flow: same, into: right}", []),
    ],
)
def test_a_secret_stays_one(step: str, found: list[tuple[str, int]]) -> None:
    text = plan("answer", ASK, step, "goto: bye", head=HEAD, bye=("dial: {to: 200, failed: end}", "goto: end"),
                end=("hangup",), note=("return",), give=("return: pin",), same=("return: pin = 1234",))  # fmt: skip
    assert [each for each in advice(text) if each[0] not in ("RD050", "RD094")] == found
