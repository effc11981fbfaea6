"""What callers answered: by survey and question, over all or by queue, agent or tenant (pure; the store answers).

score = the mean of the answers, each the number of its key. response % = calls that answered the question / calls that
were asked the survey. An answer counts for the agent who had the caller last, and for the queue that he came through.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.records.kpi import share
from engine.records.report import Wish
from engine.records.schema import Query

KIND = "survey.answered"


def query(wish: Wish, survey: str = "") -> Query:
    """Rows (group, survey, question, answer, calls) of the wish's time, an offered survey's question being ''."""
    group = {"queue": "json_extract(data, '$.queue')", "agent": "json_extract(data, '$.agent')", "tenant": "tenant"}
    where = ["kind = ?", "at_ms >= ?", "at_ms < ?"]
    values: list[str | int] = [KIND, wish.since_ms, wish.until_ms]
    for name, value in (("survey", survey), ("queue", wish.queue), ("agent", wish.agent)):
        if value:
            where.append(f"json_extract(data, '$.{name}') = ?")
            values.append(value)
    if wish.tenant:
        where.append("tenant = ?")
        values.append(wish.tenant)
    return (
        f"SELECT {group.get(wish.by, chr(39) * 2)}, json_extract(data, '$.survey'), json_extract(data, '$.question'), "
        "json_extract(data, '$.answer'), count(*) FROM events WHERE " + " AND ".join(where) + " GROUP BY 1, 2, 3, 4 "
        "ORDER BY 1, 2, 3, 4",
        values,
    )


def rows(found: Iterable[tuple[str, str, str, str, int]]) -> list[dict[str, object]]:
    """A row for each group, survey and question: how many answered, their share, the mean, and how often each key."""
    offered: dict[tuple[str, str], int] = {}
    answers: dict[tuple[str, str, str], dict[str, int]] = {}
    for group, survey, question, answer, calls in found:
        if question:
            counts = answers.setdefault((group, survey, question), {})
            counts[answer] = counts.get(answer, 0) + calls
        else:
            offered[group, survey] = offered.get((group, survey), 0) + calls
    made: list[dict[str, object]] = []
    for (group, survey, question), counts in answers.items():
        total = sum(counts.values())
        scored = [(int(key), calls) for key, calls in counts.items() if key.isdigit()]
        points = sum(calls for _, calls in scored)
        made.append(
            {
                "group": group, "survey": survey, "question": question, "asked": offered.get((group, survey), 0),
                "answered": total, "response_percent": share(total, offered.get((group, survey), 0)),
                "score": round(sum(key * calls for key, calls in scored) / points, 2) if points else None,
                "answers": " ".join(f"{key}:{calls}" for key, calls in sorted(counts.items())),
            }
        )  # fmt: skip
    return made
