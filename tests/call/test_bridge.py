"""Two legs that hear each other, hold in all its spellings and from both sides, and one-way early media."""

from __future__ import annotations

import pytest

from engine.sdp.negotiation import make_offer
from tests.call.calls import agent, over, ring, talk, up, world
from tests.scenarios.sites import BUSY_QUEUES, BUSY_SITE, busy_site


@pytest.mark.parametrize("way", ["sendonly", "inactive", "0.0.0.0"])
def test_hold_in_each_spelling_gives_the_other_music_and_counts_the_time(way: str) -> None:
    w = world(law9=way == "inactive")
    caller, desk = talk(w)
    session = up(desk)
    if way == "0.0.0.0":
        was, now = f"c=IN IP4 {desk.host}".encode(), b"c=IN IP4 0.0.0.0"
        desk.endpoint.offer(session, make_offer(desk.local()).replace(was, now), w.now_ms)
    else:
        desk.hold(session, w.now_ms, direction=way)
    w.run(3_000)
    assert w.hears(caller) == "music/default" and w.last("call.held").data["held"] is True
    desk.hold(session, w.now_ms, direction="sendrecv")
    w.run(1_000)
    assert w.hears(caller).startswith("row") and w.hears(desk).startswith("row")
    caller.hang_up(w.now_ms)
    ended = over(w)
    assert 2_950 <= int(str(ended.data["held_ms"])) <= 3_050
    assert int(str(ended.data["talked_ms"])) >= 4_000


def test_hold_from_the_callers_side_gives_the_agent_music() -> None:
    w = world()
    caller, desk = talk(w)
    caller.hold(up(caller), w.now_ms)
    w.run(500)
    assert w.hears(desk) == "music/default" and w.last("call.held").data["by"] == "5551234"


def test_both_hold_and_come_back_one_after_the_other() -> None:
    w = world()
    caller, desk = talk(w)
    caller.hold(up(caller), w.now_ms)
    desk.hold(up(desk), w.now_ms)
    w.run(500)
    caller.hold(up(caller), w.now_ms, direction="sendrecv")
    w.run(500)
    assert w.hears(caller) == "music/default" and not w.hears(desk).startswith("row")
    desk.hold(up(desk), w.now_ms, direction="sendrecv")
    w.run(500)
    assert w.hears(caller).startswith("row") and w.hears(desk).startswith("row")


def test_the_same_hold_twice_is_told_once() -> None:
    w = world()
    _, desk = talk(w)
    for _ in range(2):
        desk.hold(up(desk), w.now_ms)
        w.run(300)
    assert len(w.all("call.held")) == 1


def test_hold_music_is_the_queues_own_then_the_tenants() -> None:
    w = world(busy_site(
        queues=BUSY_QUEUES.replace("support: {", "support: {music: tone/milliwatt, "),
        site=BUSY_SITE.replace("country: gb", "country: gb\nmusic: tone/silence"),
    ))  # fmt: skip
    caller, desk = talk(w)
    desk.hold(up(desk), w.now_ms)
    w.run(300)
    assert w.hears(caller) == "tone/milliwatt"
    ana, ben = desk, agent(w, "202")
    caller.hang_up(w.now_ms)
    w.run(300)
    ring(w, "202", phone=ana)
    assert w.run_until(lambda: bool(ben.up()), 3_000)
    w.run(300)
    ben.hold(up(ben), w.now_ms)
    w.run(300)
    assert w.hears(ana) == "tone/silence"


def test_a_caller_on_hold_when_the_agent_answers_is_bridged_when_he_comes_back() -> None:
    w = world()
    caller = ring(w, "700")
    w.run(500)
    caller.hold(up(caller), w.now_ms)
    w.run(500)
    ana = agent(w, "201")
    assert w.run_until(lambda: bool(ana.up()), 3_000)
    w.run(200)
    assert w.hears(ana) == "music/default"
    caller.hold(up(caller), w.now_ms, direction="sendrecv")
    w.run(300)
    assert w.hears(ana).startswith("row")


def test_who_stays_alone_hears_silence_not_the_leg_that_was() -> None:
    w = world()
    caller, desk = talk(w)
    desk.refer(up(desk), "31337", w.now_ms)
    w.run(200)
    desk.hang_up(w.now_ms)
    w.run(20)
    assert not w.hears(caller).startswith("row")
