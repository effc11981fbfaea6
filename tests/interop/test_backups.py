"""A backup under load, a restore, and a report, with the engine that its users see."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from harness.children import until
from harness.rtp import Ear
from harness.server import ROOT, Engine

from tests.bench.bench_records import write

CALLS = 15_000  # 65 MB of records


def test_a_backup_disturbs_no_call_and_comes_back(tmp_path: Path) -> None:
    engine = Engine()
    engine.data.mkdir(mode=0o700, parents=True)
    asyncio.run(write(engine.data / "ringdown.db", CALLS, 500))
    goal = tmp_path / "backup.db"
    with engine, engine.phone("listener", secret=False) as listener, Ear() as ear:
        dialog = listener.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        until(lambda: ear.count() > 20, 3)
        slowest, count, failed, stop = [0.0], [0], list[str](), threading.Event()

        def callers() -> None:
            with engine.phone("caller", secret=False) as phone:
                while not stop.wait(0.05):  # a freed RTP port rests for a minute, and the range is bounded
                    began = time.monotonic()
                    try:
                        assert phone.call("9100").bye().status == 200
                    except AssertionError as error:
                        failed.append(str(error))
                    slowest[0], count[0] = max(slowest[0], time.monotonic() - began), count[0] + 1

        thread = threading.Thread(target=callers)
        thread.start()
        try:
            made = engine.command("backup", str(goal), "--json", seconds=120)
        finally:
            stop.set()
            thread.join(10)
        assert made.returncode == 0, made.stdout + made.stderr
        assert ear.timeline_faults() == [], "the music stumbled"
        dialog.bye()
        assert count[0] > 5 and slowest[0] < 2.0 and not failed, (count, slowest, failed)
        told = json.loads(made.stdout)
        assert told["rows"]["calls"] >= CALLS and goal.stat().st_mode & 0o777 == 0o600
        runtime = engine.ask("status")["runtime"]
        assert runtime["storage"]["state"] == "ok" and runtime["storage"]["lost"] == 0
        refused = engine.command("restore", str(goal), "--replace")
        assert refused.returncode == 1 and "stop it first" in refused.stderr
        listed = json.loads(engine.command("report", "--all", "--by", "tenant", "--json").stdout)
        assert {row["tenant"] for row in listed["rows"]} == {"default", "press", "chess"}
        assert sum(row["offered"] for row in listed["rows"]) == CALLS
        query = "SELECT json_extract(data, '$.act') AS act FROM events WHERE kind = 'engine.records'"
        until(lambda: [row["act"] for row in engine.rows(query)] == ["backup"], 5, what="a note of the backup")

    fresh = Engine()
    command = [sys.executable, "-m", "engine", "restore", str(goal), "--data", str(fresh.data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    with fresh, fresh.phone("caller", secret=False) as phone:
        phone.call("9100").bye()
        assert fresh.last_call(dialled="9100")["caller"] == "caller"
        (counted,) = fresh.rows("SELECT count(*) AS calls FROM calls")
        assert counted["calls"] > told["rows"]["calls"] and fresh.ask("status")["switch"]["storage"] == "ok"
