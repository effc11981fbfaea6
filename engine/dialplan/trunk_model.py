"""How a trunk is found, watched and registered with, and in which order the trunks of a rule are tried."""

from __future__ import annotations

import msgspec


class EnrolModel(msgspec.Struct, frozen=True):
    """We register with the carrier (RFC 3261 §10): `user`@`domain` at `registrar`, for calls to the contact `contact`.

    `port` 0: the registrar is found by its name (RFC 3263), else by the trunk's own way.
    """

    registrar: str
    domain: str
    user: str
    contact: str
    expires_s: int
    port: int = 0


class ProbeModel(msgspec.Struct, frozen=True):
    """OPTIONS to the trunk. One that has died is known `within_ms`: after `bad` probes without an answer (or with 503).
    It carries calls again after `good` answers in a row."""

    within_ms: int
    bad: int = 2
    good: int = 3


class Route(msgspec.Struct, frozen=True):
    """One trunk of an outbound rule: lower `priority` first; those of the same share the calls by `weight`."""

    trunk: str
    priority: int = 1
    weight: int = 1


class OfficeModel(msgspec.Struct, frozen=True):
    """One place. `number`: from 1, in the order of the file; `latency_ms`: there and back; `cost`: in units that the
    site chooses, smaller is cheaper; `codecs`: of its phones and trunks, (): the site's."""

    name: str
    number: int
    latency_ms: int = 0
    cost: int = 0
    codecs: tuple[str, ...] = ()
