"""Agents' places in tests: registered, and left as they were found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.children import until
from harness.phone import Phone
from harness.ports import free_port
from harness.server import Engine
from harness.sipp import Sipp


@contextmanager
def desk(engine: Engine, user: str, *, transport: str = "udp", ready: bool = True) -> Iterator[Phone]:
    """A scripted phone registered as agent `user`; unregistered and logged out afterwards."""
    with engine.phone(user, transport=transport) as phone:
        reply = phone.register()
        assert reply.status == 200, f"REGISTER of {user}: {reply.start}"
        if ready:
            engine.login(user)
            until(lambda: engine.agent_state(user) != "logged_out", 3, what=f"agent {user} logged in")
        try:
            yield phone
        finally:
            phone.drain(0.2)
            phone.register(expires=0, contact="*")
            engine.logout(user)


@contextmanager
def sipp_desk(engine: Engine, user: str, folder: Path, scenario: str, **more: Any) -> Iterator[Sipp]:
    """SIPp playing `scenario` as the registered phone of agent `user` (a scripted phone registers its port)."""
    port = free_port()
    with engine.phone(user, port=port) as phone:
        reply = phone.register()
        assert reply.status == 200, f"REGISTER of {user}: {reply.start}"
        engine.login(user)
        engine.wait_agent(user, "ready")
        phone.drain(0.3)  # the first OPTIONS, if it comes at once
    try:
        with Sipp(folder, scenario, port=port, **{"seconds": 30, "more": ("-aa",), **more}) as sipp:
            time.sleep(0.3)
            yield sipp
    finally:
        with engine.phone(user, port=port) as phone:
            phone.register(expires=0, contact="*")
            phone.drain(0.2)
        engine.logout(user)
