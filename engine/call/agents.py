"""Agents: their logins, phones, and what occupies them. The distributor keeps their states; here is who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from engine import limits
from engine.acd.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentNotReady,
    AgentOccupied,
    AgentReachable,
    AgentReady,
)
from engine.acd.model import AgentSpec, QueueSpec, RestRule
from engine.call import certificates, edge, gateways, levers, pauses, renaming, routing
from engine.dialplan.model import WrapUp
from engine.errors import ProtocolError
from engine.sip.digest import verify
from engine.sip.events import BindingChanged, Credentials, Qualified, RegisterRequest
from engine.sip.uri import parse_uri

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.model import AgentModel, CallbackModel, QueueModel, Site, TenantModel

CHALLENGE_DELAY_MS_MAX = 4_000
RECALL_GRACE_MS = 45_000  # for his answer by key, asked twice
FAILURES_FREE = 3  # wrong passwords of one source that are answered without delay
FAILURE_FORGOTTEN_MS = 60_000
KEEPING_WAYS = ("site", "restored", "registration")  # logins that nobody asked for: an operator's word outlives them
DIGESTS = {"md5": ("MD5",), "sha-256": ("SHA-256",), "both": ("SHA-256", "MD5")}


class AgentRow(msgspec.Struct):
    """One agent in the running engine. `id` is his row in the distributor, the same over reloads."""

    id: int
    key: str  # tenant/number
    name: str
    logged_in: bool = False
    reachable: bool = False
    other_legs: int = 0  # legs on his phones that no queue offered
    login_ms: int = 0
    state: str = "logged_out"
    reason: str = ""
    since_ms: int = 0
    here: bool = True  # in the current site
    by: str = ""  # whose word his next change is: a way, an operator; "" the engine's own
    logout_ms: int = 0  # when he last logged out, 0 never
    spent_ms: dict[str, int] = {}  # of this shift, not ready, by reason; the running pause apart
    over_budget: bool = False  # the running pause is longer than its budget
    wrap_call: str = ""  # the queue's call that he has or wraps up, by name
    wrap_queue: str = ""
    wrap_code: str = ""  # its code so far, by key
    nail: int = 0  # the call that keeps his nailed-up leg


def load(room: Room, site: Site, now_ms: int) -> None:
    """A new site: ids for what is new, the distributor configured, static contacts reachable, logins restored."""
    for tenant in site.tenants.values():
        room.endpoint.use_digest(tenant.realm, DIGESTS[tenant.digest])
    renaming.apply(room, site, now_ms)
    for key in site.queues:
        if key not in room.queue_ids:
            room.queue_ids[key] = len(room.queue_ids)
            room.queue_names[room.queue_ids[key]] = key
    fresh = []
    for row in room.agents.values():
        if row.here and row.key not in site.agents:
            logout(room, row, "removed", now_ms)  # after the conversation he is in, if any
        row.here = row.key in site.agents
    for key, model in site.agents.items():
        known = room.agents.get(key)
        if known is None:
            known = room.agents[key] = AgentRow(len(room.agents), key, model.name, since_ms=now_ms)
            room.agent_keys[known.id] = key
            fresh.append(key)
        known.name = model.name
        pauses.watch(room, known, now_ms)
    room.acd.configure(
        [_queue_spec(room, site, key, queue) for key, queue in site.queues.items()],
        [_agent_spec(room, site, key, agent) for key, agent in site.agents.items()],
        now_ms,
    )
    room.unsettled = True
    levers.arm(room, now_ms)
    certificates.review(room, site, now_ms)
    for key in site.agents:  # known ones too: a contact may have changed, and who comes back is new to the distributor
        row = room.agents[key]
        update_reachable(room, row, now_ms)
        room.distribute(AgentReachable(row.id, row.reachable))
    for key in fresh:
        model, row = site.agents[key], room.agents[key]
        kept = room.agent_states.get(key)
        if kept is None:
            if (model.contact or (model.reach is not None and model.reach.number)) and model.logged_in:
                login(room, row, "site", now_ms)
        elif kept != "logged_out":
            login(room, row, "restored", now_ms)
            if kept.startswith("not_ready"):
                row.by = "restored"
                room.distribute(AgentNotReady(row.id, kept.partition(":")[2]))


def _queue_spec(room: Room, site: Site, key: str, queue: QueueModel) -> QueueSpec:
    return QueueSpec(
        id=room.queue_ids[key], name=key, tenant=queue.tenant, strategy=queue.strategy, ring_ms_max=queue.ring_ms,
        wrap_up_ms=queue.wrap_up_ms, entries_max=queue.entries_max, wait_ms_max=queue.wait_ms_max,
        join_empty=queue.join_empty, weight=queue.weight, service_level_ms=queue.service_level_ms,
        delay_no_answer_ms=queue.delay_no_answer_ms, delay_busy_ms=queue.delay_busy_ms,
        delay_reject_ms=queue.delay_reject_ms, misses_max=queue.misses_max, wrap_up_mode=queue.wrap_up.mode,
        wrap_up_early=queue.wrap_up.early, wrap_up_coded=queue.wrap_up.required,
        wrap_up_extend_ms=queue.wrap_up.extend_ms, wrap_up_extensions_max=queue.wrap_up.extensions_max,
        progress_ms=queue.progress_ms, rings=routing.rings(room, site, queue), policy=routing.policy(room, queue),
        **recall_times(queue.callback),
        starve_ms=queue.starve_ms, hard_hold_ms=queue.hard_hold_ms, reserve=_reserve(room, queue),
    )  # fmt: skip


def _reserve(room: Room, queue: QueueModel) -> tuple[tuple[int, int, int], ...]:
    """A class of callers is known to the distributor by the CRC of its name: the same over reloads, without a list."""
    return tuple(
        (-1, crc32(whom.encode()), count) if is_class else (room.queue_ids[f"{queue.tenant}/{whom}"], 0, count)
        for whom, is_class, count in queue.reserve
        if is_class or f"{queue.tenant}/{whom}" in room.queue_ids
    )


def _rests(room: Room, agent: AgentModel) -> RestRule | None:
    """`started` is a day of the calendar; the distributor counts in its own time."""
    rest = agent.rest
    if rest is None:
        return None
    days = rest.ramp_days if agent.started else 0
    return RestRule(
        rest.ceiling, rest.window_ms, rest.pause_ms, rest.long_talk_ms, rest.rest_ms, rest.gives_way_ms,
        agent.started * 86_400_000 - room.wall_offset_ms if days else 0, days, rest.ramp_from, rest.ramp_to,
    )  # fmt: skip


def recall_times(callback: CallbackModel | None) -> dict[str, int]:
    """How long before an agent is free a customer is rung, and how long it may take until he is on the line."""
    if callback is None:
        return {}
    return {"recall_lead_ms": callback.lead_ms, "recall_ms_max": callback.ring_ms + RECALL_GRACE_MS}


def _agent_spec(room: Room, site: Site, key: str, agent: AgentModel) -> AgentSpec:
    own = agent.wrap_up or WrapUp()
    office = site.offices.get(agent.office)
    return AgentSpec(
        id=room.agents[key].id, name=key, tenant=agent.tenant,
        queues=routing.seats(room, site, agent),
        skills=certificates.valid(room, agent, room.now_ms),
        wrap_up_ms=agent.wrap_up_ms, second_line=agent.second_line, wrap_up_mode=own.mode, wrap_up_early=own.early,
        on_demand=agent.on_demand, team=agent.team, rests=_rests(room, agent), office=office.number if office else 0,
        latency_ms=office.latency_ms if office else 0, cost=office.cost if office else 0,
    )  # fmt: skip


# --- login and readiness ---------------------------------------------------------------------------------
def login(room: Room, row: AgentRow, way: str, now_ms: int) -> None:
    if not row.logged_in:
        row.logged_in, row.login_ms = True, now_ms
        pauses.logged_in(row, now_ms)
        room.agent_states.pop(row.key, None)
        room.emit("agent.login", row.key.split("/")[0], "", agent=row.key, way=way)
    row.by = way
    room.distribute(AgentLoggedIn(row.id))
    _spoken(room, row)
    lever = levers.of(room, "agent", row.key)
    if lever is not None and lever.state == "not_ready" and way in KEEPING_WAYS:
        room.distribute(AgentNotReady(row.id, lever.reason))
    else:
        levers.back(room, "agent", row.key, way)


def logout(room: Room, row: AgentRow, way: str, now_ms: int) -> None:
    if row.logged_in:
        row.logged_in = False
        room.agent_states[row.key] = "logged_out"  # his phone's next registration doesn't log him in again
        room.emit("agent.logout", row.key.split("/")[0], "", agent=row.key, way=way, logged_in_ms=now_ms - row.login_ms)
        row.logout_ms = now_ms
    levers.back(room, "agent", row.key, way)
    row.by = way
    room.distribute(AgentLoggedOut(row.id))
    _spoken(room, row)


def not_ready(room: Room, row: AgentRow, reason: str, by: str = "phone") -> None:
    """`by`: phone, or an operator, whose word ends a wrap-up that isn't the agent's own to end."""
    levers.back(room, "agent", row.key, by)
    room.emit("agent.paused", row.key.split("/")[0], "", agent=row.key, paused=True, reason=reason)
    row.by = by
    room.distribute(AgentNotReady(row.id, reason, by != "phone"))
    _spoken(room, row, reason)


def ready(room: Room, row: AgentRow, by: str = "phone") -> None:
    levers.back(room, "agent", row.key, by)
    room.emit("agent.paused", row.key.split("/")[0], "", agent=row.key, paused=False, reason="")
    row.by = by
    room.distribute(AgentReady(row.id, by != "phone"))
    _spoken(room, row)


def _spoken(room: Room, row: AgentRow, reason: str = "") -> None:
    """Whose word it was is kept for the change that follows from it: in this step, or when his call or wrap-up is over.
    Where nothing follows it is forgotten, lest a later change be taken for his own."""
    state = room.acd.agent_state(row.id)
    if state == row.state and state not in ("talking", "wrap_up") and (not reason or reason == row.reason):
        row.by = ""


# --- other calls on his phones -------------------------------------------------------------------------------
def occupy(room: Room, key: str, kind: str) -> bool:
    """A leg on one of his phones that no queue offered begins. True when `key` is an agent."""
    row = room.agents.get(key)
    if row is None:
        return False
    row.other_legs += 1
    if row.other_legs == 1:
        room.distribute(AgentOccupied(row.id, True, kind))
    return True


def release(room: Room, key: str) -> None:
    row = room.agents.get(key)
    if row is not None and row.other_legs:
        row.other_legs -= 1
        if row.other_legs == 0:
            room.distribute(AgentOccupied(row.id, False))


# --- who is it? ----------------------------------------------------------------------------------------------
def identify(
    room: Room, tenant: TenantModel, credentials: Credentials | None, method: str, host: str, now_ms: int
) -> tuple[str, str]:
    """Check credentials: ("good", key of an agent or of a box's account), ("stale", ""), ("none", "") or ("bad", "").

    An unknown user and a wrong password take the same path and the same work.
    """
    if credentials is None:
        return "none", ""
    freshness = room.endpoint.nonce_ok(credentials.nonce, now_ms)
    key = f"{tenant.name}/{credentials.username}"
    behind = gateways.secret(room, tenant, credentials.username)  # a box that registers as a trunk
    secret = room.secrets.get(key) or behind or {"MD5": "0" * 32, "SHA-256": "0" * 64}
    right = verify(credentials, secret, method) and _algorithm(credentials) in DIGESTS[tenant.digest]
    known = behind is not None or (key in room.agents and room.agents[key].here)
    if not right or credentials.realm != tenant.realm or not known:
        if freshness == "stale":
            return "stale", ""
        if freshness == "unknown":
            return "none", ""  # a nonce of another server or of yesterday: a first challenge, no failure
        _count_failure(room, _pair(host, credentials.username), now_ms)
        return "bad", ""
    if freshness != "good":
        return "stale", ""
    room.failures.pop(_pair(host, credentials.username), None)
    return "good", key


def _pair(host: str, user: str) -> str:
    """What wrong passwords are counted by: an account as one source means it. Neither an account alone (anybody could
    lock it) nor a source alone (a good phone behind the same address would suffer)."""
    return f"{host} {user[:64]}"


def _algorithm(credentials: Credentials) -> str:
    return credentials.algorithm.upper().removesuffix("-SESS") or "MD5"


def _count_failure(room: Room, pair: str, now_ms: int) -> None:
    entry = room.failures.get(pair)
    if entry is None or now_ms - entry[1] > FAILURE_FORGOTTEN_MS:
        if len(room.failures) >= 10_000:  # bounded: forget the oldest source
            room.failures.pop(next(iter(room.failures)))
        room.failures[pair] = [1, now_ms]
    else:
        entry[0] += 1
        entry[1] = now_ms


def challenge_delay_ms(room: Room, host: str, user: str) -> int:
    """How long a source with many wrong passwords for an account waits for its next challenge. A right one never waits,
    nor does another account behind the same address."""
    count = room.failures.get(_pair(host, user), (0, 0))[0] - FAILURES_FREE
    return 0 if count <= 0 else min(CHALLENGE_DELAY_MS_MAX, 250 << min(count, 5))


def challenge(
    room: Room, kind: str, request: int, realm: str, host: str, now_ms: int, verdict: str, user: str = ""
) -> None:  # fmt: skip
    """401 with a fresh nonce; after wrong credentials of `user` with a delay. `kind`: register | invite | subscribe.

    A first challenge is never delayed, so that a good phone behind the same address doesn't suffer.
    """
    stale, failed = verdict == "stale", verdict == "bad"
    delay_ms = challenge_delay_ms(room, host, user) if failed else 0
    if delay_ms and len(room.pending) < 1_000:
        room.pending_serial += 1
        room.pending[room.pending_serial] = (kind, request, realm)
        room.deadlines.arm(("challenge", room.pending_serial), now_ms + delay_ms)
    elif kind == "register":
        room.endpoint.challenge_register(request, realm, now_ms, stale=stale)
    elif kind == "subscribe":
        room.endpoint.challenge_subscribe(request, realm, now_ms, stale=stale)
    else:
        room.endpoint.challenge(request, realm, now_ms, stale=stale)


def challenge_due(room: Room, number: int, now_ms: int) -> None:
    kind, request, realm = room.pending.pop(number)
    if kind == "register":
        room.endpoint.challenge_register(request, realm, now_ms)
    elif kind == "subscribe":
        room.endpoint.challenge_subscribe(request, realm, now_ms)
    else:
        room.endpoint.challenge(request, realm, now_ms)


# --- registrations --------------------------------------------------------------------------------------------
def register(room: Room, event: RegisterRequest, now_ms: int) -> None:
    if not room.site:
        room.endpoint.refuse_register(event.request, 503, now_ms, phrase="Not Ready")
        return
    tenant = room.index().tenant(event.domain)
    verdict, key = identify(room, tenant, event.credentials, "REGISTER", event.path.host, now_ms)
    why = "wrong user or password"
    if edge.refuses(tenant, event.path.host) and verdict == "good":
        verdict, why = "bad", f"the gate of {tenant.name} keeps {event.path.host} out"
    if verdict == "good" and event.credentials is not None and not _same_place(event.credentials.uri, event.uri):
        verdict, why = "bad", f"credentials made for {event.credentials.uri[:64]!r}, not for {event.uri[:64]!r}"
    who = edge.account(event.credentials, event.user)
    edge.judge(room, event.path, verdict, who)
    if verdict == "good":
        if key == f"{tenant.name}/{event.user}":
            room.endpoint.accept_register(event.request, tenant.realm, event.user, now_ms)
        else:
            room.endpoint.refuse_register(event.request, 403, now_ms, phrase="Not Your Address")
        return
    if verdict == "bad":
        refused(room, "password", event.path.host, f"REGISTER as {event.user[:32]}: {why}")
    challenge(room, "register", event.request, tenant.realm, event.path.host, now_ms, verdict, who)


def _same_place(proven: str, asked: str) -> bool:
    """Were the credentials made for the registrar that is asked? Overheard elsewhere they are worth nothing here
    (RFC 7616 §3.4.6). Phones differ in what they write behind the host, so port and parameters don't count."""
    if proven == asked:
        return True
    try:
        one, other = parse_uri(proven), parse_uri(asked)
    except ProtocolError:
        return False
    return (one.user, one.host) == (other.user, other.host)


def refused(room: Room, kind: str, host: str, detail: str) -> None:
    """Count a refusal; the log and the record are told at a bounded rate (1st, 10th, 100th … of its kind)."""
    count = room.refused[kind] = room.refused.get(kind, 0) + 1
    if count < limits.log_lines_per_second_max or count % 100 == 0:
        room.emit("engine.refused", "", "", kind=kind, peer=host, detail=detail, count=count)
    room.log("warning", f"refused {kind} from {host}: {detail}", f"refused.{kind}")


def binding_changed(room: Room, event: BindingChanged, now_ms: int) -> None:
    tenant = room.index().by_realm.get(event.realm)
    if tenant is None:
        return
    key = f"{tenant.name}/{event.user}"
    behind = gateways.of(room, key)
    if behind is not None:
        gateways.changed(room, behind, event, now_ms)
        return
    row = room.agents.get(key)
    room.emit(
        "agent.binding", tenant.name, "", agent=key, contact=event.contact, change=event.change,
        user_agent=event.user_agent,
    )  # fmt: skip
    if row is None:
        return
    model = room.index().agent(tenant.name, event.user)
    update_reachable(room, row, now_ms)
    wanted = model is not None and model.logged_in and room.agent_states.get(key) != "logged_out"
    if event.change == "added" and wanted and not row.logged_in:
        login(room, row, "registration", now_ms)


def qualified(room: Room, event: Qualified, now_ms: int) -> None:
    realm, _, rest = event.token.partition("/")
    tenant = room.index().by_realm.get(realm)
    key = f"{tenant.name}/{rest.split('/')[0]}" if tenant else ""
    behind = gateways.of(room, key)
    if behind is not None:
        gateways.look(room, behind, "answers OPTIONS" if event.reachable else "doesn't answer OPTIONS", now_ms)
        return
    row = room.agents.get(key)
    if row is not None:
        update_reachable(room, row, now_ms, round_trip_ms=event.round_trip_ms)


def update_reachable(room: Room, row: AgentRow, now_ms: int, *, round_trip_ms: int = -1) -> None:
    """Reachable when any of his phones is registered and answers, his contact is static, a trunk leads to him, or his
    leg is nailed up."""
    tenant, _, number = row.key.partition("/")
    index = room.index()
    model = index.agent(tenant, number)
    realm = index.site.tenants[tenant].realm if tenant in index.site.tenants else tenant
    reach = model.reach if model is not None else None
    reachable = False
    if model is not None and reach is not None and reach.nailed_up:
        reachable = row.nail in room.calls
    elif model is not None and reach is not None:
        reachable = index.outbound(tenant, model.team, reach.number) is not None
    if not reachable and (reach is None or reach.registered):
        reachable = bool(model and model.contact) or any(b.reachable for b in room.endpoint.bindings(realm, number))
    if reachable != row.reachable:
        row.reachable = reachable
        room.distribute(AgentReachable(row.id, reachable))
        room.emit("agent.reachable", tenant, "", agent=row.key, reachable=reachable, round_trip_ms=round_trip_ms)


def nail_lost(room: Room, row: AgentRow, now_ms: int) -> None:
    """His nailed-up leg is over: nothing is offered to him until he has dialled in again."""
    row.nail = 0
    model = room.index().agent(*row.key.split("/", 1))
    update_reachable(room, row, now_ms)
    if model is not None and model.reach is not None and model.reach.hung_up == "logout" and row.logged_in:
        logout(room, row, "phone", now_ms)
