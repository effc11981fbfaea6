"""The verb stream: handed over and back, keys, what the bot may fill, a person, forks, and every unhappy end."""

from __future__ import annotations

import pytest

from engine import limits
from engine.dialplan.actions import CallerGone, Digit, Hangup, PlayDone, SetTimer, TimerFired
from engine.dialplan.stream_actions import StartStream, StopStream, StreamKey, StreamOver
from tests.dialplan.site import Caller, lines, site_of

URL = "wss://bot.example/travel?v=2"
WAYS = ("failed: down", "person: people")


def text(*options: str) -> str:
    return lines(
        "ringdown: 1", "variables:", "  destination: text = nowhere", "  party: number = 1",
        "  pin: digits 4 sensitive", "flows:",
        "  main:", "    - answer", "    - stream:", f"        url: '{URL}'", "        secret: travel_bot",
        *(f"        {each}" for each in options),
        "    - when:", "        - {if: known(pin) and destination = 'Rome' and party = 3, then: down}",
        "    - hangup: served", "  down:", "    - hangup: down", "  people:", "    - hangup: person",
        "  late:", "    - hangup: late",
    )  # fmt: skip


def called(*options: str) -> Caller:
    caller = Caller(site_of(text(*(options or WAYS))))
    caller.answered()
    return caller


def over(caller: Caller, result: str = "done", next: str = "", **values: str) -> str:
    """How the call goes on; '' while it doesn't end."""
    caller.tell(StreamOver(caller.run.ticket, result, values, next))
    return ended(caller)


def ended(caller: Caller) -> str:
    found = [each for each in caller.last if isinstance(each, Hangup)]
    return found[0].outcome if found else ""


def test_what_the_bot_is_asked_for_and_how_long_it_may_take() -> None:
    caller = called()
    assert caller.one(StartStream) == StartStream(2, URL, "travel_bot", "bearer", 5_000, 1_800_000)
    grace_ms = limits.stream_drain_ms_max + limits.lookup_grace_ms
    assert caller.one(SetTimer) == SetTimer(2, 1_805_000 + grace_ms)
    caller = called(*WAYS, "auth: signature", "connect: 2s", "max: 10min", "send: {who: $access.caller, say: hi there}")
    told = {"who": "+441", "say": "hi there"}
    assert caller.one(StartStream) == StartStream(2, URL, "travel_bot", "signature", 2_000, 600_000, "", told)
    assert caller.one(SetTimer) == SetTimer(2, 602_000 + grace_ms)


def test_what_it_has_found_out_fills_the_variables_it_may_fill() -> None:
    caller = called(*WAYS, "sets: [destination, party, pin]")
    assert over(caller, destination="Rome", party="3", pin="4711") == "down"
    assert caller.notes("set") == ["destination=Rome", "party=3", "pin=····"]
    assert "4711" not in str(caller.last)
    assert caller.one(SetTimer) == SetTimer(2, 0)


@pytest.mark.parametrize(("values", "said"), [
    ({"party": "many"}, "what the bot says of party is no number"),
    ({"pin": "12345"}, "what the bot says of pin is no digits 4"),
    ({"destination": "x" * 1_001}, "what the bot says of destination is no text"),
    ({"elsewhere": "4711"}, "the bot says 'elsewhere', which is not among sets: of this step"),
])
def test_what_does_not_fit_is_dropped_and_noted_without_its_value(values: dict[str, str], said: str) -> None:
    caller = called(*WAYS, "sets: [destination, party, pin]")
    assert over(caller, **values) == "served"
    assert caller.notes("fault") == [said]
    assert caller.run.variables == {"destination": "nowhere", "party": 1}


def test_a_variable_that_is_declared_is_still_not_the_bots_unless_it_is_in_sets() -> None:
    caller = called(*WAYS, "sets: [party]")
    assert over(caller, destination="Rome") == "served" and caller.run.variables["destination"] == "nowhere"


@pytest.mark.parametrize(("result", "next", "options", "way"), [
    ("done", "", WAYS, "served"), ("done", "person", WAYS, "person"), ("failed", "person", WAYS, "down"),
    ("timeout", "", WAYS, "down"), ("timeout", "", (*WAYS, "timeout: late"), "late"),
    ("done", "person", ("failed: down",), "served"), ("done", "billing", WAYS, "served"),
])
def test_ways(result: str, next: str, options: tuple[str, ...], way: str) -> None:
    caller = called(*options)
    assert over(caller, result, next) == way
    unknown = result == "done" and (next == "billing" or (next and "person: people" not in options))
    assert caller.notes("fault") == (
        [f"the bot wishes to go on with {next!r}, which this step does not name"] if unknown else []
    )


def test_what_a_bot_found_out_before_it_failed_is_kept() -> None:
    caller = called(*WAYS, "sets: [destination]")
    assert over(caller, "failed", destination="Rome") == "down"
    assert caller.run.variables["destination"] == "Rome"


def test_0_leads_to_a_person_at_once_and_other_keys_are_the_bots() -> None:
    caller = called()
    for key in "19*#":
        caller.tell(Digit(key))
        assert caller.one(StreamKey) == StreamKey(2, key) and len(caller.last) == 1
    caller.tell(Digit("0"))
    assert caller.one(StopStream) == StopStream(2, "done", "the caller pressed 0") and ended(caller) == "person"
    assert caller.tell(StreamOver(2, "done")) == []


def test_without_a_person_0_is_the_bots_too() -> None:
    caller = called("failed: down")
    caller.tell(Digit("0"))
    assert caller.one(StreamKey) == StreamKey(2, "0")


def test_a_runtime_that_never_answers_holds_nobody() -> None:
    caller = called()
    caller.tell(TimerFired(2))
    assert caller.one(StopStream) == StopStream(2, "failed", "nobody said how it ended") and ended(caller) == "down"


def test_late_words_and_a_caller_who_hangs_up() -> None:
    caller = called()
    assert caller.tell(StreamOver(1, "done")) == [] and caller.tell(PlayDone(2)) == []
    caller.tell(CallerGone())
    assert caller.tell(StreamOver(2, "done")) == [] and caller.run.waiting == "ended"


def test_a_fork_is_begun_and_the_call_goes_on() -> None:
    caller = called("fork: both", "send: {who: $access.caller}")
    wanted = StartStream(2, URL, "travel_bot", "bearer", 5_000, limits.stream_ms_max, "both", {"who": "+441"})
    assert caller.one(StartStream) == wanted and ended(caller) == "served"
