"""Starts the pyVoIP phone as a child process."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.children import Child
from harness.ports import free_port


class RudePhone:
    """A pyVoIP phone: `child.wait_for(r"^registered")` and friends tell what it did."""

    def __init__(self, folder: Path, server: tuple[str, int], user: str, password: str) -> None:
        self.port, rtp = free_port(), free_port(pairs=True, reserve=24)
        script = Path(__file__).with_name("pyvoip_phone.py")
        command = [sys.executable, str(script), server[0], str(server[1]), user, password, str(self.port), str(rtp)]
        self.child = Child(command, folder / f"pyvoip-{user}-{self.port}.txt")

    def __enter__(self) -> RudePhone:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop(1)

    def saw(self, pattern: str, within: float = 6.0, *, count: int = 1) -> None:
        """AssertionError unless it prints a line that matches."""
        self.child.wait_for(pattern, within, count=count)

    def tell(self, command: str) -> None:
        self.child.type(command + "\n")
