"""What the bot of the interop tests is made of (Pipecat): python -m tools.bot_packages.

Every wheel is listed in bot_packages.txt with its version and SHA-256 and is checked by pip, which runs nothing of it.
They lie in the user's cache folder, which is named by the list, so a changed list is fetched anew; no environment of
ours knows them.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LIST = Path(__file__).with_name("bot_packages.txt")
fetch_s_max = 600


def folder() -> Path:
    """Where the packages of this list lie, or will: for the bot's PYTHONPATH."""
    chosen = os.environ.get("RINGDOWN_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringdown"
    return base / f"bot-{hashlib.sha256(LIST.read_bytes()).hexdigest()[:12]}"


def fetch(target: Path) -> None:
    """Fetch, check and unpack all of them; `target` appears only when everything is in it. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / "made"
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:",
            "--require-hashes", "--disable-pip-version-check", "--target", str(made), "--requirement", str(LIST),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=fetch_s_max, check=False)
        if done.returncode:
            raise OSError(f"pip could not fetch the bot's packages: {done.stderr.strip()}")
        made.rename(target)


def main() -> int:
    target = folder()
    if target.is_dir():
        print(f"all there: {target}")
        return 0
    try:
        fetch(target)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"bot packages: {error}", file=sys.stderr)
        return 1
    print(f"fetched: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
