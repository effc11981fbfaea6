"""The verb callback: asked, confirmed by a key, booked; and every way out of it."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import (
    AskCallback,
    CallbackAnswer,
    Collect,
    Digit,
    Hangup,
    PlayDone,
    PlayPrompts,
    SetTimer,
    TimerFired,
)
from engine.dialplan.interpreter import BEGIN
from tests.dialplan.site import Caller, codes_of, lines, site_of

QUEUES = lines(
    "support:", "  skills: [power]", "  callback:", "    allow: ['0']", "    typed_numbers: yes",
    "sales: {strategy: ring-all}",
)  # fmt: skip


def text(*options: str) -> str:
    return lines(
        "ringdown: 1", "variables:", "  number: digits 3..12", "flows:", "  main:", "    - answer",
        "    - callback:", *(f"        {each}" for each in options), "    - hangup: booked",
        "  no:", "    - hangup: no", "  open:", "    - hangup: open",
    )  # fmt: skip


def called(*options: str) -> Caller:
    caller = Caller(site_of(text("queue: support", "failed: no", "already_open: open", *options), queues=QUEUES))
    caller.answered()
    return caller


def tell(caller: Caller, result: str, number: str = "0301") -> None:
    caller.tell(CallbackAnswer(caller.run.ticket, result, number, 4))


def test_it_asks_first_then_confirms_then_books() -> None:
    caller = called("priority: 2min", "needs: {power: 2, language: 1}", "confirm: hello")
    asked = caller.one(AskCallback)
    assert asked == AskCallback(2, "default/support", "", False, False, False, 120_000, (("power", 2), ("en", 1)))
    tell(caller, "allowed")
    assert caller.one(PlayPrompts).clips == ("en/hello",) and caller.one(Collect).on
    caller.tell(Digit("1"))
    assert caller.one(AskCallback).book and not [each for each in caller.last if isinstance(each, Collect) and each.on]
    tell(caller, "accepted")
    assert caller.one(Hangup).outcome == "booked" and caller.notes("tag") == ["callback at place 4"]


def test_the_stock_prompt_reads_the_number_that_will_be_called() -> None:
    caller = called()
    tell(caller, "allowed", "+0301")
    assert caller.one(PlayPrompts).clips == ("en/digits/0", "en/digits/3", "en/digits/0", "en/digits/1")


def test_silence_is_asked_again_and_then_a_no() -> None:
    caller = called("timeout: 2s", "tries: 2", "declined: no")
    tell(caller, "allowed")
    for _ in range(2):
        caller.tell(PlayDone(caller.run.ticket))
        assert caller.one(SetTimer).ms == 2_000
        caller.tell(TimerFired(caller.run.ticket))
    assert caller.one(Hangup).outcome == "no"


def test_a_prompt_that_never_ends_is_listened_behind() -> None:
    caller = called()
    tell(caller, "allowed")
    caller.tell(TimerFired(caller.run.ticket))
    caller.tell(Digit("1"))
    assert caller.one(AskCallback).book


@pytest.mark.parametrize(("result", "outcome"), [("already_open", "open"), ("refused", "no"), ("full", "no"),
                                                  ("no_number", "no"), ("failed", "no")])
def test_every_refusal_has_its_way_or_that_of_failed(result: str, outcome: str) -> None:
    caller = called()
    tell(caller, result)
    assert caller.one(Hangup).outcome == outcome


def test_without_confirm_it_is_booked_at_once_and_a_late_refusal_counts() -> None:
    caller = called("confirm_by_key: no", "replace: yes")
    tell(caller, "allowed")
    assert caller.one(AskCallback).book and caller.one(AskCallback).replace
    tell(caller, "full")
    assert caller.one(Hangup).outcome == "no"


def test_a_typed_number_is_taken_from_its_variable() -> None:
    flow = text("queue: support", "number: $number", "failed: no").replace(
        "    - callback:", "    - gather: {into: number, prompt: hello, failed: no}\n    - callback:"
    )
    caller = Caller(site_of(flow.replace("open:\n    - hangup: open\n", "").replace("  open:", ""), queues=QUEUES))
    caller.answered()
    for digit in "030#":
        caller.tell(Digit(digit))
    assert caller.one(AskCallback).number == "030" and caller.one(AskCallback).typed


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("queue: sales", "failed: no"), "RD048"), (("queue: support",), "RD052"), (("failed: no",), "RD022"),
        (("queue: support", "number: '0301'", "failed: no"), "RD070"),
        (("queue: support", "number: $nothing", "failed: no"), "RD034"),
        (("queue: suport", "failed: no"), "RD032"),
    ],
)
def test_what_cannot_work_is_refused_at_check(options: tuple[str, ...], code: str) -> None:
    assert code in [found for found, _ in codes_of(text(*options), queues=QUEUES)]


def test_a_typed_number_needs_the_queue_s_word() -> None:
    flow = text("queue: support", "number: $number", "failed: no")
    assert "RD048" in [found for found, _ in codes_of(flow, queues=QUEUES.replace("    typed_numbers: yes\n", ""))]


def test_it_is_a_verb_of_the_interpreter() -> None:
    assert "callback" in BEGIN
