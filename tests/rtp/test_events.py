"""RFC 4733 reception against what the field sends: every press gives one digit, whatever was lost or bent."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rtp import events as e

STEP_US = 20_000


@dataclass
class Receiver:
    """Feeds packets and notes what is told: ("start", digit) and ("digit", digit, samples)."""

    row: np.ndarray = field(default_factory=lambda: np.zeros(e.FIELDS, np.int64))
    told: list[tuple] = field(default_factory=list)
    now_us: int = 50_000_000

    def note(self, bits: int) -> None:
        row = self.row
        if bits & e.OLD_ENDED:
            self.told.append(("digit", e.DIGITS[row[e.OLD_CODE]], int(row[e.OLD_DURATION])))
        if bits & e.STARTED:
            self.told.append(("start", e.DIGITS[row[e.CODE]]))
        if bits & e.ENDED:
            self.told.append(("digit", e.DIGITS[row[e.CODE]], int(row[e.DURATION])))

    def hear(self, packets: list[tuple[int, int, int, int, int, int]], step_us: int = STEP_US) -> None:
        """(sequence, timestamp, marker, code, end, duration)"""
        for sequence, timestamp, marker, code, end, duration in packets:
            self.now_us += step_us
            self.note(e.hear(self.row, code, end, duration, timestamp & 0xFFFFFFFF, sequence & 0xFFFF, marker,
                             self.now_us))

    def wait(self, ms: int) -> None:
        for _ in range(ms // 100):
            self.now_us += 100_000
            self.note(e.expire(self.row, self.now_us))

    @property
    def digits(self) -> str:
        return "".join(item[1] for item in self.told if item[0] == "digit")

    @property
    def starts(self) -> str:
        return "".join(item[1] for item in self.told if item[0] == "start")


def press(code: int, sequence: int, timestamp: int, *, packets: int = 5, marker: bool = True) -> list[tuple]:
    """A press as RFC 4733 §2.5 wants it: growing duration, the end three times."""
    body = [(sequence + n, timestamp, int(marker and n == 0), code, 0, 160 * (n + 1)) for n in range(packets)]
    return body + [(sequence + packets + n, timestamp, 0, code, 1, 160 * (packets + 1)) for n in range(3)]


def test_a_clean_press() -> None:
    ear = Receiver()
    ear.hear(press(5, 100, 8_000))
    assert ear.told == [("start", "5"), ("digit", "5", 960)]


def test_codes_and_letters() -> None:
    assert [e.DIGITS.index(key) for key in "09*#ABCD"] == [0, 9, 10, 11, 12, 13, 14, 15]


def test_the_payload_is_written_and_read() -> None:
    target = np.zeros(16, np.uint8)
    e.write_event(target, 12, 11, 1, 10, 0x1234)
    assert target[12:].tobytes() == b"\x0b\x8a\x12\x34"
    assert e.read_event(target, 12) == (11, 1, 0x1234)


@pytest.mark.parametrize("lost", [[0], [0, 1, 2, 3, 4], [5], [5, 6], [6, 7], [0, 5, 6], [1, 2, 3]])
def test_losses(lost: list[int]) -> None:
    """Marker lost, everything but the ends lost, ends lost but one."""
    ear = Receiver()
    ear.hear([packet for place, packet in enumerate(press(7, 65_533, 1)) if place not in lost])
    ear.wait(500)
    assert (ear.starts, ear.digits) == ("7", "7")


def test_all_ends_lost() -> None:
    ear = Receiver()
    ear.hear(press(7, 1, 1)[:5])
    assert ear.digits == ""
    ear.wait(400)
    assert ear.told == [("start", "7"), ("digit", "7", 800)]


def test_ends_lost_and_the_same_key_again() -> None:
    ear = Receiver()
    ear.hear(press(7, 1, 1_000)[:5])
    ear.hear(press(7, 20, 4_000))
    assert (ear.starts, ear.digits) == ("77", "77")


def test_ends_lost_and_another_key() -> None:
    ear = Receiver()
    ear.hear(press(7, 1, 1_000)[:5] + press(8, 20, 4_000, marker=False))
    assert ear.told == [("start", "7"), ("digit", "7", 800), ("start", "8"), ("digit", "8", 960)]


def test_a_sender_without_markers() -> None:
    ear = Receiver()
    ear.hear(press(1, 1, 1_000, marker=False) + press(1, 15, 3_000, marker=False) + press(2, 30, 6_000, marker=False))
    assert (ear.starts, ear.digits) == ("112", "112")


def test_every_packet_marked() -> None:
    ear = Receiver()
    ear.hear([(*packet[:2], 1, *packet[3:]) for packet in press(4, 1, 1_000)])
    assert (ear.starts, ear.digits) == ("4", "4")


def test_everything_twice() -> None:
    ear = Receiver()
    ear.hear([packet for packet in press(3, 1, 1_000) for _ in range(2)])
    assert (ear.starts, ear.digits) == ("3", "3")


def test_end_packets_with_moving_timestamps() -> None:
    """peers#29: each repeated end carries another timestamp."""
    ear = Receiver()
    bent = [
        (sequence, timestamp + (160 * place if end else 0), marker, code, end, duration)
        for place, (sequence, timestamp, marker, code, end, duration) in enumerate(press(6, 1, 1_000))
    ]
    ear.hear(bent)
    ear.hear(press(6, 30, 9_000))
    assert (ear.starts, ear.digits) == ("66", "66")


def test_a_timestamp_that_moves_with_every_packet() -> None:
    ear = Receiver()
    ear.hear([(s, t + 160 * place, m, c, end, d) for place, (s, t, m, c, end, d) in enumerate(press(6, 1, 1_000))])
    assert (ear.starts, ear.digits) == ("6", "6")


