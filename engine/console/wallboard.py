"""The live wallboard: the five figures of each queue (inbound, service level, utilisation, who is on duty, in which
state), and who waits. Text for a plain terminal; the figures are `records.kpi_board`'s, the same as the report's.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.console.format import clock, cut, fit, seconds, span
from engine.records.kpi_board import Board, OnDuty

ATTENTION = "!"  # beside a figure that misses its target: a sign, because not every terminal has colour
STATE_WORDS = {
    "ready": "ready", "talking": "talking", "wrap_up": "wrap-up", "not_ready": "not ready", "alerting": "ringing",
    "occupied": "other call", "resting": "resting",
}  # fmt: skip


def state_words(state: str, reason: str = "") -> str:
    """An agent's state; why, where he or an operator gave a reason."""
    word = STATE_WORDS.get(state, state.replace("_", " "))
    return f"{word} ({reason})" if reason and state in ("not_ready", "resting") else word


def percent(value: float | None) -> str:
    """ "83 %"; "–" when there was nothing to divide by."""
    return "–" if value is None else f"{value:.0f} %"


def lines(
    boards: Sequence[Board], closed: Sequence[str], *, width: int, height: int, at_ms: int, note: str = ""
) -> list[str]:
    """At most `height` lines of at most `width` cells: a table of queues, then who is on duty in them."""
    waiting = sum(board.waiting + board.alerting for board in boards)
    head = f"ringdown  {clock(at_ms, date=True)}  {waiting} waiting"
    found = [cut(head + (f"  {note}" if note else ""), width), ""]
    if not boards:
        return [*found, "no queues"][:height]
    name = max(8, min(24, width - 62))
    found.append(cut(f"{fit('queue', name)} wait longest  talk ready  inbound  service  aband.    util.", width))
    for board in boards[: max(1, height - 6)]:
        found.append(cut(_row(board, board.queue in closed, name), width))
    if len(boards) > max(1, height - 6):
        found.append(f"… and {len(boards) - max(1, height - 6)} queues more")
    found.append("")
    found += _duty(boards, width, height - len(found))
    return found[:height]


def _row(board: Board, closed: bool, name: int) -> str:
    late = ATTENTION if board.longest_wait_ms > board.within_ms else " "
    title = fit(("closed: " if closed else "") + board.queue.removeprefix("default/"), name)
    level = f"{percent(board.service_level)}/{board.within_ms // 1000}s"
    waiting = board.waiting + board.alerting  # whom a phone rings for waits as well
    return (
        f"{title} {waiting:4} {seconds(board.longest_wait_ms):>7}{late} {board.connected:4} {board.ready:5}"
        f"  {board.inbound:7} {level:>9} {percent(board.abandonment):>6}   {percent(board.utilisation):>6}"
    )


def _duty(boards: Sequence[Board], width: int, height: int) -> list[str]:
    """Names on duty, each once, those who matter first; as many columns as fit."""
    people: dict[str, OnDuty] = {}
    for board in boards:
        for agent in board.on_duty:
            people.setdefault(agent.agent, agent)
    if not people:
        return ["nobody is on duty"]
    order = {state: place for place, state in enumerate(STATE_WORDS)}
    rows = sorted(people.values(), key=lambda each: (order.get(each.state, 99), each.agent))
    columns = max(1, width // 40)
    cells = width // columns
    fitting = max(1, height - 1) * columns
    texts = [_person(agent, cells - 1) for agent in rows[:fitting]]
    counts = ", ".join(f"{count} {word}" for word, count in _counts(rows).items())
    found = [cut(f"{len(rows)} on duty: {counts}", width)]
    for first in range(0, len(texts), columns):
        found.append(" ".join(texts[first : first + columns]).rstrip())
    if len(rows) > fitting:
        found[-1] = cut(f"… and {len(rows) - fitting + columns} more", width)
    return found


def _counts(rows: Sequence[OnDuty]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for agent in rows:
        word = state_words(agent.state)
        counts[word] = counts.get(word, 0) + 1
    return counts


def _person(agent: OnDuty, cells: int) -> str:
    number = agent.agent.removeprefix("default/")
    return fit(
        f"{number} {fit(agent.name, 11)} {span(agent.seconds):>5} {state_words(agent.state, agent.reason)}", cells
    )
