"""`ringdown forget NUMBER`: erase a caller, and prove it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    from engine.runtime.erasing import Erasure

KINDS = {
    "calls": "calls (rows kept without the caller)", "events": "events", "queue_events": "queue events",
    "contacts": "contacts (rows kept without the caller)", "queue_log_lines": "lines of queue_log",
    "recordings": "recordings", "journals": "journals", "keys": "keys of sealed values",
    "signalling": "messages of the SIP ladder", "voicemail": "messages in boxes",
    "mails": "letters that wait to be sent",
    "utterances": "utterances and what was written about them",
}


def forget(
    number: Annotated[str, typer.Argument(help="The caller, as +441514960001; 00… and bare digits are the same.")],
    country: Annotated[str, typer.Option("--country", help="Country code, as 44: then 01514… is he as well.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what there is.")] = False,
    data: Data = None, json: Json = False,
) -> None:
    """Erase a caller from records, recordings, journals and memory; the engine may run."""
    import sqlite3

    from engine.cli import show
    from engine.errors import SiteError, UsageError
    from engine.runtime.erasing import Erasure

    if country and not (country.isascii() and country.isdigit() and len(country) <= 3):
        raise UsageError("--country is the digits of a country code, as 44")
    folder = data_folder(data)
    erasure = Erasure(folder, number, country)
    try:
        found, left, subject = _look(erasure) if dry_run else _erase(folder, erasure)
    except (sqlite3.Error, OSError) as error:
        raise SiteError(f"not everything is erased yet: {error}; do it again") from error
    if json:
        print(show.as_json({"subject": subject, "erased": not dry_run, "found": found, "left": left}))
    else:
        head = "kept now" if dry_run else "erased"
        print(show.table([{"kind": KINDS[kind], "count": found[kind]} for kind in KINDS],
                         [("kind", "kind"), ("count", head)]))  # fmt: skip
        for line in _closing(erasure, left, subject, dry_run):
            print(line)
    if left:
        raise typer.Exit(1)


def _look(erasure: Erasure) -> tuple[dict[str, int], dict[str, int], str]:
    return erasure.find().as_dict(), {}, ""


def _erase(folder: Path, erasure: Erasure) -> tuple[dict[str, int], dict[str, int], str]:
    """(what went, what is still there, what stands for the number in the note)."""
    from engine.cli import audit, client
    from engine.runtime import record_notes

    keep, signalling, runs = None, 0, True
    try:
        ready = client.ask(folder, "forget.prepare", number=erasure.number, country=erasure.country)
        keep, signalling = Path(ready["journal"]), int(ready["signalling"])
    except client.NotRunning:
        runs = False
    went = erasure.erase(keep=keep, engine_runs=runs)
    went.signalling = signalling
    if runs and erasure.messages:
        client.ask(folder, "voicemail_gone", messages="\n".join(erasure.messages))
    left = erasure.left(keep=keep)
    subject = ""
    if (folder / "ringdown.db").exists():
        subject = record_notes.subject(folder, erasure.number, erasure.country)
        audit.note(folder, "forget", subject, went.as_dict())
    return went.as_dict(), left, subject


def _closing(erasure: Erasure, left: dict[str, int], subject: str, dry_run: bool) -> list[str]:
    """What a person must know besides the counts."""
    lines = []
    if not dry_run:
        lines.append("read again: nothing of that number is left" if not left else f"still there: {left}")
    if "free_space_of_the_store" in left:
        lines.append("freed space of the store may hold copies: stop the engine and do it again, it rewrites the store")
    if subject:
        lines.append(f"noted as {subject} (a hash under this folder's key, not the number)")
    for path in erasure.packed_logs():
        lines.append(f"not opened: {path}")
    lines.append("out of reach: backups and exports made earlier, utterances that became test cases, what the carrier "
                 "keeps, the system's own logs")
    return lines
