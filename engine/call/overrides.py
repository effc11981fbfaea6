"""Switches for people who edit no YAML: what holds instead of a calendar's hours, and which notices callers hear.

Both are levers (`kind` calendar | notice) and end by themselves: at the next midnight of their tenant when nobody says
otherwise. They are moved by command, over the bus, and by an agent's phone code for those named in `switches:`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import levers
from engine.call.operating import Unknown
from engine.dialplan import calendars
from engine.dialplan.findings import did_you_mean

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.effects import Operator
    from engine.call.room import Room
    from engine.dialplan.model import Site

TEXT_LETTERS_MAX = 600
BY_LETTERS_MAX = 60
STATES = {"calendar": ("open", "closed", "auto"), "notice": ("on", "off")}
BACK = ("auto", "off")
# action digit behind the number of a switch, by phone -> state
PHONE = {"calendar": {"1": "open", "2": "closed", "0": "auto"}, "notice": {"1": "on", "0": "off"}}


# --- what there is ---------------------------------------------------------------------------------------------------
def known(site: Site, kind: str) -> list[str]:
    """Full names of the site's calendars, or of the notices that its dialplans use."""
    if kind == "calendar":
        return list(site.calendars)
    names: dict[str, None] = {}
    for program in site.programs.values():
        for each in (program, *program.waits.values()):
            for want in each.wants:
                if want.startswith("notice:"):
                    names[want.removeprefix("notice:")] = None
    return list(names)


def has_words(site: Site, notice: str) -> bool:
    """Does a prompt of the notice's name exist, which is heard when it is switched on without words?"""
    return any(
        step.data.get("prompt")
        for program in site.programs.values()
        for each in (program, *program.waits.values())
        for steps in each.flows.values()
        for step in steps
        if step.verb == "notice" and step.data.get("name") == notice
    )


