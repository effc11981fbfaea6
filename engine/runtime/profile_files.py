"""Profiles of boxes and phones that ship with the distribution (hardware/gateways, hardware/phones).

A site that names a profile takes all of them among its files, under `profiles/`, where its own lie and go before. So
they are part of the site's version: a version that is kept has the profiles it ran with, and an upgrade that changes
one gives a new version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.runtime.packaged import package_folder

FOLDERS = ("hardware/gateways", "hardware/phones")
_NAMING = ("trunks.yaml", "agents.yaml", "devices.yaml")
_PROFILE = re.compile(rb"(?:^|[\s{,])profile\s*:", re.MULTILINE)


def shipped() -> dict[str, bytes]:
    """`profiles/NAME.yaml` -> its text. Raises SiteError when the installation lacks them, OSError."""
    return {
        f"profiles/{path.name}": path.read_bytes()
        for folder in FOLDERS
        for path in sorted(package_folder(folder).glob("*.yaml"))
    }


def join(files: Mapping[str, Any]) -> dict[str, Any]:
    """A site's files with the shipped profiles, when a trunk, agent or device names one; else as they are."""
    if not names_any(files):
        return {**files}
    both = {**shipped(), **files}
    return {name: both[name] for name in sorted(both)}


def names_any(files: Mapping[str, object]) -> bool:
    """Does one of the files that can name a profile name one?"""
    for name, content in files.items():
        if name.split("/")[-1] in _NAMING and isinstance(content, bytes) and _PROFILE.search(content):
            return True
    return False
