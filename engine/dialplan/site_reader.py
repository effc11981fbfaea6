"""site.yaml, tenant.yaml, queues, agents, trunks and outbound rules -> typed models. Names are checked by `reader`."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from engine import limits, marks
from engine.dialplan import (
    addresses,
    agent_reader,
    box_reader,
    bus_reader,
    callback_reader,
    codecs_reader,
    gate_reader,
    humane_reader,
    numbers_reader,
    offices,
    outgoing_reader,
    parking_reader,
    queue_rules,
    recording_reader,
    seasons,
    skills,
    speech_reader,
    strategies,
    tls_reader,
    values,
    voice_reader,
)
from engine.dialplan.box_model import MailModel
from engine.dialplan.bus import BusModel
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.findings import Report
from engine.dialplan.flow_reader import check_format
from engine.dialplan.gate_model import GateModel
from engine.dialplan.model import AgentModel, QueueModel, TenantModel
from engine.dialplan.tls import TlsModel
from engine.dialplan.trunk_model import OfficeModel

CODES = {
    "login": "*50", "logout": "*51", "not_ready": "*52", "ready": "*53",
    "transfer": "*1", "hold": "*2", "record_pause": "*3", "conference": "*6", "supervise": "*57", "pick": "*58",
    "status": "*54", "wrap_code": "*55", "extend": "*56", "wrap_up": "*4",
    "nail_up": "*59", "release": "*0", "park": "*8", "voicemail": "*97", "record_prompt": "*77", "switch": "*70",
    "pickup": "*78",
}  # fmt: skip
CODES_ADDED = (  # later: they give way to a code that a site had before
    "status", "wrap_code", "extend", "wrap_up", "conference", "supervise", "pick", "nail_up", "release", "park",
    "voicemail", "record_prompt", "switch", "pickup",
)  # fmt: skip
SITE_KEYS = (
    "ringdown", "name", "about", "time_zone", "languages", "country", "realm", "domain", "digest", "numbers", "codes",
    "listen", "advertise", "local_networks", "music", "retention", "limits", "reasons", "lends", "borrows", "recording",
    "allow", "parking", "lamps", "voicemail", "mail", "recorded_prompts", "bus", "tls", "voices", "speech", "emergency",
    "srtp", "codecs", "offices", "gate", "fraud",
    *humane_reader.TENANT_KEYS, *outgoing_reader.TENANT_KEYS,
)  # fmt: skip
NUMBER_KEYS = ("dialplan", "entry", "public", "seasons", "anonymous", "malformed", "fax")
SITE_LATER = ("calendars",)
TENANT_KEYS = (
    "ringdown", "name", "about", "time_zone", "languages", "country", "realm", "domain", "digest", "entries",
    "numbers", "codes", "music", "retention", "reasons", "lends", "borrows", "recording", "parking", "voicemail",
    "allow", "lamps", "recorded_prompts", "voices", "speech", "gate",
    *humane_reader.TENANT_KEYS, *outgoing_reader.TENANT_KEYS,
)  # fmt: skip
# What is kept for a time. The journal belongs to the whole platform: only site.yaml can say how long.
RETENTION = ("calls", "events", "queue_events", "recordings", "voicemail", "utterances")
TENANT_LATER = ("agents_see",)
_DAY, _HOUR, _MINUTE = 86_400_000, 3_600_000, 60_000
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,8})?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_NUMBER = re.compile(r"\+?[0-9]{1,32}")
_PATTERN = re.compile(r"\+?[0-9x*#]{0,32}\.?")
_SIP = re.compile(r"sips?:[A-Za-z0-9_.!~*'()&=+$,;?/%-]+@[A-Za-z0-9.\[\]:-]+(?:;[A-Za-z0-9=._-]+)*")


class NumberDraft(msgspec.Struct, frozen=True):
    """A number as written: `target` "dialplan" or "tenant/dialplan"."""

    key: marks.Scalar
    node: marks.Scalar
    target: str
    entry: marks.Scalar | None = None
    public: bool = False
    seasons: list[seasons.SeasonDraft] = []
    anonymous: marks.Scalar | None = None
    malformed: marks.Scalar | None = None
    fax: marks.Scalar | None = None


class TenantDraft(msgspec.Struct):
    """A tenant with what its numbers and entries name. `entries`: name -> (dialplan scalar, flow scalar or None)."""

    model: TenantModel
    root: marks.Node | None
    music: list[marks.Scalar] = []
    numbers: list[NumberDraft] = []
    entries: dict[str, tuple[marks.Scalar, marks.Scalar | None]] = {}
    seasons: dict[str, list[seasons.SeasonDraft]] = {}  # of entries
    humane: humane_reader.HumaneDraft = msgspec.field(default_factory=humane_reader.HumaneDraft)
    announced: recording_reader.Announced = {}


class SiteDraft(msgspec.Struct):
    listen: tuple[str, ...] = ()
    advertise: str = ""
    local_networks: tuple[str, ...] = ()
    retention_days: dict[str, int] = {}
    drain_ms_max: int = limits.drain_ms_default
    mail: MailModel | None = None
    bus: BusModel | None = None
    emergency: marks.Node | None = None
    tls: TlsModel | None = None
    srtp: str = "off"
    codecs: tuple[str, ...] = ()
    offices: dict[str, OfficeModel] = {}
    gate: GateModel | None = None
    fraud: marks.Node | None = None


# --- site and tenants --------------------------------------------------------------------------------------
def read_site_file(report: Report, root: marks.Mapping) -> tuple[SiteDraft, TenantDraft]:
    """site.yaml: the platform, and the tenant `default` that owns the root folder."""
    check_format(report, root)
    values.known_keys(report, root, "site.yaml", SITE_KEYS, SITE_LATER)
    tenant = _tenant(report, root, ROOT_TENANT, TenantModel(ROOT_TENANT, "ringdown"))
    site = SiteDraft()
    listen = values.scalars(report, root.entries.get("listen"), "listen")
    site.listen = tuple(each.text for each in listen if addresses.listen(report, each))
    advertise = values.scalar(report, root.entries.get("advertise"), "advertise")
    if advertise is not None and addresses.host(report, advertise, "advertise"):
        site.advertise = advertise.text
    networks = values.scalars(report, root.entries.get("local_networks"), "local_networks")
    site.local_networks = tuple(each.text for each in networks if addresses.network(report, each))
    site.retention_days = _retention(report, root, (*RETENTION, "journal"))
    site.mail = box_reader.read_mail(report, root.entries.get("mail"))
    site.emergency = root.entries.get("emergency")
    site.srtp = values.srtp(report, root.entries.get("srtp"))
    site.offices = offices.read(report, root.entries.get("offices"))
    site.fraud = root.entries.get("fraud")
    site.gate = gate_reader.read_site(report, root, site.listen)
    if site.srtp == "required" and not any(each.startswith("tls") for each in site.listen):
        hint = "let phones come in over TLS as well: listen: ['tls:…']"
        report.add("RD345", root.entries["srtp"], "the keys of phones travel readable: no listener is TLS", hint)
    site.bus = bus_reader.read(report, root.entries.get("bus"))
    site.tls = tls_reader.read(report, root.entries.get("tls"))
    tls_reader.check_listen(report, listen, site.tls, "tls" in root.entries)
    site.codecs = codecs_reader.read(report, root.entries.get("codecs"))
    bounds = values.mapping(report, root.entries.get("limits"), "limits")
    if bounds is not None:
        values.known_keys(report, bounds, "limits", ("drain",))
        drain = values.duration(report, bounds.entries.get("drain"), "drain", 0, limits.drain_ms_max)
        site.drain_ms_max = limits.drain_ms_default if drain is None else drain
    return site, tenant


def _retention(report: Report, root: marks.Mapping, kinds: tuple[str, ...]) -> dict[str, int]:
    """Whole days by kind; what isn't named is kept for ever (or as site.yaml says, for a tenant)."""
    form = values.mapping(report, root.entries.get("retention"), "retention")
    if form is None:
        return {}
    values.known_keys(report, form, "retention", kinds)
    found: dict[str, int] = {}
    for key, value in form:
        kept = values.duration(report, value, f"retention of {key.text}", _DAY, 36_500 * _DAY)
        if key.text in kinds and kept is not None:
            found[key.text] = kept // _DAY
    return found


