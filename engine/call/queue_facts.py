"""What is known of a queue and of a caller in it: who is there, how long it is, how long he will probably wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import levers
from engine.dialplan import evaluation

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.model import OverflowRule, QueueModel
    from engine.dialplan.types import Value

Estimate = tuple[int, int, int]  # (low, median, high) of a wait, ms
# an admin's word -> the distributor's states
STATES = {"busy": ("alerting", "talking", "occupied")}


def model(room: Room, call: Call, queue: str) -> QueueModel | None:
    """The queue as the call's own version of the site knows it, else as the present one does (it was renamed)."""
    return room.site_of(call).queues.get(queue) or room.sites[room.site].queues.get(queue)


def staffed(presence: dict[str, int], absent: tuple[str, ...]) -> bool:
    """Is anybody there? `absent`: states that don't count; () means that nobody needs to be."""
    if not absent:
        return True
    out = [state for word in absent for state in STATES.get(word, (word,))]
    return any(count for state, count in presence.items() if state not in out and state != "idle")


def logged_in(presence: dict[str, int]) -> int:
    return sum(count for state, count in presence.items() if state not in ("logged_out", "idle"))


def full(room: Room, queue: QueueModel, number: int) -> bool:
    return room.acd.queue_length(number) >= (queue.entries_max or limits.entries_max)


def rule_values(
    room: Room, call: Call, name: str, queue: QueueModel, rules: tuple[OverflowRule, ...], now_ms: int, *, joining: bool
) -> dict[str, Value]:
    """What overflow rules of `queue` read (queue_rules.FACTS). The estimate is worked out only when one reads it."""
    number = room.queue_ids[name]
    there = room.acd.presence(number)
    count = logged_in(there)
    length = room.acd.queue_length(number)
    found: dict[str, Value] = {
        "waited": 0 if joining else now_ms - call.joined_ms, "length": length,
        "position": length + 1 if joining else room.acd.position(call.id),
        "agents_ready": there.get("idle", 0), "agents_logged_in": count, "no_agents": count == 0,
        "closed": levers.closed(room, name), "full": joining and full(room, queue, number),
    }  # fmt: skip
    if any(evaluation.reads(rule.when, "estimated_wait") for rule in rules):
        estimate = range_ms(room, call, number, now_ms, joining=joining)
        if estimate is not None:
            found["estimated_wait"] = estimate[1]
    return found


def wait_facts(room: Room, call: Call, estimate: Estimate | None, now_ms: int) -> dict[str, str]:
    """What a wait list reads of its queue (facts.WAIT_FACTS); without an estimate that one is missing."""
    number = room.queue_ids.get(call.queue, -1)
    there = room.acd.presence(number)
    since_ms = call.waiting.since_ms if call.waiting is not None else call.joined_ms
    found = {
        "queue.position": str(room.acd.position(call.id)), "queue.length": str(room.acd.queue_length(number)),
        "queue.waited": str(now_ms - since_ms), "queue.agents_ready": str(there.get("idle", 0)),
        "queue.agents_logged_in": str(logged_in(there)),
    }  # fmt: skip
    if estimate is not None:
        found["queue.estimated_wait"] = str(estimate[1])
    return found


def range_ms(room: Room, call: Call, number: int, now_ms: int, *, joining: bool = False) -> Estimate | None:
    """(low, median, high) of how long he will still wait, None while there is nothing to say it by.

    `joining`: as if he came into that queue now, with the needs and the priority that he would bring.
    """
    kept = call.waiting
    if not joining or kept is None or kept.wish is None:
        found = room.acd.estimate(number, now_ms, call=call.id)
    else:
        needs = tuple((room.skill_ids.get(skill, -1), level) for skill, level in kept.wish.needs)
        found = room.acd.estimate(number, now_ms, priority_ms=kept.wish.priority_ms + kept.credit_ms, needs=needs)
    return None if found is None else (found.low_ms, found.median_ms, found.high_ms)
