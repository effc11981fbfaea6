"""One call's events fold into one record, late quality included, whatever else the stream holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.records.call_detail import CallFold, LegQuality, ended_kept_max, fold
from engine.records.events import KINDS, Event


def event(n: int, kind: str, call: str = "bako-0", at_ms: int = 0, /, **data: str | int | float | bool | None) -> Event:
    return Event(n, "b1", 1_700_000_000_000 + at_ms, at_ms, kind, "default", call, data)


def served_call(call: str = "bako-0", first: int = 1) -> list[Event]:
    return [
        event(first, "call.started", call, 0, caller="+4420", name="Ann", dialled="100", trunk="gw", via="trunk",
              peer="p"),
        event(first + 1, "call.answered", call, 30, after_ms=30),
        event(first + 2, "queue.joined", call, 900, queue="default/support", position=1, priority_ms=0, caller="+4420"),
        event(first + 3, "queue.connected", call, 2_900, queue="default/support", agent="default/201", waited_ms=2_000),
        event(first + 4, "call.bridged", call, 2_910, **{"with": "agent/201", "kind": "queue"}),
        event(first + 5, "call.transferred", call, 4_000, by="201", to="202", way="refer", result="started"),
        event(first + 6, "call.recording", call, 4_100, name="r1.wav", state="started", duration_ms=0),
        event(first + 7, "call.ended", call, 9_000, by="remote", outcome="served", cause=16, duration_ms=9_000,
              answered_ms=30, waited_ms=2_000, talked_ms=6_000, held_ms=5, path="main > support"),
    ]


def test_a_served_call() -> None:
    (detail,) = fold(served_call())
    assert (detail.caller, detail.name, detail.dialled, detail.trunk) == ("+4420", "Ann", "100", "gw")
    assert detail.ended_ms - detail.started_ms == 9_000 and detail.answered_ms - detail.started_ms == 30
    assert detail.answer_ms == 30
    assert (detail.waited_ms, detail.talked_ms, detail.held_ms) == (2_000, 6_000, 5)
    assert detail.queues == ["default/support"] and detail.agents == ["201"]
    assert detail.transfers == 1 and detail.recordings == ["r1.wav"]
    assert (detail.outcome, detail.by, detail.path) == ("served", "remote", "main > support")


def test_the_row_is_due_at_the_end_and_again_with_late_quality() -> None:
    folder = CallFold()
    due = [folder.feed(each) for each in served_call()]
    assert [each is not None for each in due] == [False] * 7 + [True]
    assert folder.open_calls() == 0
    late = folder.feed(event(20, "call.quality", leg="caller", packets_in=98, lost=2, jitter_us=900, gap_max_us=21_000))
    assert late is not None and late.n == 1
    assert late.quality == [LegQuality("caller", packets_in=98, lost=2, jitter_us=900, gap_max_us=21_000)]
    assert late.quality[0].loss_percent() == 2.0
    assert folder.feed(event(21, "call.step", step="x", text="")) is None


def test_a_leg_that_heard_nothing_has_no_loss() -> None:
    assert LegQuality("caller").loss_percent() == 0.0


def test_facts_of_unknown_calls_and_of_no_call_change_nothing() -> None:
    folder = CallFold()
    assert folder.feed(event(1, "call.ended", "never-1", by="remote")) is None
    assert folder.feed(event(2, "agent.login", "", agent="201")) is None
    assert folder.open_calls() == 0


def test_one_way_audio_and_faults_are_remembered() -> None:
    events = served_call()
    events[4:4] = [event(50, "call.media", leg="caller", state="one-way", detail=""),
                   event(51, "call.fault", where="x", detail="y")]
    (detail,) = fold(events)
    assert detail.one_way and detail.faults == 1


def test_a_name_used_again_is_another_call() -> None:
    details = fold([*served_call(first=1), *served_call(first=100)])
    assert [detail.n for detail in details] == [1, 100]


def test_a_wrap_up_code_belongs_to_the_call_even_after_its_end_and_the_last_one_counts() -> None:
    folder = CallFold()
    for each in served_call():
        folder.feed(each)
    code = {"agent": "default/201", "queue": "default/support", "by": "phone"}
    first = folder.feed(event(90, "agent.wrap_up_code", "bako-0", 9_100, code="2", name="complaint", **code))
    assert first is not None and first.whole_path().endswith(" > code complaint")
    last = folder.feed(event(91, "agent.wrap_up_code", "bako-0", 9_200, code="1", name="sold", **code))
    assert last is not None and last.whole_path() == f"{last.path} > code sold"
    code["agent"] = "default/202"
    missing = folder.feed(event(92, "agent.wrap_up_code", "bako-0", 9_300, code="", name="", **code))
    assert missing is not None and missing.whole_path().endswith(" > code sold > code missing")


def test_memory_is_bounded() -> None:
    folder = CallFold()
    for number in range(ended_kept_max + 5):
        for each in served_call(f"c-{number}", first=10 * number):
            folder.feed(each)
    assert folder.feed(event(9_999, "call.quality", "c-0", leg="caller")) is None  # forgotten
    assert folder.feed(event(9_999, "call.quality", f"c-{ended_kept_max}", leg="caller")) is not None


values = st.one_of(st.none(), st.integers(-5, 5), st.text(max_size=3), st.booleans(), st.floats(allow_nan=False))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(
    st.sampled_from(sorted(KINDS)), st.sampled_from(["", "a", "b"]),
    st.dictionaries(st.sampled_from(["queue", "agent", "with", "name", "lost", "cause"]), values))))
def test_any_stream_folds(stream: list[tuple[str, str, dict[str, object]]]) -> None:
    folder = CallFold()
    for n, (kind, call, data) in enumerate(stream):
        detail = folder.feed(event(n, kind, call, n, **data))  # type: ignore[arg-type]
        assert detail is None or (detail.call == call and detail.ended_ms)


def test_the_names_of_calls_that_have_not_ended() -> None:
    fold = CallFold()
    for n, (kind, name) in enumerate((("call.started", "a-0"), ("call.started", "b-0"), ("call.started", "c-0"))):
        fold.feed(Event(n, "b", n, n, kind, "default", name, {"caller": "1", "dialled": "2"}))
    assert fold.open_names() == ["a-0", "b-0", "c-0"]
    fold.feed(Event(9, "b", 9, 9, "call.ended", "default", "b-0", {}))
    assert fold.open_names() == ["a-0", "c-0"]


def test_a_forgotten_callers_late_quality_writes_no_row() -> None:
    folder = CallFold()
    for each in (*served_call("bako-0", 1), *served_call("dilo-0", 50)):
        folder.feed(each)
    folder.forget(lambda text: text == "+4421")
    assert folder.feed(event(90, "call.quality", "bako-0", 9_100, leg="caller")) is not None
    folder.forget(lambda text: text == "+4420")
    assert folder.feed(event(91, "call.quality", "bako-0", 9_200, leg="agent")) is None
