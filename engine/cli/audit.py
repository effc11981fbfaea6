"""What was done to the records, by whom: an event, told by the running engine or written beside a stopped one."""

from __future__ import annotations

from pathlib import Path


def note(folder: Path, act: str, subject: str, counts: dict[str, int]) -> None:
    """One `engine.records` event. `subject` stands for a caller without naming him. Raises RingdownError."""
    import getpass

    from engine.cli import client
    from engine.runtime import record_notes

    text = record_notes.counts_text(counts)
    try:
        client.ask(folder, "noted", act=act, subject=subject, counts=text)
    except client.NotRunning:
        record_notes.write(folder / "ringdown.db", getpass.getuser(), act, subject, text)
