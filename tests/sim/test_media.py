"""The media plane's twin keeps the plane's promises: generations, ends of plays, taps, faults."""

from __future__ import annotations

import pytest

from engine.media import commands as media
from engine.sim.media import MediaTwin
from tests.scenarios.sites import site

SITE = site()
CLIP = next(prompt.clip for prompt in SITE.prompts.values() if prompt.name == "en/welcome")


def twin(*rows: int) -> MediaTwin:
    made = MediaTwin()
    made.load(SITE)
    for row in rows:
        made.command(media.OpenLeg(row, 1, "10.0.0.1", 16_384 + 2 * row, 1, 1, 1), 0)
        made.command(set_leg(row), 0)
    return made


def set_leg(row: int, *, generation: int = 1, receive: bool = True) -> media.SetLeg:
    host = f"10.0.1.{row}"
    return media.SetLeg(row, generation, host, 4_000, 0, 0, ((0, 0),), 101, 101, 20, True, receive)


def events(of: MediaTwin, until_ms: int) -> list[media.MediaEvent]:
    found = []
    while (event := of.due(until_ms)) is not None:
        found.append(event)
    return found


def test_a_play_ends_after_its_clips_length_and_a_replaced_one_never() -> None:
    t = twin(0)
    t.command(media.Play(0, 1, 7, (CLIP,)), 0)
    t.command(media.Play(0, 1, 8, (CLIP, CLIP)), 100)
    assert events(t, 2_500) == [] and events(t, 4_100) == [media.PlayEnded(0, 1, 8)]
    assert t.rows[0].hears == "silence"


@pytest.mark.parametrize("ending", [media.Stop(0, 1), media.Echo(0, 1), media.Hear(0, 1, 1, 1)])
def test_what_replaces_a_play_silences_its_end(ending: media.MediaCommand) -> None:
    t = twin(0, 1)
    t.command(media.Play(0, 1, 7, (CLIP,)), 0)
    t.command(ending, 10)
    assert events(t, 9_000) == []


def test_a_loop_never_ends_and_a_forgetful_plane_tells_nothing() -> None:
    t = twin(0, 1)
    t.command(media.Play(0, 1, 7, (CLIP,), True), 0)
    t.forgetful = True
    t.command(media.Play(1, 1, 8, (CLIP,)), 0)
    assert events(t, 99_999) == []


def test_commands_for_another_generation_or_an_open_row_are_faults_of_the_switch() -> None:
    t = twin(0)
    for command in (media.Stop(0, 2), media.Stop(5, 1), media.OpenLeg(0, 2, "", 1, 1, 1, 1), media.Bridge(0, 1, 9, 1)):
        with pytest.raises(AssertionError):
            t.command(command, 1)


def test_closing_reports_quality_and_ends_the_tap_with_the_files_length() -> None:
    t = twin(0)
    t.command(media.StartTap(0, 1, 3, "a.wav"), 100)
    t.command(media.CloseLeg(0, 1), 1_600)
    closed = events(t, 2_000)
    assert closed[0] == media.TapEnded(0, 1, 3, "a.wav", 1_500, "")
    assert isinstance(closed[1], media.LegClosed) and not t.rows


def test_a_full_disk_says_why() -> None:
    t = twin(0)
    t.disk = "no space"
    t.command(media.StartTap(0, 1, 3, "a.wav"), 0)
    t.command(media.PauseTap(0, 1, 3, True), 5)
    assert t.rows[0].paused
    t.command(media.StopTap(0, 1, 3), 10)
    assert events(t, 10) == [media.TapEnded(0, 1, 3, "a.wav", 10, "no space")]


def test_a_taken_port_fails_and_closes_the_row() -> None:
    t = MediaTwin()
    t.taken = {16_384: True}
    t.command(media.OpenLeg(0, 1, "10.0.0.1", 16_384, 1, 1, 1), 5)
    (failed,) = events(t, 5)
    assert isinstance(failed, media.LegFailed) and not t.rows


def test_silence_is_reported_at_3_and_15_seconds_for_legs_that_should_send() -> None:
    t = twin(0, 1)
    t.command(set_leg(1, receive=False), 0)
    t.darken("10.0.1.0", 1_000)
    t.darken("10.0.1.1", 1_000)
    assert events(t, 3_999) == [] and events(t, 99_999) == [
        media.MediaMissing(0, 1, 3_000),
        media.MediaMissing(0, 1, 15_000),
    ]


def test_digits_and_bridges_are_kept_for_the_scenario_to_read() -> None:
    t = twin(0, 1)
    t.command(media.Bridge(0, 1, 1, 1), 0)
    t.command(media.SendDigits(1, 1, "12"), 0)
    assert (t.rows[0].hears, t.rows[1].hears, t.rows[1].digits) == ("row 1", "row 0", ["1", "2"])


def test_a_mix_says_who_hears_whom_and_what_came_later_wins() -> None:
    t = twin(0, 1, 2)
    parties = tuple(media.MixParty(row, 1, tuple(other for other in range(3) if other != row)) for row in range(3))
    t.command(media.Mix(5, parties), 0)
    assert [t.rows[row].hears for row in range(3)] == ["mix row 1 + row 2", "mix row 0 + row 2", "mix row 0 + row 1"]
    t.command(media.Echo(1, 1), 1)
    t.command(media.Mix(5, parties[:1]), 2)
    assert [t.rows[row].hears for row in range(3)] == ["mix nobody", "echo", "silence"]
    t.command(media.Mix(5), 3)
    assert t.rows[0].hears == "silence"
    for wrong in (media.Mix(5, (media.MixParty(0, 2),)), media.Mix(-1), media.Mix(0, (media.MixParty(9, 1),))):
        with pytest.raises(AssertionError):
            t.command(wrong, 4)