def test_presses_that_share_a_timestamp() -> None:
    ear = Receiver()
    ear.hear(press(9, 1, 5_000) + press(9, 20, 5_000))
    assert (ear.starts, ear.digits) == ("99", "99")


def test_a_late_packet_of_the_press_before_starts_nothing() -> None:
    ear = Receiver()
    first = press(2, 1, 1_000)
    ear.hear(first[:2] + first[3:] + [first[2]])
    assert (ear.starts, ear.digits) == ("2", "2")
    second = press(5, 20, 4_000)
    ear.hear([*second[:2], first[2], *second[2:]])
    assert ear.digits == "25"


def test_a_long_press_is_told_once_after_three_seconds() -> None:
    ear = Receiver()
    ear.hear(press(0, 1, 1_000, packets=250))
    assert ear.told == [("start", "0"), ("digit", "0", 24_000)]


def test_a_press_longer_than_its_counter() -> None:
    """RFC 4733 §2.5.1.3: at 0xFFFF a new segment begins with another timestamp and no marker."""
    ear = Receiver()
    ear.hear([(n, 0, int(n == 0), 1, 0, min(160 * (n + 1), 0xFFFF)) for n in range(410)])
    ear.hear([(412 + n, 0xFFFF, 0, 1, 0, 160 * (n + 1)) for n in range(20)])
    ear.hear([(432 + n, 0xFFFF, 0, 1, 1, 3_360) for n in range(3)])
    assert (ear.starts, ear.digits) == ("1", "1")


def test_packets_that_go_on_after_a_gap_are_the_same_press() -> None:
    """250 ms of packets lost inside one press: ended by silence, but not heard again."""
    ear = Receiver()
    packets = press(8, 1, 1_000, packets=40)
    ear.hear(packets[:10])
    ear.wait(300)
    ear.hear(packets[25:])
    assert (ear.starts, ear.digits) == ("8", "8")


def test_another_ssrc_ends_the_press_and_forgets_sequence_numbers() -> None:
    ear = Receiver()
    ear.hear(press(8, 30_000, 1_000)[:3])
    ear.note(e.restart(ear.row, ear.now_us))
    ear.hear(press(8, 5, 77))
    assert (ear.starts, ear.digits) == ("88", "88")


def test_restart_and_expiry_of_nothing_tell_nothing() -> None:
    ear = Receiver()
    assert e.restart(ear.row, 5) == 0
    assert e.expire(ear.row, 5) == 0


def test_a_flood_is_bounded() -> None:
    """Every packet another press, 1,000 a second: at most the burst and 25 a second come through."""
    ear = Receiver()
    ear.hear([(n, n * 160, 1, n % 16, 1, 160) for n in range(5_000)], step_us=1_000)
    assert 100 < len(ear.digits) <= 32 + 25 * 5 + 1


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_presses_with_losses_and_duplicates_give_each_key_once(data: st.DataObject) -> None:
    """Up to all but one packet of a press lost, any duplicated, neighbours swapped: one digit each, in order."""
    ear = Receiver()
    sequence, timestamp, expected = data.draw(st.integers(0, 65_535)), data.draw(st.integers(0, 2**32 - 1)), ""
    for _ in range(data.draw(st.integers(1, 5))):
        code = data.draw(st.integers(0, 15))
        packets = press(code, sequence, timestamp, packets=data.draw(st.integers(2, 12)),
                        marker=data.draw(st.booleans()))
        kept = data.draw(st.lists(st.sampled_from(range(len(packets))), min_size=1, max_size=24, unique=True))
        order = sorted(kept)
        if data.draw(st.booleans()) and len(order) > 1:
            place = data.draw(st.integers(0, len(order) - 2))
            order[place], order[place + 1] = order[place + 1], order[place]
        for place in order:
            ear.hear([packets[place]] * data.draw(st.integers(1, 2)))
        expected += e.DIGITS[code]
        sequence += len(packets) + data.draw(st.integers(4, 40))
        timestamp += 160 * (len(packets) + 10)
        if data.draw(st.booleans()):
            ear.wait(100)
    ear.wait(500)
    assert ear.digits == expected
    assert ear.starts == expected


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_gateways_that_drop_markers_and_repeat_ends_give_each_key_once(data: st.DataObject) -> None:
    """No markers or one on every packet, up to a dozen ends, all or none of the body, ends that come again later."""
    ear = Receiver()
    marks = data.draw(st.sampled_from(("rfc", "none", "all")))
    ends, body = data.draw(st.integers(1, 12)), data.draw(st.integers(0, 8))
    again = data.draw(st.booleans())  # the ends once more, with new sequence numbers, 100 ms later
    sequence, timestamp, expected = data.draw(st.integers(0, 65_535)), data.draw(st.integers(0, 2**32 - 1)), ""
    for code in data.draw(st.lists(st.integers(0, 15), min_size=1, max_size=6)):
        last = 160 * (body + 1)
        told = [(sequence + n, code, 0, 160 * (n + 1)) for n in range(body)]
        told += [(sequence + body + n, code, 1, last) for n in range(ends)]
        late = [(sequence + body + ends + n, code, 1, last) for n in range(3)] if again else []
        for place, (number, event, end, duration) in enumerate(told):
            marker = int(marks == "all" or (marks == "rfc" and place == 0))
            ear.hear([(number, timestamp, marker, event, end, duration)])
        ear.now_us += 100_000
        ear.hear([(number, timestamp, int(marks == "all"), *rest) for number, *rest in late])
        expected += e.DIGITS[code]
        sequence += body + ends + len(late) + data.draw(st.integers(1, 30))
        timestamp += last + data.draw(st.integers(320, 8_000))
    ear.wait(500)
    assert ear.digits == expected
    assert ear.starts == expected
