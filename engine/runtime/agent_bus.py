"""Agents over the bus (MQTT 5): their states retained, their own commands, and the last will of a program that is lost.

Topics, below the site's `topic`, of the agent TENANT/NUMBER:
- `state/agent/TENANT/NUMBER`: retained, {"agent", "tenant", "name", "state", "reason", "since_ms", "logged_in",
  "reachable"}; it is told anew at every change, and taken away when the site has him no more
- `agent/TENANT/NUMBER/set`: his command, `ready`, or {"do": "not-ready", "reason": "lunch", "minutes": 30}; it is
  answered at its Response Topic, which lies below `agent/TENANT/NUMBER/`, with its Correlation Data; without one at
  `agent/TENANT/NUMBER/answer`
- `agent/TENANT/NUMBER/here`: retained, `online` from his program, whose last will is `offline`; an empty payload when
  it ends as it should. Who is `offline` for the site's `grace` is paused; when he is `online` again he is ready again

He can command nobody but himself, and nothing that an operator alone may: the topic says who he is, the broker's access
list who may write there (hardware/mqtt/agents.acl). A broker that goes pauses nobody.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec

from engine.call.absence import LOST
from engine.records.events import Event
from engine.runtime.admin import Request
from engine.runtime.bus_payload import fields, text_of, until_ms

if TYPE_CHECKING:
    from engine.dialplan.bus import BusModel
    from engine.runtime.bus import Bus

AUTHOR = "mqtt"
VERBS = {
    "ready": "agent.ready", "not-ready": "agent.not_ready", "login": "agent.login", "logout": "agent.logout",
    "wrap-up": "agent.wrap_up", "extend": "agent.extend", "code": "agent.code",
}  # fmt: skip
WORDS = {"not-ready": ("reason", "minutes", "until_ms"), "code": ("code", "call")}
commands_per_s_max = 10  # of one agent
payload_bytes_max = 1_024
topic_bytes_max = 256
answers_max = 1_000
return_s_min = 60.0  # for the programs of all agents, after the broker was away


class State(msgspec.Struct):
    """What is told of one agent. `since_ms`: Unix, of his state."""

    agent: str
    tenant: str
    name: str
    state: str
    reason: str
    since_ms: int
    logged_in: bool
    reachable: bool


class Outgoing(msgspec.Struct):
    """A message to be sent once: an answer, or what takes a retained one away."""

    topic: str
    payload: bytes
    retain: bool = False
    correlation: bytes = b""


class AgentBus:
    """The bus's part for agents. `use` at every load of a site, `feed` for each event of an agent."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.model: BusModel | None = None  # None: agents are not on the bus
        self.outgoing: list[Outgoing] = []
        self._states: dict[str, State] = {}
        self._here: dict[str, None] = {}  # whose program is online, as far as we know
        self._graces: dict[str, asyncio.TimerHandle] = {}
        self._asked: dict[str, tuple[float, int]] = {}  # agent -> second, commands in it
        self._work: dict[asyncio.Task[None], None] = {}

    def use(self, model: BusModel | None) -> list[str]:
        """The site in force says whether agents are on the bus; returns what the broker shall retain no more."""
        before, self.model = self.model, model if model is not None and model.agents else None
        if before == self.model:
            return []
        gone: list[str] = []
        if before is not None and model is not None and not model.agents:
            same = (before.host, before.port, before.topic) == (model.host, model.port, model.topic)
            gone = [f"state/agent/{key}" for key in self._states] if same else []
        self.away()
        self._here.clear()
        self._states.clear()
        self.outgoing.clear()
        return gone

    def topics(self) -> list[str]:
        """What is subscribed to."""
        if self.model is None:
            return []
        return [f"{self.model.topic}/agent/+/+/{word}" for word in ("set", "here")]

    # --- states
    async def tell_all(self) -> None:
        """Every agent as he is now; who is in the site no more is taken away."""
        if self.model is None:
            return
        reply = await self.bus.server.ask(AUTHOR, "agents", {})
        now_ms = int(time.time() * 1000)
        gone = dict(self._states)
        for row in msgspec.json.decode(reply.data) if reply.ok else ():
            key = f"{row['tenant']}/{row['agent']}"
            since_ms = now_ms - row["seconds"] * 1000
            state = State(row["agent"], row["tenant"], row["name"], row["state"], row["reason"], since_ms,
                          row["logged_in"], row["reachable"])  # fmt: skip
            before = gone.pop(key, None)
            if before is not None and (before.state, before.reason) == (state.state, state.reason):
                state.since_ms = before.since_ms
            self._states[key] = state
            self._tell(key)
        for key in gone:
            del self._states[key]
            self.bus.put(f"state/agent/{key}", b"")

    def _tell(self, key: str) -> None:
        self.bus.put(f"state/agent/{key}", msgspec.json.encode(self._states[key]))

    def feed(self, event: Event) -> None:
        """An agent has changed: it goes out, the newest of each."""
        state = self._states.get(str(event.data.get("agent", "")))
        if self.model is None or state is None:
            return
        data = event.data
        if event.kind == "agent.state":
            state.state, state.reason, state.since_ms = str(data["new"]), str(data["reason"] or ""), event.at_ms
            state.logged_in = state.state != "logged_out"
        elif event.kind in ("agent.login", "agent.logout"):
            state.logged_in = event.kind == "agent.login"
        elif event.kind == "agent.reachable":
            state.reachable = bool(data["reachable"])
        else:
            return
        key = f"{state.tenant}/{state.agent}"
        self._tell(key)
        if (state.state, state.reason) == ("not_ready", LOST) and key in self._here:
            self._do(self._found(key))  # he came back while his conversation lasted

    # --- commands
    async def take(self, topic: str, message: Any) -> None:
        """A message below `agent/`. Nothing that is in it can end the connection."""
        assert self.model is not None
        tenant, _, rest = topic.removeprefix(f"{self.model.topic}/agent/").partition("/")
        number, _, word = rest.partition("/")
        key = f"{tenant}/{number}"
        if word == "here":
            self._presence(key, bytes(message.payload).decode("utf-8", "replace").strip())
            return
        own = f"{self.model.topic}/agent/{key}/"
        reply, correlation = f"{own}answer", b""
        try:
            wanted = getattr(message.properties, "ResponseTopic", "")
            correlation = bytes(getattr(message.properties, "CorrelationData", b""))[:topic_bytes_max]
            if wanted:
                reply = answer_topic(wanted, own)
            if message.retain:
                raise ValueError("a retained command is ignored: it would be carried out at every connection")
            if key not in self.bus.server.site.agents:
                raise ValueError(f"no agent {key} in this site")
            self._measure(key)
            request = request_of(key, bytes(message.payload), time.time())
            found = await self.bus.server.desk.handle(f"agent {key}", request)
            told = msgspec.json.decode(found.data) if found.ok else {"error": found.error}
            told = {"ok": found.ok, **told}
            told.pop("undo", None)  # an operator's command, which he can't give
        except ValueError as error:
            told = {"ok": False, "error": str(error)}
        if not told["ok"]:
            self.bus.server.log.warning(f"bus: {key}: {told['error']}", "bus command")
        self._send(Outgoing(reply, msgspec.json.encode(told), correlation=correlation))

    def _measure(self, key: str) -> None:
        """Raises ValueError when an agent commands more than `commands_per_s_max`."""
        now_s = float(int(time.monotonic()))
        second, count = self._asked.get(key, (now_s, 0))
        count = count + 1 if second == now_s else 1
        self._asked[key] = (now_s, count)
        if count > commands_per_s_max:
            raise ValueError(f"more than {commands_per_s_max} commands a second")

    def _send(self, message: Outgoing) -> None:
        del self.outgoing[:-answers_max]
        self.outgoing.append(message)
        self.bus.wake()

    # --- presence
    def _presence(self, key: str, text: str) -> None:
        if key not in self.bus.server.site.agents:
            return
        grace = self._graces.get(key)
        if text == "offline":
            if grace is None:
                self._begin(key, self._grace_s())
            return
        if grace is not None:
            self._graces.pop(key).cancel()
        if text == "online":
            self._here[key] = None
            self._do(self._found(key))
        else:
            self._here.pop(key, None)

    def _grace_s(self) -> float:
        assert self.model is not None
        return self.model.grace_ms / 1000

    def _begin(self, key: str, seconds: float) -> None:
        self._graces[key] = self.bus.server.loop.call_later(seconds, self._over, key)

    def _over(self, key: str) -> None:
        """He didn't come back. The will that said so is taken from the broker: it has been heard."""
        del self._graces[key]
        self._here.pop(key, None)
        if self.model is not None:
            self._send(Outgoing(f"{self.model.topic}/agent/{key}/here", b"", retain=True))
            self._do(self._lost(key))

    async def _lost(self, key: str) -> None:
        found = await self.bus.server.desk.handle(AUTHOR, Request("agent.lost", {"agent": key}))
        done = msgspec.json.decode(found.data)["done"] if found.ok else found.error
        self.bus.server.log.warning(f"agent {key}: his program is gone without a word: {done}", "bus agent")

    async def _found(self, key: str) -> None:
        await self.bus.server.desk.handle(AUTHOR, Request("agent.found", {"agent": key}))

    def _do(self, work: Any) -> None:
        task = self.bus.server.loop.create_task(work)
        self._work[task] = None
        task.add_done_callback(lambda done: self._work.pop(done, None))

    # --- the connection
    def connected(self) -> None:
        """After an outage every program has a while to come back as well."""
        for key in [each for each in self._here if each not in self._graces]:
            self._begin(key, max(self._grace_s(), return_s_min))

    def away(self) -> None:
        """The broker is gone: that is nobody's absence."""
        for grace in self._graces.values():
            grace.cancel()
        self._graces.clear()


def answer_topic(wanted: str, own: str) -> str:
    """A Response Topic that may be used. Raises ValueError: we may write where the asker may not, so it must be his."""
    plain = wanted.isprintable() and not any(each in wanted for each in "+#")
    if not (plain and wanted.startswith(own) and len(wanted.encode()) <= topic_bytes_max) or wanted[len(own):] in (
        "", "set", "here"
    ):  # fmt: skip
        raise ValueError(f"a response topic lies below {own}")
    return wanted


def request_of(key: str, payload: bytes, now_s: float) -> Request:
    """The desk's request of an agent's command. Raises ValueError with what is wrong."""
    given = fields(payload, payload_bytes_max, "do")
    word = given.get("do")
    if not isinstance(word, str) or word not in VERBS:
        raise ValueError(f"no command {str(word)[:32]!r}: {', '.join(VERBS)}")
    arguments = {"agent": key}
    for name, value in given.items():
        if name == "do":
            continue
        if name not in WORDS.get(word, ()):
            raise ValueError(f"{word} takes no {name[:32]!r}")
        if name in ("minutes", "until_ms"):
            arguments["until_ms"] = until_ms(name, value, now_s)
        else:
            arguments[name] = text_of(name, value)
    return Request(VERBS[word], arguments)
