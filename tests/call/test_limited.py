"""A full node: whoever is refused, the log and the records say which limit it was."""

from __future__ import annotations

import pytest

from engine import limits
from engine.call import limited
from engine.errors import LimitExceeded
from tests.call.calls import ring, told, world


def test_which_limit_of_the_node_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    room = w.switch.room
    assert limited.node(room) is None
    room.rows.rows_max = 2
    full = limited.node(room)
    assert full is not None and (full.name, full.value) == ("legs_max", 0)
    monkeypatch.setattr(limits, "calls_max", 0)
    full = limited.node(room)
    assert full is not None and full.name == "calls_max"
    room.draining = True
    full = limited.node(room)
    assert full is not None and full.name == "draining"
    assert limited.words(LimitExceeded("legs_max", 7)).startswith("limit legs_max (7): all media legs are in use")
    assert "see engine.limits" in limited.words(LimitExceeded("other", 7))


def test_a_caller_without_a_port_is_refused_and_the_log_says_which_limit_and_what_to_do() -> None:
    w = world()
    w.switch.room.rows.ready.clear()
    caller = ring(w, "9196")
    w.run(200)
    assert told(caller) == "rejected 503"
    (event,) = w.all("engine.limit")
    assert event.data["name"] == "rtp_port_last" and event.tenant == "default" and event.call
    assert any("rests 60 s after its call: serve --rtp-ports allows more" in each.text for each in w.logs)


def test_a_full_node_says_of_what_it_is_full() -> None:
    w = world()
    w.switch.room.rows.rows_max = 2
    caller = ring(w, "9196")
    w.run(200)
    assert told(caller) == "rejected 503"
    (event,) = w.all("engine.refused")
    assert event.data["kind"] == "limit" and "legs_max (0): all media legs are in use" in str(event.data["detail"])
