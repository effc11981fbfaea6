"""RFC 3389: what is heard while a far end is silent, how loud, in which colour, and that nobody takes it for dead."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine.media import columns as c
from engine.media import control, g711
from engine.media.commands import G722, L16_16, MediaBack, MediaMissing
from tests.media.rig import Rig, Sent, rtp


def silent(payload: bytes = b"\x32", **other: object) -> Rig:
    """Two legs that have talked; the first has just said how its silence sounds."""
    rig = Rig()
    rig.leg(0)
    rig.leg(1, **other)
    kind = int(rig.plane.legs[1, c.PAYLOAD_TYPE_OUT])
    rig.receive(rtp(30_000, 0, b"\xff" * 160, ssrc=77, payload_type=kind), 1)
    rig.bridge()
    for number in range(5):
        rig.receive(rtp(number, 160 * number, b"\xff" * 160, ssrc=5), 0)
        rig.tick()
    rig.sent.clear()
    rig.receive(rtp(5, 800, payload, ssrc=5, payload_type=13), 0)
    return rig


def wave(packets: list[Sent]) -> np.ndarray:
    return g711.decode(b"".join(packet.payload for packet in packets if packet.row == 1), 0).astype(float)


@pytest.mark.parametrize("level", [30, 40, 50])
def test_noise_of_the_level_that_was_said(level: int) -> None:
    rig = silent(bytes([level]))
    sent = rig.tick(100)
    assert {packet.row for packet in sent} == {1} and len(sent) == 100
    rms = np.sqrt((wave(sent) ** 2).mean())
    assert abs(20 * np.log10(rms / 32_767) + level) < 1.5
    steps = {after.timestamp - before.timestamp for before, after in itertools.pairwise(sent)}
    assert steps == {160} and [packet.sequence - sent[0].sequence for packet in sent] == list(range(100))


@pytest.mark.parametrize(("byte", "lower"), [(30, True), (224, False)])
def test_noise_of_the_colour_that_was_said(byte: int, lower: bool) -> None:
    """A negative first coefficient is a low rumble, a positive one a hiss; the level stays."""
    sent = silent(bytes([36, byte])).tick(200)
    sound = wave(sent)
    assert abs(20 * np.log10(np.sqrt((sound**2).mean()) / 32_767) + 36) < 1.5
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    half = spectrum.size // 2
    ratio = 10 * np.log10(spectrum[:half].sum() / spectrum[half:].sum())
    assert ratio > 8 if lower else ratio < -8


def test_all_coefficients_and_nonsense_stay_within_bounds() -> None:
    for payload in (b"\x00", b"\xff" + b"\xff" * 30, b"\x00" + b"\x00" * 12, b"\x30" + b"\xfe\x00" * 5):
        sound = wave(silent(payload).tick(50))
        assert np.isfinite(sound).all()
        assert np.sqrt((sound**2).mean()) < 32_767 * 10 ** (-22 / 20)  # nobody's ears are hurt by a mistake


def test_speech_ends_it_at_once() -> None:
    rig = silent()
    rig.tick(10)
    rig.sent.clear()
    rig.receive(rtp(6, 800 + 11 * 160, b"\x20" * 160, ssrc=5, marker=1), 0)
    first = rig.sent[0]
    assert (first.payload, first.marker) == (b"\x20" * 160, 1)
    assert rig.tick(5) == []
    assert rig.plane.coding[0, c.COMFORT] == 0


def test_whoever_announced_silence_is_asked_only_after_15_s() -> None:
    rig = silent()
    rig.tick(14 * 50)
    assert [event for event in rig.take(MediaMissing) if event.row == 0] == []
    rig.tick(2 * 50)
    assert [(event.row, event.silent_ms) for event in rig.take(MediaMissing) if event.row == 0] == [(0, 15_000)]
    rig.receive(rtp(6, 9_000, b"\x32", ssrc=5, payload_type=13), 0)  # another such packet is a sign of life
    assert [event.row for event in rig.take(MediaBack)] == [0]


def test_a_recording_has_the_noise_and_not_a_hole() -> None:
    rig = silent(b"\x28")
    rig.apply(control.START_TAP, 0, 1, 0)
    rig.tick(50)
    left = rig.plane.tap_frames[0].reshape(-1, 2)[10 * 160 : 45 * 160, 0].astype(float)
    blocks = np.sqrt((left.reshape(-1, 160) ** 2).mean(axis=1))
    assert np.abs(20 * np.log10(blocks / 32_767) + 40).max() < 4


def test_a_mix_hears_it() -> None:
    rig = Rig()
    for row in range(3):
        rig.leg(row)
    rig.mix((0, (1, 2)), (1, (0, 2)), (2, (0, 1)))
    for number in range(5):
        for row in range(3):
            rig.receive(rtp(number, 160 * number, b"\xff" * 160, ssrc=5 + row), row)
        rig.tick()
    rig.receive(rtp(5, 800, b"\x28", ssrc=5, payload_type=13), 0)
    rig.tick(10)
    sound = wave(rig.tick(40))
    assert abs(20 * np.log10(np.sqrt((sound**2).mean()) / 32_767) + 40) < 2


@pytest.mark.parametrize("other", [
    {"frame_ms_out": 30}, {"codec_out": G722, "payload_type_out": 9, "codecs_in": ((9, G722),)},
])  # fmt: skip
def test_in_every_frame_and_codec(other: dict[str, object]) -> None:
    rig = silent(b"\x28", **other)
    length = {240 if "frame_ms_out" in other else 160}
    sent = rig.tick(60)
    assert len(sent) == (40 if "frame_ms_out" in other else 60)
    assert {len(packet.payload) for packet in sent} == length


def test_who_may_not_be_sent_to_gets_none() -> None:
    rig = silent()
    rig.set(1, send=False)
    assert rig.tick(20) == []
    rig.set(0, receive=False)
    rig.receive(rtp(6, 9_000, b"\x32", ssrc=5, payload_type=13), 0)


def test_the_same_packets_give_the_same_noise() -> None:
    assert (wave(silent().tick(20)) == wave(silent().tick(20))).all()


def test_beside_a_clock_of_16_khz_it_lies_where_the_speech_ended() -> None:
    """RFC 3389 §4: its packets count as those of the speech do."""
    rig = Rig()
    rig.leg(0, codec_out=L16_16, payload_type_out=97, codecs_in=((97, L16_16),))
    rig.apply(control.START_TAP, 0, 1, 0)
    first, slot, loud = 4_294_960_000, c.SLOTS, (b"\x20\x00" * 4 + b"\xe0\x00" * 4) * 40
    for number in range(20):
        rig.receive(rtp(number, first + 320 * number, loud, ssrc=5, payload_type=97), 0)
        rig.tick()
    end = int(rig.plane.playout[slot, c.END_AT])
    rig.receive(rtp(20, first + 320 * 20, b"\x28", ssrc=5, payload_type=13), 0)
    assert rig.plane.coding[0, c.COMFORT_AT] == end
    rig.tick(50)
    rig.receive(rtp(21, first + 320 * 70, loud, ssrc=5, payload_type=97, marker=1), 0)
    passed = (int(rig.plane.playout[slot, c.END_AT]) - end) & 0xFFFFFFFF
    assert passed == 51 * 160, "a second of noise, and 20 ms of speech behind it"
    left = rig.plane.tap_frames[0].reshape(-1, 2)[24 * 160 : 60 * 160, 0].astype(float)
    blocks = np.sqrt((left.reshape(-1, 160) ** 2).mean(axis=1))
    assert np.abs(20 * np.log10(blocks / 32_767) + 40).max() < 4


def test_before_any_speech_the_agreed_clock_counts() -> None:
    rig = Rig()
    rig.leg(0, codec_out=L16_16, payload_type_out=97, codecs_in=((97, L16_16),))
    rig.receive(rtp(1, 6_400, b"\x28", ssrc=5, payload_type=13), 0)
    assert rig.plane.coding[0, c.COMFORT_AT] == 3_200
