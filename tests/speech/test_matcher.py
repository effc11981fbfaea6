"""From words to meaning, and whether there may be more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.speech import automaton, grammar_net, matcher
from engine.speech.grammar import Slot
from tests.speech.models import grammar

MENU = grammar("sales [department]", "(technical|tech) support", "(bill|billing)", fillers=True)
ACCOUNT = grammar("[my] [number] [is] $n", n=Slot("digits", 4, 4), fillers=True)
ORDER = grammar(
    "[for] $n people", "[on] $d", "[at] $t", any_order=True, fillers=True,
    n=Slot("number", 1, 12), d=Slot("date"), t=Slot("time"),
)  # fmt: skip


def test_a_line_gives_its_intent_and_the_words() -> None:
    (heard,) = matcher.read(MENU, "I'd like to, Billing please!")
    assert (heard.intent, heard.text, heard.slots) == ("i2", "i'd like to billing please", {})
    assert matcher.read(MENU, "elephant") == matcher.read(MENU, "") == []


def test_slots_come_typed_and_add_up() -> None:
    readings = matcher.read(ORDER, "for two people on friday at eight", "2026-11-27")
    assert readings[0].slots == {"n": 2, "d": "2026-12-04", "t": "08:00"}
    assert readings[1].slots == {"n": 2, "d": "2026-12-04", "t": "20:00"}
    assert len(readings) == 2


def test_the_same_words_read_two_ways_come_in_the_order_of_the_lines() -> None:
    twice = grammar("$n", "nine", n=Slot("digits", 1, 1))
    assert [one.intent for one in matcher.read(twice, "nine")] == ["i0", "i1"]


def test_a_slot_said_twice_has_to_agree() -> None:
    both = grammar("from $d", "(on|starting) $d", any_order=True, d=Slot("date"))
    assert matcher.read(both, "from friday on friday", "2026-11-27")
    assert matcher.read(both, "from friday on monday", "2026-11-27") == []


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("", (False, True)),
        ("sales", (True, True)),
        ("sales department", (True, False)),
        ("technical", (False, True)),
        ("um billing", (True, False)),
        ("billing please", (True, False)),
        ("elephant", (False, False)),
    ],
)
def test_whether_it_is_complete_and_may_go_on(said: str, state: tuple[bool, bool]) -> None:
    assert matcher.state(MENU, said) == state


def test_a_full_number_ends_the_wait() -> None:
    assert matcher.state(ACCOUNT, "my number is one two three") == (False, True)
    assert matcher.state(ACCOUNT, "my number is one two double three") == (True, False)


def test_a_day_that_is_none_is_not_complete() -> None:
    day = grammar("$d", d=Slot("date"))
    assert matcher.state(day, "monday the fourth of december", "2026-11-27") == (False, True)
    assert matcher.state(day, "friday the fourth of december", "2026-11-27") == (True, True)


@given(st.lists(st.sampled_from("sales for two people on friday at eight thirty please and".split()), max_size=9))
def test_what_can_be_read_is_complete(said: list[str]) -> None:
    assert bool(matcher.read(ORDER, said, "2026-11-27")) == matcher.state(ORDER, said, "2026-11-27")[0]


PLAIN = msgspec.structs.replace(ORDER, fillers=False)
MACHINE = automaton.of(grammar_net.build(PLAIN))


@settings(deadline=None)
@given(st.data())
def test_what_the_decoder_may_hear_can_be_read(data: st.DataObject) -> None:
    state, said = 0, list[str]()
    while MACHINE.arcs[state] and not (MACHINE.final[state] and data.draw(st.booleans())):
        word, state, _ = data.draw(st.sampled_from(MACHINE.arcs[state]))
        said.append(word)
    if "monday" not in said and not {*"tuesday wednesday thursday friday saturday sunday".split()} & {*said}:
        impossible = "february" in said and "ninth" in said  # of a year without that day
        assert matcher.read(PLAIN, said, "2026-11-27") or impossible, said
    assert matcher.state(PLAIN, said[:-1])[1], said


def test_threads_may_share_a_matcher() -> None:
    shared = matcher.Matcher(ORDER)
    sentences = [f"for {word} people at {word}".split() for word in ("two", "three", "nine")] * 50
    expected = [shared.read(said, "2026-11-27") for said in sentences]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda said: shared.read(said, "2026-11-27"), sentences)) == expected
