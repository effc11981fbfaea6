"""The tests beside a site's dialplans, run as `ringdown test` in a child before a reload brings the site into force."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

run_s_max = 300.0
lines_max = 60  # of what a failing run has printed
COMMAND = (sys.executable, "-m", "engine", "test")
PATTERN = "*.test.yaml"


class Tested(msgspec.Struct):
    """`files` with tests there are; `ok`: all passed (or there are none). `summary` is one line, `lines` the detail."""

    files: int
    ok: bool
    summary: str
    lines: list[str] = []


async def run(folder: Path) -> Tested:
    """Run them all. Never raises: tests that can't be run have not passed, and say why."""
    files = sum(1 for _ in folder.rglob(PATTERN))
    if not files:
        return Tested(0, True, "no tests beside the dialplans")
    try:
        child = await asyncio.create_subprocess_exec(
            *COMMAND, str(folder), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(each or str(Path.cwd()) for each in sys.path)},
        )
    except OSError as error:
        return Tested(files, False, f"the tests could not be run: {error.strerror}")
    try:
        out, _ = await asyncio.wait_for(child.communicate(), run_s_max)
    except TimeoutError:
        child.kill()
        await child.wait()
        return Tested(files, False, f"the tests took longer than {run_s_max:.0f} s")
    lines = [line for line in out.decode("utf-8", "replace").splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "no word from the tests"
    if child.returncode in (0, 1):
        return Tested(files, child.returncode == 0, last, lines[-lines_max:] if child.returncode else [])
    return Tested(files, False, f"the tests could not be run (status {child.returncode})", lines[-lines_max:])
