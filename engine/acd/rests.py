"""Rests that are owed to an agent: a ceiling of occupancy, time between calls, a rest after much talk, a slow start.

A rule belongs to one agent (`model.RestRule`). The rules are asked when he comes home: `hold` says whether he rests,
until when and why; the state is `resting`, with its deadline like any other. He is held to them as his employer is:
`ready` doesn't end such a rest, a pause runs beside it. What may end it is a caller who has waited for
`gives_way_ms`: then one agent who fits is called back, and nobody else goes to rest.

Busy is ringing, talking, wrap-up and calls of another kind. It is counted in buckets of a twelfth of the window; the
oldest counts whole until it has left the window whole, so that the true share of any window is never above the
counted one, and a rest ends at a bucket's edge. The ceiling binds the beginning of work: a conversation that has
begun is finished, so a window may hold the ceiling and what remained of one conversation with its wrap-up.
"""

from __future__ import annotations

from engine.acd.model import RestRule
from engine.acd.pool import Pool
from engine.acd.tables import AGENT_STATES, ALERTING, OCCUPIED, RESTING, TALKING, WRAP_UP

CAUSES = ("", "occupancy", "between_calls", "long_talk", "new_agent")
NONE, OCCUPANCY, BETWEEN_CALLS, LONG_TALK, NEW_AGENT = range(5)
PARTS = 12  # buckets of a window
SLOTS = PARTS + 1  # with the one that has not left it whole
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
BUSY: list[bool] = [state in (ALERTING, TALKING, WRAP_UP, OCCUPIED) for state in range(len(AGENT_STATES))]


def rule_of(pool: Pool, row: int) -> RestRule | None:
    spec = pool.specs[row]
    return spec.rests if spec is not None else None


def account(pool: Pool, row: int, now_ms: int) -> None:
    """He leaves his state: the time in it is counted."""
    rule = rule_of(pool, row)
    if rule is None:
        return
    agents = pool.agents
    state, since = agents.state[row], agents.since[row]
    if BUSY[state] and rule.ceiling:
        slots = _slots(pool, row, rule, since, now_ms)
        for column, value in zip(agents.busy, slots, strict=True):
            column[row] = value
        agents.busy_at[row] = now_ms // _width(rule)
    if state in (TALKING, OCCUPIED):
        agents.talk_run[row] += now_ms - since
    elif not BUSY[state] and now_ms - since >= rule.rest_ms:
        agents.talk_run[row] = 0


def entering(pool: Pool, row: int, new: int, now_ms: int, reason: str) -> str:
    """Account for the state that he leaves for `new`; the reason to tell, which a rest of ours gives itself."""
    account(pool, row, now_ms)
    agents = pool.agents
    if new == TALKING:
        agents.called_at[row] = now_ms
    if new != RESTING or agents.rest_until[row] > now_ms or agents.ease_until[row] <= now_ms:
        return reason
    agents.eased[agents.ease_cause[row] - 1][row] += 1
    return CAUSES[agents.ease_cause[row]]


def hold(pool: Pool, row: int, now_ms: int) -> bool:
    """Must he rest, who would be ready? Sets until when and why; the same answer when asked again."""
    rule = rule_of(pool, row)
    agents = pool.agents
    if rule is None:
        agents.ease_until[row] = 0
        return False
    state, since = agents.state[row], agents.since[row]
    ends = [(agents.ease_until[row], agents.ease_cause[row])]
    if state in (TALKING, WRAP_UP) and rule.pause_ms:
        ends.append((now_ms + rule.pause_ms, BETWEEN_CALLS))
    if state == RESTING:  # what was decided when he began to rest stands
        if agents.ease_cause[row] == LONG_TALK and agents.ease_until[row] <= now_ms:
            agents.talk_run[row] = 0
    elif rule.long_talk_ms:
        run = agents.talk_run[row] + (now_ms - since if state in (TALKING, OCCUPIED) else 0)
        if run >= rule.long_talk_ms:  # what he has rested already, in a pause perhaps, counts
            ends.append(((now_ms if BUSY[state] else since) + rule.rest_ms, LONG_TALK))
    if rule.ramp_days and agents.called_at[row]:
        ends.append((agents.called_at[row] + gap_ms(rule, now_ms), NEW_AGENT))
    if rule.ceiling:
        ends.append((_below_ceiling(pool, row, rule, now_ms), OCCUPANCY))
    until, cause = max(ends)
    if until <= now_ms or (rule.gives_way_ms and _somebody_waits(pool, row, rule.gives_way_ms, now_ms)):
        agents.ease_until[row] = agents.ease_cause[row] = 0
        return False
    agents.ease_until[row], agents.ease_cause[row] = until, cause
    if state == RESTING and agents.deadline[row] < until:
        pool.arm_agent(row, until)  # a rest after a miss is over, this one is not
    return True


