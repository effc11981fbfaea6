"""The lamps of a phone, by NOTIFY to whoever has subscribed with an agent's password.

Here is the one for messages (RFC 3842): its agent's boxes in one summary. A phone may ask for its own agent's only.
What changes in a step is told at its end. The keys that watch others are `watching`'s. A subscription of either kind is
taken back when its right ends: by a reload of the site, or with the password that had proven it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.call import agents, boxes, edge, watching
from engine.sip import dialog_info

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.sip.events import SubscribeRequest


def requested(room: Room, event: SubscribeRequest, now_ms: int) -> None:
    """A SUBSCRIBE: who is it, and whose lamp?"""
    if not room.site:
        room.endpoint.refuse_subscribe(event.request, 503, now_ms)
        return
    tenant = room.index().tenant(event.domain)
    verdict, key = agents.identify(room, tenant, event.credentials, "SUBSCRIBE", event.path.host, now_ms)
    if verdict == "good" and edge.refuses(tenant, event.path.host):
        verdict = "bad"
    who = edge.account(event.credentials, event.user)
    edge.judge(room, event.path, verdict, who)
    if verdict == "good" and event.package == dialog_info.PACKAGE:
        watching.requested(room, event, tenant, key, now_ms)
        return
    if verdict == "good":
        if key == f"{tenant.name}/{event.user}":
            room.endpoint.accept_subscribe(event.request, key, summary(room, key), now_ms)
        else:
            room.endpoint.refuse_subscribe(event.request, 403, now_ms)
        return
    if verdict == "bad":
        detail = f"SUBSCRIBE as {event.user[:32]}: wrong user or password"
        agents.refused(room, "password", event.path.host, detail)
    agents.challenge(room, "subscribe", event.request, tenant.realm, event.path.host, now_ms, verdict, who)


def summary(room: Room, agent: str) -> bytes:
    """The body for an agent: all the boxes that he hears, new and old (RFC 3842 §3.5, §5.2)."""
    site, new, old = boxes.site_now(room), 0, 0
    for key, box in site.boxes.items() if site is not None else ():
        if agent in box.hearers:
            fresh, rest = boxes.counts(room, key)
            new, old = new + fresh, old + rest
    tenant, _, number = agent.partition("/")
    model = site.tenants.get(tenant) if site is not None else None
    domain = (model.domain or model.realm) if model is not None else tenant
    lines = (
        f"Messages-Waiting: {'yes' if new else 'no'}", f"Message-Account: sip:{number}@{domain}",
        f"Voice-Message: {new}/{old} (0/0)",
    )  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines).encode()


# --- the end of a right ---------------------------------------------------------------------------------------
def site_loaded(room: Room, now_ms: int) -> None:
    """Whoever may no longer know what he is told is told so, and nothing more (RFC 6665 §4.1.3: rejected)."""
    site = room.sites[room.site]
    for each in room.endpoint.subscriptions():
        watcher = each.watcher or each.owner
        tenant = site.tenants.get(watcher.partition("/")[0])
        known = tenant is not None and watcher in site.agents and not edge.refuses(tenant, each.dialog.path.host)
        if not known or (each.package == dialog_info.PACKAGE and not watching.still(site, watcher, each.owner)):
            what = each.owner.removeprefix(watching.OWNER)
            room.log("info", f"{watcher} may no longer watch {what}: its lamp is told no more", "lamps")
            room.endpoint.end_subscription(each.id, "rejected", now_ms)


def secrets_changed(room: Room, before: Mapping[str, Mapping[str, str]], now_ms: int) -> None:
    """With another password a phone subscribes anew (deactivated: it may at once); who has only the old one can't."""
    for each in room.endpoint.subscriptions():
        watcher = each.watcher or each.owner
        if before.get(watcher) != room.secrets.get(watcher):
            room.endpoint.end_subscription(each.id, "deactivated", now_ms)


def settle(room: Room, now_ms: int) -> None:
    """The end of a step in which boxes have changed: everybody who hears one of them."""
    lit, room.lit = room.lit, {}
    site, told = boxes.site_now(room), dict[str, None]()
    for key in lit:
        box = site.boxes.get(key) if site is not None else None
        told.update(dict.fromkeys(box.hearers if box is not None else ()))
    for agent in told:
        room.endpoint.summarize(agent, summary(room, agent), now_ms)
