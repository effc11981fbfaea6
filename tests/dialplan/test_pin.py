"""The verb pin: gathered in secret, verified by a lookup, wrong ones forgotten."""

from __future__ import annotations

import msgspec
import pytest

from engine import limits
from engine.dialplan.actions import (
    Collect,
    Digit,
    Hangup,
    Hear,
    LookUp,
    LookupAnswered,
    PlayDone,
    PlayPrompts,
    SetTimer,
    SpeechBegan,
    Spoken,
    StopHearing,
    TimerFired,
)
from engine.speech.utterance import MATCH, NO_MATCH, Heard, Utterance
from tests.dialplan.site import Caller, codes_of, lines, site_of

LOOKUPS = lines(
    "check_pin:", "  post: https://crm.example/pin", "  send: {account: $account, pin: $pin}",
    "  returns: {ok: flag = no, name: text = Nobody}",
)  # fmt: skip


def text(*options: str, pin: str = "digits 4 sensitive") -> str:
    return lines(
        "ringdown: 1", "variables:", "  account: digits 8 = 12345678", f"  pin: {pin}", "always: {0: person}", "flows:",
        "  main:", "    - answer", "    - pin:",
        *(f"        {each}" for each in ("into: pin", "prompt: choose", "verify: check_pin", "failed: bad", *options)),
        "    - hangup: in", "  bad:", "    - hangup: bad", "  down:", "    - hangup: down", "  person:",
        "    - hangup: person",
    )  # fmt: skip


def called(*options: str) -> Caller:
    caller = Caller(site_of(text(*options), lookups=LOOKUPS))
    caller.answered()
    return caller


def press(caller: Caller, keys: str) -> None:
    for key in keys:
        caller.tell(Digit(key))


def verdict(caller: Caller, result: str = "ok", **values: bool) -> None:
    whole = {f"check_pin.{name}": value for name, value in values.items()}
    caller.tell(LookupAnswered(caller.run.ticket, result, whole, "", 20))


def outcome(caller: Caller) -> str:
    found = caller.one(Hangup)
    assert isinstance(found, Hangup)
    return found.outcome


def test_a_right_pin_goes_on_and_is_masked_everywhere() -> None:
    caller = called()
    assert [each for each in caller.last if isinstance(each, Collect)] == [Collect(2, True, True)]
    press(caller, "1234")
    asked = caller.one(LookUp)
    assert isinstance(asked, LookUp) and asked.values == {"account": "12345678", "pin": "1234"}
    assert [each for each in caller.last if isinstance(each, Collect)][-1] == Collect(2, False)
    verdict(caller, ok=True)
    assert outcome(caller) == "in" and caller.run.variables["pin"] == "1234"
    assert caller.notes("set")[0] == "pin=····" and "1234" not in str([caller.notes("set"), caller.notes("step")])


def test_wrong_pins_are_asked_again_and_forgotten() -> None:
    caller = called("wrong: try_again", "again: hello", "tries: 2")
    press(caller, "1111")
    verdict(caller, ok=False)
    spoken = caller.one(PlayPrompts)
    assert isinstance(spoken, PlayPrompts) and spoken.clips == ("en/try_again", "en/hello")
    assert "pin" not in caller.run.variables and b"1111" not in msgspec.msgpack.encode(caller.run)
    press(caller, "2222")
    verdict(caller, "not_found")
    assert outcome(caller) == "bad" and b"2222" not in msgspec.msgpack.encode(caller.run)


@pytest.mark.parametrize(("options", "end"), [((), "bad"), (("unavailable: down",), "down")])
def test_a_lookup_that_fails_is_nobodys_wrong_pin(options: tuple[str, ...], end: str) -> None:
    caller = called(*options)
    press(caller, "1234")
    verdict(caller, "failed")
    assert outcome(caller) == end and "pin" not in caller.run.variables
    caller = called(*options)
    press(caller, "1234")
    caller.tell(TimerFired(caller.run.ticket))
    assert outcome(caller) == end


def test_the_gathering_half_keeps_its_rules() -> None:
    caller = called()
    press(caller, "12#")
    assert caller.run.tries == 2 and caller.run.retry == "invalid"
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.run.tries == 3 and caller.run.retry == "no_input"
    press(caller, "0")
    caller.tell(TimerFired(caller.run.ticket))
    assert outcome(caller) == "person"


def test_busy_is_heard_and_keys_pressed_meanwhile_are_kept() -> None:
    caller = called("busy: one_moment")
    press(caller, "1234")
    assert caller.one(SetTimer) == SetTimer(caller.run.ticket, limits.lookup_busy_ms)
    caller.tell(TimerFired(caller.run.ticket))
    caller.tell(Digit("7"))
    assert caller.run.typed_ahead == "7"
    verdict(caller, ok=True)
    caller.tell(PlayDone(caller.run.ticket))
    assert outcome(caller) == "in"