def cause(pool: Pool, row: int, now_ms: int) -> str:
    """The word for his present rest; "" when no rule of these holds him."""
    return CAUSES[pool.agents.ease_cause[row]] if pool.agents.ease_until[row] > now_ms else ""


def configured(pool: Pool, row: int, old: RestRule | None, new: RestRule | None) -> None:
    """A new rule for him. Another window begins without a past: buckets of two widths can't be added."""
    agents = pool.agents
    agents.humane[row] = int(new is not None)
    if old is None or new is None or old.window_ms != new.window_ms:
        for column in agents.busy:
            column[row] = 0
        agents.busy_at[row] = 0


# --- a slow start ---------------------------------------------------------------------------------------
def gap_ms(rule: RestRule, now_ms: int) -> int:
    """From call to call while he is new: an hour divided by the calls he may have in it, which grow day by day from
    `ramp_from` to `ramp_to`; 0 when his ramp is over."""
    day = max(0, now_ms - rule.started_ms) // DAY_MS
    if day >= rule.ramp_days:
        return 0
    calls = rule.ramp_from + (rule.ramp_to - rule.ramp_from) * day // rule.ramp_days
    return HOUR_MS // max(1, calls)


# --- the ceiling ------------------------------------------------------------------------------------------
def _width(rule: RestRule) -> int:
    return max(1, rule.window_ms // PARTS)


def _slots(pool: Pool, row: int, rule: RestRule, since_ms: int, now_ms: int) -> list[int]:
    """Busy ms by slot (bucket number modulo SLOTS) as of now; since_ms … now_ms is busy and not in the columns yet."""
    agents, width = pool.agents, _width(rule)
    slots = [column[row] for column in agents.busy]
    last = now_ms // width
    for bucket in range(max(agents.busy_at[row] + 1, last - SLOTS + 1), last + 1):
        slots[bucket % SLOTS] = 0
    for bucket in range(max(since_ms // width, last - SLOTS + 1), last + 1):
        overlap = min(now_ms, (bucket + 1) * width) - max(since_ms, bucket * width)
        slots[bucket % SLOTS] += max(0, overlap)
    return slots


def busy_ms(pool: Pool, row: int, now_ms: int) -> int:
    """What counts against his ceiling now; 0 for an agent without one."""
    rule = rule_of(pool, row)
    if rule is None or not rule.ceiling:
        return 0
    since = pool.agents.since[row] if BUSY[pool.agents.state[row]] else now_ms
    return sum(_slots(pool, row, rule, since, now_ms))


def _below_ceiling(pool: Pool, row: int, rule: RestRule, now_ms: int) -> int:
    """When his share will be at the ceiling or below, should he do nothing until then; 0: it is."""
    since = pool.agents.since[row] if BUSY[pool.agents.state[row]] else now_ms
    slots = _slots(pool, row, rule, since, now_ms)
    allowed, total, width = rule.ceiling * rule.window_ms // 1_000, sum(slots), _width(rule)
    until = 0
    for bucket in range(now_ms // width - SLOTS + 1, now_ms // width + 1):
        if total <= allowed:
            break
        total -= slots[bucket % SLOTS]
        until = (bucket + SLOTS) * width
    return until


# --- giving way -------------------------------------------------------------------------------------------
def _somebody_waits(pool: Pool, row: int, for_ms: int, now_ms: int) -> bool:
    """Has anybody whom he could serve waited for so long?"""
    for queue, _ in pool.seats[row]:
        for effective, _, entry in queue.waiting:
            if effective > now_ms - for_ms:
                break  # nobody behind has waited so long: priority only makes older
            if now_ms - pool.waits_since(entry) >= for_ms and fits(pool, row, entry):
                return True
    return False


def fits(pool: Pool, row: int, entry: int) -> bool:
    """Does the agent of this row meet every need of the caller?"""
    held = pool.skill_of[row]
    return all(held.get(need >> 8, 0) >= need & 0xFF for need in pool.needs_of(entry))
