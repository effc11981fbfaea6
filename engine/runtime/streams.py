"""Bots for callers: what the Switch wishes of streams, carried out over WebSocket by one client for the engine.

TLS is verified by the system's certificates (or those of SSL_CERT_FILE), no redirect is followed, no cookie kept, no
proxy taken from the environment. The secret comes from where those of lookups lie; a stream without one is refused.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from engine import __version__, limits
from engine.call.stream_wall import StreamDone, StreamHushed, StreamPressed, StreamUnwanted, StreamWanted
from engine.errors import SiteError
from engine.runtime.lookups import _load, reason_of
from engine.runtime.stream_line import Line, Mouth, Samples
from engine.runtime.stream_messages import BotProblem, signature

if TYPE_CHECKING:
    import aiohttp

    from engine.dialplan.model import Site
    from engine.runtime.log import Log

TICK_S = 0.02
MESSAGE_MS_MAX = limits.stream_message_bytes_max * 3 // 4 // 8  # of sound in one message


class Sound(Protocol):
    """The ears and mouths of the media plane, as this needs them (`runtime.stream_sound`)."""

    def listen(self, row: int, generation: int) -> int:
        """An ear on a leg; -1 when none is free."""

    def deafen(self, ear: int) -> None:
        """Listen no longer."""

    def speak(self, row: int, generation: int, waiting_ms_max: int) -> Mouth | None:
        """A mouth on a leg; None when none is free."""

    def busy(self) -> bool:
        """Is there an ear whose last frames have not been taken yet?"""

    def heard(self) -> Iterator[tuple[int, Samples, Samples]]:
        """(ear, what was said, what was being sent) of every frame since the last call."""


class Streams:
    """`want` a stream; `deliver` gets its StreamDone, from the loop and never from within `want`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[StreamDone], None], secret: Callable[[str], str],
        sound: Callable[[], Sound], log: Log,
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._secret = secret
        self._sound_of = sound
        self._sound: Sound | None = None
        self._log = log
        self._session: aiohttp.ClientSession | None = None
        self._opening: asyncio.Task[aiohttp.ClientSession] | None = None
        self._lines: dict[tuple[int, int], Line] = {}
        self._tasks: dict[asyncio.Task[None], tuple[int, int]] = {}
        self._ears: dict[int, Line] = {}
        self._tick: asyncio.TimerHandle | None = None

    def prepare(self, site: Site, known: Callable[[str], str]) -> None:
        """Make ready for a site's bots: a client, and a warning for each secret that is missing."""
        wanted = dict.fromkeys(
            str(step.data["secret"]) for program in site.programs.values() for flow in program.flows.values()
            for step in flow if step.verb == "stream"
        )  # fmt: skip
        for name in wanted:
            try:
                missing = not known(name)
            except SiteError as error:
                self._log.warning(str(error))
                break
            if missing:
                self._log.warning(
                    f"the secret {name} of a bot is missing: its streams will fail; put it there by "
                    f"`ringdown secret set {name}`, or into RINGDOWN_LOOKUP_{name.upper().replace('-', '_')}"
                )
        if wanted:
            self._open()

    # --- the client ---------------------------------------------------------------------------------------------
    def _open(self) -> asyncio.Task[aiohttp.ClientSession]:
        if self._opening is None:
            self._opening = self._loop.create_task(self._client())
        return self._opening

    async def _client(self) -> aiohttp.ClientSession:
        http, trust = await self._loop.run_in_executor(None, _load)
        trace = http.TraceConfig()
        trace.on_request_redirect.append(_no_redirect)
        self._session = http.ClientSession(
            connector=http.TCPConnector(limit=0, ttl_dns_cache=60, ssl=trust), cookie_jar=http.DummyCookieJar(),
            trust_env=False, timeout=http.ClientTimeout(total=None), trace_configs=[trace],
            headers={"User-Agent": f"ringdown/{__version__}"},
        )  # fmt: skip
        return self._session

    async def _connect(self, wanted: StreamWanted) -> aiohttp.ClientWebSocketResponse:
        """The handshake (RFC 6455 §4.1). Raises BotProblem, and what the client raises."""
        http: Any = importlib.import_module("aiohttp")
        yarl: Any = importlib.import_module("yarl")
        headers = self._shown(wanted)
        session = await asyncio.shield(self._open())
        line: aiohttp.ClientWebSocketResponse = await session.ws_connect(
            yarl.URL(wanted.url, encoded=True), headers=headers, max_msg_size=limits.stream_message_bytes_max,
            heartbeat=limits.stream_stall_ms_max / 1_500, compress=0, timeout=http.ClientWSTimeout(ws_close=1),
        )  # fmt: skip
        return line

    def _shown(self, wanted: StreamWanted) -> dict[str, str]:
        try:
            secret = self._secret(wanted.secret)
        except SiteError as error:
            raise BotProblem(f"the secret {wanted.secret} can't be read") from error
        if not secret:
            raise BotProblem(f"the secret {wanted.secret} is missing")
        if not (secret.isascii() and secret.isprintable()):
            raise BotProblem(f"the secret {wanted.secret} holds what no header can")
        if wanted.auth == "signature":
            return {"X-Twilio-Signature": signature(secret, wanted.url)}
        return {"Authorization": f"Bearer {secret}"}

    # --- what the Switch wishes -----------------------------------------------------------------------------------
    def want(self, wanted: StreamWanted) -> None:
        """Connect the leg with the bot."""
        sound = self._sound = self._sound or self._sound_of()
        mouth = None
        ear = sound.listen(wanted.row, wanted.generation)
        if ear >= 0 and not wanted.tracks:
            mouth = sound.speak(wanted.row, wanted.generation, limits.stream_ahead_ms_max + MESSAGE_MS_MAX)
        key = (wanted.call, wanted.ticket)
        if ear < 0 or (mouth is None and not wanted.tracks):
            if ear >= 0:
                sound.deafen(ear)
            done = StreamDone(*key, "failed", "as many calls are listened to as can be")
            self._loop.call_soon(self._deliver, done)
            return
        line = Line(wanted, f"MZ{secrets.token_hex(16)}", mouth, self._connect)
        self._lines[key] = self._ears[ear] = line
        task = self._loop.create_task(self._run(line, ear))
        self._tasks[task] = key
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        if self._tick is None:
            self._tick = self._loop.call_later(TICK_S, self._step)

    async def _run(self, line: Line, ear: int) -> None:
        key = (line.wanted.call, line.wanted.ticket)
        try:
            done = await line.run()
        except Exception as error:  # a fault of ours: the caller goes on by `failed` all the same
            self._log.error(f"fault in a stream: {reason_of(error)}", "stream")
            done = StreamDone(*key, "failed", "a fault of the engine")
        except asyncio.CancelledError:
            self._end(key, ear)
            await line.part()
            raise
        self._end(key, ear)
        self._deliver(done)
        await line.part()

    def _end(self, key: tuple[int, int], ear: int) -> None:
        self._lines.pop(key, None)
        if self._ears.pop(ear, None) is not None and self._sound is not None:
            self._sound.deafen(ear)

    def unwanted(self, wish: StreamUnwanted) -> None:
        """The bot is heard no longer, from this moment; then it is told."""
        line = self._lines.pop((wish.call, wish.ticket), None)
        if line is None:
            return
        line.hang_up()
        for ear, other in list(self._ears.items()):
            if other is line:
                self._end((wish.call, wish.ticket), ear)
        for task, key in list(self._tasks.items()):
            if key == (wish.call, wish.ticket):
                task.cancel()

    def pressed(self, wish: StreamPressed) -> None:
        line = self._lines.get((wish.call, wish.ticket))
        if line is not None:
            line.press(wish.digit)

    def hushed(self, wish: StreamHushed) -> None:
        line = self._lines.get((wish.call, wish.ticket))
        if line is not None:
            line.hushed = wish.hushed

    # --- time -------------------------------------------------------------------------------------------------------
    def _step(self) -> None:
        """Every 20 ms while there are streams: frames to the lines, what was heard to the bots."""
        sound = self._sound
        if sound is None:
            return
        for ear, said, sent in sound.heard():
            line = self._ears.get(ear)
            if line is not None:
                line.hear(said, sent)
        now_s = self._loop.time()
        for line in list(self._lines.values()):
            line.step(now_s)
        self._tick = self._loop.call_later(TICK_S, self._step) if self._lines or sound.busy() else None

    async def close(self) -> None:
        """Every bot is told; nobody else is any more."""
        self._lines.clear()
        if self._tick is not None:
            self._tick.cancel()
        tasks: list[asyncio.Task[Any]] = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


async def _no_redirect(*about: object) -> None:
    raise BotProblem("redirects are not followed")
