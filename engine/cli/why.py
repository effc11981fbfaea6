"""`ringdown why CALL`: why a caller waited, and everything that happened to him, from the records."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def why(
    call: Annotated[str, typer.Argument(help="Call id, caller's number, agent's number, or `last`.")],
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Path, places in the queue, every offer and its end in words. Works while the engine is down."""
    import time

    import msgspec

    from engine.cli import show, tail_past
    from engine.console import story
    from engine.console.store import Store

    folder = data_folder(data)
    store = Store(folder / "ringdown.db")
    try:
        events = store.of_call(tail_past.which(folder, store, call))
        joined = next((event for event in events if event.kind == "queue.joined"), None)
        during = store.during(events)
        states = store.agents_before(joined) if joined is not None else {}
    finally:
        store.close()
    over = any(event.kind == "call.ended" for event in events)
    now_ms = 0 if over else int(time.time() * 1000)
    if json:
        told = {"stays": story.stays(events, during, now_ms), "events": events}
        print(show.as_json(msgspec.to_builtins(told)))
        return
    print("\n".join(story.tell(events, story.at_that_moment(states), now_ms=now_ms, during=during)))