@pytest.mark.parametrize(
    ("dialplan", "lookups", "code"),
    [
        (text(pin="digits 4"), LOOKUPS, "RD146"),
        (text(pin="text sensitive"), LOOKUPS, "RD146"),
        (text().replace("check_pin", "chek_pin"), LOOKUPS, "RD140"),
        (text(), LOOKUPS.replace("ok: flag = no", "fine: flag = no"), "RD145"),
        (text(), LOOKUPS.replace("ok: flag = no", "ok: text = no"), "RD145"),
        (text(), LOOKUPS.replace(", pin: $pin", ""), "RD145"),
        (text(), LOOKUPS.replace("post", "get"), "RD142"),
        (text(), LOOKUPS + "  cache: 1min\n", "RD144"),
        (text().replace("hangup: bad", "when: [{if: check_pin.ok, then: down}]"), LOOKUPS, "RD053"),
        (text().replace("failed: bad", "failed: main"), LOOKUPS, "RD051"),
    ],
)  # fmt: skip
def test_what_the_check_finds(dialplan: str, lookups: str, code: str) -> None:
    errors = [each for each in codes_of(dialplan, lookups=lookups) if each[0] not in ("RD050", "RD094")]
    assert [each for each, _ in errors] == [code]


def test_nothing_is_set_where_it_failed() -> None:
    lookups = LOOKUPS.replace("name: text = Nobody", "level: number")
    plan = text().replace("hangup: bad", "tag: $check_pin.level\n    - hangup: bad")
    assert ("RD072", 16) in codes_of(plan, lookups=lookups)
    plan = text().replace("hangup: in", "tag: $check_pin.level\n    - hangup: in")
    assert not [each for each, _ in codes_of(plan, lookups=lookups) if each != "RD050"]


# --- said aloud ----------------------------------------------------------------------------------------------------
BY_VOICE = "listen: [keys, speech]"


def say(caller: Caller, *pins: str) -> None:
    caller.tell(SpeechBegan(caller.run.hearing, 100))
    best = tuple(Heard(f"it is {pin}", "", {"pin": pin}, 0.9) for pin in pins)
    caller.tell(Spoken(caller.run.hearing, Utterance(MATCH if pins else NO_MATCH, best)))


def test_a_pin_may_be_said_and_no_word_of_it_is_noted() -> None:
    caller = called(BY_VOICE)
    wish = next(each for each in caller.last if isinstance(each, Hear))
    grammar = caller.site.grammars[wish.listening.grammar]
    assert wish.listening.sensitive and grammar.slots["pin"].low == grammar.slots["pin"].high == 4
    say(caller, "1234", "1235")
    asked = caller.one(LookUp)
    assert isinstance(asked, LookUp) and asked.values["pin"] == "1234"
    verdict(caller, ok=True)
    assert outcome(caller) == "in"
    assert caller.notes("set")[0] == "pin=····"
    assert "123" not in str([caller.notes(kind) for kind in ("set", "step", "fault", "way")])


def test_what_else_a_secret_was_taken_for_is_forgotten_with_it() -> None:
    caller = called(BY_VOICE, "tries: 3")
    say(caller, "1111", "1117", "1711")
    verdict(caller, ok=False)
    kept = msgspec.msgpack.encode(caller.run)
    assert b"1111" not in kept and b"1117" not in kept and b"1711" not in kept
    say(caller)
    say(caller, "2222")
    assert isinstance(caller.one(LookUp), LookUp)


def test_keys_end_the_listening_to_a_pin_and_a_person_is_reached_by_word() -> None:
    caller = called(BY_VOICE)
    press(caller, "1")
    assert any(isinstance(each, StopHearing) for each in caller.last)
    press(caller, "234")
    assert isinstance(caller.one(LookUp), LookUp)
    other = called(BY_VOICE)
    other.tell(Spoken(other.run.hearing, Utterance(MATCH, (Heard("operator", "person", {}, 0.9),))))
    assert outcome(other) == "person"


def test_where_policy_forbids_it_no_secret_is_spoken() -> None:
    site = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\nspeech: {sensitive: none}\n"
    assert codes_of(text(BY_VOICE), site=site, lookups=LOOKUPS) == [("RD291", 14)]
    assert ("RD291", 14) not in codes_of(text(), site=site, lookups=LOOKUPS)
    assert codes_of(text("heard: hello", BY_VOICE), lookups=LOOKUPS)[0][0] == "RD021"
