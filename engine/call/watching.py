"""Lamp keys: an agent's phone watches a colleague, a parking slot, a queue, or its own agent's pause (RFC 4235).

| what it subscribes to | it is lit | it blinks |
|---|---|---|
| `201`, an agent | he has a call, or dials one | his phone rings |
| `*871`, the code of `park` and a slot | somebody is parked there | |
| `support`, a queue | | somebody waits in it |
| `*52`, the code of `not_ready` | the watcher's own agent isn't ready | |

Watched is only within a tenant: everybody (`lamps: everyone`), or one's own group, queues, and whom one supervises
(`lamps: group`). What has changed is looked up at most ten times a second, for all lamps together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import parking, supervision
from engine.sip import dialog_info
from engine.sip.dialog_info import CONFIRMED, EARLY, PROCEEDING, TRYING, Shown

if TYPE_CHECKING:
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import Site, TenantModel
    from engine.sip.events import SubscribeRequest

OWNER = "dialog "  # before the name of what is watched, as the endpoint knows it; no agent's key begins so
KEY = ("lamps", 0)
LOOK_MS = 100
PAUSE = "not_ready"
GROUP = "group"
# a leg's state -> the dialog's, from its phone's side
_STATES = {
    "calling": TRYING, "ringing": EARLY, "signalled": EARLY, "offered": PROCEEDING, "confirming": CONFIRMED,
    "up": CONFIRMED,
}  # fmt: skip


# --- who may -----------------------------------------------------------------------------------------------------
def near(site: Site, one: str, other: str) -> bool:
    """Are two agents (keys) of one group: the same team (or both of none), or a queue that both serve?"""
    who, whom = site.agents.get(one), site.agents.get(other)
    if who is None or whom is None or who.tenant != whom.tenant:
        return False
    theirs = [queue for queue, _, _ in whom.queues]
    return who.team == whom.team or any(queue in theirs for queue, _, _ in who.queues)


def may(site: Site, watcher: str, agent: str) -> bool:
    """May this agent know what that one's phone does, and take from it what rings there?"""
    who, whom = site.agents.get(watcher), site.agents.get(agent)
    if who is None or whom is None or who.tenant != whom.tenant:
        return False
    tenant = site.tenants.get(who.tenant)
    everyone = tenant is not None and tenant.lamps != GROUP
    return who is whom or everyone or near(site, watcher, agent) or supervision.may(site, watcher, agent)


def _may_queue(site: Site, watcher: str, queue: str) -> bool:
    who = site.agents.get(watcher)
    tenant = site.tenants.get(who.tenant) if who is not None else None
    if who is None or tenant is None:
        return False
    serves = any(name == queue for name, _, _ in who.queues)
    return tenant.lamps != GROUP or serves or who.supervisor or f"queue/{queue}" in who.supervises


def _allowed(site: Site, watcher: str, kind: str, name: str) -> bool:
    if kind == "agent":
        return may(site, watcher, name)
    return kind != "queue" or _may_queue(site, watcher, name)


def still(site: Site, watcher: str, owner: str) -> bool:
    """May who has subscribed go on, in the site that is in force now? What is watched may be gone: it is dark then."""
    name, user, *_ = owner.removeprefix(OWNER).split("/")
    tenant, who = site.tenants.get(name), site.agents.get(watcher)
    if tenant is None or who is None or who.tenant != name:
        return False
    return _allowed(site, watcher, *_meant(site, tenant, user))


