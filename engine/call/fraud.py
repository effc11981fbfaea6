"""Limits against toll fraud: how many calls somebody has outside, how fast, how often to one number, and for how long.

A call to the outside belongs to every rule of the site that its number, trunk, tenant and hour meet. It is refused
before it begins when it would exceed a `stop`; a call that lasts longer than the `stop` of a duration ends. Emergency
calls never come here. A call that an agent's phone forwards outside (3xx) is his, whoever has called. What is counted
is kept in mind per rule and caller (or tenant, or site) while it can matter, bounded in number. A flood is told of once
per rule, caller, limit and window; how many calls were refused stands in `ringdown fraud`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import limits
from engine.call.spending import carried, payer
from engine.dialplan import calendars
from engine.dialplan.model import matches

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.fraud_model import FraudRule

MINUTE_MS = 60_000
FORGET = ("fraud_rows", 0)  # the deadline at which what is counted of callers long gone is forgotten
RINGING_MS = 5_000  # how soon a call that isn't answered yet is looked at again


class Counted(msgspec.Struct):
    """The calls of one caller by one rule. `starts`: engine ms, the oldest first; `legs` those that go on."""

    starts: list[int] = []
    legs: list[int] = []
    number: str = ""  # the last one, `row` times running
    row: int = 0  # … which ages: only his calls within the window belong to it
    attempt: int = 0  # the last one that was counted: it goes by several trunks as one call
    warned: dict[str, int] = {}  # limit -> when; once a window
    stopped: dict[str, int] = {}  # likewise
    refused: int = 0


def stops(room: Room, call: Call, trunk: str, number: str, by: str = "") -> str:
    """The name of the rule that refuses one more call to `number` (E.164) by the trunk, '' none.

    `by`: the agent on whose account it goes, '' when the call itself says whose it is.
    """
    for rule in _rules(room, call, trunk, number):
        whose = _whose(rule, call, by)
        found = room.fraud.get(_key(rule, whose)) or Counted()
        for limit, count, most in _counts(rule, found, number, room.now_ms):
            if most and count + 1 > most:
                found.refused += 1
                if _news(found.stopped, limit, rule, room.now_ms):
                    _tell(room, call, "fraud.stopped", rule, whose, trunk, number, limit, count + 1, most)
                return rule.name
    return ""


def began(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """A leg to the outside has been sent off."""
    number = _number(room, leg)
    for rule in _rules(room, call, leg.trunk, number):
        key = _key(rule, _whose(rule, call, leg.payer))
        found = room.fraud.pop(key, None) or Counted()
        if len(room.fraud) >= limits.fraud_callers_max:
            room.fraud.pop(next((old for old, each in room.fraud.items() if not each.legs), next(iter(room.fraud))))
        room.fraud[key] = found
        if room.deadlines.at(FORGET) is None:
            room.deadlines.arm(FORGET, now_ms + _kept_ms(rule))
        found.legs.append(leg.id)
        if found.attempt != leg.attempt:
            found.attempt = leg.attempt
            kept = [each for each in found.starts if each > now_ms - _kept_ms(rule)]
            found.row = _row(rule, found, number, now_ms) + 1
            found.starts = [*kept[-limits.fraud_calls_max + 1 :], now_ms]
            found.number = number
            _warn(room, call, leg, rule, found, number, now_ms)
        first = min((each for each in (rule.ms.warn, rule.ms.stop) if each), default=0)
        if first:
            room.deadlines.arm(("fraud", leg.id), now_ms + min(first, RINGING_MS))


def ended(room: Room, leg: Leg) -> None:
    """A leg to the outside is over."""
    for found in room.fraud.values():
        if leg.id in found.legs:
            found.legs.remove(leg.id)


def forget_old(room: Room, now_ms: int) -> None:
    """Who has long been without a call outside is counted no more; when to look again is seen to."""
    site = room.sites[room.site] if room.site else None
    kept_ms = {rule.name: _kept_ms(rule) for rule in site.fraud} if site is not None else {}
    ends = list[int]()
    for key, found in list(room.fraud.items()):
        end_ms = max(found.starts, default=0) + kept_ms.get(key.partition("|")[0], 0)
        if found.legs or end_ms > now_ms:
            ends.append(end_ms)
        else:
            del room.fraud[key]
    if ends:
        room.deadlines.arm(FORGET, max(min(ends), now_ms + MINUTE_MS))


def due(room: Room, call: Call, leg: Leg, now_ms: int) -> bool:
    """How long does it last? True: too long, it shall end."""
    if not leg.up_ms:
        room.deadlines.arm(("fraud", leg.id), now_ms + RINGING_MS)
        return False
    lasts_ms, coming = now_ms - leg.up_ms, list[int]()
    number = _number(room, leg)
    for rule in _rules(room, call, leg.trunk, number):
        whose = _whose(rule, call, leg.payer)
        if rule.ms.stop and lasts_ms >= rule.ms.stop:
            most = rule.ms.stop // 1_000
            _tell(room, call, "fraud.stopped", rule, whose, leg.trunk, number, "call_duration", lasts_ms // 1_000, most)
            return True
        if rule.ms.warn and rule.ms.warn <= lasts_ms < rule.ms.warn + RINGING_MS:
            most = rule.ms.warn // 1_000
            _tell(room, call, "fraud.warned", rule, whose, leg.trunk, number, "call_duration", lasts_ms // 1_000, most)
        coming += [each for each in (rule.ms.warn, rule.ms.stop) if each > lasts_ms]
    if coming:
        room.deadlines.arm(("fraud", leg.id), leg.up_ms + min(coming))
    return False


# --- which rules, and whose account --------------------------------------------------------------------------
def _rules(room: Room, call: Call, trunk: str, number: str) -> list[FraudRule]:
    site = room.sites[room.site] if room.site else None
    if site is None:
        return []
    return [
        rule for rule in site.fraud
        if (not rule.trunks or trunk in rule.trunks) and (not rule.tenants or call.tenant in rule.tenants)
        and any(matches(each, number) for each in rule.to)
        and (not rule.during or _open(room, rule.during)) and not (rule.outside and _open(room, rule.outside))
    ]  # fmt: skip


def _open(room: Room, name: str) -> bool:
    site = room.sites[room.site]
    calendar = site.calendars.get(name)
    wall_ms = room.now_ms + room.wall_offset_ms
    return calendar is not None and calendars.state(calendar, site.zones.get(calendar.zone, ()), wall_ms, "") == "open"


def _key(rule: FraudRule, whose: str) -> str:
    return f"{rule.name}|{whose}"


def _whose(rule: FraudRule, call: Call, by: str) -> str:
    """An agent by his account, another caller by his number as his trunk tells it."""
    if rule.per == "site":
        return "the site"
    return call.tenant if rule.per == "tenant" else by or payer(call) or f"{call.trunk}:{call.caller}"


def _number(room: Room, leg: Leg) -> str:
    return carried(room.index(), leg.trunk, leg.digits or leg.party)


def _kept_ms(rule: FraudRule) -> int:
    return max(rule.window_ms, MINUTE_MS)


# --- counting and telling -----------------------------------------------------------------------------------
def _counts(rule: FraudRule, found: Counted, number: str, now_ms: int) -> list[tuple[str, int, int]]:
    """(limit, how many there are now, at most) for every limit of the rule that counts calls."""
    minute = sum(1 for each in found.starts if each > now_ms - MINUTE_MS)
    total = sum(1 for each in found.starts if each > now_ms - rule.window_ms)
    return [
        ("calls_at_once", len(found.legs), rule.at_once.stop), ("calls_per_minute", minute, rule.per_minute.stop),
        ("calls_in_a_row", _row(rule, found, number, now_ms), rule.in_a_row.stop),
        ("calls_total", total, rule.total.stop),
    ]  # fmt: skip


def _row(rule: FraudRule, found: Counted, number: str, now_ms: int) -> int:
    """How often running he has called `number` within the window: his last calls are the row's."""
    if found.number != number:
        return 0
    return min(found.row, sum(1 for each in found.starts if each > now_ms - rule.window_ms))


