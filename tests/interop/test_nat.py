"""Phones behind a NAT, over UDP, TCP and TLS: a network namespace is the home, another one its router, with nftables.

The router changes addresses and ports (at random) and lets nobody in who wasn't spoken to; the phone writes its private
address into Contact, Via and SDP, as phones do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCENE = Path(__file__).with_name("nat_scene.py")
TRANSPORTS = ("udp", "tcp", "tls")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """transport -> what the scene tells of its call."""
    command = ["unshare", "-rn", sys.executable, str(SCENE), str(tmp_path_factory.mktemp("nat"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr[-6_000:]
    return {row["transport"]: row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_agent_behind_a_nat_is_called_and_both_hear_each_other(
    played: dict[str, dict[str, object]], transport: str
) -> None:
    row = played[transport]
    assert float(str(row["at_caller"])) > 2_000 and float(str(row["at_agent"])) > 2_000, row
    assert "@192.168.77.2:" in str(row["contact"])  # what the phone believes of itself
    seen = [str(each) for each in row["seen"]]  # type: ignore[attr-defined]
    assert any(each.startswith(f"{transport}:198.51.100.2:") for each in seen), seen
    assert not any("192.168.77" in each for each in seen), seen
