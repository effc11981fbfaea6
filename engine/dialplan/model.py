"""A checked and linked site as data: everything that `Switch` needs, encodable, no YAML left (DESIGN §5).

The reader builds it from a folder; `Program` holds one dialplan's flows as flat steps. Names are resolved to
ids here; a later reload keeps the ids of things that kept their name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine import limits
from engine.dialplan.box_model import BoxModel, MailModel
from engine.dialplan.bus import BusModel
from engine.dialplan.calendars import CalendarModel, Hours, Zone
from engine.dialplan.fraud_model import FraudRule
from engine.dialplan.gate_model import AccessModel, GateModel
from engine.dialplan.lookups import LookupModel
from engine.dialplan.number_plans import NumberPlan
from engine.dialplan.outgoing_model import Emergency, Location, ServiceClass
from engine.dialplan.program import Program
from engine.dialplan.recording_model import RecordingModel
from engine.dialplan.speech_model import SpeechModel
from engine.dialplan.tls import TlsModel
from engine.dialplan.trunk_model import EnrolModel, OfficeModel, ProbeModel, Route
from engine.dialplan.voice_model import VoiceModel
from engine.speech.grammar import Grammar


class RingModel(msgspec.Struct, frozen=True):
    """One ring of a queue, see `acd.model.Ring`; `queues` (full names) are those whose agents it borrows."""

    level: int = 0
    teams: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    for_ms: int = 0
    offices: tuple[str, ...] = ()
class OverflowRule(msgspec.Struct, frozen=True):
    """When a caller leaves a queue for elsewhere, and where to.

    `when` is a compiled condition over `overflow.FACTS`, `text` the same as written. `way`: queue (`to` is its full
    name; `credit` full: the time waited counts there, none: it doesn't) | number (`to` is a dial target) | outcome
    (`to` is an outcome of the queue step).
    """

    when: list[Any]
    text: str
    way: str
    to: str
    credit: str = "full"


class Announcing(msgspec.Struct, frozen=True):
    """What a waiting caller is told over the music, and how often (ms, 0 never).

    `periodic`: language -> one tuple of clips for each time, begun again after the last.
    """

    position_ms: int = 0
    estimate_ms: int = 0
    periodic_ms: int = 0
    periodic: dict[str, tuple[tuple[str, ...], ...]] = {}


class CallbackModel(msgspec.Struct, frozen=True):
    """How a queue calls people back. Prefixes decide who may be called: the longest that fits, `deny` before `allow`;
    without a fitting `allow` nobody is. Times in ms.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    typed: bool = False  # also numbers that callers type, or that nobody vouches for
    mode: str = "agent-first"  # agent-first | customer-first
    open_max: int = 50
    attempts: int = 3
    retry_ms: int = 600_000  # between two attempts
    ring_ms: int = 25_000
    lead_ms: int = 10_000  # customer first: so long before a wrap-up or rest ends his phone begins to ring
    promise_ms: int = 3_600_000  # a callback served later broke its promise
    age_ms: int = 28_800_000  # then it is given up
    confirm: bool = True  # he presses 1, so that no voicemail reaches an agent
    hold_ms: int = 60_000  # so long a place is kept for a caller who left by a key
    window: Hours = ()  # no attempt is started outside, by the clocks of the queue's tenant; () at any time


class WrapUp(msgspec.Struct, frozen=True):
    """What follows a conversation. `mode`: none | optional | optional-timed | mandatory-timed |
    mandatory-discretionary, "" where only a time was written. `codes`: key -> name of the disposition."""

    mode: str = ""
    ms: int = 0
    early: bool = True  # may he end a mandatory-timed one before its time?
    codes: dict[str, str] = {}
    required: bool = False  # a code must be given before he can end it
    extend_ms: int = 30_000
    extensions_max: int = 2


class Reason(msgspec.Struct, frozen=True):
    """Why an agent is not ready. `budget_ms`: how much of it a shift has, 0 without end."""

    name: str
    budget_ms: int = 0


class PolicyModel(msgspec.Struct, frozen=True):
    """A site's own policy in postfix words, see `policy_reader`."""

    order: tuple[tuple[tuple[str, int | str], ...], ...]
    admit: tuple[tuple[str, int | str], ...] = ()


class RestModel(msgspec.Struct, frozen=True):
    """What rest an agent is owed. Times in ms, `ceiling` per mille; 0: no such rule. `ramp_*`: calls an hour."""

    ceiling: int = 0
    window_ms: int = 3_600_000
    pause_ms: int = 0
    long_talk_ms: int = 0
    rest_ms: int = 0
    gives_way_ms: int = 0
    ramp_days: int = 0
    ramp_from: int = 0
    ramp_to: int = 0


class QueueModel(msgspec.Struct, frozen=True):
    """A queue as an admin wrote it. Times in ms, 0 = limit's default. `tenant`/`name` is its full name."""

    tenant: str
    name: str
    strategy: str = "longest-idle-agent"
    ring_ms: int = 20_000
    wrap_up_ms: int = 0
    entries_max: int = 0
    wait_ms_max: int = 0
    join_empty: bool = True
    weight: int = 0
    service_level_ms: int = 20_000
    service_level_percent: int = 80
    music: tuple[str, ...] = ()
    announce_position_ms: int = 0
    delay_no_answer_ms: int = 5_000
    delay_busy_ms: int = 10_000
    delay_reject_ms: int = 10_000
    misses_max: int = 3
    record: bool = False
    skills: tuple[str, ...] = ()
    announce: dict[str, tuple[str, ...]] = {}  # language -> clips that a caller hears when he joins
    rings: tuple[RingModel, ...] = ()
    policy: PolicyModel | None = None
    callback: CallbackModel | None = None  # None: nobody is called back
    keep_place_ms: int = 0  # who rings back within this time has his old place
    wrap_up: WrapUp = WrapUp()
    display: str = ""  # what an agent's phone shows, with {placeholders}; "": `[tenant queue] caller`
    alert_info: str = ""  # value of Alert-Info, "": a URN of the queue
    auto_answer: str = ""  # for agents whose phone profile names no way of its own
    # states (queue_rules.ABSENT) in which an agent doesn't count as there; (): nobody needs to be
    join_absent: tuple[str, ...] = ()
    leave_absent: tuple[str, ...] = ()
    estimated_wait_ms_max: int = 0  # who would probably wait longer isn't taken; 0: everybody is
    overflow: tuple[OverflowRule, ...] = ()
    announcing: Announcing = Announcing()
    was: tuple[str, ...] = ()  # full names that this queue had before
    progress_ms: int = 10_000  # ring-progressively: one more phone each time
    starve_ms: int = 900_000
    reserve: tuple[tuple[str, bool, int], ...] = ()  # (queue of this tenant, or True: class of callers; how many)
    hard: bool = False  # each of its calls is a hard one
    hard_hold_ms: int = 30_000
    credit: str = "full"  # full | none: does a wait that a transferred caller has served count here?
    hops_max: int = -1  # transfers in a call that came through this queue; -1: the tenant's
    people_max: int = -1
    recording: RecordingModel | None = None  # how callers learn of `record`; None: as the tenant says
    caller_id: str = ""  # E.164 that those are shown whom we call for this queue


class Reach(msgspec.Struct, frozen=True):
    """How an agent is reached otherwise than by his registered phones.

    `number`: rung through the tenant's outbound rules; `registered`: his registered phones (or his contact) ring beside
    it. `confirm`: only his key 1 within `confirm_ms` counts as an answer. `nailed_up`: by a leg that he has dialled
    himself and that stays up between calls; `hung_up`: what its end makes of him, unreachable | logout.
    """

    number: str = ""
    registered: bool = False
    confirm: bool = True
    confirm_ms: int = 10_000
    nailed_up: bool = False
    hung_up: str = "unreachable"


# How keys go to a far end: by RFC 4733 where agreed, else in the sound; likewise, not listened for; INFO; in the sound
WAYS_OF_KEYS = ("auto", "rfc4733", "info", "inband")


class AgentModel(msgspec.Struct, frozen=True):
    """An agent: `number` is his extension and SIP user. `contact`: a static SIP URI instead of registration."""

    tenant: str
    number: str
    name: str
    queues: tuple[tuple[str, int, int], ...] = ()  # (full queue name, level, position)
    skills: tuple[tuple[str, int], ...] = ()
    team: str = ""
    contact: str = ""
    wrap_up_ms: int = -1
    second_line: bool = False
    auto_answer: str = ""  # phone profile's way: '' | alert-info | call-info | answer-mode
    logged_in: bool = False  # logged in when his phone registers (otherwise *50)
    dtmf: str = "auto"  # see WAYS_OF_KEYS
    wrap_up: WrapUp | None = None  # instead of his queues' mode and time; codes are always the queue's
    on_demand: bool = False  # one call, then not ready until he asks for the next
    messages: bool = True  # is he told of his state by SIP MESSAGE?
    supervisor: bool = False  # may follow every agent of his tenant
    supervises: tuple[str, ...] = ()  # "queue/tenant/name", "team/name": may follow their agents
    expires: tuple[tuple[str, int], ...] = ()  # (skill, Unix ms of its end)
    certified: tuple[tuple[str, str], ...] = ()  # (skill, by whom)
    rest: RestModel | None = None
    started: int = 0  # his first day, as days since 1970-01-01; 0 not said
    reach: Reach | None = None  # None: by his registered phones, or his contact
    records_prompts: bool = False  # may record prompts by phone
    switches: tuple[tuple[str, str], ...] = ()  # (calendar | notice, full name) that he may switch by his phone
    forward: bool = False  # his phone's 3xx is followed, to numbers that his team may dial
    service_class: str = ""  # what he may dial; '' the tenant's default
    location: Location | None = None  # where his phone stands, for emergency calls; None: the site's
    srtp: str = ""  # off | optional | required, '' the site's
    office: str = ""  # whose latency and cost are his; '' none


class TrunkModel(msgspec.Struct, frozen=True):
    """A carrier or gateway.

    `addresses`: hosts or CIDRs its calls come from; `host`, `port`, `transport` where ours go.
    """

    name: str
    tenant: str = "default"
    host: str = ""
    port: int = 5060
    transport: str = "udp"
    addresses: tuple[str, ...] = ()
    user: str = ""
    calls_max: int = 0
    trust_identity: bool = False
    media_from: str = "any"  # any | signalled | CIDR
    country: str = "us"  # whose ringback, busy and congestion tones
    session_timer_s: int = 1_800
    dtmf: str = "auto"
    secret: str = ""  # name under which the password lies in the data folder
    refer: bool = False  # takes a caller of its own back by REFER, and calls the target itself
    reliable: bool = False  # its callers are told that it rings by 100rel, when they know that (RFC 3262)
    forward: bool = False  # its 3xx is followed, to numbers that the tenant may dial
    replaces: bool = False  # it joins two of its own calls when REFER names one by Replaces (RFC 3891)
    find: str = "host"  # how `host` is looked up: host | srv | naptr, see effects.ResolveWanted
    enrol: EnrolModel | None = None
    probe: ProbeModel | None = None
    calls_per_second: int = 0  # that we send it, 0 no limit
    silent_ms: int = limits.trunk_silent_ms_default  # without a word to an INVITE, until the next trunk's turn
    next_on: tuple[int, ...] = ()  # SIP statuses that send a call to the next trunk, beside those that always do
    numbers: NumberPlan | None = None  # None: numbers go through as they come
    tls_name: str = ""  # what its certificate must be for, where that is another name than `host`
    srtp: str = "off"  # off | optional | required
    codecs: tuple[str, ...] = ()  # (): the site's
    office: str = ""  # where its gateway stands
    accounts: tuple[str, ...] = ()  # users by which a box registers with us: its contacts are where our calls go
    deny: tuple[str, ...] = ()  # networks within `addresses` that are not it


class DeviceModel(msgspec.Struct, frozen=True):
    """A box or phone that fetches its configuration from us, by its MAC address (twelve small hexadecimal digits).

    `template` writes its file, which it asks for as `file` ({mac}, {MAC}); `agent` is "tenant/number", or it is the
    box of `trunk`, whose calls then ask for the number `line`.
    """

    mac: str
    profile: str
    template: str
    file: str
    enter: str
    agent: str = ""
    trunk: str = ""
    line: str = ""
    codecs: tuple[str, ...] = ()
    transport: str = ""  # udp | tcp | tls, by which a phone reaches us; '' UDP, else what we listen on


class OutboundRule(msgspec.Struct, frozen=True):
    """Agents' way out: digits matching `pattern` (prefix, then . for any rest, x one digit) go to `trunk`, the first of
    its `routes`; without routes there is only the one."""

    tenant: str
    pattern: str
    trunk: str
    strip: int = 0
    prepend: str = ""
    caller_id: str = ""
    teams: tuple[str, ...] = ()  # empty: every agent of the tenant
    routes: tuple[Route, ...] = ()


class SeasonModel(msgspec.Struct, frozen=True):
    """On these days ((first, last), both inside, as days since 1970-01-01) a number leads elsewhere."""

    dialplan: str
    entry: str
    days: tuple[tuple[int, int], ...]


class NumberModel(msgspec.Struct, frozen=True):
    """A dialled number of the platform: leads to a dialplan ("tenant/name"), to a flow in it, or to a queue."""

    number: str
    tenant: str
    dialplan: str
    entry: str = ""  # flow name; '' = the dialplan's own entry
    public: bool = False  # reachable without trunk address or credentials
    seasons: tuple[SeasonModel, ...] = ()
    anonymous: str = ""  # flow of the dialplan for callers who withhold their number; '' the same way as the others
    malformed: str = ""  # … and for those whose number is none
    fax: str = ""  # … and for fax machines that call; '': nobody listens for them


class ParkingModel(msgspec.Struct, frozen=True):
    """Where callers are parked: the slots by the digits behind the code. `back_ms`: then whoever parked is rung."""

    slots: tuple[str, ...] = ()
    back_ms: int = 120_000
    music: tuple[str, ...] = ()  # (): the tenant's


class TenantModel(msgspec.Struct, frozen=True):
    name: str
    realm: str  # digest realm, unique per tenant
    domain: str = ""  # host part by which phones name the tenant
    languages: tuple[str, ...] = ("en",)
    time_zone: str = "UTC"
    country: str = "us"
    music: tuple[str, ...] = ("music/default",)  # hold music where no queue names its own
    # md5 | sha-256 | both: phones in use (baresip 1.0, SIPp 3.6) give up when a challenge names SHA-256 at all
    digest: str = "md5"
    codes: dict[str, str] = {}  # feature code -> login | logout | not_ready | ready | transfer | hold | record_pause
    retention_days: dict[str, int] = {}  # as Site's, where this tenant differs
    reasons: dict[str, Reason] = {}  # digit(s) behind the code of not_ready -> reason
    hops_max: int = 2  # transfers in one call
    people_max: int = 3  # whom one caller may be given to
    transfer_avoid_ms: int = 60_000  # so long who transferred a caller to a queue isn't offered him
    recording: RecordingModel | None = None
    parking: ParkingModel | None = None  # None: nobody can be parked
    voicemail_bytes_max: int = 0  # of all its boxes together, 0 without a bound
    recordable: dict[str, str] = {}  # key -> full name of a prompt that may be recorded by phone
    voices: dict[str, VoiceModel] = {}  # language -> who speaks it; not named: the best that the machine has
    speech: dict[str, SpeechModel] = {}  # language -> who understands it; not named: the engine's own, if it has one
    caller_ids: tuple[str, ...] = ()  # E.164 that its people may show outside, beside what outbound.yaml says
    classes: dict[str, ServiceClass] = {}  # what its agents may dial; `default` is that of agents who name none
    rates: tuple[tuple[str, int], ...] = ()  # (pattern of E.164, thousandths of a unit of money a minute)
    lamps: str = "everyone"  # whose dialogs an agent's lamp keys may show: everyone of the tenant | group
    gate: AccessModel | None = None  # where its phones may register and call from


class PromptModel(msgspec.Struct, frozen=True):
    """A clip the site can play. `clip` is its number in the clip store, assigned by the reader in a stable order."""

    clip: int
    name: str  # "en/welcome", "tone/ringback.us", "music/default", "acme:en/welcome" for a tenant's own
    text: str
    path: str  # WAV file, '' for tones that the plane makes
    duration_ms: int
    sha256: str = ""  # of the recording: the number changes when the recording does


class Site(msgspec.Struct, frozen=True):
    """The whole of it. `version` is the content hash of all files."""

    format: int
    version: str
    tenants: dict[str, TenantModel]
    numbers: dict[str, NumberModel]
    queues: dict[str, QueueModel]  # "tenant/name"
    agents: dict[str, AgentModel]  # "tenant/number"
    trunks: dict[str, TrunkModel]
    outbound: tuple[OutboundRule, ...]
    programs: dict[str, Program]  # "tenant/name"
    prompts: dict[str, PromptModel]  # by full name
    listen: tuple[str, ...] = ()
    advertise: str = ""
    local_networks: tuple[str, ...] = ()
    # calls | events | queue_events | recordings | journal: how long each kind of record is kept; not named: for ever
    retention_days: dict[str, int] = {}
    drain_ms_max: int = limits.drain_ms_default  # a drain ends what is left of the calls after that
    calendars: dict[str, CalendarModel] = {}  # "tenant/name"
    zones: dict[str, Zone] = {}  # the time zones of tenants and calendars, see dialplan.zones
    lookups: dict[str, LookupModel] = {}  # "tenant/name"
    boxes: dict[str, BoxModel] = {}  # "tenant/name"
    mail: MailModel | None = None  # None: no mail is sent
    traced: bool = False  # how steps are left is told too (call.way): for tests and drawings
    bus: BusModel | None = None
    grammars: dict[str, Grammar] = {}  # what callers may say, by the hash of its content
    devices: dict[str, DeviceModel] = {}  # by MAC address
    emergency: Emergency | None = None
    tls: TlsModel | None = None
    srtp: str = "off"  # of phones and of far ends that no trunk is: off | optional | required
    codecs: tuple[str, ...] = ()  # what is offered and taken, the preferred first; (): G.711
    offices: dict[str, OfficeModel] = {}
    gate: GateModel | None = None
    fraud: tuple[FraudRule, ...] = ()


def retention_days(site: Site, kind: str, tenant: str = "") -> int:
    """How many days records of `kind` are kept for a tenant, 0 for ever. `tenant` "": the platform's own."""
    own = site.tenants[tenant].retention_days if tenant in site.tenants else {}
    return own.get(kind, site.retention_days.get(kind, 0))


def find_number(site: Site, dialled: str, domain_tenant: str = "") -> NumberModel | None:
    """The number that `dialled` reaches: the tenant's own first (tenant.yaml `numbers:`), then the platform's."""
    if domain_tenant:
        own = site.numbers.get(f"{domain_tenant}/{dialled}")
        if own is not None:
            return own
    return site.numbers.get(dialled)


def match(site: Site, tenant: str, digits: str, team: str = "") -> tuple[OutboundRule, str] | None:
    """The first outbound rule that `tenant` may use for `digits`, with the number as the trunk shall get it."""
    for rule in site.outbound:
        if rule.tenant != tenant or (rule.teams and team not in rule.teams):
            continue
        if matches(rule.pattern, digits):
            return rule, rule.prepend + digits[rule.strip :]
    return None


def matches(pattern: str, digits: str) -> bool:
    """`x` is one digit, a final `.` any rest (also none), everything else itself."""
    if pattern.endswith("."):
        pattern = pattern[:-1]
        digits, rest = digits[: len(pattern)], digits[len(pattern) :]
        if rest and not (rest.isascii() and rest.isdigit()):
            return False
    if len(digits) != len(pattern):
        return False
    for wanted, digit in zip(pattern, digits, strict=True):
        if (digit not in "0123456789") if wanted == "x" else wanted != digit:
            return False
    return True