def read_tenant_file(report: Report, root: marks.Mapping, name: str, parent: TenantModel) -> TenantDraft:
    """tenants/NAME/tenant.yaml; what it doesn't say is as in site.yaml, its realm is its own."""
    values.known_keys(report, root, "tenant.yaml", TENANT_KEYS, TENANT_LATER)
    inherited = msgspec.structs.replace(
        parent, name=name, realm=f"{name}.{parent.realm}", domain="", codes=parent.codes
    )
    tenant = _tenant(report, root, name, inherited)
    gate = gate_reader.read_tenant(report, root.entries)
    kept = _retention(report, root, RETENTION)
    tenant.model = msgspec.structs.replace(tenant.model, retention_days=kept, gate=gate)
    for key, value in values.mapping(report, root.entries.get("entries"), "entries") or ():
        if isinstance(value, marks.Scalar):
            tenant.entries[key.text] = (value, None)
            continue
        entry = values.mapping(report, value, f"entry {key.text}")
        if entry is None:
            continue
        values.known_keys(report, entry, "an entry", ("dialplan", "flow", "seasons"))
        tenant.seasons[key.text] = seasons.read(report, entry.entries.get("seasons"))
        dialplan = values.scalar(report, entry.entries.get("dialplan"), "dialplan")
        if "dialplan" not in entry.entries:
            report.add("RD022", key, f"the entry {key.text} names no dialplan", "add dialplan: NAME")
        elif dialplan is not None:
            flow = values.scalar(report, entry.entries.get("flow"), "flow")
            tenant.entries[key.text] = (dialplan, flow)
    return tenant


