"""Sockets and addresses: how listening sockets are made, which addresses are ours, which are private."""

from __future__ import annotations

import ipaddress
import resource
import socket
import struct
from contextlib import suppress
from pathlib import Path

from engine import limits
from engine.errors import UsageError

receive_buffer_bytes = 4 * 1024 * 1024
send_buffer_bytes = 1024 * 1024
FILES_MIN = 4_096
RTP_PORTS_MIN = 64
# the upper six bits of IPv4's TOS and IPv6's traffic class (RFC 2474): routers that honour them send these first
SIGNALLING_TOS = 24 << 2  # CS3, as phones and gateways mark SIP
AUDIO_TOS = 46 << 2  # EF, expedited forwarding (RFC 3246)


def parse_listen(text: str) -> tuple[str, str, int]:
    """`udp:127.0.0.1:5060`, `tcp:[::1]:5060` or `tls:192.0.2.1:5061` -> (transport, host, port).

    Raises UsageError with an example when the text has another shape.
    """
    transport, _, rest = text.partition(":")
    host, _, port_text = rest.rpartition(":")
    host = host.strip("[]")
    if transport not in ("udp", "tcp", "tls") or not host or not port_text.isdigit() or int(port_text) > 65_535:
        raise UsageError(f"can't read address {text!r}: write it like udp:127.0.0.1:5060 or tcp:0.0.0.0:5060")
    if not is_numeric(host):
        raise UsageError(f"{host!r} is no IP address: a listening address is numeric, like udp:192.168.1.10:5060")
    return transport, host, int(port_text)


def parse_rtp_ports(text: str) -> tuple[int, int]:
    """`20000-20998` -> (20000, 20998), the RTP ports of one engine; '' the default range.

    Raises UsageError when the text has another shape, or the range is no place for audio.
    """
    if not text:
        return limits.rtp_port_first, limits.rtp_port_last
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(text) <= 11):
        raise UsageError(f"can't read the ports {text!r}: write them like 20000-20998")
    low, high = int(first) + int(first) % 2, int(last)  # audio has the even ports (RFC 3550 §11)
    if low < 1_024 or high > 65_535 or high - low < RTP_PORTS_MIN:
        raise UsageError(f"--rtp-ports {text}: from 1024 to 65535, and at least {RTP_PORTS_MIN} of them, two a leg")
    return low, high


def is_numeric(host: str) -> bool:
    """True when `host` is a literal IPv4 or IPv6 address: nothing that would need a resolver."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def family(host: str) -> socket.AddressFamily:
    """The address family of a literal address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def show(host: str, port: int) -> str:
    """host:port, with brackets round IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def mark(sock: socket.socket, tos: int) -> None:
    """Mark what the socket sends (DSCP). A kernel that won't is no reason to do without the socket."""
    with suppress(OSError):
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)


def open_udp(host: str, port: int) -> tuple[socket.socket, int]:
    """A bound, non-blocking UDP socket and the receive buffer that the kernel granted, in bytes.

    Raises UsageError when the address is taken or not ours.
    """
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
        mark(sock, SIGNALLING_TOS)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise UsageError(_bind_failed("udp", host, port, error)) from error
    # The kernel doubles what it was asked for (socket(7)); half of it is what we compare.
    return sock, sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def open_tcp(host: str, port: int, transport: str = "tcp") -> socket.socket:
    """A bound TCP socket for listening, for TLS too. Raises UsageError when the address is taken or not ours."""
    sock = socket.socket(family(host), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mark(sock, SIGNALLING_TOS)  # the connections that are accepted inherit it
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise UsageError(_bind_failed(transport, host, port, error)) from error
    return sock


def _bind_failed(transport: str, host: str, port: int, error: OSError) -> str:
    where = f"{transport}:{show(host, port)}"
    if error.errno == 98:
        return f"{where} is in use: stop the other program (ss -lnp | grep {port}) or choose another port (--listen)"
    if error.errno == 99:
        return f"{where}: this machine has no address {host}"
    return f"can't listen on {where}: {error.strerror}"


def buffer_warning(granted: int) -> str:
    """What to say when the kernel capped the receive buffer; '' when it didn't."""
    if granted >= receive_buffer_bytes:
        return ""
    return (
        f"UDP receive buffer is {granted // 1024} KiB instead of {receive_buffer_bytes // 1024}: bursts may be lost; "
        f"sysctl -w net.core.rmem_max={receive_buffer_bytes}"
    )


def raise_file_limit() -> tuple[int, int]:
    """Raise the soft limit of open files to the hard one; returns (soft, hard) as they stand then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def own_addresses() -> list[tuple[str, str]]:
    """(interface, IPv4 address) of this machine that are up, without loopback. Linux (ioctl SIOCGIFADDR)."""
    import fcntl

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(sock.fileno(), 0x8915, request)
            except OSError:
                continue  # an interface without an IPv4 address
            address = socket.inet_ntoa(answer[20:24])
            if not address.startswith("127."):
                found.append((name, address))
    return found


_HOST_BRIDGES = ("docker", "br-", "veth", "virbr", "lxc", "cni", "flannel", "podman")


def private_addresses() -> list[tuple[str, str]]:
    """Own addresses in private networks (RFC 1918, RFC 6598) that a phone on the LAN could reach."""
    shared = ipaddress.ip_network("100.64.0.0/10")
    found = []
    for name, text in own_addresses():
        address = ipaddress.ip_address(text)
        if (address.is_private or address in shared) and not name.startswith(_HOST_BRIDGES):
            found.append((name, text))
    return found


def advertised(host: str, advertise: str) -> tuple[str, str]:
    """(host that far ends outside the local networks are told, why). `advertise` is the site's, '' when unset."""
    if advertise:
        return advertise, "site.yaml says advertise"
    if host not in ("0.0.0.0", "::"):
        return host, "the listening address itself"
    route = default_source(host)
    if route:
        return route, "listening on every address: the one with the default route"
    return "127.0.0.1", "listening on every address and no route: loopback"


def default_source(host: str) -> str:
    """The source address this machine would use towards the Internet; '' without a route. Sends nothing."""
    target = ("2001:db8::1", 9) if ":" in host else ("192.0.2.1", 9)
    with socket.socket(family(target[0]), socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(target)
        except OSError:
            return ""
        return str(sock.getsockname()[0])


def ephemeral_range() -> tuple[int, int]:
    """The kernel's range for outgoing ports, which RTP ports must not overlap (DESIGN §2)."""
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return 32_768, 60_999
    return int(low), int(high)
