"""`ringdown why CALL`: why a caller waited, and everything that happened to him, from the records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def why(
    call: Annotated[str, typer.Argument(help="Call id, caller's number, agent's number, or `last`.")],
    every: Annotated[bool, typer.Option("--all", help=(
        "From the journal: every agent of the queue at every decision, with his key or all that spoke against him."
    ))] = False,
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Path, places in the queue, each decision and why, every offer and its end. Works while the engine is down."""
    if every:
        _every(call, data_folder(data), json)
        return
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
    lines = story.tell(events, story.at_that_moment(states), now_ms=now_ms, during=during)
    print("\n".join([*lines, *([] if over or not events else _sound_now(folder, events[0].call))]))


def _sound_now(folder: Path, call: str) -> list[str]:
    """How a call that goes on sounds; nothing where no engine says."""
    from engine.cli import client
    from engine.console import sound

    try:
        legs = client.ask(folder, "sound", call=call)["legs"]
    except (client.NotRunning, client.Refused):
        return []
    return ["", "How it sounds now:", *(f"  {line}" for leg in legs for line in sound.whole(sound.of_event(leg)))]


def _every(wanted: str, folder: Path, json: bool) -> None:
    from engine.cli import show, why_text
    from engine.runtime.explaining import account
    from engine.runtime.replaying import files_of
    from engine.runtime.stepping import find

    files = files_of(folder / "journal")
    found = find(files, wanted)
    if found is None:
        print(f"no call {wanted!r} in the journal ({files[0].name} and later); without --all the records tell of older "
              "ones")
        raise typer.Exit(1)
    told = account(files[found.file:], found.call)
    if json:
        print(show.as_json({"call": found.call, "caller": found.caller, **why_text.as_data(told)}))
    else:
        print(f"call {found.call} from {found.caller or 'anonymous'}, from the journal {files[found.file].name} on")
        if not found.began:
            print("it began before the oldest journal file that is kept: its beginning is missing")
        print("\n".join(["", *why_text.lines(told)]))
    if any(report.differs for report in told.reports):
        print("the replay DIFFERS from what the engine did: what is told here may differ too")
        raise typer.Exit(1)
