"""Lamp keys: what they show of agents, slots, queues and pauses, who may have them, and taking a call by one."""

from __future__ import annotations

from collections.abc import ValuesView

import msgspec
import pytest

from engine.call import watching
from engine.call.leg import Leg
from engine.dialplan.model import Site
from tests.call.calls import SITE, agent, over, ring, said, talk, told, world
from tests.call.lamplit import dialogs, remote, replaces, states, watch, watcher
from tests.call.test_parking import site as parking_site


def grouped() -> Site:
    """`lamps: group`; 201 and 202 are of one team, 203 of another and in no queue of theirs, 205 their supervisor."""
    agents = dict(SITE.agents)
    for number, team in (("201", "desk"), ("202", "desk"), ("203", "yard"), ("205", "lead")):
        fields: dict[str, object] = {"team": team, "queues": ()}
        agents[f"default/{number}"] = msgspec.structs.replace(agents[f"default/{number}"], **fields)  # type: ignore[arg-type]
    agents["default/205"] = msgspec.structs.replace(agents["default/205"], supervises=("team/desk",))
    tenants = {**SITE.tenants, "default": msgspec.structs.replace(SITE.tenants["default"], lamps="group")}
    return msgspec.structs.replace(SITE, agents=agents, tenants=tenants, version=f"{SITE.version}+groups")


@pytest.mark.parametrize("law9", [False, True])
def test_a_colleagues_key_blinks_is_lit_and_goes_out(law9: bool) -> None:
    w = world(law9=law9)
    cho = watcher(w, "203", "202")
    ben = agent(w, "202", answer_ms=3_000)
    caller = ring(w, "700", "5551234")
    assert w.run_until(lambda: bool(ben.sessions), 10_000)
    w.run(1_200)
    assert states(cho, "202")[0] == "terminated" and states(cho, "202")[-1] == "early"
    (dialog,) = dialogs(cho, "202")
    assert dialog.get("direction") == "recipient" and remote(dialog) == "sip:5551234@ringdown"
    w.run(4_000)
    assert states(cho, "202")[-1] == "confirmed"
    caller.hang_up(w.now_ms)
    w.run(1_500)
    assert states(cho, "202")[-1] == "terminated"
    over(w)


def test_who_dials_is_the_one_who_began() -> None:
    w = world()
    cho = watcher(w, "203", "201")
    ana, ben = agent(w, "201"), agent(w, "202", answer_ms=-1)
    ring(w, "202", phone=ana)
    w.run(1_500)
    (dialog,) = dialogs(cho, "201")
    assert dialog.get("direction") == "initiator" and remote(dialog) == "sip:202@ringdown"
    ana.hang_up(w.now_ms)
    w.run(1_500)
    assert states(cho, "201")[-1] == "terminated" and not ben.sessions


def test_a_flapping_phone_is_told_of_once_a_second() -> None:
    w = world()
    cho = watcher(w, "203", "201")
    ana = agent(w, "201")
    before = len(states(cho, "201"))
    start_ms = w.now_ms
    for _ in range(20):
        ring(w, "9196", phone=ana)
        w.run(120)
        ana.hang_up(w.now_ms)
        w.run(120)
    w.run(1_500)
    assert 2 <= len(states(cho, "201")) - before <= (w.now_ms - start_ms) // 1_000 + 1
    assert states(cho, "201")[-1] == "terminated"


def test_on_hold_is_told_by_what_is_not_rendered() -> None:
    w = world()
    cho = watcher(w, "203", "201")
    caller, desk = talk(w)
    desk.hold(desk.up()[0], w.now_ms)
    w.run(1_500)
    (dialog,) = dialogs(cho, "201")
    assert [each.attrib for each in dialog.iter() if each.tag.endswith("param")] == [
        {"pname": "+sip.rendering", "pval": "no"}
    ]
    caller.hang_up(w.now_ms)
    over(w)


def test_a_slot_is_lit_while_somebody_is_parked_there() -> None:
    w = world(parking_site())
    cho = watcher(w, "203", "*871")
    caller, ana = talk(w)
    w.press(ana, "*8", gap_ms=50)
    w.run(2_000)
    (dialog,) = dialogs(cho, "*871")
    assert states(cho, "*871") == ["terminated", "confirmed"] and remote(dialog) == "sip:5551234@ringdown"
    assert "call-id" not in dialog.attrib, "who presses the key dials the slot: nobody takes a caller's own dialog"
    caller.hang_up(w.now_ms)
    w.run(1_500)
    assert states(cho, "*871")[-1] == "terminated"
    over(w)


def test_a_queue_blinks_while_somebody_waits() -> None:
    w = world()
    cho = watcher(w, "203", "support")
    agent(w, "201", answer_ms=-1)
    caller = ring(w, "700")
    w.run(3_000)
    assert states(cho, "support") == ["terminated", "early"]
    caller.hang_up(w.now_ms)
    w.run(1_500)
    assert states(cho, "support")[-1] == "terminated"
    over(w)


