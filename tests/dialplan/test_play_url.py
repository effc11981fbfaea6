"""The verb play_url: asked for, heard, busy prompt, deadlines, and every way in which nothing comes."""

from __future__ import annotations

import pytest

from engine import limits
from engine.dialplan.actions import (
    Action,
    CallerGone,
    Digit,
    FetchSound,
    Hangup,
    PlayDone,
    PlayFetched,
    PlayPrompts,
    SetTimer,
    SoundFetched,
    StopPlay,
    TimerFired,
)
from engine.dialplan.turn import PLAY_GRACE_MS
from tests.dialplan.site import Caller, codes_of, lines, site_of

URL = "https://news.example/today.mp3?key=7"


LINE = 6  # of the address


def text(*options: str, url: str = URL, failed: str = "failed: down") -> str:
    return lines(
        "ringdown: 1", "flows:", "  main:", "    - answer", "    - play_url:",
        *(f"        {each}" for each in (f"url: '{url}'", failed, *options) if each),
        "    - hangup: served", "  down:", "    - hangup: down",
    )  # fmt: skip


def called(*options: str) -> Caller:
    caller = Caller(site_of(text(*options)))
    caller.answered()
    return caller


def tell(caller: Caller, duration_ms: int = 0, reason: str = "") -> list[Action]:
    return caller.tell(SoundFetched(caller.run.ticket, duration_ms, reason, 40))


def ended(caller: Caller) -> str:
    found = caller.one(Hangup)
    assert isinstance(found, Hangup)
    return found.outcome


def test_it_asks_for_the_address_and_bounds_the_wait() -> None:
    caller = called()
    assert caller.one(FetchSound) == FetchSound(2, URL, 3_000, 0)
    assert caller.one(SetTimer) == SetTimer(2, 3_000 + limits.lookup_grace_ms)
    caller = called("timeout: 5s", "cache: 10min")
    assert caller.one(FetchSound) == FetchSound(2, URL, 5_000, 600_000)


def test_what_has_come_is_heard_and_given_back() -> None:
    caller = called()
    tell(caller, 9_000)
    assert caller.one(PlayFetched) == PlayFetched(3, URL)
    assert caller.notes("fetch") == [f"{URL} ok 40"]
    timers = [each for each in caller.last if isinstance(each, SetTimer)]
    assert timers[-1] == SetTimer(3, 9_000 + PLAY_GRACE_MS)
    caller.tell(PlayDone(3))
    assert ended(caller) == "served" and "DropFetched" in caller.kinds()


def test_a_recording_that_never_reports_its_end_holds_nobody() -> None:
    caller = called()
    tell(caller, 9_000)
    caller.tell(TimerFired(3))
    assert caller.one(StopPlay) and ended(caller) == "served"


def test_what_has_not_come_leads_to_failed() -> None:
    caller = called()
    tell(caller, reason="status 404")
    assert ended(caller) == "down" and caller.notes("fetch") == [f"{URL} failed 40 status 404"]
    assert "DropFetched" in caller.kinds() and "PlayFetched" not in caller.kinds()


def test_a_runtime_that_never_answers_is_a_failure_after_the_deadline() -> None:
    caller = called("timeout: 1s")
    ticket = caller.run.ticket
    caller.tell(TimerFired(ticket))
    assert ended(caller) == "down" and caller.notes("fetch") == [f"{URL} failed 2000 no answer came in time"]
    assert caller.tell(SoundFetched(ticket, 9_000)) == []


def test_the_busy_prompt_comes_late_and_is_heard_out() -> None:
    caller = called("busy: one_moment")
    assert caller.one(SetTimer) == SetTimer(2, limits.lookup_busy_ms)
    caller.tell(TimerFired(2))
    assert caller.one(PlayPrompts).clips == ("en/one_moment",)  # type: ignore[union-attr]
    assert caller.one(SetTimer) == SetTimer(2, 4_000 - limits.lookup_busy_ms)
    tell(caller, 9_000)
    assert caller.kinds() == ["SetTimer"]
    tell(caller, reason="a second answer is none")
    assert caller.last == []
    caller.tell(PlayDone(2))
    assert caller.one(PlayFetched) == PlayFetched(3, URL)


def test_after_the_busy_prompt_an_answer_counts_at_once() -> None:
    caller = called("busy: one_moment")
    caller.tell(TimerFired(2))
    caller.tell(PlayDone(2))
    assert caller.kinds() == []
    tell(caller, 9_000)
    assert caller.one(PlayFetched)


def test_a_busy_prompt_that_never_ends_holds_nobody() -> None:
    caller = called("busy: one_moment")
    caller.tell(TimerFired(2))
    tell(caller, reason="status 500")
    caller.tell(TimerFired(2))
    assert caller.one(StopPlay) and ended(caller) == "down"


def test_the_deadline_stands_behind_the_busy_prompt() -> None:
    caller = called("busy: one_moment")
    caller.tell(TimerFired(2))
    caller.tell(TimerFired(2))
    assert caller.one(StopPlay) and ended(caller) == "down"


@pytest.mark.parametrize("heard", [False, True])
def test_keys_pressed_meanwhile_are_kept_and_a_hang_up_ends_it(heard: bool) -> None:
    caller = called()
    if heard:
        tell(caller, 9_000)
    caller.tell(Digit("4"))
    assert caller.run.typed_ahead == "4" and caller.run.waiting == ("play" if heard else "fetch")
    caller.tell(CallerGone())
    assert tell(caller, 9_000) == [] and caller.run.waiting == "ended"


# --- the reader -------------------------------------------------------------------------------------------------
def test_a_play_of_an_address_is_told_how_that_is_written() -> None:
    assert codes_of(text().replace("play_url:", "play:")) == [("RD021", LINE)]


def test_failed_must_be_named() -> None:
    assert codes_of(text()) == []
    assert [code for code, _ in codes_of(text(failed=""))] == ["RD052"]


@pytest.mark.parametrize(
    "options", ["timeout: 11s", "timeout: 50ms", "cache: 2h"]
)
def test_times_have_bounds(options: str) -> None:
    assert [code for code, _ in codes_of(text(options))] == ["RD024"]
