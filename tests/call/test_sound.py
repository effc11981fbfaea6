"""Figures of a leg become an opinion each way, whose side, and a cause that ops can act on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.call import sound
from engine.media.commands import LegClosed, Sound
from tests.call.calls import over, ring, world

PHONE = sound.Parting(1, "192.168.1.20:4000", "203.0.113.7", "the phone", 60_000)
GATEWAY = msgspec.structs.replace(PHONE, far="198.51.100.9:4000", signals_from="198.51.100.9", who="the gateway")


def closed(*, came: int = 3_000, went: int = 3_000, lost: int = 0, ignored: int = 0, jitter_us: int = 500,
           **more: Any) -> LegClosed:
    told = {"weighed": 60_000, "loudest": 20_000, "reports": 12, "about": 12, "round_trip_us": 20_000} | more
    return LegClosed(0, 1, came, went, lost, 0, 0, ignored, jitter_us, jitter_us, 25_000, 0, Sound(**told))


def test_a_good_leg_has_two_good_opinions_and_no_cause() -> None:
    found = sound.judge(closed(), GATEWAY)
    assert found.heard > 4.3 and found.sent > 4.3
    assert (found.side, found.cause) == ("", "")


def test_without_reports_nothing_is_said_of_what_they_hear() -> None:
    found = sound.judge(closed(about=0, round_trip_us=-1), GATEWAY)
    assert found.heard > 4.3 and found.sent == 0.0


@pytest.mark.parametrize(
    ("figures", "side", "cause"),
    [
        ({"lost": 125, "loss_runs": 120}, "theirs", "their network loses 4 %"),
        ({"lost": 125, "loss_runs": 30}, "theirs", "their network loses 4 % in bursts"),
        ({"lost": 46, "loss_runs": 46}, "theirs", "their network loses 1.5 %"),
        ({"delayed": 60, "delayed_max_us": 140_900}, "theirs", "late by 140 ms"),
        ({"clipped": 900}, "theirs", "clipped by the gateway: turn its gain down"),
        ({"loudest": 8}, "", "the gateway sends silence: muted, or its line is dead"),
        ({"far_lost": 90}, "between", "3 % of ours are lost on the way to them"),
        ({"far_discarded": 13}, "theirs", "their jitter buffer drops 5 % of ours as too late"),
        ({"missed_frames": 160}, "ours", "this machine was too late for 5 % of what it sends"),
        ({"round_trip_us": 480_000}, "between", "480 ms there and back"),
    ],
)
def test_causes(figures: dict[str, int], side: str, cause: str) -> None:
    found = sound.judge(closed(**figures), GATEWAY)
    assert (found.side, found.cause) == (side, cause)


def test_several_causes_the_worst_first() -> None:
    found = sound.judge(closed(lost=300, loss_runs=300, far_lost=300, missed_frames=100), GATEWAY)
    assert found.cause == (
        "their network loses 9 %; this machine was too late for 3 % of what it sends; "
        "10 % of ours are lost on the way to them"
    )
    assert found.side == "theirs"
    assert found.heard < 3.6 and found.sent < 3.6


def test_the_worse_the_line_the_lower_the_opinion() -> None:
    heard = [sound.judge(closed(lost=lost, loss_runs=lost), GATEWAY).heard for lost in (0, 30, 150, 600)]
    assert heard == sorted(heard, reverse=True) and len(set(heard)) == 4
    late = [sound.judge(closed(round_trip_us=each), GATEWAY).heard for each in (0, 200_000, 600_000, 2_000_000)]
    assert late == sorted(late, reverse=True) and late[0] - late[-1] > 1


def test_nothing_from_a_phone_behind_a_nat() -> None:
    found = sound.judge(closed(came=0, weighed=0), PHONE)
    assert found.heard == 1.0 and found.side == "theirs"
    assert found.cause == (
        "no packets from the phone: its SDP names 192.168.1.20, a private address, and it signals from 203.0.113.7: "
        "a NAT or firewall keeps its audio"
    )
    assert sound.judge(closed(came=0), GATEWAY).cause == "no packets from the gateway: its SDP names 198.51.100.9"
    stranger = sound.judge(closed(came=0, ignored=40), GATEWAY).cause
    assert stranger.endswith("198.51.100.9; 40 came of another kind or from elsewhere, and were ignored")


@pytest.mark.parametrize(
    "known", [None, msgspec.structs.replace(PHONE, far=""), msgspec.structs.replace(PHONE, up_ms=1_000)]
)
def test_who_need_not_have_sent_is_not_blamed(known: sound.Parting | None) -> None:
    assert sound.judge(closed(came=0, about=0), known) == sound.Verdict()


def test_a_moment_says_nothing() -> None:
    assert sound.judge(closed(came=20, went=20, lost=10), GATEWAY) == sound.Verdict()


def test_the_calls_record_says_who_was_to_blame() -> None:
    w = world(law9=True)
    caller = ring(w, "9196")
    w.run(4_000)
    caller.hang_up(w.now_ms)
    over(w)
    data = w.last("call.quality").data
    assert data["mos_in"] > 4 and data["mos_out"] == 0 and data["side"] == data["cause"] == ""
    assert w.switch.room.parted == {}
