"""How a call sounded, in words."""

from __future__ import annotations

from engine.console import sound
from engine.records.call_detail import LegQuality
from engine.records.events import Event

BAD = LegQuality(
    "caller", packets_in=960, packets_out=1_000, lost=40, jitter_us=4_200, gap_max_us=61_000, mos_in=3.62, mos_out=4.11,
    far_lost=13, round_trip_us=48_300, side="theirs", cause="their network loses 4 %",
)  # fmt: skip


def event(kind: str, /, **data: str | int | float | bool | None) -> Event:
    return Event(1, "b", 0, 0, kind, "default", "bako-0", data)


def test_a_leg_in_full() -> None:
    assert sound.whole(BAD) == [
        "caller",
        "  from it 960 packets, 4.0 % lost, jitter 4.2 ms, longest gap 61 ms, MOS 3.6",
        "  to it   1000 packets, of which it says it lost 1.3 %, MOS 4.1",
        "  there and back 48 ms",
        "  because their network loses 4 % (their side)",
    ]


def test_what_is_not_known_is_not_said() -> None:
    assert sound.whole(LegQuality("agent 201", packets_out=50)) == [
        "agent 201", "  from it nothing", "  to it   50 packets, of which it reports nothing (no RTCP)",
    ]  # fmt: skip
    assert sound.short(LegQuality("agent 201")) == "agent 201: nothing heard"
    assert sound.opinions(LegQuality("agent 201")) == sound.blame(LegQuality("agent 201")) == ""


def test_a_leg_in_the_closing_line() -> None:
    assert sound.short(BAD) == (
        "caller: MOS 3.6 from it, 4.1 to it, loss 4.0 %, jitter 4.2 ms, longest gap 61 ms "
        "BECAUSE their network loses 4 % (their side)"
    )
    cause = "no packets from the phone: its SDP names 10.0.0.9"
    silent = LegQuality("agent 201", mos_in=1.0, side="theirs", cause=cause)
    assert sound.short(silent) == (
        "agent 201: nothing heard BECAUSE no packets from the phone: its SDP names 10.0.0.9 (their side)"
    )


def test_the_section_of_a_story() -> None:
    data = {"leg": "caller", "trunk": "gw", "packets_in": 960, "packets_out": 1_000, "lost": 40, "mos_in": 3.62}
    lines = sound.story([event("call.started"), event("call.quality", **data), event("call.ended")])
    assert lines[0] == "How it sounded:" and lines[1] == "  caller" and lines[-1] == ""
    assert "MOS 3.6" in lines[2]
    assert sound.story([event("call.started")]) == []


def test_an_event_of_an_older_engine() -> None:
    told = sound.of_event({"leg": "caller", "packets_in": 3, "lost": 0, "jitter_us": 5, "gap_max_us": 7})
    assert (told.far_lost, told.round_trip_us, told.mos_in) == (-1, -1, 0.0)
