"""Calls walked through dialplans: flows, decisions, subflows, ends, faults, and what late happenings do."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import limits
from engine.dialplan.actions import (
    AnsweredNow,
    CallerGone,
    DialEnded,
    Digit,
    Happening,
    Note,
    PlayDone,
    QueueEnded,
    RecordDone,
    Started,
    TimerFired,
)
from engine.dialplan.interpreter import start, step
from engine.dialplan.model import Site
from engine.dialplan.program import Running
from tests.bench.yardstick import units
from tests.dialplan.site import Caller, lines, site_of

HEAD = "ringdown: 1\n"


def flow(*steps: str, **flows: tuple[str, ...]) -> str:
    text = [HEAD, "flows:", "  main:", *(f"    {each}" for each in steps)]
    for name, more in flows.items():
        text += [f"  {name}:", *(f"    {each}" for each in more)]
    return lines(*text)


def test_late_and_foreign_happenings_are_dropped() -> None:
    caller = Caller(site_of(flow("- answer", "- play: hello", "- play: choose", "- hangup: served")))
    before = msgspec.msgpack.encode(caller.run)
    for late in (
        AnsweredNow(0),
        PlayDone(7),
        TimerFired(0),
        QueueEnded(1, "served"),
        Started({}),
        RecordDone(1, "", 0),
    ):
        assert caller.tell(late) == []
    assert msgspec.msgpack.encode(caller.run) == before
    caller.answered()
    caller.played()
    assert caller.tell(PlayDone(caller.run.ticket - 1)) == []
    assert caller.run.waiting == "play"


def test_a_decoded_site_runs_the_same() -> None:
    dialplan = flow("- answer", "- play: hello", "- queue: {name: support, full: bye, no_agents: bye, timeout: bye}",
                    "- hangup: served", bye=("- hangup: failed",))  # fmt: skip
    site = site_of(dialplan)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(site), type=Site)
    assert [repr(each) for each in walk(site)] == [repr(each) for each in walk(again)]


def walk(site: Site) -> list[object]:
    caller = Caller(site)
    caller.answered()
    caller.played()
    caller.tell(QueueEnded(caller.run.ticket, "full"))
    return list(caller.all)


ROUND = HEAD + lines(
    "variables: {code: digits 2..4, count: number = 0}",
    "always: {0: person}",
    "rescue: person",
    "finally: after",
    "flows:",
    "  main:",
    "    - answer",
    "    - menu:",
    "        prompt: hello",
    "        choices: {1: ask, 23: person, star: again, 4: inner}",
    "        failed: person",
    "  inner:",
    "    - play: choose",
    "    - subflow: small",
    "    - goto: ask",
    "  small:",
    "    - gather: {into: code, prompt: choose, failed: continue}",
    "    - return",
    "  ask:",
    "    - set: {count: count + 1}",
    "    - gather: {into: code, prompt: choose, barge_in: no, failed: person}",
    "    - say: $code",
    "    - record: {max: 10s}",
    "    - goto: main",
    "  person:",
    "    - dial: {to: 200, busy: main2, failed: wait}",
    "    - goto: wait",
    "  main2:",
    "    - play: hello",
    "    - goto: wait",
    "  wait:",
    "    - queue: {name: support, full: bye, no_agents: bye, timeout: main}",
    "    - goto: bye",
    "  bye:",
    "    - tag: $count",
    "    - hangup: served",
    "  after:",
    "    - tag: over",
)
ROUND_SITE = site_of(ROUND)
EVENTS = st.lists(
    st.one_of(
        st.sampled_from("0123456789*#").map(Digit),
        st.sampled_from(["play", "timer", "answer", "record", "gone"]),
        st.sampled_from(["served", "full", "no_agents", "timeout", "exit", "busy", "failed", "x"]),
        st.sampled_from([PlayDone(0), TimerFired(3), QueueEnded(2, "served")]),
    ),
    max_size=60,
)


def happening(word: object, ticket: int) -> Happening:
    if not isinstance(word, str):
        return word  # type: ignore[return-value]
    if word in ("play", "timer", "answer", "record", "gone"):
        made = {"play": PlayDone(ticket), "timer": TimerFired(ticket), "answer": AnsweredNow(ticket)}
        return made.get(word) or (RecordDone(ticket, "m", 1) if word == "record" else CallerGone())
    return QueueEnded(ticket, word) if ticket % 2 else DialEnded(ticket, word)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(EVENTS, st.integers(0, 60))
def test_any_happenings_never_raise_and_state_is_data(words: list[object], cut: int) -> None:
    """Law 9: stop anywhere, encode, restore, continue: the actions are the same. And no wait is without an end."""
    program = ROUND_SITE.programs["default/main"]
    run, _ = start(program, {"access.kind": "public"}, "en", ROUND_SITE, 5)
    twin, _ = start(program, {"access.kind": "public"}, "en", ROUND_SITE, 5)
    for number, word in enumerate(words):
        if number == cut:
            twin = msgspec.msgpack.decode(msgspec.msgpack.encode(twin), type=Running)
        told = happening(word, run.ticket)
        assert repr(step(run, told, program, ROUND_SITE)) == repr(step(twin, told, program, ROUND_SITE))
        assert run.waiting
        assert len(run.stack) < 20
        assert len(run.typed_ahead) <= limits.digits_buffered_max
    ended = step(run, CallerGone(), program, ROUND_SITE)
    assert run.waiting == "ended"
    assert not [each for each in ended if isinstance(each, Note) and each.kind == "fault"]


def test_speed_of_a_step() -> None:
    """By fixed pieces of work (`bench_dialplan` tells microseconds; the figure is printed with -s)."""
    dialplan = HEAD + lines(
        "variables: {count: number = 0}",
        "flows:",
        "  main:",
        "    - answer",
        *("    - set: {count: count + 1}\n    - when: [{if: count > 5000, then: bye}]\n    - play: hello",) * 60,
        "    - hangup: served",
        "  bye:",
        "    - hangup: failed",
    )
    site = site_of(dialplan)

    def hundred_calls() -> None:
        for _ in range(100):
            caller = Caller(site)
            caller.answered()
            while caller.run.waiting == "play":
                step(caller.run, PlayDone(caller.run.ticket), caller.program, site)

    cost = units(hundred_calls) / 100 / 181 * 1_000
    print(f"{cost:.2f} units for a thousand steps")
    assert cost < 1.0  # 0.4
