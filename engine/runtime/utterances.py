"""Utterances of a data folder: read from the records, with their sound where it is kept, and with what people who
listened wrote about them. A label is a file beside the sound, so retention and `ringdown forget` reach both.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from engine.errors import SiteError, UsageError
from engine.records import utterances as rules
from engine.records.utterances import Row, Utterance
from engine.runtime import store_walk
from engine.runtime.backup import STORE

FOLDER = "utterances"
words_max = 300
busy_s = 2.0
_decode = msgspec.json.Decoder(dict[str, str | int | float | bool | None]).decode
_decode_lists = msgspec.json.Decoder(dict[str, tuple[str, ...]]).decode


class Label(msgspec.Struct, frozen=True):
    """What was really said, "" nothing that was meant for us; `at_ms` when he said it; `by` who wrote this, at
    `labelled_ms`. `case`: the corpus file that it stands in, "" none yet; `lists`: what could be said for each slot
    of which only the call knew it."""

    id: str
    at_ms: int
    said: str
    by: str
    labelled_ms: int
    tenant: str
    dialplan: str
    step: str
    grammar: str
    language: str
    heard: str
    confidence: int
    audio: str = ""
    case: str = ""
    lists: dict[str, tuple[str, ...]] = {}


# --- reading ------------------------------------------------------------------------------------------------
def read(folder: Path, since_ms: int) -> list[Utterance]:
    """All since then, oldest boot first. Raises SiteError: the store can't be read."""
    path = folder / STORE
    if not path.exists():
        return []
    marks = ",".join("?" * len(rules.KINDS))
    query = (f"SELECT boot, n, at_ms, tenant, call, kind, data FROM events WHERE node = ? AND boot = ? AND n >= ? "
             f"AND kind IN ({marks}) AND call != '' ORDER BY n")  # fmt: skip
    found: list[Utterance] = []
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=busy_s)) as db:
            for boot in store_walk.boots(db):
                first = store_walk.first_at(db, "events", boot, since_ms)
                rows = db.execute(query, (*boot, first, *rules.KINDS))
                found += rules.fold(Row(name, n, at, tenant, call, kind, _decode(data))
                                    for name, n, at, tenant, call, kind, data in rows)  # fmt: skip
    except sqlite3.Error as error:
        raise SiteError(f"can't read {path}: {error}") from error
    return sorted(found, key=lambda each: each.at_ms)


def one(folder: Path, wanted: str) -> Utterance:
    """The utterance of this id, `call/number`. Raises UsageError: there is none."""
    found = [each for each in read(folder, 0) if each.id == wanted]
    if not found:
        raise UsageError(f"no utterance {wanted!r}; `ringdown utterances` lists them with their ids")
    return found[-1]


def sound_of(folder: Path, each: Utterance | Label) -> Path | None:
    """Its file; None where none was kept, or it has gone since."""
    home = (folder / FOLDER).resolve()
    path = (folder / each.audio).resolve() if each.audio else home
    return path if path.is_relative_to(home) and path.is_file() else None


# --- labels -------------------------------------------------------------------------------------------------
def label(folder: Path, each: Utterance, said: str, by: str) -> Label:
    """Write down what was really said. Raises UsageError, SiteError: not durably written."""
    if each.secret:
        raise UsageError(f"{each.id} is sensitive: neither its sound nor its words are kept, so no label is either")
    words = " ".join(said.split())
    if len(words) > words_max:
        raise UsageError(f"{len(words)} letters: an utterance is at most {words_max}")
    now_ms = time.time_ns() // 1_000_000
    kept = each.audio if sound_of(folder, each) is not None else ""
    made = Label(
        each.id, each.at_ms, words, by, now_ms, each.tenant, each.dialplan, each.step, each.grammar, each.language,
        each.text, each.confidence, kept, lists=_decode_lists(each.lists) if each.lists else {},
    )  # fmt: skip
    path = folder / FOLDER / each.tenant / f"{each.call}-{each.boot}-n{each.id.rpartition('/')[2]}.json"
    _write(path, made)
    return made


def labels(folder: Path) -> list[tuple[Path, Label]]:
    """Every label, the oldest utterance first. One that can't be read raises SiteError: nothing is passed over."""
    found = []
    for path in sorted((folder / FOLDER).glob("*/*.json")):
        try:
            found.append((path, msgspec.json.decode(path.read_bytes(), type=Label)))
        except FileNotFoundError:
            continue  # retention was quicker
        except (OSError, msgspec.MsgspecError) as error:
            raise SiteError(f"{path} is no label: {error}; remove it, or write it again") from error
    return sorted(found, key=lambda pair: (pair[1].at_ms, pair[1].id))


def noted(path: Path, made: Label, case: str) -> None:
    """It stands in a corpus now. Its age, by which retention goes, stays. Raises SiteError."""
    old = path.stat().st_mtime_ns
    _write(path, msgspec.structs.replace(made, case=case))
    os.utime(path, ns=(old, old))


def _write(path: Path, made: Label) -> None:
    """Whole or not at all, and on the disk when this returns."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SiteError(f"can't write {path}: {error.strerror or error}") from error
