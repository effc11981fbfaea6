"""What the call room tells the runtime's gate of the sources that it has judged."""

from __future__ import annotations

import msgspec


class Judged(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """What became of a message from host:port.

    `verdict`: good (its password was right) | taken (its call, by a public number) | asked (for one) | bad (a wrong
    one) | unknown (a number that nobody has) | broken (not to be read); `name` is the account or number that it meant.
    """

    host: str
    port: int
    verdict: str
    name: str = ""
