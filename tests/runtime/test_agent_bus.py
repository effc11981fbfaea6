"""Agents over the bus against mosquitto, by the access list that hardware/ ships: states, commands, last wills."""

from __future__ import annotations

import asyncio
import getpass
import json
import shutil
import socket
import types
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt.client
import pytest

from engine.call.effects import Reply
from engine.dialplan.bus import BusModel
from engine.runtime import agent_bus as room
from engine.runtime import bus as bus_room
from engine.runtime.admin import Answer, Request, answer, refusal
from engine.runtime.agent_bus import answer_topic, request_of
from engine.runtime.bus import Bus
from tests.house.source import ROOT
from tests.runtime.fakes import event, quiet_log, run, site, until

ROWS = [{"agent": number, "tenant": "default", "name": f"Agent {number}", "state": "ready", "reason": "", "seconds": 5,
         "logged_in": True, "reachable": True} for number in ("200", "201")]  # fmt: skip
OWN = "ringdown/agent/default/201/"


class Engine:
    """What the bus needs of a server; `asked` is what came to the desk."""

    def __init__(self) -> None:
        self.options, self.boot, self.site = types.SimpleNamespace(node="a"), "b1", site()
        self.secrets = types.SimpleNamespace(bus_password=lambda name: "ringdown")
        self.log, self.printed = quiet_log()
        self.loop = asyncio.get_running_loop()
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.rows: list[dict[str, Any]] = ROWS
        self.desk = types.SimpleNamespace(handle=self.handle)

    async def handle(self, author: str, request: Request) -> Answer:
        self.asked.append((author, request.verb, request.arguments))
        if request.arguments.get("reason") == "unknown":
            return refusal("no reason 'unknown'")
        return answer({"agent": request.arguments["agent"], "done": "done", "undo": "ringdown agent"})

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        return Reply(1, True, json.dumps(self.rows if verb == "agents" else []).encode())

    def verbs(self, agent: str = "default/201") -> list[str]:
        return [verb for _, verb, arguments in self.asked if arguments["agent"] == agent]


