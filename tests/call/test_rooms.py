"""Conference rooms: who hears whom, who comes and goes, holds, listens only, finds no seat."""

from __future__ import annotations

import pytest

from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import agent, over, ring, row_of, up, world
from tests.call.people import site


def hears_all(w: World, *phones: Phone) -> bool:
    """Does each of them hear all the others, and nothing else?"""
    rows = {phone.media_host: row_of(w, phone)[0] for phone in phones}
    for phone in phones:
        others = sorted(row for host, row in rows.items() if host != phone.media_host)
        if w.hears(phone) != "mix " + " + ".join(f"row {row}" for row in others):
            return False
    return True


@pytest.mark.parametrize("law9", [False, True])
def test_three_hear_each_other_and_who_leaves_disturbs_nobody(law9: bool) -> None:
    w = world(site(), law9=law9)
    one = ring(w, "766", "5550001")
    w.run(300)
    assert w.hears(one) == "music/default"
    two = ring(w, "766", "5550002")
    assert w.run_until(lambda: w.hears(two) == "tone/beep", 1_000)
    assert w.hears(one) == "tone/beep"
    assert w.run_until(lambda: hears_all(w, one, two), 2_000)
    three = ring(w, "766", "5550003")
    assert w.run_until(lambda: "mix" in w.hears(three), 3_000)
    assert hears_all(w, one, two, three)
    w.press(two, "5#", gap_ms=50)
    assert w.hears(two) == "en/thank_you" and hears_all(w, one, three)
    three.hang_up(w.now_ms)
    w.run(100)
    assert w.hears(one) == "music/default"
    one.hang_up(w.now_ms)
    over(w)
    told = [(e.data["result"], e.data["people"]) for e in w.all("call.room")]
    assert told == [("joined", 1), ("joined", 2), ("joined", 3), ("left", 2), ("left", 1), ("left", 0)]
    assert not any(w.media.mixes.values())


def test_no_seat_is_an_outcome_and_another_room_has_its_own_mix() -> None:
    w = world(site())
    phones = [ring(w, "766", f"555000{n}") for n in range(3)]
    w.run(3_000)
    late = ring(w, "766", "5550009")
    w.run(300)
    assert w.hears(late) == "en/not_available" and hears_all(w, *phones)
    room = w.switch.room
    first = next(call for call in room.calls.values() if call.room)
    from engine.call import mixing

    assert mixing.free_number(room) != first.room_mix
    for phone in phones:
        phone.hang_up(w.now_ms)
    over(w)


def test_a_listener_hears_the_others_and_nobody_hears_him() -> None:
    w = world(site())
    one, two = ring(w, "766", "5550001"), ring(w, "767", "5550002")
    w.run(2_000)
    assert w.hears(one) == "music/default" and w.hears(two) == f"mix row {row_of(w, one)[0]}"
    one.hang_up(w.now_ms)
    w.run(100)
    assert w.hears(two) == "music/default"
    two.hang_up(w.now_ms)
    over(w)


def test_who_holds_is_not_heard_and_hears_nothing_until_he_is_back() -> None:
    w = world(site())
    one, two, three = (ring(w, "766", f"555000{n}") for n in range(3))
    w.run(3_000)
    two.hold(up(two), w.now_ms)
    w.run(300)
    assert hears_all(w, one, three) and w.hears(two) == "silence"
    two.hold(up(two), w.now_ms, direction="sendrecv")
    w.run(300)
    assert hears_all(w, one, two, three)
    for phone in (one, two, three):
        phone.hang_up(w.now_ms)
    over(w)


def test_a_plane_that_forgets_the_beeps_end_cannot_keep_them_apart() -> None:
    w = world(site())
    w.media.forgetful = True
    one, two = ring(w, "766", "5550001"), ring(w, "766", "5550002")
    w.run(1_500)
    assert hears_all(w, one, two)
    one.hang_up(w.now_ms)
    two.hang_up(w.now_ms)
    over(w)


def test_an_operator_may_send_somebody_out_of_the_room() -> None:
    w = world(site())
    ana = agent(w, "201")
    one, two = ring(w, "766", "5550001"), ring(w, "766", "5550002")
    w.run(2_000)
    assert w.operate("call.transfer", call="5550002", to="201").ok
    assert w.run_until(lambda: w.hears(two).startswith("row"), 5_000)
    assert w.hears(one) == "music/default"
    one.hang_up(w.now_ms)
    ana.hang_up(w.now_ms)
    over(w)
