"""The lettered timers of RFC 3261 (table 4 of §17, appendix A) and RFC 6026, in integer milliseconds.

A timer is armed by a transaction's action and fires as an input of the same letter. On a reliable transport
the timers that only absorb retransmissions have zero length: the runner then feeds their input at once.
"""

from __future__ import annotations

from enum import IntEnum

from engine import limits

T1_MS = limits.T1_MS
T2_MS = limits.T2_MS
T4_MS = limits.T4_MS
GIVE_UP_MS = 64 * limits.T1_MS


class Timer(IntEnum):
    """The letters; the values index `UNRELIABLE` and `RELIABLE` and name heap keys ("tx.A" …)."""

    A = 0
    B = 1
    D = 2
    E = 3
    F = 4
    G = 5
    H = 6
    I = 7  # noqa: E741 - the RFC's letter
    J = 8
    K = 9
    L = 10
    M = 11


# First length in ms; None: never armed on this transport. Timer C belongs to proxies (§16.6) and has no row.
UNRELIABLE: tuple[int | None, ...] = (
    T1_MS,  # A  INVITE request repeat, doubles           §17.1.1.2
    limits.TIMER_B_MS,  # B  INVITE transaction timeout   §17.1.1.2
    limits.TIMER_D_MS,  # D  wait for response repeats    §17.1.1.2
    T1_MS,  # E  non-INVITE repeat, doubles to T2         §17.1.2.2
    GIVE_UP_MS,  # F  non-INVITE transaction timeout      §17.1.2.2
    T1_MS,  # G  INVITE response repeat, doubles to T2    §17.2.1
    GIVE_UP_MS,  # H  wait for ACK                        §17.2.1
    T4_MS,  # I  wait for ACK repeats                     §17.2.1
    GIVE_UP_MS,  # J  wait for request repeats            §17.2.2
    T4_MS,  # K  wait for response repeats                §17.1.2.2
    GIVE_UP_MS,  # L  wait for accepted INVITE repeats    RFC 6026 §8.7
    GIVE_UP_MS,  # M  wait for 2xx repeats and forks      RFC 6026 §8.4
)
RELIABLE: tuple[int | None, ...] = (
    None,  # A  nothing is repeated on a reliable transport
    limits.TIMER_B_MS,
    0,  # D
    None,  # E
    GIVE_UP_MS,
    None,  # G
    GIVE_UP_MS,
    0,  # I
    0,  # J
    0,  # K
    GIVE_UP_MS,  # L  the 2xx is end to end, so it is repeated on any transport (RFC 6026 §8.7)
    GIVE_UP_MS,  # M
)
# Heap keys are short words, so that an encoded state can be read by a person.
KEYS: tuple[str, ...] = tuple(f"tx.{letter.name}" for letter in Timer)
BY_KEY: dict[str, Timer] = {f"tx.{letter.name}": letter for letter in Timer}


def length_ms(timer: Timer, reliable: bool) -> int | None:
    """First length of `timer`, or None when the transport makes it needless."""
    return (RELIABLE if reliable else UNRELIABLE)[timer]


def doubled_ms(interval_ms: int, cap_ms: int | None) -> int:
    """The next repeat interval: doubled, at most `cap_ms` (T2 for E and G; A has no cap, B ends it)."""
    doubled = interval_ms * 2
    return doubled if cap_ms is None else min(doubled, cap_ms)

# Timers that only forget a transaction: nobody waits for them, so those of many calls share one wake-up.
FORGETTING = frozenset((Timer.D, Timer.I, Timer.J, Timer.K, Timer.L, Timer.M))
FORGET_TOGETHER_MS = 500
