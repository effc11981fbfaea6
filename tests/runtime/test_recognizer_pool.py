"""Children with real models and real sound: results, and what becomes of callers when a child hangs or dies."""

from __future__ import annotations

import asyncio
import io
import signal
import time
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from engine.runtime import child_health
from engine.runtime import recognizer_pool as room
from engine.runtime import recognizer_wire as wire
from engine.runtime.graph_shelf import Shelf
from engine.runtime.recognizer_pool import Pool
from engine.speech.ports import Listening, Samples, Utterance
from tests.runtime.fakes import quiet_log, run, until
from tests.runtime.spoken import DIGITS, MENU, MODEL, digits, frames, spoken

ENGINE = wire.Engine("embedded", MODEL)
GRAMMARS = {"digits": DIGITS, "menu": MENU}


class Scene:
    """A pool and what it told."""

    def __init__(self, size: int) -> None:
        self.log, self.stream = quiet_log()
        self.began: list[tuple[int, int]] = []
        self.done: dict[int, Utterance] = {}
        self.pool = Pool(self.log, lambda *told: self.began.append(told), self.done.__setitem__, size=size,
                         module="tests.runtime.moody_child")  # fmt: skip

    def listen(self, number: int, grammar: str) -> None:
        self.pool.listen(number, Listening(grammar, "en"), ENGINE)

    async def say(self, said: dict[int, Samples], pace_s: float = 0.0) -> None:
        """Frames of several callers at once."""
        sound = {number: list(frames(samples)) for number, samples in said.items()}
        for at in range(max(map(len, sound.values()))):
            block = np.zeros(sum(at < len(each) for each in sound.values()), wire.FRAME)
            for row, (number, each) in enumerate((n, e) for n, e in sound.items() if at < len(e)):
                block[row]["token"], block[row]["frame"], block[row]["heard"] = number, at, each[at]
            self.pool.sound(block)
            await asyncio.sleep(pace_s)


def play(scene: Callable[[Scene], Awaitable[None]], size: int = 1, seconds: float = 40.0) -> Scene:
    async def work() -> Scene:
        world = Scene(size)
        world.pool.learn(GRAMMARS, [("digits", MODEL)])
        world.pool.start()
        try:
            await scene(world)
        finally:
            await world.pool.close()
        return world

    return run(work(), seconds)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    for grammar in GRAMMARS.values():
        Shelf().prepared(MODEL, grammar, {})


def test_two_callers_are_heard_and_understood_at_the_same_time() -> None:
    async def scene(world: Scene) -> None:
        world.listen(1, "digits")
        world.listen(2, "menu")  # both compiled already; each is loaded at its first listening
        await world.say({1: spoken("goodbye"), 2: digits("4")})
        await until(lambda: len(world.done) == 2, 30)
        assert [each.result for each in world.done.values()] == ["no_match", "no_match"], world.done
        world.began.clear()
        world.done.clear()
        world.listen(1, "digits")
        world.listen(2, "menu")
        await world.say({1: digits("4079"), 2: spoken("goodbye")})
        await until(lambda: len(world.done) == 2, 20)
        first, second = world.done[1], world.done[2]
        assert first.result == "match" and first.best[0].slots == {"number": "4079"} and first.engine == "embedded"
        assert second.best[0].intent == "end" and not second.barged_in
        assert sorted(number for number, _ in world.began) == [1, 2] and all(0 < ms < 200 for _, ms in world.began)
        # complete, and nothing can follow: 300 ms of silence end it, and not the second that a pause may last
        assert 300 <= first.decided_ms - first.speech_end_ms < 600
        assert first.speech_start_ms > 300
        assert world.pool.figures.listened == 4 and world.pool.figures.failed == 0

    play(scene)


def test_a_child_that_hangs_is_replaced_and_its_callers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_health, "hung_s", 1.5)
    monkeypatch.setattr(room, "ping_s", 0.2)
    monkeypatch.setenv("RINGDOWN_TEST_CHILD", "hang")

    async def scene(world: Scene) -> None:
        await until(lambda: world.pool.figures.children_ready, 30)
        monkeypatch.delenv("RINGDOWN_TEST_CHILD")  # the next one is well
        world.listen(1, "digits")
        await world.say({1: digits("4079")})
        began = time.monotonic()
        await until(lambda: 1 in world.done, 10)
        assert world.done[1].result == "failed" and "hangs" in world.done[1].detail
        assert time.monotonic() - began < 4
        monkeypatch.setattr(child_health, "hung_s", 10.0)
        await until(lambda: world.pool.figures.children_ready == 1, 30)
        world.listen(2, "digits")
        await world.say({2: digits("4079")})
        await until(lambda: 2 in world.done, 20)
        assert world.done[2].result == "match", world.done[2]
        assert world.pool.figures.children_lost == 1
        assert "1 callers are asked again" in text(world.stream)

    play(scene)


def test_one_that_dies_costs_only_its_own_callers_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(world: Scene) -> None:
        await until(lambda: world.pool.figures.children_ready == 2, 30)
        world.listen(1, "digits")
        world.listen(2, "digits")
        kill(world, 0)
        await until(lambda: 1 in world.done, 10)
        assert world.done[1].result == "failed" and 2 not in world.done
        await world.say({2: digits("4079")})
        await until(lambda: 2 in world.done, 20)
        assert world.done[2].result == "match", world.done[2]

    play(scene, 2)


