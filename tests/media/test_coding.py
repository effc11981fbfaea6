"""Legs of G.722 and L16: what passes untouched, what is decoded for whom, and that nothing breaks at the seams."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import numpy as np
import pytest

from engine.media import clips, coding, control, g711, g722
from engine.media import columns as c
from engine.media.commands import EVENTS_16, G722, L16_8, L16_16, TONE_DIGITS, TONE_FAX, DigitHeard, FaxHeard
from tests.media.rig import Rig, Sent, encoded, rtp, tone

WIDE: dict[str, Any] = {"codec_out": G722, "payload_type_out": 9, "codecs_in": ((9, G722), (0, 0))}
LINEAR_8: dict[str, Any] = {"codec_out": L16_8, "payload_type_out": 96, "codecs_in": ((96, L16_8),)}
LINEAR_16: dict[str, Any] = {"codec_out": L16_16, "payload_type_out": 97, "codecs_in": ((97, L16_16),)}


def bridged(one: dict[str, Any], other: dict[str, Any]) -> Rig:
    rig = Rig()
    rig.leg(0, **one)
    rig.leg(1, **other)
    for row, shape in ((0, one), (1, other)):  # both have sent: no limit of 5 s
        rig.receive(rtp(30_000, 0, payload(shape, np.zeros(320)), ssrc=70 + row, payload_type=kind(shape)), row)
    rig.bridge()
    return rig


def kind(shape: dict[str, Any]) -> int:
    return int(shape.get("payload_type_out", 0))


def payload(shape: dict[str, Any], wide: np.ndarray) -> bytes:
    """20 ms of a signal at 16 kHz, silence usually, from a fresh coder."""
    codec = shape.get("codec_out", 0)
    samples = wide.astype(np.int16)
    if codec == G722:
        return g722.encoded(samples)
    if codec == L16_16:
        return samples.astype(">i2").tobytes()
    if codec == L16_8:
        return samples[::2].astype(">i2").tobytes()
    return g711.encode(samples[::2], g711.law_of(codec))


def stream(shape: dict[str, Any], wide: np.ndarray) -> list[bytes]:
    """A signal at 16 kHz as payloads of 20 ms."""
    if shape.get("codec_out", 0) == G722:
        octets = g722.encoded(wide.astype(np.int16))
        return [octets[at : at + 160] for at in range(0, len(octets), 160)]
    return [payload(shape, wide[at : at + 320]) for at in range(0, wide.size, 320)]


def sent_through(rig: Rig, shape: dict[str, Any], wide: np.ndarray, row: int = 0) -> list[Sent]:
    """Send a signal into a leg, packet by packet in time; what went out of all legs."""
    step = 320 if shape.get("codec_out", 0) == L16_16 else 160
    before = len(rig.sent)
    for number, octets in enumerate(stream(shape, wide)):
        rig.now_us += 20_000
        rig.receive(rtp(number, step * number, octets, ssrc=5, payload_type=kind(shape)), row)
    return rig.sent[before:]


def heard(packets: list[Sent], shape: dict[str, Any]) -> tuple[np.ndarray, int]:
    """(what a far end hears, at which rate)."""
    octets = b"".join(packet.payload for packet in packets)
    codec = shape.get("codec_out", 0)
    if codec == G722:
        return g722.decoded(octets), 16_000
    if codec in (L16_8, L16_16):
        return np.frombuffer(octets, ">i2").astype(np.int16), 8_000 if codec == L16_8 else 16_000
    return g711.decode(octets, g711.law_of(codec)), 8_000


def loud(hertz: float, seconds: float = 1.0, peak: float = 9_000.0) -> np.ndarray:
    return np.rint(peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 16_000)) / 16_000))


def level_at(samples: np.ndarray, rate: int, hertz: int) -> float:
    """Level of one frequency against a full 9,000, in dB, once things have settled."""
    part = samples[rate // 4 : rate // 4 + rate // 2].astype(float)
    place = np.arange(part.size) / rate
    amount = abs((part * np.exp(-2j * np.pi * hertz * place)).sum()) * 2 / part.size
    return float(20 * np.log10(amount / 9_000 + 1e-9))


ALL = {"G722": WIDE, "L16": LINEAR_8, "L16/16000": LINEAR_16, "PCMU": {}, "PCMA": {
    "codec_out": 8, "payload_type_out": 8, "codecs_in": ((8, 8),)
}}  # fmt: skip


@pytest.mark.parametrize("one", ALL)
@pytest.mark.parametrize("other", ALL)
def test_any_codec_is_heard_in_any_other(one: str, other: str) -> None:
    rig = bridged(ALL[one], ALL[other])
    sent = sent_through(rig, ALL[one], loud(1_000))
    assert len(sent) == 50 and {packet.payload_type for packet in sent} == {kind(ALL[other])}
    wave, rate = heard(sent, ALL[other])
    assert abs(level_at(wave, rate, 1_000)) < 0.5
    step = 320 if ALL[other].get("codec_out") == L16_16 else 160
    assert {after.timestamp - before.timestamp for before, after in itertools.pairwise(sent)} == {step}


@pytest.mark.parametrize(("one", "other"), [
    ("G722", "G722"), ("L16/16000", "L16/16000"), ("G722", "L16/16000"), ("L16/16000", "G722"),
])  # fmt: skip
def test_between_wideband_legs_the_upper_band_is_kept(one: str, other: str) -> None:
    sent = sent_through(bridged(ALL[one], ALL[other]), ALL[one], loud(6_000))
    assert abs(level_at(*heard(sent, ALL[other]), 6_000)) < 1.5


@pytest.mark.parametrize("one", ["G722", "L16/16000"])
@pytest.mark.parametrize("other", ["PCMU", "L16"])
def test_into_narrowband_the_upper_band_does_not_fold_back(one: str, other: str) -> None:
    sent = sent_through(bridged(ALL[one], ALL[other]), ALL[one], loud(6_000))
    wave, rate = heard(sent, ALL[other])
    assert level_at(wave, rate, 2_000) < -30


@pytest.mark.parametrize("name", ["G722", "L16/16000", "L16"])
def test_the_same_codec_passes_untouched_whatever_the_frame(name: str) -> None:
    shape = ALL[name]
    rig = bridged(shape, shape | {"frame_ms_out": 30})
    octets = stream(shape, loud(500, 0.02))[0]
    sent = rig.receive(rtp(1, 1, octets, ssrc=5, payload_type=kind(shape)), 0)
    assert [packet.payload for packet in sent] == [octets]
    assert rig.plane.legs[1, c.SLOT] == -1


def test_a_prompt_on_a_wideband_leg() -> None:
    rig = Rig()
    rig.leg(0, **WIDE)
    rig.receive(rtp(1, 1, b"\xfa" * 160, payload_type=9), 0)
    rig.clip(0, tone(1.0, 1_000, 9_000))
    rig.play(0)
    sent = rig.tick(50)
    assert {(packet.payload_type, len(packet.payload)) for packet in sent} == {(9, 160)}
    assert abs(level_at(*heard(sent, WIDE), 1_000)) < 0.5


def test_digits_as_tones_on_a_wideband_leg() -> None:
    rig = Rig()
    rig.leg(0, **(WIDE | {"events_out": -1}))
    rig.receive(rtp(1, 1, b"\xfa" * 160, payload_type=9), 0)
    rig.digits("5", on_ms=200)
    wave, _ = heard(rig.tick(20), WIDE)
    spectrum = np.abs(np.fft.rfft(wave[:3_200] * np.hanning(3_200)))
    peaks = sorted(np.argsort(spectrum)[-20:] * 5)
    assert any(abs(peak - 770) < 15 for peak in peaks) and any(abs(peak - 1_336) < 15 for peak in peaks)


@pytest.mark.parametrize("name", ["G722", "L16/16000", "L16"])
def test_a_recording_has_both_sides(name: str) -> None:
    shape = ALL[name]
    rig = bridged(shape, ALL["PCMU"])
    rig.apply(control.START_TAP, 0, 1, 0)
    for number, octets in enumerate(stream(shape, loud(1_000))):
        step = 320 if name == "L16/16000" else 160
        rig.receive(rtp(number, step * number, octets, ssrc=5, payload_type=kind(shape)), 0)
        back = encoded(tone(0.02, 500, 4_000))
        rig.receive(rtp(number, 160 * number, back, ssrc=6), 1)
        rig.tick()
    frames = rig.plane.tap_frames[0].reshape(-1, 2)[: 40 * 160]
    assert abs(level_at(frames[:, 0], 8_000, 1_000)) < 1
    assert abs(level_at(frames[:, 1], 8_000, 500) - 20 * np.log10(4 / 9)) < 1


def test_a_recording_of_two_wideband_legs_leaves_their_sound_untouched() -> None:
    rig = bridged(WIDE, WIDE)
    for row in (0, 1):
        rig.apply(control.START_TAP, row, 1, row)
    packets = stream(WIDE, loud(1_000))
    for number, octets in enumerate(packets):
        rig.receive(rtp(number, 160 * number, octets, ssrc=5, payload_type=9), 0)
        rig.tick()
    assert [packet.payload for packet in rig.sent if packet.row == 1] == packets
    left = rig.plane.tap_frames[0].reshape(-1, 2)[: 40 * 160, 0]
    right = rig.plane.tap_frames[1].reshape(-1, 2)[: 40 * 160, 1]
    assert abs(level_at(left, 8_000, 1_000)) < 1 and abs(level_at(right, 8_000, 1_000)) < 1


def test_a_conference_of_all_codecs() -> None:
    rig = Rig()
    shapes = [WIDE, LINEAR_16, {}]
    for row, shape in enumerate(shapes):
        rig.leg(row, **shape)
    rig.mix((0, (1, 2)), (1, (0, 2)), (2, (0, 1)))
    octets = stream(WIDE, loud(1_000, 1.2))
    for number in range(60):
        rig.receive(rtp(number, 160 * number, octets[number], ssrc=5, payload_type=9), 0)
        quiet = np.zeros(320)
        rig.receive(rtp(number, 320 * number, payload(LINEAR_16, quiet), ssrc=6, payload_type=97), 1)
        rig.receive(rtp(number, 160 * number, payload({}, quiet), ssrc=7), 2)
        rig.tick()
    for row, shape in ((1, LINEAR_16), (2, {})):
        wave, rate = heard([packet for packet in rig.sent if packet.row == row], shape)
        assert abs(level_at(wave, rate, 1_000)) < 1


def test_another_frame_is_paced_in_the_lower_band() -> None:
    rig = bridged({}, WIDE | {"frame_ms_out": 30})
    for number, octets in enumerate(stream({}, loud(1_000))):
        rig.receive(rtp(number, 160 * number, octets, ssrc=5), 0)
        rig.tick()
    sent = [packet for packet in rig.sent if packet.row == 1]
    assert {len(packet.payload) for packet in sent[2:]} == {240}
    assert abs(level_at(*heard(sent, WIDE), 1_000)) < 1


def test_from_untouched_packets_the_coder_goes_on_where_the_far_end_is() -> None:
    """A loud conversation passes untouched, then a prompt begins: the far end must not hear the coder's start."""
    rig = bridged(WIDE, WIDE)
    loudest = stream(WIDE, loud(300, 0.5, 28_000) * (1 + 0.1 * np.sin(np.arange(8_000) / 90)))
    for number, octets in enumerate(loudest):
        rig.receive(rtp(number, 160 * number, octets, ssrc=5, payload_type=9), 0)
        rig.tick()
    rig.clip(3, np.zeros(1_600, np.int16))
    rig.play(3, row=1)
    rig.tick(10)
    sent = [packet for packet in rig.sent if packet.row == 1]
    wave, _ = heard(sent, WIDE)
    after = wave[len(loudest) * 320 + 160 :]
    assert np.abs(after.astype(int)).max() < 400  # of 28,000: silence is silence within 10 ms


