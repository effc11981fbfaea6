"""Whose media must be SRTP, may be, or isn't: by the trunk, else the agent, else the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.model import AgentModel, TrunkModel


def policy(room: Room, trunk: TrunkModel | None, agent: AgentModel | None) -> str:
    """off | optional | required, for a leg of this trunk, or of this agent's phone, or of somebody else."""
    if trunk is not None:
        return trunk.srtp
    site = room.sites.get(room.site)
    whole = site.srtp if site is not None else "off"
    return (agent.srtp or whole) if agent is not None else whole


def policy_of(room: Room, trunk: str, agent: str) -> str:
    """The same by names; `agent` is tenant/number, and either may be ''."""
    site = room.sites.get(room.site)
    if site is None:
        return "off"
    return policy(room, site.trunks.get(trunk), site.agents.get(agent))
