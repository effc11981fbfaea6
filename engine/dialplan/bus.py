"""Where the engine meets other programs: an MQTT broker, as a site names it."""

from __future__ import annotations

import msgspec


class BusModel(msgspec.Struct, frozen=True):
    """`topic` begins every topic of ours. `secret`: name under which the password lies in the data folder."""

    host: str
    port: int = 1883
    topic: str = "ringdown"
    user: str = ""
    secret: str = ""
    tls: bool = False
