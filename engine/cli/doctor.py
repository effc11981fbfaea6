"""`ringdown doctor`: is this machine ready for calls? Each failure comes with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

Result = dict[str, str]  # check, state ok | warn | fail, detail, remedy


def doctor(
    site: Annotated[Path | None, typer.Option("--site", help="The site's folder (default: the demo).")] = None,
    data: Data = None, json: Json = False,
) -> None:
    """Check addresses, ports, limits, buffers, disk and clock. Exit status 1 when something fails."""
    from engine.cli import show

    results = list(checks(site, data_folder(data)))
    if json:
        print(show.as_json(results))
    else:
        for result in results:
            print(f"{result['state']:4}  {result['check']:14}  {result['detail']}")
            if result["remedy"]:
                print(f"{'':22}→ {result['remedy']}")
    if any(result["state"] == "fail" for result in results):
        raise typer.Exit(1)


def checks(site: Path | None, data: Path) -> Iterator[Result]:
    """Every check, in the order in which a start would meet them."""
    yield python()
    yield clock()
    yield zone()
    yield from site_and_addresses(site)
    yield rtp_ports()
    yield files()
    yield buffers()
    yield disk(data)
    yield records(data)
    yield engine(data)


def result(check: str, state: str, detail: str, remedy: str = "") -> Result:
    """One line of the doctor's."""
    return {"check": check, "state": state, "detail": detail, "remedy": remedy}


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
    import time

    if time.time() < 1_700_000_000:
        today = time.strftime("%Y-%m-%d")
        return result("clock", "fail", f"the clock says {today}", "set the clock; run chrony or ntpd")
    buffer = ctypes.create_string_buffer(256)  # struct timex, all zero: ask only
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    if state == 5:
        return result("clock", "warn", "not synchronised: times in records may drift",
                      "run chrony or systemd-timesyncd on the host")
    if state < 0:
        return result("clock", "warn", f"can't tell whether it is synchronised ({os.strerror(ctypes.get_errno())})")
    return result("clock", "ok", "synchronised")


def zone() -> Result:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("tzdata")
    except PackageNotFoundError:
        return result("time zones", "warn", "no tzdata: the system's zone files are used", "pip install tzdata")
    return result("time zones", "ok", f"tzdata {found}")


def site_and_addresses(site: Path | None) -> Iterator[Result]:
    """The site itself, then each listening address: can it be bound, and what do far ends read in SDP, and why."""
    from engine.errors import RingdownError
    from engine.runtime import net, opening, site_files

    try:
        reading = site_files.read_folder(site or site_files.demo_site())
    except RingdownError as error:
        yield result("site", "fail", str(error), "ringdown check SITE")
        return
    if reading.site is None:
        errors = len(reading.errors())
        yield result("site", "fail", f"{reading.folder}: {errors} errors", f"ringdown check {reading.folder}")
        return
    yield result("site", "ok", f"{reading.folder}: {reading.files} files, version {reading.site.version[:12]}")
    for text in reading.site.listen or opening.DEFAULT_LISTEN:
        try:
            transport, host, port = net.parse_listen(text)
        except RingdownError as error:
            yield result("address", "fail", str(error))
            continue
        told, why = net.advertised(host, reading.site.advertise)
        yield _bindable(transport, host, port)
        networks = ", ".join(reading.site.local_networks)
        inside = f"; phones in {networks} are told {host}" if networks else ""
        state = "warn" if told.startswith("127.") else "ok"
        yield result("sdp address", state, f"far ends are told {told} ({why}){inside}", _remedy(told))


def _bindable(transport: str, host: str, port: int) -> Result:
    from engine.errors import UsageError
    from engine.runtime import net

    where = f"{transport}:{net.show(host, port)}"
    try:
        sock = net.open_udp(host, port)[0] if transport == "udp" else net.open_tcp(host, port)
    except UsageError as error:
        state = "warn" if "in use" in str(error) else "fail"  # perhaps by the engine itself
        return result("address", state, str(error), "")
    sock.close()
    return result("address", "ok", f"{where} is free")


def _remedy(told: str) -> str:
    if told.startswith("127."):
        return "only this machine can call: ringdown serve --lan, or listen: in site.yaml"
    return ""


def rtp_ports() -> Result:
    """RTP ports must lie outside the range from which the kernel takes ports for others."""
    from engine import limits
    from engine.runtime.net import ephemeral_range

    low, high = ephemeral_range()
    first, last = limits.rtp_port_first, limits.rtp_port_last
    if first <= high and low <= last:
        return result("rtp ports", "warn", f"{first}–{last} overlap the kernel's own {low}–{high}",
                      f'sysctl -w net.ipv4.ip_local_port_range="{last + 2} 60999"')
    return result("rtp ports", "ok", f"UDP {first}–{last}, outside the kernel's {low}–{high}; open them in a firewall")


def files() -> Result:
    from engine.runtime import net

    soft, _ = net.raise_file_limit()
    if soft < net.FILES_MIN:
        remedy = "ulimit -Hn 65536, or LimitNOFILE=65536 in the unit file"
        return result("open files", "fail", f"{soft}: about one per leg is needed", remedy)
    return result("open files", "ok", str(soft))


def buffers() -> Result:
    from engine.runtime import net

    sock, granted = net.open_udp("127.0.0.1", 0)
    sock.close()
    warning = net.buffer_warning(granted)
    if warning:
        text, _, remedy = warning.partition("; ")
        return result("udp buffers", "warn", text, remedy)
    return result("udp buffers", "ok", f"{granted // 1024} KiB")


def disk(data: Path) -> Result:
    import shutil

    folder = data
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free at {folder}"
    if free < 200_000_000:
        remedy = "records, journal and recordings need room: free some, or choose another --data"
        return result("disk", "fail", text, remedy)
    return result("disk", "warn" if free < 2_000_000_000 else "ok", text)


def records(data: Path) -> Result:
    import sqlite3

    from engine.records import schema

    path = data / "ringdown.db"
    if not path.exists():
        return result("records", "ok", f"{path} will be made at the first start")
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0) as db:
            found = db.execute("SELECT max(version) FROM schema_versions").fetchone()[0]
            calls = db.execute("SELECT count(*) FROM calls").fetchone()[0]
    except sqlite3.Error as error:
        return result("records", "fail", f"{path}: {error}", "move the file away, or restore a backup")
    if found > schema.VERSION:
        text = f"schema {found}; this engine knows {schema.VERSION}"
        return result("records", "fail", text, "start the newer engine")
    return result("records", "ok", f"schema {found}, {calls} calls")


def engine(data: Path) -> Result:
    from engine.cli import client

    try:
        found: dict[str, Any] = client.ask(data, "status")
    except client.NotRunning:
        return result("engine", "ok", "not running")
    except client.Refused as error:
        return result("engine", "warn", str(error))
    media = ", ".join(f"{key} {value}" for key, value in found["runtime"]["media"].items())
    return result("engine", "ok", f"up {found['up_s']} s at {' '.join(found['addresses'])}; {media}")
