"""`ringdown graph DIALPLAN`: a dialplan as a drawing, with `--live` what callers did on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    from engine.dialplan.graph import Graph
    from engine.dialplan.graph_traffic import Traffic
    from engine.dialplan.model import Site

FORMATS = ("mermaid", "dot", "svg")
draw_s_max = 60.0


def graph(
    dialplan: Annotated[str, typer.Argument(help="A file of a site (dialplans/main.yaml), or with --site a dialplan's "
                                            "name: main, press/orders.")],
    site: Annotated[Path | None, typer.Option("--site", help="The site's folder, when DIALPLAN is a name.")] = None,
    form: Annotated[str, typer.Option("--format", help="mermaid | dot | svg (default: by the name of --out, else "
                                      "mermaid). SVG needs graphviz.")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write into this file instead.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Paint what callers did: how many came, hung up (✕), were asked "
                                       "again (↻).")] = False,
    since: Annotated[str, typer.Option("--since", help="With --live: since 10:40, 2h, or a day 2026-11-26.")] = "24h",
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Draw a dialplan: flows as boxes, each edge with its key or outcome."""
    from engine.dialplan import graph_text
    from engine.errors import UsageError

    form = form or {".svg": "svg", ".dot": "dot", ".gv": "dot"}.get(out.suffix if out is not None else "", "mermaid")
    if form not in FORMATS:
        raise UsageError(f"--format is one of {', '.join(FORMATS)}, not {form!r}")
    folder, name = locate(dialplan, site)
    drawn = drawing(folder, name)
    counted = _counted(drawn, data_folder(data) / "ringdown.db", since) if live else None
    if json:
        text = _as_json(drawn, counted)
    elif form == "mermaid":
        text = graph_text.mermaid(drawn, counted)
    else:
        text = graph_text.dot(drawn, counted)
        text = svg(text) if form == "svg" else text
    if out is None:
        print(text, end="")
    else:
        try:
            out.write_text(text, "utf-8")
        except OSError as error:
            raise UsageError(f"can't write {out}: {error.strerror}") from error


def locate(dialplan: str, site: Path | None) -> tuple[Path, str]:
    """(folder of the site, "tenant/name"). Raises UsageError."""
    from engine.cli.check import site_of
    from engine.errors import UsageError
    from engine.runtime.site_files import demo_site

    path = Path(dialplan)
    if site is None and (path.is_file() or path.suffix == ".yaml"):
        if not path.is_file():
            raise UsageError(f"{path} doesn't exist")
        folder = site_of(path)
        parts = path.resolve().relative_to(folder.resolve()).parts
        tenant = parts[1] if parts[0] == "tenants" and len(parts) == 4 else "default"
        if parts[-2:-1] != ("dialplans",) or path.name.endswith((".test.yaml", ".speech.yaml")):
            raise UsageError(f"{path} is no dialplan: those lie in the folder dialplans/ of a site or tenant")
        return folder, f"{tenant}/{path.stem}"
    return site or demo_site(), dialplan if "/" in dialplan else f"default/{dialplan}"


def drawing(folder: Path, name: str) -> Graph:
    """The drawing of a dialplan of a site that has no errors. Raises UsageError, SiteError."""
    from engine import marks
    from engine.dialplan import graph as graphs
    from engine.dialplan.findings import did_you_mean, render
    from engine.errors import SiteError, UsageError
    from engine.runtime.site_files import read_folder

    reading = read_folder(folder)
    if reading.site is None:
        first = render(reading.errors()[0])
        raise SiteError(f"{folder} can't be drawn, it has {len(reading.errors())} errors (ringdown check):\n{first}")
    program = reading.site.programs.get(name)
    if program is None:
        raise UsageError(f"no dialplan {name!r} in {folder}: {did_you_mean(name, reading.site.programs)}")
    files = dict.fromkeys(step.place.rsplit(":", 2)[0] for steps in program.flows.values() for step in steps)
    trees = {file: marks.load((folder / file).read_bytes(), file)[0] for file in files}
    return graphs.draw(program, _numbers(reading.site, name), graphs.conditions(trees))


def _numbers(site: Site, name: str) -> dict[str, str]:
    """Dialled number -> flow, of the numbers that lead to this dialplan, always or in a season."""
    found: dict[str, str] = {}
    for number in site.numbers.values():
        if number.dialplan == name:
            found[number.number] = number.entry
        for place, season in enumerate(number.seasons, 1):
            if season.dialplan == name:
                found[f"{number.number} in season {place}"] = season.entry
    return found


def _counted(drawn: Graph, path: Path, since: str) -> Traffic:
    """What the records know of calls that began since then. Raises SiteError, UsageError."""
    import sqlite3
    import time

    from engine.cli.times import past
    from engine.dialplan.graph_traffic import EVENTS, traffic
    from engine.errors import SiteError

    if not path.exists():
        raise SiteError(f"no records in {path}: name the engine's data folder by --data")
    query = (
        "SELECT call, kind, data FROM events WHERE call != '' AND at_ms >= ?"
        f" AND kind IN ({','.join('?' * len(EVENTS))}) ORDER BY at_ms, boot, n"
    )
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0) as db:
            found = traffic(drawn, db.execute(query, [past(since, time.time()), *EVENTS]))
        db.close()
    except sqlite3.Error as error:
        raise SiteError(f"can't read {path}: {error}") from error
    return found


def svg(text: str) -> str:
    """DOT text drawn by graphviz. Raises UsageError when it isn't there."""
    import subprocess

    from engine.errors import RingdownError, UsageError

    try:
        done = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, timeout=draw_s_max)
    except FileNotFoundError:
        raise UsageError("SVG needs graphviz: apt-get install graphviz, or draw --format mermaid") from None
    except subprocess.TimeoutExpired:
        raise RingdownError(f"graphviz did not draw this in {draw_s_max:.0f} s: draw --format mermaid") from None
    if done.returncode:
        raise RingdownError(f"graphviz refused: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode()


def _as_json(drawn: Graph, counted: Traffic | None) -> str:
    import msgspec

    from engine.cli import show

    found: dict[str, Any] = msgspec.to_builtins(drawn)
    if counted is not None:
        found["traffic"] = msgspec.to_builtins(counted, str_keys=True)
    return show.as_json(found) + "\n"
