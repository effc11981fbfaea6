"""Whose certificate is it? The name that we meant to reach, found in what the far end shows (RFC 5922 §7, RFC 6125)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from engine.errors import ProtocolError
from engine.sip.uri import parse_uri

Certificate = Mapping[str, Any]  # as Python's `SSLSocket.getpeercert` tells it


def names(certificate: Certificate) -> tuple[list[str], list[str]]:
    """(host names, addresses) that a certificate is for, in small letters. Its subject counts for nothing (§7.1).

    A sip: URI with a user part is a person, not a server. Where there are SIP URIs the DNS names don't count.
    """
    uris, hosts, addresses = [], [], []
    for kind, value in certificate.get("subjectAltName", ()):
        if kind == "URI" and str(value).lower().startswith("sip:"):
            try:
                uri = parse_uri(str(value))
            except ProtocolError:
                continue
            if not uri.user:
                uris.append(uri.host.lower())
        elif kind == "DNS":
            hosts.append(str(value).lower().rstrip("."))
        elif kind == "IP Address":
            addresses.append(str(value))
    return uris or hosts, addresses


def certified(certificate: Certificate, name: str) -> bool:
    """Is it a certificate for `name`, a host name or an address?

    `*.example.net` is for every name with one more label. RFC 5922 §7.2 forbids that, but large carriers have such
    certificates, and browsers' rules (RFC 6125 §6.4.3) have shown that it does no harm.
    """
    hosts, addresses = names(certificate)
    try:
        wanted = ip_address(name.strip("[]"))
    except ValueError:
        host = name.lower().rstrip(".")
        return any(_alike(each, host) for each in hosts)
    return any(_address(each) == wanted for each in addresses) or str(wanted) in hosts


def _alike(pattern: str, host: str) -> bool:
    if not pattern.startswith("*."):
        return pattern == host and "*" not in pattern
    label, _, rest = host.partition(".")
    return bool(label) and rest == pattern[2:] and "." in rest and "*" not in host


def _address(text: str) -> object:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None