@pytest.mark.parametrize(
    ("sort", "mood", "told"),
    [("SIGKILL", "", "ended with -9"), ("SIGSTOP", "", "is stopped"), ("", "spin", "without an answer"),
     ("", "eat", "MiB of memory"), ("", "lie", "isn't understood")],
)  # fmt: skip
def test_whatever_ails_one_child_costs_its_callers_a_prompt_and_nobody_else_anything(
    monkeypatch: pytest.MonkeyPatch, sort: str, mood: str, told: str
) -> None:
    """Six callers speak at once, three to each of two children; one child goes wrong in the middle of their words."""
    monkeypatch.setattr(room, "ping_s", 0.2)
    monkeypatch.setattr(child_health, "hung_s", 4.0)
    monkeypatch.setattr(child_health, "circles_s", 3.0)
    monkeypatch.setattr(child_health, "stopped_s", 1.0)
    monkeypatch.setattr(child_health, "memory_bytes_max", lambda: 420_000_000)
    monkeypatch.setattr(child_health, "starved", 40)

    async def scene(world: Scene) -> None:
        await until(lambda: world.pool.figures.children_ready == 2, 30)
        # one child of the two with a mood: the second start of the first place
        if mood:
            monkeypatch.setenv("RINGDOWN_TEST_CHILD", mood)
            kill(world, 0)
            await until(lambda: world.pool.figures.children_lost == 1, 10)
            await until(lambda: world.pool.figures.children_ready == 2, 30)
            monkeypatch.delenv("RINGDOWN_TEST_CHILD")
        for number in range(1, 7):
            world.listen(number, "digits")
        ill, well = (tuple(child.numbers) for child in world.pool._children)
        assert len(ill) == len(well) == 3
        said = list(frames(digits("4079")))
        for at, samples in enumerate(said):
            block = np.zeros(6, wire.FRAME)
            block["token"], block["frame"], block["heard"] = range(1, 7), at, samples
            world.pool.sound(block)
            if at == 60 and sort:
                process = world.pool._children[0].process
                assert process is not None
                process.send_signal(signal.Signals[sort])
            await asyncio.sleep(0.002)
        await until(lambda: len(world.done) == 6, 20)
        assert {world.done[number].result for number in ill} == {"failed"}
        assert all(told in world.done[number].detail for number in ill), world.done
        assert {world.done[number].result for number in well} == {"match"}
        assert "3 callers are asked again" in text(world.stream)
        await until(lambda: world.pool.figures.children_ready == 2, 30)
        for number in ill:  # asked again, they are understood
            world.listen(number + 10, "digits")
        await world.say({number + 10: digits("1111") for number in ill}, 0.002)
        await until(lambda: len(world.done) == 9, 20)
        assert [world.done[number + 10].result for number in ill] == ["match"] * 3, world.done
        assert world.pool.figures.failed == 3 and world.pool.figures.listening == 0

    play(scene, 2, 90.0)


def kill(world: Scene, place: int) -> None:
    process = world.pool._children[place].process
    assert process is not None
    process.kill()


def test_a_machine_without_recognisers_is_told_at_once_and_tried_again_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RINGDOWN_TEST_CHILD", "refuse")

    async def scene(world: Scene) -> None:
        world.listen(1, "digits")
        await until(lambda: 1 in world.done, 20)
        assert world.done[1].result == "failed" and "no speech today" in world.done[1].detail
        await until(lambda: world.pool.figures.children_lost == 2, 20)
        world.listen(2, "digits")
        await until(lambda: 2 in world.done)
        assert "no recogniser runs" in world.done[2].detail

    play(scene)


def test_a_grammar_that_is_gone_a_caller_who_leaves_and_one_that_cannot_be_compiled() -> None:
    async def scene(world: Scene) -> None:
        world.listen(1, "menu of last year")
        await until(lambda: 1 in world.done)
        assert "no such grammar" in world.done[1].detail
        world.listen(2, "digits")
        world.pool.leave(2)
        await world.say({2: digits("4079")})
        world.pool.listen(3, Listening("digits", "en"), wire.Engine("embedded", "/nowhere"))
        await until(lambda: 3 in world.done, 30)
        assert world.done[3].result == "failed" and "no such folder" in world.done[3].detail
        assert 2 not in world.done

    play(scene)


def test_sound_that_a_busy_child_does_not_take_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "socket_bytes", 8_192)

    async def scene(world: Scene) -> None:
        world.listen(1, "digits")  # the child is only being started: it reads nothing yet
        await world.say({1: np.zeros(160 * 200, np.int16)})
        assert 0 < world.pool.figures.frames_dropped < 200
        await until(lambda: world.pool.figures.children_ready, 30)
        await until(lambda: not world.pool._children[0].waiting, 5)
        await world.say({1: digits("4079")}, 0.005)
        await until(lambda: 1 in world.done, 20)
        assert world.done[1].result == "match", world.done[1]

    play(scene)


def text(stream: io.StringIO) -> str:
    return stream.getvalue()