def _tenant(report: Report, root: marks.Mapping, name: str, model: TenantModel) -> TenantDraft:
    entries = root.entries
    changes: dict[str, Any] = {}
    for key in ("name", "about"):
        if key in entries:
            values.prose(report, entries[key], key)
    languages = [
        each.text
        for each in values.scalars(report, entries.get("languages"), "languages")
        if addresses.matches(report, each, _LANGUAGE, "a language such as en or zh")
    ]
    if languages:
        changes["languages"] = tuple(dict.fromkeys(languages))
    zone = values.scalar(report, entries.get("time_zone"), "time_zone")
    if zone is not None and addresses.matches(report, zone, _ZONE, "a time zone such as Europe/London"):
        changes["time_zone"] = zone.text
    for key in ("realm", "domain"):
        host = values.scalar(report, entries.get(key), key)
        if host is not None and addresses.host(report, host, key):
            changes[key] = host.text
    country = values.choice(report, entries.get("country"), "country", values.COUNTRIES)
    if country:
        changes["country"] = country
    digest = values.choice(report, entries.get("digest"), "digest", ("md5", "sha-256", "both"))
    if digest:
        changes["digest"] = digest
    lamps = values.choice(report, entries.get("lamps"), "lamps", ("everyone", "group"))
    if lamps:
        changes["lamps"] = lamps
    kept = box_reader.read_voicemail(report, entries.get("voicemail"))
    if kept is not None:
        changes["voicemail_bytes_max"] = kept
    codes = _codes(report, entries.get("codes"), model.codes or {code: act for act, code in CODES.items()})
    spoken = changes.get("languages", model.languages)
    changes["voices"] = voice_reader.read(report, entries.get("voices"), spoken, model.voices)
    changes["speech"] = speech_reader.read(report, entries.get("speech"), spoken, model.speech)
    changes["reasons"] = agent_reader.read_reasons(report, entries.get("reasons"), model.reasons)
    humane, more = humane_reader.read_tenant(report, root)
    changes |= outgoing_reader.read_tenant(report, entries, model)
    draft = TenantDraft(msgspec.structs.replace(model, codes=codes, **changes, **more), root, humane=humane)
    draft.music = values.scalars(report, entries.get("music"), "music")
    recording, draft.announced = recording_reader.read_tenant(report, entries.get("recording"))
    draft.model = msgspec.structs.replace(
        draft.model, recording=recording, parking=parking_reader.read(report, entries.get("parking"), model.parking)
    )
    for key_node, value in values.mapping(report, entries.get("numbers"), "numbers") or ():
        number = _number(report, key_node, value)
        if number is not None:
            draft.numbers.append(number)
    return draft