def test_a_late_packet_is_decoded_and_disturbs_nobody() -> None:
    packets = stream(WIDE, loud(800))
    plain = bridged(WIDE, {})
    sent_through(plain, WIDE, loud(800))
    rig = bridged(WIDE, {})
    order = [*range(20), 21, 20, *range(22, 50)]
    for number in order:
        rig.now_us += 20_000
        rig.receive(rtp(number, 160 * number, packets[number], ssrc=5, payload_type=9), 0)
    by_number = sorted(rig.sent, key=lambda packet: packet.sequence)
    assert [packet.sequence for packet in by_number] == [packet.sequence for packet in plain.sent]
    wave, _ = heard(by_number, {})
    assert abs(level_at(wave, 8_000, 800)) < 0.5


@pytest.mark.parametrize(("shape", "octets"), [
    (LINEAR_8, b"\0" * 321), (LINEAR_16, b"\0" * 642), (WIDE, b"\0" * 961), (LINEAR_8, b"")
])  # fmt: skip
def test_payloads_that_cannot_be(shape: dict[str, Any], octets: bytes) -> None:
    rig = bridged(shape, {})
    assert rig.receive(rtp(1, 1, octets, ssrc=5, payload_type=kind(shape)), 0) == []
    assert rig.plane.legs[0, c.IGNORED] == 1


