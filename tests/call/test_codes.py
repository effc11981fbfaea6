"""Feature codes: dialled ones change the agent's state, keyed ones act on his conversation and are never heard."""

from __future__ import annotations

import pytest

from tests.call.calls import agent, over, plane, ring, row_of, talk, up, world


@pytest.mark.parametrize("law9", [False, True])
def test_a_key_that_begins_a_code_is_swallowed_and_given_back_after_a_pause(law9: bool) -> None:
    w = world(law9=law9)
    caller, desk = talk(w)
    w.press(desk, "*", gap_ms=500)
    assert w.row(caller).digits == []
    w.run(2_000)
    assert w.row(caller).digits == ["*"]


def test_keys_that_are_no_code_pass_at_once_in_their_order() -> None:
    w = world()
    caller, desk = talk(w)
    w.press(desk, "5*7", gap_ms=100)
    assert w.row(caller).digits == ["5", "*", "7"]


def test_a_code_is_found_behind_a_stray_star() -> None:
    w = world()
    caller, desk = talk(w)
    w.press(desk, "**2", gap_ms=100)
    assert w.row(caller).digits == ["*"] and w.hears(caller) == "music/default"


def test_hold_by_key_gives_music_counts_time_and_survives_a_session_refresh() -> None:
    w = world()
    caller, desk = talk(w)
    w.press(desk, "*2", gap_ms=100)
    assert w.hears(caller) == "music/default" and w.hears(desk) == "silence"
    desk.hold(up(desk), w.now_ms, direction="sendrecv")  # a refresh by its phone
    w.run(2_000)
    assert w.hears(caller) == "music/default"
    w.press(desk, "*2", gap_ms=100)
    assert w.hears(caller).startswith("row") and w.hears(desk).startswith("row")
    caller.hang_up(w.now_ms)
    assert 2_000 <= int(str(over(w).data["held_ms"])) <= 2_500


def test_transfer_by_key_reaches_an_agent_and_frees_the_transferor_at_once() -> None:
    w = world(law9=True)
    caller, ana = talk(w)
    ben = agent(w, "202", answer_ms=2_000)
    w.press(ana, "*1", gap_ms=100)
    assert w.hears(caller) == "music/default"
    w.press(ana, "202#", gap_ms=100)
    w.run(200)
    assert not ana.up() and w.state("201") == "wrap_up"
    assert w.run_until(lambda: bool(ben.up()), 5_000)
    w.run(200)
    assert w.hears(caller).startswith("row") and w.row(caller).digits == []
    transfers = [(e.data["way"], e.data["result"]) for e in w.all("call.transferred")]
    assert transfers[0] == ("code", "started") and transfers[-1][1] == "done"
    ben.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "served"


def test_a_pause_ends_the_number_as_the_hash_does() -> None:
    w = world()
    _, ana = talk(w)
    ben = agent(w, "202", answer_ms=100)
    w.press(ana, "*1202", gap_ms=100)
    w.run(3_000)
    assert not ben.sessions
    assert w.run_until(lambda: bool(ben.up()), 3_000)


@pytest.mark.parametrize("keys", ["*1#", "*131337#"])
def test_a_transfer_to_nobody_brings_the_two_together_again(keys: str) -> None:
    w = world()
    caller, ana = talk(w)
    w.press(ana, keys, gap_ms=100)
    w.run(200)
    assert ana.up() and w.hears(caller).startswith("row") and not w.kinds("call.transferred")


def test_a_number_typed_into_a_transfer_that_runs_already_does_nothing() -> None:
    w = world()
    caller, ana = talk(w)
    agent(w, "202", answer_ms=-1)
    w.press(ana, "*1", gap_ms=100)
    ana.refer(up(ana), "202", w.now_ms)
    w.run(500)
    assert w.switch.room.calls and caller.up()
    w.press(ana, "203#", gap_ms=100)
    w.run(10_000)
    assert w.all("call.transferred")[0].data["to"] == "202"
    caller.hang_up(w.now_ms)
    over(w)


def test_record_pause_by_key_pauses_and_resumes_the_recording() -> None:
    w = world()
    caller, ana = talk(w, "742")
    w.press(ana, "*3", gap_ms=100)
    assert w.row(caller).paused and w.last("call.recording").data["state"] == "paused"
    w.press(ana, "*3", gap_ms=100)
    assert not w.row(caller).paused and w.last("call.recording").data["state"] == "resumed"
    assert w.row(caller).digits == []


def test_record_pause_without_a_recording_does_nothing() -> None:
    w = world()
    caller, ana = talk(w)
    w.press(ana, "*3", gap_ms=100)
    assert not w.kinds("call.recording") and w.row(caller).digits == []


def test_a_dialled_code_ends_even_when_the_plane_forgets_to_tell_the_end_of_the_words() -> None:
    w = world()
    ana = agent(w, "201", login=False)
    w.media.forgetful = True
    ana.call("*50", w.now_ms)
    w.run(9_000)
    assert ana.up() and w.state("201") == "ready"
    w.run(2_000)
    assert not ana.up()
    over(w)


def test_a_callers_star_two_is_his_own() -> None:
    w = world()
    caller, desk = talk(w)
    w.press(caller, "*2", gap_ms=100)
    assert w.row(desk).digits == ["*", "2"] and w.hears(desk).startswith("row")


def test_the_gap_of_a_leg_that_is_gone_is_forgotten() -> None:
    from engine.media.commands import DigitHeard

    w = world()
    caller, desk = talk(w)
    number, generation = row_of(w, desk)
    plane(w, DigitHeard(number, generation, "*", 100, "rfc4733"))
    desk.hang_up(w.now_ms)
    w.run(5_000)
    assert not caller.up()
    over(w)


def test_a_dialled_code_does_not_occupy_the_agent() -> None:
    w = world()
    ana = agent(w, "201")
    ring(w, "*52", phone=ana)
    w.run(300)
    assert w.state("201") == "not_ready" and w.last("agent.paused").data["reason"] == "phone"


def test_hold_by_key_does_not_lift_the_hold_of_the_phone() -> None:
    w = world()
    caller, desk = talk(w)
    desk.hold(up(desk), w.now_ms)
    w.run(300)
    for _ in range(2):
        w.press(desk, "*2", gap_ms=100)
        assert w.hears(caller) == "music/default"
    desk.hold(up(desk), w.now_ms, direction="sendrecv")
    w.run(300)
    assert w.hears(caller).startswith("row")
