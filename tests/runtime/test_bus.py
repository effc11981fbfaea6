"""The bus against mosquitto, with mosquitto_pub and mosquitto_sub as other programs: commands, states, dead brokers."""

from __future__ import annotations

import asyncio
import getpass
import json
import shutil
import socket
import types
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from engine.call.effects import Reply
from engine.dialplan.bus import BusModel
from engine.records.events import Event
from engine.runtime import bus as room
from engine.runtime.admin import Answer, Request, answer, refusal
from engine.runtime.bus import Bus, request_of
from tests.runtime.fakes import event, quiet_log, run, until

ROWS = [{"switch": "notice", "name": "default/storm", "state": "off", "author": "", "until_ms": 0}]


class Engine:
    """What the bus needs of a server; the desk's answer is its own."""

    def __init__(self) -> None:
        self.options = types.SimpleNamespace(node="a")
        self.boot = "b1"
        self.password = ""
        self.secrets = types.SimpleNamespace(bus_password=lambda name: self.password)
        self.log, self.printed = quiet_log()
        self.loop = asyncio.get_running_loop()
        self.asked: list[tuple[str, Request]] = []
        self.rows: list[dict[str, Any]] = ROWS
        self.desk = types.SimpleNamespace(handle=self.handle)

    async def handle(self, author: str, request: Request) -> Answer:
        self.asked.append((author, request))
        if request.arguments["state"] == "on":
            return answer({"done": "on", "undo": "off"})
        return refusal("no such thing")

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        assert verb == "overrides"
        return Reply(1, True, json.dumps(self.rows).encode())


