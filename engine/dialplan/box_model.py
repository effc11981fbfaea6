"""Boxes for messages, and prompts that are recorded by phone, as an admin wrote them."""

from __future__ import annotations

import msgspec


class BoxModel(msgspec.Struct, frozen=True):
    """A box of a queue or of a person; its full name is `tenant`/`name`. Times in ms.

    `hearers`: keys of the agents whose phones show it and who may open it by phone. `number`: what they dial behind the
    code; '' where only an agent's own code opens it. `greeting`: language -> clips.
    """

    tenant: str
    name: str
    queue: str = ""  # full name
    agent: str = ""  # key of the person
    number: str = ""
    greeting: dict[str, tuple[str, ...]] = {}
    longest_ms: int = 180_000
    shortest_ms: int = 2_000  # what is shorter is dropped
    messages_max: int = 100
    hearers: tuple[str, ...] = ()
    mail: tuple[str, ...] = ()
    callback: bool = False  # each message becomes an entry of the queue
    unheard_ms: int = 0  # a message that nobody has heard by then is warned of; 0: never
    keep_days: int = 0  # 0: as `retention: voicemail` says
    pin: bool = True  # whoever opens it by phone is asked for its PIN


class MailModel(msgspec.Struct, frozen=True):
    """The server that mail is handed to. `security`: starttls | tls | none; `secret` names the password."""

    host: str
    port: int
    sender: str
    user: str = ""
    secret: str = "mail"
    security: str = "starttls"
