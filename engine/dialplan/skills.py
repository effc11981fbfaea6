"""`skills:` of an agent: name -> level, or a mapping with the certificate behind it.

    skills:
      power: 3
      gas: {level: 4, certified_by: Gas Safe, valid_until: 2027-03-31}

A certificate is good through the whole day of `valid_until`, in the tenant's time zone. One that has run out refuses
no site: the agent keeps his other skills, and the finding says so.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report

DAY_MS = 86_400_000
WARN_DAYS = 30
LEVEL_MAX = 16


class Skills(msgspec.Struct):
    """`expires`: (skill, Unix ms of the moment in which it stops); `certified`: (skill, by whom)."""

    levels: tuple[tuple[str, int], ...] = ()
    expires: tuple[tuple[str, int], ...] = ()
    certified: tuple[tuple[str, str], ...] = ()


def read(report: Report, node: marks.Node | None, zone: str, wall_ms: int) -> Skills:
    """`wall_ms` 0: no day is known, so nothing is said about certificates that run out."""
    found = Skills()
    for skill, value in values.mapping(report, node, "skills") or ():
        level_node = value
        if isinstance(value, marks.Mapping):
            values.known_keys(report, value, "a skill", ("level", "certified_by", "valid_until"))
            if "level" not in value.entries:
                report.add("RD022", value, f"the skill {skill.text} has no level", f"add level: 1 to {LEVEL_MAX}")
                continue
            level_node = value.entries["level"]
        level = values.number(report, level_node, f"the level of {skill.text}", 1, LEVEL_MAX)
        if not values.name(report, skill, "a skill") or level is None:
            continue
        found.levels += ((skill.text, level),)
        if isinstance(value, marks.Mapping):
            _certificate(report, found, skill.text, value, zone, wall_ms)
    return found


def _certificate(report: Report, found: Skills, skill: str, form: marks.Mapping, zone: str, wall_ms: int) -> None:
    certified_by = values.prose(report, form.entries.get("certified_by"), "certified_by")
    if certified_by is not None:
        found.certified += ((skill, certified_by.text),)
    until = values.scalar(report, form.entries.get("valid_until"), "valid_until")
    if until is None:
        return
    expires_ms = end_of_day(until.text, zone)
    if expires_ms is None:
        report.add("RD024", until, f"{until.text!r} is not a day", "write year, month and day, as in 2027-03-31")
        return
    found.expires += ((skill, expires_ms),)
    if not wall_ms:
        return
    if expires_ms <= wall_ms:
        message = f"the skill {skill} was valid until {until.text}"
        report.add("RD104", until, message, "renew the certificate and its date, or remove the skill")
    elif expires_ms <= wall_ms + WARN_DAYS * DAY_MS:
        days = (expires_ms - wall_ms) // DAY_MS
        left = "ends today" if not days else "ends tomorrow" if days == 1 else f"ends in {days} days"
        report.add("RD103", until, f"the skill {skill} {left}", "renew the certificate and its date")


def end_of_day(text: str, zone: str) -> int | None:
    """Unix ms of the midnight that ends this day there; None for what is no day. An unknown zone counts as UTC."""
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
        following = day + timedelta(days=1) if day is not None else None
    except (ValueError, OverflowError):
        return None
    if following is None:
        return None
    try:
        there = ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        there = ZoneInfo("UTC")
    return int(datetime(following.year, following.month, following.day, tzinfo=there).timestamp()) * 1_000
