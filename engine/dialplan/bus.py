"""Where the engine meets other programs: an MQTT broker, as a site names it."""

from __future__ import annotations

import msgspec


class BusModel(msgspec.Struct, frozen=True):
    """`topic` begins every topic of ours. `secret`: name under which the password lies in the data folder. `agents`:
    they are told and may command over it (MQTT 5); whose program is lost for `grace_ms` is paused."""

    host: str
    port: int = 1883
    topic: str = "ringdown"
    user: str = ""
    secret: str = ""
    tls: bool = False
    agents: bool = False
    grace_ms: int = 15_000
