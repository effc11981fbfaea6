"""Who may not join, who goes elsewhere: the conditions and overflow rules of queues, carried out.

Rules are looked at when a caller joins, when the time that one of them names has come, whenever the last agent goes,
and every REVIEW_MS (rarer in long queues) where a rule reads what may change at any time. The first rule that holds
and whose target can take him is followed; one whose target can't is passed over, so nobody is ever sent into nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import limits
from engine.call import budget, levers, places, queue_facts, staying
from engine.call import leg as legs
from engine.call.call import tread
from engine.dialplan import actions
from engine.dialplan.evaluation import evaluate

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.model import OverflowRule, QueueModel

REVIEW_MS = 5_000
REVIEW_MS_PER_CALLER = 5  # of those who wait in the queue: at most 200 looks a second
_ONE_VALUE = "waited"


def rules_of(call: Call, queue: QueueModel) -> tuple[OverflowRule, ...]:
    """The step's rules hold in the queue that it names, each further queue has its own."""
    kept = call.waiting
    if kept is not None and kept.wish is not None and kept.wish.overflow is not None and not kept.hops:
        return kept.wish.overflow
    return queue.overflow


def leave_absent(call: Call, queue: QueueModel) -> tuple[str, ...]:
    kept = call.waiting
    if kept is not None and kept.wish is not None and kept.wish.leave_absent is not None and not kept.hops:
        return kept.wish.leave_absent
    return queue.leave_absent


# --- joining -----------------------------------------------------------------------------------------------------
def enter(room: Room, call: Call, name: str, now_ms: int) -> None:
    """Into this queue, or where its rules lead a newcomer; whoever isn't taken goes on in his dialplan."""
    queue, kept = queue_facts.model(room, call, name), call.waiting
    if queue is None or kept is None or kept.wish is None:
        return
    call.queue, call.joined_ms, call.first_position = name, now_ms, 0
    rule = _first(room, call, name, queue, now_ms, joining=True)
    if rule is not None:
        _follow(room, call, rule, now_ms, joining=True)
        return
    why, wish = turned_away(room, call, name, queue, now_ms), kept.wish
    if why == "closed":
        _refuse(room, call, now_ms)
        return
    places.back(room, call, name, now_ms)
    priority_ms = wish.priority_ms + kept.credit_ms + places.credit_ms(room, call, name, now_ms)
    wait_ms = max(1, wish.wait_ms_max - (now_ms - kept.since_ms)) if wish.wait_ms_max else 0
    number = room.queue_ids[name]
    room.distribute(budget.joined(room, call, wish, queue, number, priority_ms, wait_ms, now_ms, refused=why))
    room.joining.append((call.id, priority_ms))


def _refuse(room: Room, call: Call, now_ms: int) -> None:
    """An operator has closed the queue: the dialplan goes on by its way for that."""
    room.emit(
        "queue.left", call.tenant, call.name, queue=call.queue, reason="closed", position=0, first_position=0,
        waited_ms=0, key="",
    )  # fmt: skip
    tread(call, f"{call.queue.split('/')[-1]} closed")
    _end(room, call, "closed", "closed", "", now_ms)


def turned_away(room: Room, call: Call, name: str, queue: QueueModel, now_ms: int) -> str:
    """Why this queue doesn't take him: closed | no_agents | full, '' when it does. Length is the distributor's."""
    kept = call.waiting
    wish = kept.wish if kept is not None and not kept.hops else None
    if levers.closed(room, name):
        return "closed"
    absent = queue.join_absent if wish is None or wish.join_absent is None else wish.join_absent
    number = room.queue_ids[name]
    if absent and not queue_facts.staffed(room.acd.presence(number), absent):
        return "no_agents"
    limit_ms = (wish.estimated_wait_ms_max if wish is not None else 0) or queue.estimated_wait_ms_max
    if limit_ms:
        estimate = queue_facts.range_ms(room, call, number, now_ms, joining=True)
        if estimate is not None and estimate[1] > limit_ms:
            return "full"
    return ""


# --- while he waits ------------------------------------------------------------------------------------------------
def look(room: Room, call: Call, now_ms: int) -> None:
    """Time to look: has everybody gone, does a rule hold? Not while a phone rings for him: that is his best chance."""
    queue = queue_facts.model(room, call, call.queue)
    if call.waiting is None or call.phase != "queue" or queue is None:
        return
    if not room.acd.rings(call.id) and room.acd.position(call.id):
        rule = _first(room, call, call.queue, queue, now_ms, joining=False)
        if rule is not None:
            _follow(room, call, rule, now_ms, joining=False)
            return
        absent = leave_absent(call, queue)
        if absent and not queue_facts.staffed(room.acd.presence(room.queue_ids[call.queue]), absent):
            _end(room, call, "empty", "no_agents", "", now_ms)
            return
    arm(room, call, now_ms)


