"""Metrics: every family well formed, labels bounded, and hundreds of queues never hold up the loop."""

from __future__ import annotations

import asyncio
import time
import types
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.dialplan.model import QueueModel, Site
from engine.media.commands import LegClosed, Sound
from engine.runtime import exposition as room
from engine.runtime.exposition import Exposition
from engine.runtime.recognizer_pool import Figures
from engine.runtime.tally import Tally
from engine.sim.world import World
from engine.sip.gate import Gate
from tests.bench import yardstick
from tests.call.calls import SITE, agent, talk
from tests.runtime.fakes import event, run

MEDIA = {"ticks": 50, "tick_late_us_sum": 5_000, "tick_late_us_max": 900, "commands_waiting": 2, "events_refused": 3}
SPEECH = Figures(children=2, children_ready=1, cpu_ms=1_500, frames_dropped=4, memory_bytes=70_000, ready_ms=350)


def live(row: int, generation: int) -> LegClosed:
    """Every living leg has lost a tenth, and hears us well."""
    return LegClosed(row, generation, 900, 900, 100, 0, 0, 0, 500, 500, 30_000, 0, Sound(about=1, round_trip_us=9_000))


def fake(w: World) -> Any:
    """As much of a Server as the exposition reads, round a real Switch."""
    sock = types.SimpleNamespace(datagrams_in=7, datagrams_out=6, dropped=1, failures={"EPERM": 2})
    return types.SimpleNamespace(
        guard=types.SimpleNamespace(gate=Gate()),
        switch=w.switch, tally=Tally(), began_s=time.monotonic() - 5, draining=False, faults=0,
        options=types.SimpleNamespace(node="a"), udp={1: sock}, counts={"unsent": 1, "unresolved": 0},
        flows=types.SimpleNamespace(flows={}, refused=0), log=types.SimpleNamespace(counts={"info": 3}, held_back=9),
        admin=types.SimpleNamespace(readers=[], dropped=0),
        plane=types.SimpleNamespace(metrics=lambda: MEDIA, live=live),
        storage=types.SimpleNamespace(state="spooling", detail="locked", spooled=4, written=5, lost=0),
        recognizers=types.SimpleNamespace(figures=SPEECH, late_ticks=2),
        journal=types.SimpleNamespace(bytes_written=100, failed="", inputs=77),
        now_ms=lambda: w.now_ms, watching=types.SimpleNamespace(
            health=types.SimpleNamespace(ready=lambda: (True, {}), media_alive=lambda: True)
        ),
    )  # fmt: skip


def page(server: Any) -> bytes:
    async def work() -> bytes:
        return await Exposition(server).text()

    return run(work())


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        assert family.documentation, family.name
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, key
            found[key] = sample.value
    return found


def wide(queues: int) -> Site:
    """The busy site with many more queues, its agents in all of them."""
    more = {f"default/q{n}": QueueModel("default", f"q{n}") for n in range(queues)}
    places = tuple((name, 1, 1) for name in more)
    agents = {key: msgspec.structs.replace(each, queues=each.queues + places) for key, each in SITE.agents.items()}
    return msgspec.structs.replace(SITE, queues={**SITE.queues, **more}, agents=agents, version="wide")