# --- subscribing -------------------------------------------------------------------------------------------------
def requested(room: Room, event: SubscribeRequest, tenant: TenantModel, watcher: str, now_ms: int) -> None:
    """`watcher` (an agent's key, proven by his password) wants the lamp of `event.user`."""
    site, user = room.sites[room.site], event.user
    kind, name = _meant(site, tenant, user)
    if watcher not in site.agents:  # a gateway has an account too
        room.endpoint.refuse_subscribe(event.request, 403, now_ms)
        return
    if not kind:
        room.endpoint.refuse_subscribe(event.request, 404, now_ms)
        return
    if not _allowed(site, watcher, kind, name):
        room.endpoint.refuse_subscribe(event.request, 403, now_ms)
        return
    owner = f"{OWNER}{tenant.name}/{user}" + (f"/{watcher.partition('/')[2]}" if kind == PAUSE else "")
    room.endpoint.accept_subscribe(event.request, owner, _body(room, owner), now_ms, watcher=watcher)


def _meant(site: Site, tenant: TenantModel, user: str) -> tuple[str, str]:
    """("agent", key) | ("slot", slot) | ("not_ready", "") | ("queue", full name); ("", "") has no lamp."""
    key = f"{tenant.name}/{user}"
    if key in site.agents:
        return "agent", key
    slot = parking.meant(tenant, user)
    if slot:
        return "slot", slot
    if tenant.codes.get(user) == PAUSE:
        return PAUSE, ""
    return ("queue", key) if key in site.queues else ("", "")


# --- telling -----------------------------------------------------------------------------------------------------
def stirred(room: Room, now_ms: int) -> None:
    """Something has happened in this step: look soon whether a lamp shows it."""
    if room.endpoint.core.watched and room.deadlines.at(KEY) is None:
        room.deadlines.arm(KEY, now_ms + LOOK_MS)


def due(room: Room, now_ms: int) -> None:
    """Every lamp as it is now; the endpoint tells those that have changed."""
    owners = [owner for owner in room.endpoint.watched() if owner.startswith(OWNER)]
    if not owners or not room.site:
        return
    legs: dict[str, list[Leg]] = {}
    for leg in room.legs.values():
        if leg.agent:
            legs.setdefault(leg.agent, []).append(leg)
    for owner in owners:
        room.endpoint.summarize(owner, _body(room, owner, legs), now_ms)


def _body(room: Room, owner: str, legs: dict[str, list[Leg]] | None = None) -> bytes:
    """`legs`: of every agent, by key (empty when no agent has any); without them they are looked for."""
    name, user, *rest = owner.removeprefix(OWNER).split("/")
    site = room.sites[room.site]
    tenant = site.tenants.get(name)
    kind, what = _meant(site, tenant, user) if tenant is not None else ("", "")
    shown: list[Shown] = []
    if kind == "agent":
        his = legs.get(what, []) if legs is not None else [leg for leg in room.legs.values() if leg.agent == what]
        shown = [each for each in (_leg(room, leg) for leg in his) if each is not None]
    elif kind == "slot":
        call = parking.parked(room, name, what)
        if call is not None:
            shown = [Shown(f"call{call.id}", CONFIRMED, remote=call.caller, remote_name=call.caller_name)]
    elif kind == PAUSE:
        row = room.agents.get(f"{name}/{''.join(rest)}")
        if row is not None and row.state == PAUSE:
            shown = [Shown(f"agent{row.id}", CONFIRMED)]
    elif kind == "queue" and any(call.phase == "queue" and call.queue == what for call in room.calls.values()):
        shown = [Shown(f"queue{room.queue_ids.get(what, 0)}", EARLY, "recipient")]
    return dialog_info.body(user, tuple(shown))


def _leg(room: Room, leg: Leg) -> Shown | None:
    """A leg as its own phone sees it. A nailed-up line that waits is no call."""
    call = room.calls.get(leg.call)
    state = _STATES.get(leg.state)
    if call is None or state is None or call.phase == "nailed":
        return None
    call_id, ours, theirs = room.endpoint.dialog_tags(leg.session)
    dials = leg.id == call.leg and not leg.outgoing
    remote, name = (call.dialled, "") if dials else (call.caller, call.caller_name)
    direction = "recipient" if leg.outgoing else "initiator"
    return Shown(f"leg{leg.id}", state, direction, call_id, theirs, ours, remote, name, leg.remote_hold)