def test_what_is_too_long_for_the_other_codec_is_left_out() -> None:
    """120 ms of G.711 as L16 at 16 kHz would be 3,840 bytes: more than a packet."""
    rig = bridged({}, LINEAR_16)
    rig.apply(control.ECHO, 0, 1)
    rig.set(0, **LINEAR_16 | {"codecs_in": ((0, 0),)})
    for number in range(3):
        rig.now_us += 20_000
        assert rig.receive(rtp(number, 960 * number, b"\x55" * 960, ssrc=5), 0) == []
    assert rig.plane.counters[c.OUT_COUNT] == 0


def test_a_clock_of_16_khz_wraps_without_a_seam() -> None:
    rig = bridged(LINEAR_16, {})
    first = 0xFFFFFFFF - 320 * 5
    sent = []
    for number in range(20):
        rig.now_us += 20_000
        stamp = first + 320 * number
        sent += rig.receive(rtp(number, stamp, payload(LINEAR_16, loud(500, 0.02)), ssrc=5, payload_type=97), 0)
    assert {after.timestamp - before.timestamp for before, after in itertools.pairwise(sent)} == {160}
    assert [packet.marker for packet in sent] == [1] + [0] * 19


def test_events_of_both_clocks() -> None:
    rig = Rig()
    rig.leg(0, **(LINEAR_16 | {
        "codecs_in": ((97, L16_16), (102, EVENTS_16)), "events_out": 102, "events_rate_out": 16_000,
    }))  # fmt: skip
    rig.receive(rtp(1, 1, payload(LINEAR_16, np.zeros(320)), payload_type=97), 0)
    for number in range(3):  # 100 ms at 16 kHz
        rig.receive(rtp(2 + number, 640, struct.pack(">BBH", 5, 0x8A, 1_600), payload_type=102), 0)
    assert [(event.digit, event.duration_ms) for event in rig.take(DigitHeard)] == [("5", 100)]
    rig.digits("7", on_ms=100)
    sent = [packet for packet in rig.tick(10) if packet.payload_type == 102]
    assert struct.unpack(">BBH", sent[-1].payload) == (7, 0x8A, 1_600)
    assert len({packet.timestamp for packet in sent}) == 1


