"""What an agent does by keys on a call of his own: open a box (`mailbox`), record a prompt (`prompting`).

One prompt at a time, then keys, each with a deadline (law 6): a plane that never tells a prompt's end, or a person who
presses nothing, can't hold the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import ending
from engine.call import leg as legs
from engine.dialplan.speaking import present

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room

PURPOSE = "menu"
PHASES = ("mailbox", "prompting")
GRACE_MS = 5_000  # should the plane never tell a prompt's end, beside its length
KEYS_MS = 8_000  # for the next key
LOAD_MS = 5_000  # for the disk
TRIES_MAX = 3


def language(room: Room, call: Call) -> str:
    tenant = room.site_of(call).tenants.get(call.tenant)
    return tenant.languages[0] if tenant is not None and tenant.languages else "en"


def stock(room: Room, call: Call, *names: str) -> tuple[str, ...]:
    """Prompts by name, the tenant's own first; what the site doesn't have is left out."""
    return present(list(names), language(room, call), room.site_of(call), call.tenant)


def say(
    room: Room, call: Call, step: str, names: tuple[str, ...], now_ms: int, *, clips: tuple[int, ...] = (), ms: int = 0
) -> None:
    """Speak prompts (and then `clips`, `ms` long), and be in `step` from here on. Nothing to say: as if it was over."""
    menu, leg, site = call.menu, room.legs.get(call.leg), room.site_of(call)
    if menu is None or leg is None:
        return
    menu.step = step
    heard = room.clips(site, names) + clips
    if heard:
        legs.play(room, leg, PURPOSE, heard)
        ms += sum(site.prompts[name].duration_ms for name in names if name in site.prompts) + GRACE_MS
    room.deadlines.arm((PURPOSE, call.id), now_ms + (ms if heard else 0))


def wait(room: Room, call: Call, ms: int, now_ms: int) -> None:
    """He may press a key now."""
    room.deadlines.arm((PURPOSE, call.id), now_ms + ms)


def bye(room: Room, call: Call, now_ms: int, *names: str) -> None:
    """Last words, then the line is hung up."""
    say(room, call, "bye", stock(room, call, *names, "goodbye"), now_ms)


def over(room: Room, call: Call, now_ms: int) -> None:
    """The last word is said."""
    ending.hang_up(room, call, "system", "served", 16, now_ms)