def find(room: Room, kind: str, name: str) -> str:
    """The full name of what an operator named. Raises Unknown for none, or several tenants' ones."""
    names = known(room.sites[room.site], kind) if room.site else []
    found = [name] if name in names else [each for each in names if each.split("/", 1)[1] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise Unknown(f"several tenants have a {kind} {name!r}: say {' or '.join(found)}")
    none = "this site has no calendars.yaml" if kind == "calendar" else "no dialplan of this site has `notice: NAME`"
    hint = did_you_mean(name, [*(each.split("/", 1)[1] for each in names), *names]) if names else none
    raise Unknown(f"no {kind} {name!r}: {hint}")


def midnight(room: Room, tenant: str, now_ms: int) -> int:
    """Unix ms of the next midnight by the tenant's clock."""
    site = room.sites[room.site]
    model = site.tenants.get(tenant)
    zone = site.zones.get(model.time_zone if model is not None else "UTC", ())
    wall_ms = now_ms + room.wall_offset_ms
    day, _ = calendars.local(zone, wall_ms)
    # a midnight that the clock leaves out: the first minute after it
    for minute in range(calendars.DAY_MINUTES, calendars.DAY_MINUTES + 180):
        found = [each for each in calendars.moments(zone, day, minute) if each > wall_ms]
        if found:
            return found[0]
    return wall_ms + calendars.DAY_MINUTES * 60_000


# --- operators -------------------------------------------------------------------------------------------------------
def set_hours(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """`calendar`, `state` open | closed | auto, `until_ms`, `by`."""
    return _set(room, "calendar", order.arguments.get("calendar", ""), order, now_ms)


def set_notice(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """`notice`, `state` on | off, `until_ms`, `by`, `text`; what the runtime made of it: `recording`, `recording_ms`,
    `clip`."""
    return _set(room, "notice", order.arguments.get("notice", ""), order, now_ms)


def _set(room: Room, kind: str, asked: str, order: Operator, now_ms: int) -> dict[str, str]:
    found, name = order.arguments, find(room, kind, asked)
    state = found.get("state", "")
    if state not in STATES[kind]:
        raise Unknown(f"a {kind} is switched {', '.join(STATES[kind][:-1])} or {STATES[kind][-1]}, not {state[:20]!r}")
    by = found.get("by", "")[:BY_LETTERS_MAX].strip()
    author = f"{by} ({order.author})" if by and by != order.author else order.author
    if state in BACK:
        return _back(room, kind, name, author)
    until_ms = _until(found.get("until_ms", ""), now_ms + room.wall_offset_ms) or midnight(room, _tenant(name), now_ms)
    recording = (found.get("recording", ""), _whole(found, "recording_ms", 0), _whole(found, "clip", -1))
    text = found.get("text", "")[:TEXT_LETTERS_MAX].strip()
    if kind == "notice" and not recording[0] and not has_words(room.sites[room.site], name):
        raise Unknown(f"the notice {name} has no prompt of its own: give its words (--text), or a --recording")
    _move(room, kind, name, state, author, now_ms, until_ms, text, recording)
    return {kind: name, "done": _done(kind, state), "until_ms": str(until_ms), "undo": undo(kind, name)}


def _move(
    room: Room, kind: str, name: str, state: str, author: str, now_ms: int, until_ms: int, text: str,
    recording: tuple[str, int, int] = ("", 0, -1),
) -> None:  # fmt: skip
    levers.move(
        room, kind, name, state, author, now_ms, until_ms=until_ms, reason=text if kind == "notice" else "",
        recording=recording if kind == "notice" else ("", 0, -1),
    )  # fmt: skip


def _back(room: Room, kind: str, name: str, author: str) -> dict[str, str]:
    before = levers.of(room, kind, name)
    levers.back(room, kind, name, author)
    again = "off already" if kind == "notice" else "following its hours already"
    done = _done(kind, BACK[kind == "notice"]) if before is not None else again
    was = "none: it was so" if before is None else redo(before)
    return {kind: name, "done": done, "undo": was}


def _done(kind: str, state: str) -> str:
    if kind == "notice":
        return "on: callers hear it from now on" if state == "on" else "off"
    return "follows its hours again" if state == "auto" else f"{state}, whatever its hours say"


def undo(kind: str, name: str) -> str:
    """The command that brings it back to its default."""
    return f"ringdown notice {name} off" if kind == "notice" else f"ringdown hours {name} auto"


def redo(lever: levers.Lever) -> str:
    """The command that would bring back what stood."""
    if lever.kind == "calendar":
        return f"ringdown hours {lever.name} {lever.state}"
    words = f" --text {lever.reason!r}" if lever.recording and lever.reason else ""
    return f"ringdown notice {lever.name} on{words}"


def _until(text: str, wall_ms: int) -> int:
    if not text or text == "0":
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Unknown(f"until_ms is a whole number of ms, not {text[:32]!r}")
    if int(text) <= wall_ms:
        raise Unknown("that time is over already; nothing was changed")
    return int(text)


def _whole(found: dict[str, str], name: str, default: int) -> int:
    text = found.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _tenant(name: str) -> str:
    return name.split("/", 1)[0]


def listed(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    """Every calendar and notice of the site with what an operator says of it; `state` auto or off: nothing."""
    site = room.sites.get(room.site)
    rows: list[dict[str, object]] = []
    for kind in levers.OVERRIDES if site is not None else ():
        for name in known(site, kind) if site is not None else ():
            lever = levers.of(room, kind, name)
            rows.append({
                "switch": kind, "name": name, "state": lever.state if lever else BACK[kind == "notice"],
                "author": lever.author if lever else "", "until_ms": lever.until_ms if lever else 0,
                "since_ms": lever.since_ms if lever else 0, "text": lever.reason if lever else "",
                "recording": lever.recording if lever else "",
            })
    return rows


def due(room: Room, now_ms: int) -> None:
    """The first `until` has come."""
    for lever in levers.over(room, now_ms):
        levers.back(room, lever.kind, lever.name, "the time given")
    levers.arm(room, now_ms)


# --- by phone --------------------------------------------------------------------------------------------------------
def by_phone(room: Room, row: AgentRow, digits: str, now_ms: int) -> tuple[str, ...]:
    """Carry out `*60` and two digits: the number of the switch in the agent's `switches:`, and what it shall be. Names
    of the prompts that tell him what holds now, the notice itself among them; () when there is no such switch."""
    site = room.sites[room.site]
    model = site.agents.get(row.key)
    switches = model.switches if model is not None else ()
    place = int(digits[:1] or "0")
    if len(digits) != 2 or not 1 <= place <= len(switches):
        return ()
    kind, name = switches[place - 1]
    state = PHONE[kind].get(digits[1], "")
    if not state or name not in known(site, kind) or (state == "on" and not has_words(site, name)):
        return ()
    author = f"agent {row.key}"
    if state in BACK:
        _back(room, kind, name, author)
        return ("switch_number", f"digits/{place}", f"switch_{state}")
    _move(room, kind, name, state, author, now_ms, midnight(room, _tenant(name), now_ms), "")
    heard = (name.split("/", 1)[1],) if kind == "notice" else ()
    return ("switch_number", f"digits/{place}", f"switch_{state}", *heard, "switch_until_midnight")


VERBS = {"hours.set": set_hours, "notice.set": set_notice, "overrides": listed}
