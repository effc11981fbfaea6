"""Explanations of a journal in text and as data."""

from __future__ import annotations

from engine.acd.explain import Explanation, Seat
from engine.cli import why_text
from engine.runtime.explaining import Account, Moment, Told

SEATS = (
    Seat(1, 1, (("talking", ""), ("lacks", "3"))),
    Seat(2, 2, (), False, "level", (2, 100), (("level", 2), ("idle_ms", 900_000))),
    Seat(3, 1, (), True, "", (1, 500), (("level", 1), ("idle_ms", 500_000))),
    Seat(4, 1, (("not_ready", "not_ready"),)),
)
NAMES = {1: "a/201", 2: "a/202", 3: "a/203", 4: "a/204"}


def told(*asked: str, seats: tuple[Seat, ...] = SEATS, ring: int = 0) -> Told:
    full = Explanation(7, 1, "longest-idle-agent", ((3, 5),), ring, 12_000, ("level", "idle_ms"), seats)
    return Told(1_700_000_000_000, "a/support", "0123456789abcdef", asked, full, NAMES, {3: "zh"})


def test_a_decision_names_everybody_candidates_first() -> None:
    head, *rest = why_text.decision(told("a/203", ring=2))
    assert head.endswith(
        "203 asked: queue a/support; rule longest-idle-agent of site 0123456789ab; waited 12 s; needs zh 5; ring 2"
    )
    assert [line.split(maxsplit=1) for line in rest] == [
        ["203", "ASKED: level 1, idle for 500 s"], ["202", "worse level: level 2, idle for 900 s"],
        ["201", "talking, lacks zh"], ["204", "not ready"],
    ]  # fmt: skip


def test_nobody_and_nothing() -> None:
    head, only = why_text.decision(told(seats=()))
    assert "nobody for him: queue a/support" in head and only.strip() == "no agent belongs to the queue"
    assert why_text.lines(Account()) == ["he was in no queue, or no decision about him is in the journal"]


def test_the_causes_are_exact_and_whole() -> None:
    moments = [
        Moment(1_000, True, False, ("not_ready", "talking"), ("zh",)),
        Moment(11_000, True, True, ("alerting",), ("zh",)),
        Moment(31_000, True, False, ("not_ready",), ()),
        Moment(61_000, True, False, (), ("zh",)),
        Moment(62_000, False),
    ]
    found = Account([told("a/203")], moments)
    assert why_text.causes(found) == {
        "every agent with zh on duty was busy": 10_000, "a phone rang for him": 20_000,
        "every agent on duty was not ready": 30_000, "nobody with zh was there": 1_000,
    }  # fmt: skip
    text = why_text.lines(found)[-1]
    assert text.startswith("Where the time went, exactly: 30 s every agent on duty was not ready, 20 s a phone rang")
    data = why_text.as_data(found)
    assert data["decisions"][0]["explanation"]["seats"][0]["against"][1] == ("lacks", "3")
    assert sum(data["causes"].values()) == 61_000
