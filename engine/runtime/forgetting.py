"""The running engine's part in erasing a caller: let go of him in memory, and begin a journal that never knew him.

The command erases files and rows itself (`runtime.erasing`); it asks here first. Refused, with nothing erased, while a
call of his is up, while records wait in memory, or when the engine's state still names him for longer than the last
timers of a dialog can explain.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import RingdownError
from engine.records import numbers

if TYPE_CHECKING:
    from engine.runtime.server import Server

spool_s_max = 5.0
state_s_max = 60.0  # dialogs and transactions are remembered for 32 s after their end (RFC 3261 timers B, F, H, J)
again_s = 2.0


class NotYet(RingdownError):
    """Why he can't be erased now, and what to do."""


async def prepare(server: Server, author: str, number: str, country: str) -> dict[str, Any]:
    """Forget him in memory and rotate the journal; {"journal": the file just begun, "signalling": messages dropped}.

    Raises NotYet; TimeoutError when the Switch doesn't answer.
    """
    whole = numbers.whole(number, country)
    if whole.search(msgspec.msgpack.encode(server.site)):
        raise NotYet("the site itself names that number (a trunk, a dialplan, an agent): take it out there first")
    await _no_call(server, author, number, country)
    await _written(server)
    server.storage.forget(lambda text: numbers.names(text, number, country))
    server.elsewhere.lookups.forget()
    await server.ask(author, "let_go", {"number": number, "country": country})
    await _state_free(server, whole)
    signalling = 0
    for dropped in server.ladder.forget(whole):
        signalling = dropped
        await asyncio.sleep(0)  # calls go on between the steps
    await server.rotate_journal()
    if server.journal.failed:
        raise NotYet(f"the journal can't be begun anew: {server.journal.failed}")
    return {"journal": str(server.journal.path), "signalling": signalling}


async def _no_call(server: Server, author: str, number: str, country: str) -> None:
    reply = await server.ask(author, "calls", {})
    for row in msgspec.json.decode(reply.data) if reply.ok else ():
        parties = (str(row.get(name) or "") for name in ("caller", "dialled", "with"))
        if any(numbers.names(party, number, country) for party in parties):
            name = row["call"]
            raise NotYet(f"a call of that number is up ({name}): wait for its end, or `ringdown call {name} hangup`")


async def _written(server: Server) -> None:
    """Everything about him that is known is in the store."""
    server.storage.flush()
    for _ in range(int(spool_s_max / 0.05)):
        if not server.storage.spooled:
            return
        await asyncio.sleep(0.05)
    raise NotYet(f"records wait in memory ({server.storage.detail or server.storage.state}): cure that first")


async def _state_free(server: Server, whole: re.Pattern[bytes]) -> None:
    """The state that the next journal will begin with doesn't hold him."""
    for _ in range(int(state_s_max / again_s) + 1):
        if not whole.search(server.switch.encode()):
            return
        await asyncio.sleep(again_s)
    raise NotYet(
        "the engine's state still names that number (a registration, a dialog, a callback: `ringdown callbacks`): "
        "try again in a minute"
    )
