"""`kill -9` under 200 calls, again and again at random moments: 50 in a queue, 100 bridged, 50 in a menu, some coming
and going. Every leg that is up must hear sound again, places must stay, and at the end nobody and nothing is left.

The seed is new every day and printed; `RINGDOWN_SOAK_SEED` repeats a run, `RINGDOWN_SOAK_ROUNDS` lengthens it.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from harness.server import Engine

from tools.load import plane as media
from tools.load.endpoint import Address, Endpoint, Session

ROUNDS = int(os.environ.get("RINGDOWN_SOAK_ROUNDS", "20"))
SEED = int(os.environ.get("RINGDOWN_SOAK_SEED") or datetime.date.today().strftime("%Y%m%d"))
WAITING, BRIDGED, MENUS = 50, 100, 50
AUDIBLE_S = 2.0
CHURN = 6  # calls that end, and as many that begin, in each round
AGENTS = [str(number) for number in range(300, 300 + BRIDGED + CHURN)]

SITE = ("numbers:\n", "numbers:\n  8701: {dialplan: interop, entry: talk, public: yes}\n"
        "  8702: {dialplan: interop, entry: wait, public: yes}\n  8703: {dialplan: interop, entry: ask, public: yes}\n")
QUEUES = ("support:\n", "busy:\n  strategy: longest-idle-agent\n  ring: 20s\n  wrap_up: 1s\n  length: 300\n"
          "closed:\n  strategy: longest-idle-agent\n  ring: 20s\n  length: 300\nsupport:\n")
PEOPLE = "".join(f"{number}: {{name: Agent {number}, queues: [busy]}}\n" for number in AGENTS)
DIALPLAN = """\
ringdown: 1
about: 8701 meets an agent of `busy`, 8702 waits for one who never comes, 8703 is a menu that asks on and on.
entry: talk

flows:
  talk:
    - answer
    - queue: {name: busy, full: over, no_agents: over, timeout: over}
    - hangup: served
  wait:
    - answer
    - queue: {name: closed, max_wait: 30min, full: over, no_agents: over, timeout: over}
    - hangup: served
  ask:
    - answer
    - menu:
        prompt: main_menu
        timeout: 3s
        tries: 10
        choices: {1: talk}
        failed: ask_on
  ask_on:
    - menu:
        prompt: main_menu
        timeout: 3s
        tries: 10
        choices: {1: talk}
        failed: over
  over:
    - hangup: {outcome: failed, cause: 17}
