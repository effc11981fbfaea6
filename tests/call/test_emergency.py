"""Emergency calls: with and without the digits for a line, past every limit, through the trunks, over other calls."""

from __future__ import annotations

import msgspec
import pytest

from engine.dialplan.model import Site
from engine.sim.phone import Habit, Phone
from engine.sim.world import World
from engine.sip.locating import Place
from tests.call.calls import agent, changed, over, ring, said, told, up, wire, world
from tests.call.numbered import CARRIER, NUMBERS, STRANGER, calls, numbered_site
from tests.scenarios.sites import BUSY_AGENTS

EMERGENCY = """
emergency:
  country: de
  trunks: [carrier, stranger]
  call_back: '+493022334455'
  location: {country: DE, A3: Berlin, RD: Ring & Weg, HNO: '1'}
classes:
  default: {allow: ['+49.'], spend: {day: 0.10}}
"""
OUT = "0x.: {trunk: carrier, strip: 1, teams: [front]}\n9123: carrier\n"
SITE = numbered_site(outbound=OUT, site=NUMBERS + EMERGENCY)


def centre(w: World, host: str = CARRIER, **habit: object) -> Phone:
    """The trunk's far end, with the emergency centre behind it."""
    phone = w.phone("psap", host=host, password="")
    phone.habit = Habit(**{"answer_ms": 200, **habit})  # type: ignore[arg-type]
    return phone


@pytest.mark.parametrize("dialled", ["112", "0112", "110"])
def test_it_works_with_and_without_the_digit_for_a_line(dialled: str) -> None:
    w = world(SITE, law9=True)
    far, ana = centre(w), agent(w, "201")
    ring(w, dialled, phone=ana)
    assert w.run_until(lambda: bool(far.up()) and bool(ana.up()), 3_000)
    (asked,) = said(far, "INVITE")
    assert asked.startswith(f"INVITE sip:{dialled[-3:]}@") and "Priority: emergency" in asked
    assert w.last("emergency.dialled").data["number"] == dialled[-3:]
    assert w.last("emergency.ended").data["result"] == "answered"
    assert any(line.level == "error" and "EMERGENCY" in line.text for line in w.logs)


def test_it_says_where_and_which_number_calls_back_and_nothing_is_withheld() -> None:
    w = world(SITE)
    far, ana = centre(w), agent(w, "201")
    ana.headers = (("Privacy", "id"),)
    ring(w, "112", phone=ana)
    w.run(500)
    (asked,) = said(far, "INVITE")
    assert "\r\nGeolocation: <cid:" in asked and 'Content-Type: multipart/mixed;boundary="' in asked
    assert "<ca:RD>Ring &amp; Weg</ca:RD><ca:A3>" not in asked and "<ca:RD>Ring &amp; Weg</ca:RD>" in asked
    assert "v=0\r\n" in asked and "Content-Type: application/sdp" in asked
    assert "P-Asserted-Identity: <sip:03022334455@" in asked and "Privacy" not in asked
    assert w.last("emergency.dialled").data["location"] == "Ring & Weg 1, Berlin, DE"


def test_who_works_at_home_is_sought_at_home_and_a_trunk_may_want_a_header() -> None:
    agents = BUSY_AGENTS.replace("team: front}", "team: front, location: {country: DE, A3: Köln, RD: Dom}}", 1)
    w = world(numbered_site(outbound=OUT, site=NUMBERS + EMERGENCY, agents=agents, trunk=", location: header X-Place"))
    far, ana, ben = centre(w), agent(w, "201"), agent(w, "202")
    ring(w, "112", phone=ana)
    w.run(500)
    ring(w, "112", phone=ben)
    w.run(500)
    first, second = said(far, "INVITE")
    assert "x-place: Dom, K%C3%B6ln, DE" in first and "multipart" not in first
    assert "x-place: Ring %26 Weg 1, Berlin, DE" in second


