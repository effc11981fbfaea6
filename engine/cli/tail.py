"""`ringdown tail`: live, one line per fact; `--sip` shows signalling as a ladder."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def tail(
    call: Annotated[str, typer.Option("--call", help="Only this call: id, caller, or `last` (the next).")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Only this agent and his calls.")] = "",
    queue: Annotated[str, typer.Option("--queue", help="Only this queue and its calls.")] = "",
    sip: Annotated[bool, typer.Option("--sip", help="SIP messages too, as a ladder.")] = False,
    past: Annotated[str, typer.Option("--past", help="The kept SIP ladder of a call (id or `last`), then end.")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="With SIP: whole messages.")] = False,
    data: Data = None, json: Json = False,
) -> None:
    """Follow what happens. Ctrl-C ends it; the engine never waits for a slow reader."""
    import sys

    from engine.cli import client, show
    from engine.console.words import ladder

    folder = data_folder(data)
    if past:
        found = client.ask(folder, "ladder", call=past)
        lines = [line for hop in found["hops"] for line in ladder(hop, whole=whole)]
        print(show.as_json(found) if json else "\n".join(lines))
        return
    try:
        _follow(folder, (call, agent, queue), sip, whole, json)
    except KeyboardInterrupt:
        sys.exit(0)
    print("the engine ended the stream (it stopped, or this reader was too slow)", file=sys.stderr)


def _follow(folder: object, wanted: tuple[str, str, str], sip: bool, whole: bool, json: bool) -> None:
    import json as text
    from pathlib import Path

    import msgspec

    from engine.cli import client
    from engine.console.words import Filter, TailText, ladder
    from engine.records.events import Event

    assert isinstance(folder, Path)
    chosen = Filter(call=wanted[0], agent=wanted[1], queue=wanted[2])
    filtered = any(wanted)
    lines = TailText()
    calls: dict[str, None] = {}
    early: dict[str, list[str]] = {}  # ladders of calls that no event has made interesting yet
    for item in client.stream(folder, "tail", sip="yes" if sip else "no"):
        if "event" in item:
            event = msgspec.convert(item["event"], Event)
            shown = lines.lines(event)
            if not chosen.wants(event):
                continue
            calls[event.call] = None
            shown = early.pop(event.call, []) + shown
        elif sip and (not filtered or item["sip"]["call"] in calls):
            shown = ladder(item["sip"], whole=whole)
        else:
            if sip:
                _keep(early, item["sip"]["call"], ladder(item["sip"], whole=whole))
            continue
        if json:
            print(text.dumps(item, ensure_ascii=False), flush=True)
        elif shown:
            print("\n".join(shown), flush=True)


def _keep(early: dict[str, list[str]], call: str, lines: list[str]) -> None:
    """Remember the beginning of a ladder for when its call turns out to be wanted; bounded."""
    if not call:
        return
    if call not in early and len(early) >= 64:
        early.pop(next(iter(early)))
    early.setdefault(call, [])
    if len(early[call]) < 400:
        early[call].extend(lines)
