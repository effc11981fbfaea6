"""Keys and fax tones in the sound: the limits of ITU-T Q.24 after both laws, under loss, and on speech and music."""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.jit import kernel
from engine.media import columns as c
from engine.media import commands as m
from engine.media import control, g711, receive, tones
from tests.media.rig import Rig, rtp

ROOT = Path(__file__).parents[2]
KEYS = "123A456B789C*0#D"
DIGITS = "0123456789*#ABCD"
LOW, HIGH = (697, 770, 852, 941), (1_209, 1_336, 1_477, 1_633)
PEAK = 32_124 / 10 ** (3.17 / 20)  # of a sine at 0 dBm0
LAWS = pytest.mark.parametrize("law", [0, 1], ids=["µ-law", "A-law"])
Samples = np.ndarray[Any, np.dtype[np.float64]]
PLANE = c.allocate()
PLANE.legs[0, c.TONE_EAR] = -1


@kernel
def feed(p: Any, octets: Any, packet: Any, frame: int, lost: Any, law: int, told: Any) -> tuple[int, int]:
    """Packets of `frame` samples through the ear; `lost`: one word a packet. (what was told, packets cut out)."""
    count = cuts = 0
    for number in range(octets.shape[0] // frame):
        first = number * frame
        if lost[number] == 0:
            for index in range(frame):
                packet[index] = octets[first + index]
            cuts += tones.listen(
                p, 0, number & 0xFFFF, (4_294_900_000 + first) & 0xFFFFFFFF, 77, packet, 0, frame, law,
                1_000_000 + 125 * first,
            )  # fmt: skip
        kind = 1
        place = 0
        while kind != 0 and count < told.shape[0]:
            kind, code, duration_ms = tones.take_told(p, 0, place)
            place += 1
            if kind != 0:
                told[count, 0], told[count, 1], told[count, 2], told[count, 3] = kind, code, duration_ms, first
                count += 1
    return count, cuts


@dataclass
class Heard:
    keys: str = ""
    ms: list[int] = field(default_factory=list)
    started: str = ""
    fax: list[int] = field(default_factory=list)
    cuts: int = 0


def hear(sound: Samples, law: int = 0, *, frame: int = 160, lost: Any = None, mode: int = 3) -> Heard:
    """What the ear tells of this sound, 200 ms of silence behind it."""
    whole = np.concatenate([sound, np.zeros(1_600)])
    octets = np.frombuffer(g711.encode(np.clip(np.rint(whole), -32_768, 32_767).astype(np.int16), law), np.uint8)
    tones.release(PLANE, 0)
    PLANE.legs[0] = 0
    PLANE.legs[0, c.TONE_EAR] = -1
    tones.set_mode(PLANE, 0, mode)
    packets = len(octets) // frame
    gone = np.zeros(packets, np.int64) if lost is None else np.resize(lost, packets).astype(np.int64)
    told = np.zeros((4_000, 4), np.int64)
    count, cuts = feed(PLANE, octets, np.zeros(2_048, np.uint8), frame, gone, law, told)
    heard = Heard(cuts=int(cuts))
    for kind, code, ms, _ in told[:count].tolist():
        if kind == tones.ENDED:
            heard.keys += DIGITS[code]
            heard.ms.append(ms)
        elif kind == tones.STARTED:
            heard.started += DIGITS[code]
        else:
            heard.fax.append(kind)
    return heard


def key(
    digit: str, ms: float, low: float = -10.0, high: float = -10.0, *, off: tuple[float, float] = (0.0, 0.0),
    phase: tuple[float, float] = (0.0, 0.0),
) -> Samples:  # fmt: skip
    """One key: levels in dBm0, frequencies off by these shares."""
    place, time = KEYS.index(digit), np.arange(round(ms * 8)) / 8_000
    one = 10 ** (low / 20) * np.sin(2 * np.pi * LOW[place // 4] * (1 + off[0]) * time + phase[0])
    return PEAK * (one + 10 ** (high / 20) * np.sin(2 * np.pi * HIGH[place % 4] * (1 + off[1]) * time + phase[1]))


def presses(
    chance: np.random.Generator, on_ms: float, off_ms: float, *, keys: str = KEYS, noise_db: float = 0.0, **how: Any
) -> Samples:
    """Keys one after another at any place within a packet; `noise_db`: the S/N, 0 for none."""
    parts = [np.zeros(int(chance.integers(0, 320)))]
    for digit in keys:
        phases = chance.uniform(0, 2 * np.pi, 2)
        parts += [key(digit, on_ms, phase=(phases[0], phases[1]), **how), np.zeros(round(off_ms * 8))]
    sound = np.concatenate(parts)
    if noise_db:
        power = PEAK**2 / 2 * (10 ** (how.get("low", -10.0) / 10) + 10 ** (how.get("high", -10.0) / 10))
        sound = sound + chance.normal(size=sound.size) * np.sqrt(power / 10 ** (noise_db / 10))
    return sound


# --- what must be taken ---------------------------------------------------------------------------------------
MUST_ACCEPT: dict[str, dict[str, Any]] = {
    "the shortest": {},
    "low and high 1.5 % below": {"off": (-0.015, -0.015)},
    "low below, high above": {"off": (-0.015, 0.015)},
    "low above, high below": {"off": (0.015, -0.015)},
    "both above": {"off": (0.015, 0.015)},
    "twist 8 dB": {"low": -8.0, "high": -16.0},
    "reverse twist 4 dB": {"low": -12.0, "high": -8.0},
    "S/N 15 dB": {"noise_db": 15.0},
    "S/N 15 dB, twisted, off": {"noise_db": 15.0, "low": -8.0, "high": -16.0, "off": (0.015, -0.015)},
    "S/N 15 dB, twisted the other way, off": {"noise_db": 15.0, "low": -12.0, "high": -8.0, "off": (-0.015, 0.015)},
    "26 dB below": {"low": -36.0, "high": -36.0},
    "35 dB of range: -40": {"low": -40.0, "high": -40.0},
    "35 dB of range: -5": {"low": -5.0, "high": -5.0},
    "0 dBm0 each, clipped": {"low": 0.0, "high": 0.0},
    "25 dB below with 8 dB of twist": {"low": -25.0, "high": -33.0},
}


@LAWS
@pytest.mark.parametrize("how", MUST_ACCEPT.values(), ids=MUST_ACCEPT.keys())
def test_what_must_be_accepted_is(law: int, how: dict[str, Any]) -> None:
    chance = np.random.default_rng(7)
    for _ in range(10):
        heard = hear(presses(chance, 40, 50, **how), law)
        assert heard.keys == KEYS
        assert heard.started == KEYS


@LAWS
@pytest.mark.parametrize("frame", [80, 160, 240, 320, 480])
def test_frames_of_any_length(law: int, frame: int) -> None:
    chance = np.random.default_rng(8)
    for _ in range(5):
        assert hear(presses(chance, 40, 50), law, frame=frame).keys == KEYS


@LAWS
def test_the_bandwidth_is_three_percent_at_least(law: int) -> None:
    """Mitel CM7291: each tone alone, at any place within ±1.5 %."""
    for place in range(-15, 16, 3):
        for off in ((place / 1_000, 0.0), (0.0, place / 1_000)):
            assert hear(presses(np.random.default_rng(place + 99), 50, 50, off=off), law).keys == KEYS


@LAWS
def test_twist_in_steps(law: int) -> None:
    for tenth in range(0, 81, 5):
        sound = presses(np.random.default_rng(tenth), 50, 50, low=-6.0, high=-6.0 - tenth / 10)
        assert hear(sound, law).keys == KEYS, f"twist {tenth / 10} dB"
    for tenth in range(0, 41, 5):
        sound = presses(np.random.default_rng(tenth), 50, 50, low=-6.0 - tenth / 10, high=-6.0)
        assert hear(sound, law).keys == KEYS, f"reverse twist {tenth / 10} dB"


@LAWS
def test_a_thousand_bursts_in_noise(law: int) -> None:
    heard = hear(presses(np.random.default_rng(5), 50, 50, keys=KEYS * 63, noise_db=26.0), law)
    assert heard.keys == KEYS * 63


@LAWS
@pytest.mark.parametrize("break_ms", [2, 5, 10])
def test_a_break_within_a_key_is_bridged(law: int, break_ms: int) -> None:
    chance = np.random.default_rng(4)
    for digit in KEYS:
        sound = presses(chance, 60, 60, keys=digit)
        middle = sound.size - 60 * 8 - 30 * 8
        sound[middle : middle + break_ms * 8] = 0
        assert hear(sound, law).keys == digit


@LAWS
def test_a_pause_of_40_ms_divides(law: int) -> None:
    chance = np.random.default_rng(3)
    for _ in range(10):
        assert hear(presses(chance, 50, 40, keys="1122#"), law).keys == "1122#"


def test_a_key_follows_another_without_any_pause() -> None:
    assert hear(presses(np.random.default_rng(3), 80, 0, keys="1593")).keys == "1593"


def test_durations_and_a_long_press() -> None:
    heard = hear(np.concatenate([key("5", 120), np.zeros(800), key("6", 4_000)]))
    assert heard.keys == "56"
    assert heard.started == "56"
    assert abs(heard.ms[0] - 120) <= 10
    assert heard.ms[1] == 3_000  # told while it is held, as in RFC 4733's way


# --- what must not ------------------------------------------------------------------------------------------
@LAWS
@pytest.mark.parametrize("off", [
    (-0.035, 0.0), (0.035, 0.0), (0.0, -0.035), (0.0, 0.035), (0.035, 0.035), (-0.035, -0.035), (0.035, -0.035),
    (-0.05, 0.0), (0.05, 0.05), (0.0, 0.05), (-0.05, -0.05),
])  # fmt: skip
def test_frequencies_off_by_3_5_percent_are_rejected(law: int, off: tuple[float, float]) -> None:
    chance = np.random.default_rng(7)
    for on_ms in (40, 60, 200):
        heard = hear(presses(chance, on_ms, 60, off=off), law)
        assert (heard.keys, heard.started) == ("", "")


@LAWS
def test_tones_of_23_ms_are_rejected(law: int) -> None:
    chance = np.random.default_rng(7)
    for on_ms in (10, 15, 20, 23, 24):
        for _ in range(5):
            heard = hear(presses(chance, on_ms, 60), law)
            assert (heard.keys, heard.started) == ("", "")


@LAWS
def test_one_tone_alone_two_of_a_group_and_three_are_none(law: int) -> None:
    time = np.arange(1_600) / 8_000
    for mixed in ((697,), (1_336,), (697, 770), (1_209, 1_336), (350, 440), (480, 620), (425,), (440, 480), (1_000,),
                  (697, 852, 1_209), (697, 1_209, 1_477), (1_100,), (2_100,)):  # fmt: skip
        sound = sum((PEAK * 0.2 * np.sin(2 * np.pi * hertz * time) for hertz in mixed), np.zeros(1_600))
        heard = hear(sound, law)
        assert (heard.keys, heard.started) == ("", ""), mixed


@LAWS
def test_twist_beyond_telephones_is_rejected(law: int) -> None:
    for low, high in ((-6.0, -18.0), (-14.0, -6.0)):
        assert hear(presses(np.random.default_rng(2), 60, 60, low=low, high=high), law).keys == ""


@LAWS
def test_noise_holds_no_keys(law: int) -> None:
    chance = np.random.default_rng(2)
    for level in (100, 1_000, 6_000):
        heard = hear(chance.normal(size=8_000 * 300) * level, law)
        assert (heard.keys, heard.started, heard.cuts) == ("", "", 0)


def test_switched_off_nothing_is_heard() -> None:
    assert hear(key("5", 100), mode=tones.FAX_ON).keys == ""
    assert hear(key("5", 100), mode=tones.FAX_ON).cuts == 0


# --- losses -------------------------------------------------------------------------------------------------
@LAWS
@pytest.mark.parametrize("share", [0.01, 0.05])
@pytest.mark.parametrize("how", MUST_ACCEPT.values(), ids=MUST_ACCEPT.keys())
def test_what_must_be_accepted_is_accepted_under_loss(law: int, share: float, how: dict[str, Any]) -> None:
    """Every key of which a packet has come, once; keys of 40 ms may lie in two packets that are both lost."""
    chance = np.random.default_rng(11)
    for _ in range(3):
        for on_ms, off_ms in ((40, 50), (100, 80)):
            sound = presses(chance, on_ms, off_ms, **how)
            lost = chance.random(sound.size // 160 + 20) < share
            lost &= ~np.roll(lost, 1)  # two in a row: test_bursts
            assert hear(sound, law, lost=lost).keys == KEYS


@LAWS
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_loss_rejects_what_must_be_rejected(law: int, share: float) -> None:
    chance = np.random.default_rng(12)  # with every second packet gone a frequency can't be told
    for off in ((-0.035, 0.0), (0.035, 0.0), (0.0, -0.035), (0.0, 0.035)):
        for _ in range(10):
            sound = presses(chance, 100, 60, off=off)
            lost = chance.random(sound.size // 160 + 20) < share
            lost &= ~np.roll(lost, 1) & ~np.roll(lost, 2)
            assert hear(sound, law, lost=lost).started == ""


@LAWS
def test_bursts_of_loss_lose_no_press_and_double_none(law: int) -> None:
    """Random loss of 5 %, two or three in a row among it, on presses as people make them."""
    chance = np.random.default_rng(13)
    for _ in range(30):
        sound = presses(chance, 100, 100)
        assert hear(sound, law, lost=chance.random(sound.size // 160 + 20) < 0.05).keys == KEYS


def test_a_short_tone_with_a_loss_far_from_it_stays_none() -> None:
    sound = np.concatenate([np.zeros(160 * 5), key("5", 23), np.zeros(160 * 10)])
    for gone in range(30):
        if gone not in (4, 5, 6):  # its own packets, and the one before it
            lost = np.zeros(40, np.int64)
            lost[gone] = 1
            assert hear(sound, lost=lost).keys == ""


def _packets(sound: Samples) -> list[bytes]:
    octets = g711.encode(np.rint(sound).astype(np.int16), 0)
    return [octets[first : first + 160] for first in range(0, len(octets) - 159, 160)]


def _inband(**changes: Any) -> Rig:
    rig = Rig()
    rig.leg(tones=m.TONE_DIGITS, **{"events_in": -1, "events_out": -1, **changes})
    return rig


def test_packets_twice_and_in_the_wrong_order() -> None:
    rig = _inband()
    rig.leg(1)
    rig.bridge()
    packets = _packets(np.concatenate([np.zeros(800), presses(np.random.default_rng(1), 80, 80), np.zeros(1_600)]))
    order = [number ^ 1 if number < len(packets) & ~1 else number for number in range(len(packets))]
    for number in order:
        for _ in range(2):
            rig.receive(rtp(number, 160 * number, packets[number]))
        rig.tick(1)
    assert [event.digit for event in rig.take(m.DigitHeard)] == list(KEYS)


def test_silence_that_is_not_sent_ends_a_press() -> None:
    rig = _inband()
    for number, payload in enumerate(_packets(key("5", 100))):
        rig.receive(rtp(number, 160 * number, payload))
        rig.tick(1)
    assert rig.take(m.DigitHeard) == []
    rig.tick(20)
    assert rig.take(m.DigitHeard) == [m.DigitHeard(0, 1, "5", 100, "inband")]
    for number, payload in enumerate(_packets(key("5", 100))):  # the next talkspurt: sequence goes on, time has passed
        rig.receive(rtp(5 + number, 8_000 + 160 * number, payload))
        rig.tick(1)
    rig.tick(20)
    assert [event.digit for event in rig.take(m.DigitHeard)] == ["5"]


def test_another_stream_ends_a_press() -> None:
    rig = _inband()
    for number, payload in enumerate(_packets(key("5", 100))):
        rig.receive(rtp(number, 160 * number, payload))
    rig.tick(40)
    for number, payload in enumerate(_packets(key("5", 100))):
        rig.receive(rtp(9_000 + number, 99 + 160 * number, payload, ssrc=5))
    rig.tick(20)
    assert [event.digit for event in rig.take(m.DigitHeard)] == ["5", "5"]


# --- with RFC 4733 beside it ----------------------------------------------------------------------------------
def _event(sequence: int, timestamp: int, code: int, end: int, duration: int) -> bytes:
    body = bytes([code, end << 7 | 10, duration >> 8, duration & 255])
    return rtp(sequence, timestamp, body, payload_type=101)


def test_a_far_end_that_sends_both_gives_each_press_once() -> None:
    """A gateway without tone removal: the events begin while the tone sounds, and count from then on."""
    rig = _inband(events_in=101)
    sequence = 0
    sound = _packets(np.concatenate([np.zeros(1_600), key("4", 120), np.zeros(1_600)]))
    for place, payload in enumerate(sound * 5):
        at = place % len(sound)
        rig.receive(rtp(sequence, 160 * place, payload))
        sequence += 1
        if 13 <= at < 17:
            first = 160 * (place - at + 13)
            for _ in range(3 if at == 16 else 1):
                rig.receive(_event(sequence, first, 4, at == 16, 160 * (at - 12)))
                sequence += 1
        rig.tick(1)
    rig.tick(20)
    assert [(event.digit, event.way) for event in rig.take(m.DigitHeard)] == [("4", "rfc4733")] * 5


def test_a_new_agreement_does_not_bring_tones_back_beside_events() -> None:
    rig = _inband(events_in=101)
    for place in range(3):
        rig.receive(_event(place, 0, 7, place == 2, 160 * (place + 1)))
    rig.set(tones=m.TONE_DIGITS, events_in=101)
    for number, payload in enumerate(_packets(np.concatenate([key("5", 100), np.zeros(1_600)]))):
        rig.receive(rtp(3 + number, 160 * number, payload))
    assert [(event.digit, event.way) for event in rig.take(m.DigitHeard)] == [("7", "rfc4733")]


# --- what others hear -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("law", [0, 1])
def test_less_than_20_ms_of_a_key_reaches_the_partner(law: int) -> None:
    chance = np.random.default_rng(3)
    for lead in range(0, 160, 23):
        rig = _inband()
        rig.leg(1, codec_out=8 * law, payload_type_out=8 * law)
        rig.bridge()
        talk = chance.normal(size=3_200) * 300
        sound = np.concatenate([talk[: 1_600 + lead], key("8", 100), talk[:1_600]])
        for number, payload in enumerate(_packets(sound)):
            rig.receive(rtp(number, 160 * number, payload))
        heard = np.concatenate([g711.decode(packet.payload, law) for packet in rig.sent if packet.row == 1])
        loud = np.abs(heard.astype(np.int64)) > 2_500
        assert heard.size == sound.size // 160 * 160
        assert np.count_nonzero(loud) < 160
        assert np.abs(heard[: 1_440].astype(np.int64)).mean() > 100  # and nothing of what was said before is lost
        assert np.abs(heard[-800:].astype(np.int64)).mean() > 100
        assert hear(heard.astype(np.float64), law).keys == ""


def test_a_key_can_stop_the_play_inside_the_plane() -> None:
    rig = _inband()
    rig.clip(1, np.full(16_000, 4_000, np.int16))
    rig.play(1, flags=2)
    for number, payload in enumerate(_packets(key("5", 60))):
        rig.receive(rtp(number, 160 * number, payload))
    assert [event.digit for event in rig.take(m.DigitStarted)] == ["5"]
    assert rig.plane.legs[0, c.SOURCE] == c.NOTHING


def test_the_echo_of_a_key_that_was_sent_is_none() -> None:
    rig = _inband()
    rig.digits("9", on_ms=100)
    echoed = []
    for number in range(40):
        rig.tick(1)
        payload = rig.sent[-1].payload if rig.sent and rig.sent[-1].at_us == rig.now_us else b"\xff" * 160
        echoed.append(payload)
        rig.receive(rtp(number, 160 * number, echoed[-4] if number > 3 else b"\xff" * 160))
    assert any(payload != b"\xff" * 160 for payload in echoed)
    assert rig.take(m.DigitStarted) == []


def test_another_key_during_the_echo_is_heard() -> None:
    rig = _inband()
    rig.digits("9", on_ms=100)
    sound = _packets(np.concatenate([np.zeros(480), key("3", 100), np.zeros(1_600)]))
    for number, payload in enumerate(sound):
        rig.tick(1)
        rig.receive(rtp(number, 160 * number, payload))
    assert [event.digit for event in rig.take(m.DigitHeard)] == ["3"]


def test_digits_held_back_by_a_full_ring_keep_their_way() -> None:
    rig = _inband()
    head = int(rig.plane.happening_shared[c.HEAD])
    rig.plane.happening_shared[c.TAIL] = head - c.EVENT_SIZE
    packets = _packets(np.concatenate([presses(np.random.default_rng(1), 60, 60, keys="123"), np.zeros(800)]))
    record = np.frombuffer(rtp(0, 0), np.uint8)
    assert record.size == 172
    for number, payload in enumerate(packets):
        datagram = np.frombuffer(rtp(number, 160 * number, payload).ljust(2_048, b"\0"), np.uint8).copy()
        tones.listen(
            rig.plane, 0, number, 160 * number, 99, datagram, 12, 160, 0, rig.now_us
        )  # fmt: skip
        receive.report_tones(rig.plane, 0)
    assert rig.plane.legs[0, c.HELD_COUNT] == 3
    rig.plane.happening_shared[c.TAIL] = head
    rig.tick(6)
    assert [(event.digit, event.way) for event in rig.take(m.DigitHeard)] == [("1", "inband"), ("2", "inband"),
                                                                            ("3", "inband")]  # fmt: skip


# --- talk-off -------------------------------------------------------------------------------------------------
def _clip(path: Path, speed: float) -> Samples:
    with wave.open(str(path)) as file:
        rate, frames = file.getframerate(), file.readframes(file.getnframes())
        found = np.frombuffer(frames, np.int16)[:: file.getnchannels()].astype(np.float64)
    places = np.arange(int(found.size * 8_000 / rate / speed)) * (rate * speed / 8_000)
    return np.interp(places, np.arange(found.size), found)


@pytest.mark.parametrize("speed", [0.8, 0.9, 1.0, 1.1, 1.25])
def test_speech_and_music_hold_no_keys(speed: float) -> None:
    """All that ships, deeper and higher by so much: every voice of it once more. 0 keys, 0 faxes, both laws."""
    paths = [path for place in ("prompts/en", "prompts/zh", "prompts/music", "dialplans")
             for path in sorted((ROOT / place).rglob("*.wav")) if path.stat().st_size > 2_000]  # fmt: skip
    sound = np.concatenate([part for path in paths for part in (_clip(path, speed), np.zeros(200))])
    assert sound.size > 8_000 * 900
    for law, lost in ((0, None), (1, np.random.default_rng(3).random(sound.size // 160) < 0.05)):
        heard = hear(sound, law, lost=lost)
        assert (heard.keys, heard.started, heard.fax) == ("", "", [])
        assert heard.cuts <= 2  # packets of speech that were silenced for a suspicion: 40 ms an hour


# --- fax --------------------------------------------------------------------------------------------------------
def _calling(hertz: float, on: float, off: float, times: int = 1) -> Samples:
    tone = PEAK * 10 ** (-13 / 20) * np.sin(2 * np.pi * hertz * np.arange(round(on * 8_000)) / 8_000)
    return np.concatenate([np.zeros(3_000), *[tone, np.zeros(round(off * 8_000))] * times])


@LAWS
@pytest.mark.parametrize("hertz", [1_062, 1_100, 1_138])
@pytest.mark.parametrize("on", [0.425, 0.5, 0.575])
def test_a_calling_fax_is_told_once(law: int, hertz: float, on: float) -> None:
    """ITU-T T.30 §4.3.1: 1,100 Hz ± 38, half a second ± 15 %, again after three."""
    chance = np.random.default_rng(1)
    sound = _calling(hertz, on, 3.0, 3)
    sound += chance.normal(size=sound.size) * 20
    for lost in (None, chance.random(sound.size // 160 + 20) < 0.05):
        heard = hear(sound, law, lost=lost)
        assert heard.fax == [tones.CNG]
        assert heard.keys == ""
        assert heard.cuts == 0


@LAWS
@pytest.mark.parametrize("hertz", [2_085, 2_100, 2_115])
def test_an_answering_fax_is_told_once(law: int, hertz: float) -> None:
    assert hear(_calling(hertz, 3.0, 1.0, 2), law).fax == [tones.CED]


@pytest.mark.parametrize(("hertz", "on", "off"), [
    (1_000, 0.5, 3.0), (1_200, 0.5, 3.0), (1_100, 0.25, 3.0), (1_100, 1.0, 3.0), (1_100, 0.5, 0.1), (2_000, 3.0, 1.0),
    (2_100, 0.4, 1.0), (425, 0.5, 0.5),
])  # fmt: skip
def test_other_tones_are_no_fax(hertz: float, on: float, off: float) -> None:
    sound = _calling(hertz, on, off, 3)
    assert hear(np.concatenate([sound, _calling(440, 1.0, 0.0)[3_000:]])).fax == []


def test_a_fax_is_told_through_the_plane_and_then_not_listened_for() -> None:
    rig = Rig()
    rig.leg(tones=m.TONE_FAX)
    for number, payload in enumerate(_packets(_calling(1_100, 0.5, 3.0, 2))):
        rig.receive(rtp(number, 160 * number, payload))
    assert rig.take(m.FaxHeard) == [m.FaxHeard(0, 1, "cng")]
    assert rig.plane.legs[0, c.TONES] == 0


def test_a_leg_gives_its_state_back_and_one_without_listens_for_nothing() -> None:
    rig = Rig()
    rig.plane.counters[c.FREE_TONES] = 1
    rig.leg(0, tones=m.TONE_DIGITS)
    rig.leg(1, tones=m.TONE_DIGITS)
    assert [int(rig.plane.legs[row, c.TONES]) for row in (0, 1)] == [1, 0]
    for number, payload in enumerate(_packets(key("5", 100))):
        rig.receive(rtp(number, 160 * number, payload), 1)
    rig.apply(control.CLOSE_LEG, 0, 1)
    assert rig.plane.counters[c.FREE_TONES] == 1
    rig.set(1, tones=m.TONE_DIGITS)
    for number, payload in enumerate(_packets(np.concatenate([key("5", 100), np.zeros(800)]))):
        rig.receive(rtp(9 + number, 8_000 + 160 * number, payload), 1)
    assert [event.digit for event in rig.take(m.DigitHeard)] == ["5"]


def test_after_a_minute_no_fax_is_listened_for() -> None:
    rig = Rig()
    rig.leg(tones=m.TONE_FAX)
    for number in range(3_000):
        rig.receive(rtp(number, 160 * number))
    assert rig.plane.legs[0, c.TONES] == 0
