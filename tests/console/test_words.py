"""Every kind of event has its sentence; every call its closing line; every filter its calls."""

from __future__ import annotations

import pytest

from engine.console import words as room
from engine.console.words import Filter, TailText
from engine.records.events import KINDS, Event


def event(kind: str, call: str = "bako-0", /, **data: str | int | float | bool | None) -> Event:
    return Event(1, "b1", 1_700_000_000_000, 0, kind, "default", call, data)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_words(kind: str) -> None:
    data = {field: 1_500 if field.endswith(("_ms", "_us")) else f"«{field}»" for field in KINDS[kind]}
    text = room.words(kind, data)
    assert kind not in text and "without" not in text
    assert room.words(kind, {}).startswith(kind) or not KINDS[kind]


def test_unknown_kinds_are_shown_plainly() -> None:
    assert room.words("future.kind", {"a": 1}) == "future.kind a=1"


def test_a_call_closes_with_path_waits_and_quality() -> None:
    tail = TailText()
    lines = [
        line
        for each in (
            event(
                "call.started",
                caller="+44",
                name="Ann",
                dialled="100",
                trunk="gw",
                via="trunk",
                peer="udp:1.2.3.4:5060",
            ),
            event("queue.connected", queue="support", agent="201", waited_ms=2_500, rang_ms=900),
            event(
                "call.quality",
                leg="caller",
                packets_in=99,
                packets_out=100,
                lost=1,
                jitter_us=1_500,
                gap_max_us=22_000,
                ignored=0,
                digits=1,
            ),
            event("call.quality", leg="agent/201", packets_in=0, lost=0),
            event(
                "call.ended",
                by="remote",
                outcome="served",
                cause=16,
                duration_ms=30_000,
                answered_ms=5,
                waited_ms=2_500,
                talked_ms=20_000,
                held_ms=0,
                path="main > support",
            ),
        )
        for line in tail.lines(each)
    ]
    assert len(lines) == 3
    assert "Ann +44 calls 100 through gw (trunk, udp:1.2.3.4:5060)" in lines[0]
    assert "connected to 201 after 2.5 s in support" in lines[1]
    assert lines[2].endswith(
        "ENDED served by remote; main > support; 30 s in all, waited 2.5 s, talked 20 s; "
        "caller: loss 1.0 %, jitter 1.5 ms, longest gap 22 ms, agent/201: nothing heard"
    )


def test_a_tail_that_begins_in_the_middle() -> None:
    (line,) = TailText().lines(event("call.ended", by="remote", outcome="served"))
    assert "ended by remote: served" in line


def test_a_ladder() -> None:
    hop = {
        "at_ms": 1_700_000_000_000,
        "way": "in",
        "transport": "udp",
        "far_end": "1.2.3.4:5060",
        "call": "bako-0",
        "call_id": "x",
        "text": "INVITE sip:100@x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nc=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 0\r\n",
    }
    (line,) = room.ladder(hop)
    assert line.endswith("1.2.3.4:5060 ──▶ INVITE sip:100@x  audio 1.2.3.4:4000")
    hop |= {"way": "out", "text": "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n", "call": ""}
    assert room.ladder(hop)[0].endswith("◀── 200 OK  (INVITE)")
    assert len(room.ladder(hop, whole=True)) == 4


def wanted(chosen: Filter, *events: Event) -> list[bool]:
    return [chosen.wants(each) for each in events]


START = event("call.started", "a", caller="+44", dialled="100")
OTHER = event("call.started", "b", caller="+55", dialled="100")
STEP, OTHER_STEP = event("call.step", "a", step="x"), event("call.step", "b", step="x")


def test_filters() -> None:
    assert wanted(Filter(), START, OTHER) == [True, True]
    assert wanted(Filter(call="a"), START, OTHER, STEP) == [True, False, True]
    assert wanted(Filter(call="+44"), START, OTHER, STEP, OTHER_STEP) == [True, False, True, False]
    assert wanted(Filter(call="last"), STEP, START, STEP) == [False, True, True]
    offered = event("queue.offered", "b", queue="default/support", agent="default/201")
    assert wanted(Filter(agent="201"), START, offered, OTHER_STEP, STEP) == [False, True, True, False]
    assert wanted(Filter(queue="support"), START, offered, OTHER_STEP) == [False, True, True]
    assert wanted(Filter(queue="support", agent="202"), offered) == [False]
    state = event("agent.state", "", agent="default/201", name="A", old="ready", new="talking", reason="", queue="")
    assert wanted(Filter(agent="201"), state, event("agent.login", "", agent="default/202")) == [True, False]


def test_a_call_filter_takes_an_agent_as_well() -> None:
    chosen = Filter(call="201")
    assert not chosen.wants(event("call.started", "a", caller="+44"))
    assert not chosen.wants(event("agent.login", "", agent="201"))
    assert chosen.wants(event("queue.offered", "a", agent="default/201")) and chosen.wants(event("call.step", "a"))