"""


class Crowd:
    """Callers and agents on one machine; `live` are the calls that are up, by what they do."""

    def __init__(self, engine: Engine, plane: media.Plane, luck: random.Random) -> None:
        self.engine, self.plane, self.luck = engine, plane, luck
        address = Address("udp", *engine.address)
        self.callers, self.agents = Endpoint(address), Endpoint(address)
        self.free = list(range(plane.rows))
        self.live: dict[str, list[Session]] = {"8701": [], "8702": [], "8703": []}
        self.placed = 0
        self.broken: list[str] = []
        self.seen_ending: set[str] = set()
        self.agents.on_invite = self._ring
        self.callers.on_moved = self.agents.on_moved = self._moved  # a port that somebody took meanwhile

    def _ring(self, session: Session) -> int:
        session.row = self.free.pop()
        session.on_answered = self._up
        session.on_ended = self._down
        return self.plane.ports[session.row]

    def _up(self, session: Session) -> None:
        assert session.media is not None
        self.plane.connect(session.row, session.media.host, session.media.port)

    def _moved(self, session: Session) -> None:
        assert session.media is not None
        self.plane.connect(session.row, session.media.host, session.media.port)

    def _down(self, session: Session) -> None:
        self.plane.drop(session.row)
        self.free.append(session.row)
        if session.placed:
            self.live[session.number].remove(session)
            if session.ended_by != "us":
                self.broken.append(f"{session.number}: ended by {session.ended_by} {session.status}")

    def place(self, number: str) -> None:
        row = self.free.pop()
        self.placed += 1
        session = self.callers.call(
            number, f"caller{self.placed}", port=self.plane.ports[row], row=row, on_answered=self._up,
            on_ended=self._down,
        )
        self.live[number].append(session)

    def rows(self) -> dict[int, str]:
        """Media rows that must be hearing something: those of calls that are up and not ending."""
        sessions = [*self.callers.sessions.values(), *self.agents.sessions.values()]
        return {session.row: session.number for session in sessions if session.state == "answered" and session.acked_ns}

    def answered(self) -> int:
        return sum(session.state == "answered" for group in self.live.values() for session in group)


async def until(done: Callable[[], object], seconds: float, what: str) -> None:
    limit = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < limit, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


def heard_after(plane: media.Plane, rows: dict[int, str], moment_ns: int) -> list[int]:
    return [row for row in rows if int(plane.legs[row, media.LAST_NS]) > moment_ns]


def _ago(seconds: float) -> int:
    return time.time_ns() - int(seconds * 1e9)


async def one_round(crowd: Crowd, number: int) -> float:
    """Calls end and begin, the engine dies at some moment of that, and comes back; seconds until all legs hear."""
    engine, luck = crowd.engine, crowd.luck
    for kind in luck.choices(list(crowd.live), k=CHURN):
        group = [session for session in crowd.live[kind] if session.state == "answered"]
        if group:
            crowd.callers.hang_up(luck.choice(group))
            crowd.place(kind)
        await asyncio.sleep(luck.uniform(0, 0.05))
    await asyncio.sleep(luck.uniform(0, 0.4))
    # Who hears something at that moment has to hear it again; a menu may be waiting for a key in silence.
    up = {row: kind for row, kind in crowd.rows().items() if row in heard_after(crowd.plane, crowd.rows(), _ago(0.12))}
    engine.kill()
    await asyncio.sleep(luck.uniform(0.05, 0.5))
    began_ns = time.time_ns()
    await asyncio.to_thread(engine.start)
    assert len(up) >= 2 * BRIDGED + WAITING - 2 * CHURN, f"round {number}: only {len(up)} legs heard anything before"
    limit = time.monotonic() + 8
    while len(heard_after(crowd.plane, up, began_ns)) < len(up) and time.monotonic() < limit:
        await asyncio.sleep(0.02)
        up = {row: kind for row, kind in up.items() if row in crowd.rows()}
    silent = {row: kind for row, kind in up.items() if row not in heard_after(crowd.plane, up, began_ns)}
    assert not silent, f"round {number}: no sound for {sorted(silent.values())} of {len(up)} legs"
    spent_s = (time.time_ns() - began_ns) / 1e9
    await until(lambda: crowd.answered() == WAITING + BRIDGED + MENUS, 12, "every call is up again")
    return spent_s


async def soak(engine: Engine, plane: media.Plane) -> list[float]:
    luck = random.Random(SEED)
    crowd = Crowd(engine, plane, luck)
    await crowd.callers.open()
    await crowd.agents.open()
    words = engine.passwords()
    try:
        for number in AGENTS:
            assert await crowd.agents.register(number, words[number]) == 200
            await asyncio.to_thread(engine.login, number)
        for kind, count in (("8701", BRIDGED), ("8702", WAITING), ("8703", MENUS)):
            for _ in range(count):
                crowd.place(kind)
                await asyncio.sleep(0.02)
        await until(lambda: crowd.answered() == WAITING + BRIDGED + MENUS, 20, "all calls are up")
        await asyncio.sleep(3)
        times = []
        for number in range(ROUNDS):
            order = await asyncio.to_thread(_places, engine)
            times.append(await one_round(crowd, number))
            after = await asyncio.to_thread(_places, engine)
            still = [call for call in order if call in after]
            assert [call for call in after if call in order] == still, f"round {number}: places in the queue moved"
        assert not crowd.broken, crowd.broken
        for group in crowd.live.values():
            for session in list(group):
                crowd.callers.hang_up(session)
                await asyncio.sleep(0.005)
        await until(lambda: not crowd.callers.sessions and not crowd.agents.sessions, 15, "every session is over")
        _settled(engine, crowd)
        return times
    finally:
        crowd.callers.close()
        crowd.agents.close()


def _places(engine: Engine) -> list[str]:
    """The calls that wait in `closed`, by place."""
    waiting = [row for row in engine.ask("calls") if row["position"] and row["queue"].endswith("closed")]
    return [row["call"] for row in sorted(waiting, key=lambda row: row["position"])]


def _settled(engine: Engine, crowd: Crowd) -> None:
    """No agent stuck, no call left, records whole."""
    engine.wait_idle(10)
    time.sleep(2.5)  # wrap-up, and the last batch of records
    stuck = [row for row in engine.ask("agents") if row["agent"] in AGENTS and row["state"] != "ready"]
    assert not stuck, stuck
    breaches = engine.rows("SELECT * FROM events WHERE kind = 'engine.breach'")
    assert not breaches, breaches
    numbers = [row["n"] for row in engine.rows("SELECT n FROM events ORDER BY n")]
    assert numbers == list(range(1, len(numbers) + 1)), "the event stream has a gap or a double"
    started = engine.rows("SELECT call FROM events WHERE kind = 'call.started'")
    ended = engine.rows("SELECT call FROM events WHERE kind = 'call.ended'")
    assert len(started) == len(ended) == crowd.placed
    assert len(engine.rows("SELECT call FROM calls")) == crowd.placed
    odd = engine.rows("SELECT call, outcome, ended_by FROM calls WHERE ended_by != 'caller'")
    assert not odd, odd
    words = [line[4] for line in engine.queue_log()]
    assert words.count("CONNECT") == words.count("COMPLETECALLER") + words.count("COMPLETEAGENT")


def test_killed_again_and_again_under_two_hundred_calls(tmp_path: Path) -> None:
    edits = {"site.yaml": SITE, "queues.yaml": QUEUES, "agents.yaml": ("209:", PEOPLE + "209:")}
    plane = media.Plane("127.0.0.1", 2 * BRIDGED + WAITING + MENUS + 4 * CHURN, first_port=40_000)
    plane.start()
    try:
        with Engine(edits=edits, extra=DIALPLAN) as engine:
            times = asyncio.run(soak(engine, plane))
            bound = max(AUDIBLE_S, 2 * engine.first_ready_s)
    finally:
        plane.stop()
    print(f"seed {SEED}: {ROUNDS} kills, all legs heard again after {min(times):.2f} to {max(times):.2f} s")
    assert sorted(times)[len(times) // 2] < bound, times
