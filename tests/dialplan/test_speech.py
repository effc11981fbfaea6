"""What a caller says in a menu or a gather: chosen, asked back, put right, not understood, handed on."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from engine import limits
from engine.dialplan.actions import (
    Digit,
    Hangup,
    Hear,
    Note,
    PlayPrompts,
    SetTimer,
    SpeechBegan,
    Spoken,
    StopHearing,
    StopPlay,
    TimerFired,
)
from engine.dialplan.model import Site
from engine.dialplan.program import Running
from engine.speech.utterance import FAILED, MATCH, NO_INPUT, NO_MATCH, TOO_LONG, Heard, Utterance
from tests.dialplan.site import Caller, lines, site_of

TEXTS = "\n".join(
    f"{name}: {text}"
    for name, text in {
        "hello": "Hello.", "choose": "Choose now.", "short": "Which one?", "other": "Say billing or sales.",
        "pardon": "I did not get that.", "silence": "I heard nothing.", "by_keys": "Press one or two.",
        "help_text": "Say what it is about.", "sure": "Is that right?", "so": "All right.",
        "which_day": "Which day?", "day_is": "On $day.", "is_day": "On $day, right?", "ask_account": "Your number?",
    }.items()
)  # fmt: skip
MENU = lines(
    "ringdown: 1",
    "person: desk",
    "phrases:",
    "  billing: [billing, my bill, \"[pay] an invoice\"]",
    "  sales: [sales, buy something]",
    "flows:",
    "  main:",
    "    - answer",
    "    - menu:",
    "        prompt: choose",
    "        again: short",
    "        rephrased: other",
    "        no_match: pardon",
    "        no_input: silence",
    "        by_keys: by_keys",
    "        help: help_text",
    "        confirm: sure",
    "        heard: so",
    "        listen: [keys, speech]",
    "        timeout: 4s",
    "        choices: {1: billing, 2: sales, star: again}",
    "        failed: desk",
    "  billing: [{hangup: billing}]",
    "  sales: [{hangup: sales}]",
    "  desk: [{hangup: desk}]",
)
GATHER = lines(
    "ringdown: 1",
    "always: {0: desk}",
    "variables: {day: date, account: digits 8}",
    "flows:",
    "  main:",
    "    - answer",
    "    - gather:",
    "        {into: day, prompt: which_day, listen: [keys, speech], heard: day_is, confirm: is_day, keyed: ddmm,",
    "        failed: desk}",
    "    - gather: {into: account, prompt: ask_account, listen: [keys, speech], failed: desk}",
    "    - tag: day $day account $account",
    "    - hangup: served",
    "  desk: [{hangup: desk}]",
)


def site(text: str) -> Site:
    return site_of(text, prompts__en=TEXTS)


VALUES: dict[str, str | int | bool] = {"day": "2026-03-09", "account": "12345678", "who": "smith"}


class Talker(Caller):
    """Says instead of presses."""

    def __init__(self, text: str = MENU) -> None:
        super().__init__(site(text))
        self.facts = self.run.facts
        self.facts["system.today"] = "2026-03-04"
        self.answered()

    def wish(self) -> Hear:
        return next(each for each in reversed(self.all) if isinstance(each, Hear))

    def begins(self) -> None:
        self.tell(SpeechBegan(self.run.hearing, 100))

    def said(self, *best: Heard, result: str = MATCH) -> None:
        self.begins()
        self.tell(Spoken(self.run.hearing, Utterance(result, best, 100, 900, 1_200)))

    def says(self, intent: str, confidence: float = 0.9, **slots: str | int | bool) -> None:
        self.said(Heard(intent, intent, slots, confidence))

    def heard(self) -> str:
        found = [each for each in self.last if isinstance(each, PlayPrompts)]
        return " ".join(clip.removeprefix("en/") for clip in found[-1].clips) if found else ""

    def outcome(self) -> str:
        return next((each.outcome for each in self.last if isinstance(each, Hangup)), "")


def test_a_menu_listens_from_the_beginning_of_its_prompt() -> None:
    caller = Talker()
    wish = caller.wish().listening
    grammar = caller.site.grammars[wish.grammar]
    assert [(line.phrase, line.intent) for line in grammar.lines[:3]] == [
        ("billing", "billing"), ("my bill", "billing"), ("[pay] an invoice", "billing"),
    ]  # fmt: skip
    assert dict.fromkeys(line.intent for line in grammar.lines) == dict.fromkeys(
        ["billing", "sales", "again", "person", "help"]
    )
    assert (wish.barge_in, wish.threshold, wish.language) == ("on", 0.5, "en")
    assert caller.kinds() == ["PlayPrompts", "SetTimer", "Collect", "Hear"]


def test_speech_stops_the_prompt_and_its_end_chooses() -> None:
    caller = Talker()
    caller.begins()
    assert caller.kinds() == ["StopPlay", "SetTimer"]
    timer = caller.one(SetTimer)
    assert isinstance(timer, SetTimer) and timer.ms == limits.utterance_ms_max + limits.speech_grace_ms
    caller.tell(Spoken(caller.run.ticket, Utterance(MATCH, (Heard("my bill", "billing", {}, 0.9),))))
    assert caller.heard() == "so"  # sure: told, not asked
    caller.played()
    timer = caller.one(SetTimer)
    assert isinstance(timer, SetTimer) and timer.ms == limits.speech_told_ms
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.outcome() == "billing"
    assert caller.run.facts["call.intent"] == "billing"


def test_less_sure_is_asked_and_yes_and_one_are_both_yes() -> None:
    for answer in ("yes", "1"):
        caller = Talker()
        caller.says("sales", 0.6)
        assert caller.heard() == "sure"
        if answer == "1":
            caller.tell(Digit("1"))
            assert isinstance(caller.last[0], StopPlay)
        else:
            caller.says("yes")
        assert caller.outcome() == "sales"


def test_after_a_no_the_next_reading_is_asked_and_then_none_again() -> None:
    caller = Talker()
    caller.said(Heard("sales", "sales", {}, 0.6), Heard("billing", "billing", {}, 0.55))
    assert (caller.heard(), caller.run.scratch["confirming"]) == ("sure", "2")
    caller.says("no")
    assert (caller.heard(), caller.run.scratch["confirming"]) == ("sure", "1")
    caller.says("no")
    assert caller.heard() == "other"  # the third try is in other words
    caller.said(Heard("sales", "sales", {}, 0.9))  # what he has said no to is not heard again …
    assert caller.heard() == "by_keys"
    assert not any(isinstance(each, Hear) for each in caller.last)  # … and then only keys count
    caller.tell(Digit("2"))
    assert caller.heard() == "sure"
    caller.tell(Digit("1"))
    assert caller.outcome() == "sales"


def test_no_and_what_it_is_instead() -> None:
    caller = Talker()
    caller.says("sales", 0.6)
    asks = caller.site.grammars[caller.wish().listening.grammar]
    assert any(line.intent == "no, billing" and "[no]" in line.phrase for line in asks.lines)
    caller.says("no, billing", 0.9)
    assert caller.heard() == "so" and caller.run.scratch["told"] == "1"
    caller.tell(Digit("7"))  # who goes on typing agrees, and types for what follows
    assert caller.outcome() == "billing"


@pytest.mark.parametrize(("result", "prompt"), [(NO_MATCH, "pardon"), (TOO_LONG, "pardon")])
def test_what_is_not_understood_is_asked_shorter_then_otherwise_then_by_keys_then_a_person(
    result: str, prompt: str
) -> None:
    caller = Talker()
    asked = []
    for _ in range(3):
        caller.said(result=result)
        asked.append(caller.heard())
    assert asked == [f"{prompt} short", f"{prompt} other", "by_keys"]
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.outcome() == "desk"


def test_silence_is_told_apart() -> None:
    caller = Talker()
    caller.played()
    timer = caller.one(SetTimer)
    assert isinstance(timer, SetTimer) and timer.ms == 4_000
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.heard() == "silence short"
    stopped = [each for each in caller.last if isinstance(each, StopHearing)]
    assert len(stopped) == 1
    caller.said(result=NO_INPUT)
    assert caller.heard() == "silence other"


def test_a_digit_ends_listening_and_a_late_result_is_dropped() -> None:
    caller = Talker()
    ticket = caller.run.hearing
    caller.tell(SpeechBegan(ticket))
    caller.tell(Digit("7"))
    assert StopHearing(ticket) in caller.last and caller.heard().endswith("short")
    assert caller.tell(Spoken(ticket, Utterance(MATCH, (Heard("sales", "sales", {}, 1.0),)))) == []


def test_a_person_from_everywhere() -> None:
    for where in ("asked", "asked back", "told"):
        for way in ("says", "0"):
            caller = Talker()
            if where != "asked":
                caller.says("sales", 0.6 if where == "asked back" else 0.9)
            if way == "says":
                caller.says("person")
            else:
                caller.tell(Digit("0"))
                if where == "told":  # he was told and typed on: the 0 belongs to what follows
                    assert caller.outcome() == "sales"
                    continue
            assert caller.outcome() == "desk", (where, way)
            assert caller.run.facts["call.intent"] == "desk"


def test_help_and_again_are_no_tries() -> None:
    caller = Talker()
    for _ in range(5):
        caller.says("help")
        assert caller.heard() == "help_text short"
        caller.says("again")
        assert caller.heard() == "choose" and caller.run.tries == 1
    caller.says("billing")
    assert caller.heard() == "so"


def test_a_recogniser_that_fails_costs_one_more_prompt_then_keys() -> None:
    caller = Talker()
    caller.begins()
    caller.tell(Spoken(caller.run.hearing, Utterance(FAILED, detail="gone")))
    assert caller.heard() == "pardon short" and caller.run.tries == 1
    assert any(isinstance(each, Hear) for each in caller.last)
    caller.begins()
    caller.tell(TimerFired(caller.run.ticket))  # it never answers
    assert caller.heard() == "pardon short" and caller.run.tries == 2
    assert not any(isinstance(each, Hear) for each in caller.last)
    caller.tell(Digit("1"))
    caller.tell(Digit("1"))
    assert caller.outcome() == "billing"


def test_a_failure_during_the_prompt_interrupts_nobody() -> None:
    caller = Talker()
    assert caller.tell(Spoken(caller.run.hearing, Utterance(FAILED, detail="none"))) == []
    caller.tell(Digit("2"))
    assert caller.heard() == "sure"


def test_a_date_is_told_and_put_right() -> None:
    caller = Talker(GATHER)
    assert caller.wish().listening.today == "2026-03-04"
    caller.says("", 0.9, day="2026-03-09")
    assert caller.heard().startswith("day_is")
    caller.says("no", 0.9, day="2026-03-10")
    assert caller.heard().startswith("day_is") and caller.run.variables["day"] == "2026-03-10"
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.heard() == "ask_account"
    caller.says("", 0.9, account="12345678")
    assert caller.outcome() == "served"
    assert caller.notes("tag") == ["day 2026-03-10 account 12345678"]
    assert [each.text for each in caller.all if isinstance(each, Note) and each.kind == "set"] == [
        "day=2026-03-10", "account=12345678",
    ]  # fmt: skip


def test_no_and_a_day_of_which_people_think_two_ways() -> None:
    """“No, next Thursday” to next Thursday: the other one is meant."""
    caller = Talker(GATHER)
    two = [Heard("no next thursday", "no", {"day": day}, 0.9) for day in ("2026-03-12", "2026-03-05")]
    caller.says("", 0.9, day="2026-03-12")
    caller.said(*two)
    assert caller.heard().startswith("day_is") and caller.run.variables["day"] == "2026-03-05"
    caller.said(*two[:1], Heard("no june fifth", "no", {"day": "2026-06-05"}, 0.1))
    assert caller.run.variables["day"] == "2026-03-12", "what sounded otherwise isn't meant"


def test_a_plain_no_leaves_the_variable_as_it_was() -> None:
    caller = Talker(GATHER)
    caller.says("", 0.6, day="2026-03-09")
    assert caller.heard().startswith("is_day")
    caller.says("no")
    assert "day" not in caller.run.variables and caller.heard() == "which_day"


def test_a_date_by_keys() -> None:
    caller = Talker(GATHER)
    for key in "0903":
        caller.tell(Digit(key))
    assert caller.run.variables["day"] == "2026-03-09" and caller.heard().startswith("is_day")


def test_zero_in_a_number_is_a_digit_and_alone_a_person() -> None:
    caller = Talker(GATHER)
    caller.says("", 0.9, day="2026-03-09")
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    caller.tell(Digit("0"))
    assert caller.outcome() == ""
    for key in "1234567":
        caller.tell(Digit(key))
    assert caller.run.variables["account"] == "01234567" and caller.outcome() == "served"
    caller = Talker(GATHER)
    caller.says("", 0.9, day="2026-03-09")
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    caller.tell(Digit("0"))
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.outcome() == "desk"


@pytest.mark.parametrize(("way", "kinds"), [
    ("no", ["PlayPrompts", "SetTimer", "Collect"]), ("after_first", ["PlayPrompts", "SetTimer", "Collect", "Hear"]),
])
def test_a_prompt_that_may_not_be_interrupted(way: str, kinds: list[str]) -> None:
    caller = Talker(MENU.replace("        timeout", f"        barge_in: {way}\n        timeout"))
    assert caller.kinds() == kinds
    if way == "no":
        caller.played()
        assert caller.kinds() == ["SetTimer", "Hear"]
        assert caller.wish().listening.barge_in == "on"
        return
    wish = caller.wish().listening
    assert (wish.barge_in, wish.barge_in_ms) == ("after_first", caller.site.prompts["en/choose"].duration_ms)
    assert caller.tell(Digit("1", early=True)) == []
    caller.played()
    assert caller.heard() == "sure"


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_said_and_pressed_the_call_goes_on_or_ends(seed: int) -> None:
    from tests.dialplan.test_ask import PLAN, Asked

    chance = Random(seed)
    caller = Asked(PLAN) if seed % 3 == 0 else Talker(MENU if seed % 3 == 1 else GATHER)
    for _ in range(60):
        run = caller.run
        if run.waiting == "ended":
            break
        timers = [each for each in caller.all if isinstance(each, SetTimer)]
        assert timers[-1].ticket == run.ticket and timers[-1].ms > 0  # something ends every wait
        if run.hearing:
            assert run.hearing == run.ticket
        kind = chance.randrange(6)
        if kind == 0:
            caller.tell(Digit(chance.choice("0123456789*#"), chance.random() < 0.1))
        elif kind == 1:
            caller.tell(SpeechBegan(run.ticket - chance.randrange(2)))
        elif kind == 2:
            caller.played()
        elif kind == 3:
            caller.tell(TimerFired(run.ticket))
        else:
            intent = chance.choice(["billing", "sales", "yes", "no", "no, sales", "again", "help", "person", "", "x"])
            slots = {name: value for name, value in VALUES.items() if chance.random() < 0.4}
            best = Heard(intent, intent, slots, chance.random())
            result = chance.choice([MATCH, MATCH, MATCH, NO_MATCH, NO_INPUT, TOO_LONG, FAILED])
            caller.tell(Spoken(run.ticket, Utterance(result, (best, Heard("", "sales", {}, 0.3)))))
        caller.run = msgspec.msgpack.decode(msgspec.msgpack.encode(run), type=Running)
