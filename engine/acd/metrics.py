"""Counters of a queue and the figures made of them, each with its formula. Integers only: shares are in per mille."""

from __future__ import annotations

import msgspec


class Tally(msgspec.Struct):
    """Counters of one queue since it was configured, kept over reloads. Reports sum events; these serve the wallboard.

    At any time offered = waiting + alerting + connected + completed + abandoned + timed_out + left.
    """

    offered: int = 0  # callers who came in (full and no_agents were refused before that)
    refused_full: int = 0
    refused_no_agents: int = 0
    answered: int = 0
    answered_in_time: int = 0  # within service_level_ms
    abandoned: int = 0
    abandoned_in_time: int = 0  # "short abandons"
    timed_out: int = 0
    left: int = 0  # exit key, moved, closed
    completed: int = 0  # conversations that are over
    offers: int = 0
    missed: int = 0  # offers that failed, whatever the reason
    waited_ms: int = 0  # of the answered, summed
    waited_ms_max: int = 0
    talked_ms: int = 0

    def ended(self) -> int:
        """Callers who are not in the queue's hands any more."""
        return self.completed + self.abandoned + self.timed_out + self.left


def per_mille(part: int, whole: int) -> int:
    """Rounded half up; 1000 of nothing is everything: an empty interval broke no promise."""
    return (2000 * part + whole) // (2 * whole) if whole > 0 else 1000


def service_level(tally: Tally) -> int:
    """Answered in time / (answered + abandoned + timed out), per mille: everybody who waited to an end counts."""
    return per_mille(tally.answered_in_time, tally.answered + tally.abandoned + tally.timed_out)


def service_level_patient(tally: Tally) -> int:
    """The same without those who gave up within the service level time (short abandons leave the whole)."""
    return per_mille(
        tally.answered_in_time, tally.answered + tally.abandoned - tally.abandoned_in_time + tally.timed_out
    )


def utilisation(busy_ms: int, logged_in_ms: int) -> int:
    """Talking and wrap-up / logged-in time, per mille; 0 for somebody who was never logged in."""
    return per_mille(busy_ms, logged_in_ms) if logged_in_ms > 0 else 0
