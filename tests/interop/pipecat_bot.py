"""A bot on Pipecat's own Twilio serializer: python pipecat_bot.py FOLDER SECRET.

It prints `listening PORT`, and for each call, one line a thing, what happens. It speaks the tune of FOLDER/tune.wav,
writes what it hears to FOLDER/heard.raw (16 bit, 8 kHz), and does as the caller's keys say:
5: it says something long; 6: it interrupts itself, and speaks the tune again; 7: it is done with him.
All messages of Media Streams are made and read by the serializer; only `connected` and `start` are read here, as the
serializer's users do.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import soundfile
from aiohttp import WSMsgType, web
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InputDTMFFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
)
from pipecat.serializers.twilio import TwilioFrameSerializer

RATE = 24_000  # of its voice, as most have it
CHUNK = RATE * 2 // 25  # bytes of 40 ms of it
DONE = {"event": "done", "values": {"destination": "Rome", "party": 3, "unasked": "x"}, "next": "person"}


def tell(*words: object) -> None:
    print(*words, flush=True)


class Talk:
    """One call."""

    def __init__(self, line: web.WebSocketResponse, folder: Path) -> None:
        self.line, self.folder = line, folder
        self.voice = self.silence = b""
        self.heard = bytearray()

    async def send(self, frame: Frame) -> None:
        text = await self.twilio.serialize(frame)
        if text:
            await self.line.send_str(str(text))

    async def speak(self, seconds: float = 0.0) -> None:
        """The tune, or so much of it over and over."""
        samples, rate = soundfile.read(self.folder / "tune.wav", dtype="int16")
        assert rate == RATE
        sound = samples.tobytes()
        wanted = int(seconds * RATE) * 2 or len(sound)
        sound = (sound * (wanted // len(sound) + 1))[:wanted]
        for at in range(0, len(sound), CHUNK):
            await self.send(OutputAudioRawFrame(sound[at : at + CHUNK], RATE, 1))

    async def run(self) -> None:
        assert (await self.line.receive_json())["event"] == "connected"
        start: dict[str, Any] = (await self.line.receive_json())["start"]
        tell("start", json.dumps(start))
        params = TwilioFrameSerializer.InputParams(sample_rate=8_000, auto_hang_up=False)
        self.twilio = TwilioFrameSerializer(start["streamSid"], start["callSid"], params=params)
        await self.twilio.setup(SimpleNamespace(audio_in_sample_rate=8_000))
        await self.speak()
        async for message in self.line:
            if message.type is not WSMsgType.TEXT:
                break
            frame = await self.twilio.deserialize(message.data)
            if isinstance(frame, InputAudioRawFrame):
                self.heard += frame.audio
            elif isinstance(frame, InputDTMFFrame):
                await self.key(str(frame.button.value))
            elif '"media"' not in message.data[:20]:
                tell("told", json.loads(message.data)["event"])
        (self.folder / "heard.raw").write_bytes(self.heard)
        tell("over")

    async def key(self, key: str) -> None:
        tell("key", key)
        if key == "5":
            await self.speak(30)
        elif key == "6":
            await self.send(InterruptionFrame())
            await self.speak()
        elif key == "7":
            (self.folder / "heard.raw").write_bytes(self.heard)
            await self.send(OutputTransportMessageFrame(message=DONE))


async def main() -> None:
    folder, secret = Path(sys.argv[1]), sys.argv[2]

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {secret}":
            tell("refused")
            return web.Response(status=403)
        line = web.WebSocketResponse()
        await line.prepare(request)
        await Talk(line, folder).run()
        return line

    app = web.Application()
    app.router.add_get("/calls", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    tell("listening", runner.addresses[0][1])
    await asyncio.Event().wait()


asyncio.run(main())
