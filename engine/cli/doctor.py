"""`ringdown doctor`: is this machine ready for calls? Each failure comes with its remedy.

The checks look at the real thing (they bind, write, resolve), so what they say is what a start would meet; beside a
running engine they look at what it holds instead. Nothing is changed and nothing leaves this machine but look-ups of
names, and connections to recognisers, that stand in the site.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.doctor_result import Result, result
from engine.cli.options import Data, Json, data_folder


def doctor(
    site: Annotated[Path | None, typer.Option("--site", help="The site's folder (default: the demo).")] = None,
    trunk: Annotated[str, typer.Option("--trunk", help="Place test calls through this trunk's gateway instead.")] = "",
    loop: Annotated[str, typer.Option("--loop", help="With --trunk: a number that repeats what it hears.")] = "",
    silent: Annotated[str, typer.Option("--silent", help="With --trunk: one that answers and is silent.")] = "",
    short: Annotated[str, typer.Option("--short", help="With --trunk: one that hangs up by itself.")] = "",
    ports: Annotated[int, typer.Option("--ports", help="With --trunk: calls at a time (default: calls_max).")] = 0,
    data: Data = None, json: Json = False,
) -> None:
    """Check clock, addresses, ports, limits, disk, certificates, names, speech; or a trunk, by test calls. Exit status
    1 when something fails."""
    from engine.cli import doctor_trunk, show
    from engine.errors import UsageError

    numbers = {"loop": loop, "silent": silent, "short": short}
    if not trunk and (any(numbers.values()) or ports):
        raise UsageError("--loop, --silent, --short and --ports go with --trunk NAME")
    if not 0 <= ports <= 64:
        raise UsageError("--ports is 1 to 64")
    found = doctor_trunk.trunk(trunk, site, data_folder(data), numbers, ports) if trunk else None
    results = list(found if found is not None else checks(site, data_folder(data)))
    if json:
        print(show.as_json(results))
    else:
        for each in results:
            print(f"{each['state']:4}  {each['check']:14}  {each['detail']}")
            if each["remedy"]:
                print(f"{'':22}→ {each['remedy']}")
    if any(each["state"] == "fail" for each in results):
        raise typer.Exit(1)


def checks(site: Path | None, data: Path) -> Iterator[Result]:
    """Every check, in the order in which a start would meet them."""
    from engine.cli import doctor_machine as machine
    from engine.cli import doctor_secrets, doctor_site, doctor_trunks

    running, line = engine(data)
    yield machine.python()
    yield machine.clock()
    yield jumps(data)
    yield machine.zones()
    yield from doctor_site.site_and_addresses(site, running)
    yield machine.rtp_range()
    yield machine.rtp_ports(bool(running))
    yield machine.files()
    yield machine.buffers(running)
    yield from machine.disk(data)
    yield records(data)
    yield voices()
    yield from doctor_trunks.trunks(running)
    yield from doctor_secrets.secrets(data, running)
    yield line


def voices() -> Result:
    """Whom a recogniser asks before it believes that somebody speaks. The extra is a luxury: nothing fails without."""
    from engine.runtime import second_opinion

    return result("voices", "ok", second_opinion.told())


def records(data: Path) -> Result:
    """The record store: ours, readable, of a schema that we know."""
    import sqlite3

    from engine.records import schema

    path = data / "ringdown.db"
    if not path.exists():
        return result("records", "ok", f"{path} will be made at the first start")
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0) as db:
            found = db.execute("SELECT max(version) FROM schema_versions").fetchone()[0]
            calls = db.execute("SELECT count(*) FROM calls").fetchone()[0]
    except sqlite3.Error as error:
        return result("records", "fail", f"{path}: {error}", "move the file away, or restore a backup")
    if found > schema.VERSION:
        text = f"schema {found}; this engine knows {schema.VERSION}"
        return result("records", "fail", text, "start the newer engine")
    return result("records", "ok", f"schema {found}, {calls} calls")


def jumps(data: Path) -> Result:
    """How often the wall clock was set while the engine ran: records of that time are hard to compare."""
    import json
    import sqlite3
    import time

    path, week_ms = data / "ringdown.db", 7 * 86_400_000
    found: list[tuple[str]] = []
    if path.exists():
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0) as db:
                since = int(time.time() * 1000) - week_ms
                query = "SELECT data FROM events WHERE kind = 'engine.clock' AND at_ms > ? ORDER BY at_ms"
                found = db.execute(query, (since,)).fetchall()
        except sqlite3.Error:
            pass  # `records` says what is wrong with the file
    if not found:
        return result("clock steps", "ok", "none while the engine ran, in the last seven days")
    last = json.loads(found[-1][0])
    text = f"{len(found)} in the last seven days, the last by {last['jump_ms'] / 1000:+.1f} s"
    return result("clock steps", "warn", text, "let chrony or systemd-timesyncd slew the clock; step it at boot only")


def engine(data: Path) -> tuple[dict[str, Any] | None, Result]:
    """(status of the running engine or None, its line)."""
    from engine.cli import client

    try:
        found: dict[str, Any] = client.ask(data, "status")
    except client.NotRunning as error:
        if "another user" in str(error):
            return None, result("engine", "warn", str(error), "sudo -u USER ringdown doctor")
        return None, result("engine", "ok", "not running")
    except client.Refused as error:
        return None, result("engine", "warn", str(error), "ringdown status, and the log")
    media = ", ".join(f"{key} {value}" for key, value in found["runtime"]["media"].items())
    return found, result("engine", "ok", f"up {found['up_s']} s at {' '.join(found['addresses'])}; {media}")
