"""Hosts, networks and listening addresses as they are written in a site's files."""

from __future__ import annotations

import ipaddress
import re

from engine import marks
from engine.dialplan.findings import Report

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


def matches(report: Report, node: marks.Scalar, pattern: re.Pattern[str], what: str) -> bool:
    if pattern.fullmatch(node.text) is None or len(node.text) > 64:
        report.add("RD024", node, f"{node.text!r} is not {what}")
        return False
    return True


def host(report: Report, node: marks.Scalar, what: str) -> bool:
    if _HOST.fullmatch(node.text) is not None and not re.fullmatch(r"[0-9.]+", node.text):
        return True
    try:
        ipaddress.ip_address(node.text)
    except ValueError:
        report.add("RD086", node, f"{what}: {node.text!r} is neither a host name nor an address")
        return False
    return True


def network(report: Report, node: marks.Scalar) -> bool:
    host, _, port = node.text.rpartition(":")
    with_port = port.isascii() and port.isdigit() and 0 < int(port) < 65_536 and "/" not in node.text
    text = host.strip("[]") if with_port and (":" not in host or host.startswith("[")) else node.text
    try:
        ipaddress.ip_network(text)
    except ValueError:
        if re.search(r"[A-Za-z]", node.text) and "/" not in node.text and _HOST.fullmatch(node.text):
            return True
        message = f"{node.text!r} is not an address or a network"
        report.add("RD086", node, message, "as in 192.0.2.10 or 192.0.2.0/24 (its host bits are 0)")
        return False
    return True


def listen(report: Report, node: marks.Scalar) -> bool:
    transport, _, rest = node.text.partition(":")
    host, _, port = rest.rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
        fine = transport in ("udp", "tcp", "tls") and port.isascii() and port.isdigit() and 0 < int(port) < 65_536
    except ValueError:
        fine = False
    if not fine:
        report.add("RD086", node, f"{node.text!r} is not an address to listen on", "as in udp:127.0.0.1:5060")
    return fine
