"""The world: one switch, its media twin, phones and a network under one virtual clock.

`run(ms)` jumps from event to event. After every step the distributor's invariants are checked, and, with
`law9=True`, the switch is encoded and restored, so that nothing can hide outside its data.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from engine import limits
from engine.call.effects import (
    ClipLoaded,
    Deadline,
    Emit,
    FetchWanted,
    Input,
    Listening,
    LoadClip,
    LogLine,
    LookupWanted,
    Media,
    MediaHappened,
    Operator,
    Output,
    PortsReady,
    PromptUsed,
    Received,
    RemoveFile,
    Reply,
    Resolved,
    ResolveWanted,
    SecretsLoaded,
    SiteLoaded,
    SoundDone,
    SpeakWanted,
    UsePrompt,
    WallClock,
)
from engine.call.listening import ListenEnded, ListenWanted, SpeechDone, SpeechStarted
from engine.call.pins import sealed
from engine.call.stream_wall import StreamUnwanted, StreamWanted
from engine.dialplan.model import Site
from engine.dialplan.prompts import estimate_ms
from engine.dialplan.speaking import WORDS, clips_for
from engine.records.events import Event
from engine.sim.guards import unguarded
from engine.sim.media import MediaTwin, Row
from engine.sim.network import Network, Weather
from engine.sim.phone import Phone
from engine.sip.digest import ha1
from engine.sip.events import Path, Send
from engine.sip.locating import Place
from engine.speech.utterance import Utterance
from engine.switch import Switch

ENGINE = ("10.0.0.1", 5060)
START_MS = 1_000_000
OWN_CLIP_MS = 4_000
NAME_TTL_MS = 60_000
PIN = "481516"  # of every box
WALL_MS = 1_767_262_200_000  # 2026-01-01 10:10 UTC


class World:
    """See the module's docstring."""

    def __init__(
        self, site: Site, *, seed: int = 1, weather: Weather | None = None, law9: bool = False, wall_ms: int = WALL_MS
    ) -> None:
        """`wall_ms`: Unix ms at the beginning."""
        self.now_ms = START_MS
        self.law9 = law9
        self.switch = Switch(f"{seed:032d}".encode(), boot=f"sim{seed}", seed=seed, rows_max=256)
        self.network = Network(seed, weather)
        self.media = MediaTwin()
        self.phones: dict[tuple[str, int], Phone] = {}
        self.listening: dict[int, ListenWanted] = {}  # by call: whose words are listened to
        self.bots: list[StreamWanted] = []  # under way; the scenario answers by giving StreamDone
        self.asked: list[LookupWanted] = []  # the scenario answers by giving LookupDone
        self.outputs: list[Output] = []  # the latest step's
        self.wire: list[bytes] = []  # what the engine has sent, while `watched`
        self.watched = False  # after every step, everything alive must have a deadline (DESIGN law 6)
        self.keep = True  # False for long runs: inputs, infos, replies and the digest are not kept
        self.check_every = 1  # inputs between two looks at the distributor's invariants
        self.steps = 0
        self.events: list[Event] = []
        self.logs: list[LogLine] = []
        self.replies: list[Reply] = []
        self.inputs: list[tuple[int, Input]] = []
        self.digest = blake2b(digest_size=16)
        self.passwords: dict[str, str] = {}
        self.trunk_passwords: dict[str, tuple[str, str]] = {}
        self.loading: list[ClipLoaded | PromptUsed | SoundDone | Resolved] = []
        self.used: list[UsePrompt] = []  # prompts recorded by phone
        self.removed: list[str] = []  # files that the engine wants no more
        self.names: dict[str, tuple[Place, ...]] = {}  # what the DNS knows; other names are never answered
        self.lost_files: list[str] = []  # recordings that the disk, or a server elsewhere, doesn't have any more
        self.give(WallClock(wall_ms - START_MS))
        self.give(Listening(1, "udp", *ENGINE, *ENGINE))
        self.port = limits.rtp_port_first
        self._more_ports()
        self.load(site)

    def load(self, site: Site) -> None:
        """A site, with a password for every agent ("pw-" + number)."""
        self.site = site
        self.passwords = {key: f"pw-{agent.number}" for key, agent in site.agents.items()}
        secrets = {
            key: ha1(agent.number, site.tenants[agent.tenant].realm, self.passwords[key])
            for key, agent in site.agents.items()
        }
        pins = {box: sealed(PIN, "0" * 16) for box in site.boxes}
        self.give(SecretsLoaded(secrets, self.trunk_passwords, pins))
        self.media.load(site)
        self.give(SiteLoaded(site.version, msgspec.msgpack.encode(site)))

    def _more_ports(self) -> None:
        """What the runtime does when few bound ports are left."""
        ports = tuple(range(self.port, self.port + 128, 2))
        self.port = limits.rtp_port_first if ports[-1] + 130 > limits.rtp_port_last else ports[-1] + 2
        self.give(PortsReady(ENGINE[0], ports))

    def phone(
        self, user: str, *, host: str = "", port: int = 5060, password: str | None = None, tenant: str = "default"
    ) -> Phone:
        """A new phone; an agent's password is known. It names a tenant other than the default by its domain."""
        host = host or f"10.0.1.{len(self.phones) + 10}"
        known = self.passwords.get(f"{tenant}/{user}", "") if password is None else password
        phone = self.phones[host, port] = Phone(host, user, known, ENGINE, seed=len(self.phones), port=port)
        if tenant != "default":
            phone.domain = self.switch.room.sites[self.switch.room.site].tenants[tenant].domain
        return phone

    def darken(self, phone: Phone) -> None:
        """It vanishes: nothing goes in or out any more, and the plane misses its packets."""
        self.network.dark[phone.host] = True
        self.media.darken(phone.media_host, self.now_ms)

    def lighten(self, phone: Phone) -> None:
        self.network.dark.pop(phone.host, None)
        self.media.silent.pop(phone.media_host, None)

    # --- time ---------------------------------------------------------------------------------------------
    def run(self, ms: int) -> None:
        """Let `ms` virtual milliseconds pass."""
        end = self.now_ms + ms
        while self.advance(end):
            pass

    def advance(self, end_ms: int) -> bool:
        """The next thing that happens by `end_ms`; False when nothing does: then it is `end_ms`."""
        self._flush_phones()
        at = self._next()
        if at is None or at > end_ms:
            self.now_ms = end_ms
            return False
        self.now_ms = max(self.now_ms, at)
        self._step()
        return True

    def run_until(self, condition: object, ms_max: int = 60_000) -> bool:
        """Run until `condition()` holds, at most `ms_max`; True when it did."""
        assert callable(condition)
        end = self.now_ms + ms_max
        while not condition():
            if not self.advance(end):
                return bool(condition())
        return True

    def _next(self) -> int | None:
        candidates = [self.network.next(), self.media.next(), self.switch.next_deadline()]
        candidates.extend(phone.next() for phone in self.phones.values())
        due = [at for at in candidates if at is not None]
        return min(due) if due else None

    def _step(self) -> None:
        now_ms = self.now_ms
        arrived = self.network.arrive(now_ms)
        if arrived is not None:
            source, target, data = arrived
            if target == ENGINE:
                self.give(Received(Path(1, *source), data))
            elif target in self.phones:
                self.phones[target].receive(source, data, now_ms)
            return
        event = self.media.due(now_ms)
        if event is not None:
            self.give(MediaHappened(event))
            return
        for phone in self.phones.values():
            due = phone.next()
            if due is not None and due <= now_ms:
                phone.expire(now_ms)
                return
        due = self.switch.next_deadline()
        if due is not None and due <= now_ms:
            self.give(Deadline())

    def _flush_phones(self) -> None:
        for phone in self.phones.values():
            for target, data in phone.take():
                self.network.send((phone.host, phone.port), target, data, self.now_ms)

    # --- the switch ------------------------------------------------------------------------------------------
    def give(self, event: Input) -> list[Output]:
        """One input to the switch; its outputs are carried out."""
        self.steps += 1
        if self.keep:
            self.inputs.append((self.now_ms, event))
        if self.law9:
            self.switch = Switch.decode(self.switch.encode())
        outputs = self.outputs = self.switch.handle(event, self.now_ms)
        self._carry_out(outputs)
        few = len(self.switch.room.rows.ready.get(ENGINE[0], ())) < 16
        if few and not isinstance(event, PortsReady | WallClock | Listening):
            self._more_ports()
        while self.loading:
            self.give(self.loading.pop(0))
        breaches = self.switch.room.acd.check(self.now_ms) if self.steps % self.check_every == 0 else []
        if breaches:
            raise AssertionError(f"at {self.now_ms}: {breaches}")
        if self.watched and (left := unguarded(self.switch)):
            raise AssertionError(f"at {self.now_ms}, without a deadline: {left}")
        return outputs

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            if self.keep:
                self.digest.update(msgspec.msgpack.encode(output))
            match output:
                case Send():
                    if self.watched:
                        self.wire.append(output.data)
                    self.network.send(ENGINE, (output.path.host, output.path.port), output.data, self.now_ms)
                case Media():
                    self.media.command(output.command, self.now_ms)
                case Emit():
                    self.events.append(output.event)
                case LogLine() if self.keep or output.level == "error":
                    self.logs.append(output)
                case LookupWanted():
                    self.asked.append(output)
                case ListenWanted():
                    self.listening[output.call] = output
                case ListenEnded():
                    self.listening.pop(output.call, None)
                case StreamWanted():
                    self.bots.append(output)
                case StreamUnwanted():
                    self.bots = [bot for bot in self.bots if (bot.call, bot.ticket) != (output.call, output.ticket)]
                case LoadClip():
                    lost = "no such file" if output.name in self.lost_files else ""
                    self.media.names[output.clip], self.media.durations[output.clip] = output.name, OWN_CLIP_MS
                    self.loading.append(ClipLoaded(output.ticket, 0 if lost else OWN_CLIP_MS, lost))
                case FetchWanted():
                    lost = "status 404" if output.url in self.lost_files else ""
                    self.media.names[output.clip], self.media.durations[output.clip] = output.url, OWN_CLIP_MS
                    self.loading.append(SoundDone(output.call, output.ticket, 0 if lost else OWN_CLIP_MS, lost))
                case SpeakWanted():
                    name = clips_for(WORDS, output.text, output.language, self.site)[0]
                    self.media.names[output.clip], self.media.durations[output.clip] = name, estimate_ms(output.text)
                    self.loading.append(SoundDone(output.call, output.ticket, estimate_ms(output.text)))
                case ResolveWanted() if output.host in self.names:
                    found = self.names[output.host]
                    detail = "" if found else "no such name"
                    self.loading.append(Resolved(output.trunk, output.host, found, NAME_TTL_MS, detail))
                case UsePrompt():
                    self.used.append(output)
                    self.loading.append(PromptUsed(output.ticket, self.media.disk))
                case RemoveFile():
                    self.removed.append(output.name)
                case Reply():
                    self.replies = [*(self.replies if self.keep else ()), output]

    def operate(self, verb: str, **arguments: str) -> Reply:
        self.give(Operator(len(self.inputs), "test", verb, arguments))
        return self.replies[-1]

    # --- what a scenario asks --------------------------------------------------------------------------------
    def kinds(self, prefix: str = "") -> list[str]:
        return [event.kind for event in self.events if event.kind.startswith(prefix)]

    def last(self, kind: str) -> Event:
        return next(event for event in reversed(self.events) if event.kind == kind)

    def all(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def state(self, agent: str) -> str:
        """The state of an agent ("201", or "chess/200") in the distributor's words."""
        return self.switch.room.agents[agent if "/" in agent else f"default/{agent}"].state

    def row(self, phone: Phone) -> Row:
        """The open media row that sends to this phone."""
        return next(row for row in self.media.rows.values() if row.far[0] == phone.media_host)

    def hears(self, phone: Phone) -> str:
        """What the engine sends to this phone now, in words ("music/default", "row 2", "silence")."""
        for row in self.media.rows.values():
            if row.far[0] == phone.media_host:
                return row.hears.split(" #")[0]
        return "nothing"

    def heard(self, phone: Phone) -> list[str]:
        """Everything it has been sent, in order."""
        rows = [*self.media.closed.values(), *self.media.rows.values()]
        log = sorted((at, what) for row in rows if row.far[0] == phone.media_host for at, what in row.log)
        return [what.split(" #")[0] for _, what in log]

    def press(self, phone: Phone, digits: str, *, gap_ms: int = 200) -> None:
        """Keys on the phone, as RFC 4733 events the plane has heard."""
        from engine.media.commands import DigitHeard, DigitStarted

        for digit in digits:
            for number, row in list(self.media.rows.items()):
                if row.far[0] == phone.media_host:
                    self.give(MediaHappened(DigitStarted(number, row.generation, digit)))
                    self.give(MediaHappened(DigitHeard(number, row.generation, digit, 100, "rfc4733")))
                    break
            self.run(gap_ms)

    def speak(self, wanted: ListenWanted, utterance: Utterance, *, ms: int = 0) -> None:
        """What a recogniser does with a caller who speaks for `ms`: it tells of the beginning, then of the end."""
        self.give(SpeechStarted(wanted.call, wanted.ticket, 100))
        self.run(ms)
        if self.listening.get(wanted.call) == wanted:
            self.listening.pop(wanted.call)
        self.give(SpeechDone(wanted.call, wanted.ticket, utterance))

    def quiet(self) -> bool:
        """Nothing is left of any call."""
        room = self.switch.room
        return not (room.calls or room.legs or room.attempts or self.media.rows or room.endpoint.session_count())
