"""The state of the call room: everything that the modules beside this one share, as data (DESIGN law 9).

`Room` holds the SIP endpoint, the distributor, the sites in use and the living calls, legs and attempts. The
modules are rules over it: arrival, script, dial, waiting, agents, transfer, keys, liveness, desk.
"""

from __future__ import annotations

import msgspec

from engine import limits
from engine.acd.events import AcdEvent
from engine.acd.machine import Distributor
from engine.call.agents import AgentRow
from engine.call.call import Call
from engine.call.callbacks import Callback
from engine.call.canary import Share
from engine.call.dial import Attempt
from engine.call.effects import Emit, Listening, LogLine, Output
from engine.call.fraud import Counted
from engine.call.leg import Leg
from engine.call.levers import Lever
from engine.call.messages import Message
from engine.call.places import Left
from engine.call.rows import Rows
from engine.call.site_index import SiteIndex
from engine.call.sound import Parting
from engine.call.spending import Spent
from engine.call.trunks import TrunkRow
from engine.clock import Deadlines
from engine.dialplan.actions import Happening
from engine.dialplan.model import Site
from engine.ids import Tokens
from engine.records.events import Event
from engine.records.kpi_callbacks import Callbacks
from engine.sip.endpoint import Endpoint
from engine.sip.events import Incoming, Path


class Held(msgspec.Struct):
    """What `Room` encodes beside the endpoint and the distributor."""

    boot: str
    tokens: Tokens
    rows: Rows
    deadlines: Deadlines
    sites: dict[str, Site]
    site: str
    calls: dict[int, Call] = {}
    legs: dict[int, Leg] = {}
    attempts: dict[int, Attempt] = {}
    session_legs: dict[int, int] = {}
    row_legs: dict[int, int] = {}
    closing: list[tuple[int, int, int, str, str]] = []
    agents: dict[str, AgentRow] = {}
    queue_ids: dict[str, int] = {}
    skill_ids: dict[str, int] = {}
    listeners: list[Listening] = []
    secrets: dict[str, dict[str, str]] = {}
    trunk_secrets: dict[str, tuple[str, str]] = {}
    agent_states: dict[str, str] = {}
    failures: dict[str, list[int]] = {}
    pending: dict[int, tuple[str, int, str]] = {}
    offers: dict[int, tuple[int, int]] = {}
    taps: dict[int, tuple[int, str, str]] = {}
    trunk_calls: dict[str, int] = {}
    refused: dict[str, int] = {}
    serials: list[int] = []
    wall_offset_ms: int = 0
    draining: bool = False
    drained: bool = False
    storage: str = "ok"
    levers: dict[str, Lever] = {}
    last_agents: dict[str, tuple[str, int]] = {}
    callbacks: dict[int, Callback] = {}
    callback_counts: dict[str, Callbacks] = {}
    left_places: dict[str, Left] = {}
    expired_skills: dict[str, int] = {}
    skill_ends_ms: int = 0
    promised_ms: int = 0
    messages: dict[int, Message] = {}
    leaving: dict[int, Message] = {}
    message_serial: int = 0
    pins: dict[str, str] = {}
    own_clips: dict[int, int] = {}
    clip_serial: int = 0
    share: Share | None = None
    trunk_rows: dict[str, TrunkRow] = {}
    trunk_serial: int = 0
    spent: dict[str, Spent] = {}
    verifying: dict[int, Incoming] = {}
    verdicts: dict[int, tuple[str, str]] = {}
    fraud: dict[str, Counted] = {}
    parted: dict[int, Parting] = {}


