"""Skills with a date: from that moment on the agent isn't asked for them any more, and it is said once.

The date lies in the site as Unix ms, the wall clock enters as the input WallClock: so the same inputs expire the same
skill at the same step. A clock that is set back makes it valid again, one that is set forward expires it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.events import AgentSkills
from engine.call.routing import skill_id

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.model import AgentModel, Site

KEY = ("skills", 0)


def valid(room: Room, agent: AgentModel, now_ms: int) -> tuple[tuple[int, int], ...]:
    """(skill number, level) of what he may be asked for now."""
    wall_ms = now_ms + room.wall_offset_ms
    gone = [skill for skill, until_ms in agent.expires if until_ms <= wall_ms]
    return tuple((skill_id(room, name), level) for name, level in agent.skills if name not in gone)


def review(room: Room, site: Site, now_ms: int) -> None:
    """Who has lost or regained a skill since the last time; the next moment is armed."""
    wall_ms = now_ms + room.wall_offset_ms
    kept: dict[str, int] = {}
    room.skill_ends_ms = 0
    for key, agent in site.agents.items():
        changed = False
        for skill, until_ms in agent.expires:
            name = f"{key}/{skill}"
            if until_ms <= wall_ms:
                kept[name] = until_ms
                if name not in room.expired_skills:
                    changed = True
                    room.emit(
                        "agent.skill_expired", agent.tenant, "", agent=key, skill=skill, until_ms=until_ms,
                        certified_by=dict(agent.certified).get(skill, ""),
                    )  # fmt: skip
                    room.log("warning", f"agent {key}: the skill {skill} has expired", "skill_expired")
            else:
                changed = changed or name in room.expired_skills
                room.skill_ends_ms = min(room.skill_ends_ms or until_ms, until_ms)
        if changed and key in room.agents:
            room.distribute(AgentSkills(room.agents[key].id, valid(room, agent, now_ms)))
    room.expired_skills = kept
    arm(room, now_ms)


def arm(room: Room, now_ms: int) -> None:
    """The wall clock moved a little: the same moment at another monotonic time."""
    if room.skill_ends_ms:
        room.deadlines.arm(KEY, max(now_ms, room.skill_ends_ms - room.wall_offset_ms))
    else:
        room.deadlines.cancel(KEY)


def due(room: Room, now_ms: int) -> None:
    """A moment has come."""
    review(room, room.sites[room.site], now_ms)
