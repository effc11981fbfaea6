"""What `tail` shows of the past: recorded events, kept SIP, and both without a gap into the present."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.cli import client
from engine.console.store import Store
from engine.records.events import Event

_SEVERAL = re.compile(r" has [0-9]+ (kept )?calls, name one")
written_s_max = 3.0  # how long a follower waits for events that the writer still holds


def ladder(folder: Path, *, call: str = "", since_ms: int = 0, raw: bool = False) -> Iterator[dict[str, Any]]:
    """Kept SIP of one call or since a time, part by part. Raises NotRunning, or Refused when nothing is kept."""
    arguments = {"call": call} if call else {}
    if since_ms or not call:
        arguments["since_ms"] = str(since_ms)
    if raw:
        arguments["raw"] = "yes"
    while True:
        found = client.ask(folder, "ladder", **arguments)
        yield from found["hops"]
        if not found.get("next"):
            return
        arguments["after"] = str(found["next"])


def which(folder: Path, store: Store, wanted: str) -> str:
    """The recorded or living call that an id, a caller, an agent or `last` names. Raises Refused."""
    try:
        return str(client.ask(folder, "call", call=wanted)["call"])
    except client.NotRunning:
        pass
    except client.Refused as refused:
        if _SEVERAL.search(str(refused)):
            raise
    found = store.find(wanted)
    if not found and store.of_call(wanted):
        return wanted  # it never ended: the engine went away under it
    if not found:
        raise client.Refused(f"no call {wanted!r} is up or recorded; `ringdown calls` lists them")
    if len(found) > 1:
        lines = "; ".join(f"{row['call']} ({row['caller'] or 'anonymous'} → {row['dialled']})" for row in found)
        raise client.Refused(f"{wanted!r} has {len(found)} recorded calls, name one by its id: {lines}")
    return str(found[0]["call"])


def sound(folder: Path, call: str) -> list[str]:
    """How a call sounded, below its ladder and in its capture: a living one's legs so far, else what is recorded."""
    from engine.console import sound as words

    if not call:  # a request that never became a call
        return []
    try:
        legs = [words.of_event(leg) for leg in client.ask(folder, "sound", call=call)["legs"]]
        return [f"audio {words.short(leg)}" for leg in legs]
    except (client.NotRunning, client.Refused):
        pass
    store = Store(folder / "ringdown.db")
    try:
        told = [event for event in store.of_call(call) if event.kind == "call.quality"]
    finally:
        store.close()
    return [f"audio {words.short(words.of_event(event.data))}" for event in told]


def merged(events: Iterator[Event], hops: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Both in the order of their times, as lines of a stream."""
    import heapq

    facts: Iterator[tuple[int, int, dict[str, Any]]] = ((event.at_ms, 0, {"event": event}) for event in events)
    messages: Iterator[tuple[int, int, dict[str, Any]]] = ((int(hop["at_ms"]), 1, {"sip": hop}) for hop in hops)
    for _, _, item in heapq.merge(facts, messages, key=lambda each: each[:2]):
        yield item


class Joint:
    """Past and present of the event stream without a gap: what the live stream jumped over is read from the store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: dict[str, int] = {}  # boot -> last number shown
        self.seen_hop = 0

    def told(self, event: Event) -> None:
        """This one was shown."""
        self.seen[event.boot] = max(event.n, self.seen.get(event.boot, 0))

    def live(self, event: Event) -> Iterator[Event]:
        """A live event with those before it that nobody has shown yet; nothing when it was shown already."""
        last = self.seen.get(event.boot)
        if last is not None and event.n <= last:
            return
        if last is not None and event.n > last + 1:
            yield from self._between(event.boot, last + 1, event.n - 1)
        self.told(event)
        yield event

    def _between(self, boot: str, first: int, last: int) -> Iterator[Event]:
        """Written within 200 ms as a rule; a store in trouble is not waited for longer than a moment."""
        limit = time.monotonic() + written_s_max
        while first <= last:
            for found in self.store.range(boot, first, last):
                first = found.n + 1
                yield found
            if first > last or time.monotonic() > limit:
                return
            time.sleep(0.1)
