"""Trunks as the running engine sees them: dead ones, and carriers that don't let us register."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.cli.doctor_result import Result, result

REMEDY = "`ringdown console trunks` shows each address; the log says what to do"


def trunks(running: dict[str, Any] | None) -> Iterator[Result]:
    """One line, beside a running engine only: nobody else asks trunks."""
    troubles = (running or {}).get("switch", {}).get("trunk_troubles")
    if troubles:
        yield result("trunks", "warn", "; ".join(map(str, troubles)), REMEDY)
    elif troubles is not None:
        yield result("trunks", "ok", "none is down, none waits to be registered")
