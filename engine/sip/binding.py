"""Records of the registrar and of probes outside dialogs (RFC 3261 §10, §11)."""

from __future__ import annotations

import msgspec

from engine.sip.dialog import Dialog
from engine.sip.events import Path


class Binding(msgspec.Struct, array_like=True):
    """One contact of an address of record.

    `path` is where its REGISTER came from: the way back through the NAT, used instead of the Contact's address.
    `reachable` is the verdict of the latest OPTIONS (True until one fails). `instance` is +sip.instance or ''.
    """

    contact: str
    path: Path
    expires_at_ms: int
    user_agent: str
    reachable: bool
    instance: str
    id: int = 0
    call_id: str = ""
    cseq: int = 0
    q: str = ""
    round_trip_ms: int = -1
    answers: bool = False  # it has answered an OPTIONS before: only then does silence mean that it is gone
    mute: bool = False  # it has refused a MESSAGE since it began to register
    reg_id: int = 0  # which flow of its instance (RFC 5626); 0: it has no flows


class Registration(msgspec.Struct, array_like=True):
    """A REGISTER that waits for the verdict of the rooms above; its message is in transaction `transaction`."""

    id: int
    transaction: int


class Probe(msgspec.Struct, array_like=True):
    """An OPTIONS on its way outside dialogs. `binding` is the id of the contact probed, 0 for a trunk."""

    id: int
    token: str
    sent_ms: int
    transaction: int = 0
    binding: int = 0


class Refer(msgspec.Struct, array_like=True):
    """The implicit subscription that a REFER makes (RFC 3515 §2.4.4). `cseq` names it in Event: refer;id=."""

    id: int
    session: int
    cseq: int
    expires_at_ms: int
    status: int = 100
    phrase: str = "Trying"


class Subscription(msgspec.Struct):
    """Somebody who is told of messages (RFC 3842) or dialogs (RFC 4235). `owner` is the rooms' name for what he is told
    of, `event` the header as he wrote it, `body` what he is to know."""

    id: int
    owner: str
    dialog: Dialog
    contact: str
    event: str
    expires_at_ms: int
    body: bytes
    asking: int = 0  # the transaction of a NOTIFY that isn't answered yet
    again: bool = False  # something has changed meanwhile
    package: str = "message-summary"
    watcher: str = ""  # the rooms' name for who has subscribed, '' the owner himself
    host: str = ""  # the host by which he has named it
    version: int = 0  # of the next dialog-info
    told_ms: int = 0  # the latest NOTIFY
