"""send_digits, show and metric: key by key, filled in, counted; nothing sensitive."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Action, Hangup, SendKey, SetTimer, Show, TimerFired
from tests.dialplan.site import Caller, codes_of, site_of

HEAD = (
    "ringdown: 1\n"
    "variables: {code: digits 1..4 = 42, n: number = 3, well: flag = yes, secret: digits 4 sensitive = 1234}\n"
    "flows:\n  main:\n    - answer\n"
)
USED = "    - when: [{if: code = '1' and n = 1, then: end}]\n    - hangup: served\n  end:\n    - hangup\n"


def called(step: str) -> Caller:
    caller = Caller(site_of(HEAD + f"    - {step}\n" + USED))
    caller.answered()
    return caller


def codes(step: str) -> list[str]:
    return [code for code, _ in codes_of(HEAD + f"    - {step}\n" + USED) if code != "RD094"]


def sent(caller: Caller) -> list[tuple[str, int, int]]:
    """(key or pause, its length, ms until the next), to the end."""
    found: list[tuple[str, int, int]] = []
    while caller.run.waiting == "timer":
        keys = [each for each in caller.last if isinstance(each, SendKey)]
        timer = caller.one(SetTimer)
        assert isinstance(timer, SetTimer) and len(keys) <= 1
        found.append((keys[0].digit, keys[0].ms, timer.ms) if keys else ("", 0, timer.ms))
        caller.tell(TimerFired(caller.run.ticket))
    assert caller.one(Hangup)
    return found


def test_keys_go_out_one_by_one_with_pauses() -> None:
    assert sent(called("send_digits: '1w*p#'")) == [
        ("1", 100, 200), ("", 0, 500), ("*", 100, 200), ("", 0, 2_000), ("#", 100, 200),
    ]  # fmt: skip
    assert sent(called("send_digits: {digits: $code, on: 60ms, gap: 40ms}")) == [("4", 60, 100), ("2", 60, 100)]
    assert sent(called("send_digits: $n")) == [("3", 100, 200)]


def test_a_late_timer_sends_nothing_twice() -> None:
    caller = called("send_digits: '12'")
    first = caller.run.ticket
    caller.tell(TimerFired(first))
    assert caller.tell(TimerFired(first)) == []


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("send_digits: 12a", "RD024"), ("send_digits: $other", "RD034"), ("send_digits: $well", "RD070"),
        ("send_digits: $secret", "RD079"), ("send_digits: {digits: '1', on: 5s}", "RD024"),
        ("send_digits: [1]", "RD023"),
        ("show: {a: $secret}", "RD079"), ("show: {a: $other}", "RD034"), ("show: {A: x}", "RD027"),
        ("show: x", "RD023"),
        ("show: {" + ", ".join(f"a{n}: x" for n in range(17)) + "}", "RD024"),
        ("metric: A b", "RD027"), ("metric: {name: a, by: code}", "RD070"), ("metric: {by: 1}", "RD022"),
        ("metric: {name: a, by: 1 + length(secret)}", "RD079"),
    ],
)  # fmt: skip
def test_what_the_check_finds(step: str, code: str) -> None:
    assert codes(step) == [code]


def test_show_fills_in_and_leaves_out_what_is_empty() -> None:
    caller = called("show: {a: 'n $n, $access.caller', b: $well, c: $access.trunk}")
    shown: list[Action] = [each for each in caller.last if isinstance(each, Show)]
    assert shown == [Show({"a": "n 3, +441", "b": "yes"})]


def test_a_queue_step_shows_before_it_joins() -> None:
    queue = "queue: {name: support, show: {n: $n}, full: end, no_agents: end, timeout: end}"
    assert called(queue).kinds() == ["Show", "JoinQueue"]


def test_metrics_count_by_one_or_by_a_number() -> None:
    assert called("metric: heard").notes("metric") == ["heard 1"]
    assert called("metric: {name: heard, by: n * 2}").notes("metric") == ["heard 6"]
    assert called("metric: {name: heard, by: 0 - n}").notes("metric") == ["heard -3"]
