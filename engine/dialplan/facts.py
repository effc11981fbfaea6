"""What expressions and texts may read beside variables: the namespaces access, call, system, queue, agent, calendar.

Facts are texts in `Running.facts`; their type says how they are read. Those of `LIVE` namespaces change while a call
lasts: a program names the ones that it reads (`Program.wants`), and they are told anew before each turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.dialplan import calendars, types
from engine.dialplan.calendars import CalendarModel
from engine.dialplan.model import Site
from engine.dialplan.types import FLAG, NUMBER, TEXT, Type

# known of every call
FACTS: dict[str, Type] = {
    "access.caller": types.PHONE,
    "access.name": TEXT,
    "access.dialled": TEXT,
    "access.trunk": TEXT,
    "access.kind": Type("choice", words=("trunk", "agent", "public")),
    "access.presentation": Type("choice", words=("shown", "withheld", "malformed")),
    "access.diverted_from": types.PHONE,
    "access.attestation": Type("choice", words=("none", "full", "partial", "gateway")),
    "access.verification": Type("choice", words=("none", "passed", "failed")),
    "call.language": TEXT,
    "call.intent": TEXT,
    "call.duration": types.DURATION,
    "call.waited": types.DURATION,
    "call.transfers": NUMBER,
    "system.today": types.DATE,
    "system.time": types.TIME,
    "system.weekday": Type("choice", words=calendars.DAYS),
    "system.tenant": TEXT,
    "agent.last": types.DIGITS,
}
# facts about the queue that a caller waits in: known in wait lists only
WAIT_FACTS: dict[str, Type] = {
    "queue.position": NUMBER,
    "queue.length": NUMBER,
    "queue.waited": types.DURATION,
    "queue.estimated_wait": types.DURATION,
    "queue.agents_ready": NUMBER,
    "queue.agents_logged_in": NUMBER,
}
# of a queue by its name: queue.support.length
QUEUE_FACTS: dict[str, Type] = {
    "length": NUMBER,
    "longest_wait": types.DURATION,
    "estimated_wait": types.DURATION,
    "agents_ready": NUMBER,
    "agents_logged_in": NUMBER,
    "closed": FLAG,
    "full": FLAG,
}
AGENT_STATES = ("logged_out", "ready", "not_ready", "alerting", "talking", "wrap_up", "resting", "occupied")
# of an agent by his number: agent.201.state
AGENT_FACTS: dict[str, Type] = {
    "state": Type("choice", words=AGENT_STATES),
    "ready": FLAG,
    "logged_in": FLAG,
}
CALENDAR_STATE = Type("choice", words=calendars.STATES)
_LIVE = ("system", "queue", "agent", "calendar")
_LIVE_OF_CALL = ("call.duration", "call.waited", "call.transfers")
_FIXED = ("system.tenant",)


def of_site(
    queues: Iterable[str], agents: Iterable[str], known_calendars: Mapping[str, CalendarModel]
) -> dict[str, Type]:
    """FACTS with those of a tenant's queues (short names, and full ones of borrowed queues), agents and calendars."""
    found = dict(FACTS)
    for queue in queues:
        found.update((f"queue.{queue}.{name}", kind) for name, kind in QUEUE_FACTS.items())
    for agent in agents:
        found.update((f"agent.{agent}.{name}", kind) for name, kind in AGENT_FACTS.items())
    for name, calendar in known_calendars.items():
        found[f"calendar.{name}.state"] = CALENDAR_STATE
        found.update((f"calendar.{name}.{period}", FLAG) for period in calendar.periods)
    return found


def perhaps(name: str) -> bool:
    """Not always known: a comparison with it holds only while it is."""
    return name in ("queue.estimated_wait", "estimated_wait", "agent.last") or (
        name.startswith("queue.") and name.endswith(".estimated_wait")
    )


def live(name: str) -> bool:
    """Must a program ask for this fact to have it up to date?"""
    if name in WAIT_FACTS or name in _FIXED:
        return False
    return name in _LIVE_OF_CALL or name.partition(".")[0] in _LIVE


def of_time(site: Site, tenant: str, wall_ms: int) -> dict[str, str]:
    """The system facts of one moment (Unix ms), by the tenant's own clock."""
    model = site.tenants.get(tenant)
    zone = site.zones.get(model.time_zone, ()) if model is not None else ()
    day, minute = calendars.local(zone, wall_ms)
    return {
        "system.now": str(wall_ms),
        "system.today": calendars.written(day),
        "system.time": f"{minute // 60:02}:{minute % 60:02}",
        "system.weekday": calendars.DAYS[calendars.weekday(day)],
    }


def of_calendar(site: Site, tenant: str, name: str, what: str, wall_ms: int, override: str = "") -> str:
    """`calendar.NAME.state` (open | closed | holiday) or of a period (yes | no). One that is gone is closed."""
    calendar = site.calendars.get(f"{tenant}/{name}")
    if calendar is None:
        return "closed" if what == "state" else "no"
    zone = site.zones.get(calendar.zone, ())
    if what == "state":
        return calendars.state(calendar, zone, wall_ms, override)
    return "yes" if calendars.within(calendar, zone, wall_ms, what) else "no"
