"""Names into numbers for the distributor: rings, needs that relax, the agent whom a caller prefers.

`last_agents` of the room remembers who served which caller last, for `prefer: last`: a day, and at most
LAST_AGENTS_MAX callers, the oldest going first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.acd import custom
from engine.acd.events import Step
from engine.acd.model import Policy, Program, Ring
from engine.acd.stages import BORROWED
from engine.call import places

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.actions import JoinQueue
    from engine.dialplan.model import AgentModel, QueueModel, Site

LAST_AGENTS_MAX = 10_000
LAST_AGENT_MS_MAX = 86_400_000
_CODES = {
    "+": custom.ADD, "-": custom.SUB, "*": custom.MUL, "=": custom.EQ, "!=": custom.NE, "<": custom.LT,
    "<=": custom.LE, ">": custom.GT, ">=": custom.GE, "and": custom.AND, "or": custom.OR, "not": custom.NOT,
}  # fmt: skip
LAST = "last"  # dialplan.routing.LAST_AGENT


def skill_id(room: Room, name: str) -> int:
    return room.skill_ids.setdefault(name, len(room.skill_ids))


def office_id(site: Site, name: str) -> int:
    """0 for no office, and for one that the site no longer has."""
    return site.offices[name].number if name in site.offices else 0


def office_of(site: Site, call: Call) -> int:
    """Where the call came in: at a trunk's gateway, or at an agent's desk."""
    agent, trunk = site.agents.get(call.agent), site.trunks.get(call.trunk)
    return office_id(site, agent.office if agent is not None else trunk.office if trunk is not None else "")


def rings(room: Room, site: Site, queue: QueueModel) -> tuple[Ring, ...]:
    return tuple(
        Ring(
            each.level, each.teams, tuple(skill_id(room, name) for name in each.without), each.for_ms,
            borrows=bool(each.queues), offices=tuple(office_id(site, name) for name in each.offices),
        )
        for each in queue.rings
    )  # fmt: skip


def policy(room: Room, queue: QueueModel) -> Policy | None:
    """The site's own policy as the distributor's programs."""
    if queue.policy is None:
        return None
    order = tuple(_program(room, words) for words in queue.policy.order)
    return Policy(order, _program(room, queue.policy.admit))


def _program(room: Room, words: tuple[tuple[str, int | str], ...]) -> Program:
    codes: list[tuple[int, int]] = []
    for sign, what in words:
        if sign == "const":
            codes.append((custom.CONST, int(what)))
        elif sign == "field":
            codes.append((custom.FIELD, custom.FIELDS.index(str(what))))
        elif sign == "skill":
            codes.append((custom.SKILL, skill_id(room, str(what))))
        else:
            codes.append((_CODES[sign], 0))
    return tuple(codes)


def seats(room: Room, site: Site, agent: AgentModel) -> tuple[tuple[int, int, int], ...]:
    """(queue id, level, position): his own queues, then those that borrow him in a ring."""
    own = [(name, level, place) for name, level, place in agent.queues if name in room.queue_ids]
    names = [name for name, _, _ in own]
    for key, queue in site.queues.items():
        for number, ring in enumerate(queue.rings, 1):
            if key not in names and any(name in ring.queues for name in names):
                names.append(key)
                own.append((key, BORROWED + number, len(own) + 1))
                break
    return tuple((room.queue_ids[name], level, place) for name, level, place in own)


def wishes(room: Room, call: Call, wish: JoinQueue, now_ms: int) -> dict[str, Any]:
    """The fields of CallJoined that say whom this caller asks for beside `needs`."""
    found: dict[str, Any] = {}
    if wish.steps:
        found["steps"] = tuple(
            Step(ms, tuple((skill_id(room, name), level) for name, level in needs), ring)
            for ms, needs, ring in wish.steps
        )
    row = room.agents.get(last_agent(room, call, now_ms) if wish.prefer == LAST else f"{call.tenant}/{wish.prefer}")
    if wish.prefer and row is not None:
        found |= {"prefer": row.id, "prefer_ms": wish.prefer_ms, "prefer_away": wish.prefer_away}
    return found


def last_agent(room: Room, call: Call, now_ms: int) -> str:
    """The key of the agent who served this caller last; '' when that is long ago, or he withholds his number."""
    found = room.last_agents.get(f"{call.tenant}/{call.caller}")
    return found[0] if found is not None and now_ms - found[1] <= LAST_AGENT_MS_MAX else ""


def served(room: Room, call: Call, agent: str, now_ms: int) -> None:
    """A queue has given this caller to an agent."""
    if not places.known(call.caller):
        return
    memory = room.last_agents
    memory.pop(f"{call.tenant}/{call.caller}", None)
    memory[f"{call.tenant}/{call.caller}"] = (agent, now_ms)
    while memory:  # in order of time: the oldest is the first
        oldest = next(iter(memory))
        if len(memory) <= LAST_AGENTS_MAX and now_ms - memory[oldest][1] <= LAST_AGENT_MS_MAX:
            return
        del memory[oldest]
