"""A call's words from the child to its clip: in time, too late, refused, and for nobody any more."""

from __future__ import annotations

import asyncio

import numpy as np

from engine.call.effects import SoundDone, SpeakWanted
from engine.dialplan.voice_model import VoiceModel
from engine.errors import SpeechError
from engine.runtime.call_words import CallWords
from tests.runtime.fakes import run


class Voice:
    """Instead of the child: says a tone after a while, or fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, VoiceModel | None, bool]] = []
        self.closed = False

    async def say(self, text: str, language: str, voice: VoiceModel | None, *, keep: bool) -> bytes:
        self.asked.append((text, language, voice, keep))
        if text == "slow":
            await asyncio.sleep(5)
        if text == "bad":
            raise SpeechError("no such voice")
        return (9_000 * np.sin(np.arange(4_000) / 3)).astype("<i2").tobytes()

    async def close(self) -> None:
        self.closed = True


class Clips:
    """What CallWords needs of Files."""

    def __init__(self) -> None:
        self.claims: dict[int, int] = {}
        self.stored: dict[int, tuple[bytes, bytes]] = {}

    def claim(self, clip: int, serial: int) -> None:
        self.claims[clip] = serial

    def put(self, clip: int, serial: int, both: tuple[bytes, bytes]) -> bool:
        if self.claims[clip] != serial:
            return False
        self.stored[clip] = both
        return True


def scene(*wishes: SpeakWanted) -> tuple[list[SoundDone], Voice, Clips]:
    told: list[SoundDone] = []
    voice, clips = Voice(), Clips()

    async def play() -> None:
        words = CallWords(asyncio.get_running_loop(), told.append, clips, voice)  # type: ignore[arg-type]
        for wish in wishes:
            words.ask(wish)
        assert not told  # never from within
        while len(told) < len(wishes):
            await asyncio.sleep(0.01)
        await words.close()

    run(play(), 20)
    return told, voice, clips


def wish(text: str, serial: int = 1, clip: int = 7, *, secret: bool = False) -> SpeakWanted:
    return SpeakWanted(3, 4, clip, serial, text, "en", VoiceModel("flite"), 300, secret)


def test_words_are_in_the_clip_when_it_is_told() -> None:
    (told,), voice, clips = scene(wish("Ana Lee"))
    assert (told.call, told.ticket, told.duration_ms, told.detail) == (3, 4, 500, "")
    assert [len(law) for law in clips.stored[7]] == [4_000, 4_000]
    assert voice.asked == [("Ana Lee", "en", VoiceModel("flite"), True)] and voice.closed


def test_a_secret_is_kept_nowhere() -> None:
    assert scene(wish("Ana Lee", secret=True))[1].asked[0][3] is False


def test_too_late_and_refused_are_told_in_words() -> None:
    (told,), _, clips = scene(wish("slow"))
    assert (told.duration_ms, told.detail) == (0, "not spoken within 300 ms") and 290 <= told.ms <= 2_000
    (told,), _, _ = scene(wish("bad"))
    assert (told.duration_ms, told.detail) == (0, "no such voice") and not clips.stored


def test_nobody_hears_what_was_meant_for_another() -> None:
    first, second = scene(wish("one", 1), wish("two", 2))[0]
    assert sorted([first.detail, second.detail]) == ["", "nobody waits for it any more"]