def _codes(report: Report, node: marks.Node | None, inherited: dict[str, str]) -> dict[str, str]:
    by_act = {act: code for code, act in inherited.items()}
    places: dict[str, marks.Scalar] = {}
    for key, value in values.mapping(report, node, "codes") or ():
        code = values.scalar(report, value, f"the code of {key.text}")
        if values.choice(report, key, "codes", CODES) is None or code is None:
            continue
        if re.fullmatch(r"[*#][0-9*#]{1,7}", code.text) is None:
            report.add("RD024", code, f"{code.text!r} is not a feature code", "a quoted code such as '*50'")
            continue
        by_act[key.text] = code.text
        places[key.text] = code
    for act in CODES_ADDED:
        if act not in places and any(
            by_act[act].startswith(each.text) or each.text.startswith(by_act[act]) for each in places.values()
        ):
            del by_act[act]
    for act, code_text in by_act.items():
        for other, other_text in by_act.items():
            if other != act and other_text.startswith(code_text) and (act in places or other in places):
                place = places.get(other) or places[act]
                report.add(
                    "RD087", place, f"{other_text} ({other}) begins with {code_text} ({act})", "choose another code"
                )
                return inherited
    return {code: act for act, code in by_act.items()}


def _number(report: Report, key: marks.Scalar, value: marks.Node) -> NumberDraft | None:
    if _NUMBER.fullmatch(key.text) is None:
        hint = "digits, with + before a country code; 2xx for agents follows from agents.yaml"
        report.add("RD082", key, f"{key.text!r} is not a number that can be dialled", hint)
        return None
    if isinstance(value, marks.Scalar):
        return None if values.computed(report, value, "a dialplan") else NumberDraft(key, value, value.text)
    form = values.mapping(report, value, f"the number {key.text}")
    if form is None:
        return None
    values.known_keys(report, form, "a number", NUMBER_KEYS)
    dialplan = values.scalar(report, form.entries.get("dialplan"), "dialplan")
    if dialplan is None:
        if "dialplan" not in form.entries:
            report.add("RD022", key, f"the number {key.text} leads nowhere", "add dialplan: NAME")
        return None
    entry = values.scalar(report, form.entries.get("entry"), "entry")
    public = values.flag(report, form.entries.get("public"), "public")
    held = seasons.read(report, form.entries.get("seasons"))
    unknown = [values.scalar(report, form.entries.get(each), each) for each in ("anonymous", "malformed", "fax")]
    return NumberDraft(key, dialplan, dialplan.text, entry, bool(public), held, *unknown)


# --- queues and agents ---------------------------------------------------------------------------------------
QUEUE_KEYS = (
    "strategy", "ring", "wrap_up", "service_level", "skills", "max_wait", "length", "music", "position", "announce",
    "join_empty", "weight", "rest", "misses", "record", "rings", "about", "leave_when_empty", "estimated_wait_max",
    "overflow", "was", "progress", "callback", "keep_place", "display", "alert_info", "auto_answer", "policy",
    "caller_id",
    *humane_reader.QUEUE_KEYS,
)  # fmt: skip
QUEUE_LATER = ("estimate", "priority", "needs", "calendar", "teams")