class Room:
    """See the module's docstring. Attributes are the fields of `Held`, plus what is derived or drained each step."""

    def __init__(self, tokens_key: bytes, *, boot: str, seed: int, rows_max: int = 1_024) -> None:
        self.boot = boot
        self.tokens = Tokens(tokens_key)
        self.endpoint = Endpoint(Tokens(self.tokens.hex(64).encode()))
        self.acd = Distributor(seed)
        self.acd.explains()
        self.rows = Rows(rows_max=rows_max)
        self.deadlines = Deadlines()
        self.sites: dict[str, Site] = {}
        self.site = ""
        self.indexes: dict[str, SiteIndex] = {}
        self.calls: dict[int, Call] = {}
        self.legs: dict[int, Leg] = {}
        self.attempts: dict[int, Attempt] = {}
        self.session_legs: dict[int, int] = {}
        self.row_legs: dict[int, int] = {}
        self.closing: dict[tuple[int, int], tuple[int, str, str]] = {}  # (row, generation) -> (call, leg's name, trunk)
        self.parted: dict[int, Parting] = {}  # by row: what is still known of a leg whose media closes
        self.agents: dict[str, AgentRow] = {}
        self.agent_keys: dict[int, str] = {}
        self.queue_ids: dict[str, int] = {}
        self.queue_names: dict[int, str] = {}
        self.skill_ids: dict[str, int] = {}
        self.listeners: list[Listening] = []
        self.secrets: dict[str, dict[str, str]] = {}
        self.trunk_secrets: dict[str, tuple[str, str]] = {}
        self.agent_states: dict[str, str] = {}
        self.failures: dict[str, list[int]] = {}  # source host -> [bad passwords lately, last ms]
        self.pending: dict[int, tuple[str, int, str]] = {}  # delayed challenges: id -> (kind, request, realm)
        self.offers: dict[int, tuple[int, int]] = {}  # offer -> (attempt that rings, 0) or (0, leg that answered)
        self.taps: dict[int, tuple[int, str, str]] = {}
        self.trunk_calls: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.call_serial = self.leg_serial = self.attempt_serial = self.play_serial = 0
        self.event_serial = self.pending_serial = self.tap_serial = 0
        self.wall_offset_ms = 0
        self.draining = self.drained = False
        self.storage = "ok"
        self.levers: dict[str, Lever] = {}  # "queue/tenant/name", "agent/tenant/number": what is off its default
        self.last_agents: dict[str, tuple[str, int]] = {}  # tenant/caller -> (agent who served him last, ms)
        self.callbacks: dict[int, Callback] = {}
        self.callback_counts: dict[str, Callbacks] = {}
        self.left_places: dict[str, Left] = {}  # "queue|number" -> whose place is kept for a ring back
        self.expired_skills: dict[str, int] = {}  # tenant/number/skill -> Unix ms since when it is told
        self.skill_ends_ms = 0  # the next skill to expire, Unix ms; 0 none
        self.share: Share | None = None  # a version that only some new calls run on
        self.trunk_rows: dict[str, TrunkRow] = {}
        self.trunk_serial = 0
        self.promised_ms = 0  # when an estimate was last worked out for the records of a caller who joined
        self.messages: dict[int, Message] = {}  # in boxes
        self.leaving: dict[int, Message] = {}  # tap -> a message that is being spoken
        self.message_serial = 0
        self.pins: dict[str, str] = {}
        self.spent: dict[str, Spent] = {}  # agent -> what his calls to the outside have cost
        self.verifying: dict[int, Incoming] = {}  # session -> an INVITE that waits for the verdict on its signature …
        self.verdicts: dict[int, tuple[str, str]] = {}  # … and has it, within the step
        self.fraud: dict[str, Counted] = {}  # "rule|caller" -> his calls to the outside
        self.own_clips: dict[int, int] = {}  # slot of a clip of ours -> the call that hears it
        self.clip_serial = 0
        self.now_ms = 0
        self.out: list[Output] = []
        self.happenings: list[tuple[int, Happening]] = []  # for dialplans, drained within the step
        self.parting: list[tuple[int, str, dict[str, str | int]]] = []  # left a queue in this step
        self.joining: list[tuple[int, int]] = []  # (call, priority_ms) joined in this step
        self.unsettled = False
        self.lit: dict[str, None] = {}  # boxes in which something has changed in this step
        self.stirred = False  # SIP has brought something in this step

    # --- sites --------------------------------------------------------------------------------------
    def index(self, version: str = "") -> SiteIndex:
        """Look-ups over a site, derived on demand and never encoded."""
        version = version or self.site
        found = self.indexes.get(version)
        if found is None:
            found = self.indexes[version] = SiteIndex(self.sites[version])
        return found

    def site_of(self, call: Call) -> Site:
        return self.sites[call.site]

    def clips(self, site: Site, names: tuple[str, ...]) -> tuple[int, ...]:
        """Clip numbers for names; an unknown name is left out and counted (the linker found it at check time)."""
        prompts = site.prompts
        numbers = []
        for name in names:
            prompt = prompts.get(name)
            own = self.levers.get(name) if prompt is None else None  # "notice/tenant/name": what an operator recorded
            if own is not None and own.clip >= 0:
                numbers.append(own.clip)
            elif prompt is None:
                self.log("error", f"no clip {name} in site {site.version[:8]}: silence instead", "clip")
            else:
                numbers.append(prompt.clip)
        return tuple(numbers)

    # --- what is told ---------------------------------------------------------------------------------
    def emit(self, kind: str, tenant: str, call: str, /, **data: str | int | float | bool | None) -> None:
        self.event_serial += 1
        self.out.append(
            Emit(
                Event(
                    self.event_serial,
                    self.boot,
                    self.now_ms + self.wall_offset_ms,
                    self.now_ms,
                    kind,
                    tenant,
                    call,
                    data,
                )
            )
        )

    def log(self, level: str, text: str, rate_key: str = "") -> None:
        self.out.append(LogLine(level, text, rate_key))

    # --- what is asked of others within this step ------------------------------------------------------
    def distribute(self, event: AcdEvent) -> None:
        """An event for the distributor; it decides once per step, in `settle`."""
        self.acd.apply(event, self.now_ms)
        self.unsettled = True

    def happen(self, call: Call, happening: Happening) -> None:
        """Something a dialplan waits for; told to it before the step ends."""
        self.happenings.append((call.id, happening))

    # --- legs -------------------------------------------------------------------------------------------
    def bind_host(self, path: Path) -> str:
        """The local address on which media for this path is bound: that of the listening socket."""
        stream = self.endpoint.core.flows.streams.get(path.flow)
        flow = path.flow if stream is None else stream.listener
        for listener in self.listeners:
            if listener.flow == flow:
                return listener.host
        alike = [each for each in self.listeners if (":" in each.host) == (":" in path.host)] or self.listeners
        same = [each for each in alike if each.transport == path.transport] or alike
        return same[0].host if same else "127.0.0.1"

    def new_leg(self, call: Call, kind: str, session: int, path: Path, party: str, *, outgoing: bool) -> Leg:
        self.leg_serial += 1
        leg = Leg(
            self.leg_serial, call.id, kind, session, outgoing, "calling" if outgoing else "offered", party, path,
            tenant=call.tenant, created_ms=self.now_ms,
        )  # fmt: skip
        self.legs[leg.id] = leg
        self.session_legs[session] = leg.id
        call.legs.append(leg.id)
        return leg

    # --- law 9 --------------------------------------------------------------------------------------------
    def encode(self) -> bytes:
        """The whole room as bytes; `decode` continues with the same outputs."""
        held = Held(
            self.boot, self.tokens, self.rows, self.deadlines, self.sites, self.site, self.calls, self.legs,
            self.attempts, self.session_legs, self.row_legs,
            [(row, generation, *whose) for (row, generation), whose in self.closing.items()],
            self.agents, self.queue_ids, self.skill_ids, self.listeners, self.secrets, self.trunk_secrets,
            self.agent_states, self.failures, self.pending, self.offers, self.taps, self.trunk_calls, self.refused,
            [self.call_serial, self.leg_serial, self.attempt_serial, self.play_serial, self.event_serial,
             self.pending_serial, self.tap_serial],
            self.wall_offset_ms, self.draining, self.drained, self.storage, self.levers, self.last_agents,
            self.callbacks, self.callback_counts, self.left_places,
            self.expired_skills, self.skill_ends_ms, self.promised_ms,
            self.messages, self.leaving, self.message_serial, self.pins, self.own_clips, self.clip_serial,
            self.share, self.trunk_rows, self.trunk_serial, self.spent, self.verifying, self.verdicts, self.fraud,
            self.parted,
        )  # fmt: skip
        return msgspec.msgpack.encode((self.endpoint.encode(), self.acd.encode(), self.now_ms, held))

    @classmethod
    def decode(cls, data: bytes) -> Room:
        """The room as it was. Raises msgspec.DecodeError when the bytes are torn."""
        endpoint, acd, now_ms, held = msgspec.msgpack.decode(data, type=tuple[bytes, bytes, int, Held])
        room = cls.__new__(cls)
        room.endpoint, room.acd, room.now_ms = Endpoint.decode(endpoint), Distributor.decode(acd), now_ms
        room.acd.explains()
        for name in Held.__struct_fields__:
            if name not in ("closing", "serials"):
                setattr(room, name, getattr(held, name))
        room.closing = {(row, generation): (call, name, trunk) for row, generation, call, name, trunk in held.closing}
        (
            room.call_serial, room.leg_serial, room.attempt_serial, room.play_serial, room.event_serial,
            room.pending_serial, room.tap_serial,
        ) = held.serials  # fmt: skip
        room.indexes, room.out, room.happenings, room.joining, room.parting, room.unsettled = {}, [], [], [], [], False
        room.lit, room.stirred = {}, False
        room.agent_keys = {row.id: key for key, row in room.agents.items()}
        room.queue_names = {number: name for name, number in room.queue_ids.items()}
        return room

    def full(self) -> bool:
        """The node itself can't take one more call (DESIGN §3: only then is 503 said)."""
        return len(self.calls) >= limits.calls_max or self.rows.used >= self.rows.rows_max - 2
