"""All signalling, dialplans and distribution as one deterministic object (DESIGN law 1).

`handle(input, now_ms)` takes one input and returns the outputs in the order in which they must be carried out;
`next_deadline()` says when a `Deadline` input is due. Same inputs, same outputs, under any hash seed. Nothing
is decided between steps: within one, events of the SIP endpoint, happenings for dialplans and the distributor's
decisions are worked off until none is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine import __version__
from engine.call import (
    agents,
    arrival,
    boxes,
    callback,
    callbacks,
    canary,
    certificates,
    codes,
    confirming,
    desk,
    dial,
    draining,
    due,
    edge,
    ending,
    enrolling,
    faxing,
    fetching,
    handover,
    hearing,
    joining,
    keys,
    lamps,
    levers,
    limited,
    liveness,
    menus,
    outcomes,
    parking,
    prelude,
    probing,
    prompting,
    recording,
    refusing,
    resume,
    rooms,
    script,
    staying,
    streaming,
    talking,
    transfer,
    urgent,
    wait_hearing,
    wait_program,
    waiting,
    watching,
)
from engine.call.effects import (
    AgentStates,
    BoxesLoaded,
    ClipLoaded,
    Deadline,
    Drain,
    Entropy,
    FlowClosed,
    FlowOpened,
    Input,
    LeverStates,
    Listening,
    LookupDone,
    MediaHappened,
    Operator,
    Output,
    PortsReady,
    PromptUsed,
    Received,
    Resolved,
    Resumed,
    SecretsLoaded,
    SiteLoaded,
    SoundDone,
    StorageState,
    WallClock,
)
from engine.call.leg import Leg
from engine.call.listening import SpeechDone, SpeechStarted
from engine.call.room import Room
from engine.call.signature_wall import SignatureChecked
from engine.call.stream_wall import StreamDone
from engine.clock import Deadlines
from engine.dialplan.actions import LookupAnswered, PlayDone
from engine.dialplan.model import Site
from engine.media import commands as media
from engine.records.events import SCHEMA_VERSION
from engine.sip import events as sip

ROUNDS_MAX = 10_000  # per step; more means two rules that answer each other for ever: logged and left
CLOCK_JUMP_MS = 1_000  # smaller steps are a clock being disciplined

_site_decoder = msgspec.msgpack.Decoder(Site)


class Switch:
    """See the module's docstring. `tokens_key`: 32 CSPRNG bytes; `boot`: this start's name; `seed`: of decisions."""

    def __init__(self, tokens_key: bytes, *, boot: str = "boot", seed: int = 1, rows_max: int = 1_024) -> None:
        self.room = Room(tokens_key, boot=boot, seed=seed, rows_max=rows_max)

    def handle(self, event: Input, now_ms: int) -> list[Output]:
        """One input at monotonic `now_ms` (never less than before). Never raises for anything a peer can send."""
        room = self.room
        room.now_ms = now_ms = max(now_ms, room.now_ms)
        told = room.event_serial
        _INPUTS[type(event)](room, event, now_ms)
        self._expire(now_ms)
        self._work(now_ms)
        if room.stirred or room.event_serial != told:
            room.stirred = False
            watching.stirred(room, now_ms)
        out, room.out = room.out, []
        sends = room.endpoint.sends
        if sends:
            out.extend(sends)
            sends.clear()
        return out

    def next_deadline(self) -> int | None:
        """The monotonic ms at which a Deadline input is due, or None while nothing waits."""
        room = self.room
        due = room.deadlines.next()
        for other in (room.endpoint.core.deadlines.next(), room.acd.next_deadline()):
            if other is not None and (due is None or other < due):
                due = other
        return due

    def seal_for(self, event: Input) -> str | None:
        """The key under which the journal must seal this input, or None: credentials, secrets, sensitive digits."""
        room = self.room
        if isinstance(event, Received):
            lowered = event.data.lower()
            if b"authorization" in lowered or b"a=crypto" in lowered:
                return "credentials"
            return self._seal_info(event.data) if lowered.startswith(b"info ") else None
        if isinstance(event, (SecretsLoaded, Entropy)):
            return "secrets"
        if isinstance(event, LookupDone | SpeechDone | StreamDone):  # about a person, whatever it holds
            asked = room.calls.get(event.call)
            return f"call {asked.name}" if asked is not None else "secrets"
        if isinstance(event, MediaHappened) and isinstance(event.event, (media.DigitHeard, media.DigitStarted)):
            leg = room.legs.get(room.row_legs.get(event.event.row, 0))
            call = room.calls.get(leg.call) if leg is not None else None
            if call is not None and leg is not None and leg.id == call.leg and keys.hidden(room, call):
                return f"call {call.name}"
        return None

    def _seal_info(self, data: bytes) -> str | None:
        """An INFO may hold a digit: sealed when the call whose Call-ID it carries is being asked for a secret."""
        room = self.room
        for call in room.calls.values():
            leg = room.legs.get(call.leg)
            if leg is None or not keys.hidden(room, call):
                continue
            if room.endpoint.session_call_id(leg.session).encode() in data:
                return f"call {call.name}"
        return None

    def encode(self) -> bytes:
        """Everything it holds, as bytes."""
        return self.room.encode()

    @classmethod
    def decode(cls, data: bytes) -> Switch:
        """The same switch again: the same inputs will give the same outputs."""
        switch = cls.__new__(cls)
        switch.room = Room.decode(data)
        return switch

    def sites(self) -> list[Site]:
        """Every site version that is in force or that a call in progress began with."""
        return list(self.room.sites.values())

    # --- within a step -------------------------------------------------------------------------------
    def _expire(self, now_ms: int) -> None:
        room = self.room
        if _perhaps_due(room.endpoint.core.deadlines, now_ms):
            room.endpoint.expire(now_ms)
        if room.acd.perhaps_due(now_ms):
            next_ms = room.acd.next_deadline()
            if next_ms is not None and next_ms <= now_ms:
                room.acd.expire(now_ms)
                room.unsettled = True
        if not _perhaps_due(room.deadlines, now_ms):
            return
        for _ in range(ROUNDS_MAX):
            key = room.deadlines.pop_due(now_ms)
            if key is None:
                return
            due.deadline(room, key, now_ms)

    def _work(self, now_ms: int) -> None:
        """Work off everything that this step has raised."""
        room = self.room
        core = room.endpoint.core
        for _ in range(ROUNDS_MAX):
            if core.events:
                events, core.events, room.stirred = core.events, [], True
                for event in events:
                    _SIP[type(event)](room, event, now_ms)
            elif room.happenings:
                happenings, room.happenings = room.happenings, []
                for number, happening in happenings:
                    call = room.calls.get(number)
                    if call is not None:
                        script.tell(room, call, happening, now_ms)
            elif room.unsettled:
                room.unsettled = False
                commands, ghosts = callback.sort(room, room.acd.settle(now_ms))
                waiting.settled(room, commands, now_ms)
                callback.settled(room, ghosts, now_ms)
            elif room.lit:
                lamps.settle(room, now_ms)
            else:
                return
        room.log("error", "a step didn't come to rest: rules that answer each other", "rounds")


def _perhaps_due(deadlines: Deadlines, now_ms: int) -> bool:
    """The heap's head is a lower bound (it may be a cancelled one): most steps need no closer look."""
    heap = deadlines.heap
    return bool(heap) and heap[0][0] <= now_ms


