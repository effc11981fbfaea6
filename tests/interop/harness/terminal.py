"""A program in a terminal of 80×24: a pty, pyte as its screen, keys typed as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte


class Terminal:
    """Runs `python -m engine ARGUMENTS`; `screen()` is what stands there now."""

    def __init__(self, *arguments: str, cwd: Path, columns: int = 80, lines: int = 24) -> None:
        self._display = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._display)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(cwd), "COLUMNS": "", "LINES": ""}
        del env["COLUMNS"], env["LINES"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", *arguments], stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=env,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(3)
        os.close(self._ours)

    def type(self, keys: str) -> None:
        """Keys, one by one."""
        for key in keys:
            os.write(self._ours, key.encode())
            self.read(0.05)

    def press(self, sequence: str) -> None:
        """One key that sends several characters (an arrow)."""
        os.write(self._ours, sequence.encode())
        self.read(0.1)

    def read(self, seconds: float) -> None:
        """Let the screen change for that long."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            ready, _, _ = select.select([self._ours], [], [], left)
            if not ready:
                return
            try:
                data = os.read(self._ours, 65_536)
            except OSError:
                return  # it ended
            self._stream.feed(data)

    def screen(self) -> str:
        return "\n".join(line.rstrip() for line in self._display.display)

    def wait(self, *words: str, seconds: float = 15.0) -> str:
        """The screen once all these words stand on it; AssertionError with the screen otherwise."""
        limit = time.monotonic() + seconds
        while True:
            self.read(0.1)
            text = self.screen()
            if all(word in text for word in words):
                return text
            assert time.monotonic() < limit, f"{words} not on the screen within {seconds} s:\n{text}"

    def wait_gone(self, word: str, seconds: float = 10.0) -> str:
        """The screen once this word stands on it no more."""
        limit = time.monotonic() + seconds
        while True:
            self.read(0.1)
            text = self.screen()
            if word not in text:
                return text
            assert time.monotonic() < limit, f"{word!r} still on the screen after {seconds} s:\n{text}"
