"""`given:` of a test: who calls what, when, and who is there to answer."""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_network

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import NumberModel, SeasonModel, Site, TrunkModel
from engine.dialplan.program import Step
from engine.sim.clock_reader import read_at
from engine.sim.fake_bots import read_bots
from engine.sim.fake_lookups import read_lookups
from engine.sim.transcript import Given

KEYS = (
    "dialled", "caller", "name", "trunk", "at", "zone", "agents", "waiting", "closed", "lookups", "notices",
    "calendars", "unreachable", "bots",
)  # fmt: skip
CALENDAR_STATES = ("open", "closed", "auto")
WAITING_MAX = 200
STATES = ("ready", "not_ready", "logged_out", "talking")
CALLER = "5550100"
AT = "2026-03-04 10:00"  # a Wednesday morning that is no holiday anywhere
PUBLIC_HOST = "192.0.2.77"  # TEST-NET-1: no trunk of a site has it
_CALLER = re.compile(r"\+?[0-9]{1,32}|anonymous")
_OF = re.compile(r"([0-9]{1,4})(?: of ([0-9]{1,4}))?")


class Forms(msgspec.Struct):
    """The nodes of `given`, by key: those of the file, then those of a test over them. `place` for what is missing."""

    place: marks.Node
    entries: dict[str, marks.Node]
    agents: dict[str, tuple[marks.Scalar, marks.Node]]
    lookups: dict[str, tuple[marks.Scalar, marks.Node]]

    def over(self, other: Forms) -> Forms:
        """`other` on top of this; agents and lookups one by one."""
        agents, lookups = {**self.agents, **other.agents}, {**self.lookups, **other.lookups}
        return Forms(other.place, {**self.entries, **other.entries}, agents, lookups)


def read_forms(report: Report, place: marks.Node, node: marks.Node | None) -> Forms:
    forms = Forms(place, {}, {}, {})
    form = values.mapping(report, node, "given")
    if form is None:
        return forms
    values.known_keys(report, form, "given", KEYS)
    forms.entries = {key: value for key, value in form.entries.items() if key in KEYS}
    fakes = values.mapping(report, forms.entries.pop("lookups", None), "lookups")
    forms.lookups = {key.text: (key, value) for key, value in fakes or ()}
    agents = forms.entries.pop("agents", None)
    if isinstance(agents, marks.Mapping):
        forms.agents = {key.text: (key, value) for key, value in agents}
    else:
        forms.agents = {each.text: (each, each) for each in values.scalars(report, agents, "agents")}
    return forms


def read_given(report: Report, site: Site, forms: Forms, dialplan: str) -> Given | None:
    """None after a finding. `dialplan`: full name of the one that the file stands beside."""
    before = report.errors
    number = _dialled(report, site, forms, dialplan)
    if number is None:
        return None
    key, model = number
    dialled = key.rpartition("/")[2]
    zone = values.scalar(report, forms.entries.get("zone"), "zone")
    where = zone.text if zone is not None else site.tenants[model.tenant].time_zone
    at = forms.entries.get("at")
    moment = values.scalar(report, at, "at") if at is not None else marks.Scalar(_usual(model, dialplan), "", 1, 1)
    wall_ms = read_at(report, moment, where) if moment is not None else None
    caller = values.scalar(report, forms.entries.get("caller"), "caller")
    if caller is not None and _CALLER.fullmatch(caller.text) is None:
        report.add("RD024", caller, f"{caller.text!r} is no caller's number", "digits, + before a country code")
    name = values.scalar(report, forms.entries.get("name"), "name")
    trunk, host = _way_in(report, site, forms, dialled, model)
    agents = _agents(report, site, forms, model.tenant)
    waiting: dict[str, int] = {}
    for word, value in values.mapping(report, forms.entries.get("waiting"), "waiting") or ():
        full = _queue(report, site, word, model.tenant)
        waiting[full] = values.number(report, value, f"callers in {word.text}", 0, WAITING_MAX) or 0
    switches = _switches(report, forms, model.tenant)
    names = values.scalars(report, forms.entries.get("closed"), "closed")
    lookups = read_lookups(report, site, forms.lookups, model.tenant)
    closed = tuple(_queue(report, site, each, model.tenant) for each in names)
    lost = tuple(_elsewhere(report, site, each) for each in
                 values.scalars(report, forms.entries.get("unreachable"), "unreachable"))  # fmt: skip
    bots = read_bots(report, site, forms.entries.get("bots"))
    if report.errors > before or wall_ms is None:
        return None
    return Given(
        dialled, model.tenant, caller.text if caller is not None else CALLER, name.text if name is not None else "",
        trunk, host, wall_ms, where, agents, waiting, lookups, closed, switches, lost, bots,
    )  # fmt: skip