def test_limits_hold_for_others_only() -> None:
    w = world(changed(SITE, "carrier", calls_max=1))
    far, cho = centre(w), agent(w, "203")
    w.switch.room.draining = True
    ring(w, "0891234567", phone=cho)
    w.run(300)
    assert told(cho).startswith("rejected")
    ring(w, "112", phone=cho)  # not of a team that may dial out, while the engine drains
    assert w.run_until(lambda: bool(far.up()), 3_000)


def test_only_who_says_who_he_is_gets_through() -> None:
    w = world(SITE)
    far = centre(w)
    stranger = ring(w, "112", "mallory")
    w.run(2_000)
    assert not far.got and told(stranger).startswith("rejected 40") and not w.all("emergency.dialled")


def test_a_full_trunk_loses_a_lower_call_with_cause_8_on_both_its_legs() -> None:
    w = world(changed(SITE, "carrier", calls_max=1))
    far, desk = centre(w), agent(w, "202")
    lower = calls(w, "03022334466", "0301234567", host="192.0.2.5")
    assert w.run_until(lambda: bool(desk.up()), 20_000)
    ana = agent(w, "201")
    ring(w, "112", phone=ana)
    assert w.run_until(lambda: bool(far.up()), 3_000)
    ended = w.last("emergency.preempted")
    assert ended.data["trunk"] == "carrier" and ended.data["cause"] == 8
    byes = [*said(lower, "BYE"), *said(desk, "BYE")]
    assert len(byes) == 2 and all("Reason: Q.850;cause=8" in each for each in byes)
    closed = [event for event in w.all("call.ended") if event.data["outcome"] == "preempted"]
    assert closed == [] or closed[0].data["cause"] == 8
    w.run(10_000)
    (closed_one,) = [event for event in w.all("call.ended") if event.data["outcome"] == "preempted"]
    assert closed_one.data["cause"] == 8


def test_who_is_talking_to_the_emergency_centre_is_never_cut_off_for_another() -> None:
    w = world(changed(SITE, "carrier", calls_max=1))
    far, other = centre(w), centre(w, STRANGER)
    ana, ben = agent(w, "201"), agent(w, "202")
    ring(w, "112", phone=ana)
    assert w.run_until(lambda: bool(far.up()) and bool(ana.up()), 3_000)
    ring(w, "112", phone=ben)
    w.run(10_000)
    assert ana.up() and ben.up() and not w.all("emergency.preempted")
    assert len(far.up()) + len(other.up()) == 2


def test_the_next_trunk_carries_it_when_one_refuses_and_the_round_begins_again() -> None:
    w = world(SITE)
    first, second = centre(w, status=503), centre(w, STRANGER, status=486)
    ana = agent(w, "201")
    ring(w, "112", phone=ana)
    w.run(500)
    assert said(first, "INVITE") and said(second, "INVITE")
    second.behave(200)
    assert w.run_until(lambda: bool(second.up()), 5_000)
    w.run(200)
    assert len(said(first, "INVITE")) == 2 and w.last("emergency.ended").data["result"] == "answered"


def test_a_trunk_that_is_dead_has_four_seconds() -> None:
    w = world(SITE)
    dead, second = centre(w), centre(w, STRANGER)
    w.darken(dead)
    begun = w.now_ms
    ring(w, "112", phone=agent(w, "201"))
    assert w.run_until(lambda: bool(second.up()), 10_000)
    assert w.now_ms - begun < 6_000


def test_no_trunk_at_all_is_told_to_him_and_to_ops() -> None:
    w = world(SITE)
    centre(w, status=503)
    centre(w, STRANGER, status=503)
    ana = agent(w, "201")
    ring(w, "112", phone=ana)
    w.run(20_000)
    assert told(ana).startswith("rejected") and len(w.all("emergency.ended")) == 1
    assert w.last("emergency.ended").data["result"] != "answered"
    assert any("EMERGENCY CALL FAILED" in line.text for line in w.logs)
    assert over(w).data["outcome"] == "failed"


