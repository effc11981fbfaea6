"""Limits against toll fraud, as data: what a caller may have of the outside until it is told of, and until it ends."""

from __future__ import annotations

import msgspec

from engine import limits


class Threshold(msgspec.Struct, frozen=True):
    """`warn`: so many are told of; `stop`: more are refused (a call that is longer ends). 0: neither."""

    warn: int = 0
    stop: int = 0


class FraudRule(msgspec.Struct, frozen=True):
    """For calls to numbers (patterns of E.164) by trunks (none named: all) of tenants (none named: all).

    `during` and `outside` are full names of calendars: it holds only in their hours, or only without. `per`: whose
    calls are counted together, caller | tenant | site.
    """

    name: str
    to: tuple[str, ...]
    trunks: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    during: str = ""
    outside: str = ""
    per: str = "caller"
    at_once: Threshold = Threshold()
    per_minute: Threshold = Threshold()
    in_a_row: Threshold = Threshold()  # to the same number
    total: Threshold = Threshold()  # in `window_ms`
    ms: Threshold = Threshold()  # of one call
    window_ms: int = limits.fraud_window_ms_default
