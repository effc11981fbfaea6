"""Who may talk to us at all, as data: address lists of a listener, a tenant and the whole site."""

from __future__ import annotations

import msgspec


class AccessModel(msgspec.Struct, frozen=True):
    """Networks (an address or a CIDR, v4 or v6). The longest that holds an address decides, `deny` where both are as
    long. With an `allow` list whoever is in none of its networks is out."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class GateModel(msgspec.Struct, frozen=True):
    """`listeners`: "udp:192.0.2.1:5060" -> its own list, beside the site's. `trusted` networks, the addresses of trunks
    and static contacts are never counted against or blocked."""

    access: AccessModel = AccessModel()
    listeners: dict[str, AccessModel] = {}
    trusted: tuple[str, ...] = ()
    scanners: tuple[str, ...] = ()  # words in a User-Agent that betray one, beside the known ones
    answer_scanners: bool = False
    per_second: int = 0  # messages of one source, 0: the engine's own limit
