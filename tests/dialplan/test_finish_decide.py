"""Branches cover what may come."""

from __future__ import annotations

from tests.dialplan.site import codes_of


def test_switch_covers_flags_and_words() -> None:
    head = "ringdown: 1\nvariables: {a: flag = no, b: choice x y = x}\nflows:\n  main:\n"
    tail = "    - reject: 480\n"
    assert codes_of(head + "    - switch: {value: a, cases: {yes: continue, no: continue}}\n" + tail) == [("RD094", 2)]
    assert ("RD076", 5) in codes_of(head + "    - switch: {value: a, cases: {yes: continue}}\n" + tail)
    assert ("RD070", 5) in codes_of(head + "    - switch: {value: b, cases: {z: continue}, else: continue}\n" + tail)
    assert ("RD076", 5) in codes_of(head + "    - switch: {value: access.caller, cases: {a: continue}}\n" + tail)