def test_another_codec_in_the_middle_of_a_call() -> None:
    rig = bridged(WIDE, WIDE)
    for number, octets in enumerate(stream(WIDE, loud(600, 0.2))):
        rig.now_us += 20_000
        rig.receive(rtp(number, 160 * number, octets, ssrc=5, payload_type=9), 0)
    rig.set(1)  # PCMU from now on
    rig.sent.clear()
    for number in range(10, 60):
        rig.now_us += 20_000
        octets = stream(WIDE, loud(600))[number - 10]
        rig.receive(rtp(number, 160 * number, octets, ssrc=5, payload_type=9), 0)
    wave, rate = heard(rig.sent, {})
    assert {packet.payload_type for packet in rig.sent} == {0}
    assert abs(level_at(wave, rate, 600)) < 0.5


def test_lengths() -> None:
    assert [coding.samples_of(codec, 320) for codec in (0, G722, L16_8, L16_16)] == [320, 320, 160, 80]
    assert [coding.samples_of(codec, 321) for codec in (0, L16_8, L16_16)] == [321, 0, 0]
    assert coding.samples_of(0, 961) == 0
    assert [coding.law_of(codec) for codec in (0, 8, G722, L16_16)] == [0, 1, coding.LINEAR, coding.LINEAR]
    assert clips.RATE == 8_000  # what LINEAR counts in