def read_queues(report: Report, root: marks.Node | None, tenant: str) -> dict[str, tuple[QueueModel, marks.Mapping]]:
    """queues.yaml: name -> model with its node (music and announce are resolved later)."""
    found: dict[str, tuple[QueueModel, marks.Mapping]] = {}
    for key, value in values.mapping(report, root, "queues.yaml") or ():
        name = values.name(report, key, "a queue")
        form = values.mapping(report, value, f"the queue {key.text}")
        if name is not None and form is not None:
            found[name] = (_queue(report, form, tenant, name), form)
    return found


def _queue(report: Report, form: marks.Mapping, tenant: str, name: str) -> QueueModel:
    values.known_keys(report, form, "a queue", QUEUE_KEYS, QUEUE_LATER)
    entries = form.entries
    changes: dict[str, Any] = {}

    def keep(field: str, value: Any) -> None:
        if value is not None:
            changes[field] = value

    keep("strategy", strategies.read(report, entries.get("strategy")))
    for key, field, low, high in (
        ("ring", "ring_ms", 2_000, limits.ring_ms_max),
        ("max_wait", "wait_ms_max", 1_000, limits.queue_wait_ms_max),
        ("position", "announce_position_ms", 5_000, _HOUR),
        ("keep_place", "keep_place_ms", 1_000, _HOUR),
        ("estimated_wait_max", "estimated_wait_ms_max", _MINUTE, limits.queue_wait_ms_max),
        ("progress", "progress_ms", 1_000, limits.ring_ms_max),
    ):
        keep(field, values.duration(report, entries.get(key), key, low, high))
    wrap_up = agent_reader.read_wrap_up(report, entries.get("wrap_up"))
    if wrap_up is not None:
        changes["wrap_up"], changes["wrap_up_ms"] = wrap_up, wrap_up.ms
    keep("caller_id", numbers_reader.e164(report, entries.get("caller_id"), "caller_id", None) or None)
    keep("display", agent_reader.read_display(report, entries.get("display")))
    keep("alert_info", agent_reader.read_alert_info(report, entries.get("alert_info")))
    keep("auto_answer", values.choice(report, entries.get("auto_answer"), "auto_answer", agent_reader.AUTO_ANSWER))
    keep("entries_max", values.number(report, entries.get("length"), "length", 1, limits.entries_max))
    keep("weight", values.number(report, entries.get("weight"), "weight", 0, 1_000))
    keep("misses_max", values.number(report, entries.get("misses"), "misses", 0, 100))
    changes.update(queue_rules.read_keys(report, entries, tenant))
    recording_reader.read_queue(report, entries.get("record"), changes)
    queue_rules.service_level(report, entries.get("service_level"), changes)
    humane_reader.read_queue(report, form, changes)
    rests = {"no_answer": "delay_no_answer_ms", "busy": "delay_busy_ms", "rejected": "delay_reject_ms"}
    for why, value in values.mapping(report, entries.get("rest"), "rest") or ():
        if values.choice(report, why, "rest", rests) is not None:
            keep(rests[why.text], values.duration(report, value, f"rest after {why.text}", 0, _HOUR))
    keep("callback", callback_reader.read_callback(report, entries.get("callback"), key="callback"))
    named = [values.name(report, each, "a skill") for each in values.scalars(report, entries.get("skills"), "skills")]
    changes["skills"] = tuple(each for each in named if each)
    return QueueModel(tenant, name, **changes)


AGENT_KEYS = (
    "name", "skills", "queues", "team", "contact", "wrap_up", "second_line", "phone", "logged_in", "on_demand", "about",
    "supervisor", "supervises", "records_prompts", "switches", "profile", "class", "location",
    "office",
    *humane_reader.AGENT_KEYS,
)  # fmt: skip


class AgentDraft(msgspec.Struct):
    model: AgentModel
    key: marks.Scalar
    queues: list[tuple[marks.Scalar, int]]
    form: marks.Mapping
    supervises: list[marks.Scalar] = []
    reached_at: marks.Scalar | None = None  # phone: {number: …}


