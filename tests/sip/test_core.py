"""The state's own verbs: finding sessions, releasing them, room for transactions."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sip.core import SESSION_TIMERS
from engine.sip.dispatch import _SESSION_TIMERS
from engine.sip.parser import parse
from engine.sip.session import Phase, Session
from tests.sip.test_dialog import dialog
from tests.sip.wire import Rig, request


def session(rig: Rig, number: int, local_tag: str = "ours", remote_tag: str = "f1") -> Session:
    made = Session(
        number, Phase.CONFIRMED, True, dialog(call_id="call1", local_tag=local_tag, remote_tag=remote_tag), "<sip:me>"
    )
    rig.endpoint.core.add_session(made)
    return made


def test_sessions_are_found_by_call_id_and_both_tags() -> None:
    rig = Rig()
    core = rig.endpoint.core
    first, second = session(rig, 1), session(rig, 2, "other")
    assert core.session_of(parse(request("BYE", to_tag="ours"))) is first
    assert core.session_of(parse(request("BYE", to_tag="other"))) is second
    for wrong in ({"to_tag": "x"}, {"to_tag": "ours", "from_tag": "x"}, {"to_tag": "ours", "call_id": "x"}):
        assert core.session_of(parse(request("BYE", **wrong))) is None  # type: ignore[arg-type]


def test_release_forgets_all_of_it() -> None:
    rig = Rig()
    core = rig.endpoint.core
    first, second = session(rig, 1), session(rig, 2, "other")
    for key in SESSION_TIMERS:
        core.deadlines.arm((key, 1), 5)
    core.release(first)
    core.release(first)
    assert list(core.sessions) == [2] and core.by_call == {"call1": [2]} and not core.deadlines.armed
    core.release(second)
    assert core.by_call == {}


def test_a_session_with_a_running_refer_stays_as_over() -> None:
    rig = Rig()
    core = rig.endpoint.core
    first = session(rig, 1)
    first.refers = [9]
    core.release(first)
    assert first.phase == Phase.OVER and 1 in core.sessions


def test_every_session_timer_is_served() -> None:
    assert set(SESSION_TIMERS) == set(_SESSION_TIMERS)


def test_dialogs_keep_a_tenth_of_room(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    core = rig.endpoint.core
    _, tag = rig.established()
    monkeypatch.setattr(limits, "transactions_max", 1)
    assert core.full(False) and core.full(True)
    monkeypatch.setattr(limits, "transactions_max", 10)
    for number in range(9):
        rig.incoming(branch=f"z9hG4bK{number}i", call_id=f"c{number}")
    assert core.full(False) and not core.full(True)
    assert rig.statuses(rig.feed(request("BYE", branch="z9hG4bKb", to_tag=tag, cseq=2))) == [200]
    assert core.full(True)
    assert rig.statuses(rig.feed(request("INFO", branch="z9hG4bKn", to_tag=tag, cseq=3))) == [481]
