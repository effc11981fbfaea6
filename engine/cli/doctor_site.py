"""The doctor's checks of the site: does it load, can it be reached, do its names resolve, are certificates valid?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli import doctor_speech
from engine.cli.doctor_result import Result, result

if TYPE_CHECKING:
    from engine.dialplan.model import Site

RESOLVE_S_MAX = 5.0
RESOLVE_S_SLOW = 1.0
EXPIRES_DAYS_MIN = 14
CERTIFICATES_MAX = 100


def site_and_addresses(site: Path | None, running: dict[str, Any] | None = None) -> Iterator[Result]:
    """The site itself, its zones, its addresses and names, certificates that lie in it, and its recognisers."""
    from engine.errors import RingdownError
    from engine.runtime import site_files

    folder = site or site_files.demo_site()
    try:
        reading = site_files.read_folder(folder)
    except RingdownError as error:
        yield result("site", "fail", str(error), "name a site's folder by --site; ringdown check SITE")
        return
    if reading.site is None:
        errors = len(reading.errors())
        yield result("site", "fail", f"{reading.folder}: {errors} errors", f"ringdown check {reading.folder}")
        return
    yield result("site", "ok", f"{reading.folder}: {reading.files} files, version {reading.site.version[:12]}")
    yield zones(reading.site)
    yield from addresses(reading.site, running)
    yield names(reading.site)
    yield certificates(folder)
    yield from tls(reading.site, folder)
    yield from doctor_speech.speech(reading.site, running)


def zones(site: Site) -> Result:
    """Every tenant's time zone must be in the data base: hours of the day hang on it."""
    import zoneinfo

    wrong = []
    for tenant in site.tenants.values():
        try:
            zoneinfo.ZoneInfo(tenant.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            wrong.append(f"{tenant.time_zone} (tenant {tenant.name})")
    if wrong:
        remedy = "pip install --upgrade tzdata, or write a zone such as Europe/London"
        return result("site zones", "fail", f"unknown: {', '.join(wrong)}", remedy)
    found = sorted({tenant.time_zone for tenant in site.tenants.values()})
    return result("site zones", "ok", ", ".join(found))


def addresses(site: Site, running: dict[str, Any] | None) -> Iterator[Result]:
    """Each listening address: can it be bound (or has the engine it), and what do far ends read in SDP, and why."""
    from engine.errors import RingdownError
    from engine.runtime import net, opening

    held = tuple(running["addresses"]) if running else ()
    for text in held or site.listen or opening.DEFAULT_LISTEN:
        try:
            transport, host, port = net.parse_listen(text)
        except RingdownError as error:
            yield result("address", "fail", str(error), "listen: in site.yaml, or --listen")
            continue
        told, why = net.advertised(host, site.advertise)
        where = f"{transport}:{net.show(host, port)}"
        ours = result("address", "ok", f"{where} is the running engine's")
        yield ours if held else bindable(transport, host, port)
        networks = ", ".join(site.local_networks)
        inside = f"; phones in {networks} are told {host}" if networks else ""
        alone = told.startswith("127.")
        remedy = "only this machine can call: ringdown serve --lan, or listen: in site.yaml" if alone else ""
        yield result("sdp address", "warn" if alone else "ok", f"far ends are told {told} ({why}){inside}", remedy)


def bindable(transport: str, host: str, port: int) -> Result:
    """Can the address be bound now?"""
    from engine.errors import UsageError
    from engine.runtime import net

    try:
        sock = net.open_udp(host, port)[0] if transport == "udp" else net.open_tcp(host, port, transport)
    except UsageError as error:
        text, _, remedy = str(error).partition(": ")
        if "in use" in text:
            return result("address", "fail", text, remedy)
        return result("address", "fail", str(error), "ip address; then listen: in site.yaml, or --listen")
    sock.close()
    return result("address", "ok", f"{transport}:{net.show(host, port)} is free")


def hosts(site: Site) -> dict[str, str]:
    """Names in the site that a resolver must know -> where they stand."""
    from engine.errors import RingdownError
    from engine.runtime.net import is_numeric
    from engine.sip.uri import parse_uri

    found: dict[str, str] = {}
    for trunk in site.trunks.values():
        found.setdefault(trunk.host, f"trunk {trunk.name}")
    name, _, port = site.advertise.rpartition(":")
    found.setdefault(name if name and port.isdigit() and ":" not in name else site.advertise, "advertise")
    for key, agent in site.agents.items():
        if agent.contact:
            try:
                found.setdefault(parse_uri(agent.contact).host, f"agent {key}")
            except RingdownError:
                continue  # the check of the site has said so
    return {host: where for host, where in found.items() if host and not is_numeric(host.strip("[]"))}


def names(site: Site) -> Result:
    """Look up every name at once, in bounded time."""
    import socket
    import threading
    import time

    wanted = hosts(site)
    if not wanted:
        return result("names", "ok", "the site names no host: nothing to resolve")
    answers: dict[str, tuple[float, str]] = {}

    def look(host: str) -> None:
        began = time.monotonic()
        try:
            socket.getaddrinfo(host, None)
            error = ""
        except (OSError, UnicodeError) as failure:
            error = getattr(failure, "strerror", "") or str(failure)
        answers[host] = (time.monotonic() - began, error)

    threads = [threading.Thread(target=look, args=(host,), daemon=True) for host in wanted]
    for thread in threads:
        thread.start()
    end = time.monotonic() + RESOLVE_S_MAX
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    said = {host: answers.get(host, (RESOLVE_S_MAX, f"no answer within {RESOLVE_S_MAX:.0f} s")) for host in wanted}
    bad = [f"{host} ({wanted[host]}): {error}" for host, (_, error) in said.items() if error]
    if bad:
        remedy = "check the spelling, /etc/resolv.conf and the resolver; an IP address needs no resolver"
        return result("names", "fail", "; ".join(bad), remedy)
    slow = [f"{host} took {took:.1f} s" for host, (took, _) in said.items() if took > RESOLVE_S_SLOW]
    if slow:
        return result("names", "warn", "; ".join(slow), "run a resolver nearby: unbound, or systemd-resolved")
    return result("names", "ok", f"{', '.join(wanted)} resolved")


def tls(site: Site, folder: Path) -> Iterator[Result]:
    """What phones are shown who connect with TLS: whole, for our names, and for some days to come?"""
    from engine.runtime import tls_check, tls_files

    if site.tls is None:
        return
    found = tls_files.problems(site.tls, folder, tls_check.names(site), tls_files.now())
    for each in found:
        broken = each.code == "RD341" or "has expired" in each.text
        yield result("tls", "fail" if broken else "warn", each.text, each.remedy)
    if not found:
        names = ", ".join(tls_check.names(site)) or "no name of ours"
        yield result("tls", "ok", f"{site.tls.certificate} is valid, and for {names}")


def certificates(folder: Path) -> Result:
    """Certificates that lie in the site (*.pem, *.crt): readable, valid now, and for some days to come."""
    import datetime

    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    bad, soon, good = [], [], 0
    for path in sorted([*folder.rglob("*.pem"), *folder.rglob("*.crt")])[:CERTIFICATES_MAX]:
        name = path.relative_to(folder)
        try:
            content = path.read_bytes()
            if b"BEGIN CERTIFICATE" not in content:
                continue  # a key
            found = x509.load_pem_x509_certificates(content)
        except (OSError, ValueError) as error:
            bad.append(f"{name}: {getattr(error, 'strerror', None) or 'no certificate that can be read'}")
            continue
        ends = min(each.not_valid_after_utc for each in found)
        begins = max(each.not_valid_before_utc for each in found)
        if ends <= now:
            bad.append(f"{name}: expired on {ends:%Y-%m-%d}")
        elif begins > now:
            bad.append(f"{name}: valid only from {begins:%Y-%m-%d %H:%M} UTC on")
        elif ends - now < datetime.timedelta(days=EXPIRES_DAYS_MIN):
            soon.append(f"{name}: expires on {ends:%Y-%m-%d}")
        else:
            good += 1
    if bad:
        return result("certificates", "fail", "; ".join(bad + soon), "renew them (and look at the clock)")
    if soon:
        return result("certificates", "warn", "; ".join(soon), "renew them now")
    return result("certificates", "ok", f"{good} in the site are valid" if good else "none lies in the site")
