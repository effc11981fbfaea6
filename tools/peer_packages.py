"""What some peers of the interop tests are made of (Pipecat as a bot, ffmpeg for vosk-transcriber):
python -m tools.peer_packages.

Every wheel is listed in peer_packages.txt with its version and SHA-256 and is checked by pip, which runs nothing of it.
They lie in the user's cache folder, which is named by the list, so a changed list is fetched anew; no environment of
ours knows them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tools import fetched

LIST = Path(__file__).with_name("peer_packages.txt")


def folder() -> Path:
    """Where the packages of this list lie, or will: for a peer's PYTHONPATH."""
    return fetched.folder("peers", LIST.read_bytes())


def fetch(target: Path) -> None:
    """Fetch, check and unpack all of them; `target` appears only when everything is in it. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / "made"
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:",
            "--require-hashes", "--disable-pip-version-check", "--target", str(made), "--requirement", str(LIST),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=fetched.fetch_s_max, check=False)
        if done.returncode:
            raise OSError(f"pip could not fetch the peers' packages: {done.stderr.strip()}")
        made.rename(target)


def main() -> int:
    return fetched.main("peer", folder(), fetch)


if __name__ == "__main__":
    sys.exit(main())
