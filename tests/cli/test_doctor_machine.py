"""Machines that are really broken: a full tmpfs, a low ulimit, another port range, a kernel that drops datagrams."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import limits
from engine.cli import doctor_machine as room
from engine.runtime import net
from tests.house.source import ROOT

AS_ROOT = os.geteuid() == 0


def inside(tmp_path: Path, before: str, call: str, *namespaces: str) -> Any:
    """What `call` of doctor_machine returns after the shell commands `before`, in namespaces of its own."""
    code = "import json; from pathlib import Path; from engine.cli import doctor_machine as m; "
    code += f"print(json.dumps({call}))"
    script = f'set -e; {before}; exec "$0" -c "$1"'
    command = ["sh", "-c", script, sys.executable, code]
    if namespaces:
        command = ["unshare", *namespaces, *([] if AS_ROOT else ["-Ur"]), *command]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "T": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_full_disk(tmp_path: Path) -> None:
    fill = 'mount -t tmpfs -o size=32k none "$T"; cat /dev/zero >"$T/all" 2>/dev/null || true'
    room_left, writes = inside(tmp_path, fill, f"list(m.disk(Path({str(tmp_path)!r})))", "-m")
    assert room_left["state"] == "fail" and "0.0 GB free" in room_left["detail"] and room_left["remedy"]
    assert writes["state"] == "fail" and "No space left" in writes["detail"] and writes["remedy"] == "free some room"


def test_a_disk_that_may_only_be_read(tmp_path: Path) -> None:
    call = f"m.writing(Path({str(tmp_path)!r}))"
    found = inside(tmp_path, 'mount -t tmpfs -o ro,size=1m none "$T"', call, "-m")
    assert found["state"] == "fail" and "Read-only" in found["detail"] and "chown" in found["remedy"]


def test_a_disk_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(list(room.disk(tmp_path / "not" / "yet"))) == 2
    found = room.writing(tmp_path)
    assert found["state"] in ("ok", "warn") and "safe on disk" in found["detail"] and not list(tmp_path.iterdir())
    monkeypatch.setattr(room, "SYNC_MS_MAX", 0.0)
    assert room.writing(tmp_path)["state"] == "warn" and "faster disk" in room.writing(tmp_path)["remedy"]


def test_few_files(tmp_path: Path) -> None:
    found = inside(tmp_path, "ulimit -n 1000; ulimit -Hn 1000", "m.files()")
    assert found["state"] == "fail" and found["detail"].startswith("1000:") and "LimitNOFILE" in found["remedy"]


def test_the_kernels_own_ports_overlap(tmp_path: Path) -> None:
    setting = "/proc/sys/net/ipv4/ip_local_port_range"
    found = inside(tmp_path, f"echo 1024 60999 >{setting}", "m.rtp_range()", "-n")
    assert found["state"] == "warn" and "ip_local_port_range" in found["remedy"]
    assert inside(tmp_path, f"echo 40000 60999 >{setting}", "m.rtp_range()", "-n")["state"] == "ok"


def test_ports_that_others_hold(tmp_path: Path) -> None:
    free = inside(tmp_path, "ip link set lo up 2>/dev/null || true", "m.rtp_ports(False)", "-n")
    assert free["state"] == "ok" and "8192 are free" in free["detail"]
    code = "import socket; a = socket.socket(type=socket.SOCK_DGRAM); a.bind(('0.0.0.0', 20000)); "
    taken = inside(tmp_path, "true", f"[exec({code!r}, globals()), m.rtp_ports(False)][1]", "-n")
    assert taken["state"] == "warn" and "1 of 8192 are taken, 20000 the first" in taken["detail"]
    assert "sport = 20000" in taken["remedy"]
    assert room.rtp_ports(True)["state"] == "ok"
    assert (limits.rtp_port_last - limits.rtp_port_first) // 2 + 1 == 8_192


def test_a_kernel_that_caps_the_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "receive_buffer_bytes", 1 << 30)
    found = room.buffers(None)
    assert found["state"] == "warn" and "KiB instead of 1048576" in found["detail"]
    assert found["remedy"] == "sysctl -w net.core.rmem_max=1073741824"


def test_datagrams_that_the_kernel_dropped() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, socket.socket(type=socket.SOCK_DGRAM) as other:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        for _ in range(500):
            with contextlib.suppress(OSError):
                other.sendto(b"x" * 1_000, ("127.0.0.1", port))
        found = room.buffers({"addresses": [f"udp:127.0.0.1:{port}", "tcp:127.0.0.1:5060"]})
        assert found["state"] == "warn" and "dropped 4" in found["detail"], found
    assert room.drops(["udp:127.0.0.1:5060"], Path("/proc/none")) == 0


def test_a_clock_of_long_ago(tmp_path: Path) -> None:
    assert room.clock()["state"] in ("ok", "warn")
    call = "[setattr(__import__('time'), 'time', lambda: 5.0), m.clock()][1]"  # nobody may set this machine's clock
    found = inside(tmp_path, "true", call)
    assert found["state"] == "fail" and "chrony" in found["remedy"]


def test_python_and_zones() -> None:
    assert room.python()["state"] == "ok" and room.zones()["state"] == "ok"
