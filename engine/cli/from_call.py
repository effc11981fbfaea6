"""`ringdown test --from CALL`: the records of a call -> the test of it, which is played before it is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.sim.from_records import Written


def made(call: str, folder: Path, data: Path, *, keep_caller: bool) -> Written:
    """The test of a recorded call (its id, caller or agent, or `last`) against the site in `folder`. Raises SiteError
    for a site with mistakes, Refused for a call that isn't recorded, or not so that a test can be made of it."""
    import msgspec

    from engine.cli import client, tail_past
    from engine.console.store import Store
    from engine.dialplan.findings import render
    from engine.errors import SiteError
    from engine.runtime.site_files import read_folder
    from engine.sim import from_records
    from engine.sim.examining import examine

    reading = read_folder(folder)
    if reading.site is None:
        raise SiteError("\n".join(render(finding) for finding in reading.errors()))
    store = Store(data / "ringdown.db")
    try:
        events = store.of_call(tail_past.which(data, store, call))
        joined = next((event for event in events if event.kind == "queue.joined"), None)
        during = store.during(events)
        states = store.agents_before(joined) if joined is not None else {}
    finally:
        store.close()
    try:
        written = from_records.write(reading.site, events, states, during, keep_caller=keep_caller)
    except ValueError as error:
        raise client.Refused(f"no test can be made of this call: {error}") from error
    report = examine(reading.site, {written.file: written.text.encode()})
    told = [f"{result.failure.place}: expected {result.failure.expected}, but {result.failure.found}"
            for _, result in report.failed() if result.failure is not None]  # fmt: skip
    told += [render(finding) for finding in report.findings]
    return msgspec.structs.replace(written, differences=(*written.differences, *told))
