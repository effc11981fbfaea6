"""A real agent at a real engine, over mosquitto: he commands himself, is lost, and is ready again when he is back."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import aiomqtt
from harness.children import until
from harness.ports import free_port
from harness.server import ROOT, Engine
from test_edge import guess

from tests.runtime.fakes import run
from tests.runtime.test_agent_bus import OWN, asking, broker, next_of, program

GRACE_S = 1.0


def test_an_agents_day_over_the_bus(tmp_path: Path) -> None:
    port = free_port()
    text = f"bus: {{broker: '127.0.0.1:{port}', user: ringdown, agents: yes, grace: {GRACE_S:g}s}}\nnumbers:\n"

    async def work(engine: Engine) -> None:
        in_thread = asyncio.to_thread
        async with broker(tmp_path, port):
            done = await in_thread(engine.command, "status")
            assert done.returncode == 0  # it serves without a broker, and meets the one that comes late
            with suppress(aiomqtt.MqttError):
                async with program(port, "201", here=True) as ana:
                    await ana.subscribe(f"{OWN}answer", 1)
                    await ana.subscribe("ringdown/state/agent/default/201", 1)
                    await ana.publish(f"{OWN}here", "online", 1, retain=True)
                    state = json.loads((await next_of(ana, "ringdown/state/agent/default/201")).payload)
                    assert state["state"] == "logged_out"
                    await ana.publish(f"{OWN}set", "login", 1, properties=asking(f"{OWN}answer", b"one"))
                    reply = await next_of(ana, f"{OWN}answer")
                    assert json.loads(reply.payload)["ok"] and reply.properties.CorrelationData == b"one"
                    await ana.subscribe("ringdown/state/agent/default/201", 1)  # retained: as he is now
                    while state["state"] != "ready":
                        state = json.loads((await next_of(ana, "ringdown/state/agent/default/201")).payload)
                    sock = ana._client.socket()
                    assert sock is not None
                    sock.shutdown(socket.SHUT_RDWR)  # his machine dies: nothing is said to the broker
            lost = time.monotonic()
            await in_thread(engine.wait_agent, "201", "not_ready", seconds=GRACE_S + 4)
            assert time.monotonic() - lost > GRACE_S - 0.2
            row = await in_thread(engine.agent, "201")
            assert row["reason"] == "lost"
            async with program(port, "201", here=True) as ana:
                await ana.publish(f"{OWN}here", "online", 1, retain=True)
                await in_thread(engine.wait_agent, "201", "ready", seconds=5)
                # neither a dead broker nor its return is an absence of his
                await ana.publish(f"{OWN}here", b"", 1, retain=True)
        await asyncio.sleep(GRACE_S + 0.5)
        assert (await in_thread(engine.agent, "201"))["state"] == "ready"
        paused = [row["data"] for row in engine.rows("SELECT data FROM events WHERE kind = 'agent.paused'")]
        reasons = [json.loads(data)["reason"] for data in paused]
        assert reasons[0] == "lost" and len(reasons) == 2, reasons

    with Engine(edits={"site.yaml": ("numbers:\n", text)}) as engine:
        command = [sys.executable, "-m", "engine", "secret", "set", "bus", "--data", str(engine.data)]
        subprocess.run(command, cwd=ROOT, input="ringdown\n", text=True, check=True, timeout=20, capture_output=True)
        with engine.phone("201") as phone:
            assert phone.register().status == 200
            until(lambda: engine.agent("201")["reachable"], 5, what="his phone can be rung")
            run(work(engine), 60)


def test_ops_are_alerted_to_fraud_and_to_a_guesser(tmp_path: Path) -> None:
    """201 may dial one premium number and tries a second; somebody guesses passwords: mosquitto has it at once."""
    port = free_port()
    bus = f"bus: {{broker: '127.0.0.1:{port}', user: ringdown, agents: yes}}\n"
    rule = "fraud:\n  premium:\n    to: ['+49900.']\n    calls_total: {warn: 1, stop: 1}\n"
    engine = Engine(edits={"site.yaml": ("numbers:\n", f"{bus}{rule}numbers:\n")})
    plan = "numbers: {country: de, format: national, area: '30'}"
    (engine.site / "trunks.yaml").write_text(f"attic: {{host: 127.0.0.9, port: {free_port()}, {plan}}}\n")
    (engine.site / "outbound.yaml").write_text("0x.: {trunk: attic, strip: 1}\n")

    async def work() -> None:
        in_thread = asyncio.to_thread
        async with broker(tmp_path, port), program(port, "ops") as ops:
            await ops.subscribe("ringdown/alert/#", 1)
            await in_thread(until, lambda: "bus: connected" in engine.output(), 10, what="the bus is connected")
            with engine.phone("201") as phone, engine.phone("207") as thief:
                assert (await in_thread(phone.register)).status == 200
                first = await in_thread(phone.place, "009001234567")
                await in_thread(first.expect, 100)
                first.cancel()
                second = await in_thread(phone.place, "009001234567")
                assert (await in_thread(second.expect, 403)).status == 403
                second.ack()
                fraud = [json.loads((await next_of(ops, "ringdown/alert/fraud")).payload) for _ in range(2)]
                await in_thread(guess, thief, 60)
                block = json.loads((await next_of(ops, "ringdown/alert/block")).payload)
        assert [each["event"] for each in fraud] == ["fraud.warned", "fraud.stopped"]
        assert fraud[1]["rule"] == "premium" and fraud[1]["caller"].endswith("201") and fraud[1]["most"] == 1
        assert (block["event"], block["source"], block["kind"]) == ("engine.blocked", "127.0.0.1", "guessing")

    with engine:
        command = [sys.executable, "-m", "engine", "secret", "set", "bus", "--data", str(engine.data)]
        subprocess.run(command, cwd=ROOT, input="ringdown\n", text=True, check=True, timeout=20, capture_output=True)
        run(work(), 60)
