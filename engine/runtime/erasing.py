"""Erasing one caller from a data folder: the store, queue_log, recordings, journals and the keys of sealed values.

What goes and what stays. A call of his keeps its row, its times and its outcome, so that reports still add up; its
caller, name, dialled number, source, path and recordings are emptied, and its events keep their number and kind (the
stream has no gap) but neither data nor call. Where another call's event names him, that value alone is replaced.
A journal that holds him, in clear or sealed, is removed as a whole: what was cut out of it would make every later
replay a lie. `Erasure.left()` reads everything again afterwards and is the proof.

Runs in the command's own process, in transactions of some ten milliseconds: a running engine writes between them.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.errors import UsageError
from engine.records import numbers, schema
from engine.runtime import erasing_boxes
from engine.runtime.backup import QUEUE_LOG, STORE
from engine.runtime.journal import JournalError, records
from engine.runtime.seal import KeyDestroyed, Keys
from engine.runtime.write_ahead import FILE_NAME as AHEAD

digits_min = 5  # what is shorter is an extension, and stands in half of all numbers
rows_at_once = 200
pause_s = 0.02
busy_s = 10.0
chunk_bytes = 8 << 20
ERASED = "erased"
_CALL_TEXTS = ("caller", "name", "dialled", "path", "quality", "source")
_decode = msgspec.json.Decoder(dict[str, str | int | float | bool | None]).decode
_encode = msgspec.json.Encoder().encode

CallKey = tuple[str, str, int, str]  # node, boot, n, name
Mention = tuple[str, str, int, str, str, str]  # node, boot, n, call, kind, data of an event


class Counts(msgspec.Struct):
    """How much of each kind held him (found), or was erased."""

    calls: int = 0
    events: int = 0
    queue_events: int = 0
    contacts: int = 0
    queue_log_lines: int = 0
    recordings: int = 0
    journals: int = 0
    keys: int = 0
    signalling: int = 0  # messages of the running engine's ladder
    voicemail: int = 0
    mails: int = 0  # letters that wait in the mail spool
    utterances: int = 0  # their sound, and what was written about them

    def as_dict(self) -> dict[str, int]:
        """By name."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Erasure:
    """One number in one data folder. `find()` only looks; `erase()` does it; `left()` looks again, deeper."""

    def __init__(self, folder: Path, number: str, country: str = "") -> None:
        """Raises UsageError when the number is too short to be told from others."""
        self.folder = folder
        self.number, self.country = number, country
        self.spellings = numbers.spellings(number, country)
        self.core = numbers.core(number, country)
        if len(self.core) < digits_min:
            raise UsageError(f"{number!r} is too short to be told from parts of other numbers ({digits_min} at least)")
        self._needle = self.core.encode()
        self._whole = numbers.whole(number, country)
        self._rewritten = False
        self._mentions: list[Mention] = []  # events in whose data his digits stand, found in one pass over all
        self._calls: list[CallKey] = []
        self._recordings: list[str] = []
        self.messages: list[str] = []  # of his, in boxes: the files' names below the folder

    def is_his(self, text: str) -> bool:
        """Does the text hold the number as a whole?"""
        return numbers.names(text, self.number, self.country)

    # --- looking ---
    def find(self, *, keep: Path | None = None) -> Counts:
        """What holds him now. `keep`: the journal that the running engine has just begun, known to be free of him."""
        counts = Counts()
        if (self.folder / STORE).exists():
            with closing(self._connect()) as db:
                query = f"SELECT node, boot, n, call, kind, data FROM events WHERE {self._about('data')}"
                self._mentions = db.execute(query, (self.core,)).fetchall()
                self._calls, self._recordings = self._his_calls(db)
                counts.calls = len(self._calls)
                counts.events = sum(1 for _ in self._events(db))
                counts.queue_events = self._queue_events(db)
                counts.contacts = self._contacts(db, erase=False)
                self.messages = list(dict.fromkeys([*self.messages, *erasing_boxes.names(db, self.core, self.is_his)]))
        self.messages += [name for name in erasing_boxes.files(self.folder, self._calls) if name not in self.messages]
        rows = erasing_boxes.known(self.folder, self.messages)
        counts.voicemail, counts.mails = len(rows), len(self._mails())
        counts.recordings = len(list(self._recording_files()))
        counts.utterances = len(list(self._utterance_files()))
        counts.queue_log_lines = sum(self._queue_log(path, erase=False) for path in self._queue_logs())
        counts.journals = sum(1 for path in self._journals(keep))
        counts.keys = sum(1 for _ in self._keys())
        return counts

    def left(self, *, keep: Path | None = None) -> dict[str, int]:
        """What still holds him, by kind; the store's files are searched byte by byte, freed space included."""
        found = {kind: count for kind, count in self.find(keep=keep).as_dict().items() if count}
        if self._freed_bytes() and not self._others_like_him():
            found["free_space_of_the_store"] = 1
        return found

    def _freed_bytes(self) -> bool:
        """Do the store's files hold his digits anywhere, freed space included?"""
        files = [self.folder / f"{STORE}{tail}" for tail in ("", "-wal")]
        return not self._rewritten and any(_holds_bytes(path, self._needle) for path in files)

    def _others_like_him(self) -> bool:
        """Does a row hold a longer number in which his digits stand? Fields lie side by side in the file, so bytes
        alone can't tell the two apart; only a rewritten store is known to be clean then."""
        if self._mentions:
            return True
        with closing(self._connect()) as db:
            about = " OR ".join(self._about(column) for column in _CALL_TEXTS)
            query = f"SELECT 1 FROM calls WHERE {about} LIMIT 1"
            return db.execute(query, (self.core,) * len(_CALL_TEXTS)).fetchone() is not None

    # --- erasing ---
    def erase(self, *, keep: Path | None = None, engine_runs: bool = False) -> Counts:
        """Erase; what went. Raises sqlite3.Error or OSError: what went until then stays erased, do it again."""
        counts = self.find(keep=keep)
        for path in [*self._recording_files(), *self._utterance_files()]:
            path.unlink(missing_ok=True)
        for path in [*(self.folder / name for name in self.messages), *self._mails()]:
            path.unlink(missing_ok=True)
        for path in self._queue_logs():
            self._queue_log(path, erase=True)
        for path in self._journals(keep):
            if not (engine_runs and path.name == AHEAD):  # it is mapped there: `left` tells if it holds him still
                path.unlink(missing_ok=True)
        for keys, name in list(self._keys()):
            keys.destroy(name)
        if (self.folder / STORE).exists():
            with closing(self._connect()) as db:
                self._erase_rows(db)
                erasing_boxes.delete(db, self.messages)
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if not engine_runs and self._freed_bytes():
                    db.execute("VACUUM")  # pages that were split or joined may keep a copy in their unused part
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    self._rewritten = True
        return counts

    def _mails(self) -> list[Path]:
        return erasing_boxes.mails(self.folder, self._whole, self.messages)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.folder / STORE, timeout=busy_s, isolation_level=None)
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA mmap_size = 1073741824")
        db.create_function("holds", 1, self._holds, deterministic=True)
        return db

    def _holds(self, text: object) -> int:
        """For SQL; called only for rows in which the number's core stands somewhere."""
        return int(isinstance(text, str) and self.is_his(text))

    def _about(self, column: str) -> str:
        """SQL: does the column hold the core? (Letters are compared without their case.)"""
        return f"instr({column}, ?)" if self.core.isdigit() else f"instr(lower({column}), ?)"

    # --- the store ---
    def _his_calls(self, db: sqlite3.Connection) -> tuple[list[CallKey], list[str]]:
        """Calls that he made or that were made to him, ended or cut off by a crash, and their recordings."""
        about = " OR ".join(self._about(column) for column in ("caller", "dialled"))
        found: dict[CallKey, None] = {}
        files: list[str] = []
        for node, boot, n, call, caller, dialled, recordings in db.execute(
            f"SELECT node, boot, n, call, caller, dialled, recordings FROM calls WHERE {about}", (self.core, self.core)
        ):
            if self.is_his(caller) or self.is_his(dialled):
                found[(node, boot, n, call)] = None
                files += msgspec.json.decode(recordings, type=list[str])
        for node, boot, n, call, kind, text in self._mentions:
            if kind == "call.started":
                data = _decode(text)
                if self.is_his(str(data.get("caller") or "")) or self.is_his(str(data.get("dialled") or "")):
                    found[(node, boot, n, call)] = None
        return list(found), files

    def _numbers(self, db: sqlite3.Connection, call: CallKey) -> list[int]:
        """The numbers of a call's events. A name comes again after 640,000 calls: up to its next start."""
        node, boot, n, name = call
        query = f"SELECT n, kind FROM events WHERE {schema.OF_CALL} AND node = ? AND boot = ? AND n >= ? ORDER BY n"
        rows = db.execute(query, (name, node, boot, n)).fetchall() if name else []
        following = [at for at, kind in rows if kind == "call.started" and at > n]
        return [at for at, _ in rows if not following or at < following[0]]

    def _events(self, db: sqlite3.Connection) -> Iterator[tuple[str, str, int, str]]:
        """(node, boot, n, new data) of every event to change: his calls' emptied, others' with his number replaced."""
        seen: dict[tuple[str, str, int], None] = {}
        for call in self._calls:
            for n in self._numbers(db, call):
                seen[(call[0], call[1], n)] = None
                yield call[0], call[1], n, "{}"
        for node, boot, n, _, _, text in self._mentions:
            if (node, boot, n) in seen:
                continue
            data = _decode(text)
            masked = {key: ERASED if isinstance(value, str) and self.is_his(value) else value
                      for key, value in data.items()}  # fmt: skip
            if masked != data:
                yield node, boot, n, _encode(masked).decode()

    def _queue_events(self, db: sqlite3.Connection) -> int:
        query = "SELECT 1 FROM queue_events WHERE node = ? AND boot = ? AND n = ?"
        return sum(
            db.execute(query, (node, boot, each)).fetchone() is not None
            for node, boot, n, name in self._calls for each in self._numbers(db, (node, boot, n, name))
        )  # fmt: skip

    def _contacts(self, db: sqlite3.Connection, *, erase: bool) -> int:
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'contacts'").fetchone()[0]
        if not tables:
            return 0  # of an engine before schema 2
        tenants = [str(name) for (name,) in db.execute("SELECT DISTINCT tenant FROM contacts")]
        tokens = [token for each in self.spellings for tenant in tenants
                  if (token := numbers.caller_token(tenant, each))]  # fmt: skip
        marks = ",".join("?" * len(tokens))
        if erase:
            return db.execute(f"UPDATE contacts SET who = 0 WHERE who IN ({marks})", tokens).rowcount
        return int(db.execute(f"SELECT count(*) FROM contacts WHERE who IN ({marks})", tokens).fetchone()[0])

    def _erase_rows(self, db: sqlite3.Connection) -> None:
        events = list(self._events(db))
        emptied = [(node, boot, n) for node, boot, n, data in events if data == "{}"]
        statements: list[tuple[str, Sequence[tuple[object, ...]]]] = [
            ("UPDATE events SET data = ?, call = CASE ? WHEN '{}' THEN '' ELSE call END "
             "WHERE node = ? AND boot = ? AND n = ?", [(data, data, *key) for *key, data in events]),
            ("UPDATE queue_events SET call = '' WHERE node = ? AND boot = ? AND n = ?", emptied),
            ("UPDATE calls SET caller = '', name = '', source = '', path = '', recordings = '[]', quality = "
             "CASE WHEN holds(quality) THEN '[]' ELSE quality END, call = '', dialled = "
             "CASE WHEN holds(dialled) THEN '' ELSE dialled END WHERE node = ? AND boot = ? AND n = ?",
             [call[:3] for call in self._calls]),
        ]  # fmt: skip
        for statement, rows in statements:
            self._in_steps(db, statement, rows)
        about = " OR ".join(self._about(column) for column in _CALL_TEXTS)
        keys = db.execute(f"SELECT node, boot, n FROM calls WHERE {about}", (self.core,) * len(_CALL_TEXTS)).fetchall()
        for column in _CALL_TEXTS:  # somebody else's call whose path or display name holds his number
            query = f"SELECT 1 FROM calls WHERE node = ? AND boot = ? AND n = ? AND holds({column})"
            rows = [key for key in keys if db.execute(query, key).fetchone() is not None]
            mask = "[]" if column == "quality" else ERASED
            self._in_steps(db, f"UPDATE calls SET {column} = '{mask}' WHERE node = ? AND boot = ? AND n = ?", rows)
        self._contacts(db, erase=True)
        self._tail(db)

    def _in_steps(self, db: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        for begin in range(0, len(rows), rows_at_once):
            db.execute("BEGIN IMMEDIATE")
            db.executemany(statement, rows[begin:begin + rows_at_once])
            db.execute("COMMIT")
            time.sleep(pause_s)

    def _tail(self, db: sqlite3.Connection) -> None:
        """The lines that the last batch noted for queue_log: masked as in the file, with the same length."""
        with suppress(sqlite3.OperationalError):  # no such table before schema 2
            for lines in db.execute(f"SELECT lines FROM queue_log_tail WHERE {self._about('lines')}", (self.core,)):
                masked = "\n".join(self._masked(line) for line in lines[0].split("\n"))
                db.execute("UPDATE queue_log_tail SET lines = ? WHERE lines = ?", (masked, lines[0]))

    # --- files ---
    def _recording_files(self) -> Iterator[Path]:
        home = (self.folder / "recordings").resolve()
        for name in dict.fromkeys(self._recordings):
            path = (self.folder / name).resolve()
            if path.is_relative_to(home) and path.is_file():
                yield path
        for _, boot, _, call in self._calls:
            if call:
                yield from (path for path in home.glob(f"*/{call}-{boot}-*.wav")
                            if path.relative_to(home.parent).as_posix() not in self._recordings)  # fmt: skip

    def _utterance_files(self) -> Iterator[Path]:
        """What he said: sound and labels, both named by call and boot."""
        for _, boot, _, call in self._calls:
            if call:
                yield from sorted((self.folder / "utterances").glob(f"*/{call}-{boot}-*"))

    def _queue_logs(self) -> list[Path]:
        """The file and those a log rotation put beside it (compressed ones are out of reach: said in the report)."""
        return [path for path in sorted(self.folder.glob(f"{QUEUE_LOG}*")) if path.suffix not in (".gz", ".xz", ".zst")]

    def packed_logs(self) -> list[Path]:
        """Rotated and compressed queue logs, which this doesn't open."""
        return [path for path in sorted(self.folder.glob(f"{QUEUE_LOG}*")) if path.suffix in (".gz", ".xz", ".zst")]

    def _queue_log(self, path: Path, *, erase: bool) -> int:
        """Lines that hold him; his number is overwritten in its place (`-`), so a writer at the end isn't disturbed."""
        found = 0
        with path.open("r+b" if erase else "rb") as file:
            # letters are compared without their case, so a line must be text before it can be told from others
            for at, line in lines_with(file, self._needle if self.core.isdigit() else b""):
                text = line.decode("utf-8", "replace")
                masked = self._masked(text)
                if masked != text:
                    found += 1
                    if erase:
                        file.seek(at)
                        file.write(masked.encode()[:len(line)])
            if erase and found:
                file.flush()
                os.fsync(file.fileno())
        return found

    def _masked(self, line: str) -> str:
        end = "\n" if line.endswith("\n") else ""
        parts = line.removesuffix("\n").split("|")
        if not any(self.core in part.lower() and self.is_his(part) for part in parts[5:]):
            return line
        masked = ["-" * len(part.encode()) if self.is_his(part) else part for part in parts[5:]]
        return "|".join([*parts[:5], *masked]) + end

    # --- journals ---
    def _journals(self, keep: Path | None) -> Iterator[Path]:
        """Journals that hold him, in clear, sealed, or in the state they begin with; what was ahead of them too."""
        ahead = self.folder / "journal" / AHEAD
        if ahead.exists() and self._whole.search(ahead.read_bytes()):
            yield ahead  # the running engine has wiped its own: this is a dead one's
        for path in sorted((self.folder / "journal").glob("*.journal")):
            if (keep is None or path.name != keep.name) and self._journal_holds(path):
                yield path

    def _journal_holds(self, path: Path) -> bool:
        content = path.read_bytes()
        if self._whole.search(content):
            return True
        keys = Keys(path.parent / f"{path.name.rpartition('-')[0]}.keys")
        try:
            for kind, body in records(content):
                if kind not in (b"S", b"C"):
                    continue
                name, sealed = msgspec.msgpack.decode(body)[-2:]
                with suppress(KeyDestroyed):
                    if self._whole.search(keys.open(name, sealed)):
                        return True
        except (JournalError, msgspec.DecodeError, ValueError, TypeError):
            return False  # no journal of ours: its clear bytes were searched
        return False

    def _keys(self) -> Iterator[tuple[Keys, str]]:
        """Living keys of his calls: what they sealed (digits he pressed) ends with them, in every copy of a journal."""
        for _, boot, _, call in self._calls:
            path = self.folder / "journal" / f"{boot}.keys"
            if call and path.exists():
                keys = Keys(path)
                if keys.has(f"call {call}"):
                    yield keys, f"call {call}"


def lines_with(file: BinaryIO, needle: bytes) -> Iterator[tuple[int, bytes]]:
    """(place, line with its end) of each line in which the needle stands (an empty one stands in every line), without
    making objects of the others: a log of 10^6 calls has millions. The file may be written to in between."""
    place, rest = 0, b""  # the file's part that was read, but whose last line may go on
    while True:
        file.seek(place + len(rest))
        read = file.read(chunk_bytes)
        block = rest + read
        end = block.rfind(b"\n") + 1 if read else len(block)
        begin = 0
        while begin < end and (at := block.find(needle, begin, end)) >= 0:
            begin = block.rfind(b"\n", begin, at) + 1 or begin
            after = block.find(b"\n", at, end) + 1 or end
            yield place + begin, block[begin:after]
            begin = after
        if not read:
            return
        place, rest = place + end, block[end:]


def _holds_bytes(path: Path, needle: bytes) -> bool:
    """Does the file hold these bytes anywhere?"""
    if not path.exists():
        return False
    with path.open("rb") as file:
        before = b""
        while block := file.read(chunk_bytes):
            if needle in before + block:
                return True
            before = block[-len(needle):]
    return False