def read_agents(
    report: Report, root: marks.Node | None, tenant: str, zone: str = "UTC", wall_ms: int = 0
) -> dict[str, AgentDraft]:
    """agents.yaml: number -> agent; queues by short name, checked by the reader. For dates see `skills.read`."""
    found: dict[str, AgentDraft] = {}
    for key, value in values.mapping(report, root, "agents.yaml") or ():
        if re.fullmatch(r"[0-9]{1,12}", key.text) is None:
            hint = "the key is the agent's extension, as in 201; his name stands below it"
            report.add("RD082", key, f"{key.text!r} is not an agent's number", hint)
            continue
        form = values.mapping(report, value, f"the agent {key.text}")
        if form is not None:
            found[key.text] = _agent(report, form, key, tenant, zone, wall_ms)
    return found


def _agent(report: Report, form: marks.Mapping, key: marks.Scalar, tenant: str, zone: str, wall_ms: int) -> AgentDraft:
    remedy = "agents' passwords are generated into the data folder: ringdown serve prints them once"
    values.no_passwords(report, form, remedy)
    known = [each for each in form.keys if each not in values.PASSWORD_KEYS]
    shown = marks.Mapping(form.entries, {each: form.keys[each] for each in known}, form.file, form.line, form.column)
    values.known_keys(report, shown, "an agent", AGENT_KEYS)
    entries = form.entries
    changes: dict[str, Any] = {"name": key.text}
    name = values.prose(report, entries.get("name"), "name")
    if name is not None:
        changes["name"] = name.text
    held = skills.read(report, entries.get("skills"), zone, wall_ms)
    changes |= {"skills": held.levels, "expires": held.expires, "certified": held.certified}
    team = values.name(report, entries.get("team"), "a team")
    contact = values.scalar(report, entries.get("contact"), "contact")
    if contact is not None and re.match(r"sips?:[^@]*:[^@]*@", contact.text):
        report.add("RD080", contact, "a password in a contact", "leave it out; secrets lie in the data folder")
    elif contact is not None and _SIP.fullmatch(contact.text) is None:
        report.add("RD086", contact, f"{contact.text!r} is not a sip: address", "as in sip:ana@192.0.2.5:5060")
    elif contact is not None:
        changes["contact"] = contact.text
    changes["team"] = team or ""
    changes["wrap_up"] = wrap_up = agent_reader.read_wrap_up(report, entries.get("wrap_up"), own=True)
    changes["wrap_up_ms"] = -1 if wrap_up is None else wrap_up.ms
    changes["on_demand"] = bool(values.flag(report, entries.get("on_demand"), "on_demand"))
    changes["second_line"] = bool(values.flag(report, entries.get("second_line"), "second_line"))
    changes["logged_in"] = bool(values.flag(report, entries.get("logged_in"), "logged_in"))
    changes["records_prompts"] = bool(values.flag(report, entries.get("records_prompts"), "records_prompts"))
    changes["supervisor"] = bool(values.flag(report, entries.get("supervisor"), "supervisor"))
    told, number = agent_reader.read_phone(report, entries.get("phone"), contact)
    changes |= outgoing_reader.read_agent(report, entries)
    changes["office"] = values.name(report, entries.get("office"), "an office") or ""
    model = AgentModel(tenant, key.text, **changes, **told)
    follows = values.scalars(report, entries.get("supervises"), "supervises")
    return AgentDraft(model, key, _agent_queues(report, entries.get("queues")), form, follows, number)


def _agent_queues(report: Report, node: marks.Node | None) -> list[tuple[marks.Scalar, int]]:
    """`[support, sales]`, all of level 1, or `{support: 1, sales: 2}`."""
    if not isinstance(node, marks.Mapping):
        return [(each, 1) for each in values.scalars(report, node, "queues")]
    found = []
    for key, value in node:
        level = values.number(report, value, f"the level in {key.text}", 1, 100)
        if level is not None:
            found.append((key, level))
    return found


# --- trunks and the way out ------------------------------------------------------------------------------------
