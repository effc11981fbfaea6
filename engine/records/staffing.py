"""What staffing asks the record store for: calls by the quarter of an hour in which they came, and agents on duty.

`contacts` keeps a stay under the moment at which it was connected or ended; the caller came `waited_ms` before that.
Rows of several quarters add up (pure; `cli.staffing` runs the queries).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from engine.records.figures import QUARTER_MS
from engine.records.kpi import REFUSED
from engine.records.schema import Query

wait_ms_max = 86_400_000  # who waited longer than a day isn't looked for
OFF_DUTY = ("logged_out", "not_ready")


class Quarter(msgspec.Struct):
    """A quarter of an hour, or several added up. Refused callers (queue full, nobody there) aren't offered, as in
    `kpi`; `handled` are conversations that are over; `handle_ms` their talk, hold included, and wrap-up."""

    offered: int = 0
    handled: int = 0
    handle_ms: int = 0
    waited_ms: int = 0
    abandoned: int = 0
    duty_ms: int = 0

    def merge(self, other: Quarter) -> None:
        """Take another one in."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def calls_query(queue: str, since_ms: int, until_ms: int) -> Query:
    """Rows (quarter, offered, handled, talked, waited, abandoned) of the callers who came in that time."""
    came = "(at_ms - waited_ms)"
    sql = (
        f"SELECT {came} - {came} % {QUARTER_MS}, count(*), sum(result = 'connected' AND talked_ms > 0), "
        "sum(talked_ms), sum(waited_ms), sum(result = 'abandoned') FROM contacts "
        f"WHERE at_ms >= ? AND at_ms < ? AND queue = ? AND result NOT IN ({','.join('?' * len(REFUSED))}) "
        f"AND {came} >= ? AND {came} < ? GROUP BY 1"
    )
    return sql, [since_ms, until_ms + wait_ms_max, queue, *REFUSED, since_ms, until_ms]


def wrap_up_query(queue: str, since_ms: int, until_ms: int) -> Query:
    """Rows (quarter, ms) of wrap-up after the queue's calls."""
    sql = (
        "SELECT quarter_ms, sum(ms) FROM agent_times WHERE quarter_ms >= ? AND quarter_ms < ? AND queue = ? "
        "AND state = 'wrap_up' GROUP BY 1"
    )
    return sql, [since_ms, until_ms, queue]


def duty_query(queue: str, since_ms: int, until_ms: int) -> Query:
    """Rows (quarter, ms) in which agents of the queue were on duty: logged in and not paused.

    An agent is the queue's when it rang or connected him in that time: the records know no other sign. One who serves
    several queues counts wholly in each.
    """
    sql = (
        "SELECT quarter_ms, sum(ms) FROM agent_times WHERE quarter_ms >= ? AND quarter_ms < ? "
        f"AND state NOT IN ({','.join('?' * len(OFF_DUTY))}) AND agent IN "
        "(SELECT agent FROM agent_times WHERE quarter_ms >= ? AND quarter_ms < ? AND queue = ?) GROUP BY 1"
    )
    return sql, [since_ms, until_ms, *OFF_DUTY, since_ms, until_ms, queue]


def quarters(
    calls: Iterable[tuple[int, int, int, int, int, int]], wrap_up: Iterable[tuple[int, int]],
    duty: Iterable[tuple[int, int]],
) -> dict[int, Quarter]:
    """The three answers by beginning of the quarter in Unix ms, in order of time."""
    found: dict[int, Quarter] = {}
    for at_ms, offered, handled, talked_ms, waited_ms, abandoned in calls:
        found[at_ms] = Quarter(offered, handled, talked_ms, waited_ms, abandoned)
    for at_ms, ms in wrap_up:
        found.setdefault(at_ms, Quarter()).handle_ms += ms
    for at_ms, ms in duty:
        found.setdefault(at_ms, Quarter()).duty_ms += ms
    return dict(sorted(found.items()))
