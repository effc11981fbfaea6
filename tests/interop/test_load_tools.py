"""The load tools, proved against SIPp and against the small switch, so that their figures can be believed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness.fakes import FakeSwitch
from harness.server import ROOT
from harness.sipp import Sipp

from tools.load import account, plane, report, wire
from tools.load.endpoint import Address


def load(run: str, port: int, *arguments: str, transport: str = "udp") -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "tools.load", run, f"--server={transport}:127.0.0.1:{port}", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_calls_against_sipp(tmp_path: Path, transport: str) -> None:
    with Sipp(tmp_path, "uas", transport="t1" if transport == "tcp" else "u1", calls=1000) as sipp:
        time.sleep(0.3)
        arguments = ("--number", "x", "--rate", "100", "--seconds", "2", "--pid", str(sipp.child.pid))
        status, figures = load("calls", sipp.port, *arguments, transport=transport)
    assert status == 0 and figures["placed"] == figures["ended_cleanly"] == 200
    assert figures["success_percent"] == 100 and 95 < figures["rate_reached"] < 105
    assert 0 < figures["invite_to_200_ms"]["p50"] < 50
    assert 0 < figures["cpu_s_per_1000_calls"] < 3


def test_refused_calls_are_not_successes() -> None:
    with FakeSwitch() as switch:
        status, figures = load("calls", switch.port, "--number", "404404", "--rate", "20", "--seconds", "0.5")
    assert status == 1 and figures["refused"] == {"404": 10} and figures["success_percent"] == 0


def test_media_counts_and_times_packets() -> None:
    with FakeSwitch() as switch:
        status, figures = load("media", switch.port, "--number", "9664", "--calls", "5", "--seconds", "2")
    assert status == 0 and figures["legs_that_heard_nothing"] == 0 and figures["lost"] == 0
    assert 48 < figures["packets_heard_per_leg_per_s"] < 52
    assert 19 < figures["gaps_ms"]["p50"] < 21


def test_bridges_measure_transit() -> None:
    with FakeSwitch({"200": "pw"}, forward={"800": "200"}) as switch:
        arguments = ("--number", "800", "--calls", "4", "--seconds", "2", "--agents", "200:pw")
        status, figures = load("bridges", switch.port, *arguments)
    assert status == 0 and figures["bridges_up"] == 4 and figures["registered"] == {"200": 1}
    assert figures["packets_copied_percent"] > 99 and 0 < figures["transit_ms"]["p50"] < 10


def test_queue_calls_reach_agents() -> None:
    users = {str(200 + i): "pw" for i in range(4)}
    with FakeSwitch(users, forward={"700": "*"}) as switch:
        agents = ",".join(f"{user}:{word}" for user, word in users.items())
        arguments = ("--number", "700", "--rate", "2", "--seconds", "2", "--agents", agents, "--hold", "0.2")
        status, figures = load("queue", switch.port, *arguments)
    assert status == 0 and figures["connected"] == figures["placed"] == 4


def test_the_plane_sees_perfect_pacing_as_such() -> None:
    figures = plane.self_check(20, 1.0)
    assert figures["gap_p50"] == pytest.approx(20, abs=0.5) and figures["lost"] == 0
    assert figures["transit_p50"] < 5


def test_percentiles_and_spacing() -> None:
    import numpy as np

    gaps = np.concatenate((np.full(990, 20.0), np.full(10, 30.0)))
    found = report.spacing(gaps)
    assert found["p50"] == 20 and found["max"] == 30 and found["within_20_3_percent"] == 99.0
    assert report.spread([]) == {} and np.isnan(report.percentile([], 0.5))


def test_cpu_account_counts_this_process() -> None:
    import os

    before = account.Meter(os.getpid())
    limit = time.process_time() + 0.15
    while time.process_time() < limit:
        pass
    assert 0.1 <= before.cpu_spent() <= 0.4 and account.resident_kib(os.getpid()) > 1000
    assert account.cpu_seconds(0) == 0.0


@pytest.mark.parametrize("text", ["127.0.0.1:5060", "tls:h:1", "udp:h", "udp::5060", ""])
def test_wrong_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not like"):
        Address.parse(text)


def test_sdp_is_read_back() -> None:
    media = wire.Media(wire.offer("192.0.2.1", 4000, codecs=(8, 0), event=97, direction="sendonly", version=3))
    assert (media.host, media.port, media.codecs, media.event) == ("192.0.2.1", 4000, [8, 0, 97], 97)
    assert (media.direction, media.version) == ("sendonly", "3")
