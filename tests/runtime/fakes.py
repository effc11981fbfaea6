"""Stand-ins for the parts that other rooms make, small enough to read at a glance."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.call import effects
from engine.dialplan.model import AgentModel, Site, TenantModel, TrunkModel
from engine.records.events import Event
from engine.runtime.key_vault import KeyVault
from engine.runtime.log import Log
from engine.runtime.recording_quota import Shelves
from engine.sip.events import Send

T = TypeVar("T")


def run(work: Awaitable[T], seconds: float = 10.0) -> T:
    """Run a coroutine in a fresh loop, with a limit."""

    async def limited() -> T:
        return await asyncio.wait_for(work, seconds)

    return asyncio.run(limited())


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for a condition of the world outside (sockets, threads)."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.002)


def site(**fields: Any) -> Site:
    """A site with tenant `default` and the agents 200 and 201."""
    agents = {f"default/{number}": AgentModel("default", number, f"Agent {number}") for number in ("200", "201")}
    base = Site(
        1, "version-1", {"default": TenantModel("default", "ringdown.test")}, {}, {}, agents,
        {"gw": TrunkModel("gw", user="us")}, (), {}, {}, listen=("udp:127.0.0.1:0", "tcp:127.0.0.1:0"),
    )
    return msgspec.structs.replace(base, **fields)


def event(n: int, kind: str = "call.step", call: str = "bako-0", /, **data: Any) -> Event:
    return Event(n, "boot", 1_700_000_000_000 + n, n, kind, "default", call, data)


class FakeSwitch:
    """Echoes datagrams, answers operators, emits an event per datagram; `deadline` is set by the test."""

    def __init__(self, tokens_key: bytes = b"", *, boot: str = "boot", seed: int = 0, node: str = "a",
                 rows_max: int = 0) -> None:
        self.settings = (boot, seed, node, rows_max)
        self.inputs: list[effects.Input] = []
        self.deadline: int | None = None
        self.n = 0
        self.extra: list[effects.Output] = []
        self.broken = False

    def seal_for(self, input: effects.Input) -> str | None:
        return "secrets" if isinstance(input, effects.SecretsLoaded) else None

    def next_deadline(self) -> int | None:
        return self.deadline

    def encode(self) -> bytes:
        return str(self.n).encode()

    def handle(self, input: effects.Input, now_ms: int) -> list[effects.Output]:
        self.inputs.append(input)
        if self.broken:
            raise RuntimeError("broken on purpose")
        out, self.extra = self.extra, []
        match input:
            case effects.Received():
                self.n += 1
                kind = "call.started" if input.data.startswith(b"INVITE ") else "call.step"
                out += [effects.Emit(event(self.n, kind, f"call-{self.n}", step="s", text="", sip="abc")),
                        Send(input.path, b"echo " + input.data)]
            case effects.Operator() if input.verb == "silent":
                pass
            case effects.Operator():
                ok = input.verb != "nonsense"
                data = msgspec.json.encode({"verb": input.verb, **input.arguments, "author": input.author})
                out.append(effects.Reply(input.request, ok, data if ok else b"null", "" if ok else "no such command"))
            case effects.Drain():
                out.append(effects.Drained())
            case effects.Deadline():
                self.deadline = None
        return out

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.inputs if type(each) is kind]


class FakePlane:
    """Remembers commands; `happen` raises events as the real eventfd would."""

    def prepare_ports(self, host: str) -> tuple[int, ...]:
        """Ports that nobody binds."""
        return ()

    def __init__(
        self, *, legs_max: int, data_dir: Path, on_events: Callable[[], None], memory: Path | None = None,
        ports: tuple[int, int] = (16_384, 32_766),
        vault: KeyVault | None = None,
    ) -> None:
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.commands: list[Any] = []
        self.waiting: list[Any] = []
        self.clips: dict[str, Any] = {}
        self.running = self.stalled = False
        self.on_events = on_events
        self.shelves = Shelves(data_dir)

    def start(self) -> None:
        self.running = True
        asyncio.get_running_loop().add_reader(self.event_fd, self.on_events)

    def stop(self, *, forget: bool = True) -> None:
        self.running = False
        asyncio.get_running_loop().remove_reader(self.event_fd)
        os.close(self.event_fd)

    def load_clips(self, prompts: dict[str, Any]) -> list[str]:
        self.clips = dict(prompts)
        return []

    def store_own(self, clip: int, both: tuple[bytes, bytes]) -> None:
        self.clips[str(clip)] = both

    def command(self, command: Any) -> None:
        self.commands.append(command)

    def happen(self, *events: Any) -> None:
        self.waiting.extend(events)
        os.eventfd_write(self.event_fd, 1)

    def poll(self) -> list[Any]:
        os.eventfd_read(self.event_fd)
        events, self.waiting = self.waiting, []
        return events

    def sign_of_life(self) -> bool:
        return self.running and not self.stalled

    def metrics(self) -> dict[str, int]:
        return {"packets_in": 0}


def quiet_log() -> tuple[Log, io.StringIO]:
    """A log that the test can read."""
    stream = io.StringIO()
    return Log(stream=stream, level="debug"), stream
