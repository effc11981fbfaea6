"""The dialplan at the wheel: facts, paths, actions after the end, and a rejection before the answer."""

from __future__ import annotations

import pytest

from engine.call import script
from engine.call.effects import WallClock
from engine.dialplan import actions
from tests.call.calls import over, ring, told, wire, world
from tests.dialplan.test_calendars import at
from tests.scenarios.sites import BUSY_SITE, busy_site

REJECTS = "ringdown: 1\nflows:\n  main:\n    - reject: {code: %d}\n"
FINALLY = """
ringdown: 1
finally: last
flows:
  main:
    - answer
    - play: welcome
    - hangup: served
  last:
    - tag: the end
"""


@pytest.mark.parametrize(("status", "cause"), [(486, 17), (404, 1), (603, 21), (480, 19)])
def test_a_rejection_says_its_status_and_its_q850_cause(status: int, cause: int) -> None:
    try:
        site = busy_site(dialplans__echo=REJECTS % status)
    except AssertionError:
        site = busy_site(dialplans__echo=f"ringdown: 1\nflows:\n  main:\n    - reject: {status}\n")
    w = world(site)
    caller = ring(w, "9196")
    w.run(200)
    assert told(caller) == f"rejected {status}" and wire(w, f"SIP/2.0 {status}", f"cause={cause}")
    ended = over(w)
    assert (ended.data["outcome"], ended.data["cause"], ended.data["answered_ms"]) == ("failed", cause, -1)


def test_finally_runs_without_audio_when_the_caller_is_gone() -> None:
    w = world(busy_site(dialplans__echo=FINALLY))
    caller = ring(w, "9196")
    w.run(500)
    caller.hang_up(w.now_ms)
    over(w)
    assert any("the end" in str(event.data["text"]) for event in w.all("call.step"))
    assert len(w.all("call.prompt")) == 1


def test_the_facts_a_dialplan_knows() -> None:
    w = world()
    line = w.phone("4420", host="192.0.2.3", password="")
    ring(w, "9196", phone=line)
    w.run(100)
    (call,) = w.switch.room.calls.values()
    facts = script.facts(w.switch.room, call)
    assert (facts["access.caller"], facts["access.trunk"], facts["access.kind"]) == ("4420", "carrier", "trunk")
    assert int(facts["system.now"]) == w.switch.room.now_ms + w.switch.room.wall_offset_ms


def test_a_dialplan_that_is_not_in_the_site_is_no_dialplan() -> None:
    w = world()
    ring(w, "9196")
    w.run(100)
    (call,) = w.switch.room.calls.values()
    assert not script.begin(w.switch.room, call, "default/nothing", "", w.now_ms)


def test_after_the_end_only_notes_are_heeded() -> None:
    w = world()
    ring(w, "9196")
    w.run(100)
    room = w.switch.room
    (call,) = room.calls.values()
    call.phase = "closing"
    room.out = []
    script.perform(room, call, [actions.PlayPrompts(1, ("en/welcome",)), actions.Note("tag", "x", "s")], w.now_ms)
    assert len(room.out) == 1
    call.phase = "script"


def test_every_action_has_a_rule() -> None:
    from typing import get_args

    # a wait list alone leaves a queue
    assert set(script._RULES) | {actions.Note, actions.LeaveQueue} == set(get_args(actions.Action))


def test_the_path_names_flows_not_steps() -> None:
    w = world()
    caller = ring(w, "100")
    w.run(200)
    w.press(caller, "2")
    ended = over(w)
    assert ended.data["path"] == "main > pressed"


SEASONAL = """ringdown: 1
flows:
  main:
    - answer
    - silence: 2s
    - hangup: usual
  feast:
    - answer
    - silence: 2s
    - hangup: feast
"""


@pytest.mark.parametrize(
    ("moment", "outcome"),
    [("2026-12-24 15:59:59", "usual"), ("2026-12-24 16:00:00", "feast"), ("2026-12-25 15:59:59", "feast"),
     ("2026-12-25 16:00:00", "usual")],
)  # fmt: skip
def test_a_season_is_picked_at_arrival_by_the_tenants_clock(moment: str, outcome: str) -> None:
    """Times in UTC; the tenant is in Shanghai, 8 hours ahead. A call stays with what it began with."""
    number = "  750:\n    dialplan: plan\n    public: yes\n    seasons: [{flow: feast, from: 12-25, until: 12-25}]\n"
    text = BUSY_SITE.replace("time_zone: UTC", "time_zone: Asia/Shanghai").replace("  9196:", number + "  9196:")
    w = world(busy_site(site=text, dialplans__plan=SEASONAL), law9=True)
    w.give(WallClock(at(moment, "UTC") - w.now_ms))
    ring(w, "750")
    w.run(5_000)
    assert w.last("call.ended").data["outcome"] == outcome


@pytest.mark.parametrize("way", ["rfc4733", "info"])
def test_keys_are_sent_to_the_callers_side_one_by_one(way: str) -> None:
    plan = "ringdown: 1\nflows:\n  main:\n    - answer\n    - send_digits: 'w1w2#'\n    - hangup: served\n"
    w = world(busy_site(dialplans__echo=plan))
    ring(w, "9196", phone=w.phone("stranger", password=""))
    assert w.run_until(lambda: bool(w.media.rows), 1_000)
    if way == "info":
        next(iter(w.switch.room.legs.values())).dtmf = "info"
    (row,) = w.media.rows.values()
    w.run(600)
    sent = [text.split("Signal=")[1][:1] for text in wire(w, "INFO sip:", "Signal=")]
    assert (sent or row.digits) == ["1"]
    w.run(3_000)
    sent = [text.split("Signal=")[1][:1] for text in wire(w, "INFO sip:", "Signal=")]
    assert (sent, row.digits) == ((["1", "2", "#"], []) if way == "info" else ([], ["1", "2", "#"]))
    assert over(w).data["outcome"] == "served"
