"""answer, play, say, music, silence, echo, language."""

from __future__ import annotations

from engine import limits
from engine.dialplan.actions import (
    Answer,
    CallerGone,
    Digit,
    EchoBack,
    Hangup,
    PlayPrompts,
    SetTimer,
    TimerFired,
)
from tests.dialplan.site import Caller, lines, site_of

HEAD = "ringdown: 1\n"


def flow(*steps: str, **flows: tuple[str, ...]) -> str:
    text = [HEAD, "flows:", "  main:", *(f"    {each}" for each in steps)]
    for name, more in flows.items():
        text += [f"  {name}:", *(f"    {each}" for each in more)]
    return lines(*text)


def test_answer_play_hangup() -> None:
    caller = Caller(site_of(flow("- answer", "- play: [hello, choose]", "- hangup: {outcome: served, cause: 17}")))
    assert caller.one(Answer) == Answer(1)
    caller.answered()
    play = caller.one(PlayPrompts)
    assert isinstance(play, PlayPrompts)
    assert play.clips == ("en/hello", "en/choose")
    # a timer stands behind every play, longer than what is played
    timer = caller.one(SetTimer)
    assert isinstance(timer, SetTimer)
    assert timer.ms > 900 + 1_200
    caller.played()
    assert caller.one(Hangup) == Hangup("served", 17)
    assert caller.run.waiting == "ended"
    assert caller.tell(Digit("1")) == []
    assert caller.tell(CallerGone()) == []
    assert caller.path() == ["main/answer", "main/play(hello)", "main/hangup(served)"]


def test_a_play_that_never_ends_goes_on_by_its_timer() -> None:
    caller = Caller(site_of(flow("- answer", "- play: hello", "- hangup: served")))
    caller.answered()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.kinds() == ["StopPlay", "Hangup"]


def test_echo_music_and_silence_last_until_the_caller_goes() -> None:
    for verb, action in (("echo", EchoBack), ("music", PlayPrompts), ("silence", SetTimer)):
        caller = Caller(site_of(flow("- answer", f"- {verb}")))
        caller.answered()
        assert caller.one(action)
        # the longest call is the deadline
        assert [each.ms for each in caller.last if isinstance(each, SetTimer)] == [limits.call_ms_max]
        gone = Caller(site_of(flow("- answer", f"- {verb}")))
        gone.answered()
        gone.tell(CallerGone())
        assert gone.run.waiting == "ended"
        assert gone.kinds() == []
        caller.tell(TimerFired(caller.run.ticket))
        assert caller.one(Hangup) == Hangup("served", 16)


def test_timed_music_goes_on() -> None:
    caller = Caller(site_of(flow("- answer", "- music: 40s", "- silence: 2s", "- hangup: served")))
    caller.answered()
    assert PlayPrompts(2, ("music/default",), True) in caller.last
    caller.tell(TimerFired(2))
    assert caller.kinds() == ["StopPlay", "SetTimer"]
    caller.tell(TimerFired(3))
    assert caller.one(Hangup)


def test_prompts_without_audio_are_noted_as_faults() -> None:
    site = site_of(flow("- answer", "- play: quiet", "- hangup: served"), prompts__en="quiet: Nobody recorded me.\n")
    caller = Caller(site)
    caller.answered()
    assert caller.notes("fault") == ["no recording for en/quiet"]
    assert site.prompts["en/quiet"].path == ""
    assert site.prompts["en/quiet"].duration_ms > 400


def test_languages_and_spoken_values() -> None:
    dialplan = HEAD + lines(
        "variables: {code: digits = 12, count: number = 21}",
        "flows:",
        "  main:",
        "    - answer",
        "    - say: $code",
        "    - language: zh",
        "    - play: heard",
        "    - when: [{if: call.language = zh, then: bye}]",
        "    - hangup: failed",
        "  bye:",
        "    - hangup: served",
    )
    site = site_of(
        dialplan,
        site="ringdown: 1\nlanguages: [en, zh]\n",
        prompts__en="heard: You have $count\n",
        prompts__zh="heard: $count 个。\n",
    )
    caller = Caller(site)
    caller.answered()
    play = caller.one(PlayPrompts)
    assert isinstance(play, PlayPrompts)
    assert play.clips == ("en/digits/1", "en/digits/2")
    caller.played()
    play = caller.one(PlayPrompts)
    assert isinstance(play, PlayPrompts)
    assert play.clips == ("zh/numbers/2", "zh/numbers/10", "zh/numbers/1", "zh/heard#1")
    caller.played()
    assert caller.one(Hangup) == Hangup("served", 16)
