"""`ringdown tail`: live, one line per fact; `--sip` shows signalling as a ladder; what was, by call or since a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder


def tail(
    which: Annotated[str, typer.Argument(
        metavar="[CALL]", help="What was of one call, then end: id, caller, agent or `last`; with --sip its ladder.",
    )] = "",
    call: Annotated[str, typer.Option("--call", help="Follow only: id, caller, agent, or `last` (the next).")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Only this agent and his calls.")] = "",
    queue: Annotated[str, typer.Option("--queue", help="Only this queue and its calls.")] = "",
    sip: Annotated[bool, typer.Option("--sip", help="SIP messages too, as a ladder.")] = False,
    past: Annotated[str, typer.Option("--past", help="The same as CALL with --sip.")] = "",
    since: Annotated[str, typer.Option("--since", help="First what was: 10:40, 5m, 2026-11-26 10:40.")] = "",
    once: Annotated[bool, typer.Option("--once", help="With --since: end, instead of going on live.")] = False,
    pcap: Annotated[str, typer.Option(
        "--pcap", help="Write the SIP of CALL, or since a time, as a capture (pcapng; `-`: stdout), then end.",
    )] = "",
    whole: Annotated[bool, typer.Option("--whole", help="With SIP: whole messages.")] = False,
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Follow what happens. Ctrl-C ends it; the engine never waits for a slow reader."""
    import sys
    import time

    from engine.cli import times
    from engine.errors import UsageError

    folder = data_folder(data)
    since_ms = times.past(since, time.time()) if since else 0
    wanted = past or which
    if (pcap or once) and not (wanted or since):
        raise UsageError("--pcap and --once need a CALL, or --since a time")
    if pcap:
        _capture(folder, pcap, wanted, since_ms)
        return
    printer = Printer((call, agent, queue), sip=sip or bool(past), whole=whole, json=json)
    if wanted:
        _of_call(folder, wanted, since_ms, printer)
        return
    try:
        _follow(folder, printer, since_ms, once=once)
    except KeyboardInterrupt:
        sys.exit(0)
    if not once:
        print("the engine ended the stream (it stopped, or this reader was too slow)", file=sys.stderr)


class Printer:
    """Prints items of the stream ({"event": …} or {"sip": …}) that its filters let through."""

    def __init__(self, wanted: tuple[str, str, str], *, sip: bool, whole: bool, json: bool) -> None:
        from engine.console.words import Filter, TailText

        self.sip, self.whole, self.json = sip, whole, json
        self._chosen = Filter(call=wanted[0], agent=wanted[1], queue=wanted[2])
        self._filtered = any(wanted)
        self._text = TailText()
        self._calls: dict[str, None] = {}
        self._early: dict[str, list[str]] = {}  # ladders of calls that no event has made interesting yet

    def show(self, item: dict[str, Any]) -> None:
        """One item: printed, kept for later, or left out."""
        import json as text

        import msgspec

        from engine.console.words import ladder
        from engine.records.events import Event

        if "event" in item:
            event = msgspec.convert(item["event"], Event)
            shown = self._text.lines(event)
            if not self._chosen.wants(event):
                return
            self._calls[event.call] = None
            shown = self._early.pop(event.call, []) + shown
        elif not self.sip:
            return
        elif not self._filtered or item["sip"]["call"] in self._calls:
            shown = ladder(item["sip"], whole=self.whole)
        else:
            self._keep(item["sip"]["call"], ladder(item["sip"], whole=self.whole))
            return
        if self.json:
            print(text.dumps(msgspec.to_builtins(item), ensure_ascii=False), flush=True)
        elif shown:
            print("\n".join(shown), flush=True)

    def _keep(self, call: str, lines: list[str]) -> None:
        """Remember the beginning of a ladder for when its call turns out to be wanted; bounded."""
        if not call:
            return
        if call not in self._early and len(self._early) >= 64:
            self._early.pop(next(iter(self._early)))
        self._early.setdefault(call, [])
        if len(self._early[call]) < 400:
            self._early[call].extend(lines)


def _of_call(folder: Path, wanted: str, since_ms: int, printer: Printer) -> None:
    """What was of one call: its ladder with --sip, its facts otherwise; then end."""
    from engine.cli import show, tail_past
    from engine.console.store import Store
    from engine.console.words import ladder

    if printer.sip:
        hops = list(tail_past.ladder(folder, call=wanted, since_ms=since_ms))
        if printer.json:
            print(show.as_json({"call": hops[0]["call"] if hops else "", "hops": hops}))
        elif hops:
            lines = [line for hop in hops for line in ladder(hop, whole=printer.whole)]
            print("\n".join([*lines, *tail_past.sound(folder, str(hops[0]["call"]))]))
        return
    store = Store(folder / "ringdown.db")
    try:
        for event in store.of_call(tail_past.which(folder, store, wanted)):
            if event.at_ms >= since_ms:
                printer.show({"event": event})
    finally:
        store.close()


def _capture(folder: Path, target: str, wanted: str, since_ms: int) -> None:
    import sys

    from engine.cli import tail_past
    from engine.console import capture
    from engine.errors import SiteError

    hops = list(tail_past.ladder(folder, call=wanted, since_ms=since_ms, raw=True))
    about = f"call {hops[0].get('call') or wanted}" if wanted and hops else "all calls"
    heard = tail_past.sound(folder, str(hops[0].get("call") or "")) if wanted and hops else []
    content = capture.pcapng(capture.messages(hops), "\n".join([about, *heard]))
    if target == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        Path(target).write_bytes(content)
    except OSError as error:
        raise SiteError(f"can't write {target}: {error.strerror}") from error
    print(f"{target}: {len(hops)} SIP messages of {about}, without secrets")


def _follow(folder: Path, printer: Printer, since_ms: int, *, once: bool) -> None:
    """With `since_ms` what was comes first; the live stream is joined before, so that nothing falls between."""
    import msgspec

    from engine.cli import client, tail_past
    from engine.console.store import Store
    from engine.records.events import Event

    arguments = {"sip": "yes" if printer.sip else "no"}
    if not since_ms:
        for item in client.stream(folder, "tail", **arguments):
            printer.show(item)
        return
    store = Store(folder / "ringdown.db")
    joint = tail_past.Joint(store)
    try:
        live = iter(()) if once else client.stream(folder, "tail", **arguments)
        for item in _past(folder, store, since_ms, sip=printer.sip):
            if "event" in item:
                joint.told(item["event"])
            else:
                joint.seen_hop = max(joint.seen_hop, int(item["sip"].get("n", 0)))
            printer.show(item)
        for item in live:
            if "event" in item:
                for event in joint.live(msgspec.convert(item["event"], Event)):
                    printer.show({"event": event})
            elif not 0 < int(item["sip"].get("n", 0)) <= joint.seen_hop:
                printer.show(item)
    finally:
        store.close()


def _past(folder: Path, store: Any, since_ms: int, *, sip: bool) -> Iterator[dict[str, Any]]:
    from engine.cli import tail_past

    hops = tail_past.ladder(folder, since_ms=since_ms) if sip else iter(())
    return tail_past.merged(store.since(since_ms), hops)