def _dialled(report: Report, site: Site, forms: Forms, dialplan: str) -> tuple[str, NumberModel] | None:
    node = values.scalar(report, forms.entries.get("dialled"), "dialled")
    if node is None:
        found = [(key, each) for key, each in site.numbers.items() if each.dialplan == dialplan]
        found = found or [(key, each) for key, each in site.numbers.items() if _season(each, dialplan) is not None]
        if found:
            return min(found, key=lambda pair: (pair[1].entry != "", not pair[1].public))
        hint = f"no number leads to {dialplan}: name one in site.yaml, or write given: {{dialled: NUMBER}}"
        report.add("RD233", forms.place, "which number does the caller dial?", hint)
        return None
    tenant = dialplan.partition("/")[0]
    for key in (f"{tenant}/{node.text}", node.text):
        if key in site.numbers:
            return key, site.numbers[key]
    known = [key.rpartition("/")[2] for key in site.numbers]
    report.add("RD233", node, f"nobody has the number {node.text!r}", did_you_mean(node.text, known))
    return None


def _season(number: NumberModel, dialplan: str) -> SeasonModel | None:
    """The season in which a number leads to a dialplan that isn't its usual one."""
    if number.dialplan == dialplan:
        return None
    return next((season for season in number.seasons if season.dialplan == dialplan and season.days), None)


def _usual(number: NumberModel, dialplan: str) -> str:
    """When a test's call comes that doesn't say: AT, or, for the dialplan of a season, the first day of one to come."""
    season = _season(number, dialplan)
    if season is None:
        return AT
    usual = date.fromisoformat(AT[:10]).toordinal() - date(1970, 1, 1).toordinal()
    first = next((first for first, last in season.days if last >= usual), season.days[-1][0])
    return f"{date.fromordinal(date(1970, 1, 1).toordinal() + first)} 10:00"


def _way_in(report: Report, site: Site, forms: Forms, dialled: str, number: NumberModel) -> tuple[str, str]:
    """(trunk or '', the host that his INVITE comes from)."""
    node = values.scalar(report, forms.entries.get("trunk"), "trunk")
    if node is not None:
        trunk = site.trunks.get(node.text)
        if trunk is None:
            report.add("RD036", node, f"no trunk {node.text!r}", did_you_mean(node.text, site.trunks))
            return "", ""
        host = _address(site, trunk)
        if not host:
            report.add("RD036", node, f"no call comes in by {node.text}: it has no address", "add addresses: to it")
        return node.text, host
    if number.public:
        return "", PUBLIC_HOST
    for trunk in site.trunks.values():
        if _address(site, trunk):
            return trunk.name, _address(site, trunk)
    hint = "add a trunk with addresses to trunks.yaml, or public: yes to the number"
    place = forms.entries.get("dialled", forms.place)
    report.add("RD234", place, f"nobody outside can reach {dialled}: it is not public and no trunk brings calls", hint)
    return "", ""


def box_host(site: Site, trunk: str) -> str:
    """Where a box that registers stands in a test, which has no password of its own: an address of RFC 5737."""
    return f"198.51.100.{1 + list(site.trunks).index(trunk) % 250}"


def _address(site: Site, trunk: TrunkModel) -> str:
    """A host that the trunk's calls may come from."""
    if trunk.accounts:
        return box_host(site, trunk.name)
    for address in trunk.addresses or ((trunk.host,) if trunk.host else ()):
        if "/" not in address:
            return address.rpartition(":")[0] if address.count(":") == 1 else address
        network = ip_network(address, strict=False)
        return str(network.network_address + (1 if network.num_addresses > 2 else 0))
    return ""


