"""Inputs that enter `Switch` and outputs that leave it. Nothing else crosses this wall (DESIGN law 1)."""

from __future__ import annotations

import msgspec

from engine.call.edge_wall import Judged
from engine.call.levers import Lever
from engine.call.listening import ListenEnded, ListenWanted, SpeechDone, SpeechStarted
from engine.call.messages import StoredMessage
from engine.call.signature_wall import SignatureChecked, SignatureWanted
from engine.call.stream_wall import StreamDone, StreamHushed, StreamPressed, StreamUnwanted, StreamWanted
from engine.dialplan.lookups import LookupModel
from engine.dialplan.types import Value
from engine.dialplan.voice_model import VoiceModel
from engine.media.commands import MediaCommand, MediaEvent
from engine.records.events import Event
from engine.sip.events import CloseFlow, Connect, Path, Send
from engine.sip.locating import Place


# --- inputs --------------------------------------------------------------------------------------------
class Received(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """One datagram, or one whole message cut from a stream by `sip.stream`."""

    path: Path
    data: bytes


class FlowOpened(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A stream connection exists: accepted by us (its id is the runtime's, ≥ 1_000_000) or asked for by Connect.

    `host`, `port`: our own end of it, '' when that is not known.
    """

    path: Path
    host: str = ""
    port: int = 0


class FlowClosed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The connection is gone or never came up."""

    flow: int
    reason: str


class Listening(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A listening address; `flow` is its id for UDP. Far ends outside `local_networks` are told `advertise_*`."""

    flow: int
    transport: str
    host: str
    port: int
    advertise_host: str
    advertise_port: int
    local_networks: tuple[str, ...] = ()


class MediaHappened(msgspec.Struct, frozen=True, tag=True, array_like=True):
    event: MediaEvent


class Deadline(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Time has come to `now_ms`; a spurious one does nothing."""


class Entropy(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Fresh bytes from the system's CSPRNG."""

    fresh: bytes


class WallClock(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """wall time in Unix ms = now_ms + offset_ms; sent at start and when it changes by more than 5 ms."""

    offset_ms: int


class SiteLoaded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A checked and linked site (msgpack of `dialplan.model.Site`), active for every call that arrives from now on;
    with `share` (of 10,000) only for so many of them."""

    version: str
    site: bytes
    share: int = 0


class SecretsLoaded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """`agents`: "tenant/user" -> {"MD5": HA1, "SHA-256": HA1} hex; `trunks`: name -> (user, password).

    Sealed in the journal.
    """

    agents: dict[str, dict[str, str]]
    trunks: dict[str, tuple[str, str]] = {}
    pins: dict[str, str] = {}  # box -> "salt:hash" of its PIN


class Operator(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A command of a person: `verb` such as "agents", "agent.not_ready", "call.hangup"; answered by Reply(request)."""

    request: int
    author: str
    verb: str
    arguments: dict[str, str]


class Drain(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """No new calls from now on (503 with Retry-After); the rest goes on, unless `at_once` ends it with BYE.

    Drained when no call is left.
    """

    at_once: bool = False


class StorageState(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The record store's state: ok | spooling | failed."""

    state: str
    detail: str
    spooled: int


class PortsReady(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """RTP ports at the local address `host` that the runtime has bound, rested, for the next legs in this order."""

    host: str
    ports: tuple[int, ...]


class AgentStates(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Agents' logins kept over a restart: "tenant/number" -> "ready" | "not_ready:reason" | "logged_out"."""

    states: dict[str, str]


class Resumed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The first input of an engine that goes on with the state of one that died or made way.

    It was away for `down_ms`; `cause`: crash | restart | reboot. Listening, FlowClosed and PortsReady follow. Media
    rows that were closing are closed; open ones have been opened again by the runtime. Longer than `down_ms_max`:
    every call is ended.
    """

    down_ms: int
    cause: str
    down_ms_max: int


class LeverStates(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What operators had moved off its default before a restart; given before the first site."""

    levers: list[Lever]


class LookupDone(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What became of a LookupWanted, as `dialplan.actions.LookupAnswered`; one that comes too late is dropped.

    Sealed in the journal under its call's key.
    """

    call: int
    ticket: int
    result: str  # ok | not_found | failed
    values: dict[str, Value] = {}
    reason: str = ""
    ms: int = 0


class BoxesLoaded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The messages that lay in boxes before a restart; given after the first site."""

    messages: list[StoredMessage]


class ClipLoaded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Answer to LoadClip; `detail` says in words why it can't be played, '' it can."""

    ticket: int
    duration_ms: int
    detail: str = ""


class SoundDone(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What became of a FetchWanted or SpeakWanted: the clip holds `duration_ms` of sound, or `detail` says in words why
    not."""

    call: int
    ticket: int
    duration_ms: int
    detail: str = ""
    ms: int = 0


class PromptUsed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Answer to UsePrompt; `detail` says in words why nothing was changed, '' it was."""

    ticket: int
    detail: str = ""


class Resolved(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Answer to ResolveWanted: where the name leads for `ttl_ms`; without places `detail` says in words why not."""

    trunk: int
    host: str
    places: tuple[Place, ...]
    ttl_ms: int = 0
    detail: str = ""


Input = (
    Received
    | FlowOpened
    | FlowClosed
    | Listening
    | MediaHappened
    | Deadline
    | Entropy
    | WallClock
    | SiteLoaded
    | SecretsLoaded
    | Operator
    | Drain
    | StorageState
    | AgentStates
    | PortsReady
    | Resumed
    | LeverStates
    | LookupDone
    | BoxesLoaded
    | ClipLoaded
    | PromptUsed
    | SoundDone
    | SignatureChecked
    | SpeechStarted
    | SpeechDone
    | StreamDone
    | Resolved
)


# --- outputs -------------------------------------------------------------------------------------------
class Media(msgspec.Struct, frozen=True, tag=True, array_like=True):
    command: MediaCommand


class Emit(msgspec.Struct, frozen=True, tag=True, array_like=True):
    event: Event


class Reply(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Answer to Operator: `ok` False comes with `error`; `data` is JSON bytes."""

    request: int
    ok: bool
    data: bytes
    error: str = ""


class LoadClip(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Make what the caller said in a recording below the data folder the clip of this number; ClipLoaded follows."""

    ticket: int
    clip: int
    name: str


class UsePrompt(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Make a recording below the data folder the prompt of this full name; SiteLoaded and PromptUsed follow."""

    ticket: int
    prompt: str
    file: str


class RemoveFile(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A file below the data folder that is wanted no more: a message that was deleted, or too short."""

    name: str


class Drained(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """After Drain: the last call has ended."""


class LogLine(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A line for the operator's log; `rate_key` bounds how often its like is printed."""

    level: str  # debug | info | warning | error
    text: str
    rate_key: str = ""


class LookupWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Ask the server of `model`, made of `values` (`dialplan.lookups.request`); answered by LookupDone(call, ticket).

    The dialplan waits `model.timeout_ms + limits.lookup_grace_ms` at most, whether an answer comes or not.
    """

    call: int
    ticket: int
    name: str  # the call's
    model: LookupModel
    values: dict[str, Value]


class FetchWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Make the recording at `url` the clip of this number; answered by SoundDone(call, ticket) within `timeout_ms`.

    One that was fetched not longer than `cache_ms` ago will do. `serial` grows with every wish for a clip of a call:
    a clip holds what was wished last. The dialplan waits `limits.lookup_grace_ms` longer, whether an answer comes or
    not.
    """

    call: int
    ticket: int
    clip: int
    serial: int
    url: str
    timeout_ms: int
    cache_ms: int


class SpeakWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Make `text`, spoken in `language`, the clip of this number; answered by SoundDone(call, ticket) within `wait_ms`.

    `voice` None: the machine's best. `serial` as of FetchWanted. `secret`: it is kept nowhere.
    """

    call: int
    ticket: int
    clip: int
    serial: int
    text: str
    language: str
    voice: VoiceModel | None
    wait_ms: int
    secret: bool


class ResolveWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Find a trunk's server (RFC 3263); answered by Resolved(trunk, host).

    `find`: host (A and AAAA; port and transport are said) | srv (the transport is) | naptr (nothing is).
    """

    trunk: int
    host: str
    port: int
    transport: str
    find: str


Output = (
    Send | Connect | CloseFlow | Media | Emit | Reply | LoadClip | UsePrompt | RemoveFile | Drained | LogLine
    | LookupWanted | FetchWanted | ListenWanted | ListenEnded
    | LookupWanted | FetchWanted | StreamWanted | StreamUnwanted | StreamPressed | StreamHushed
    | LookupWanted | FetchWanted | SpeakWanted | ResolveWanted
    | LookupWanted | FetchWanted | SpeakWanted | SignatureWanted | Judged
)  # fmt: skip
