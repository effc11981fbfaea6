"""Child processes: started in their own group, watched through a log file, ended in bounded time."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class Child:
    """One process with stdout and stderr in `log`; commands may be typed into its stdin."""

    def __init__(
        self, command: list[str], log: Path, *, cwd: Path | None = None, env: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.command = command
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
                env={**os.environ, **(env or {})}, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_for(self, pattern: str, seconds: float, *, count: int = 1) -> re.Match[str]:
        """The count-th match of `pattern` in the output; AssertionError with the output's end when it doesn't come."""
        limit = time.monotonic() + seconds
        while True:
            over = not self.running()
            found = list(re.finditer(pattern, self.output(), re.M))
            if len(found) >= count:
                return found[count - 1]
            if over or time.monotonic() > limit:
                state = f"ended with {self.process.returncode}" if over else "still runs"
                raise AssertionError(f"{pattern!r} not in the output of {self.command[0]} ({state}):\n{self.tail()}")
            time.sleep(0.03)

    def tail(self, lines: int = 12) -> str:
        return "\n".join(self.output().splitlines()[-lines:])

    def wait(self, seconds: float) -> int:
        """Its exit status; AssertionError when it takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command[0]} still runs after {seconds} s:\n{self.tail()}") from None

    def stop(self, seconds: float = 3.0) -> None:
        """SIGTERM to its group, SIGKILL to what is left."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.running():
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()


def until(done: Callable[[], object], seconds: float, *, every: float = 0.05, what: str = "") -> object:
    """Call `done` until it returns something true, which is returned; AssertionError after `seconds`."""
    limit = time.monotonic() + seconds
    while True:
        value = done()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {what or done}; last value {value!r}")
        time.sleep(every)
