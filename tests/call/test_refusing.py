"""An agent's phone that may not dial a number: he hears why there is no ring, then his phone gets the status."""

from __future__ import annotations

import pytest

from engine.call import refusing
from tests.call.calls import agent, over, ring, told, wire, world
from tests.call.numbered import NUMBERS, numbered_site

CLASSES = NUMBERS + "classes:\n  default: {allow: ['+4930.']}\n"
OUT = "0x.: carrier\n9123: carrier\n"
SITE = numbered_site(outbound=OUT, site=CLASSES)


@pytest.mark.parametrize("law9", [False, True])
def test_he_hears_it_before_the_answer_and_then_gets_the_status(law9: bool) -> None:
    w = world(SITE, law9=law9)
    ana = agent(w, "201")
    ring(w, "0891234567", phone=ana)
    w.run(300)
    assert told(ana) == "progress 183" and not ana.up()
    assert w.hears(ana) == "tone/silence en/agent_dial_refused tone/silence"
    assert w.run_until(lambda: told(ana) == "rejected 403", 6_000)
    (refusal,) = {text.split("\r\n\r\n")[0] for text in wire(w, "SIP/2.0 403")}
    assert "Reason: Q.850;cause=21" in refusal
    ended = over(w)
    assert (ended.data["outcome"], ended.data["cause"], ended.data["answered_ms"]) == ("failed", 21, -1)
    assert w.state("201") == "ready" and not w.switch.room.deadlines.at((refusing.PURPOSE, 1))


def test_who_hangs_up_while_he_hears_it_leaves_nothing_behind() -> None:
    w = world(SITE)
    ana = agent(w, "201")
    session = ana.call("0891234567", w.now_ms)
    w.run(300)
    ana.endpoint.cancel(session, w.now_ms)
    w.run(300)
    assert over(w).data["outcome"] == "abandoned" and not w.all("call.answered")
    assert not [key for key in w.switch.room.deadlines.armed if key[0] == refusing.PURPOSE]


def test_a_flood_is_refused_at_once_but_for_one() -> None:
    w = world(SITE)
    ana = agent(w, "201")
    for _ in range(5):
        ring(w, "0891234567", phone=ana)
    w.run(300)
    assert [word for _, word in ana.log].count("rejected 403") == 4
    assert len(w.media.rows) == 1
    w.run(6_000)
    assert [word for _, word in ana.log].count("rejected 403") == 5
    over(w)


def test_without_an_offer_or_the_prompt_the_status_comes_at_once() -> None:
    w = world(SITE)
    ana = agent(w, "201")
    ring(w, "0891234567", phone=ana, offer=False)
    w.run(300)
    assert told(ana) == "rejected 403"
    over(w)


def test_a_plane_that_never_tells_of_the_end_is_not_waited_for() -> None:
    w = world(SITE)
    ana = agent(w, "201")
    ring(w, "0891234567", phone=ana)
    w.run(300)
    (leg,) = w.switch.room.legs.values()
    leg.playing = ""
    w.run(refusing.HEARD_MS_MAX - 400)
    assert told(ana) == "progress 183"
    w.run(300)
    assert told(ana) == "rejected 403"


def test_a_refusal_by_the_far_end_is_passed_on_as_it_is() -> None:
    w = world(SITE)
    far, ana = w.phone("far", host="192.0.2.1", password=""), agent(w, "201")
    far.behave(403)
    ring(w, "0301234567", phone=ana)
    w.run(2_000)
    assert told(ana) == "rejected 403" and not wire(w, "SIP/2.0 183")
