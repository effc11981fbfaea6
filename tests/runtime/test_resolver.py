"""Names never make the loop wait, and wrong ones cost nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.runtime import resolver as room
from engine.runtime.resolver import Resolver
from tests.runtime.fakes import run, until


def with_names(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> list[str]:
    """Replace the system's resolver; returns the list of questions."""
    asked: list[str] = []

    async def answer(self: Any, host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        await asyncio.sleep(0)
        if host not in names:
            raise OSError("unknown")
        return [(10 if ":" in each else 2, 0, 0, "", (each, 0)) for each in names[host]]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", answer)
    return asked


def test_literal_addresses_are_answered_at_once() -> None:
    async def work() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        assert resolver.numeric("10.0.0.1") == "10.0.0.1"
        assert resolver.numeric("[2001:db8::1]") == "2001:db8::1"
        assert resolver.numeric("pbx.example.com") is None

    run(work())


def test_one_question_for_many_askers_then_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_names(monkeypatch, {"a.example": ["2001:db8::5", "192.0.2.5"]})

    async def work() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        heard: list[str | None] = []
        for _ in range(3):
            resolver.ask("a.example", heard.append)
        await until(lambda: len(heard) == 3)
        assert heard == ["192.0.2.5"] * 3 and asked == ["a.example"]
        assert resolver.numeric("a.example") == "192.0.2.5"
        resolver.ask("a.example", heard.append)
        assert len(heard) == 4 and asked == ["a.example"]

    run(work())


def test_unknown_names_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_names(monkeypatch, {})

    async def work() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        heard: list[str | None] = []
        resolver.ask("nobody.example", heard.append)
        await until(lambda: heard)
        resolver.ask("nobody.example", heard.append)
        assert heard == [None, None] and len(asked) == 1

    run(work())


def test_a_flood_of_names_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with_names(monkeypatch, {})

    async def work() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        heard: list[str | None] = []
        for number in range(room.pending_max + 10):
            resolver.ask(f"host{number}.example", heard.append)
        assert resolver.refused == 10 and heard == [None] * 10
        resolver.ask("host0.example", heard.append)  # joins the one that runs
        for _ in range(room.waiting_per_name_max):
            resolver.ask("host0.example", heard.append)
        assert resolver.refused == 12
        resolver.close()
        await asyncio.sleep(0)

    run(work())


def test_a_monstrous_name_is_never_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_names(monkeypatch, {})

    async def work() -> None:
        heard: list[str | None] = []
        Resolver(asyncio.get_running_loop()).ask("x" * 300, heard.append)
        assert heard == [None] and asked == []

    run(work())
