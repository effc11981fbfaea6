"""The verb voicemail: asked, greeted, recorded; and every way out of it."""

from __future__ import annotations

from engine.dialplan.actions import (
    AskBox,
    BoxAnswer,
    Collect,
    Digit,
    Hangup,
    LeaveMessage,
    PlayDone,
    PlayPrompts,
    RecordDone,
    SetTimer,
    StopPlay,
    StopRecord,
    TimerFired,
)
from tests.dialplan.site import Caller, lines, site_of

BOXES = "front: {greeting: hello, hears: 200, min: 2s, max: 1min}\nplain: {hears: 200}\n"


def called(*options: str, box: str = "front") -> Caller:
    text = lines(
        "ringdown: 1", "flows:", "  main:", "    - answer", "    - voicemail:", f"        box: {box}",
        *(f"        {each}" for each in options), "    - hangup: left", "  no:", "    - hangup: no",
    )  # fmt: skip
    caller = Caller(site_of(text, boxes=BOXES))
    caller.answered()
    return caller


def tell(caller: Caller, result: str = "open") -> None:
    caller.tell(BoxAnswer(caller.run.ticket, result))


def recording(*options: str) -> Caller:
    caller = called(*options)
    tell(caller)
    caller.tell(PlayDone(caller.run.ticket))
    return caller


def test_it_asks_greets_records_and_goes_on() -> None:
    caller = called()
    assert caller.one(AskBox).box == "default/front"
    tell(caller)
    assert caller.one(PlayPrompts).clips == ("en/hello",) and caller.one(Collect).on
    caller.tell(PlayDone(caller.run.ticket))
    left = caller.one(LeaveMessage)
    assert (left.box, left.ms_max) == ("default/front", 60_000) and not caller.one(Collect).on
    assert caller.one(SetTimer).ms > 60_000
    caller.tell(RecordDone(caller.run.ticket, "voicemail/x.wav", 4_000))
    assert caller.one(Hangup).outcome == "left" and caller.notes("tag") == ["voicemail left"]


def test_the_step_speaks_before_the_box_and_the_box_before_the_stock() -> None:
    own = called("prompt: choose", "max: 20s")
    tell(own)
    assert own.one(PlayPrompts).clips == ("en/choose",)
    own.tell(PlayDone(own.run.ticket))
    assert own.one(LeaveMessage).ms_max == 20_000
    plain = called(box="plain")
    tell(plain)
    assert plain.one(PlayPrompts).clips == ("en/leave_message",)


def test_the_hash_key_skips_the_greeting_and_no_other_does() -> None:
    caller = called()
    tell(caller)
    caller.tell(Digit("1"))
    assert not caller.last
    caller.tell(Digit("#"))
    assert caller.one(StopPlay) and caller.one(LeaveMessage)


def test_a_full_box_takes_its_outcome_or_says_so() -> None:
    named = called("full: no")
    tell(named, "full")
    assert named.one(Hangup).outcome == "no"
    told = called()
    told.site.prompts["en/box_full"] = told.site.prompts["en/hello"]
    tell(told, "full")
    assert told.one(PlayPrompts).clips == ("en/box_full",)
    told.tell(Digit("#"))
    assert not told.last
    told.tell(PlayDone(told.run.ticket))
    assert told.one(Hangup).outcome == "left"


def test_no_recording_of_the_words_holds_nobody() -> None:
    caller = called()
    tell(caller, "failed")
    assert caller.one(Hangup).outcome == "left" and caller.notes("tag") == ["voicemail failed"]


def test_too_short_and_failed_have_their_ways() -> None:
    short = recording("too_short: no")
    short.tell(RecordDone(short.run.ticket, "x", 1_999))
    assert short.one(Hangup).outcome == "no" and short.notes("tag") == ["voicemail too_short"]
    failed = recording("failed: no")
    failed.tell(RecordDone(failed.run.ticket, "", -1))
    assert failed.one(Hangup).outcome == "no"
    unnamed = recording()
    unnamed.tell(RecordDone(unnamed.run.ticket, "x", 0))
    assert unnamed.one(Hangup).outcome == "left"


def test_a_plane_that_is_silent_cannot_hold_the_call() -> None:
    caller = called()
    tell(caller)
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.one(StopPlay) and caller.one(LeaveMessage)
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.one(StopRecord) and caller.one(Hangup).outcome == "left"
    assert caller.notes("fault") == ["the recording of a message did not end"]