# --- keys and fax tones in the sound -------------------------------------------------------------------------------
def key_16(low: float, high: float, ms: int = 100, peak: float = 4_000.0) -> np.ndarray:
    time = np.arange(16 * ms) / 16_000
    return np.rint(peak * (np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)))


def test_keys_are_heard_in_every_codec() -> None:
    for name, shape in ALL.items():
        rig = Rig()
        rig.leg(0, **shape, events_in=-1, events_out=-1, tones=TONE_DIGITS)
        parts = [np.zeros(1_500)]
        for low, high in ((770, 1_336), (941, 1_477), (697, 1_209)):
            parts += [key_16(low, high), np.zeros(1_280)]
        sent_through(rig, shape, np.concatenate([*parts, np.zeros(6_400 - sum(map(len, parts)) % 320)]))
        assert [(event.digit, event.way) for event in rig.take(DigitHeard)] == [
            ("5", "inband"), ("#", "inband"), ("1", "inband")
        ], name


@pytest.mark.parametrize(("hertz", "on", "tone"), [(1_100, 0.5, "cng"), (2_100, 1.0, "ced")])
def test_a_fax_is_heard_in_every_codec(hertz: float, on: float, tone: str) -> None:
    for name, shape in ALL.items():
        rig = Rig()
        rig.leg(0, **shape, tones=TONE_FAX)
        sent_through(rig, shape, np.concatenate([loud(hertz, on, 5_000.0), np.zeros(16_000)]))
        assert rig.take(FaxHeard) == [FaxHeard(0, 1, tone)], name
        assert rig.plane.legs[0, c.TONES] == 0


@pytest.mark.parametrize("one", ["G722", "L16", "L16/16000"])
@pytest.mark.parametrize("other", ALL)
def test_less_than_20_ms_of_a_key_reaches_a_partner_of_any_codec(one: str, other: str) -> None:
    """And what was said before and after passes, in a partner's own codec untouched."""
    rig = bridged(ALL[one], ALL[other])
    rig.set(0, **ALL[one], events_in=-1, events_out=-1, tones=TONE_DIGITS)
    talk = loud(300, 0.4, 1_500.0)
    whole = np.concatenate([talk, key_16(852, 1_336), talk])
    sent = sent_through(rig, ALL[one], whole)
    rig.tick(20)
    wave, rate = heard(sent, ALL[other])
    assert len(wave) == whole.size * rate // 16_000 and len(sent) == whole.size // 320
    loudness = np.abs(wave.astype(np.int64))
    assert np.count_nonzero(loudness > 3_000) < rate // 50
    middle = loudness[round(0.44 * rate) : round(0.5 * rate)]
    assert middle.mean() < 150, "silence, once the key is known"
    for first, end in ((0.1, 0.38), (0.6, 0.88)):
        assert loudness[round(first * rate) : round(end * rate)].mean() > 700
    assert [event.digit for event in rig.take(DigitHeard)] == ["8"]
    if one == other:
        said = stream(ALL[one], whole)
        same = [packet.payload == octets for packet, octets in zip(sent, said, strict=True)]
        assert all(same[:20]) and all(same[28:]) and not any(same[22:25])
