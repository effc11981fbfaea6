"""From the Switch's wish to its answer: ears opened and closed, sound passed on, and answers for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.call.listening import ListenEnded, ListenWanted, SpeechDone, SpeechStarted
from engine.dialplan.model import TenantModel
from engine.dialplan.speech_model import SpeechModel
from engine.media import columns
from engine.runtime import recognizer_wire as wire
from engine.runtime import warming
from engine.runtime.graph_shelf import Shelf
from engine.runtime.recognizers import Recognizers, engine_of
from engine.speech.ports import Listening, Samples
from tests.runtime.fakes import quiet_log, run, site, until
from tests.runtime.spoken import DIGITS, MODEL, digits, frames


class Hearing:
    """Ears without a media plane: what is put into `sound` is drained."""

    def __init__(self, on_end: Callable[[int], None]) -> None:
        self.on_end = on_end
        self.open: dict[int, int] = {}  # ear -> token
        self.stopped: list[int] = []
        self.sound: list[tuple[int, int, Samples]] = []
        self.full = False

    def __len__(self) -> int:
        return len(self.open)

    def start(self, row: int, generation: int, token: int) -> int:
        if self.full:
            return -1
        self.open[len(self.open)] = token
        return len(self.open) - 1

    def stop(self, ear: int) -> None:
        self.stopped.append(ear)

    def drain(self) -> Any:
        target = np.zeros((len(self.sound), columns.EAR_WORDS), np.int16)
        for row, (token, number, said) in zip(target.view(wire.FRAME).reshape(-1), self.sound, strict=True):
            row["token"], row["frame"], row["heard"] = token, number, said
        self.sound.clear()
        for ear in self.stopped:
            if self.open.pop(ear, None) is not None:
                self.on_end(ear)
        return target


class World:
    """What Recognizers see of a server."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.log, _ = quiet_log()
        self.inputs: list[Any] = []
        self.deliver = self.inputs.append
        self.hearing: Any = None
        self.plane = SimpleNamespace(ears=SimpleNamespace(hearing=self._hearing))
        tenant = TenantModel("default", "r", speech={"de": SpeechModel("none")})
        self.site = site(grammars={"digits": DIGITS}, tenants={"default": tenant})
        self.recognizers = Recognizers(self)  # type: ignore[arg-type]

    def _hearing(self, on_end: Callable[[int], None]) -> Hearing:
        self.hearing = Hearing(on_end)
        return self.hearing  # type: ignore[no-any-return]

    def listen(self, ticket: int, language: str = "en") -> None:
        self.recognizers.listen(ListenWanted(9, ticket, "call", 3, 1, "default", Listening("digits", language)))

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.inputs if type(each) is kind]


def play(scene: Callable[[World], Awaitable[None]]) -> World:
    Shelf().prepared(MODEL, DIGITS, {})

    async def work() -> World:
        world = World()
        try:
            await scene(world)
        finally:
            await world.recognizers.close()
        return world

    return run(work(), 60)


def test_a_caller_is_heard_from_his_ear_to_the_switch() -> None:
    async def scene(world: World) -> None:
        world.recognizers.use(world.site)
        world.listen(1)
        await until(lambda: world.recognizers.figures.children_ready == 2, 40)
        (token,) = world.hearing.open.values()
        for number, frame in enumerate(frames(digits("4079"))):
            world.hearing.sound.append((token, number, frame))
            if number % 10 == 0:
                await asyncio.sleep(0.02)
        await until(lambda: world.of(SpeechDone), 20)
        (done,) = world.of(SpeechDone)
        assert done.utterance.result == "match", done.utterance
        assert (done.call, done.ticket) == (9, 1) and done.utterance.best[0].slots == {"number": "4079"}
        (started,) = world.of(SpeechStarted)
        assert (started.call, started.ticket) == (9, 1) and world.inputs.index(started) < world.inputs.index(done)
        assert world.hearing.stopped == [0]
        await until(lambda: not world.recognizers._ticking)
        assert not world.hearing.open

    play(scene)


def test_a_wish_that_is_ended_is_not_answered_and_its_ear_is_closed() -> None:
    async def scene(world: World) -> None:
        world.recognizers.use(world.site)
        world.listen(1)
        world.recognizers.end(ListenEnded(9, 1))
        world.recognizers.end(ListenEnded(9, 7))  # never heard of
        await until(lambda: not world.hearing.open)
        world.listen(2)
        world.hearing.stopped.append(max(world.hearing.open))  # the leg is gone
        await until(lambda: world.of(SpeechDone))
        (done,) = world.of(SpeechDone)
        assert done.ticket == 2 and (done.utterance.result, done.utterance.detail) == ("failed", "the leg is gone")

    play(scene)


def test_who_cannot_be_listened_to_is_told_at_once() -> None:
    async def scene(world: World) -> None:
        world.listen(1)  # no site with grammars yet
        world.recognizers.use(world.site)
        world.listen(2, "de")
        world.listen(3)
        world.hearing.full = True
        world.listen(4)
        assert not world.of(SpeechDone)  # never from within the Switch's own turn
        await until(lambda: len(world.of(SpeechDone)) == 3)
        told = {each.ticket: each.utterance.detail for each in world.of(SpeechDone)}
        assert told == {1: "no grammar of the site is known", 2: "no recogniser for de",
                        4: "too many callers are listened to at once"}  # fmt: skip

    play(scene)


@pytest.mark.parametrize(("compiled", "readable"), [(True, True), (False, True), (True, False)])
def test_the_children_load_while_we_do_unless_they_would_have_to_compile(
    monkeypatch: pytest.MonkeyPatch, compiled: bool, readable: bool
) -> None:
    monkeypatch.setattr(warming, "whole", lambda: compiled)

    async def scene(world: World) -> None:
        running: list[bool] = []
        pools = world.recognizers
        await pools.early(world.site if readable else None, lambda: running.append(pools._pool is not None))
        assert running == [compiled and readable]
        pools.use(world.site)
        assert pools._pool is not None

    play(scene)


def test_a_site_without_speech_starts_nothing() -> None:
    async def scene(world: World) -> None:
        world.recognizers.use(site())
        assert world.recognizers._pool is None

    play(scene)


@pytest.mark.parametrize(
    ("model", "language", "engine"),
    [
        (SpeechModel("embedded"), "en-GB", wire.Engine("embedded", MODEL)),
        (SpeechModel("folder", "/srv/de"), "de", wire.Engine("folder", "/srv/de")),
        (SpeechModel("remote", "", ("ws://a",), 900), "en", wire.Engine("remote", MODEL, ("ws://a",), 900)),
        (SpeechModel("remote", "", ("ws://a",)), "xx", wire.Engine("remote", "", ("ws://a",))),
        (SpeechModel("none"), "en", None),
        (SpeechModel("embedded"), "xx", None),
    ],
)
def test_which_recogniser(model: SpeechModel, language: str, engine: wire.Engine | None) -> None:
    assert engine_of(model, language) == engine