# --- inputs ---------------------------------------------------------------------------------------------
def _received(room: Room, event: Received, now_ms: int) -> None:
    core = room.endpoint.core
    core.overload = room.draining or room.full()
    if core.overload and (full := limited.node(room)) is not None:
        core.overload_why = limited.words(full)
    room.endpoint.receive(event.path, event.data, now_ms)


def _listening(room: Room, event: Listening, now_ms: int) -> None:
    room.listeners.append(event)
    room.endpoint.listen(
        event.flow, event.transport, event.host, event.port, event.advertise_host, event.advertise_port,
        event.local_networks,
    )  # fmt: skip


def _flow_opened(room: Room, event: FlowOpened, now_ms: int) -> None:
    room.endpoint.flow_opened(event.path, now_ms, event.host, event.port)


def _flow_closed(room: Room, event: FlowClosed, now_ms: int) -> None:
    room.endpoint.flow_closed(event.flow, now_ms)


def _media(room: Room, event: MediaHappened, now_ms: int) -> None:
    happened = event.event
    if isinstance(happened, media.LegClosed):
        ending.leg_closed(room, happened, now_ms)
        return
    if isinstance(happened, media.TapEnded):
        recording.tap_ended(room, happened)
        prompting.ended(room, happened, now_ms)
        return
    leg = room.legs.get(room.row_legs.get(happened.row, 0))
    if leg is None or leg.generation != happened.generation:
        return
    match happened:
        case media.PlayEnded():
            _play_ended(room, leg, happened, now_ms)
        case media.DigitHeard():
            keys.heard(room, leg, happened.digit, happened.duration_ms, happened.way, now_ms)
        case media.DigitStarted():
            keys.started(room, leg)
        case media.FaxHeard():
            faxing.heard(room, leg, happened.tone, now_ms)
        case media.MediaMissing():
            liveness.missing(room, leg, happened.silent_ms, now_ms, refused=happened.refused)
        case media.MediaBack():
            liveness.back(room, leg)
        case media.Latched():
            liveness.latched(room, leg, happened.host, happened.port)
        case media.LegFailed():
            _leg_failed(room, leg, happened, now_ms)
        case media.PortMoved():
            resume.moved(room, leg, happened.port, now_ms)
        case media.KeysLost():
            resume.keys_lost(room, leg, now_ms)


