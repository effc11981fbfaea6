"""Wrap-up codes counted: which disposition calls ended with, by queue (pure; the store answers).

A call counts once for each agent who served it, with the last code that he gave it. `missing` are the calls whose
queue requires a code and whose agent gave none.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.records.kpi import share
from engine.records.report import Wish
from engine.records.schema import Query

MISSING = "missing"


def query(wish: Wish) -> Query:
    """Rows (queue, code, name, calls) of the wish's time; codes are few events, found by a walk over that time."""
    where, values = ["kind = 'agent.wrap_up_code'", "at_ms >= ?", "at_ms < ?"], [wish.since_ms, wish.until_ms]
    texts: list[str | int] = []
    for name, value in (("queue", wish.queue), ("agent", wish.agent)):
        if value:
            where.append(f"json_extract(data, '$.{name}') = ?")
            texts.append(value)
    if wish.tenant:
        where.append("tenant = ?")
        texts.append(wish.tenant)
    # of several events of one group SQLite takes the other columns from the row with max(n): the last code given
    inner = (
        "SELECT json_extract(data, '$.queue') AS queue, json_extract(data, '$.code') AS code, "
        "json_extract(data, '$.name') AS name, max(n) FROM events WHERE " + " AND ".join(where) + " "
        "GROUP BY boot, call, json_extract(data, '$.agent')"
    )
    return (
        f"SELECT queue, code, name, count(*) FROM ({inner}) GROUP BY queue, code, name ORDER BY queue, 4 DESC, name",
        [*values, *texts],
    )


def rows(found: Iterable[tuple[str, str, str, int]]) -> list[dict[str, object]]:
    """A row for each queue and code: `calls`, and `percent` of all the queue's calls that had a code or miss one."""
    counted = [(str(queue), str(code), str(name) or MISSING, int(calls)) for queue, code, name, calls in found]
    total: dict[str, int] = {}
    for queue, _, _, calls in counted:
        total[queue] = total.get(queue, 0) + calls
    return [
        {"queue": queue, "code": code, "name": name, "calls": calls, "percent": share(calls, total[queue])}
        for queue, code, name, calls in counted
    ]
