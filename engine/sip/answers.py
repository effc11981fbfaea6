"""Responses without a transaction, and challenges (RFC 3261 §8.2.7, §22; RFC 8760).

A refusal that needs no memory is answered statelessly: the same request gets the same bytes again (its To tag is a
keyed hash), and a flood of them costs nothing that lasts.
"""

from __future__ import annotations

from hashlib import blake2b

from engine.sip import digest, writer
from engine.sip.core import Core
from engine.sip.events import Path
from engine.sip.message import Message
from engine.sip.transaction_layer import reply_path

Headers = tuple[tuple[str, str], ...]


def reply_now(
    core: Core, message: Message, path: Path, status: int, phrase: str = "", headers: Headers = (), tag: str = ""
) -> None:
    """Answer a request without a transaction; ACK is never answered."""
    if message.method == "ACK":
        return
    data = writer.response(
        message, status, phrase, tag or stateless_tag(core, message), (*headers, ("server", core.user_agent))
    )
    core.flows.send(reply_path(core, path, message), data)


def stateless_tag(core: Core, message: Message) -> str:
    """The same To tag for repeats of the same request (§8.2.7)."""
    text = f"{message.call_id}\n{message.via.branch}\n{message.index.get('from', '')}"
    return blake2b(text.encode("utf-8", "surrogateescape"), key=core.nonce_key, digest_size=8).hexdigest()


def challenge_headers(core: Core, realm: str, now_ms: int, *, stale: bool, proxy: bool = False) -> Headers:
    """One challenge per algorithm, with a fresh nonce."""
    name = "proxy-authenticate" if proxy else "www-authenticate"
    nonce = digest.make_nonce(core.nonce_key, now_ms)
    algorithms = core.algorithms.get(realm, digest.ALGORITHMS)
    return tuple((name, value) for value in digest.challenges(realm, nonce, stale=stale, algorithms=algorithms))