def _play_ended(room: Room, leg: Leg, event: media.PlayEnded, now_ms: int) -> None:
    """The end of a play finds its owner by the purpose that the leg remembers."""
    call = room.calls.get(leg.call)
    if event.ticket != leg.play_ticket or call is None:
        return
    purpose, leg.playing = leg.playing, ""
    if purpose.startswith("step:"):
        room.happen(call, PlayDone(int(purpose[5:])))
    elif purpose.startswith("wait:"):
        wait_program.tell(room, call, PlayDone(int(purpose[5:])), now_ms)
    elif purpose == refusing.PURPOSE:
        refusing.over(room, call, now_ms)
    elif purpose == "welcome":
        waiting.begin_to_hear(room, call, now_ms)
    elif purpose in ("announce", "position", "cycle") and call.phase == "queue":  # cycle: of an engine before
        staying.music(room, call, leg, now_ms)
    elif purpose in ("whisper", "consent"):
        prelude.heard(room, call, leg, now_ms)
    elif purpose == "callback":
        callback.played(room, call, leg, now_ms)
    elif purpose == "menu":
        menus.played(room, call, now_ms)
    elif purpose == "beep":
        recording.tap(room, call)
    elif purpose == "refused" and leg.codes == codes.REFUSED:
        codes.gap(room, call, leg, now_ms)
    elif purpose == "room beep":
        rooms.due(room, call, now_ms)
    elif purpose == "slot":
        parking.told(room, leg, now_ms)
    elif purpose == "code" and call.phase == "code":
        ending.hang_up(room, call, "system", call.outcome or "served", 16, now_ms)


def _leg_failed(room: Room, leg: Leg, event: media.LegFailed, now_ms: int) -> None:
    call = room.calls.get(leg.call)
    room.log("error", f"{leg.party}: media port: {event.detail}", "media")
    if call is not None:
        room.emit("call.fault", call.tenant, call.name, where="media", detail=event.detail)
    if call is not None and leg.tap:
        recording.tap_ended(room, media.TapEnded(leg.row, leg.generation, leg.tap, call.recording, 0, event.detail))
    room.rows.give_back(leg.row)
    room.row_legs.pop(leg.row, None)
    leg.row = -1
    if call is not None and leg.id == call.leg:
        ending.hang_up(room, call, "system", "failed", 41, now_ms, status=500)
        return
    room.endpoint.hang_up(leg.session, now_ms, cause=41)
    attempt, outcome = room.attempts.get(leg.attempt), dial.lost(room, leg, now_ms)
    if attempt is None or leg.state != "closing":
        transfer.leg_over(room, leg, "system", 41, now_ms)
    elif outcome is not None:
        outcomes.over(room, attempt, outcome, now_ms)


def _ports_ready(room: Room, event: PortsReady, now_ms: int) -> None:
    room.rows.prepared(event.host, event.ports)


def _nothing(room: Room, event: Input, now_ms: int) -> None:
    """A deadline: due timers are worked off at every step anyway."""


def _entropy(room: Room, event: Entropy, now_ms: int) -> None:
    room.tokens.reseed(event.fresh)


