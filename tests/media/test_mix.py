"""The mix: who hears whom by spectrum, one timeline, no clicks and no bursts, under a virtual clock."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media import columns as c
from engine.media import commands as m
from engine.media import control, g711, mix, wire
from tests.media.rig import Rig, Sent, encoded, rtp, tone

CALLER, AGENT, SUPERVISOR = 0, 1, 2
HERTZ = {CALLER: 400.0, AGENT: 700.0, SUPERVISOR: 1_100.0, 3: 1_600.0}


class Talk:
    """Legs whose far ends each say a tone of their own, in packets of their own frame, until told otherwise."""

    def __init__(self, legs: int = 3, *, frames: dict[int, int] | None = None, laws: dict[int, int] | None = None,
                 peak: float = 6_000.0) -> None:
        self.rig = Rig()
        self.frames = frames or {}
        self.laws = laws or {}
        self.silent: set[int] = set()
        self.peak = peak
        self.k = 0
        self.packets = dict.fromkeys(range(legs), 0)
        self.legs = legs
        for row in range(legs):
            law = self.laws.get(row, 0)
            self.rig.leg(row, frame_ms_out=self.frames.get(row, 20), codec_out=8 * law, payload_type_out=8 * law)
            self.rig.receive(rtp(65_000, 0, encoded(np.zeros(160, np.int16)), ssrc=1_000 + row), row)

    def run(self, ms: int) -> list[Sent]:
        """Pass `ms` in steps of 10; the far ends' packets come 3 ms after their ticks' times."""
        before = len(self.rig.sent)
        fine = any(frame % 20 for frame in self.frames.values())
        for _ in range(ms // 10):
            self.k += 1
            self.rig.now_us += 3_000
            for row in range(self.legs):
                self._say(row)
            self.rig.now_us += 7_000
            if fine or self.k % 2 == 0:
                self.rig.now_us -= 10_000 if fine else 20_000
                self.rig.tick(1, fine=fine)
        return self.rig.sent[before:]

    def _say(self, row: int) -> None:
        frame_k = self.frames.get(row, 20) // 10
        if self.k % frame_k or row in self.silent:
            return
        length, law = 80 * frame_k, self.laws.get(row, 0)
        at = self.k * 80
        wave = np.rint(self.peak * np.sin(2 * np.pi * HERTZ[row] * (at + np.arange(length)) / 8_000))
        octets = encoded(wave.astype(np.int16), law)
        self.rig.receive(rtp(self.packets[row], at, octets, ssrc=row + 1, payload_type=8 * law), row)
        self.packets[row] += 1

    def heard(self, row: int, sent: list[Sent]) -> np.ndarray:
        law = self.laws.get(row, 0)
        return np.concatenate([g711.decode(each.payload, law) for each in sent if each.row == row] or [np.zeros(0)])


def levels(samples: np.ndarray) -> dict[int, float]:
    """The peak of each party's tone in the samples."""
    assert samples.size >= 1_600, "too little was heard to judge"
    used = samples[-(samples.size // 800 * 800):].astype(float)  # whole periods of every tone
    spectrum = np.abs(np.fft.rfft(used)) * 2 / used.size
    return {row: float(spectrum[round(hertz * used.size / 8_000)]) for row, hertz in HERTZ.items()}


def voices(samples: np.ndarray) -> set[int]:
    return {row for row, level in levels(samples).items() if level > 1_000}


LISTEN = ((CALLER, (AGENT,)), (AGENT, (CALLER,)), (SUPERVISOR, (CALLER, AGENT)))
WHISPER = ((CALLER, (AGENT,)), (AGENT, (CALLER, SUPERVISOR)), (SUPERVISOR, (CALLER, AGENT)))
BARGE = ((CALLER, (AGENT, SUPERVISOR)), (AGENT, (CALLER, SUPERVISOR)), (SUPERVISOR, (CALLER, AGENT)))
EARS = [
    (LISTEN, {CALLER: {AGENT}, AGENT: {CALLER}, SUPERVISOR: {CALLER, AGENT}}),
    (WHISPER, {CALLER: {AGENT}, AGENT: {CALLER, SUPERVISOR}, SUPERVISOR: {CALLER, AGENT}}),
    (BARGE, {CALLER: {AGENT, SUPERVISOR}, AGENT: {CALLER, SUPERVISOR}, SUPERVISOR: {CALLER, AGENT}}),
]


@pytest.mark.parametrize(("parties", "expected"), EARS, ids=["listen", "whisper", "barge"])
def test_each_ear_hears_its_own_sum(parties, expected) -> None:
    talk = Talk()
    talk.rig.mix(*parties)
    talk.run(200)
    sent = talk.run(600)
    for row, others in expected.items():
        heard = levels(talk.heard(row, sent))
        assert voices(talk.heard(row, sent)) == others, row
        assert all(heard[other] == pytest.approx(6_000, rel=0.1) for other in others)
        assert all(level < 60 for other, level in heard.items() if other not in others)  # 40 dB down


@pytest.mark.parametrize("frames", [{0: 30, 1: 20, 2: 60}, {0: 10, 1: 40, 2: 20}])
def test_frames_and_laws_may_all_differ(frames) -> None:
    talk = Talk(frames=frames, laws={0: 1, 1: 0, 2: 1})
    talk.rig.mix(*BARGE)
    talk.run(400)
    sent = talk.run(1_200)
    for row, others in EARS[2][1].items():
        assert voices(talk.heard(row, sent)) == others, row
        mine = [each for each in sent if each.row == row]
        assert {len(each.payload) for each in mine} == {8 * frames[row]}
        assert {each.payload_type for each in mine} == {8 * talk.laws[row]}
        assert len(mine) == 1_200 // frames[row]
        assert all(b.timestamp - a.timestamp == 8 * frames[row] for a, b in pairwise(mine))
        assert {b.at_us - a.at_us for a, b in pairwise(mine)} == {1_000 * frames[row]}


def one_timeline(sent: list[Sent], row: int, *, spacing_us: tuple[int, int] = (0, 40_000)) -> None:
    """One SSRC, sequence numbers without a hole, timestamps that follow the time, never a burst."""
    mine = [each for each in sent if each.row == row]
    assert {each.ssrc for each in mine} == {0xABC0 + row}
    for one, other in pairwise(mine):
        assert (other.sequence - one.sequence) & 0xFFFF == 1
        assert 0 < other.timestamp - one.timestamp <= 400
        assert spacing_us[0] <= other.at_us - one.at_us <= spacing_us[1]
    for index, each in enumerate(mine):
        burst = [other for other in mine[index:] if other.at_us < each.at_us + 20_000]
        assert len(burst) <= 2, each.at_us
    passed_us, samples = mine[-1].at_us - mine[0].at_us, mine[-1].timestamp - mine[0].timestamp
    assert abs(passed_us / 125 - samples) <= 400


def roughness(samples: np.ndarray, hertz: float, peak: float) -> float:
    """The largest second difference, as a multiple of what a pure tone of that kind has: a click is a large one."""
    bend = np.abs(np.diff(samples.astype(float), 2)).max()
    return float(bend / (peak * (2 * np.pi * hertz / 8_000) ** 2))


def test_a_bridge_becomes_a_mix_and_a_bridge_again_without_a_seam() -> None:
    talk = Talk(peak=8_000.0)
    talk.silent = {AGENT, SUPERVISOR}
    talk.rig.bridge(CALLER, AGENT)
    sent = talk.run(500)
    talk.rig.mix(*LISTEN)
    sent += talk.run(500)
    mixing = [int(talk.rig.plane.legs[row, c.SOURCE]) for row in range(3)]
    talk.rig.bridge(CALLER, AGENT)
    talk.rig.mix()
    assert talk.rig.plane.legs[AGENT, c.SLOT] >= 0  # paced first …
    sent += talk.run(3_000)
    assert mixing == [c.MIXING] * 3
    assert talk.rig.plane.legs[AGENT, c.SLOT] == -1  # … and copied on arrival again
    assert talk.rig.plane.counters[c.MIXES_RUNNING] == 0
    assert talk.rig.plane.counters[c.FREE_SLOTS] == c.SLOTS
    one_timeline(sent, AGENT)
    heard = talk.heard(AGENT, sent)
    assert roughness(heard[400:], 400.0, 8_000.0) < 2.5  # the same with a bare cut: more than 10
    quiet = np.abs(heard[400:]).reshape(-1, 20).max(1)
    assert quiet.min() > 2_500  # no hole either: 2.5 ms is a full period's peak, faded at most by concealment


def test_a_bare_cut_would_be_rough() -> None:
    """The yardstick of the test above tells a click."""
    wave = tone(0.2, 400.0, 8_000.0)
    cut = np.concatenate([wave[:805], wave[1_000:]])
    assert roughness(wave, 400.0, 8_000.0) < 1.1 < 2.5 < roughness(cut, 400.0, 8_000.0)


def test_an_ear_opens_and_closes_over_a_frame() -> None:
    talk = Talk(peak=8_000.0)
    talk.silent = {CALLER, AGENT}
    talk.rig.mix(*LISTEN)
    talk.run(400)
    talk.rig.mix(*WHISPER)
    sent = talk.run(400)
    talk.rig.mix(*LISTEN)
    sent += talk.run(400)
    heard = talk.heard(AGENT, sent).astype(float)
    assert np.abs(heard[:160]).max() > 1_000  # rises at once …
    assert np.abs(heard).max() > 7_000
    assert roughness(heard, 1_100.0, 8_000.0) < 1.5
    assert not talk.heard(CALLER, sent).size  # nobody whom he hears said anything: no packets


def test_a_party_that_closes_fades_and_the_rest_goes_on() -> None:
    talk = Talk(legs=4, peak=8_000.0)
    everyone = tuple(range(4))
    talk.rig.mix(*[(row, tuple(other for other in everyone if other != row)) for row in everyone])
    talk.run(300)
    talk.silent = {CALLER, AGENT}
    talk.run(300)
    talk.rig.apply(control.CLOSE_LEG, 3, 1)
    talk.legs = 3
    sent = talk.run(400)
    assert voices(talk.heard(CALLER, sent)[1_600:]) == {SUPERVISOR}
    assert roughness(talk.heard(CALLER, sent), 1_600.0, 16_000.0) < 1.5
    one_timeline(sent, CALLER)
    assert talk.rig.plane.mixes[0, c.MIX_SEATED] == 3
    assert talk.rig.plane.mixes[0, c.MIX_LEAVING] == 0


def test_a_seat_outlives_what_its_leg_hears() -> None:
    """The caller hears hold music; the supervisor still hears the caller."""
    talk = Talk()
    talk.rig.clip(7, tone(1.0, 2_000.0))
    talk.rig.mix(*LISTEN)
    talk.run(200)
    talk.rig.play(7, row=CALLER, flags=control.FLAG_LOOP)
    talk.run(200)
    sent = talk.run(400)
    assert voices(talk.heard(SUPERVISOR, sent)) == {CALLER, AGENT}
    assert voices(talk.heard(CALLER, sent)) == set()
    talk.rig.mix(*LISTEN)
    talk.run(200)
    assert voices(talk.heard(CALLER, talk.run(400))) == {AGENT}


def test_who_is_held_by_sdp_is_neither_heard_nor_sent_to() -> None:
    talk = Talk()
    talk.rig.mix(*BARGE)
    talk.run(200)
    talk.rig.set(CALLER, send=False, receive=False)
    talk.run(200)
    sent = talk.run(400)
    assert voices(talk.heard(AGENT, sent)) == {SUPERVISOR}
    assert not [each for each in sent if each.row == CALLER]
    talk.rig.set(CALLER)
    talk.run(200)
    assert voices(talk.heard(CALLER, talk.run(400))) == {AGENT, SUPERVISOR}


def test_digits_never_cross_and_are_heard_by_the_engine() -> None:
    talk = Talk()
    talk.rig.mix(*BARGE)
    talk.run(200)
    for number, duration in enumerate((160, 320, 480)):
        end = 0x80 if duration == 480 else 0
        event = bytes((5, end | 10, duration >> 8, duration & 255))
        talk.rig.receive(rtp(talk.packets[SUPERVISOR] + number, 9_000, event, ssrc=3, payload_type=101), SUPERVISOR)
    talk.packets[SUPERVISOR] += 3
    assert [(e.row, e.digit) for e in talk.rig.take(m.DigitHeard)] == [(SUPERVISOR, "5")]
    assert {each.payload_type for each in talk.run(400)} == {0}


def test_digits_sent_over_a_mix_keep_the_timeline() -> None:
    talk = Talk()
    talk.rig.mix(*LISTEN)
    sent = talk.run(300)
    talk.rig.digits("7", row=AGENT)
    sent += talk.run(600)
    audio = [each for each in sent if each.row == AGENT and each.payload_type == 0]
    assert [each.payload_type for each in sent if each.row == AGENT].count(101) >= 5
    assert audio[-1].at_us == talk.rig.sent[-1].at_us or audio[-1].at_us > sent[-1].at_us - 30_000
    assert abs((audio[-1].at_us - audio[0].at_us) / 125 - (audio[-1].timestamp - audio[0].timestamp)) <= 400
    assert voices(talk.heard(AGENT, [e for e in sent[-100:] if e.payload_type == 0])) == {CALLER}


def test_a_recorded_leg_keeps_both_sides() -> None:
    talk = Talk()
    talk.rig.apply(control.START_TAP, CALLER, 1, 0)
    talk.rig.mix(*BARGE)
    frames: list[np.ndarray] = []
    record = np.zeros(2 * c.TAP_FRAME, np.int16)
    for _ in range(60):
        talk.run(20)
        while rings_pop(talk.rig, record):
            frames.append(record.copy())
    both = np.concatenate(frames).reshape(-1, 2)[2_000:]
    assert voices(both[:, 0]) == {CALLER}
    assert voices(both[:, 1]) == {AGENT, SUPERVISOR}


def rings_pop(rig: Rig, record: np.ndarray) -> bool:
    from engine.media import rings

    return bool(rings.pop(rig.plane.tap_frames[0], rig.plane.tap_shared[0], record))


def test_after_a_stall_frames_are_skipped_and_never_sent_in_a_burst() -> None:
    talk = Talk()
    talk.rig.mix(*LISTEN)
    sent = talk.run(400)
    talk.rig.now_us += 300_000
    talk.k += 30
    sent += talk.run(400)
    one = [each for each in sent if each.row == AGENT]
    assert all(len([o for o in one if o.at_us == each.at_us]) == 1 for each in one)
    assert abs((one[-1].at_us - one[0].at_us) / 125 - (one[-1].timestamp - one[0].timestamp)) <= 320
    assert {each.ssrc for each in one} == {0xABC0 + AGENT}


def test_loud_voices_bend_and_never_wrap() -> None:
    talk = Talk(legs=4, peak=32_000.0)
    everyone = tuple(range(4))
    talk.rig.mix(*[(row, tuple(other for other in everyone if other != row)) for row in everyone])
    talk.run(200)
    heard = talk.heard(CALLER, talk.run(400)).astype(float)
    assert np.abs(heard).max() <= 32_767
    whole = sum(32_000 * np.sin(2 * np.pi * HERTZ[row] * np.arange(800) / 8_000) for row in (1, 2, 3))
    assert np.abs(whole).max() > 60_000
    assert np.abs(np.diff(heard)).max() < 60_000  # a sum that wraps jumps from one rail to the other


@given(st.integers(-8 * 32_768, 8 * 32_767))
def test_the_bend_is_odd_monotonic_and_bounded(total: int) -> None:
    bent = mix.bend(total)
    assert abs(bent) <= 32_767
    assert bent == total or abs(total) > 24_576
    assert mix.bend(-total) == -bent
    assert mix.bend(total + 1) >= bent


# --- commands -----------------------------------------------------------------------------------------------
def test_late_and_wrong_parties_are_left_out() -> None:
    rig = Rig()
    for row in range(3):
        rig.leg(row)
    rig.apply(*wire.pack_mix(m.Mix(0, (
        m.MixParty(0, 1, (1, 0, 77)), m.MixParty(1, 2, (0,)), m.MixParty(900_000, 1), m.MixParty(2, 1, (0,)),
    ))))
    late = int(rig.plane.counters[c.COMMANDS_LATE])
    assert late >= 2
    assert [int(rig.plane.legs[row, c.MIX]) for row in range(3)] == [0, -1, 0]
    assert rig.plane.legs[0, c.EARS] == 0  # leg 1 was of another generation, and nobody hears himself
    assert rig.plane.legs[2, c.EARS] == 1 << int(rig.plane.legs[0, c.SEAT])
    for number, count in ((c.MIXES, 0), (-1, 0), (0, c.SEATS + 1), (0, -1)):
        rig.apply(control.MIX, 0, 0, number, count)
    assert rig.plane.counters[c.COMMANDS_LATE] == late + 4
    rig.mix()
    assert [int(rig.plane.legs[row, c.MIX]) for row in range(3)] == [-1, -1, -1]
    assert rig.plane.mixes[0].any() == False  # noqa: E712


def test_a_leg_moves_from_one_mix_to_another() -> None:
    talk = Talk(legs=4)
    talk.rig.mix((CALLER, (AGENT,)), (AGENT, (CALLER,)))
    talk.run(200)
    talk.rig.mix((AGENT, (SUPERVISOR,)), (SUPERVISOR, (AGENT,)), number=5)
    talk.run(300)
    sent = talk.run(400)
    assert voices(talk.heard(AGENT, sent)) == {SUPERVISOR}
    assert voices(talk.heard(SUPERVISOR, sent)) == {AGENT}
    assert not [each for each in sent if each.row == CALLER]


def test_more_parties_than_seats_are_not_packed() -> None:
    words = wire.pack_mix(m.Mix(1, tuple(m.MixParty(row, 1, (0,)) for row in range(12))))
    assert words[3:5] == (1, c.SEATS)
    assert len(words) <= c.COMMAND_WORDS


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("mix"), st.integers(0, 2),
                  st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(0, 5), max_size=5)), max_size=8)),
        st.tuples(st.just("bridge"), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.just("stop"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("close"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("run"), st.integers(1, 5), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(MOVES)
def test_any_commands_leave_the_books_in_order(moves) -> None:
    """Seats and legs agree, nobody hears himself, and when all are closed nothing is left."""
    rig = Rig()
    for row in range(6):
        rig.leg(row)
    p, number = rig.plane, 0
    for kind, first, second in moves:
        if kind == "mix":
            parties = {row: tuple(ears) for row, ears in second}
            rig.mix(*parties.items(), number=first)
        elif kind == "bridge" and first != second:
            rig.bridge(first, second)
        elif kind == "stop":
            rig.apply(control.STOP, first, 1)
        elif kind == "close":
            rig.apply(control.CLOSE_LEG, first, 1)
        for _ in range(first if kind == "run" else 0):
            number += 1
            for row in range(6):
                rig.receive(rtp(number, 160 * number, encoded(tone(0.02))), row)
            sent = rig.tick(1)
            assert len({each.row for each in sent}) == len(sent)
        seated = 0
        for row in range(6):
            leg = p.legs[row]
            if leg[c.STATE] == c.OPEN and leg[c.MIX] >= 0:
                seated += 1
                assert p.mixes[leg[c.MIX], c.MIX_ROW + leg[c.SEAT]] == row + 1
                assert leg[c.EARS] >> leg[c.SEAT] & 1 == 0
            else:
                assert leg[c.SOURCE] != c.MIXING
        assert seated == int(p.mixes[:, c.MIX_SEATED].sum())
        assert int(p.counters[c.MIXES_RUNNING]) == int((p.mixes[:, c.MIX_SEATED] > 0).sum())
    for row in range(6):
        rig.apply(control.CLOSE_LEG, row, 1)
    rig.tick(3)
    assert not p.mixes.any()
    assert p.counters[c.FREE_SLOTS] == c.SLOTS


def test_the_same_as_plain_python() -> None:
    """Compiled and interpreted, packet for packet."""
    script = (
        "import hashlib\n"
        "from tests.media.test_mix import Talk, LISTEN, WHISPER, BARGE\n"
        "talk = Talk(legs=3, frames={0: 30, 1: 20, 2: 60}, laws={2: 1})\n"
        "talk.rig.bridge(0, 1)\ntalk.run(100)\n"
        "for parties in (LISTEN, WHISPER, BARGE):\n    talk.rig.mix(*parties)\n    talk.run(120)\n"
        "talk.rig.bridge(0, 1)\ntalk.rig.mix()\ntalk.run(100)\n"
        "print(hashlib.sha256(repr(talk.rig.sent).encode()).hexdigest())\n"
    )
    results = []
    for flag in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"NUMBA_DISABLE_JIT": flag}, capture_output=True,
            text=True, timeout=300, check=False, cwd=Path(__file__).parents[2],
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        results.append(done.stdout.strip())
    assert results[0] == results[1]
