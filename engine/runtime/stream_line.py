"""One bot's connection, from the handshake to the last word.

The caller's frames wait in a short queue that drops its oldest when the bot doesn't take them; what the bot says goes
into the mouth of the caller's leg, and a bot that is far ahead, or floods, is not read: the network makes it wait.
Whatever the far end does, the line ends within its times and says how.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from engine import limits
from engine.call.stream_wall import StreamDone, StreamWanted
from engine.media import g711
from engine.runtime.lookups import reason_of
from engine.runtime.stream_messages import Audio, BotProblem, Clear, Done, Mark, Said, Teller, read

if TYPE_CHECKING:
    import aiohttp

Samples = npt.NDArray[np.int16]
CLOSED_WELL = (1000, 1001)  # RFC 6455 §7.4.1
FRAME_MS = 20
SILENCE = bytes([g711.SILENCE[g711.MU_LAW]]) * 160
POLL_S = 0.02
words_waiting_max = 4_000  # keys and marks that it hasn't taken: one `clear` gives back a thousand at most
MESSAGE_COST_BYTES = 1_000  # of a message, that count as one more
_FAIR = 16  # messages that are read at a stretch
_TO_SAMPLES = g711.decode_tables()[g711.MU_LAW]
_TO_OCTETS = g711.encode_tables()[g711.MU_LAW]


class Mouth(Protocol):
    """As `runtime.mouths.Mouth`."""

    @property
    def waiting_ms(self) -> int: ...
    def push(self, samples: Samples, /) -> int: ...
    def mark(self, name: str, /) -> None: ...
    def clear(self) -> list[str]: ...
    def step(self) -> list[str]: ...
    def close(self) -> None: ...


Connect = Callable[[StreamWanted], Awaitable["aiohttp.ClientWebSocketResponse"]]


class Line:
    """`run` it; meanwhile `hear` frames of the caller, `press` his keys, `step` every 20 ms or so.

    `mouth` None: the bot only listens.
    """

    def __init__(self, wanted: StreamWanted, sid: str, mouth: Mouth | None, connect: Connect) -> None:
        self.wanted = wanted
        self.hushed = wanted.hushed
        self._mouth = mouth
        self._connect = connect
        self._teller = Teller(sid, wanted.name, wanted.tenant, wanted.tracks)
        self._words: deque[str] = deque()
        frames = limits.stream_behind_ms_max // FRAME_MS
        self._frames: deque[tuple[int, bytes, bytes]] = deque(maxlen=frames)  # (ms, said, sent)
        self._more = asyncio.Event()
        self._up = False
        self._since = 0.0  # the writer waits for the bot to take something
        self._stalled: asyncio.Future[None] | None = None
        self._told: Done | None = None
        self._line: aiohttp.ClientWebSocketResponse | None = None
        self._heard = self._sent = self._dropped = self._number = 0

    # --- the call's side ------------------------------------------------------------------------------------
    def hear(self, said: Samples, sent: Samples) -> None:
        """20 ms of the caller, and what he was being sent (int16[160] each)."""
        at_ms = self._number * FRAME_MS
        self._number += 1
        if not self._up:
            return  # nobody listens yet
        if len(self._frames) == self._frames.maxlen:
            self._dropped += 1
        both = self.wanted.tracks == "both" and not self.hushed
        self._frames.append((at_ms, SILENCE if self.hushed else octets(said), octets(sent) if both else SILENCE))
        self._more.set()

    def press(self, digit: str) -> None:
        self._say(self._teller.dtmf(digit))

    def step(self, now_s: float) -> None:
        """What has been heard by now is told; a bot that takes nothing is given up."""
        if self._mouth is not None:
            for name in self._mouth.step():
                self._say(self._teller.mark(name))
        stall_s = limits.stream_stall_ms_max / 1_000
        if self._since and now_s - self._since > stall_s:
            self._give_up(f"it took nothing for {stall_s:.0f} s")

    def hang_up(self) -> None:
        """Whatever it says from now on isn't heard."""
        if self._mouth is not None:
            self._mouth.close()

    def _say(self, text: str) -> None:
        if not self._up:
            return
        if len(self._words) >= words_waiting_max:
            self._give_up("it asks for more than it takes")
            return
        self._words.append(text)
        self._more.set()

    def _give_up(self, why: str) -> None:
        if self._stalled is not None and not self._stalled.done():
            self._stalled.set_exception(BotProblem(why))

    # --- the bot's side ---------------------------------------------------------------------------------------
    async def run(self) -> StreamDone:
        """Connect, talk, end, and how; `part` follows in any case."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        wanted = self.wanted
        result, reason = "failed", ""
        try:
            async with asyncio.timeout(wanted.connect_ms / 1_000):
                self._line = line = await self._connect(wanted)
            limit = asyncio.timeout(wanted.ms_max / 1_000)
            try:
                async with limit:
                    await self._talk(line)
                result = "done"
            except TimeoutError:
                if not limit.expired():
                    raise
                result, reason = "timeout", f"it was not done within {wanted.ms_max // 1_000} s"
        except TimeoutError:
            reason = f"not connected within {wanted.connect_ms} ms"
        except BotProblem as problem:
            reason = str(problem)
        except Exception as error:
            refused = type(error).__name__ == "WSServerHandshakeError"
            reason = f"status {getattr(error, 'status', 0)}" if refused else reason_of(error)
        finally:
            self._up = False
            self.hang_up()
        told = self._told or Done({}, "")
        ms = round((loop.time() - began) * 1_000)
        return StreamDone(
            wanted.call, wanted.ticket, result, reason, told.values, told.next, ms, self._sent, self._heard,
            self._dropped,
        )  # fmt: skip

    async def _talk(self, line: aiohttp.ClientWebSocketResponse) -> None:
        """Until the bot is done and heard out. Raises BotProblem."""
        await line.send_str(self._teller.connected())
        await line.send_str(self._teller.start(self.wanted.send))
        self._number, self._up = 0, True
        self._stalled = asyncio.get_running_loop().create_future()
        tasks = [asyncio.ensure_future(self._read(line)), asyncio.ensure_future(self._write(line))]
        try:
            reader, writer = tasks
            await asyncio.wait([reader, writer, self._stalled], return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and not reader.done():  # the connection is closed: the reader knows how
                await asyncio.wait([reader], timeout=1)
            ended = reader if reader.done() else self._stalled if self._stalled.done() else writer
            ended.result()
            await self._heard_out()
        finally:
            for task in tasks:
                task.cancel()
            self._stalled.cancel()
            await asyncio.gather(*tasks, self._stalled, return_exceptions=True)

    async def _write(self, line: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        tell, both = self._teller.media, self.wanted.tracks == "both"
        while True:
            await self._more.wait()
            self._more.clear()
            while self._words or self._frames:
                self._since = loop.time()
                if self._words:
                    await line.send_str(self._words.popleft())
                    continue
                at_ms, said, sent = self._frames.popleft()
                await line.send_str(tell("inbound", said, at_ms))
                if both:
                    await line.send_str(tell("outbound", sent, at_ms))
                self._sent += 1
            self._since = 0.0

    async def _read(self, line: aiohttp.ClientWebSocketResponse) -> None:
        """Until the bot is done. Raises BotProblem for any other end."""
        loop = asyncio.get_running_loop()
        began, cost, count = loop.time(), 0, 0
        while True:
            message = await line.receive()
            kind = message.type.name
            if kind == "CLOSE" and message.data in CLOSED_WELL:
                return
            if kind == "CLOSE":
                raise BotProblem(f"it closed the connection with status {message.data}")
            if kind == "ERROR":
                raise BotProblem(_fault(message.data))
            if kind != "TEXT":
                raise BotProblem("a message of bytes" if kind == "BINARY" else "the connection broke")
            if self._take(read(message.data)):
                return
            cost += 1 + len(message.data) // MESSAGE_COST_BYTES
            count += 1
            ahead_s = cost / limits.stream_messages_s_max - (loop.time() - began) - 1
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            elif count % _FAIR == 0:
                await asyncio.sleep(0)
            while self._mouth is not None and self._mouth.waiting_ms > limits.stream_ahead_ms_max:
                await asyncio.sleep(POLL_S)

    def _take(self, said: Said) -> bool:
        """Is it the last word?"""
        if isinstance(said, Done):
            self._told = said
            return True
        mouth = self._mouth
        if mouth is None:
            return False
        if isinstance(said, Audio):
            samples = _TO_SAMPLES[np.frombuffer(said.octets, np.uint8)]
            self._heard += (samples.size - mouth.push(samples)) // 160
        elif isinstance(said, Mark):
            mouth.mark(said.name)
        elif isinstance(said, Clear):
            for name in mouth.clear():
                self._say(self._teller.mark(name))
        return False

    async def _heard_out(self) -> None:
        """What the bot has said before it was done."""
        mouth = self._mouth
        end = asyncio.get_running_loop().time() + limits.stream_drain_ms_max / 1_000
        while mouth is not None and mouth.waiting_ms > 0 and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(POLL_S)  # meanwhile `step` tells it what is heard

    async def part(self) -> None:
        """The last word is ours, if the bot still takes it."""
        line = self._line
        if line is None:
            return
        try:
            async with asyncio.timeout(1):
                if not line.closed:
                    await line.send_str(self._teller.stop())
                await line.close()
        except Exception:  # it is gone
            pass


def octets(samples: Samples) -> bytes:
    """Linear samples as µ-law."""
    return bytes(_TO_OCTETS[samples.view(np.uint16)])


def _fault(error: Any) -> str:
    """Why the client gave a connection up, in words."""
    if not isinstance(error, BaseException):
        return "the connection broke"
    if type(error).__name__ == "ServerTimeoutError":
        return f"no answer to a ping for {limits.stream_stall_ms_max // 1_000} s"
    words = {
        1002: "it doesn't speak WebSocket", 1007: "a message that is no text",
        1009: f"a message of more than {limits.stream_message_bytes_max} bytes",
    }  # fmt: skip
    return words.get(int(getattr(error, "code", 0)), reason_of(error))
