"""Timer lengths by transport (RFC 3261 table 4, RFC 6026)."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sip.timers import BY_KEY, KEYS, RELIABLE, UNRELIABLE, Timer, doubled_ms, length_ms


@pytest.mark.parametrize(
    ("timer", "udp", "tcp"),
    [
        (Timer.A, 500, None), (Timer.B, 32_000, 32_000), (Timer.D, 32_000, 0), (Timer.E, 500, None),
        (Timer.F, 32_000, 32_000), (Timer.G, 500, None), (Timer.H, 32_000, 32_000), (Timer.I, 5_000, 0),
        (Timer.J, 32_000, 0), (Timer.K, 5_000, 0), (Timer.L, 32_000, 32_000), (Timer.M, 32_000, 32_000),
    ],
)
def test_lengths_follow_the_table(timer: Timer, udp: int, tcp: int | None) -> None:
    assert length_ms(timer, False) == udp
    assert length_ms(timer, True) == tcp


def test_every_letter_has_a_length_and_a_key() -> None:
    assert len(UNRELIABLE) == len(RELIABLE) == len(KEYS) == len(Timer)
    assert [BY_KEY[key] for key in KEYS] == list(Timer)


def test_doubling_is_capped_by_t2_where_the_rfc_says_so() -> None:
    assert [doubled_ms(500, None), doubled_ms(16_000, None)] == [1_000, 32_000]
    assert [doubled_ms(interval, limits.T2_MS) for interval in (1_000, 2_000, 4_000)] == [2_000, 4_000, 4_000]