def test_his_hanging_up_ends_it_whichever_trunk_it_is_at() -> None:
    w = world(SITE)
    far = centre(w, answer_ms=-1)
    ana = agent(w, "201")
    session = ana.call("112", w.now_ms)
    w.run(1_000)
    ana.endpoint.cancel(session, w.now_ms)
    w.run(1_000)
    assert said(far, "CANCEL") and over(w).data["outcome"] == "abandoned"
    assert not [key for key in w.switch.room.deadlines.armed if key[0] == "urgent"]


def test_a_dialplan_that_dials_it_takes_the_first_trunk_with_room() -> None:
    plan = "ringdown: 1\nlanguages: [en]\nflows:\n  main:\n    - dial: {to: '112', ring: 30s, failed: bye}\n"
    plan += "    - hangup: served\n  bye: [hangup: failed]\n"
    outbound = OUT + "1x.: carrier\n"
    site = numbered_site(outbound=outbound, site=NUMBERS + "  '300': {dialplan: help, public: yes}\n" + EMERGENCY,
                         dialplans__help=plan)  # fmt: skip
    w = world(site)
    far = centre(w)
    ring(w, "300")
    assert w.run_until(lambda: bool(far.up()), 5_000)
    assert "Geolocation: <cid:" in said(far, "INVITE")[0] and w.all("emergency.dialled")


def test_a_site_without_emergency_dials_on_as_before() -> None:
    w = world()
    far = centre(w)
    ana = agent(w, "201")
    ring(w, "9112", phone=ana)
    assert w.run_until(lambda: bool(ana.up()), 3_000) and up(far)
    assert not wire(w, "Priority: emergency")


def test_a_reload_that_takes_its_trunk_away_does_not_stop_it_at_the_next_address() -> None:
    w = world(SITE)
    w.names["sos.test"] = (Place("192.0.2.3", 5060, "udp"), Place(CARRIER, 5060, "udp"))
    w.load(changed(SITE, "carrier", host="sos.test", find="srv"))
    w.run(500)
    dark, far = centre(w, "192.0.2.3"), centre(w)
    dark.habit = far.habit = Habit(answer_ms=200)
    for address in ("192.0.2.3", CARRIER):  # whichever comes first
        w.network.dark[address] = True
    ana = agent(w, "201")
    ring(w, "112", phone=ana)
    w.run(500)
    trunks = {name: each for name, each in w.site.trunks.items() if name != "carrier"}
    w.load(msgspec.structs.replace(w.site, trunks=trunks, outbound=(), version="without"))
    w.run(3_000)
    assert w.last("dial.moved").data["to"] == "carrier"
    assert said_to(w, "INVITE sip:112@") == 2


def said_to(w: World, words: str) -> int:
    """How many of these first lines have left."""
    return len({text.split("branch=")[1].split(";")[0].split("\r")[0] for text in wire(w, words)})


def planned(step: str) -> Site:
    """Number 300 leads to a dialplan with this step; its way `failed` says goodbye."""
    plan = f"ringdown: 1\nlanguages: [en]\nflows:\n  main:\n    - answer\n    - {step}\n    - hangup: served\n"
    plan += "  bye:\n    - play: goodbye\n    - hangup: failed\n"
    return numbered_site(
        outbound=OUT + "1x.: carrier\n", site=NUMBERS + "  '300': {dialplan: help, public: yes}\n" + EMERGENCY,
        dialplans__help=plan,
    )  # fmt: skip


def lower_call(w: World) -> Phone:
    """Somebody has the carrier's only line."""
    desk = agent(w, "202")
    calls(w, "03022334466", "0301234567", host="192.0.2.5")
    assert w.run_until(lambda: bool(desk.up()), 20_000)
    return desk


@pytest.mark.parametrize("step", [
    "dial: {to: '112', ring: 30s, failed: bye}", "transfer: {to: '112', failed: bye}",
    "transfer: {to: '112', refer: yes, failed: bye}",
])
def test_a_dialplan_that_dials_it_takes_a_line_from_a_lower_call(step: str) -> None:
    site = planned(step)
    both = changed(changed(site, "carrier", calls_max=1), "stranger", calls_max=1)
    assert both.emergency is not None
    w = world(msgspec.structs.replace(both, emergency=msgspec.structs.replace(both.emergency, trunks=("carrier",))))
    far, desk = centre(w), lower_call(w)
    caller = ring(w, "300")
    assert w.run_until(lambda: bool(far.up()), 5_000)
    w.run(200)
    ended = w.last("emergency.preempted").data
    assert (ended["trunk"], ended["cause"]) == ("carrier", 8)
    assert ["Reason: Q.850;cause=8" in each for each in said(desk, "BYE")] == [True]
    assert w.last("emergency.ended").data["result"] == "answered" and w.hears(caller).startswith("row")
    caller.hang_up(w.now_ms)
    assert over(w).data["cause"] == 16


