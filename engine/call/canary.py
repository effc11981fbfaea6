"""A version of the site that only a share of the new calls runs on, drawn by caller: who rings again hears the same.

Everything that calls share (queues, agents, trunks) stays that of the version in force; the runtime sees to it that the
two don't differ there.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.call.effects import Operator
    from engine.call.room import Room
    from engine.dialplan.model import NumberModel, Site

WHOLE = 10_000  # shares are hundredths of a percent


class Share(msgspec.Struct, array_like=True):
    """`share` of WHOLE new calls runs on `version`, since engine time `since_ms`; `drawn` of them until now."""

    version: str
    share: int
    since_ms: int
    drawn: int = 0


def begin(room: Room, site: Site, version: str, share: int, now_ms: int) -> None:
    """From now on. Another version that was shared is so no more."""
    end(room)
    if version == room.site:
        return
    room.sites[version] = site
    room.indexes.pop(version, None)
    room.share = Share(version, min(share, WHOLE), now_ms)


def end(room: Room) -> str:
    """New calls run on the version in force alone; those that have begun finish. The version that was shared, or ''."""
    share, room.share = room.share, None
    if share is None:
        return ""
    forget(room, share.version)
    return share.version


def forget(room: Room, version: str) -> None:
    """Let a version go that no call needs, and that none will get."""
    kept = version == room.site or (room.share is not None and version == room.share.version)
    if not kept and not any(call.site == version for call in room.calls.values()):
        room.sites.pop(version, None)
        room.indexes.pop(version, None)


def drawn(version: str, caller: str, share: int) -> bool:
    """Is this caller among the share? The same answer for as long as the version is shared, whatever the share was
    before if it only grows."""
    digest = blake2b(f"{version}|{caller}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) * WHOLE >> 64 < share


def version_for(room: Room, number: NumberModel, caller: str, serial: int) -> tuple[str, NumberModel]:
    """(version, number as it means there) for a new call to a number. Callers without a number are drawn one by one."""
    share = room.share
    if share is None or not drawn(share.version, caller or f"#{serial}", share.share):
        return room.site, number
    other = room.index(share.version).number(number.number, number.tenant)
    if other is None:
        return room.site, number
    share.drawn += 1
    return share.version, other


def over(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """Verb `share_over`: nobody new is drawn any more."""
    return {"version": end(room)}


def row(room: Room) -> dict[str, object] | None:
    """For `status`."""
    share = room.share
    if share is None:
        return None
    return {
        "version": share.version, "share": share.share, "since_ms": share.since_ms + room.wall_offset_ms,
        "drawn": share.drawn,
    }  # fmt: skip
