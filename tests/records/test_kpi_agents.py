"""An agent's day has no gap: whatever the wall clock does, its parts sum to the shift."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.records import kpi_agents as kpi
from engine.records.events import Event
from engine.records.kpi_agents import AgentTimes, Span, Worked

START = 1_700_000_000_000


def event(n: int, seconds: int, kind: str, call: str = "", *, boot: str = "b", jump_ms: int = 0,
          **data: str | int | float | bool | None) -> Event:
    return Event(n, boot, START + seconds * 1000 + jump_ms, seconds * 1000, kind, "default", call, data)


def state(n: int, seconds: int, new: str, *, reason: str = "", queue: str = "", boot: str = "b",
          jump_ms: int = 0) -> Event:
    return event(n, seconds, "agent.state", agent="default/201", name="Ana", old="?", new=new, reason=reason,
                 queue=queue, boot=boot, jump_ms=jump_ms)


SHIFT = [
    state(1, 0, "ready"),
    state(2, 100, "alerting", queue="default/q"),
    state(3, 110, "talking", reason="answered", queue="default/q"),
    event(4, 110, "queue.connected", "bako-0", queue="default/q", agent="default/201", waited_ms=1, rang_ms=1),
    event(5, 150, "call.held", "bako-0", by="agent 201", held=True),
    event(6, 170, "call.held", "bako-0", by="agent 201", held=False),
    event(7, 180, "call.held", "bako-0", by="caller", held=True),
    event(8, 200, "queue.completed", "bako-0", queue="default/q", agent="default/201", by="caller"),
    state(9, 200, "wrap_up", queue="default/q"),
    state(10, 230, "not_ready", reason="lunch"),
    state(11, 290, "not_ready", reason="training"),
    state(12, 300, "ready"),
    state(13, 400, "logged_out"),
]


def test_a_shift_by_hand() -> None:
    spans = kpi.timeline(SHIFT)
    assert [(span.state, span.reason, span.ms // 1000) for span in spans] == [
        ("ready", "", 100), ("alerting", "", 10), ("talking", "", 40), ("hold", "", 20), ("talking", "", 30),
        ("wrap_up", "", 30), ("not_ready", "lunch", 60), ("not_ready", "training", 10), ("ready", "", 100),
    ]
    assert [span.queue for span in spans if span.state in ("talking", "hold", "wrap_up")] == ["default/q"] * 4
    worked = kpi.work(spans)["default/201"]
    assert worked.total() == 400_000 == worked.logged_in()
    assert worked.reasons == {"lunch": 60_000, "training": 10_000}
    assert kpi.occupancy(worked) == pytest.approx(100 * 120 / 320)
    assert kpi.utilisation(worked) == pytest.approx(30.0)
    assert kpi.attendance(worked) == 100.0


def test_spans_touch() -> None:
    spans = kpi.timeline(SHIFT)
    for one, two in itertools.pairwise(spans):
        assert one.from_ms + one.ms == two.from_ms


def test_hold_survives_only_its_conversation() -> None:
    """Hung up on hold: wrap-up follows, and a late word about the hold changes nothing."""
    events = [*SHIFT[:5], SHIFT[7], state(9, 200, "wrap_up"),
              event(10, 201, "call.held", "bako-0", by="agent 201", held=False), state(11, 210, "ready")]
    assert [(span.state, span.ms) for span in kpi.timeline(events)][3:] == [("hold", 50_000), ("wrap_up", 10_000)]


def test_a_clock_that_jumps_changes_no_length() -> None:
    events = [state(1, 0, "ready"), state(2, 60, "not_ready", reason="x", jump_ms=3_600_000),
              state(3, 120, "ready", jump_ms=-3_600_000), state(4, 180, "logged_out")]
    spans = kpi.timeline(events)
    assert [span.ms for span in spans] == [60_000, 60_000, 60_000]
    assert spans[1].from_ms == START + 3_660_000


def test_a_killed_engine_leaves_no_span_that_nobody_saw() -> None:
    """Up to its last event, and again from the next engine's first."""
    events = [state(1, 0, "ready"), event(2, 50, "engine.limit", name="x", value=1),
              state(1, 5, "ready", boot="c"), state(2, 15, "logged_out", boot="c")]
    assert [span.ms for span in kpi.timeline(events)] == [50_000, 10_000]


def test_cut_goes_on() -> None:
    times = AgentTimes()
    assert times.feed(SHIFT[0]) == []
    assert [span.ms for span in times.cut(START + 40_000, 40_000)] == [40_000]
    assert times.cut(START + 40_000, 40_000) == []
    (span,) = times.feed(SHIFT[1])
    assert (span.from_ms, span.ms) == (START + 40_000, 60_000)


def test_split_at_quarters() -> None:
    span = Span("a", "ready", "", "", 900_000 * 10 + 600_000, 900_000)
    assert list(kpi.split(span, 900_000)) == [(9_000_000, 300_000), (9_900_000, 600_000)]
    assert list(kpi.split(Span("a", "ready", "", "", 7, 0), 900_000)) == []


def test_nobody_on_duty_is_not_zero_percent() -> None:
    assert kpi.occupancy(Worked()) is None and kpi.utilisation(Worked()) is None and kpi.attendance(Worked()) is None


states = st.lists(st.tuples(st.integers(1, 4_000), st.sampled_from(kpi.STATES), st.integers(-10**7, 10**7)),
                  min_size=2, max_size=40)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(states)
def test_sums_equal_the_length_watched(found: list[tuple[int, str, int]]) -> None:
    events, seconds = [], 0
    for n, (step, new, jump_ms) in enumerate(found):
        seconds += step
        events.append(state(n, seconds, new, jump_ms=jump_ms))
    watched = events[-1].now_ms - events[0].now_ms
    spans = kpi.timeline(events)
    assert kpi.work(spans)["default/201"].total() == watched
    assert sum(part for span in spans for _, part in kpi.split(span, 900_000)) == watched
