"""`ringdown restart`: put the installed version in place of the running one, under its calls."""

from __future__ import annotations

import typer

from engine.cli.options import Data, Json, data_folder

wait_s_max = 30.0


def restart(data: Data = None, json: Json = False) -> None:
    """Replace the running program by the one that is installed now. Calls, queues, registrations and agents stay."""
    import time

    from engine.cli import client, show

    folder = data_folder(data)
    before = client.ask(folder, "restart")
    began = time.monotonic()
    after = None
    while after is None and time.monotonic() - began < wait_s_max:
        time.sleep(0.1)
        try:
            found = client.ask(folder, "status")
        except (client.NotRunning, client.Refused):
            continue  # between the two programs nobody answers
        if found["started_at"] > before["started_at"]:
            after = found
    if after is None:
        print(f"no answer {wait_s_max:.0f} s after the restart: read the log; `ringdown serve` goes on with the calls")
        raise typer.Exit(1)
    spent_s = time.monotonic() - began
    calls = after["switch"].get("calls", 0)
    if json:
        print(show.as_json({"ok": True, **before, "calls_after": calls, "seconds": round(spent_s, 2)}))
    else:
        print(f"restarted in {spent_s:.1f} s: version {before['from']} -> {before['to']}, {calls} calls go on")
