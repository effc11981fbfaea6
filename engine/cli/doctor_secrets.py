"""The doctor's lines about secrets: who may read their files, and which of them the running engine lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.cli.doctor_result import Result, result

FILES = ("secrets.json", "secrets.key")


def secrets(data: Path, running: dict[str, Any] | None) -> Iterator[Result]:
    """The files' modes as they are, and beside a running engine what it says of each secret; nothing is changed."""
    wide = [path for path in (data / name for name in FILES) if path.exists() and path.stat().st_mode & 0o077]
    if wide:
        names = " ".join(map(str, wide))
        yield result("secrets' files", "fail", f"open to others: {names}", f"chmod 600 {names}; replace the secrets")
    listed = _listed(data) if running else None
    if listed is None:
        return
    gone = ("missing", "file, unreadable")
    lacking = [each for each in listed["secrets"] if each["used_by"] and each["source"] in gone]
    if lacking:
        told = "; ".join(f"{each['secret']} of {', '.join(each['used_by'])} is {_why(each)}" for each in lacking)
        yield result("secrets", "fail", told, "ringdown secret set NAME")
        return
    place = f", sealed with the key {listed['key']} from {listed['place']}" if listed["key"] else ""
    yield result("secrets", "ok", f"{len(listed['secrets'])} known by name{place}")


def _why(row: dict[str, Any]) -> str:
    return "missing" if row["source"] == "missing" else f"sealed with the key {row['key']}, which is not here"


def _listed(data: Path) -> dict[str, Any] | None:
    """None from an engine that doesn't know the question yet."""
    from engine.cli import client

    try:
        return dict(client.ask(data, "secret.list"))
    except (client.NotRunning, client.Refused):
        return None
