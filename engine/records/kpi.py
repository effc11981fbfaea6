"""Key figures as definitions over records: each formula stands in its docstring, and wallboard and report use these.

A `Contact` is one caller's stay in one queue; `Sums` adds stays up (sums of parts are the sum of the whole, so hours
make days, and queues make tenants). Percentages are floats in 0–100 or None when there is nothing to divide by; times
are ms. The numbers of rows named as sources are those of field.md, section A.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

REFUSED = ("full", "no_agents")  # the queue never took these callers
WITHIN_MS_DEFAULT = 20_000
DAY_MS = 86_400_000


class Contact(msgspec.Struct, frozen=True):
    """One stay in one queue: `result` connected | abandoned | timeout | exit | left | empty | overflow | no_agents |
    full | moved | closed | expired | cancelled (callbacks).

    `talked_ms` is the time bridged with the agent, hold included; `held_ms` the part of it that the agent had the
    caller on hold. `who` is a number that stands for the caller (`caller_token`), 0 when nobody knows him.
    """

    queue: str
    result: str
    waited_ms: int
    talked_ms: int = 0
    held_ms: int = 0
    transfers: int = 0
    tenant: str = "default"
    agent: str = ""
    at_ms: int = 0  # Unix ms at which the stay ended (connected ones: when the conversation did)
    who: int = 0


class Sums(msgspec.Struct):
    """Stays added up. `waits` counts those the queue accepted by whole seconds waited (for percentiles)."""

    offered: int = 0  # stays that the queue accepted
    refused: int = 0
    connected: int = 0
    in_time: int = 0  # connected within the target
    abandoned: int = 0
    short: int = 0  # of them before `short_abandon_ms`
    timed_out: int = 0
    left: int = 0  # by key, moved on, or closed
    waited_ms: int = 0  # of the connected
    waited_ms_max: int = 0  # of all
    talked_ms: int = 0  # hold included
    held_ms: int = 0
    wrap_up_ms: int = 0
    transfers: int = 0
    waits: dict[int, int] = {}

    def add(self, stay: Contact, within_ms: int, short_abandon_ms: int) -> None:
        """One more stay, judged by the target and by what counts as a short abandon (0: none does)."""
        self.waited_ms_max = max(self.waited_ms_max, stay.waited_ms)
        if stay.result in REFUSED:
            self.refused += 1
            return
        self.offered += 1
        second = stay.waited_ms // 1000
        self.waits[second] = self.waits.get(second, 0) + 1
        self.transfers += stay.transfers
        if stay.result == "connected":
            self.connected += 1
            self.in_time += stay.waited_ms <= within_ms
            self.waited_ms += stay.waited_ms
            self.talked_ms += stay.talked_ms
            self.held_ms += stay.held_ms
        elif stay.result == "abandoned":
            self.abandoned += 1
            self.short += stay.waited_ms < short_abandon_ms
        elif stay.result == "timeout":
            self.timed_out += 1
        else:
            self.left += 1

    def merge(self, other: Sums) -> None:
        """Take another part in."""
        for name in _COUNTERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.waited_ms_max = max(self.waited_ms_max, other.waited_ms_max)
        for second, count in other.waits.items():
            self.waits[second] = self.waits.get(second, 0) + count


_COUNTERS = tuple(name for name in Sums.__struct_fields__ if name not in ("waits", "waited_ms_max"))


def add_up(stays: Iterable[Contact], within_ms: int, *, short_abandon_ms: int = 0) -> Sums:
    """Sums of `stays`."""
    sums = Sums()
    for stay in stays:
        sums.add(stay, within_ms, short_abandon_ms)
    return sums


def of_tally(row: dict[str, Any]) -> Sums:
    """Sums of a row of the living engine's `queues` (acd.snapshots): stays that are over or connected now.

    Whoever still waits is in neither part, so the wallboard and a report made at that moment agree.
    """
    refused = row.get("refused_full", 0) + row.get("refused_no_agents", 0)
    gone = row["answered"] + row["abandoned"] + row["timed_out"] + row["left"]
    return Sums(
        offered=gone, refused=refused, connected=row["answered"], in_time=row["answered_in_time"],
        abandoned=row["abandoned"], short=row["abandoned_in_time"], timed_out=row["timed_out"],
        left=row["left"], waited_ms=row.get("waited_ms_mean", 0) * row["answered"],
        waited_ms_max=row.get("waited_ms_max", 0), talked_ms=row.get("talked_ms", 0),
    )  # fmt: skip


# --- formulas over sums ---------------------------------------------------------------------------------------
def share(part: float, whole: float) -> float | None:
    """100 · part / whole, None when there is no whole."""
    return 100.0 * part / whole if whole > 0 else None


def mean(total: float, count: float) -> float | None:
    """total / count, None when nothing was counted."""
    return total / count if count > 0 else None


def level(sums: Sums) -> float | None:
    """Service level, strict = connected within the target / offered, in percent. Source: rows 10 and 21.

    Everybody whom the queue accepted counts, also who gave up after a second.
    """
    return share(sums.in_time, sums.offered)


def level_patient(sums: Sums) -> float | None:
    """Service level without short abandons = connected within the target / (offered − short abandons), in percent.

    Source: row 21 (both forms). Who leaves within `short_abandon_ms` has often dialled wrongly: he is no failure.
    """
    return share(sums.in_time, sums.offered - sums.short)


def abandoned_share(sums: Sums) -> float | None:
    """Abandonment = (abandoned − short abandons) / (offered − short abandons), in percent. Source: row 21."""
    return share(sums.abandoned - sums.short, sums.offered - sums.short)


def speed_of_answer(sums: Sums) -> float | None:
    """ASA = sum of the waits of connected stays / their number, in ms. Source: row 21."""
    return mean(sums.waited_ms, sums.connected)


def percentile(sums: Sums, percent: int) -> int | None:
    """The wait in ms, in whole seconds rounded up, that `percent` of all accepted stays did not exceed (nearest rank).

    Source: row 21 (90 and 95 percentiles).
    """
    total = sum(sums.waits.values())
    rank = max(1, -(-total * percent // 100))
    seen = 0
    for second in sorted(sums.waits):
        seen += sums.waits[second]
        if seen >= rank:
            return (second + 1) * 1000
    return None


def handle_time(sums: Sums) -> float | None:
    """AHT = (talk + hold + wrap-up) / connected, in ms. Source: row 26; `talked_ms` holds talk and hold."""
    return mean(sums.talked_ms + sums.wrap_up_ms, sums.connected)


def transfers_per_call(sums: Sums) -> float | None:
    """Transfers begun / connected stays. Source: row 38 (no more than three people per case)."""
    return mean(sums.transfers, sums.connected)


def resolution(stays: Iterable[tuple[int, int, bool]], within_ms: int) -> float | None:
    """First-call resolution = connected stays not followed by another stay of the same caller within `within_ms` /
    connected stays of known callers, in percent. Source: row 35 (no re-contact within a period, not a self-report).

    `stays`: (who, at_ms, connected) of one tenant or queue, ordered by who and at_ms; who 0 is nobody and left out.
    The last `within_ms` before the newest record are counted like all others: say so where it is shown.
    """
    solved = known = 0
    last: tuple[int, int, bool] | None = None
    for stay in stays:
        if last is not None and last[2] and last[0]:
            known += 1
            solved += stay[0] != last[0] or stay[1] - last[1] > within_ms
        last = stay
    if last is not None and last[2] and last[0]:
        known += 1
        solved += 1
    return share(solved, known)


# --- the same over lists of stays -------------------------------------------------------------------------------
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
    """Offered = stays that the queue accepted (everything except `full` and `no_agents`)."""
    return add_up(stays, 0).offered


def service_level(stays: Sequence[Contact], within_ms: int, *, short_abandon_ms: int = 0) -> float | None:
    """`level_patient` of stays; with short_abandon_ms = 0 it is the strict `level`."""
    return level_patient(add_up(stays, within_ms, short_abandon_ms=short_abandon_ms))


def abandonment(stays: Sequence[Contact], *, short_abandon_ms: int = 0) -> float | None:
    """`abandoned_share` of stays."""
    return abandoned_share(add_up(stays, 0, short_abandon_ms=short_abandon_ms))


def average_speed_of_answer(stays: Sequence[Contact]) -> float | None:
    """`speed_of_answer` of stays."""
    return speed_of_answer(add_up(stays, 0))


def wait_percentile(stays: Sequence[Contact], percent: int) -> int | None:
    """The smallest wait that at least `percent` of all accepted stays did not exceed (nearest rank), exact, in ms."""
    waits = sorted(stay.waited_ms for stay in stays if stay.result not in REFUSED)
    if not waits:
        return None
    rank = max(1, -(-len(waits) * percent // 100))
    return waits[rank - 1]


def average_talk(stays: Sequence[Contact]) -> float | None:
    """Average talk = sum of talk of connected stays / their number, in ms."""
    sums = add_up(stays, 0)
    return mean(sums.talked_ms, sums.connected)
