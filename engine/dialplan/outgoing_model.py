"""What agents may dial, and where emergency calls go, as data."""

from __future__ import annotations

import msgspec


class ServiceClass(msgspec.Struct, frozen=True):
    """What an agent may dial outside. Patterns are E.164 ("+49." …), the longest that matches decides; `hours` is the
    full name of a calendar, '' always; spends in thousandths of a unit of money, 0 without a bound."""

    name: str
    allow: tuple[str, ...] = ()  # (): everything
    refuse: tuple[str, ...] = ()
    hours: str = ""
    day_max: int = 0
    month_max: int = 0


class Location(msgspec.Struct, frozen=True):
    """A civic address: `fields` are the elements of RFC 5139 with their texts, in the order of its schema."""

    fields: tuple[tuple[str, str], ...]


class Emergency(msgspec.Struct, frozen=True):
    """`trunks` in the order in which they are tried; `prefixes` may stand in front of a number (a line of a PBX)."""

    country: str
    numbers: tuple[str, ...]
    trunks: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    call_back: str = ""  # E.164: where the emergency centre reaches us
    location: Location | None = None