@asynccontextmanager
async def broker(folder: Path, port: int) -> AsyncIterator[None]:
    """mosquitto by hardware/mqtt: its access list as it is, its configuration with this test's port and files."""
    users = folder / "users"
    if not users.exists():
        for number, user in enumerate(("ringdown", "201", "200", "wallboard", "press-301", "ops")):
            first = ("-c",) if number == 0 else ()
            made = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", *first, str(users), user, user)
            assert await made.wait() == 0
        users.chmod(0o644)
        shutil.copy(ROOT / "hardware/mqtt/agents.acl", folder / "agents.acl")
        (folder / "agents.acl").chmod(0o644)
        (folder / "kept").mkdir()
    text = (ROOT / "hardware/mqtt/mosquitto.conf").read_text()
    kept = [line for line in text.splitlines() if not line.startswith(("listener", "certfile", "keyfile"))]
    text = "\n".join([f"user {getpass.getuser()}", f"listener {port} 127.0.0.1", *kept]) + "\n"
    for old, new in (("/etc/mosquitto/ringdown.users", users), ("/etc/mosquitto/agents.acl", folder / "agents.acl"),
                     ("/var/lib/mosquitto/", f"{folder / 'kept'}/")):  # fmt: skip
        assert text.count(str(old)) >= 1
        text = text.replace(str(old), str(new))
    (folder / "mosquitto.conf").write_text(text)
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    child = await asyncio.create_subprocess_exec(
        program, "-c", str(folder / "mosquitto.conf"), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            await asyncio.sleep(0.02)
        yield
    finally:
        child.terminate()
        await child.wait()


def program(port: int, user: str, *, here: bool = False) -> aiomqtt.Client:
    """An agent's program, or a wallboard; `here`: with a last will."""
    will = aiomqtt.Will(f"ringdown/agent/default/{user}/here", b"offline", 1, True) if here else None
    return aiomqtt.Client("127.0.0.1", port, username=user, password=user, identifier=f"{user}-{here}",
                          protocol=aiomqtt.ProtocolVersion.V5, will=will)  # fmt: skip


def asking(topic: str, correlation: bytes = b"7") -> Any:
    found = vars(aiomqtt.client)["Properties"](bus_room.PUBLISH)
    found.ResponseTopic, found.CorrelationData = topic, correlation
    return found


async def next_of(client: aiomqtt.Client, topic: str) -> Any:
    """The next message of a topic."""
    async with asyncio.timeout(8):
        async for message in client.messages:
            if str(message.topic) == topic:
                return message
    raise AssertionError(topic)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        found = sock.getsockname()[1]
    yield found


def model(port: int, grace_ms: int = 300) -> BusModel:
    return BusModel("127.0.0.1", port, user="ringdown", agents=True, grace_ms=grace_ms)


@asynccontextmanager
async def served(engine: Engine, port: int, grace_ms: int = 300) -> AsyncIterator[Bus]:
    bus = Bus(engine)  # type: ignore[arg-type]
    bus.use(model(port, grace_ms))
    await until(lambda: bus.state == "connected", 10)
    try:
        yield bus
    finally:
        await bus.close()


@pytest.mark.interop
def test_states_are_retained_and_commands_answered_where_they_ask(tmp_path: Path, port: int) -> None:
    async def work() -> None:
        engine = Engine()
        async with broker(tmp_path, port), served(engine, port) as bus, program(port, "201") as ana:
            await ana.subscribe("ringdown/state/agent/default/201", 1)
            state = json.loads((await next_of(ana, "ringdown/state/agent/default/201")).payload)
            assert (state["state"], state["name"], state["logged_in"]) == ("ready", "Agent 201", True)
            bus.agents.feed(event(1, "agent.state", agent="default/201", name="", old="ready", new="talking",
                                  reason="", queue="default/support"))  # fmt: skip
            state = json.loads((await next_of(ana, "ringdown/state/agent/default/201")).payload)
            assert (state["state"], state["since_ms"]) == ("talking", 1_700_000_000_001)

            await ana.subscribe(f"{OWN}mine/#", 1)
            await ana.subscribe(f"{OWN}answer", 1)
            command = '{"do": "not-ready", "reason": "lunch"}'
            await ana.publish(f"{OWN}set", command, 1, properties=asking(f"{OWN}mine/1", b"\x00\xffid"))
            reply = await next_of(ana, f"{OWN}mine/1")
            assert json.loads(reply.payload) == {"ok": True, "agent": "default/201", "done": "done"}
            assert reply.properties.CorrelationData == b"\x00\xffid" and not reply.retain
            assert engine.asked == [
                ("agent default/201", "agent.not_ready", {"agent": "default/201", "reason": "lunch"})
            ]  # fmt: skip
            await ana.publish(f"{OWN}set", "ready", 1)
            assert json.loads((await next_of(ana, f"{OWN}answer")).payload)["ok"]
            await ana.publish(f"{OWN}set", command.replace("lunch", "unknown"), 1)
            told = json.loads((await next_of(ana, f"{OWN}answer")).payload)
            assert told == {"ok": False, "error": "no reason 'unknown'"}
            # the engine may write where he may not: it writes to nobody else for him
            asked = len(engine.asked)
            await ana.publish(f"{OWN}set", "ready", 1, properties=asking("ringdown/agent/default/200/set"))
            told = json.loads((await next_of(ana, f"{OWN}answer")).payload)
            assert told["error"] == f"a response topic lies below {OWN}" and len(engine.asked) == asked

    run(work(), 40)


@pytest.mark.interop
def test_the_access_list_lets_each_agent_speak_for_himself_alone(tmp_path: Path, port: int) -> None:
    async def work() -> None:
        engine = Engine()
        async with broker(tmp_path, port), served(engine, port), program(port, "201") as ana:
            async with program(port, "wallboard") as board, program(port, "press-301") as other:
                for client in (ana, board, other):
                    await client.publish("ringdown/agent/default/200/set", "logout", 1)
                    await client.publish("ringdown/set/notice/default/storm", "on", 1)
                    await client.publish("ringdown/state/agent/default/200", "forged", 1, retain=True)
                await board.subscribe("ringdown/#", 1)
                await board.publish(f"{OWN}set", "logout", 1)
                await ana.publish(f"{OWN}set", "ready", 1)
                await until(lambda: engine.asked, 8)
                seen = [str((await next_of(board, f"ringdown/state/agent/default/{number}")).payload, "utf-8")
                        for number in ("200", "201")]  # fmt: skip
            assert [json.loads(text)["agent"] for text in seen] == ["200", "201"]
            assert engine.asked == [("agent default/201", "agent.ready", {"agent": "default/201"})]

    run(work(), 40)


@pytest.mark.interop
def test_alerts_are_for_ops_alone(tmp_path: Path, port: int) -> None:
    """They name callers and places: the access list keeps them from agents and wallboards."""

    async def work() -> None:
        engine = Engine()
        async with broker(tmp_path, port), program(port, "ops") as ops, program(port, "wallboard") as board:
            for client in (ops, board):
                await client.subscribe("ringdown/#", 1)
            async with served(engine, port) as bus:
                bus.feed(event(1, "engine.blocked", "", source="203.0.113.5", kind="flood", detail="too many"))
                told = json.loads((await next_of(ops, "ringdown/alert/block")).payload)
            assert (told["event"], told["source"]) == ("engine.blocked", "203.0.113.5")
            seen = list[str]()
            while "ringdown/node/a:offline" not in seen:  # the engine's last word
                message = await asyncio.wait_for(anext(board.messages), 8)
                seen.append(f"{message.topic}:{bytes(message.payload).decode()}")
            assert not [each for each in seen if "/alert/" in each]

    run(work(), 40)


@pytest.mark.interop
def test_a_last_will_pauses_after_the_grace_and_his_return_ends_it(tmp_path: Path, port: int) -> None:
    async def lose() -> None:
        """His program dies without a word: its socket just ends."""
        client = program(port, "201", here=True)
        with suppress(aiomqtt.MqttError):
            await client.__aenter__()
            await client.publish(f"{OWN}here", "online", 1, retain=True)
            await asyncio.sleep(0.1)
            sock = client._client.socket()
            assert sock is not None
            sock.shutdown(socket.SHUT_RDWR)
            await client.__aexit__(None, None, None)

    async def work() -> None:
        engine = Engine()
        async with broker(tmp_path, port), served(engine, port, 600):
            await lose()
            await until(lambda: engine.verbs() == ["agent.found"], 8)  # and the grace runs
            async with program(port, "201", here=True) as ana:
                await ana.publish(f"{OWN}here", "online", 1, retain=True)
                await asyncio.sleep(0.9)
                assert engine.verbs() == ["agent.found", "agent.found"], "he was back in time"
                await ana.publish(f"{OWN}here", b"", 1, retain=True)  # and now he goes as he should
            await asyncio.sleep(0.9)
            assert "agent.lost" not in engine.verbs()
            await lose()
            await until(lambda: "agent.lost" in engine.verbs(), 8)
            assert engine.asked[-1] == ("mqtt", "agent.lost", {"agent": "default/201"})
            assert "his program is gone without a word" in engine.printed.getvalue()
            async with program(port, "201") as ana:  # the will was heard, so it is told to nobody any more
                await ana.subscribe(f"{OWN}here", 1)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(next_of(ana, f"{OWN}here"), 0.3)

    run(work(), 40)


@pytest.mark.interop
def test_a_broker_that_goes_pauses_nobody_and_is_told_all_when_it_is_back(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_room, "backoff_s_min", 0.05)
    monkeypatch.setattr(bus_room, "backoff_s_max", 0.1)
    monkeypatch.setattr(room, "return_s_min", 0.5)

    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        bus.use(model(port))
        await until(lambda: bus.state == "down", 8)  # nobody is there yet, and the engine goes on
        async with broker(tmp_path, port):
            await until(lambda: bus.state == "connected", 8)
            for number in ("200", "201"):
                async with program(port, number) as client:
                    await client.publish(f"ringdown/agent/default/{number}/here", "online", 1, retain=True)
            await until(lambda: len(engine.asked) == 2, 8)
        await until(lambda: bus.state == "down", 8)
        await asyncio.sleep(0.6)
        bus.agents.feed(event(9, "agent.state", agent="default/200", name="", old="ready", new="not_ready",
                              reason="lunch", queue=""))  # fmt: skip
        assert "agent.lost" not in engine.verbs("default/200") + engine.verbs()
        shutil.rmtree(tmp_path / "kept")
        (tmp_path / "kept").mkdir()  # a broker that has forgotten everything
        engine.rows = [ROWS[0] | {"state": "not_ready", "reason": "lunch"}, ROWS[1]]
        async with broker(tmp_path, port), program(port, "200", here=True) as client:
            await client.publish("ringdown/agent/default/200/here", "online", 1, retain=True)
            await until(lambda: "agent.lost" in engine.verbs(), 8)  # his program alone never came back
            assert "agent.lost" not in engine.verbs("default/200")
            await client.subscribe("ringdown/state/agent/default/200", 1)
            state = json.loads((await next_of(client, "ringdown/state/agent/default/200")).payload)
            assert (state["state"], state["reason"]) == ("not_ready", "lunch")
            await bus.close()

    run(work(), 40)


def test_agents_are_on_the_bus_only_where_the_site_says_so() -> None:
    async def work() -> None:
        bus = Bus(Engine())  # type: ignore[arg-type]
        bus.agents.use(BusModel("h"))
        await bus.agents.tell_all()
        assert bus.agents.topics() == [] and bus._states == {}
        bus.agents.use(BusModel("h", agents=True))
        assert bus.agents.topics() == ["ringdown/agent/+/+/set", "ringdown/agent/+/+/here"]

    run(work())


def test_a_site_that_takes_agents_off_the_bus_leaves_no_old_states_there() -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        bus.use(BusModel("127.0.0.1", 9, agents=True))
        await bus.agents.tell_all()
        bus.use(BusModel("127.0.0.1", 9))
        assert bus._states == {f"ringdown/state/agent/default/{number}": b"" for number in ("200", "201")}
        bus.use(BusModel("127.0.0.1", 9, agents=True))
        await bus.agents.tell_all()
        bus.use(BusModel("127.0.0.1", 10))
        assert bus._states == {}, "another broker never heard of them"
        await bus.close()

    run(work())


def test_too_many_commands_are_refused_and_strangers_are_nobody() -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        bus.model = BusModel("h", agents=True)
        bus.agents.use(bus.model)
        message = types.SimpleNamespace(payload=b"ready", retain=False, properties=None)
        for _ in range(3 * room.commands_per_s_max):
            await bus.agents.take(f"{OWN}set", message)
        assert len(engine.asked) <= 2 * room.commands_per_s_max, "two seconds at most were touched"
        assert any(b"commands a second" in each.payload for each in bus.agents.outgoing)
        await bus.agents.take("ringdown/agent/default/999/set", message)
        assert b"no agent default/999" in bus.agents.outgoing[-1].payload
        await bus.agents.take("ringdown/agent/default/999/here", types.SimpleNamespace(payload=b"offline"))
        assert not bus.agents._graces
        message.retain = True
        await bus.agents.take("ringdown/agent/default/200/set", message)
        assert b"a retained command is ignored" in bus.agents.outgoing[-1].payload

    run(work())


def test_who_came_back_during_his_conversation_is_ready_after_it() -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        bus.model = BusModel("h", agents=True)
        bus.agents.use(bus.model)
        await bus.agents.tell_all()
        await bus.agents.take(f"{OWN}here", types.SimpleNamespace(payload=b"online"))
        bus.agents.feed(event(3, "agent.state", agent="default/201", name="", old="talking", new="not_ready",
                              reason="lost", queue=""))  # fmt: skip
        await until(lambda: engine.verbs() == ["agent.found"] * 2)
        engine.rows = ROWS[:1]
        await bus.agents.tell_all()
        assert bus._states["ringdown/state/agent/default/201"] == b"", "a site that has him no more takes him away"

    run(work())


@pytest.mark.parametrize(("payload", "words"), [
    (b"{", "not JSON"), (b"password", "no command 'password'"), (b'{"do": 1}', "no command '1'"),
    (b'{"do": "ready", "agent": "default/200"}', "ready takes no 'agent'"),
    (b'{"do": "not-ready", "minutes": -1}', "whole number"), (b'{"do": "not-ready", "reason": 1}', "reason is a text"),
    (b"x" * 1_025, "too many"),
])  # fmt: skip
def test_commands_that_cannot_be_meant(payload: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        request_of("default/201", payload, 1_000.0)


def test_what_commands_become() -> None:
    found = request_of("default/201", b'{"do": "not-ready", "reason": "lunch", "minutes": 30}', 1_000.0)
    assert found == Request("agent.not_ready", {"agent": "default/201", "reason": "lunch", "until_ms": "2800000"})
    assert request_of("default/201", b" ready\n", 0.0) == Request("agent.ready", {"agent": "default/201"})


@pytest.mark.parametrize("topic", [
    "ringdown/agent/default/200/x", OWN, f"{OWN}set", f"{OWN}here", f"{OWN}+", f"{OWN}a\n", OWN + "x" * 300,
])  # fmt: skip
def test_where_no_answer_goes(topic: str) -> None:
    with pytest.raises(ValueError, match="a response topic lies below"):
        answer_topic(topic, OWN)
    assert answer_topic(f"{OWN}a/b", OWN) == f"{OWN}a/b"
