"""Packages that tests use and nothing of ours holds: fetched once by a list of hashes, into the user's cache folder.

The folder is named by the list, so a changed list is fetched anew.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

fetch_s_max = 600


def folder(name: str, listed: bytes) -> Path:
    """Where the packages of a list lie, or will."""
    chosen = os.environ.get("RINGDOWN_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringdown"
    return base / f"{name}-{hashlib.sha256(listed).hexdigest()[:12]}"


def main(name: str, target: Path, fetch: Callable[[Path], None]) -> int:
    """Fetch what isn't there; the exit status."""
    if target.is_dir():
        print(f"all there: {target}")
        return 0
    try:
        fetch(target)
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        print(f"{name} packages: {error}", file=sys.stderr)
        return 1
    print(f"fetched: {target}")
    return 0
