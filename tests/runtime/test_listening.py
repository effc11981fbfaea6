"""A listener names the prompts that it hears, and only those."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.media import g711
from engine.runtime import listening as room
from engine.runtime.listening import Clip, Listener, describe_tone
from engine.runtime.wav import write_wav


def voice(seed: int, seconds: float) -> g711.Samples:
    """Speech-like noise: bursts with gaps."""
    chance = np.random.default_rng(seed)
    length = int(seconds * 8_000)
    envelope = np.repeat(chance.random(length // 800 + 1), 800)[:length]
    return (chance.standard_normal(length) * 6_000 * envelope).clip(-32_000, 32_000).astype(np.int16)


CLIPS = [Clip("en/welcome", "Welcome.", voice(1, 1.2)), Clip("en/menu", "Press 1.", voice(2, 0.9)),
         Clip("music/default", "", voice(3, 4.0)), Clip("en/digits/1", "one", voice(4, 0.3))]


def packets(audio: bytes) -> list[bytes]:
    return [audio[at:at + 160] for at in range(0, len(audio) - 159, 160)]


def heard(audio: bytes, law: int) -> list[tuple[int, str, str]]:
    listener = Listener(CLIPS, law)
    return [(found.at_ms, found.kind, found.words) for packet in packets(audio) for found in listener.hear(packet)]


def silence(law: int, seconds: float) -> bytes:
    return bytes([g711.SILENCE[law]]) * int(seconds * 8_000)


@pytest.mark.parametrize("law", [0, 1])
@pytest.mark.parametrize("lead_ms", [0, 7, 400])
def test_prompts_in_order_with_their_times(law: int, lead_ms: int) -> None:
    audio = silence(law, lead_ms / 1000) + g711.encode(CLIPS[0].samples, law) + silence(law, 0.3)
    audio += g711.encode(CLIPS[1].samples, law) + silence(law, 0.2)
    assert heard(audio, law) == [(lead_ms, "prompt", '"Welcome."'), (lead_ms + 1_500, "prompt", '"Press 1."')]


@pytest.mark.parametrize("law", [0, 1])
def test_audio_that_crossed_the_other_law(law: int) -> None:
    other = g711.encode(CLIPS[0].samples, 1 - law)
    crossed = other.translate(g711.cross_tables()[1 - law].tobytes())
    assert [found[2] for found in heard(silence(law, 0.1) + crossed + silence(law, 0.1), law)] == ['"Welcome."']


def test_lost_packets_do_not_matter() -> None:
    audio = g711.encode(CLIPS[0].samples, 0)
    kept = [packet if number % 5 else bytes([0xFF]) * 160 for number, packet in enumerate(packets(audio))]
    listener = Listener(CLIPS, 0)
    found = [each for packet in kept for each in listener.hear(packet)]
    assert [each.name for each in found] == ["en/welcome"]


def test_the_same_prompt_twice_is_heard_twice() -> None:
    once = g711.encode(CLIPS[3].samples, 0) + silence(0, 0.4)
    assert [found[2] for found in heard(once * 2, 0)] == ['"one"', '"one"']


def test_music_is_named_once_wherever_it_begins() -> None:
    music = g711.encode(CLIPS[2].samples, 0)
    assert heard(music[9_000:] + music * 2, 0) == [(0, "prompt", "(music/default)")]


def test_unknown_sound_is_said_once() -> None:
    found = heard(g711.encode(voice(99, 3.0), 0), 0)
    assert [each[1] for each in found] == ["sound"]


def test_silence_is_nothing() -> None:
    listener = Listener(CLIPS, 0)
    assert [found for packet in packets(silence(0, 2.0)) for found in listener.hear(packet)] == []
    assert not listener.sounding and listener.silent_ms == 2_000 and listener.now_ms == 2_000


def test_sounding_ends_half_a_second_after_the_words() -> None:
    listener = Listener(CLIPS, 0)
    for packet in packets(g711.encode(CLIPS[1].samples, 0)):
        listener.hear(packet)
    assert listener.sounding
    for packet in packets(silence(0, 0.6)):
        listener.hear(packet)
    assert not listener.sounding


@pytest.mark.parametrize(("frequencies", "words"), [
    ((440, 480), "ringing tone"), ((480, 620), "busy"), ((1_004,), "milliwatt"), ((425,), "425 Hz"), ((777,), "777 Hz"),
    ((697, 1_336), "697 + 1336 Hz"),
])
def test_tones_by_their_frequencies(frequencies: tuple[int, ...], words: str) -> None:
    time = np.arange(8_000) / 8_000
    tone = (sum(4_000 * np.sin(2 * np.pi * each * time) for each in frequencies)).astype(np.int16)
    assert words in describe_tone(tone[:1_600])
    found = heard(silence(0, 0.1) + g711.encode(tone, 0), 0)
    assert len(found) == 1 and found[0][1] == "tone" and words in found[0][2]


def test_noise_and_too_little_are_no_tone() -> None:
    assert describe_tone(voice(5, 0.2)) == ""
    assert describe_tone(np.zeros(10, np.int16)) == ""


def test_loading_leaves_out_what_is_not_there(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", CLIPS[0].samples)
    (tmp_path / "b.wav").write_bytes(b"no wav")
    clips = room.load([("a", "A", str(tmp_path / "a.wav")), ("b", "B", str(tmp_path / "b.wav")),
                       ("tone/beep", "", ""), ("c", "C", "/nowhere.wav")])
    assert [clip.name for clip in clips] == ["a"]
    assert np.array_equal(clips[0].samples, CLIPS[0].samples)


def test_a_quiet_clip_has_no_probe() -> None:
    assert room.probes(np.zeros(8_000, np.int16)) == [] and room.probes(np.zeros(10, np.int16)) == []
