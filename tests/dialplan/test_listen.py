"""menu and gather: barge-in, type-ahead, tries, terminators, keys that are always live."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Collect, Digit, Hangup, PlayPrompts, SetTimer, TimerFired
from tests.dialplan.site import Caller, lines, site_of

MENU = lines(
    "ringdown: 1",
    "always: {0: person}",
    "flows:",
    "  main:",
    "    - answer",
    "    - play: goodbye",
    "    - menu:",
    "        prompt: hello",
    "        again: choose",
    "        no_input: no_input",
    "        timeout: 4s",
    "        tries: 2",
    "        choices: {1: one, 23: long, star: again, hash: continue}",
    "        failed: failed",
    "    - hangup: behind",
    "  one:",
    "    - hangup: one",
    "  long:",
    "    - hangup: long",
    "  person:",
    "    - hangup: person",
    "  failed:",
    "    - hangup: tries",
)
MENU_SITE = site_of(MENU)


def at_menu(before: str = "", site: object = None) -> Caller:
    caller = Caller(MENU_SITE if site is None else site)  # type: ignore[arg-type]
    caller.answered()
    for digit in before:
        assert caller.tell(Digit(digit)) == []
    caller.played()
    return caller


def outcome(caller: Caller) -> str:
    found = caller.one(Hangup)
    assert isinstance(found, Hangup)
    return found.outcome


def heard(caller: Caller) -> tuple[str, ...]:
    found = caller.one(PlayPrompts)
    assert isinstance(found, PlayPrompts)
    return found.clips


@pytest.mark.parametrize(
    ("keys", "end"), [("1", "one"), ("23", "long"), ("0", "person"), ("#", "behind"), ("*1", "one"), ("71", "one")]
)
def test_keys_lead_on(keys: str, end: str) -> None:
    caller = at_menu()
    for key in keys:
        caller.tell(Digit(key))
    assert outcome(caller) == end
    assert Collect(caller.run.ticket - 1, False) in caller.last


def test_a_key_interrupts_the_prompt() -> None:
    caller = at_menu()
    caller.tell(Digit("2"))
    assert caller.kinds() == ["StopPlay", "SetTimer"]
    caller.tell(Digit("3"))
    assert outcome(caller) == "long"


def test_the_time_runs_when_the_prompt_is_over() -> None:
    caller = at_menu()
    caller.played()
    assert caller.last == [SetTimer(caller.run.ticket, 4_000)]
    caller.tell(TimerFired(caller.run.ticket))
    assert heard(caller) == ("en/no_input", "en/choose")
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    assert outcome(caller) == "tries"


def test_a_wrong_key_is_told() -> None:
    caller = at_menu()
    caller.tell(Digit("7"))
    assert heard(caller) == ("en/invalid_choice", "en/choose")
    caller.tell(Digit("9"))
    assert outcome(caller) == "tries"


def test_half_a_code_is_wrong_when_time_is_over() -> None:
    caller = at_menu("2")
    # typed ahead: the prompt is not played, the code may be completed
    assert caller.kinds() == ["Collect", "SetTimer", "SetTimer"]
    caller.tell(TimerFired(caller.run.ticket))
    assert heard(caller)[0] == "en/invalid_choice"


def test_keys_typed_ahead_count_at_once() -> None:
    assert outcome(at_menu("1")) == "one"
    assert outcome(at_menu("23")) == "long"
    assert outcome(at_menu("*1")) == "one"


def test_a_prompt_that_never_ends_is_cut_by_its_timer() -> None:
    caller = at_menu()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.kinds() == ["StopPlay", "SetTimer"]
    assert caller.run.waiting == "digits"


def gather(*options: str, type_: str = "digits 4..6", more: str = "") -> str:
    return lines(
        "ringdown: 1",
        f"variables: {{code: {type_}}}",
        "always: {0: person, star: person}",
        "flows:",
        "  main:",
        "    - answer",
        "    - gather:",
        "        into: code",
        "        prompt: hello",
        "        again: choose",
        "        failed: failed",
        *(f"        {each}" for each in options),
        "    - when: [{if: known(code), then: seen}]",
        "    - hangup: served",
        "  seen:",
        "    - hangup: seen",
        "  person:",
        "    - hangup: person",
        "  failed:",
        "    - hangup: tries",
    )


def entered(keys: str, *options: str, type_: str = "digits 4..6", wait: bool = False) -> tuple[str, object]:
    caller = Caller(site_of(gather(*options, type_=type_)))
    caller.answered()
    for key in keys:
        caller.tell(Digit(key))
    if wait:
        caller.tell(TimerFired(caller.run.ticket))
    ends = [each.outcome for each in caller.all if isinstance(each, Hangup)]
    return (ends[0] if ends else ""), caller.run.variables.get("code")


def test_enough_digits_end_a_gather() -> None:
    assert entered("123456") == ("seen", "123456")
    assert entered("1234#") == ("seen", "1234")
    assert entered("1234", wait=True) == ("seen", "1234")
    assert entered("0042", type_="digits 4") == ("seen", "0042")
    assert entered("17*", "terminator: star", type_="number") == ("seen", 17)
    assert entered("17", "min: 2", "max: 2", type_="phone") == ("seen", "17")


def test_too_few_digits_are_another_try() -> None:
    assert entered("12#") == ("", None)
    assert entered("12#12#", "tries: 2") == ("tries", None)
    assert entered("12", "tries: 1", wait=True) == ("tries", None)
    assert entered("", "tries: 1", wait=False) == ("", None)


def test_an_always_key_counts_when_it_is_pressed_alone() -> None:
    assert entered("0", wait=True) == ("person", None)
    assert entered("0#") == ("person", None)
    assert entered("*") == ("person", None)
    # inside a number a zero is a zero, and a star is wrong
    assert entered("0123#") == ("seen", "0123")
    assert entered("1*", "tries: 1") == ("tries", None)


def test_keys_wait_for_the_end_without_barge_in() -> None:
    caller = Caller(site_of(gather("barge_in: no")))
    caller.answered()
    for key in "123456":
        assert caller.tell(Digit(key)) == []
    caller.played()
    assert caller.run.variables["code"] == "123456"


def test_keys_typed_before_don_t_count_without_type_ahead() -> None:
    dialplan = gather("type_ahead: no").replace("    - gather:", "    - play: goodbye\n    - gather:")
    caller = Caller(site_of(dialplan))
    caller.answered()
    caller.tell(Digit("1"))
    caller.played()
    assert "PlayPrompts" in caller.kinds()
    assert caller.run.digits == ""


def test_what_is_left_of_typed_digits_goes_to_the_next_step() -> None:
    dialplan = gather(type_="digits 2").replace(
        "    - when:", "    - menu: {prompt: choose, choices: {7: seen}, failed: failed}\n    - when:"
    )
    dialplan = dialplan.replace("    - gather:", "    - play: goodbye\n    - gather:")
    caller = Caller(site_of(dialplan))
    caller.answered()
    for key in "127":
        caller.tell(Digit(key))
    caller.played()
    assert outcome(caller) == "seen"
    assert caller.run.variables["code"] == "12"


def test_sensitive_digits_are_masked_and_sealed() -> None:
    caller = Caller(site_of(gather(type_="digits 4 sensitive")))
    caller.answered()
    assert [each.sensitive for each in caller.last if isinstance(each, Collect)] == [True]
    for key in "1234":
        caller.tell(Digit(key))
    assert caller.notes("set") == ["code=····"]
    assert not [each for each in caller.all if "1234" in repr(each)]


def test_a_gather_without_a_prompt_listens_at_once() -> None:
    dialplan = gather().replace("        prompt: hello\n", "").replace("        again: choose\n", "")
    caller = Caller(site_of(dialplan))
    caller.answered()
    assert caller.kinds() == ["Collect", "SetTimer"]
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.run.tries == 2