def test_ones_own_pause_and_nobody_elses() -> None:
    w = world()
    ana, ben = watcher(w, "201", "*52"), watcher(w, "202", "*52")
    for number in ("201", "202"):
        assert w.operate("agent.login", agent=number).ok
    assert w.operate("agent.not_ready", agent="201").ok
    w.run(1_500)
    assert states(ana, "*52")[-1] == "confirmed" and states(ben, "*52")[-1] == "terminated"
    assert w.operate("agent.ready", agent="201").ok
    w.run(1_500)
    assert states(ana, "*52")[-1] == "terminated"


@pytest.mark.parametrize(("who", "whom", "status"), [
    ("201", "202", "200 OK"), ("203", "201", "403 Forbidden"), ("205", "201", "200 OK"),
    ("201", "205", "403 Forbidden"), ("201", "201", "200 OK"), ("201", "999", "404 Not Found"),
    ("203", "support", "403 Forbidden"),
])  # fmt: skip
def test_within_a_group_only_its_own_are_watched(who: str, whom: str, status: str) -> None:
    w = world(grouped())
    assert watch(w, watcher(w, who), whom) == status


def test_everyone_of_the_tenant_by_default_and_never_another_tenant() -> None:
    assert watching.may(SITE, "default/203", "default/201")
    other = msgspec.structs.replace(SITE.agents["default/201"], tenant="acme")
    shared = msgspec.structs.replace(SITE, agents={**SITE.agents, "acme/201": other})
    assert not watching.may(shared, "default/203", "acme/201") and not watching.may(shared, "default/203", "acme/999")


@pytest.mark.parametrize("law9", [False, True])
def test_a_lamp_key_takes_the_call_that_blinks(law9: bool) -> None:
    w = world(law9=law9)
    cho = watcher(w, "203", "202")
    ben = agent(w, "202", answer_ms=-1)
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(ben.sessions), 10_000)
    w.run(1_200)
    (dialog,) = dialogs(cho, "202")
    cho.headers = (replaces(dialog),)
    mine = cho.call(remote(dialog).removeprefix("sip:").partition("@")[0], w.now_ms)
    w.run(800)
    assert cho.up() == [mine] and not ben.sessions and w.hears(caller).startswith("row")
    assert w.last("queue.connected").data["agent"] == "default/203"
    cho.hang_up(w.now_ms)
    over(w)
    assert w.state("202") == "ready"


def test_in_a_group_a_strangers_call_is_not_for_taking() -> None:
    w = world(grouped())
    ana, ben = agent(w, "201"), agent(w, "202", answer_ms=-1)
    ring(w, "202", phone=ana)
    assert w.run_until(lambda: bool(ben.sessions), 5_000)
    w.run(300)
    cho = agent(w, "203", login=False)
    cho.headers = (ben.replaces(next(iter(ben.sessions))),)
    cho.call("202", w.now_ms)
    w.run(500)
    assert told(cho) == "rejected 403" and ben.sessions


def test_an_agent_who_leaves_the_site_is_dark() -> None:
    w = world()
    cho = watcher(w, "203", "201")
    agents = {key: model for key, model in SITE.agents.items() if key != "default/201"}
    w.load(msgspec.structs.replace(SITE, agents=agents, version=f"{SITE.version}-201"))
    w.run(1_500)
    assert states(cho, "201") == ["terminated"]


def test_a_reload_that_takes_the_right_ends_the_lamp_and_leaves_the_others() -> None:
    """203 is in no group with 201; 205 supervises him. What he did is told to 203 no more."""
    w = world()
    cho, eve, own = watcher(w, "203", "201", "support"), watcher(w, "205", "201"), watcher(w, "201", "*52")
    ended = "terminated;reason=rejected"
    w.load(grouped())
    w.run(1_500)
    gone = [text for text in said(cho, "NOTIFY") if ended in text]
    assert len(gone) == 2 and not any(ended in text for phone in (eve, own) for text in said(phone, "NOTIFY"))
    watchers = sorted(each.watcher for each in w.switch.room.endpoint.subscriptions())
    assert watchers == ["default/201", "default/205"]
    told = len(said(cho, "NOTIFY"))
    w.operate("agent.login", agent="201")
    w.run(1_500)
    assert len(said(cho, "NOTIFY")) == told


def test_when_no_agent_has_a_call_the_lamps_read_nobody_elses_legs(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many callers wait, lamps of agents without calls cost one look at the legs, not one each."""
    w = world()
    cho = watcher(w, "203", "201", "202")
    ring(w, "740")
    w.run(3_000)
    room, looks = w.switch.room, list[int]()

    class Counting(dict[int, Leg]):
        def values(self) -> ValuesView[int, Leg]:  # type: ignore[override]
            looks.append(len(self))
            return super().values()

    monkeypatch.setattr(room, "legs", Counting(room.legs))
    watching.due(room, w.now_ms)
    assert looks == [1] and states(cho, "201")[-1] == states(cho, "202")[-1] == "terminated"
