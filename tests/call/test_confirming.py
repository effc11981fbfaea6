"""Press 1 to take it: a person, a voicemail, a refusal, a caller who leaves meanwhile, a desk phone that is quicker."""

from __future__ import annotations

import pytest

from engine.call.confirming import GRACE_MS
from engine.sim.world import World
from tests.call.calls import agent, over, ring, said, world
from tests.call.reached import mobile, reached_site

ASKED = ["en/agent_queue_call en/agent_press_one"]


def reasons(w: World) -> list[object]:
    return [event.data["reason"] for event in w.all("queue.offer_ended")]


def test_his_key_1_is_his_answer_and_until_then_the_caller_keeps_his_music() -> None:
    w = world(reached_site(), law9=True)
    phone = mobile(w, answer_ms=2_000)
    assert w.state("206") == "ready" and w.switch.room.agents["default/206"].reachable
    caller = ring(w, "750")
    w.run(4_000)
    assert w.heard(phone) == ASKED and w.hears(caller) == "music/default" and w.state("206") == "alerting"
    (invite,) = said(phone, "INVITE")
    assert "INVITE sip:+491701@192.0.2.1:5060" in invite and "+49301234" in invite  # the rule's, not the caller's
    assert "X-Ringdown-Call" not in invite and "P-Asserted-Identity" not in invite and "Alert-Info" not in invite
    w.press(phone, "1")
    assert w.state("206") == "talking" and w.hears(caller).startswith("row") and w.hears(phone).startswith("row")
    assert w.last("queue.connected").data["agent"] == "default/206"
    caller.hang_up(w.now_ms)
    w.run(500)
    assert w.state("206") == "wrap_up"
    assert over(w).data["outcome"] == "served" and w.state("206") == "ready"
    assert not w.switch.room.trunk_calls["carrier"]


def test_a_voicemail_answers_and_counts_as_a_miss_until_he_is_not_ready() -> None:
    w = world(reached_site(), law9=True)
    phone = mobile(w, answer_ms=1_000)
    caller = ring(w, "750")
    w.run(1_000 + 9_900)
    assert phone.up() and w.state("206") == "alerting"
    w.run(500)
    assert not phone.up() and w.state("206") == "resting" and reasons(w) == ["no_answer"]
    assert w.hears(caller) == "music/default"
    w.run(3_000 + 11_500)
    assert (w.state("206"), w.switch.room.agents["default/206"].reason) == ("not_ready", "missed")
    caller.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "abandoned"


def test_his_time_for_the_key_begins_when_he_picks_up_though_the_ringing_is_nearly_over() -> None:
    w = world(reached_site("confirm_in: 15s"), law9=True)
    phone = mobile(w, answer_ms=9_900)
    caller = ring(w, "750")
    w.run(9_900 + 14_500)
    assert w.state("206") == "alerting"
    w.press(phone, "1")
    assert w.state("206") == "talking" and not w.all("engine.breach")
    caller.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize(("digit", "reason"), [("2", "rejected"), ("*", "rejected")])
def test_another_key_is_his_no(digit: str, reason: str) -> None:
    w = world(reached_site(), law9=True)
    phone = mobile(w, answer_ms=500)
    ring(w, "750")
    w.run(2_000)
    w.press(phone, digit)
    assert reasons(w) == [reason] and w.state("206") == "resting" and not phone.up()
    assert w.switch.room.agents["default/206"].other_legs == 0


def test_he_hangs_up_instead_of_pressing_a_key() -> None:
    w = world(reached_site(), law9=True)
    phone = mobile(w, answer_ms=500, talk_ms=1_000)
    caller = ring(w, "750")
    w.run(2_500)
    assert reasons(w) == ["no_answer"] and w.state("206") == "resting" and w.hears(caller) == "music/default"
    assert not said(phone, "BYE")  # it was he who said it


def test_the_caller_leaves_while_he_is_asked() -> None:
    w = world(reached_site(), law9=True)
    phone = mobile(w, answer_ms=500)
    caller = ring(w, "750")
    w.run(2_000)
    caller.hang_up(w.now_ms)
    w.run(300)
    assert said(phone, "BYE") and w.state("206") == "ready" and reasons(w) == ["caller_gone"]
    w.press(phone, "1")
    assert w.state("206") == "ready"
    assert over(w).data["outcome"] == "abandoned"


