"""The README's commands, verbatim, in the order they stand there, from a fresh copy of the repository.

Blocks fenced as ```sh or ```bash count. A command that serves is left running until the next one that serves, or the
end; one that follows what happens (`tail`) is watched for two seconds; the others must end with status 0. The whole may
take 300 s, as a newcomer would.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from harness.children import Child
from harness.server import ROOT

LIMIT_S = 300
FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.M | re.S)
SERVES = re.compile(r"^(?:\./)?tools/run\s*(?:serve\b.*)?$|\bringdown serve\b")

FOLLOWS = re.compile(r"\b(?:ringdown|tools/run)\s+(?:tail|console)\b")


def commands() -> list[str]:
    """Every command line of the fenced blocks; prompts, comments and clones are left out, continued lines joined."""
    text = (ROOT / "README.md").read_text()
    found = []
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip().removeprefix("$ ")
            if line and not line.startswith(("#", "git clone", "cd ", "sudo ")):
                found.append(line.partition("  #")[0].strip())
    return found


def test_the_readme_shows_the_two_commands() -> None:
    lines = commands()
    assert any(SERVES.search(line) for line in lines), lines
    assert any("dial 100" in line for line in lines), lines


def test_readme_commands_run_verbatim(tmp_path: Path) -> None:
    copy = tmp_path / "ringdown"
    ignore = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=ignore, symlinks=True)
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    began, servers = time.monotonic(), []
    try:
        for line in commands():
            left = LIMIT_S - (time.monotonic() - began)
            assert left > 0, f"the README took more than {LIMIT_S} s before {line!r}"
            if "tools/test" in line:
                continue  # this very suite
            if SERVES.search(line):
                for server in servers:
                    server.stop(8)
                server = Child(["bash", "-c", line], tmp_path / f"server{len(servers)}.txt", cwd=copy, env=env)
                servers.append(server)
                server.wait_for(r"^ready\b", left)
                continue
            if FOLLOWS.search(line):
                tail = Child(["bash", "-c", line], tmp_path / "tail.txt", cwd=copy, env=env)
                time.sleep(2)
                assert tail.running(), f"{line!r} ended:\n{tail.tail()}"
                tail.stop()
                continue
            done = subprocess.run(
                ["bash", "-c", line], cwd=copy, env={**os.environ, **env}, capture_output=True, text=True, timeout=left,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert done.returncode == 0, f"{line!r} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    finally:
        print(f"{time.monotonic() - began:.0f} s for {len(commands())} commands")
        for server in servers:
            server.stop()
    assert time.monotonic() - began < LIMIT_S