def test_a_dialplans_call_goes_round_the_trunks_as_an_agents_does_and_then_its_way_failed() -> None:
    w = world(planned("dial: {to: '112', ring: 30s, failed: bye}"), law9=True)
    first, second = centre(w, status=503), centre(w, STRANGER, status=486)
    caller = ring(w, "300")
    assert w.run_until(lambda: w.hears(caller) == "en/goodbye", 10_000)
    assert len(said(first, "INVITE")) == len(said(second, "INVITE")) == 2
    (ended,) = w.all("emergency.ended")
    assert ended.data["result"] != "answered" and any("EMERGENCY CALL FAILED" in line.text for line in w.logs)
    over(w)
    assert not [key for key in w.switch.room.deadlines.armed if key[0] == "urgent"]


def test_a_dialplans_call_leaves_a_dead_trunk_after_four_seconds() -> None:
    w = world(planned("dial: {to: '112', ring: 30s, failed: bye}"))
    dead, second = centre(w), centre(w, STRANGER)
    w.darken(dead)
    begun = w.now_ms
    ring(w, "300")
    assert w.run_until(lambda: bool(second.up()), 10_000) and w.now_ms - begun < 6_000


def test_nobody_is_rung_beside_it_and_whoever_comes_before_it_is_rung_first() -> None:
    w = world(planned("dial: {to: ['201', '112'], ring: 5s, failed: bye}"))
    far, ana = centre(w), agent(w, "201", answer_ms=-1)
    ring(w, "300")
    assert w.run_until(lambda: bool(far.up()), 5_000) and not said(ana, "INVITE")
    w = world(planned("dial: {to: ['201', '112'], mode: serial, ring: 5s, failed: bye}"))
    far, ana = centre(w), agent(w, "201", answer_ms=-1)
    begun = w.now_ms
    ring(w, "300")
    assert w.run_until(lambda: bool(far.up()), 10_000)
    assert said(ana, "CANCEL") and w.now_ms - begun >= 5_000 and not w.switch.room.calls[1].help_next


def test_a_dialplan_that_dials_on_after_it_dials_an_ordinary_call() -> None:
    w = world(planned("dial: {to: '112', ring: 5s, failed: more}\n    - hangup: served\n  more:\n"
                      "    - dial: {to: '0891234567', ring: 20s, failed: bye}"))  # fmt: skip
    far = centre(w, status=503)
    centre(w, STRANGER, status=503)
    ring(w, "300")
    w.run_until(lambda: len(said(far, "INVITE")) == 3, 10_000)
    assert ["Priority: emergency" in each for each in said(far, "INVITE")] == [True, True, False]


@pytest.mark.parametrize("key", ["transfer", "conference"])
def test_who_is_sent_to_it_or_adds_it_has_a_line_too(key: str) -> None:
    w = world(changed(changed(SITE, "carrier", calls_max=1), "stranger", calls_max=1))
    far, desk = centre(w), lower_call(w)
    calls(w, "+493022334455", "0301234568", host=STRANGER)
    ana, cho = agent(w, "201"), ring(w, "201", phone=agent(w, "203"))
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(500)
    name = str(w.all("call.started")[-1].call)
    order = {"call": name, "to": "112"} if key == "transfer" else {"call": name, "with": "112"}
    assert w.operate(f"call.{key}", **order).ok
    assert w.run_until(lambda: bool(far.up()), 5_000)
    assert w.last("emergency.preempted").data["trunk"] == "carrier" and not desk.up() and cho.up()