def _wall_clock(room: Room, event: WallClock, now_ms: int) -> None:
    """Only an operator's `--until` and skills with a date wait by the wall clock: they are armed anew. No other timer
    moves by a jump, and what was recorded before it keeps its own times.
    """
    old, room.wall_offset_ms = room.wall_offset_ms, event.offset_ms
    jump_ms = event.offset_ms - old
    if old and abs(jump_ms) >= CLOCK_JUMP_MS:
        room.emit("engine.clock", "", "", old_ms=now_ms + old, new_ms=now_ms + event.offset_ms, jump_ms=jump_ms)
    levers.arm(room, now_ms)
    if room.site and abs(jump_ms) >= CLOCK_JUMP_MS:
        certificates.due(room, now_ms)
        callbacks.look(room, now_ms)
    certificates.arm(room, now_ms)


def _site_loaded(room: Room, event: SiteLoaded, now_ms: int) -> None:
    site = _site_decoder.decode(event.site)
    if event.share and room.site:
        canary.begin(room, site, event.version, event.share, now_ms)
        return
    canary.end(room)
    old, room.site = room.site, event.version
    room.sites[event.version] = site
    room.indexes.pop(event.version, None)
    if old and old != event.version and not any(call.site == old for call in room.calls.values()):
        room.sites.pop(old, None)
        room.indexes.pop(old, None)
    if not old:
        addresses = " ".join(f"{each.transport}:{each.host}:{each.port}" for each in room.listeners)
        room.emit("engine.started", "", "", version=__version__, schema=SCHEMA_VERSION, addresses=addresses)
    agents.load(room, site, now_ms)
    urgent.site_loaded(room)
    callbacks.look(room, now_ms)
    boxes.site_loaded(room, now_ms)
    probing.load(room, site, now_ms)
    lamps.site_loaded(room, now_ms)
    room.emit(
        "engine.loaded", "", "", version=event.version, files=len(site.programs),
        flows=sum(len(program.flows) for program in site.programs.values()),
    )  # fmt: skip


def _secrets(room: Room, event: SecretsLoaded, now_ms: int) -> None:
    agents_before, before = room.secrets, room.trunk_secrets
    room.secrets, room.trunk_secrets, room.pins = event.agents, event.trunks, event.pins
    enrolling.secrets_changed(room, before, now_ms)
    lamps.secrets_changed(room, agents_before, now_ms)


def _agent_states(room: Room, event: AgentStates, now_ms: int) -> None:
    room.agent_states = event.states


def _levers(room: Room, event: LeverStates, now_ms: int) -> None:
    levers.load(room, event.levers, now_ms)


def _lookup_done(room: Room, event: LookupDone, now_ms: int) -> None:
    call = room.calls.get(event.call)
    if call is not None:
        room.happen(call, LookupAnswered(event.ticket, event.result, event.values, event.reason, event.ms))


def _drain(room: Room, event: Drain, now_ms: int) -> None:
    draining.begin(room, now_ms, at_once=event.at_once)


def _storage(room: Room, event: StorageState, now_ms: int) -> None:
    room.storage = event.state
    room.emit("engine.storage", "", "", state=event.state, detail=event.detail, spooled=event.spooled)
    level = "info" if event.state == "ok" else "error"
    room.log(level, f"records: {event.state} {event.detail} ({event.spooled} spooled)", "storage")


_INPUTS: dict[type, Callable[[Room, Any, int], None]] = {
    Received: _received, Listening: _listening, FlowOpened: _flow_opened, FlowClosed: _flow_closed,
    MediaHappened: _media, Deadline: _nothing, Entropy: _entropy, WallClock: _wall_clock, SiteLoaded: _site_loaded,
    SecretsLoaded: _secrets, AgentStates: _agent_states, Operator: desk.operate, Drain: _drain,
    StorageState: _storage, PortsReady: _ports_ready, Resumed: resume.resumed, LeverStates: _levers,
    LookupDone: _lookup_done, BoxesLoaded: boxes.load, ClipLoaded: menus.clip_loaded,
    PromptUsed: prompting.used, SoundDone: fetching.sound_done, StreamDone: streaming.done,
    SignatureChecked: arrival.checked,
    SpeechStarted: hearing.started, SpeechDone: wait_hearing.done, Resolved: probing.resolved,
}  # fmt: skip


# --- events of the SIP endpoint ----------------------------------------------------------------------------
def _leg(room: Room, session: int) -> Leg | None:
    return room.legs.get(room.session_legs.get(session, 0))


