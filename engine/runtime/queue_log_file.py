"""The queue_log file on disk: every line exactly once, though the database and the file can't share a transaction.

Each batch's transaction notes where the file ended and which lines follow. After the commit they are appended; an
engine that was killed in between completes them at its next start (`complete`), from the length that the file has.
A file that was rotated away meanwhile is told by its inode. (A power cut is another matter: the lines that the
system had not written to the disk yet are completed only as far as the last batch.)
"""

from __future__ import annotations

import os
from pathlib import Path

kept_bytes_max = 4_000_000  # lines that a full disk or a missing right keeps waiting; older ones are given up beyond
look_back_bytes = 65_536


class QueueLogFile:
    """`due` is what the file still lacks. One user at a time: the writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.due = b""
        self.lost_bytes = 0

    def note(self, lines: list[str]) -> tuple[int, int, str]:
        """Take lines in; (inode, length of the file, everything due) for the transaction."""
        fresh = "".join(f"{line}\n" for line in lines).encode()
        inode, length = self._stat()
        return inode, length, (self.due + fresh).decode("utf-8", "replace")

    def committed(self, text: str) -> None:
        """The transaction stands: its lines are due."""
        self.due = text.encode()

    def append(self) -> None:
        """Write what is due. Raises OSError; what was written until then isn't written again."""
        if not self.due:
            return
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while self.due:
                self.due = self.due[os.write(descriptor, self.due):]
        finally:
            os.close(descriptor)
            self._bound()

    def complete(self, inode: int, at_bytes: int, text: str) -> None:
        """After a start: find out which of the last batch's lines the file lacks. They are due then."""
        data = text.encode()
        now_inode, length = self._stat()
        if now_inode == inode and length >= at_bytes:
            self.due = data[length - at_bytes:]
        elif not self._holds(data, length):
            self.due = data

    def _holds(self, data: bytes, length: int) -> bool:
        """Another file than the noted one: does it hold these lines already?"""
        if not length:
            return False
        with self.path.open("rb") as file:
            file.seek(max(0, length - look_back_bytes - len(data)))
            return data in file.read()

    def _stat(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_size

    def _bound(self) -> None:
        if len(self.due) > kept_bytes_max:
            cut = self.due.find(b"\n", len(self.due) - kept_bytes_max) + 1
            self.lost_bytes += cut
            self.due = self.due[cut:]
