"""notice: nothing while it is off, its prompt or its own recording while it is on; in flows and while waiting."""

from __future__ import annotations

from engine.dialplan.actions import PlayPrompts, SetTimer, TimerFired
from tests.dialplan.site import Caller, codes_of, site_of

MAIN = (
    "ringdown: 1\nflows:\n  main:\n    - answer\n    - notice: hello\n    - notice: storm\n    - play: choose\n"
    "    - hangup: served\n"
)


def answered(**said: str) -> Caller:
    caller = Caller(site_of(MAIN))
    caller.run.facts |= {f"notice:default/{name}": word for name, word in said.items()}
    caller.answered()
    return caller


def test_off_is_silent_and_takes_no_time() -> None:
    caller = answered()
    play = caller.one(PlayPrompts)
    assert isinstance(play, PlayPrompts) and play.clips == ("en/choose",)


def test_on_plays_its_prompt_and_goes_on() -> None:
    caller = answered(hello="on")
    play = caller.one(PlayPrompts)
    assert isinstance(play, PlayPrompts) and play.clips == ("en/hello",)
    caller.played()
    play = caller.one(PlayPrompts)
    assert isinstance(play, PlayPrompts) and play.clips == ("en/choose",)
    assert caller.notes("notice") == ["default/hello"]


def test_a_recording_of_its_own_has_its_own_length() -> None:
    caller = answered(storm="on 8000")
    play, timer = caller.one(PlayPrompts), caller.one(SetTimer)
    assert isinstance(play, PlayPrompts) and play.clips == ("notice/default/storm",)
    assert isinstance(timer, SetTimer) and timer.ms == 13_000
    caller.tell(TimerFired(caller.run.ticket))  # a plane that never tells the end holds nobody
    later = [each for each in caller.last if isinstance(each, PlayPrompts)]
    assert [each.clips for each in later] == [("en/choose",)]


def test_on_without_any_words_holds_nobody() -> None:
    assert answered(storm="on").run.waiting == "play"
    play = answered(storm="on").one(PlayPrompts)
    assert isinstance(play, PlayPrompts) and play.clips == ("en/choose",)


def test_what_the_site_wants_to_know() -> None:
    site = site_of(MAIN)
    assert [each for each in site.programs["default/main"].wants if each.startswith("notice:")] == [
        "notice:default/hello", "notice:default/storm"
    ]  # fmt: skip


def test_names_are_literal_and_sound_needs_an_answer() -> None:
    assert codes_of(MAIN.replace("notice: hello", "notice: $hello")) == [("RD077", 5)]
    assert codes_of(MAIN.replace("notice: hello", "notice: Hello!"))[0] == ("RD027", 5)
    assert codes_of(MAIN.replace("    - answer\n", ""))[0][0] == "RD055"
