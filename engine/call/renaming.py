"""A queue under a new name (`was: old_name` in queues.yaml): whoever waits in it, its figures and its levers follow.

The distributor knows queues by number, so a rename is a new name for the same number: entries, tallies, turns and
memberships stay. Calls that began with the old site still ask for the old name and are led to the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import levers

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.model import Site


def present(room: Room, name: str) -> str:
    """The present name of a queue that somebody calls `name`."""
    index = room.index()
    return name if name in index.site.queues else index.renamed.get(name, name)


def apply(room: Room, site: Site, now_ms: int) -> None:
    """A site comes into force: what is known by an old name is from now on known by the new one."""
    for key, queue in site.queues.items():
        for old in queue.was:
            if old in site.queues:
                continue
            levers.rename(room, "queue", old, key, now_ms)
            if old not in room.queue_ids or key in room.queue_ids:
                continue
            number = room.queue_ids.pop(old)
            room.queue_ids[key] = number
            room.queue_names[number] = key
            for call in room.calls.values():
                if call.queue == old:
                    call.queue = key
                if call.held_place is not None and call.held_place.queue == old:
                    call.held_place.queue = key
            _places(room, old, key)
            room.emit("queue.renamed", queue.tenant, "", queue=key, was=old)


def _places(room: Room, old: str, key: str) -> None:
    """Open callbacks, what was counted of them, and places of those who may ring back."""
    for back in room.callbacks.values():
        if back.queue == old:
            back.queue = key
    counts = room.callback_counts.pop(old, None)
    if counts is not None:
        room.callback_counts[key] = counts
    room.left_places = {
        f"{key}|{name.partition('|')[2]}" if name.startswith(f"{old}|") else name: place
        for name, place in room.left_places.items()
    }