def _news(told: dict[str, int], limit: str, rule: FraudRule, now_ms: int) -> bool:
    """Is a limit to be told of again? Once a window."""
    if now_ms - told.get(limit, now_ms - rule.window_ms) < rule.window_ms:
        return False
    told[limit] = now_ms
    return True


def _warn(
    room: Room, call: Call, leg: Leg, rule: FraudRule, found: Counted, number: str, now_ms: int
) -> None:  # fmt: skip
    """Tell of each limit whose warning has been reached, once a window."""
    warns = (rule.at_once.warn, rule.per_minute.warn, rule.in_a_row.warn, rule.total.warn)
    for (limit, count, _), most in zip(_counts(rule, found, number, now_ms), warns, strict=True):
        if most and count >= most and _news(found.warned, limit, rule, now_ms):
            whose = _whose(rule, call, leg.payer)
            _tell(room, call, "fraud.warned", rule, whose, leg.trunk, number, limit, count, most)


def _tell(
    room: Room, call: Call, kind: str, rule: FraudRule, caller: str, trunk: str, number: str, limit: str, count: int,
    most: int,
) -> None:  # fmt: skip
    room.emit(
        kind, call.tenant, call.name, rule=rule.name, caller=caller, number=number, trunk=trunk, limit=limit,
        count=count, most=most,
    )  # fmt: skip
    text = f"fraud rule {rule.name}: {caller} to {number} by {trunk}: {limit} {count}, "
    text += f"refused (stop {most})" if kind == "fraud.stopped" else f"allowed so far (warn {most})"
    room.log("warning", text, f"fraud.{rule.name}")


# --- operators ------------------------------------------------------------------------------------------------
def rows(room: Room) -> list[dict[str, object]]:
    """Whose calls are counted, by rule, the latest last."""
    found = []
    for key, counted in room.fraud.items():
        rule, _, whose = key.partition("|")
        minute = sum(1 for each in counted.starts if each > room.now_ms - MINUTE_MS)
        found.append({
            "rule": rule, "caller": whose, "at_once": len(counted.legs), "minute": minute,
            "in_a_row": counted.row, "number": counted.number, "total": len(counted.starts),
            "warned": sorted(counted.warned), "refused": counted.refused,
        })  # fmt: skip
    return found


def reset(room: Room, caller: str) -> int:
    """What is counted of a caller (or of `all`) is forgotten, but for the calls that go on; of how many."""
    done = 0
    for key, counted in room.fraud.items():
        if caller in ("all", key.partition("|")[2]):
            counted.starts, counted.row, counted.warned, done = [], 0, {}, done + 1
            counted.stopped, counted.refused = {}, 0
    return done
