"""Write `vN.db` beside this file: a small record store in the schema of this checkout, by its own Storage.

    .venv/bin/python tests/vectors/records/make.py

Run it before the schema changes, commit the file, and never write it again: it stands for the stores in the field.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from engine.records import schema  # noqa: E402
from engine.records.events import Event  # noqa: E402
from engine.runtime.storage import Storage  # noqa: E402

START_MS = 1_750_000_000_000  # 2025-06-15
AGENT, QUEUE = "default/201", "default/support"


class Story:
    """Events of one boot with their numbers and both clocks."""

    def __init__(self, boot: str) -> None:
        self.boot, self.n, self.now_ms = boot, 0, 1_000
        self.events: list[Event] = []

    def tell(self, kind: str, call: str = "", tenant: str = "default", /, **data: str | int | float | bool | None) -> None:
        self.n += 1
        self.events.append(Event(self.n, self.boot, START_MS + self.now_ms, self.now_ms, kind, tenant, call, data))

    def state(self, old: str, new: str, reason: str = "", queue: str = "") -> None:
        self.tell("agent.state", agent=AGENT, name="Ana", old=old, new=new, reason=reason, queue=queue)

    def wait(self, seconds: int) -> None:
        self.now_ms += seconds * 1000


def begin(story: Story, call: str, caller: str, dialled: str = "700", via: str = "public") -> None:
    story.tell("call.started", call, caller=caller, name="Zoë 王", dialled=dialled, trunk="", via=via,
               peer="udp:192.0.2.7:5060", sip=f"{call}@192.0.2.7")
    story.tell("call.answered", call, after_ms=120)
    story.tell("call.step", call, step="main", text="answer")


def end(story: Story, call: str, outcome: str, **data: str | int) -> None:
    told = {"by": "remote", "cause": 16, "duration_ms": 60_000, "answered_ms": 59_000, "waited_ms": 0, "talked_ms": 0,
            "held_ms": 0, "path": "main", **data}
    story.tell("call.ended", call, outcome=outcome, **told)
    story.tell("call.quality", call, leg="caller", packets_in=3_000, packets_out=2_999, lost=3, jitter_us=900,
               gap_max_us=41_000, ignored=0, digits=1)


def served(story: Story, call: str, caller: str, *, waited_s: int, talked_s: int) -> None:
    begin(story, call, caller)
    story.tell("queue.joined", call, queue=QUEUE, position=1, priority_ms=0, caller=caller)
    story.wait(waited_s)
    story.tell("queue.offered", call, queue=QUEUE, agent=AGENT, offer=story.n)
    story.state("ready", "alerting", "offer", QUEUE)
    story.tell("queue.offer_ended", call, queue=QUEUE, agent=AGENT, offer=story.n, reason="answered", rang_ms=900)
    story.state("alerting", "talking", "answered", QUEUE)
    story.tell("queue.connected", call, queue=QUEUE, agent=AGENT, waited_ms=waited_s * 1000, rang_ms=900)
    story.tell("call.bridged", call, **{"with": "agent 201", "kind": "agent"})
    name = f"recordings/default/{call}-{story.boot}-1.wav"
    story.tell("call.recording", call, name=name, state="started", duration_ms=0)
    story.wait(talked_s)
    story.tell("queue.completed", call, queue=QUEUE, agent=AGENT, by="caller", waited_ms=waited_s * 1000,
               talked_ms=talked_s * 1000)
    story.state("talking", "wrap_up", "call_ended", QUEUE)
    end(story, call, "served", waited_ms=waited_s * 1000, talked_ms=talked_s * 1000, path="main > support 4 s > 201")
    story.wait(30)
    story.state("wrap_up", "ready", "wrap_up_over")


def story() -> list[Event]:
    """Two boots: a served caller, one who comes back, an abandoned one, a refused one, a tenant's, an agent's pause."""
    one = Story("aaaa0001")
    one.tell("engine.started", version="0.1.0", schema=1, addresses="udp:127.0.0.1:5060")
    one.tell("agent.login", agent=AGENT, way="code")
    one.state("logged_out", "ready", "login")
    served(one, "bako-0", "+441514960001", waited_s=4, talked_s=50)
    served(one, "dilo-0", "00441514960001", waited_s=31, talked_s=20)
    begin(one, "fumi-0", "+441514960002")
    one.tell("queue.joined", "fumi-0", queue=QUEUE, position=1, priority_ms=0, caller="+441514960002")
    one.wait(9)
    one.tell("queue.abandoned", "fumi-0", queue=QUEUE, position=1, first_position=1, waited_ms=9_000)
    end(one, "fumi-0", "abandoned", waited_ms=9_000)
    begin(one, "gate-0", "anonymous", dialled="98668")
    one.tell("queue.left", "gate-0", "press", queue="press/orders", reason="full", position=0, first_position=0,
             waited_ms=0, key="")
    end(one, "gate-0", "failed")
    one.tell("agent.paused", agent=AGENT, paused=True, reason="lunch")
    one.state("ready", "not_ready", "lunch")
    two = Story("aaaa0002")
    two.now_ms = 86_400_000
    two.tell("engine.started", version="0.1.0", schema=1, addresses="udp:127.0.0.1:5060")
    two.tell("operator.command", author="ops", verb="agent.ready", arguments="agent=default/201", result="ready")
    two.tell("agent.login", agent=AGENT, way="restored")
    two.state("logged_out", "ready", "login")
    served(two, "bako-0", "+441514960003", waited_s=12, talked_s=100)
    return [*one.events, *two.events]


async def write(path: Path) -> None:
    storage = Storage(path, node="a", told=print)
    try:
        await storage.start()
        for event in story():
            storage.events.append(event)
            if event.n % 7 == 0:
                storage.flush()
    finally:
        await storage.close()


def main() -> None:
    goal = Path(__file__).with_name(f"v{schema.VERSION}.db")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ringdown.db"
        asyncio.run(write(path))
        database = sqlite3.connect(path)
        database.execute("PRAGMA journal_mode=DELETE")  # one file, no -wal beside it
        database.execute("VACUUM")
        database.close()
        goal.write_bytes(path.read_bytes())
    print(f"{goal.name}: {goal.stat().st_size} bytes, {len(story())} events")


if __name__ == "__main__":
    main()
