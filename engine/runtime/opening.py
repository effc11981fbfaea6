"""What happens before `ready`: options, listening sockets, the parts' builders, passwords shown once."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine import limits
from engine.call.effects import Listening
from engine.dialplan.findings import render
from engine.dialplan.model import Site
from engine.errors import SiteError, UsageError
from engine.runtime import net
from engine.runtime.handover import sock_of
from engine.runtime.provision import Account, Provisioner, welcome
from engine.runtime.secrets import Password, resolve_agent
from engine.runtime.site_files import Reading

if TYPE_CHECKING:
    from engine.runtime.handover import Inherited
    from engine.runtime.server import Server

DEFAULT_LISTEN = ("udp:127.0.0.1:5060", "tcp:127.0.0.1:5060")
LAN_AGENT = "200"


class Options(msgspec.Struct):
    """What `ringdown serve` was told. `listen` empty: the site's, else loopback."""

    site: Path
    data: Path
    listen: tuple[str, ...] = ()
    lan: str = ""  # the private address to bind, '' without --lan
    node: str = "a"
    log_level: str = "info"
    log_json: bool = False
    http: str = ""  # where /metrics, /health and /ready are; '' nowhere
    legs_max: int = 1_024
    fresh: bool = False  # begin anew whatever the engine before left
    provision: str = ""  # where boxes and phones fetch their configuration; '' nowhere
    provision_cert: str = ""  # with TLS by this PEM file
    rtp_ports: tuple[int, int] = (limits.rtp_port_first, limits.rtp_port_last)  # of audio, first and last


def say(text: str) -> None:
    """For the person at the terminal: stderr, at once."""
    print(text, file=sys.stderr, flush=True)


def refused(reading: Reading) -> str:
    """The text that ends a start with a wrong site."""
    shown = "\n".join(render(finding) for finding in reading.errors()[:20])
    return f"{shown}\nthe site {reading.folder} is refused: {len(reading.errors())} error(s)"


def addresses(options: Options, site: Site) -> tuple[str, ...]:
    """What to listen on: --lan, then --listen, then the site's, then loopback."""
    if options.lan:
        return tuple(f"{transport}:{options.lan}:5060" for transport in ("udp", "tcp"))
    return options.listen or site.listen or DEFAULT_LISTEN


def bind(
    texts: tuple[str, ...], site: Site, before: list[Listening] | None = None, inherited: Inherited | None = None
) -> tuple[list[tuple[socket.socket, Listening]], list[str]]:
    """Open every listening socket before anything is told; flow ids count from 1. Second: warnings.

    `before`: where an engine that we go on for listened: port 0 means its port again, so that far ends find us.
    Sockets that it handed over are used as they are. Raises UsageError naming the first address that fails; the
    others are closed again.
    """
    found: list[tuple[socket.socket, Listening]] = []
    warnings: list[str] = []
    known = {each.flow: each for each in before or ()}
    try:
        for flow, text in enumerate(texts, 1):
            transport, host, port = net.parse_listen(text)
            earlier = known.get(flow)
            if earlier is not None and (earlier.transport, earlier.host) == (transport, host) and port == 0:
                port = earlier.port
            sock, warning = _listening_socket(transport, host, port, inherited.listening.pop(flow, -1)
                                              if inherited is not None else -1)
            if warning:
                warnings.append(warning)
            port = sock.getsockname()[1]
            told_host, told_port = advertise(site, host, port)
            found.append((sock, Listening(flow, transport, host, port, told_host, told_port, site.local_networks)))
    except UsageError:
        for sock, _ in found:
            sock.close()
        raise
    return found, warnings


def _listening_socket(transport: str, host: str, port: int, descriptor: int) -> tuple[socket.socket, str]:
    """The handed-over socket if it is bound to this very address, else a new one. Second: a warning."""
    if descriptor >= 0:
        sock = sock_of(descriptor)
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        if sock is not None and sock.type == kind and sock.getsockname()[:2] == (host, port):
            return sock, ""
        if sock is not None:
            sock.close()
    if transport != "udp":
        return net.open_tcp(host, port, transport), ""
    sock, granted = net.open_udp(host, port)
    return sock, net.buffer_warning(granted)


def advertise(site: Site, host: str, port: int) -> tuple[str, int]:
    """(host, port) told to far ends outside the local networks; `advertise: host:port` may name another port."""
    told, _ = net.advertised(host, site.advertise)
    name, _, number = told.rpartition(":")
    if name and number.isdigit() and ":" not in name:
        return name, int(number)
    return told, port


async def show_passwords(server: Server, made: list[Password]) -> Provisioner | None:
    """Passwords that were just made, once. With --lan agent 200 gets a new one: only a new one can be shown."""
    provisioner = None
    if server.options.lan:
        key = lan_agent(server.site)
        if key:
            made = [password for password in made if password.agent != key]
            password = server.secrets.rotate(server.site, key)
            server.secrets_changed()
            agent = server.site.agents[key]
            port = next((sock.port for sock in server.udp.values()), 5060)
            account = Account(server.options.lan, port, agent.number, password.password, password.realm, agent.name)
            provisioner = Provisioner(account)
            await provisioner.start(server.options.lan)
            say(welcome(account, provisioner.url))
    if made:
        say("passwords made for agents, PINs for boxes (shown once; `ringdown agent NUMBER password` and `ringdown "
            "voicemail BOX pin` make new ones):")
        say("\n".join(f"  {password.agent:24} {password.password}" for password in made))
    return provisioner


def lan_agent(site: Site) -> str:
    """Whose account --lan shows: agent 200, else the first one, else ''."""
    try:
        return resolve_agent(site, LAN_AGENT)
    except SiteError:
        return min(site.agents, default="")


def build_switch(tokens_key: bytes, *, boot: str, seed: int, node: str, rows_max: int = limits.legs_max) -> Any:
    """The real Switch (imported late: `ringdown calls` never pays for it)."""
    from engine.switch import Switch

    return Switch(tokens_key, boot=boot, seed=seed, rows_max=rows_max)


def build_plane(**settings: Any) -> Any:
    """The real media plane (imports numba)."""
    from engine.runtime.rtp_plane import RtpPlane

    return RtpPlane(**settings)


def warm() -> None:
    """Compile the kernels now, saying so when it takes long."""
    from engine.runtime.warming import Reporter
    from engine.runtime.warming import warm as work

    work(Reporter(say))
