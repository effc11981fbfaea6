"""The pages about one call: the story that grows, the ladder, the capture."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from engine.console.app import Console
from tests.console.pictures import rest
from tests.console.scenario import Recorded
from tests.console.test_app import acts, cells, play, text


def test_the_story_tells_why_he_waited_and_grows(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        await pilot.press("down", "enter")
        await rest(pilot)
        story = text(app, "#text")
        for words in ("He waits in default/support", "agent 200 is rung", "agent 200 didn't answer", "In short:",
                      "at that moment:", "202 not ready (lunch)"):  # fmt: skip
            assert words in story, story
        call = app.screen.call  # type: ignore[attr-defined]
        assert link.world.operate("call.hangup", call=call).ok
        link.world.run(2_000)
        link.store()
        app.screen.read()  # type: ignore[attr-defined]
        await rest(pilot)
        assert "stopped waiting" in text(app, "#text") and "by operator test" in text(app, "#text")
        await pilot.press("q")
        await rest(pilot)
        assert len(app.screen_stack) == 1

    play(tmp_path, scene)


def test_a_living_call_tells_how_it_sounds(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        link.sounds = [{
            "leg": "caller", "packets_in": 96, "packets_out": 100, "lost": 4, "jitter_us": 700, "gap_max_us": 30_000,
            "mos_in": 3.6, "side": "theirs", "cause": "their network loses 4 %",
        }]  # fmt: skip
        await pilot.press("enter")
        await rest(pilot)
        await app.screen.listen()  # type: ignore[attr-defined]
        await rest(pilot)
        story = text(app, "#text")
        assert "How it sounds now:" in story and "because their network loses 4 % (their side)" in story, story
        link.gone = True
        await app.screen.listen()  # type: ignore[attr-defined]
        await rest(pilot)
        assert "How it sounds now:" not in text(app, "#text")

    play(tmp_path, scene)


def test_acts_from_the_story_are_answered_on_its_page(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        await pilot.press("enter")
        await rest(pilot)
        await pilot.press("h", "y")
        await rest(pilot)
        assert acts(link)[0][0] == "call.hangup" and "hung up" in text(app, "#message")

    play(tmp_path, scene)


@pytest.mark.parametrize("columns", [72, 80, 140])
def test_the_ladder_is_read_message_by_message(tmp_path: Path, columns: int) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        call = cells(app, "calls")[0][0]
        await pilot.press("s")
        await rest(pilot)
        ladder = app.screen.query_one("#ladder", OptionList)
        assert ladder.option_count >= 8 and "secrets removed" in text(app, "#head")
        assert "caller 15550123" in text(app, "#parties") and "10.0.1" in text(app, "#parties")
        assert text(app, "#whole").splitlines()[2].startswith("INVITE sip:700@")
        await pilot.press("down")
        await rest(pilot)
        assert "SIP/2.0 100 Trying" in text(app, "#whole")
        await pilot.press("enter")
        await rest(pilot)
        assert not ladder.display and app.screen.has_class("whole")
        await pilot.press("escape", "right", "left")
        await rest(pilot)
        assert ladder.display
        before = ladder.option_count
        assert link.world.operate("call.hangup", call=call).ok
        link.world.run(500)
        await app.screen.read()  # type: ignore[attr-defined]
        assert ladder.option_count > before and ladder.highlighted == 1  # it grows, the choice stays

    play(tmp_path, scene, size=(columns, 24))


def test_a_capture_is_written_where_the_console_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        call = cells(app, "calls")[0][0]
        await pilot.press("s")
        await rest(pilot)
        await pilot.press("w")
        await rest(pilot)
        content = (tmp_path / f"{call}.pcapng").read_bytes()
        assert content[:4] == b"\x0a\x0d\x0d\x0a" and b"INVITE sip:700@" in content
        assert f"{call}.pcapng" in text(app, "#message").replace("\n", "")

    play(tmp_path, scene)


def test_signalling_that_is_not_kept_any_more_is_said(tmp_path: Path) -> None:
    async def scene(app: Console, pilot: Pilot[None], link: Recorded) -> None:
        app.open_ladder("gone-0")
        await rest(pilot)
        assert "no signalling kept" in text(app, "#whole")
        await pilot.press("escape", "w")
        await rest(pilot)
        assert len(app.screen_stack) == 1

    play(tmp_path, scene)