def _canceled(room: Room, event: sip.Canceled, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is not None:
        transfer.leg_over(room, leg, "remote", event.cause or 16, now_ms)


def _acked(room: Room, event: sip.Acked, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is not None:
        talking.caller_acked(room, leg, event.sdp, now_ms)
        handover.acked(room, leg, now_ms)
        if leg.moved and leg.state == "up":
            resume.offer(room, leg, now_ms)


def _pracked(room: Room, event: sip.Pracked, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is not None:
        talking.caller_acked(room, leg, event.sdp, now_ms)


def _progress(room: Room, event: sip.Progress, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is None:
        return
    early = dial.progress(room, leg, event, now_ms)
    call = room.calls.get(leg.call)
    if call is not None:
        talking.progressed(room, leg, event.status, early, now_ms)
        transfer.progressed(room, call, event.status, now_ms)


def _answered(room: Room, event: sip.Answered, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is None:
        room.endpoint.hang_up(event.session, now_ms)
        return
    attempt = room.attempts.get(leg.attempt)
    outcome = dial.answered(room, leg, event.sdp, now_ms)
    if attempt is not None and outcome is not None:
        outcomes.over(room, attempt, outcome, now_ms)
    elif leg.state == "confirming":
        confirming.ask(room, leg, now_ms)
    if leg.moved and leg.state == "up":
        resume.offer(room, leg, now_ms)


def _rejected(room: Room, event: sip.Rejected, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is None:
        return
    attempt = room.attempts.get(leg.attempt)
    outcome = dial.rejected(room, leg, event, now_ms)
    if attempt is None:
        return
    if outcome is not None:
        outcomes.over(room, attempt, outcome, now_ms)
    else:
        talking.still_rings(room, attempt)


def _offered(room: Room, event: sip.Offered, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is not None:
        talking.offered(room, leg, event.sdp, now_ms)
        liveness.held(room, leg, now_ms)
    else:
        room.endpoint.refuse_offer(event.session, 481, now_ms)


def _offer_answered(room: Room, event: sip.OfferAnswered | sip.OfferRefused, now_ms: int) -> None:
    """Our re-INVITEs: session refreshes, which the endpoint sees to itself, and those after a move."""
    leg = _leg(room, event.session)
    if leg is not None and leg.moved:
        resume.answered(room, leg, event.sdp if isinstance(event, sip.OfferAnswered) else None, now_ms)


def _ended(room: Room, event: sip.Ended, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is not None:
        confirming.leg_over(room, leg, event.by, event.cause, now_ms)


def _info_digit(room: Room, event: sip.InfoDigit, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is not None:
        keys.started(room, leg)
        keys.heard(room, leg, event.digit, event.duration_ms, "info", now_ms)


def _referred(room: Room, event: sip.Referred, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is None:
        room.endpoint.notify_refer(event.refer, 481, "No Such Call", now_ms)
    elif event.replaces:
        joining.referred(room, leg, event.refer, event.replaces, event.user, now_ms)
    else:
        transfer.referred(room, leg, event.refer, event.user, now_ms)


def _refer_progress(room: Room, event: sip.ReferProgress, now_ms: int) -> None:
    leg = _leg(room, event.session)
    call = room.calls.get(leg.call) if leg is not None else None
    if leg is not None and call is not None:
        handover.progressed(room, call, leg, event, now_ms)


def _probed(room: Room, event: sip.Probed, now_ms: int) -> None:
    leg = _leg(room, event.session)
    if leg is not None:
        liveness.probed(room, leg, event.alive, now_ms)


def _wire_refused(room: Room, event: sip.Refused, now_ms: int) -> None:
    agents.refused(room, event.kind, event.path.host, event.detail)
    if event.kind in ("parse", "header"):
        edge.judge(room, event.path, "broken", "")


_SIP: dict[type, Callable[[Room, Any, int], None]] = {
    sip.Incoming: arrival.incoming, sip.Canceled: _canceled, sip.Acked: _acked, sip.Progress: _progress,
    sip.Answered: _answered, sip.Rejected: _rejected, sip.Offered: _offered, sip.OfferAnswered: _offer_answered,
    sip.OfferRefused: _offer_answered, sip.Ended: _ended, sip.InfoDigit: _info_digit, sip.Referred: _referred,
    sip.ReferProgress: _refer_progress, sip.Pracked: _pracked,
    sip.Probed: _probed, sip.RegisterRequest: agents.register,
    sip.SubscribeRequest: lamps.requested, sip.BindingChanged: agents.binding_changed,
    sip.Qualified: probing.qualified, sip.Enrolled: enrolling.told, sip.Refused: _wire_refused,
}  # fmt: skip
