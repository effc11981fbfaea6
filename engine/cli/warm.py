"""`ringdown warm`: compile the kernels before any port opens, with progress."""

from __future__ import annotations

from engine.cli.options import Json


def warm(json: Json = False) -> None:
    """Compile (or load from the cache) every kernel of the media plane and the distributor."""
    import time

    from engine.cli import show
    from engine.runtime.opening import say
    from engine.runtime.warming import Reporter
    from engine.runtime.warming import warm as work

    began = time.monotonic()
    reporter = Reporter(say)
    work(reporter)
    total = round(time.monotonic() - began, 2)
    if json:
        print(show.as_json({"ok": True, "seconds": total, "steps": reporter.spent()}))
    else:
        print(f"kernels ready in {total} s")