def arm(room: Room, call: Call, now_ms: int) -> None:
    """When to look again; never when no rule can come to hold."""
    queue = queue_facts.model(room, call, call.queue)
    if queue is None:
        return
    rules = rules_of(call, queue)
    waited_ms = now_ms - call.joined_ms
    times = [at for rule in rules for at in thresholds(rule.when) if at >= waited_ms]
    at_ms = call.joined_ms + min(times) + 1 if times else 0
    if leave_absent(call, queue) or any(changes(rule.when) for rule in rules):
        length = room.acd.queue_length(room.queue_ids[call.queue])
        review_ms = now_ms + max(REVIEW_MS, REVIEW_MS_PER_CALLER * length)
        at_ms = min(at_ms or review_ms, review_ms)
    if at_ms:
        room.deadlines.arm(("overflow", call.id), at_ms)


def thresholds(tree: list[Any]) -> list[int]:
    """The times that a rule compares `waited` with, in ms."""
    if tree[0] == "literal":
        return []
    parts = [each for each in tree[1:] if isinstance(each, list) and each and isinstance(each[0], str)]
    if ["variable", _ONE_VALUE] in parts:
        return [each[1] for each in parts if each[0] == "literal" and type(each[1]) is int]
    return [at for each in parts for at in thresholds(each)]


def changes(tree: list[Any]) -> bool:
    """Does a rule read more than the time waited, or calculate with it?"""
    if tree[0] == "literal":
        return False
    if tree[0] == "variable":
        return bool(tree[1] != _ONE_VALUE)
    if tree[0] in ("+", "-", "*", "in", "known", "has"):
        return True
    return any(changes(each) for each in tree[1:] if isinstance(each, list))


def staff_changed(room: Room, key: str, now_ms: int) -> None:
    """An agent has gone or pauses: the queues that care whether anybody is left are looked at in this step."""
    agent = room.sites[room.site].agents.get(key)
    for name, _, _ in agent.queues if agent is not None else ():
        queue = room.sites[room.site].queues.get(name)
        if queue is not None and (queue.leave_absent or queue.overflow):
            room.deadlines.arm(("staff", room.queue_ids[name]), now_ms)


def look_at_all(room: Room, number: int, now_ms: int) -> None:
    """Everybody who waits in this queue: is anybody left to serve him?"""
    name = room.queue_names.get(number, "")
    for call in list(room.calls.values()):
        if call.queue == name and call.waiting is not None:
            look(room, call, now_ms)


# --- following a rule ------------------------------------------------------------------------------------------------
def _first(room: Room, call: Call, name: str, queue: QueueModel, now_ms: int, *, joining: bool) -> OverflowRule | None:
    rules, kept = rules_of(call, queue), call.waiting
    if not rules or kept is None:
        return None
    known = queue_facts.rule_values(room, call, name, queue, rules, now_ms, joining=joining)
    for rule in rules:
        if evaluate(rule.when, known, {}) is not True:
            continue
        if rule.way != "queue" or (kept.hops < limits.overflow_hops_max and _takes(room, call, rule.to)):
            return rule
    return None


def _takes(room: Room, call: Call, name: str) -> bool:
    """Would that queue take him: open, not full, somebody there, an agent who has the skills he needs?"""
    queue, number = queue_facts.model(room, call, name), room.queue_ids.get(name)
    if queue is None or number is None or levers.closed(room, name) or queue_facts.full(room, queue, number):
        return False
    presence = room.acd.presence(number)
    if not queue_facts.staffed(presence, queue.join_absent or ("logged_out",)):
        return False
    wish = call.waiting.wish if call.waiting is not None else None
    needs = () if wish is None else wish.steps[-1][1] if wish.steps else wish.needs
    agents = room.sites[room.site].agents.values()
    serving = [dict(agent.skills) for agent in agents if any(each == name for each, _, _ in agent.queues)]
    return any(all(skills.get(skill, 0) >= level for skill, level in needs) for skills in serving)


def _follow(room: Room, call: Call, rule: OverflowRule, now_ms: int, *, joining: bool) -> None:
    kept = call.waiting
    assert kept is not None
    spent_ms = 0 if joining else now_ms - call.joined_ms
    credit_ms = kept.credit_ms + spent_ms if rule.way == "queue" and rule.credit == "full" else 0
    room.emit(
        "queue.overflowed", call.tenant, call.name, queue=call.queue, rule=rule.text, way=rule.way, to=rule.to,
        waited_ms=spent_ms, credit_ms=credit_ms,
    )  # fmt: skip
    tread(call, f"{call.queue.split('/')[-1]} overflow")
    if rule.way != "queue":
        _end(room, call, "overflow", "overflow" if rule.way == "outcome" else "number", rule.to, now_ms)
        return
    if not joining:
        staying.part(room, call, "overflow", now_ms)
        call.waited_ms += spent_ms
    kept.hops += 1
    kept.credit_ms = credit_ms
    enter(room, call, rule.to, now_ms)


def _end(room: Room, call: Call, reason: str, result: str, key: str, now_ms: int) -> None:
    """He waits no longer; his dialplan goes on by `result`. Who never joined leaves no stay behind."""
    if call.phase == "queue" and call.first_position:
        staying.leave(room, call, reason, now_ms, key=key)
    else:
        staying.stopped_waiting(room, call, now_ms)
    leg = room.legs[call.leg]
    if leg.playing:
        legs.quiet(room, leg)
    call.phase = "script"
    room.happen(call, actions.QueueEnded(call.queue_ticket, result, key))
