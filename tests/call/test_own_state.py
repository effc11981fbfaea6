"""`*54`: what is spoken, clip by clip, in every state."""

from __future__ import annotations

import pytest

from engine.call import own_state
from tests.call.calls import ring
from tests.call.lives import desk, life


def spoken(w, user: str = "201") -> str:  # type: ignore[no-untyped-def]
    room = w.switch.room
    found = own_state.clips(room, room.agents[f"default/{user}"], room.sites[room.site], "en", w.now_ms)
    assert all(name.startswith("en/") for name in found)
    return " ".join(name.removeprefix("en/") for name in found)


RETURN = "agent_to_return digits/star digits/5 digits/3"


def test_state_reason_since_when_who_waits_and_how_to_return() -> None:
    w, _ = desk(life())
    w.run(61_000 - 100)
    assert spoken(w) == "agent_ready agent_for numbers/1 unit_minute agent_waiting_none"
    w.operate("agent.not_ready", agent="201", reason="lunch")
    w.run(3 * 60_000 + 5_000)
    ring(w, "700", "5550001")
    w.run(100)
    assert spoken(w) == (
        f"agent_not_ready agent_reason reason_lunch agent_for numbers/3 unit_minutes agent_waiting_one {RETURN}"
    )
    ring(w, "700", "5550002")
    w.run(100)
    assert "numbers/2 agent_waiting_many" in spoken(w)


def test_a_reason_without_a_recording_is_spoken_by_its_key() -> None:
    w, _ = desk(life())
    w.operate("agent.not_ready", agent="201", reason="training")
    w.run(1_000)
    since = "agent_for numbers/1 unit_second"
    assert spoken(w) == f"agent_not_ready agent_reason digits/7 {since} agent_waiting_none {RETURN}"
    w.operate("agent.logout", agent="201")
    w.run(2_000)
    assert spoken(w).startswith("agent_logged_out agent_for numbers/2 unit_seconds agent_waiting_none agent_to_log_in")


@pytest.mark.parametrize(("habit", "state", "words"), [
    ({"answer_ms": 100}, "talking", "agent_talking"), ({"answer_ms": -1}, "alerting", "agent_talking"),
    ({"status": 486, "answer_ms": 100}, "resting", "agent_resting"),
])  # fmt: skip
def test_every_state_has_its_words(habit: dict[str, object], state: str, words: str) -> None:
    w, _ = desk(life(), **habit)
    ring(w, "700")
    assert w.run_until(lambda: w.state("201") == state, 5_000)
    assert spoken(w).split()[0] == words
    assert spoken(w).endswith(RETURN) == (state == "resting")


@pytest.mark.parametrize("law9", [False, True])
def test_dialled_it_is_heard_to_its_end_changes_nothing_and_hangs_up(law9: bool) -> None:
    w, ana = desk(life())
    w.law9 = law9
    w.operate("agent.not_ready", agent="201", reason="lunch")
    w.run(2_000)
    ana.call("*54", w.now_ms)
    w.run(1_100)
    assert w.hears(ana).startswith("en/agent_not_ready en/agent_reason en/reason_lunch en/agent_for")
    assert w.hears(ana).endswith("en/agent_to_return en/digits/star en/digits/5 en/digits/3")
    assert w.state("201") == "not_ready" and not w.all("call.ended")
    w.run(8_000)
    assert w.last("call.ended").data["outcome"] == "served" and w.last("call.ended").data["path"] == "status"