@asynccontextmanager
async def broker(folder: Path, port: int, users: str = "") -> AsyncIterator[None]:
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    anonymous = "false" if users else "true"
    lines = [f"user {getpass.getuser()}", f"listener {port} 127.0.0.1", f"allow_anonymous {anonymous}"]
    if users:
        (folder / "users").write_text(users)
        (folder / "users").chmod(0o644)
        lines.append(f"password_file {folder / 'users'}")
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    child = await asyncio.create_subprocess_exec(
        program, "-c", str(folder / "mosquitto.conf"), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            await asyncio.sleep(0.02)
        yield
    finally:
        child.terminate()
        await child.wait()


async def publish(port: int, topic: str, text: str, *more: str) -> None:
    child = await asyncio.create_subprocess_exec(
        "mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-m", text, "-q", "1", *more
    )
    assert await child.wait() == 0


async def heard(port: int, topic: str, count: int = 1) -> list[tuple[str, str]]:
    """So many messages below a topic, as another program gets them."""
    child = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-v", "-C", str(count), "-W", "8",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await child.communicate()
    lines = [line.partition(" ") for line in out.decode().splitlines()]
    return [(topic, payload) for topic, _, payload in lines]


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        found = sock.getsockname()[1]
    yield found


def switched(n: int, state: str) -> Event:
    return event(n, "operator.switch", "", switch="notice", name="default/storm", state=state, author="ann",
                 reason="Power", until_ms=99)  # fmt: skip


@pytest.mark.interop
def test_commands_come_in_and_states_go_out(tmp_path: Path, port: int) -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        async with broker(tmp_path, port):
            bus.use(BusModel("127.0.0.1", port))
            await until(lambda: bus.state == "connected")
            assert dict(await heard(port, "ringdown/#", 2)).keys() == {
                "ringdown/node/a", "ringdown/state/notice/default/storm",
            }  # fmt: skip
            answers = asyncio.create_task(heard(port, "ringdown/answer", 3))
            await asyncio.sleep(0.3)
            await publish(port, "ringdown/set/notice/default/storm", '{"state": "on", "text": "Power", "by": "Hill"}')
            await publish(port, "ringdown/set/hours/default/office", "shut")
            await publish(port, "ringdown/set/hours/default/office", "closed", "-r")  # as it is published, it counts
            told = [json.loads(payload) for _, payload in await answers]
            assert told[0] == {"command": "ringdown/set/notice/default/storm", "ok": True, "done": "on", "undo": "off"}
            assert not told[1]["ok"] and told[1]["error"] == "no such thing"
            assert [(author, each.verb, each.arguments) for author, each in engine.asked][:2] == [
                ("mqtt", "notice", {"notice": "default/storm", "state": "on", "text": "Power", "by": "Hill"}),
                ("mqtt", "hours.set", {"calendar": "default/office", "state": "shut"}),
            ]  # fmt: skip
            bus.feed(switched(1, "on"))
            await asyncio.sleep(0.2)
            ((_, payload),) = await heard(port, "ringdown/state/notice/default/storm")
            assert json.loads(payload)["state"] == "on" and json.loads(payload)["until_ms"] == 99
            await bus.close()
            assert await heard(port, "ringdown/node/a") == [("ringdown/node/a", "offline")]

    run(work(), 30)


@pytest.mark.interop
def test_a_broker_that_comes_late_or_goes_is_met_again(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "backoff_s_min", 0.05)
    monkeypatch.setattr(room, "backoff_s_max", 0.1)

    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        bus.use(BusModel("127.0.0.1", port))
        await until(lambda: bus.state == "down")
        bus.feed(switched(1, "on"))
        engine.rows = [ROWS[0] | {"state": "on"}]
        for _ in range(2):
            async with broker(tmp_path, port):
                await until(lambda: bus.state == "connected", 10)
                await asyncio.sleep(0.2)
                ((_, payload),) = await heard(port, "ringdown/state/notice/default/storm")
                assert json.loads(payload)["state"] == "on"
            await until(lambda: bus.state == "down", 10)
        assert engine.printed.getvalue().count("it is tried again") == 3  # once for each outage
        await bus.close()

    run(work(), 40)


@pytest.mark.interop
def test_a_retained_command_of_yesterday_is_not_carried_out(tmp_path: Path, port: int) -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        async with broker(tmp_path, port):
            await publish(port, "ringdown/set/notice/default/storm", "on", "-r")
            bus.use(BusModel("127.0.0.1", port))
            await until(lambda: "retained command is ignored" in engine.printed.getvalue())
            assert engine.asked == []
            await bus.close()

    run(work(), 20)


@pytest.mark.interop
def test_the_password_and_a_wrong_one(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "backoff_s_min", 0.05)
    # made by mosquitto_passwd for the password of this test, which guards nothing
    users = tmp_path / "made"

    async def work() -> None:
        made = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", str(users), "us", tmp_path.name)
        assert await made.wait() == 0
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        async with broker(tmp_path, port, users.read_text()):
            engine.password = "wrong"
            bus.use(BusModel("127.0.0.1", port, user="us"))
            await until(lambda: bus.state == "down", 10)
            engine.password = tmp_path.name
            await until(lambda: bus.state == "connected", 10)
            assert tmp_path.name not in engine.printed.getvalue()
            await bus.close()

    run(work(), 30)


def test_no_bus_is_no_work() -> None:
    async def work() -> None:
        bus = Bus(Engine())  # type: ignore[arg-type]
        bus.use(None)
        bus.feed(switched(1, "on"))
        assert bus.state == "none" and bus._states == {}
        await bus.close()

    run(work())


@pytest.mark.parametrize(("payload", "words"), [
    (b"{", "not JSON"), (b'{"state": 1}', "state is a text"), (b'{"file": "/etc/passwd"}', "unknown key 'file'"),
    (b'{"recording": "/etc/passwd"}', "unknown key 'recording'"), (b'{"minutes": -1}', "whole number"),
    (b'{"minutes": true}', "whole number"), (b"x" * 5_000, "too many"),
])  # fmt: skip
def test_commands_that_cannot_be_meant(payload: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        request_of("notice/default/storm", payload, 1_000.0)


def test_times_of_a_command() -> None:
    request = request_of("hours/press/office", b'{"state": "closed", "minutes": 90}', 1_000.0)
    assert (request.verb, request.arguments) == (
        "hours.set", {"calendar": "press/office", "state": "closed", "until_ms": str(1_000_000 + 5_400_000)},
    )  # fmt: skip
    assert request_of("notice/a/b", b'{"state": "on", "until_ms": 7}', 0).arguments["until_ms"] == "7"


class Client:
    """A broker's messages as the client gives them, and what was published."""

    def __init__(self, *messages: tuple[str, bytes, bool]) -> None:
        self.given = messages
        self.out: list[tuple[str, bytes]] = []

    @property
    async def messages(self) -> AsyncIterator[Any]:
        for topic, payload, retain in self.given:
            yield types.SimpleNamespace(topic=topic, payload=payload, retain=retain)

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
        self.out.append((topic, payload))


def test_answers_and_the_newest_state_of_each_topic() -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        model = bus.model = BusModel("h", topic="acme")
        client = Client(("acme/set/notice/default/storm", b"on", False), ("acme/set/notice/default/storm", b"on", True))
        await bus._read(client, model)
        assert len(engine.asked) == 1 and engine.asked[0][1].arguments == {"notice": "default/storm", "state": "on"}
        for state in ("on", "default"):
            bus.feed(switched(1, state))
        writer = asyncio.create_task(bus._write(client, model))
        await until(lambda: len(client.out) == 3)
        writer.cancel()
        assert [json.loads(payload)["ok"] for topic, payload in client.out if topic == "acme/answer"] == [True, False]
        topic, payload = client.out[-1]
        assert topic == "acme/state/notice/default/storm" and json.loads(payload)["state"] == "off"

    run(work())


def test_what_a_reload_takes_away_is_taken_from_the_broker() -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        bus.model = BusModel("h")
        await bus._tell_all()
        engine.rows = []
        await bus._tell_all()
        assert bus._states == {"ringdown/state/notice/default/storm": b""}

    run(work())


@pytest.mark.interop
def test_alerts_wait_for_the_broker_and_come_once_in_order(tmp_path: Path, port: int) -> None:
    async def work() -> None:
        engine = Engine()
        bus = Bus(engine)  # type: ignore[arg-type]
        bus.model = BusModel("nowhere.test", topic="acme")  # the one of before, which nobody reaches
        bus.feed(event(1, "fraud.stopped", "bako-0", rule="premium", caller="default/201", number="+4490123",
                       trunk="attic", limit="calls_total", count=2, most=1))  # fmt: skip
        bus.feed(event(2, "engine.blocked", "", source="203.0.113.5", kind="guessing", detail="wrong passwords"))
        async with broker(tmp_path, port):
            async with aiomqtt.Client("127.0.0.1", port) as ops:
                await ops.subscribe("acme/alert/#", 1)
                bus.use(BusModel("127.0.0.1", port, topic="acme"))
                told = [await anext(ops.messages) for _ in range(2)]
                await until(lambda: not bus.alerts.waiting)
            got = [(str(each.topic), bytes(each.payload)) for each in told]
        assert [topic for topic, _ in got] == ["acme/alert/fraud", "acme/alert/block"]
        fraud, block = (json.loads(payload) for _, payload in got)
        assert (fraud["event"], fraud["rule"], fraud["call"]) == ("fraud.stopped", "premium", "bako-0")
        assert (block["event"], block["kind"], block["node"]) == ("engine.blocked", "guessing", "a")
        await bus.close()

    run(work(), 30)


def test_alerts_are_not_kept_where_no_broker_is_named() -> None:
    async def work() -> None:
        bus = Bus(Engine())  # type: ignore[arg-type]
        bus.feed(event(2, "engine.blocked", "", source="203.0.113.5", kind="guessing", detail="wrong passwords"))
        assert not bus.alerts.waiting

    run(work())
