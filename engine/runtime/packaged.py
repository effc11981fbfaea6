"""Folders that ship with the distribution: beside `engine` in a checkout, inside the package once installed."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import SiteError


def package_folder(name: str) -> Path:
    """`prompts`, `dialplans/demo`, `hardware/phones`: where it lies. Raises SiteError when it lies nowhere."""
    engine = Path(__file__).resolve().parent.parent
    for candidate in (engine.parent / name, engine / "share" / name, Path(sys.prefix) / "share" / "ringdown" / name):
        if candidate.is_dir():
            return candidate
    raise SiteError(f"the installation lacks its folder {name!r}: install ringdown again")