def _switches(report: Report, forms: Forms, tenant: str) -> tuple[tuple[str, str, str], ...]:
    """What operators have switched: (notice | calendar, full name, state or words)."""
    found: list[tuple[str, str, str]] = []
    for kind in ("notice", "calendar"):
        for word, value in values.mapping(report, forms.entries.get(f"{kind}s"), f"{kind}s") or ():
            full = word.text if "/" in word.text else f"{tenant}/{word.text}"
            if kind == "calendar":
                state = values.choice(report, value, f"the calendar {word.text}", CALENDAR_STATES)
            else:
                text = values.prose(report, value, f"the notice {word.text}")
                state = text.text if text is not None else None
            if state is not None:
                found.append((kind, full, state))
    return tuple(found)


def _elsewhere(report: Report, site: Site, address: marks.Scalar) -> str:
    """Of a recording that some dialplan of the site fetches."""
    known = dict.fromkeys(str(step.data["url"]) for step in steps_of(site, "play_url"))
    if address.text not in known:
        report.add("RD233", address, f"no play_url fetches {address.text!r}", did_you_mean(address.text, list(known)))
    return address.text


def steps_of(site: Site, verb: str) -> list[Step]:
    """Every step of this verb in the dialplans of the site."""
    flows = (flow for program in site.programs.values() for flow in program.flows.values())
    return [step for flow in flows for step in flow if step.verb == verb]


def _queue(report: Report, site: Site, name: marks.Scalar, tenant: str) -> str:
    """The full name of a queue."""
    full = name.text if "/" in name.text else f"{tenant}/{name.text}"
    if full not in site.queues:
        known = [each.partition("/")[2] for each in site.queues if each.startswith(f"{tenant}/")]
        report.add("RD032", name, f"no queue {name.text!r}", did_you_mean(name.text, known))
    return full


def _agents(report: Report, site: Site, forms: Forms, tenant: str) -> dict[str, str]:
    """Full key -> state, of those who are not logged out. A queue's name stands for so many of its agents."""
    found: dict[str, str] = {}
    for key, node in forms.agents.values():
        full = key.text if "/" in key.text else f"{tenant}/{key.text}"
        if full in site.agents:
            state = "ready"
            if node is not key:
                state = values.choice(report, node, f"the state of {key.text}", STATES) or ""
            found[full] = state
        elif full in site.queues:
            _crew(report, site, full, key, node, found)
        else:
            known = [name.partition("/")[2] for name in (*site.queues, *site.agents) if name.startswith(f"{tenant}/")]
            report.add("RD233", key, f"no agent or queue {key.text!r}", did_you_mean(key.text, known))
    return {agent: state for agent, state in found.items() if state != "logged_out"}


def _crew(
    report: Report, site: Site, queue: str, key: marks.Scalar, node: marks.Node, found: dict[str, str]
) -> None:
    """`support: 2`, `support: 0 of 2` (so many ready of so many logged in)."""
    crew = [name for name, agent in site.agents.items() if any(each[0] == queue for each in agent.queues)]
    if node is key:
        ready = here = len(crew)
    else:
        text = values.scalar(report, node, f"agents of {key.text}")
        match = _OF.fullmatch(text.text) if text is not None else None
        if text is None:
            return
        if match is None:
            hint = "a number, or READY of LOGGED_IN as in 0 of 2; states are given by agent: {201: not_ready}"
            report.add("RD024", text, f"{text.text!r} is not a number of agents", hint)
            return
        ready = int(match[1])
        here = int(match[2] or match[1])
        if not ready <= here <= len(crew):
            message = f"{text.text} agents of {key.text}: it has {len(crew)}"
            report.add("RD233", text, message, "give the queue more agents, or ask for fewer")
            return
    free = [agent for agent in crew if agent not in found]
    for place, agent in enumerate(free[:here]):
        found[agent] = "ready" if place < ready else "not_ready"
