"""Notices with words or recordings of their own: made, loaded, told to the Switch; bad ones change nothing."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine import limits
from engine.call.effects import Reply
from engine.call.levers import Lever
from engine.dialplan.model import PromptModel
from engine.dialplan.program import Program
from engine.dialplan.voice_model import VoiceModel
from engine.errors import SiteError
from engine.runtime import notices as room
from engine.runtime import speaking
from engine.runtime.admin import Answer
from engine.runtime.notices import CLIPS_FROM, Notices
from engine.runtime.wav import read_wav, write_wav
from tests.runtime.fakes import quiet_log, run, site

PROGRAM = Program("default/main", "1", "main", {}, {}, ("en",), wants=("notice:default/storm", "notice:default/flood"))


class Engine:
    """What Notices needs of a server."""

    def __init__(self, folder: Path) -> None:
        self.options = types.SimpleNamespace(data=folder)
        self.site = site(programs={"default/main": PROGRAM})
        self.loaded: list[PromptModel] = []
        self.asked: list[dict[str, str]] = []
        self.problems: list[str] = []
        self.error = ""
        self.plane = types.SimpleNamespace(load_clips=self.load)
        self.levers = types.SimpleNamespace(standing={})
        self.log, self.printed = quiet_log()

    def load(self, clips: list[PromptModel]) -> list[str]:
        self.loaded += clips
        return self.problems

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        assert (author, verb) == ("ann", "notice.set")
        self.asked.append(arguments)
        return Reply(1, not self.error, b'{"done": "on"}', self.error)


def tone(path: Path, seconds: float = 1.0, rate: int = 16_000) -> str:
    write_wav(path, np.rint(8_000 * np.sin(np.arange(int(seconds * rate)) * 0.3)).astype(np.int16), rate)
    return str(path)


def ask(notices: Notices, **arguments: str) -> Answer:
    return run(notices.set("ann", {"notice": "storm", "state": "on"} | arguments), 30)


def test_without_words_it_is_only_told(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    assert ask(Notices(engine), by="Mrs Hill").ok  # type: ignore[arg-type]
    assert engine.asked == [{"notice": "storm", "state": "on", "by": "Mrs Hill"}] and engine.loaded == []


def test_a_recording_is_taken_in_at_our_rate_and_has_a_clip(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    notices = Notices(engine)  # type: ignore[arg-type]
    assert ask(notices, recording=tone(tmp_path / "theirs.wav", 1.5)).ok
    (told,) = engine.asked
    assert told["recording"] == "default-storm.1.wav" and told["clip"] == str(CLIPS_FROM)
    assert 1_490 <= int(told["recording_ms"]) <= 1_510 and "language" not in told
    (clip,) = engine.loaded
    assert Path(clip.path) == tmp_path / "notices" / "default-storm.1.wav" and clip.clip == CLIPS_FROM
    assert len(read_wav(Path(clip.path))) == int(told["recording_ms"]) * 8
    assert ask(notices, recording=tone(tmp_path / "theirs.wav")).ok  # another one: its own file, the same number
    assert engine.asked[1]["recording"] == "default-storm.2.wav" and engine.asked[1]["clip"] == str(CLIPS_FROM)
    assert ask(notices, notice="default/flood", recording=tone(tmp_path / "theirs.wav")).ok
    assert engine.asked[2]["clip"] == str(CLIPS_FROM + 1) and limits.clips_max - limits.own_clips_max > CLIPS_FROM + 1


def test_words_are_spoken_in_the_tenants_language_or_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[tuple[str, str]] = []

    async def speak(text: str, language: str, path: Path, voice: VoiceModel | None) -> None:
        assert voice == (VoiceModel("flite") if language == "en" else None)
        spoken.append((text, language))
        tone(path)

    monkeypatch.setattr(speaking, "speak", speak)
    engine = Engine(tmp_path)
    tenant = msgspec.structs.replace(engine.site.tenants["default"], voices={"en": VoiceModel("flite")})
    engine.site = msgspec.structs.replace(engine.site, tenants={"default": tenant})
    notices = Notices(engine)  # type: ignore[arg-type]
    assert ask(notices, text=" Power is out. ").ok and ask(notices, text="Strom weg", language="de").ok
    assert spoken == [("Power is out.", "en"), ("Strom weg", "de")]
    assert engine.asked[0]["text"].strip() == "Power is out." and engine.asked[0]["recording_ms"] == "1000"


def test_what_is_no_recording_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tmp_path)
    notices = Notices(engine)  # type: ignore[arg-type]
    (tmp_path / "text.wav").write_text("no sound")
    for given, words in ((tmp_path / "gone.wav", "No such file"), (tmp_path / "text.wav", "not a WAV file"),
                         (tone(tmp_path / "click.wav", 0.05), "lasts 0.1 s")):  # fmt: skip
        with pytest.raises(SiteError, match=words):
            ask(notices, recording=str(given))
    monkeypatch.setattr(room, "recording_bytes_max", 10)
    with pytest.raises(SiteError, match="larger than"):
        ask(notices, recording=tone(tmp_path / "big.wav"))
    assert "not both" in ask(notices, text="x", recording="y").error
    assert "600 are the most" in ask(notices, text="x" * 700).error
    assert engine.asked == [] and engine.loaded == []


def test_an_unknown_name_is_the_switchs_to_refuse_and_makes_no_sound(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.error = "no notice 'strom'"
    assert ask(Notices(engine), notice="strom", text="x").error == "no notice 'strom'"  # type: ignore[arg-type]
    assert engine.loaded == [] and not (tmp_path / "notices").exists()


def test_a_full_clip_store_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tmp_path)
    engine.problems = ["notice/default/storm: audio_bytes"]
    with pytest.raises(SiteError, match="audio_bytes"):
        ask(Notices(engine), recording=tone(tmp_path / "a.wav"))  # type: ignore[arg-type]
    monkeypatch.setattr(room, "CLIPS_FROM", room.CLIPS_UNTIL)
    with pytest.raises(SiteError, match="restart the engine"):
        ask(Notices(engine), recording=tone(tmp_path / "a.wav"))  # type: ignore[arg-type]
    assert engine.asked == []


def test_what_stood_is_loaded_again(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    notices = Notices(engine)  # type: ignore[arg-type]
    kept = [
        Lever("notice", "default/storm", "on", "ann", 1, 2, "Power", "default-storm.4.wav", 1_000),
        Lever("notice", "default/flood", "on", "ann", 1, 2), Lever("queue", "default/a", "closed", "ann", 1),
    ]  # fmt: skip
    notices.restored(kept, going_on=False)
    assert [(each.clip, each.name) for each in engine.loaded] == [(CLIPS_FROM, "notice/default/storm")]
    assert [each.clip for each in kept] == [CLIPS_FROM, -1, -1]
    engine.problems = ["notice/default/storm: gone"]
    notices.restored(kept, going_on=False)
    assert kept[0].clip == -1 and kept[0].recording_ms == 0 and "isn't heard as it was recorded" in (
        engine.printed.getvalue()
    )


def test_the_switchs_own_state_is_left_alone_and_its_number_kept(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.problems = ["gone"]
    lever = Lever("notice", "default/storm", "on", "ann", 1, 2, "", "default-storm.4.wav", 1_000, CLIPS_FROM + 7)
    Notices(engine).restored([lever], going_on=True)  # type: ignore[arg-type]
    assert engine.loaded[0].clip == CLIPS_FROM + 7 == lever.clip and lever.recording_ms == 1_000


def test_old_files_go_but_never_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "NOTICES_MAX", 1)
    engine: Any = Engine(tmp_path)
    engine.levers.standing = {"notice/default/storm": Lever("notice", "default/storm", "on", "a", 1, 2, "", "x.1.wav")}
    (tmp_path / "notices").mkdir()
    for number in range(1, 6):
        tone(tmp_path / "notices" / f"x.{number}.wav")
    assert ask(Notices(engine)).ok
    assert sorted(each.name for each in (tmp_path / "notices").iterdir()) == ["x.1.wav", "x.4.wav", "x.5.wav"]
