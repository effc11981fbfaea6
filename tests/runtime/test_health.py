"""Alive and ready are two questions, and each no has its word."""

from __future__ import annotations

import time
import types
from typing import Any

import msgspec
import pytest

from engine.runtime import health as room
from engine.runtime.health import Health
from engine.runtime.tally import Tally
from tests.runtime.fakes import run, site


def fake(**changes: Any) -> Any:
    server = types.SimpleNamespace(
        plane=types.SimpleNamespace(sign_of_life=lambda: True), draining=False, site=site(), tally=Tally(),
        switch=types.SimpleNamespace(room=types.SimpleNamespace(full=lambda: False)),
        storage=types.SimpleNamespace(state="ok", detail="", spooled=0),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(server, name, value)
    return server


def healthy(**changes: Any) -> Health:
    async def make() -> Health:
        return Health(fake(**changes))

    found = run(make())
    found.started = True
    return found


def test_a_healthy_engine() -> None:
    health = healthy()
    assert health.alive() == (True, {"alive": True, "media": "alive"})
    assert health.ready()[1] == {"ready": True, "why": [], "storage": {"state": "ok", "detail": "", "spooled": 0}}


@pytest.mark.parametrize(("changes", "why"), [
    ({"draining": True}, ["draining"]),
    ({"storage": types.SimpleNamespace(state="failed", detail="another product", spooled=5)}, ["records"]),
    ({"storage": types.SimpleNamespace(state="spooling", detail="locked", spooled=5)}, []),
    ({"switch": types.SimpleNamespace(room=types.SimpleNamespace(full=lambda: True))}, ["full"]),
])
def test_each_reason_not_to_take_calls(changes: dict[str, Any], why: list[str]) -> None:
    health = healthy(**changes)
    ready, facts = health.ready()
    assert ready is (not why) and facts["why"] == why and health.alive()[0]
    storage = changes.get("storage")
    if storage is not None:
        assert facts["storage"] == {"state": storage.state, "detail": storage.detail, "spooled": 5}


def test_before_the_start_it_is_not_ready() -> None:
    health = healthy()
    health.started = False
    assert health.ready()[1]["why"] == ["starting"]


def test_a_media_thread_without_signs_is_told_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    signs = [True]
    health = healthy(plane=types.SimpleNamespace(sign_of_life=lambda: signs[0]))
    began = time.monotonic()
    now = [began]
    monkeypatch.setattr(room.time, "monotonic", lambda: now[0])
    health.look()
    signs[0] = False
    for second in range(1, 4):
        now[0] = began + second
        health.look()
        assert health.media_alive()
    now[0] = began + room.silent_s_max + 0.1
    alive, facts = health.alive()
    assert not alive and facts == {"alive": False, "media": "stalled", "silent_s": 3.1}
    assert health.ready()[1]["why"] == ["media"]
    signs[0] = True
    health.look()
    assert health.alive()[0]


def test_pages_carry_their_status() -> None:
    async def scene() -> None:
        health = Health(fake(draining=True))
        health.started = True
        pages = health.pages()
        assert list(pages) == ["/metrics", "/health", "/ready"]
        assert (await pages["/health"]())[0] == 200
        status, kind, body = await pages["/ready"]()
        assert (status, kind) == (503, "application/json") and msgspec.json.decode(body)["why"] == ["draining"]

    run(scene())


def test_the_line_for_the_service_manager() -> None:
    health = healthy(draining=True)
    health.server.switch.room.calls = {1: "a call"}
    assert health.words() == "draining, 1 calls, site version-1"
