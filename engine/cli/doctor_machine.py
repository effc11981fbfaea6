"""The doctor's checks of the machine: Python, clock, zones, ports, limits, buffers, disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.cli.doctor_result import Result, result

CLOCK_ERROR_S_MAX = 1.0
FREE_BYTES_MIN, FREE_BYTES_ENOUGH = 200_000_000, 2_000_000_000
SYNC_MS_MAX = 50.0
_SYNCS = 5
_BLOCK = bytes(65_536)


def python() -> Result:
    import platform
    import sys

    state = "ok" if sys.version_info >= (3, 11) else "fail"
    return result("python", state, f"{platform.python_version()} on {platform.machine()}", "" if state == "ok" else
                  "Ringdown needs Python 3.11 or newer")


def clock() -> Result:
    """Records carry wall time, so it should be disciplined; timers run on the monotonic clock and don't care."""
    import ctypes
    import os
    import struct
    import time

    if time.time() < 1_700_000_000:
        today = time.strftime("%Y-%m-%d")
        return result("clock", "fail", f"the clock says {today}", "set the clock; run chrony or ntpd")
    buffer = ctypes.create_string_buffer(256)  # struct timex, all zero: ask only
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    if state < 0:
        return result("clock", "warn", f"can't tell whether it is synchronised ({os.strerror(ctypes.get_errno())})")
    remedy = "run chrony or systemd-timesyncd on the host"
    if state == 5:
        return result("clock", "warn", "not synchronised: times in records may drift", remedy)
    error_s = struct.unpack_from("@iqqq", buffer)[3] / 1e6  # modes, offset, freq, maxerror
    if error_s > CLOCK_ERROR_S_MAX:
        return result("clock", "warn", f"synchronised, but perhaps {error_s:.1f} s wrong", remedy)
    return result("clock", "ok", f"synchronised, within {error_s * 1000:.0f} ms")


def zones() -> Result:
    """Is there a data base of time zones at all? (`site` says whether the site's own are in it.)"""
    import zoneinfo
    from importlib.metadata import PackageNotFoundError, version

    try:
        return result("time zones", "ok", f"tzdata {version('tzdata')}")
    except PackageNotFoundError:
        known = len(zoneinfo.available_timezones())
        state = "warn" if known else "fail"
        return result("time zones", state, f"no tzdata: the system's {known} zones are used", "pip install tzdata")


def rtp_range() -> Result:
    """RTP ports must lie outside the range from which the kernel takes ports for others."""
    from engine import limits
    from engine.runtime.net import ephemeral_range

    low, high = ephemeral_range()
    first, last = limits.rtp_port_first, limits.rtp_port_last
    if first <= high and low <= last:
        return result("rtp range", "warn", f"{first}–{last} overlap the kernel's own {low}–{high}",
                      f'sysctl -w net.ipv4.ip_local_port_range="{last + 2} 60999"')
    return result("rtp range", "ok", f"UDP {first}–{last}, outside the kernel's {low}–{high}; open them in a firewall")


def rtp_ports(running: bool, *, host: str = "0.0.0.0") -> Result:
    """How many ports of the range others hold: each is tried. A port that is taken is passed over by the engine."""
    import socket

    from engine import limits

    ports = range(limits.rtp_port_first, limits.rtp_port_last + 1, 2)
    if running:
        return result("rtp ports", "ok", "held by the running engine")
    taken = []
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                taken.append(port)
    if not taken:
        return result("rtp ports", "ok", f"all {len(ports)} are free")
    state = "fail" if len(taken) > len(ports) // 2 else "warn"
    text = f"{len(taken)} of {len(ports)} are taken, {taken[0]} the first"
    return result("rtp ports", state, text, f"ss -ulnp 'sport = {taken[0]}' names the program: give it other ports")


def files() -> Result:
    from engine.runtime import net

    soft, _ = net.raise_file_limit()
    if soft < net.FILES_MIN:
        remedy = "ulimit -Hn 65536, or LimitNOFILE=65536 in the unit file"
        return result("open files", "fail", f"{soft}: about two per leg are needed", remedy)
    return result("open files", "ok", str(soft))


def buffers(running: dict[str, Any] | None, *, table: Path = Path("/proc/net/udp")) -> Result:
    """The receive buffer that the kernel grants, and what it has thrown away at a running engine's sockets."""
    from engine.runtime import net

    dropped = drops(running["addresses"], table) if running else 0
    sock, granted = net.open_udp("127.0.0.1", 0)
    sock.close()
    warning = net.buffer_warning(granted)
    remedy = f"sysctl -w net.core.rmem_max={net.receive_buffer_bytes}"
    if dropped:
        text = f"the kernel has dropped {dropped} SIP datagrams: bursts, or a stall"
        return result("udp buffers", "warn", text, remedy)
    if warning:
        return result("udp buffers", "warn", warning.partition("; ")[0], remedy)
    return result("udp buffers", "ok", f"{granted // 1024} KiB")


def drops(addresses: list[str], table: Path) -> int:
    """Datagrams dropped for want of buffer at the engine's UDP ports, from /proc/net/udp (its last column)."""
    ports = [int(each.rpartition(":")[2]) for each in addresses if each.startswith("udp:")]
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return 0
    return sum(int(row[-1]) for row in rows if int(row[1].rpartition(":")[2], 16) in ports)


def disk(data: Path) -> Iterator[Result]:
    """Room, permission, and how long the disk takes to promise that something is on it."""
    import shutil

    folder = data
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free at {folder}"
    if free < FREE_BYTES_MIN:
        remedy = "records, journal and recordings need room: free some, or choose another --data"
        yield result("disk", "fail", text, remedy)
    else:
        yield result("disk", "warn" if free < FREE_BYTES_ENOUGH else "ok", text,
                     "a day of recordings may fill it" if free < FREE_BYTES_ENOUGH else "")
    yield writing(folder)


def writing(folder: Path) -> Result:
    """Write and fsync a few blocks, as records and journal do."""
    import os
    import statistics
    import tempfile
    import time

    took = []
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            for _ in range(_SYNCS):
                began = time.perf_counter()
                file.write(_BLOCK)
                file.flush()
                os.fsync(file.fileno())
                took.append((time.perf_counter() - began) * 1000)
    except OSError as error:
        remedy = "free some room" if error.errno == 28 else f"chown it to the user who runs the engine: {folder}"
        return result("disk writes", "fail", f"{folder}: {error.strerror}", remedy)
    middle = statistics.median(took)
    text = f"64 KiB are safe on disk after {middle:.1f} ms"
    if middle > SYNC_MS_MAX:
        return result("disk writes", "warn", text, "records may lag and the journal may stop: use a faster disk")
    return result("disk writes", "ok", text)
