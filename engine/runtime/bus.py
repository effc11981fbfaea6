"""The bus: commands in and states out over MQTT. The engine runs as well without a broker, or with one that is dead.

Topics, below the site's `topic`:
- `set/notice/TENANT/NAME` with `on`, `off`, or {"state": "on", "text": …, "minutes": 90 | "until_ms": …, "by": …}
- `set/hours/TENANT/CALENDAR` with `open`, `closed`, `auto`, or the same as JSON; a retained command is ignored
- `answer`: what came of a command, {"command": topic, "ok": …, "done" | "error": …}
- `state/notice/TENANT/NAME`, `state/calendar/TENANT/NAME`: retained, what holds now
- `alert/fraud`, `alert/block`, `alert/emergency`: what ops must know of now (`runtime.alerts`)
- `node/NODE`: retained, `online`; `offline` is the will
- `state/agent/…` and `agent/…`: agents, where the site says so (`runtime.agent_bus`); then it is MQTT 5 that is spoken

Who may publish to `set/` is the broker's to say: give the engine's topics an access list.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from engine.dialplan.bus import BusModel
from engine.records.events import Event
from engine.runtime.admin import Request
from engine.runtime.agent_bus import AgentBus
from engine.runtime.alerts import ALERTS, Alerts
from engine.runtime.bus_payload import fields, text_of, until_ms

if TYPE_CHECKING:
    from engine.runtime.server import Server

backoff_s_min, backoff_s_max = 0.5, 30.0
keepalive_s = 15
connect_s_max = 10.0
farewell_s_max = 1.0
payload_bytes_max = 4_096
agents_queue_max = 10_000  # at a connection every agent's presence comes at once
queue_max = 100  # commands that wait; more are dropped by the client, newest first
AUTHOR = "mqtt"
PUBLISH = 3  # the kind of packet (MQTT 5 §2.1.2)
_KINDS = {"notice": "notice", "hours": "calendar"}  # word of a command's topic -> kind of what it switches


class Bus:
    """`use(model)` at every load of a site; `feed(event)` for each event; `await close()` at the end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.model: BusModel | None = None
        self.state, self.detail = "none", ""  # none | connecting | connected | down
        self._task: asyncio.Task[None] | None = None
        self._states: dict[str, bytes] = {}  # topic -> payload that waits to be published
        self._told: dict[str, None] = {}  # topics that the broker retains by our word
        self._answers: list[bytes] = []
        self._wake = asyncio.Event()
        self.agents = AgentBus(self)
        self.alerts = Alerts(server.options.node)

    def use(self, model: BusModel | None) -> None:
        """The site in force names this broker. A changed one is left and the new one joined; states are told anew."""
        gone = self.agents.use(model)
        if model == self.model:
            self._all_anew()
            return
        self.model = model
        self._states.clear()
        self._told.clear()
        if self._task is not None:
            self._task.cancel()
        self.state = "connecting" if model is not None else "none"
        self.detail = ""
        for topic in gone:
            self.put(topic, b"")
        self._task = asyncio.create_task(self._run(model)) if model is not None else None

    def feed(self, event: Event) -> None:
        """A switch was moved: its state goes out, also after an outage. Agents and alerts are told by their parts."""
        if self.model is None:
            return
        if event.kind in ALERTS:
            self.alerts.feed(event)
            self._wake.set()
        elif event.kind.startswith("agent."):
            self.agents.feed(event)
        if event.kind != "operator.switch" or event.data["switch"] not in _KINDS.values():
            return
        data = event.data
        default = "off" if data["switch"] == "notice" else "auto"
        self._put(str(data["switch"]), str(data["name"]), {
            "state": default if data["state"] == "default" else data["state"], "author": data["author"],
            "until_ms": data["until_ms"] or 0, "since_ms": event.at_ms, "text": data["reason"] or "",
        })

    def _put(self, kind: str, name: str, state: dict[str, Any]) -> str:
        assert self.model is not None
        topic = self.put(f"state/{kind}/{name}", msgspec.json.encode(state))
        self._told[topic] = None
        return topic

    def put(self, rest: str, payload: bytes) -> str:
        """Retain `payload` below our topic, b"" takes it away; the newest of each topic goes out. Returns the topic."""
        assert self.model is not None
        topic = f"{self.model.topic}/{rest}"
        self._states[topic] = payload
        self._wake.set()
        return topic

    def wake(self) -> None:
        """Something waits to be sent."""
        self._wake.set()

    def _all_anew(self) -> None:
        if self.state == "connected":
            self.server.loop.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        """Every notice and calendar as it is now."""
        reply = await self.server.ask(AUTHOR, "overrides", {})
        gone = dict(self._told)
        for row in msgspec.json.decode(reply.data) if reply.ok else ():
            gone.pop(self._put(row.pop("switch"), row.pop("name"), row), None)
        for topic in gone:  # no calendar or notice of the site any more: an empty payload takes it from the broker
            self._told.pop(topic)
            self._states[topic] = b""
        await self.agents.tell_all()
        self._wake.set()

    # --- the connection
    async def _run(self, model: BusModel) -> None:
        """Connect, serve, and again: each failure is said once, the pause grows, chance keeps engines apart."""
        import aiomqtt

        pause_s = backoff_s_min
        while True:
            began_s = time.monotonic()
            try:
                await self._connected(model, aiomqtt)
            except Exception as error:  # whatever it is: a bus that stays away must not be the engine's end
                if not isinstance(error, aiomqtt.MqttError | OSError | ValueError):
                    self.server.log.error("bus: a fault of ours", "bus", trace=traceback.format_exc(limit=-4))
                if self.state != "down":
                    self.server.log.warning(f"bus: {model.host}:{model.port}: {error}; calls go on, it is tried again")
                self.state, self.detail = "down", str(error)
                self.agents.away()
            pause_s = backoff_s_min if time.monotonic() - began_s > backoff_s_max else pause_s
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))
            pause_s = min(2 * pause_s, backoff_s_max)

    async def _connected(self, model: BusModel, aiomqtt: Any) -> None:
        node = self.server.options.node
        will = aiomqtt.Will(f"{model.topic}/node/{node}", b"offline", 1, True)
        client = aiomqtt.Client(
            model.host, model.port, username=model.user or None,
            password=self.server.secrets.bus_password(model.secret) or None,
            identifier=f"ringdown-{node}-{self.server.boot}", will=will, keepalive=keepalive_s, timeout=connect_s_max,
            protocol=aiomqtt.ProtocolVersion.V5 if model.agents else None,
            max_queued_incoming_messages=agents_queue_max if model.agents else queue_max,
            logger=logging.getLogger("ringdown.bus"),
            tls_context=ssl.create_default_context() if model.tls else None,
        )
        async with client:
            topics = [f"{model.topic}/set/{word}/+/+" for word in _KINDS] + self.agents.topics()
            await client.subscribe(_subscribed(topics, model))
            await client.publish(will.topic, b"online", 1, retain=True)
            self.server.log.info(f"bus: connected to {model.host}:{model.port}")
            self.state, self.detail = "connected", ""
            await self._tell_all()
            self.agents.connected()
            both = [asyncio.create_task(each) for each in (self._write(client, model), self._read(client, model))]
            try:
                ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
            except asyncio.CancelledError:
                with suppress(TimeoutError, aiomqtt.MqttError):  # a clean end leaves no will
                    await asyncio.wait_for(client.publish(will.topic, b"offline", 1, retain=True), farewell_s_max)
                raise
            finally:
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)

    async def _read(self, client: Any, model: BusModel) -> None:
        async for message in client.messages:
            topic = str(message.topic)
            if topic.startswith(f"{model.topic}/agent/"):
                await self.agents.take(topic, message)
            else:
                await self._command(model, message)

    async def _write(self, client: Any, model: BusModel) -> None:
        """What waits goes out; a state that couldn't be sent stays, the newest of each topic."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._answers:
                await client.publish(f"{model.topic}/answer", self._answers[0], 1)
                self._answers.pop(0)
            while self.alerts.waiting:
                alert = self.alerts.waiting[0]
                await client.publish(f"{model.topic}/{alert.topic}", alert.payload, 1)
                if self.alerts.waiting and self.alerts.waiting[0] is alert:
                    self.alerts.waiting.popleft()
            while self.agents.outgoing:
                each = self.agents.outgoing[0]
                await client.publish(each.topic, each.payload, 1, each.retain, _properties(each.correlation))
                if self.agents.outgoing and self.agents.outgoing[0] is each:
                    self.agents.outgoing.pop(0)
            while self._states:
                topic, payload = next(iter(self._states.items()))
                await client.publish(topic, payload, 1, retain=True)
                if self._states.get(topic) is payload:
                    del self._states[topic]

    # --- commands
    async def _command(self, model: BusModel, message: Any) -> None:
        topic = str(message.topic)
        try:
            if message.retain:
                raise ValueError("a retained command is ignored: it would be carried out at every connection")
            request = request_of(topic.removeprefix(f"{model.topic}/set/"), bytes(message.payload), time.time())
            found = await self.server.desk.handle(AUTHOR, request)
            told = msgspec.json.decode(found.data) if found.ok else {"error": found.error}
            told = {"ok": found.ok, **told}
        except ValueError as error:
            told = {"ok": False, "error": str(error)}
        if not told["ok"]:
            self.server.log.warning(f"bus: {topic}: {told['error']}", "bus command")
        del self._answers[:-queue_max]
        self._answers.append(msgspec.json.encode({"command": topic, **told}))
        self._wake.set()

    async def close(self) -> None:
        """The broker hears that we go."""
        self.agents.away()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _subscribed(topics: list[str], model: BusModel) -> list[tuple[str, Any]]:
    """Topics with their quality of service, or with MQTT 5 their options: what we publish we needn't hear."""
    return [(topic, _parts().SubscribeOptions(qos=1, noLocal=True) if model.agents else 1) for topic in topics]


def _properties(correlation: bytes) -> Any:
    """MQTT 5 properties of an answer; None without any."""
    if not correlation:
        return None
    found = _parts().Properties(PUBLISH)
    found.CorrelationData = correlation
    return found


def _parts() -> Any:
    """What aiomqtt's own methods take as arguments, from where it has it."""
    import aiomqtt.client

    return aiomqtt.client


def request_of(rest: str, payload: bytes, now_s: float) -> Request:
    """The desk's request of a command. Raises ValueError with what is wrong; a file's name can't be given here."""
    word, _, name = rest.partition("/")
    given = fields(payload, payload_bytes_max, "state")
    unknown = [key for key in given if key not in ("state", "text", "language", "by", "until_ms", "minutes")]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}: state, text, language, by, until_ms or minutes")
    arguments = {_KINDS[word]: name}
    for key in ("state", "text", "language", "by"):
        if key in given:
            arguments[key] = text_of(key, given[key])
    for key in ("until_ms", "minutes"):
        if key in given:
            arguments["until_ms"] = until_ms(key, given[key], now_s)
    return Request("notice" if word == "notice" else "hours.set", arguments)
