"""The console's end of the operators' socket: one question a connection, and the event stream while it is watched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from engine import limits
from engine.errors import RingdownError

SOCKET_NAME = "ringdown.sock"
answer_s_max = 6.0
connect_s_max = 2.0
page_rows = 250  # of one answer: the engine's loop is held for a millisecond at most


class Gone(RingdownError):
    """No engine answers on this data folder's socket (any more)."""


class Refused(RingdownError):
    """The engine said no, in one sentence."""


class Link:
    """Asks the engine of one data folder. Nothing is kept open between questions, so a new engine is simply found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def ask(self, verb: str, **arguments: str) -> Any:
        """The answer's data. Raises Gone or Refused."""
        reader, writer = await self._connect(verb, arguments)
        try:
            line = await asyncio.wait_for(reader.readline(), answer_s_max)
        except (OSError, TimeoutError, ValueError) as error:
            raise Gone(f"the engine doesn't answer: {error or 'time is over'}") from error
        finally:
            writer.close()
        return _data(line)

    async def all_calls(self) -> list[dict[str, Any]]:
        """Every living call, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self.ask("calls", offset=str(len(found)), limit=str(page_rows))
            found += page
            if len(page) < page_rows:
                return found

    async def ladder(self, call: str, *, raw: bool = False) -> list[dict[str, Any]]:
        """The kept SIP of a call. Raises Gone or Refused."""
        found: list[dict[str, Any]] = []
        more = {"raw": "yes"} if raw else {}
        while True:
            part = await self.ask("ladder", call=call, **more)
            found += part["hops"]
            if not part.get("next"):
                return found
            more["after"] = str(part["next"])

    async def tail(self) -> AsyncIterator[dict[str, Any]]:
        """Events as they happen, until the engine ends the stream. Raises Gone or Refused."""
        reader, writer = await self._connect("tail", {"sip": "no"})
        try:
            _data(await asyncio.wait_for(reader.readline(), answer_s_max))
            while line := await reader.readline():
                yield json.loads(line)
        except (OSError, TimeoutError, ValueError) as error:
            raise Gone(f"the event stream ended: {error}") from error
        finally:
            writer.close()
        raise Gone("the event stream ended")

    async def _connect(self, verb: str, arguments: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        path = self.folder / SOCKET_NAME
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_unix_connection(str(path), limit=limits.operator_reply_bytes_max), connect_s_max
            )
        except PermissionError as error:
            raise Gone(f"{path} belongs to another user") from error
        except (OSError, TimeoutError) as error:
            raise Gone(f"no engine runs with the data folder {self.folder}") from error
        writer.write(json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n")
        return reader, writer


def _data(line: bytes) -> Any:
    if not line:
        raise Gone("the engine closed the connection without an answer")
    answer = json.loads(line)
    if not answer["ok"]:
        raise Refused(answer.get("error") or "refused")
    return answer["data"]
