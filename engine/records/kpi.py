"""Key figures as definitions over records: each formula stands in its docstring, and every report uses these.

Input is one `Contact` per caller's stay in a queue. Percentages are floats in 0–100, times are ms.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Contact(msgspec.Struct, frozen=True):
    """One stay in one queue: `result` connected | abandoned | timeout | exit | no_agents | full | moved | closed."""

    queue: str
    result: str
    waited_ms: int
    talked_ms: int = 0


def contacts(rows: Sequence[tuple[str, str, str, str, int, int]]) -> list[Contact]:
    """Contacts from `queue_events` rows (queue, call, event, reason, waited_ms, talked_ms), ordered by n.

    A stay ends by connected, abandoned or left; `completed` adds the talk time to its connected one.
    """
    found: list[Contact] = []
    connected: dict[tuple[str, str], int] = {}
    for queue, call, event, reason, waited_ms, talked_ms in rows:
        if event == "connected":
            connected[(queue, call)] = len(found)
            found.append(Contact(queue, "connected", waited_ms))
        elif event == "abandoned":
            found.append(Contact(queue, "abandoned", waited_ms))
        elif event == "left":
            found.append(Contact(queue, reason, waited_ms))
        elif event == "completed" and (queue, call) in connected:
            at = connected.pop((queue, call))
            found[at] = Contact(queue, "connected", found[at].waited_ms, talked_ms)
    return found


def offered(stays: Sequence[Contact]) -> int:
    """Offered = stays that the queue accepted (everything except `full`)."""
    return sum(1 for stay in stays if stay.result != "full")


def service_level(stays: Sequence[Contact], within_ms: int, *, short_abandon_ms: int = 0) -> float | None:
    """Service level = connected within `within_ms` / (offered − abandoned within `short_abandon_ms`), in percent.

    With short_abandon_ms = 0 every abandon counts against us (the strict form). None when nothing was offered.
    """
    served = sum(1 for stay in stays if stay.result == "connected" and stay.waited_ms <= within_ms)
    short = sum(1 for s in stays if s.result == "abandoned" and short_abandon_ms and s.waited_ms < short_abandon_ms)
    base = offered(stays) - short
    return 100.0 * served / base if base > 0 else None


def abandonment(stays: Sequence[Contact], *, short_abandon_ms: int = 0) -> float | None:
    """Abandonment = abandoned after `short_abandon_ms` / (offered − shorter abandons), in percent; None if none."""
    late = sum(1 for s in stays if s.result == "abandoned" and s.waited_ms >= short_abandon_ms)
    short = sum(1 for s in stays if s.result == "abandoned") - late
    base = offered(stays) - short
    return 100.0 * late / base if base > 0 else None


def average_speed_of_answer(stays: Sequence[Contact]) -> float | None:
    """ASA = sum of waits of connected stays / their number, in ms; None when nobody was connected."""
    waits = [stay.waited_ms for stay in stays if stay.result == "connected"]
    return sum(waits) / len(waits) if waits else None


def wait_percentile(stays: Sequence[Contact], percent: int) -> int | None:
    """The smallest wait such that at least `percent` of all offered stays waited no longer (nearest rank), in ms."""
    waits = sorted(stay.waited_ms for stay in stays if stay.result != "full")
    if not waits:
        return None
    rank = max(1, -(-len(waits) * percent // 100))
    return waits[rank - 1]


def average_talk(stays: Sequence[Contact]) -> float | None:
    """Average talk = sum of talk of connected stays / their number, in ms."""
    talks = [stay.talked_ms for stay in stays if stay.result == "connected"]
    return sum(talks) / len(talks) if talks else None
