"""A site's folder -> a checked and linked Site, or findings. Pure: file contents come in, nothing is opened.

Stages: every file is composed (marks); files become drafts; names are resolved and dialplans linked; paths are
analysed. A file that cannot be read hides names, so later stages then don't complain about missing names.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine import marks
from engine.dialplan import (
    agent_reader,
    box_reader,
    calendar_reader,
    fraud_reader,
    grammars_reader,
    hearing,
    humane_reader,
    lending,
    lookup_reader,
    numbers_reader,
    offices,
    options,
    outgoing_reader,
    policy_reader,
    profiles_site,
    prompt_use,
    queue_rules,
    recordable,
    recording_reader,
    rings,
    route_reader,
    seasons,
    speech_advice,
    survey_reader,
    switch_reader,
    utterance_rules,
    values,
    waivers,
    zones,
)
from engine.dialplan.advice import advise
from engine.dialplan.analysis import analyse
from engine.dialplan.calendars import Zone
from engine.dialplan.catalogue import ROOT_TENANT, Catalogue
from engine.dialplan.drafts import Draft
from engine.dialplan.findings import Finding, Report, did_you_mean
from engine.dialplan.flow_reader import read_dialplan
from engine.dialplan.linker import Unit, link
from engine.dialplan.model import (
    AgentModel,
    NumberModel,
    OutboundRule,
    QueueModel,
    Site,
    TenantModel,
    TrunkModel,
    matches,
)
from engine.dialplan.options import Context, Scope
from engine.dialplan.program import Program
from engine.dialplan.prompts import StockPrompt, WavInfo
from engine.dialplan.site_reader import (
    AgentDraft,
    NumberDraft,
    SiteDraft,
    TenantDraft,
    read_agents,
    read_queues,
    read_site_file,
    read_tenant_file,
)
from engine.dialplan.site_version import version_of
from engine.dialplan.trunk_reader import read_outbound, read_trunks
from engine.dialplan.verbs.table import Option
from engine.dialplan.ways import Graph

FORMAT = 1
TENANT_FILES = (
    "queues.yaml", "agents.yaml", "calendars.yaml", "lookups.yaml", "surveys.yaml", "boxes.yaml", "grammars.yaml",
)  # fmt: skip
PLATFORM_FILES = ("site.yaml", "trunks.yaml", "outbound.yaml", "devices.yaml")
FOLDERS = ("dialplans", "prompts", "profiles")  # the last is the platform's only


def read_site(
    files: Mapping[str, bytes | WavInfo],
    stock: Mapping[str, StockPrompt] | None = None,
    kept: Site | None = None,
    wall_ms: int = 0,
    thorough: bool = False,
) -> tuple[Site | None, list[Finding]]:
    """Read, link and check a site.

    `files`: path inside the site's folder -> bytes (WAV files may be given as WavInfo). `stock`: the stock prompts by
    name ("en/digits/1"), see prompts.read_stock. `kept`: the site in force, whose clip numbers stay.
    `wall_ms`: the time of day as Unix ms, for warnings about dates; 0: none of them. `thorough`: also tell what is
    of no use to anybody, as an admin asks who runs `check`. The Site is None when any finding is an error. Never
    raises, whatever the files hold.
    """
    checked = check_site(files, stock, kept, wall_ms, thorough)
    return checked.site, checked.findings


class Checked(msgspec.Struct):
    """What reading gave. `waived`: findings that the site bears with, each with its reason. `linked`: the site as far
    as it links, errors or not, to walk through what is wrong; nobody may be called by it."""

    site: Site | None
    findings: list[Finding]
    waived: list[Finding] = []
    linked: Site | None = None


def check_site(
    files: Mapping[str, bytes | WavInfo],
    stock: Mapping[str, StockPrompt] | None = None,
    kept: Site | None = None,
    wall_ms: int = 0,
    thorough: bool = False,
    lexicon: speech_advice.LexiconOf = speech_advice.no_lexicon,
) -> Checked:
    """`read_site`, with the findings that its `allow:` waives. `lexicon`: how a language's words are pronounced, for
    what a thorough reading says of spoken phrases."""
    return _Reader(files, stock or {}, kept, wall_ms, thorough, lexicon).read()


def check_text(text: bytes, file: str = "dialplans/main.yaml") -> list[Finding]:
    """Findings about one dialplan text in an otherwise empty one-language site (for editors and tests)."""
    site = b"ringdown: 1\nlanguages: [en]\n"
    return read_site({"site.yaml": site, file: text})[1]


class _Tenant:
    """One tenant while its folder is read."""

    def __init__(self, name: str, home: str, draft: TenantDraft) -> None:
        self.name = name
        self.home = home
        self.draft = draft
        self.queue_nodes: dict[str, marks.Mapping] = {}
        self.agents: dict[str, AgentDraft] = {}
        self.drafts: dict[str, Draft] = {}
        self.units: dict[str, Unit] = {}
        self.scope: Scope | None = None


class _Reader:
    def __init__(
        self,
        files: Mapping[str, bytes | WavInfo],
        stock: Mapping[str, StockPrompt],
        kept: Site | None,
        wall_ms: int,
        thorough: bool,
        lexicon: speech_advice.LexiconOf,
    ) -> None:
        self.files = files
        self.wall_ms = wall_ms
        self.thorough, self.lexicon = thorough, lexicon
        self.kept = kept
        self.report = Report()
        self.catalogue = Catalogue(self.report, stock)
        self.trees: dict[str, marks.Node | None] = {}
        self.unreadable: list[str] = []
        self.tenants: dict[str, _Tenant] = {}
        self.site = SiteDraft()
        self.zones: dict[str, Zone] = {}
        self.numbers: dict[str, NumberModel] = {}
        self.graphs: dict[str, Graph] = {}

    def read(self) -> Checked:
        self.compose()
        self.shelf = profiles_site.fill(self.report, self.trees)
        root = self.top("site.yaml")
        if root is None and not self.report.errors:
            self.report.put("RD028", "site.yaml", 1, 1, "there is no site.yaml", "it begins with: ringdown: 1")
        if root is not None:
            self.site, draft = read_site_file(self.report, root)
            self.tenants[ROOT_TENANT] = _Tenant(ROOT_TENANT, "", draft)
            self.find_tenants(draft.model)
            for tenant in self.tenants.values():
                self.read_tenant(tenant)
        allowed = waivers.read(self.report, self.trees)
        if not self.thorough:  # what isn't looked for needs no waiver, and none is idle because of that
            idle = (*prompt_use.THOROUGH, *speech_advice.THOROUGH)
            allowed = [each for each in allowed if each.code not in idle]
        site = self.link() if root is not None else None
        if site is not None:
            utterance_rules.check(self.report, site, {t.name: t.draft.root for t in self.tenants.values()})
        waived = waivers.apply(self.report, allowed)
        findings = hearing.attach(self.report.finished(self.files), self.plans())
        return Checked(None if self.report.errors else site, findings, waived, site)

    # --- files
    def compose(self) -> None:
        for path in sorted(self.files):
            content = self.files[path]
            if not path.endswith(".yaml") or not isinstance(content, bytes) or path.endswith("/manifest.yaml"):
                continue
            if path.endswith((".test.yaml", ".speech.yaml")) or path.startswith("."):
                continue
            node, faults = marks.load(content, path)
            self.trees[path] = node
            for fault in faults:
                self.report.fault(fault)
            if faults:
                self.unreadable.append(path)
            self.known_file(path)

    def known_file(self, path: str) -> None:
        parts = path.split("/")
        inner = parts[2:] if parts[0] == "tenants" and len(parts) > 2 else parts
        names = (*TENANT_FILES, "tenant.yaml") if inner is not parts else (*TENANT_FILES, *PLATFORM_FILES)
        if len(inner) == 1 and inner[0] not in names:
            self.report.put("RD025", path, 1, 1, "nothing reads this file", did_you_mean(inner[0], names))
        elif len(inner) == 2 and inner[0] not in (known := FOLDERS[: 2 + (inner is parts)]):
            self.report.put("RD025", path, 1, 1, "nothing reads this file", did_you_mean(inner[0], known))

    def top(self, path: str) -> marks.Mapping | None:
        return values.mapping(self.report, self.trees.get(path), path)

    def find_tenants(self, parent: TenantModel) -> None:
        names = sorted(
            {path.split("/")[1] for path in self.files if path.startswith("tenants/") and path.count("/") > 1}
        )
        for name in names:
            path = f"tenants/{name}/tenant.yaml"
            root = self.top(path)
            if values.NAME.fullmatch(name) is None or name == ROOT_TENANT:
                self.report.put(
                    "RD027", path, 1, 1, f"{name!r} is not a name for a tenant", "small letters, a letter first"
                )
            elif root is not None:
                draft = read_tenant_file(self.report, root, name, parent)
                self.tenants[name] = _Tenant(name, f"tenants/{name}/", draft)
            elif path not in self.unreadable:
                self.report.put("RD028", path, 1, 1, f"the tenant {name} has no tenant.yaml", "it may hold: name: …")
        self.unique("realm", "realm")
        self.unique("domain", "domain")

    def unique(self, field: str, what: str) -> None:
        seen: dict[str, str] = {}
        for tenant in self.tenants.values():
            value = str(getattr(tenant.draft.model, field))
            if value and value in seen:
                root = tenant.draft.root
                place = root
                if isinstance(root, marks.Mapping):
                    place = root.entries.get(field) or root
                if place is not None:
                    message = f"the {what} {value!r} belongs to {seen[value]} already"
                    self.report.add("RD083", place, message, f"give each tenant a {what} of its own")
            seen.setdefault(value, tenant.name)

    # --- tenants
    def read_tenant(self, tenant: _Tenant) -> None:
        report, home, name = self.report, tenant.home, tenant.name
        self.catalogue.load(self.files, self.trees, name, home)
        scope = Scope(name, self.catalogue)
        scope.complete = not any(
            path.startswith(home) and (home or not path.startswith("tenants/")) for path in self.unreadable
        )
        tenant.scope = scope
        for queue, (model, node) in read_queues(report, self.trees.get(f"{home}queues.yaml"), name).items():
            scope.queues[queue] = model
            tenant.queue_nodes[queue] = node
        zone = tenant.draft.model.time_zone
        self.calendars(tenant, scope)
        tenant.agents = read_agents(report, self.trees.get(f"{home}agents.yaml"), name, zone, self.wall_ms)
        for number, agent in tenant.agents.items():
            scope.agents[number] = self.agent(tenant, agent, scope)
        outgoing_reader.check(self.report, tenant.draft.model.classes, tenant.agents.values())
        agent_reader.supervisors(self.report, tenant.name, tenant.agents, scope)
        humane_reader.check_teams(report, tenant.draft.humane, scope.agents.values())
        skills = [skill for each in scope.agents.values() for skill, _ in each.skills]
        scope.skills = list(dict.fromkeys([*skills, *(s for q in scope.queues.values() for s in q.skills)]))
        for name, node in tenant.queue_nodes.items():
            opened = rings.read(report, scope, name, node.entries.get("rings"))
            policy = policy_reader.read(report, scope, node, scope.queues[name].strategy)
            scope.queues[name] = msgspec.structs.replace(scope.queues[name], rings=opened, policy=policy)
        scope.lookups = lookup_reader.read_lookups(report, self.trees.get(f"{home}lookups.yaml"), tenant.name)
        grammars = self.trees.get(f"{home}grammars.yaml")
        grammars_reader.into(report, scope, grammars, tenant.draft.model, self.tenants[ROOT_TENANT].scope)
        self.music(tenant, scope)
        self.recording(tenant, scope)
        scope.slots = tenant.draft.model.parking.slots if tenant.draft.model.parking is not None else ()
        scope.surveys = survey_reader.read(report, self.trees.get(f"{home}surveys.yaml"))
        context = Context(report, scope, tenant.draft.model.languages)
        mails = self.site.mail is not None
        keys = recordable.read(
            report, self.catalogue, tenant.name, tenant.draft.model.languages, tenant.draft.root,
            complete=scope.complete,
        )
        tenant.draft.model = msgspec.structs.replace(tenant.draft.model, recordable=keys)
        scope.boxes = box_reader.read_boxes(context, self.trees.get(f"{home}boxes.yaml"), mails=mails)
        folder = f"{home}dialplans/"
        for path, tree in self.trees.items():
            if path.startswith(folder) and "/" not in path[len(folder) :] and path not in self.unreadable:
                dialplan = path[len(folder) : -5]
                if values.NAME.fullmatch(dialplan) is None:
                    report.put(
                        "RD027", path, 1, 1, f"{dialplan!r} is not a name for a dialplan", "a small letter first"
                    )
                elif tree is None:
                    report.put("RD020", path, 1, 1, "the format line is missing", "begin the file with: ringdown: 1")
                else:
                    draft = read_dialplan(report, dialplan, tree, tenant.draft.model.languages)
                    if draft is not None:
                        tenant.drafts[dialplan] = draft
                        scope.drafts[dialplan] = draft

    def calendars(self, tenant: _Tenant, scope: Scope) -> None:
        """The tenant's calendars, and the table of its own time zone; one that nobody knows counts as UTC."""
        own = tenant.draft.model.time_zone
        root = self.trees.get(f"{tenant.home}calendars.yaml")
        scope.calendars, tables = calendar_reader.read(self.report, root, tenant.name, own, self.wall_ms)
        self.zones |= {own: zones.table(own, *zones.years(self.wall_ms)) or (), **tables}

    def agent(self, tenant: _Tenant, agent: AgentDraft, scope: Scope) -> AgentModel:
        joined = []
        for position, (word, level) in enumerate(agent.queues, 1):
            if word.text in scope.queues:
                joined.append((f"{tenant.name}/{word.text}", level, position))
            elif scope.complete:
                hint = did_you_mean(word.text, scope.queues)
                self.report.add("RD032", word, f"no queue {word.text!r}", hint)
        model = msgspec.structs.replace(agent.model, queues=tuple(joined))
        return humane_reader.rest_of(self.report, tenant.draft.humane, model, agent.form)

    def reached(self, outbound: tuple[OutboundRule, ...], trunks: dict[str, TrunkModel]) -> None:
        """An agent's outside number needs a rule of his tenant, for his team, and a trunk that has an address."""
        for tenant in self.tenants.values():
            for agent in tenant.agents.values():
                place, model = agent.reached_at, agent.model
                if place is None:
                    continue
                rules = [r for r in outbound if r.tenant == tenant.name and matches(r.pattern, place.text)]
                found = next((r for r in rules if not r.teams or model.team in r.teams), None)
                if found is None:
                    why = f"is for the teams {', '.join(rules[0].teams)} only" if rules else "doesn't exist"
                    hint = "add the pattern to outbound.yaml, or the agent to a team that may use it"
                    message = f"no call reaches {place.text}: a rule of outbound.yaml for it {why}"
                    self.report.add("RD036", place, message, hint)
                elif not any(
                    trunks[name].host or trunks[name].accounts
                    for name in (found.trunk, *(each.trunk for each in found.routes))
                ):
                    message = f"no call reaches {place.text}: the trunk {found.trunk} has no host"
                    self.report.add("RD036", place, message, "add host: to the trunk")

    def music(self, tenant: _Tenant, scope: Scope) -> None:
        """Resolve the music and announcements that tenant and queues name."""
        context = Context(self.report, scope, tenant.draft.model.languages)
        clips = [options.music(context, word, Option("music"), "music") for word in tenant.draft.music]
        scope.music = tuple(clip for found in clips if found for clip in found) or ("music/default",)
        own = scope.catalogue.full_music(tenant.name, "music/default")
        if scope.music == ("music/default",) and own:
            scope.music = (own,)
        tenant.draft.model = msgspec.structs.replace(tenant.draft.model, music=scope.music)
        for name, node in tenant.queue_nodes.items():
            changes: dict[str, object] = {}
            if "music" in node.entries:
                found = options.music(context, node.entries["music"], Option("music"), f"music of {name}")
                changes["music"] = tuple(found or scope.music)
            else:
                changes["music"] = scope.music
            if "announce" in node.entries:
                heard, announcing = queue_rules.announce(
                    context, node.entries["announce"], Option("announce"), f"announce of {name}"
                )
                changes["announce"] = {
                    language: tuple(part for part in parts if isinstance(part, str))
                    for language, parts in (heard or {}).items()
                    if language
                }
                if announcing is not None:
                    changes["announcing"] = announcing
            scope.queues[name] = msgspec.structs.replace(scope.queues[name], **changes)

    def recording(self, tenant: _Tenant, scope: Scope) -> None:
        """Resolve what tenant and queues announce before they record."""
        context = Context(self.report, scope, tenant.draft.model.languages)
        kept = recording_reader.link(context, tenant.draft.model.recording, tenant.draft.announced)
        tenant.draft.model = msgspec.structs.replace(tenant.draft.model, recording=kept)
        for name, node in tenant.queue_nodes.items():
            named = recording_reader.queue_places(node.entries.get("record"))
            kept = recording_reader.link(context, scope.queues[name].recording, named)
            scope.queues[name] = msgspec.structs.replace(scope.queues[name], recording=kept)

    # --- linking
    def link(self) -> Site:
        report = self.report
        trunk_forms = read_trunks(report, self.trees.get("trunks.yaml"))
        trunks = {name: model for name, (model, _) in trunk_forms.items()}
        for name, (_, form) in trunk_forms.items():
            owner = values.scalar(report, form.entries.get("tenant"), "tenant")
            if owner is not None and owner.text not in self.tenants:
                report.add("RD041", owner, f"no tenant {owner.text!r}", did_you_mean(owner.text, self.tenants))
            elif owner is not None:
                trunks[name] = msgspec.structs.replace(trunks[name], tenant=owner.text)
        teams = dict.fromkeys(a.model.team for t in self.tenants.values() for a in t.agents.values() if a.model.team)
        route_reader.taken(report, trunk_forms, trunks, {t.name: t.agents for t in self.tenants.values()})
        outbound = read_outbound(report, self.trees.get("outbound.yaml"), trunks, self.tenants, teams)
        self.reached(outbound, trunks)
        programs: dict[str, Program] = {}
        for tenant in self.tenants.values():
            if tenant.scope is not None:
                tenant.scope.outbound = [rule.pattern for rule in outbound if rule.tenant == tenant.name]
        scopes = {name: tenant.scope for name, tenant in self.tenants.items() if tenant.scope is not None}
        lending.link(report, scopes, {name: lending.read(report, self.tenants[name].draft.root) for name in scopes})
        self.queue_rules()
        for tenant in self.tenants.values():
            if tenant.scope is None:
                continue
            for name, draft in tenant.drafts.items():
                before = report.errors
                unit = link(report, tenant.scope, draft)
                draft.broken = draft.broken or report.errors > before
                if unit is not None:
                    tenant.units[name] = unit
                    programs[unit.program.name] = unit.program
            own = [unit.program for unit in tenant.units.values()]
            tenant.scope.queues = humane_reader.check_queues(
                report, tenant.scope.queues, tenant.queue_nodes, tenant.scope.agents.values(), own, tenant.name
            )
            tenant.scope.agents = switch_reader.resolve(
                report, tenant.name, tenant.scope.agents, tenant.agents, tenant.scope.calendars,
                {program.name: program for program in own},
            )  # fmt: skip
        numbers = self.numbers = self.read_numbers()
        self.analyse(numbers)
        languages = dict.fromkeys(each for t in self.tenants.values() for each in t.draft.model.languages)
        return Site(
            FORMAT,
            version_of(self.files),
            {name: tenant.draft.model for name, tenant in self.tenants.items()},
            numbers,
            self.joined_queues(),
            self.joined_agents(),
            trunks,
            outbound,
            programs,
            self.catalogue.models(tuple(languages), self.kept.prompts if self.kept else {}),
            self.site.listen, self.site.advertise, self.site.local_networks,
            self.site.retention_days, self.site.drain_ms_max,
            {f"{t.name}/{name}": c for t in self.tenants.values() if t.scope for name, c in t.scope.calendars.items()},
            self.zones,
            {model.key: model for scope in scopes.values() for model, _ in scope.lookups.values()},
            {f"{t.name}/{name}": box for t in self.tenants.values() if t.scope for name, box in t.scope.boxes.items()},
            self.site.mail,
            bus=self.site.bus, tls=self.site.tls, srtp=self.site.srtp, codecs=self.site.codecs, gate=self.site.gate,
            fraud=fraud_reader.of(report, self.site, trunks, self.tenants),
            emergency=outgoing_reader.emergency(
                report, self.site.emergency, trunks, numbers, self.joined_agents().values()
            ),
            grammars={key: grammar for scope in scopes.values() for key, grammar in scope.grammars.items()},
            offices=offices.check(report, self.site.offices, (t.agents for t in self.tenants.values()), trunk_forms),
            devices=profiles_site.devices(report, self.trees, self.shelf, self.joined_agents(), trunks, self.site),
        )

    def queue_rules(self) -> None:
        """Overflow and renames, over all tenants: whether overflow goes round in a circle no tenant can say alone."""
        report = self.report
        served = dict.fromkeys(queue for agent in self.joined_agents().values() for queue, _, _ in agent.queues)
        drafts: dict[str, list[queue_rules.RuleDraft]] = {}
        for tenant in self.tenants.values():
            scope = tenant.scope
            if scope is None:
                continue
            context = Context(report, scope, tenant.draft.model.languages)
            for name, node in tenant.queue_nodes.items():
                if "overflow" in node.entries:
                    found = queue_rules.overflow(
                        context, node.entries["overflow"], Option("overflow"), f"overflow of {name}"
                    )
                    drafts[f"{tenant.name}/{name}"] = found
                    rules = tuple(each.rule for each in found)
                    scope.queues[name] = msgspec.structs.replace(scope.queues[name], overflow=rules)
                    if scope.complete:
                        queue_rules.check_served(report, found, served)
            queue_rules.check_renames(report, scope, tenant.queue_nodes)
        queue_rules.check_cycles(report, drafts)
        ways = {name: [each.rule.to for each in held if each.rule.way == "queue"] for name, held in drafts.items()}
        for tenant in self.tenants.values():
            if tenant.scope is not None:
                tenant.scope.served, tenant.scope.ways = served, ways

    def joined_queues(self) -> dict[str, QueueModel]:
        return {f"{t.name}/{name}": q for t in self.tenants.values() if t.scope for name, q in t.scope.queues.items()}

    def joined_agents(self) -> dict[str, AgentModel]:
        return {f"{t.name}/{name}": a for t in self.tenants.values() if t.scope for name, a in t.scope.agents.items()}

    def read_numbers(self) -> dict[str, NumberModel]:
        numbers: dict[str, NumberModel] = {}
        for tenant in self.tenants.values():
            prefix = "" if tenant.name == ROOT_TENANT else f"{tenant.name}/"
            for draft in tenant.draft.numbers:
                model = self.number(tenant, draft)
                if draft.key.text in tenant.agents:
                    place = tenant.agents[draft.key.text].key
                    message = f"{draft.key.text} is the number of an agent too ({place.file}:{place.line})"
                    self.report.add("RD084", draft.key, message, "give one of them another number")
                if model is not None:
                    numbers[prefix + draft.key.text] = model
        return numbers

    def number(self, owner: _Tenant, draft: NumberDraft) -> NumberModel | None:
        report, node = self.report, draft.node
        head, slash, name = draft.target.rpartition("/")
        tenant = self.tenants.get(head) if slash else owner
        if tenant is None or (slash and owner.name != ROOT_TENANT and tenant is not owner):
            report.add("RD041", node, f"no tenant {head!r}", did_you_mean(head, self.tenants))
            return None
        flow, held = draft.entry, draft.seasons
        if name in tenant.draft.entries:
            node, inner = tenant.draft.entries[name]
            held = [*held, *tenant.draft.seasons.get(name, ())]
            name, flow = node.text, flow or inner
        dialplan = tenant.drafts.get(name)
        if dialplan is None:
            if tenant.scope is not None and tenant.scope.complete:
                known = [*tenant.draft.entries, *tenant.drafts]
                if tenant is owner and not slash:
                    known += [f"{other.name}/{each}" for other in self.tenants.values() for each in other.drafts]
                hint = did_you_mean(draft.target if node is draft.node else name, known)
                report.add("RD038", node, f"no dialplan {draft.target if node is draft.node else name!r}", hint)
            return None
        if flow is not None and flow.text not in dialplan.flows:
            known = [each for each in dialplan.flows if "#" not in each]
            report.add("RD031", flow, f"no flow {flow.text!r} in {dialplan.file}", did_you_mean(flow.text, known))
        scope = tenant.scope
        calendars = scope.calendars if scope is not None else {}
        found = seasons.link(
            report, held, tenant.drafts, calendars, tenant.name, name, self.wall_ms,
            complete=scope is not None and scope.complete,
        )  # fmt: skip
        return NumberModel(
            draft.key.text, tenant.name, f"{tenant.name}/{name}", flow.text if flow else "", draft.public, found,
            *numbers_reader.unknown_callers(report, (draft.anonymous, draft.malformed, draft.fax), dialplan),
        )  # fmt: skip

    def analyse(self, numbers: dict[str, NumberModel]) -> None:
        for tenant in self.tenants.values():
            used: dict[str, dict[str, None]] = {}
            numbered: dict[str, dict[str, bool]] = {}
            for unit in tenant.units.values():
                for full, dialplan in unit.foreign.items():
                    used.setdefault(dialplan, {})[full.partition(".")[2]] = None
            for number in numbers.values():
                for full, entry, seasonal in seasons.ways(number) if number.tenant == tenant.name else ():
                    name = full.partition("/")[2]
                    if entry:
                        used.setdefault(name, {})[entry] = None
                        numbered.setdefault(name, {})[entry] = seasonal
            if any(draft.broken for draft in tenant.drafts.values()):
                continue
            if tenant.scope is not None and tenant.scope.complete:
                prompt_use.check(
                    self.report, self.files, self.trees, self.catalogue, tenant.name, tenant.home, unused=self.thorough
                )
            for name, unit in tenant.units.items():
                graph = analyse(self.report, unit, tuple(used.get(name, ())), numbered.get(name, {}))
                self.graphs[unit.program.name] = graph
                entries = [flow for flow, _ in self.entries(unit)]
                if tenant.scope is not None:
                    advise(self.report, graph, entries, tenant.scope, tenant.draft.model)
                    if self.thorough:
                        speech_advice.check(
                            self.report, unit.draft.file, unit.program, tenant.scope.grammars, self.trees, self.lexicon
                        )

    def entries(self, unit: Unit) -> list[tuple[str, str]]:
        """The flows by which calls enter a dialplan, each with the words of `ringdown try` that begin there."""
        program = unit.program
        word = program.name.removeprefix(f"{ROOT_TENANT}/")
        found = {
            flow or program.entry: number if flow else word
            for number, each in reversed(self.numbers.items())
            for dialplan, flow, _ in seasons.ways(each)
            if dialplan == program.name
        }
        return list(found.items()) or [(program.entry, word)]

    def plans(self) -> list[hearing.Plan]:
        """The dialplans that have findings, for the shortest way to hear them."""
        wanted = dict.fromkeys(each.file for each in self.report.findings)
        played = any(each.code in hearing.OF_CLIPS for each in self.report.findings)
        found: list[hearing.Plan] = []
        for tenant in self.tenants.values():
            for unit in tenant.units.values():
                files = [unit.draft.file, *(tenant.drafts[name].file for name in dict.fromkeys(unit.foreign.values()))]
                if played or any(file in wanted for file in files):
                    found.append(hearing.Plan(unit, self.entries(unit), self.graphs.get(unit.program.name)))
        return found
