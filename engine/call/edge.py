"""The edge: which sources a tenant and a trunk take, and what the gate is told of each.

Unknown accounts and wrong passwords are judged alike; so is every number that nobody has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call.edge_wall import Judged
from engine.sip.access import admitted, longest, plain

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.model import TenantModel, TrunkModel
    from engine.sip.events import Credentials, Path

_SAID = {"good": "good", "bad": "bad", "none": "asked"}  # stale: an old nonce says nothing of anybody
NAME_CHARACTERS_MAX = 64


def judge(room: Room, path: Path, verdict: str, name: str) -> None:
    """`verdict` as `agents.identify` gives it, or a word of Judged."""
    said = _SAID.get(verdict, verdict)
    if said != "stale":
        room.out.append(Judged(path.host, path.port, said, name[:NAME_CHARACTERS_MAX]))


def account(credentials: Credentials | None, user: str) -> str:
    """Whom a request says it is: by its credentials, else by its address."""
    return credentials.username if credentials is not None else user


def refuses(tenant: TenantModel, host: str) -> bool:
    """Do this tenant's lists keep the address out? Its agents are then unknown there, whatever they know."""
    lists = tenant.gate
    return lists is not None and not admitted(host, lists.allow, lists.deny)


def denied(trunk: TrunkModel, host: str) -> bool:
    """Is the address one of those within the trunk's networks that are not it?"""
    return bool(trunk.deny) and longest(trunk.deny, plain(host)) >= 0
