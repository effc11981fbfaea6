"""What leads to other people's servers: every such output has who carries it out, and closing twice is no harm."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

from engine.call.effects import FetchWanted, LookupWanted, SpeakWanted
from engine.call.signature_wall import SignatureWanted
from engine.call.stream_wall import StreamDone, StreamHushed, StreamPressed, StreamUnwanted, StreamWanted
from engine.runtime.elsewhere import Elsewhere
from tests.dialplan.site import lines, site_of
from tests.runtime.bots import Sound, until, wish

PLAN = lines(
    "ringdown: 1", "flows:", "  main:", "    - answer",
    "    - stream: {url: 'wss://b.example', secret: bot, fork: both}", "    - hangup: served",
)  # fmt: skip


def test_each_output_is_carried_out_and_missing_secrets_are_told() -> None:
    async def act() -> None:
        told: list[str] = []
        done: list[object] = []
        server = SimpleNamespace(
            loop=asyncio.get_running_loop(), deliver=done.append, files=SimpleNamespace(), plane=None,
            options=SimpleNamespace(data=Path("nowhere")),
            log=SimpleNamespace(warning=lambda text, *more: told.append(text), error=lambda *more: None),
            secrets=SimpleNamespace(lookup=lambda name: "", take_told=list),
        )  # fmt: skip
        made = Elsewhere(server)  # type: ignore[arg-type]
        assert set(made.carry) == {
            LookupWanted, FetchWanted, SpeakWanted, StreamWanted, StreamUnwanted, StreamPressed, StreamHushed,
            SignatureWanted,
        }  # fmt: skip
        made.prepare(site_of(PLAN))
        assert len(told) == 1 and "the secret bot of a bot is missing" in told[0]
        made.streams._sound = Sound()
        made.carry[StreamWanted](wish("ws://127.0.0.1:9/x"))
        await until(lambda: bool(done))
        assert isinstance(done[0], StreamDone) and done[0].reason == "the secret travel is missing"
        await made.close()

    asyncio.run(act())