def test_what_happened_is_what_is_exposed() -> None:
    w = World(SITE)
    talk(w)
    server = fake(w)
    for each in w.events:
        server.tally.feed(each)
    server.tally.message(server.tally.received, b"INVITE sip:x")
    server.tally.message(server.tally.sent, b"SIP/2.0 200 OK")
    server.tally.lag(0.003)
    server.tally.feed(event(1, "call.quality", trunk="gw", packets_in=90, packets_out=1, lost=10, jitter_us=2_000,
                            mos_in=3.5, mos_out=4.0, round_trip_us=30_000, side="theirs"))
    text = page(server)
    found = samples(text)
    support = (("queue", "support"), ("tenant", "default"))
    for name, labels, value in (
        ("ringdown_queue_connected_calls", support, 1), ("ringdown_queue_answered_total", support, 1),
        ("ringdown_queue_agents", (("queue", "support"), ("state", "talking"), ("tenant", "default")), 1),
        ("ringdown_calls", (("phase", "talking"),), 1), ("ringdown_calls_started_total", (("via", "public"),), 1),
        ("ringdown_sip_requests_total", (("direction", "received"), ("method", "INVITE")), 1),
        ("ringdown_sip_responses_total", (("class", "2xx"), ("direction", "sent")), 1),
        ("ringdown_loop_lag_seconds_bucket", (("le", "0.005"),), 1), ("ringdown_loop_lag_seconds_count", (), 1),
        ("ringdown_quality_packets_lost_total", (("trunk", "gw"),), 10),
        ("ringdown_quality_jitter_seconds_sum", (("trunk", "gw"),), 0.002),
        ("ringdown_live_mos_count", (("way", "to"),), 2), ("ringdown_live_legs_bad", (("way", "to"),), 0),
        ("ringdown_live_legs_faulty", (("side", "theirs"),), 2),
        ("ringdown_quality_mos_sum", (("trunk", "gw"), ("way", "from")), 3.5),
        ("ringdown_quality_mos_count", (("trunk", "gw"), ("way", "to")), 1),
        ("ringdown_quality_round_trip_seconds_sum", (("trunk", "gw"),), 0.03),
        ("ringdown_quality_faults_total", (("side", "theirs"), ("trunk", "gw")), 1),
        ("ringdown_media_tick_late_seconds_sum", (), 0.005), ("ringdown_media_tick_late_seconds_count", (), 50),
        ("ringdown_media_ring_depth", (("ring", "commands"),), 2), ("ringdown_log_lines_held_back_total", (), 9),
        ("ringdown_storage_state", (("state", "spooling"),), 1), ("ringdown_storage_state", (("state", "ok"),), 0),
        ("ringdown_speech_recognizers", (), 2), ("ringdown_speech_recognizers_ready", (), 1),
        ("ringdown_speech_recognizer_cpu_seconds_total", (), 1.5), ("ringdown_speech_frames_dropped_total", (), 4),
        ("ringdown_speech_recognizer_memory_bytes", (), 70_000), ("ringdown_speech_drains_late_total", (), 2),
        ("ringdown_speech_recognizer_start_seconds", (), 0.35),
        ("ringdown_sip_send_failures_total", (), 2), ("ringdown_inputs_total", (), 77), ("ringdown_ready", (), 1),
    ):  # fmt: skip
        assert found[name, labels] == pytest.approx(value), name
    for trunk in SITE.trunks:
        assert found["ringdown_trunk_calls", (("trunk", trunk),)] == 0
        assert found["ringdown_trunk_up", (("trunk", trunk),)] == 1
        assert found["ringdown_trunk_calls_moved_total", (("trunk", trunk),)] == 0
    assert b"5551234" not in text and b"201" not in text, "a caller or an agent in the labels"


def test_families_are_whole_although_they_are_made_in_pieces() -> None:
    w = World(wide(150))
    agent(w, "201")
    text = page(fake(w))
    found = samples(text)
    assert sum(name == "ringdown_queue_waiting_calls" for name, _ in found) == 150 + len(SITE.queues)
    headers = [line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")]
    assert len(headers) == len(set(headers))
    ready = w.switch.room.acd.agent_totals()["ready"]
    labels = (("queue", "q7"), ("state", "ready"), ("tenant", "default"))
    assert found["ringdown_queue_agents", labels] == ready > 0


def test_before_there_is_a_switch_room_the_rest_is_exposed() -> None:
    server = fake(World(SITE))
    server.switch = None
    assert ("ringdown_inputs_total", ()) in samples(page(server))


def test_scrapes_at_once_share_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    server = fake(World(SITE))

    async def scene() -> None:
        exposition = Exposition(server)
        first, second = await asyncio.gather(exposition.text(), exposition.text())
        assert first is second
        monkeypatch.setattr(room, "fresh_s_max", 0.0)
        assert await exposition.text() is not first

    run(scene())


def test_five_hundred_queues_never_hold_the_loop_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop gets its turn after every piece of work, and no piece is large: each is measured beside a fixed piece
    of work, and its best of five renderings counts. What one turn takes is at most `work_s_max` and one piece more."""
    assert room.work_s_max <= 0.0005
    monkeypatch.setattr(room, "work_s_max", 0.0)
    w = World(wide(500))
    agent(w, "201")
    server = fake(w)

    async def scene(unit_s: float) -> list[float]:
        rendering = asyncio.create_task(Exposition(server).text())
        pieces = []
        while not rendering.done():
            began = time.thread_time()
            await asyncio.sleep(0)
            pieces.append((time.thread_time() - began) / unit_s)
        assert len(await rendering) > 500_000
        return pieces

    def measured() -> list[float]:
        return run(scene(min(yardstick.cpu_s(yardstick.work) for _ in range(2))), 30)

    pieces = sorted(min(same) for same in zip(*[measured() for _ in range(5)], strict=True))
    assert len(pieces) > 300
    assert pieces[-1] < 0.065, pieces[-5:]  # 0.9 ms where a unit takes 14, as on a slow machine
    assert pieces[len(pieces) * 9 // 10] < 0.055
