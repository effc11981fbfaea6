"""`ringdown hear CALL|FILE…`: play recordings, and whoever hears one is recorded himself; or, with --phrases, --slot or
--grammar, let the recogniser hear them and say what it understood."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAYERS: tuple[tuple[str, ...], ...] = (
    ("aplay", "-q"), ("paplay",), ("pw-play",), ("afplay",), ("play", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)  # fmt: skip


def hear(
    what: Annotated[list[str], typer.Argument(help="A call's id (all its recordings, in order), or files.")],
    to: Annotated[Path | None, typer.Option("--to", help="Copy into this folder instead of playing.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Show what there is and who has heard it.")] = False,
    phrases: Annotated[str, typer.Option("--phrases", help="Don't play: recognise, as in 'sales|billing|operator'.")]
    = "",
    slot: Annotated[str, typer.Option("--slot", help="The same with a slot: digits:4, yes_no, date …")] = "",
    grammar: Annotated[Path | None, typer.Option("--grammar", help="The same with grammars.yaml#NAME, or a file of one "
                                                 "grammar.")] = None,
    language: Annotated[str, typer.Option("--language", help="Whose model recognises.")] = "en",
    plot: Annotated[Path | None, typer.Option("--plot", help="With these: a picture of it, FILE.svg; - beside each.")]
    = None,
    data: Data = None, json: Json = False,
) -> None:
    """Play a call's recordings, or any WAV files. Each playback of a recording is noted first, with who and when.

    With --phrases, --slot or --grammar nothing is played: the recogniser hears them, and one line says of each what it
    understood.
    """
    from engine.cli import audit, show
    from engine.errors import UsageError

    folder = data_folder(data)
    rows = [row for each in what for row in _meant(folder, each)]
    if phrases or slot or grammar is not None:
        for row in rows:
            if not Path(row["path"]).is_file():
                raise _gone(row["name"])
            if row["name"]:
                audit.note(folder, "hear", row["name"], {"recognised": 1})
        _recognise([Path(row["path"]) for row in rows], (phrases, slot, grammar, language), plot, json=json)
        return
    if plot is not None:
        raise UsageError("--plot goes with --phrases, --slot or --grammar")
    if only_list:
        for row in rows:
            row["heard"] = ", ".join(_hearers(folder / "ringdown.db", row["name"]))
        columns = [("at", "began"), ("seconds", "seconds"), ("name", "recording"), ("heard", "heard by")]
        print(show.as_json(rows) if json else show.table(rows, columns))
        return
    play = _copier(to) if to is not None else player()
    for row in rows:
        path = Path(row["path"])
        if not path.is_file():
            raise _gone(row["name"])
        if row["name"]:
            audit.note(folder, "hear", row["name"], {"copies" if to is not None else "plays": 1})
        if not json:
            print(row["name"] or path)
        play(path)
    if json:
        print(show.as_json(rows))


def _recognise(
    paths: list[Path], meant: tuple[str, str, Path | None, str], plot: Path | None, *, json: bool
) -> None:
    """One line a file: what was understood in it."""
    import msgspec

    from engine.cli.grammar_options import chosen
    from engine.errors import UsageError
    from engine.runtime.graph_shelf import Shelf, shipped
    from engine.runtime.heard_files import hear_file

    grammar = chosen(*meant)
    assert grammar is not None
    model = shipped(grammar.language)
    if model is None:
        raise UsageError(f"no model for {grammar.language} comes with the engine")
    shelf = Shelf()
    beside = plot is not None and str(plot) == "-"
    if plot is not None and not beside and len(paths) > 1:
        raise UsageError("one picture, several files: --plot - writes each beside its file")
    for path in paths:
        heard = hear_file(path, grammar, str(model), shelf, path.with_suffix(".svg") if beside else plot)
        if json:
            print(msgspec.json.encode(heard).decode(), flush=True)
            continue
        slots = " ".join(f"{name}={value}" for name, value in heard.slots.items())
        when = f"{heard.speech_start_ms}-{heard.speech_end_ms} ms" if heard.speech_start_ms >= 0 else "no speech"
        print(f"{path}: {heard.text or '-'}  {slots}  {heard.confidence:.2f}  {when}", flush=True)


def _meant(folder: Path, word: str) -> Iterator[dict[str, Any]]:
    """The recordings of a call in the order in which they began, or one file. Raises UsageError, SiteError."""
    from engine.errors import UsageError

    path = Path(word)
    home = (folder / "recordings").resolve()
    if path.suffix.lower() == ".wav" or "/" in word:
        found = path if path.exists() else folder / word  # the name that the records have
        ours = found.resolve().is_relative_to(home)
        yield _row(found, found.resolve().relative_to(folder.resolve()).as_posix() if ours else "", 0)
        return
    names = recordings_of(folder / "ringdown.db", word)
    if not names:
        raise UsageError(f"no recording of a call {word!r}; `ringdown calls --json` names them")
    for name, at_ms in names:
        yield _row(folder / name, name, at_ms)


def _row(path: Path, name: str, at_ms: int) -> dict[str, Any]:
    from engine.cli import show

    seconds = max(0, path.stat().st_size - 44) / 32_000 if name and path.is_file() else 0.0
    at = show.clock(at_ms, date=True) if at_ms else ""
    return {"name": name, "path": str(path), "at": at, "at_ms": at_ms, "seconds": round(seconds, 1)}


def recordings_of(path: Path, call: str) -> list[tuple[str, int]]:
    """(name, Unix ms of its begin) of every recording of one call, also of one that is up; whoever it was passed to."""
    return [(str(name), int(at_ms)) for name, at_ms in _read(
        path, "SELECT json_extract(data, '$.name'), min(at_ms) FROM events WHERE call = ? AND kind = 'call.recording' "
        "AND json_extract(data, '$.name') != '' GROUP BY 1 ORDER BY 2", call,
    )]  # fmt: skip


def _hearers(path: Path, name: str) -> list[str]:
    """ "ana 2026-11-02 09:30" of everybody who has heard a recording."""
    from engine.cli import show

    rows = _read(
        path, "SELECT json_extract(data, '$.author'), at_ms FROM events WHERE kind = 'engine.records' "
        "AND json_extract(data, '$.act') = 'hear' AND json_extract(data, '$.subject') = ? ORDER BY at_ms", name,
    )  # fmt: skip
    return [f"{author} {show.clock(at_ms, date=True)}" for author, at_ms in rows]


def _read(path: Path, query: str, value: str) -> list[tuple[Any, ...]]:
    import sqlite3
    from contextlib import closing

    from engine.errors import SiteError

    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0)) as db:
            return db.execute(query, (value,)).fetchall()
    except sqlite3.Error as error:
        raise SiteError(f"can't read {path}: {error}") from error


def _gone(name: str) -> Exception:
    from engine.errors import SiteError

    return SiteError(f"{name or 'the file'} isn't there (any more): retention, a quota or `ringdown forget` removed it")


def player() -> Any:
    """What plays a file here. Raises UsageError when nothing does."""
    import shutil
    import subprocess

    from engine.errors import SiteError, UsageError

    found = next((player for player in PLAYERS if shutil.which(player[0])), None)
    if found is None:
        raise UsageError(f"no player found ({', '.join(player[0] for player in PLAYERS)}): copy it with --to FOLDER")

    def play(path: Path) -> None:
        done = subprocess.run([*found, str(path)], check=False)
        if done.returncode:
            raise SiteError(f"{found[0]} ended with {done.returncode}")

    return play


def _copier(folder: Path) -> Any:
    """Copy into a folder; what is there already isn't replaced."""
    import shutil

    from engine.errors import UsageError

    folder.mkdir(parents=True, exist_ok=True)

    def copy(path: Path) -> None:
        goal = folder / path.name
        if goal.exists():
            raise UsageError(f"{goal} is there already; nothing was replaced")
        shutil.copy(path, goal)

    return copy