@pytest.mark.parametrize("first", ["key", "hang up"])
def test_key_and_hang_up_in_the_same_millisecond_leave_nobody_stuck(first: str) -> None:
    w = world(reached_site(), law9=True)
    phone = mobile(w, answer_ms=500)
    caller = ring(w, "750")
    w.run(2_000)
    if first == "key":
        w.press(phone, "1", gap_ms=0)
        caller.hang_up(w.now_ms)
    else:
        caller.hang_up(w.now_ms)
        w.run(20)  # his BYE is there first
        w.press(phone, "1", gap_ms=0)
    w.run(500)
    assert w.state("206") == ("wrap_up" if first == "key" else "ready") and not phone.up()
    over(w)


def test_beside_his_desk_phone_the_first_real_answer_wins_and_the_other_is_told_why() -> None:
    w = world(reached_site("with: registered"), law9=True)
    phone = mobile(w, answer_ms=500)
    desk = agent(w, "206", login=False, answer_ms=4_000)
    ring(w, "750")
    w.run(3_000)
    assert w.heard(phone) == ASKED and "ringing" in desk.sessions.values()
    w.run(2_000)
    assert desk.up() and not phone.up() and w.state("206") == "talking"
    (bye,) = said(phone, "BYE")
    assert 'Reason: SIP;cause=200;text="Call completed elsewhere"' in bye


def test_his_key_stops_the_desk_phone() -> None:
    w = world(reached_site("with: registered"), law9=True)
    phone = mobile(w, answer_ms=500)
    desk = agent(w, "206", login=False, answer_ms=-1)
    ring(w, "750")
    w.run(2_000)
    w.press(phone, "1")
    w.run(300)
    (cancel,) = said(desk, "CANCEL")
    assert 'Reason: SIP;cause=200;text="Call completed elsewhere"' in cancel and w.state("206") == "talking"


def test_a_voicemail_beside_a_ringing_desk_phone_ends_alone() -> None:
    w = world(reached_site("with: registered, confirm_in: 3s"), law9=True)
    phone = mobile(w, answer_ms=500)
    desk = agent(w, "206", login=False, answer_ms=6_000)
    ring(w, "750")
    w.run(4_500)
    assert not phone.up() and "ringing" in desk.sessions.values() and not reasons(w)
    w.run(3_000)
    assert desk.up() and w.state("206") == "talking"


def test_without_confirm_picking_up_counts() -> None:
    w = world(reached_site("confirm: no"), law9=True)
    phone = mobile(w, answer_ms=500)
    ring(w, "750")
    w.run(2_000)
    assert w.state("206") == "talking" and phone.up() and "en/agent_press_one" not in " ".join(w.heard(phone))


def test_a_colleague_who_dials_him_hears_ringing_until_the_key_and_never_the_voicemail() -> None:
    w = world(reached_site(), law9=True)
    phone = mobile(w, answer_ms=3_000, early=True)
    ana = agent(w, "201")
    ring(w, "206", phone=ana)
    w.run(2_000)
    assert w.hears(ana).startswith("row")  # early media: the far exchange's ringing
    w.run(2_000)
    assert w.heard(phone)[-1] == "en/agent_direct_call en/agent_press_one" and w.hears(ana) == "tone/ringback.gb"
    assert not ana.up() and w.state("206") == "occupied"
    w.press(phone, "1")
    assert ana.up() and w.hears(ana).startswith("row")
    ana.hang_up(w.now_ms)
    over(w)
    assert w.state("206") == "ready"


def test_a_full_trunk_is_busy_and_no_miss() -> None:
    w = world(reached_site(), law9=True)
    w.switch.room.trunk_calls["carrier"] = 2
    ring(w, "750")
    w.run(500)
    assert reasons(w) == ["busy"] and w.state("206") == "resting"


def test_the_ringing_of_the_others_outlasts_his_time() -> None:
    """The attempt's own deadline lies behind the key's, so that a miss is told by the right rule."""
    w = world(reached_site(), law9=True)
    mobile(w, answer_ms=9_000)
    ring(w, "750")
    w.run(9_500)
    room = w.switch.room
    (attempt,) = room.attempts.values()
    (leg,) = attempt.legs
    ring_at, key_at = room.deadlines.at(("ring", attempt.id)), room.deadlines.at(("confirm", leg))
    assert ring_at is not None and key_at is not None and ring_at - key_at == GRACE_MS
