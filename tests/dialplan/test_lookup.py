"""The verb lookup: asked, answered, busy prompt, deadlines; what is set afterwards and what is not."""

from __future__ import annotations

import pytest

from engine import limits
from engine.dialplan.actions import (
    Action,
    CallerGone,
    Digit,
    Hangup,
    LookUp,
    LookupAnswered,
    PlayDone,
    PlayPrompts,
    SetTimer,
    StopPlay,
    TimerFired,
)
from tests.dialplan.site import Caller, codes_of, lines, site_of

LOOKUPS = lines(
    "customer:",
    "  get: https://crm.example/accounts/$account?from=$access.caller",
    "  timeout: 2s",
    "  returns: {tier: choice standard vip = standard, visits: number, balance: number sensitive = 0}",
)


def text(*options: str, after: str = "set: {account: '87654321'}") -> str:
    return lines(
        "ringdown: 1", "variables:", "  account: digits 8 = 12345678", "flows:", "  main:", "    - answer",
        "    - lookup:", *(f"        {each}" for each in ("name: customer", "failed: down", *options)),
        f"    - {after}", "    - hangup: served", "  down:", "    - hangup: down",
        "  unknown:", "    - hangup: unknown",
    )  # fmt: skip


def called(*options: str, after: str = "set: {account: '87654321'}") -> Caller:
    caller = Caller(site_of(text(*options, after=after), lookups=LOOKUPS))
    caller.answered()
    return caller


def tell(caller: Caller, result: str, **values: str | int | bool) -> list[Action]:
    whole = {f"customer.{name}": value for name, value in values.items()}
    return caller.tell(LookupAnswered(caller.run.ticket, result, whole, "" if result == "ok" else "status 500", 40))


def ended(caller: Caller) -> str:
    found = caller.one(Hangup)
    assert isinstance(found, Hangup)
    return found.outcome


def test_it_asks_with_what_the_address_needs_and_bounds_the_wait() -> None:
    caller = called()
    assert caller.one(LookUp) == LookUp(2, "default/customer", {"account": "12345678", "access.caller": "+441"})
    assert caller.one(SetTimer) == SetTimer(2, 2_000 + limits.lookup_grace_ms)


def test_an_answer_sets_values_and_masks_the_sensitive() -> None:
    caller = called()
    tell(caller, "ok", tier="vip", visits=3, balance=777)
    assert ended(caller) == "served"
    assert caller.run.variables["customer.tier"] == "vip" and caller.run.variables["customer.balance"] == 777
    assert caller.notes("set")[:3] == ["customer.tier=vip", "customer.visits=3", "customer.balance=····"]
    assert caller.notes("lookup") == ["customer ok 40"]


@pytest.mark.parametrize(
    ("result", "options", "outcome"),
    [("failed", (), "down"), ("not_found", (), "down"), ("not_found", ("not_found: unknown",), "unknown")],
)
def test_the_unhappy_ways(result: str, options: tuple[str, ...], outcome: str) -> None:
    caller = called(*options)
    tell(caller, result)
    assert ended(caller) == outcome
    assert caller.notes("lookup") == [f"customer {result} 40 status 500"]
    assert caller.run.variables["customer.tier"] == "standard" and "customer.visits" not in caller.run.variables


def test_an_answer_without_what_it_must_hold_has_failed() -> None:
    caller = called()
    tell(caller, "ok", tier="vip")
    assert ended(caller) == "down"
    assert caller.notes("lookup") == ["customer failed 40 the answer has no customer.visits"]
    assert caller.run.variables["customer.tier"] == "standard"


def test_a_runtime_that_never_answers_is_a_failure_after_the_deadline() -> None:
    caller = called()
    caller.tell(TimerFired(caller.run.ticket))
    assert ended(caller) == "down" and caller.notes("lookup") == ["customer failed 3000 no answer came in time"]
    assert tell(caller, "ok", visits=1) == []


def test_the_busy_prompt_comes_late_and_is_heard_out() -> None:
    caller = called("busy: one_moment")
    assert caller.one(SetTimer) == SetTimer(2, limits.lookup_busy_ms)
    caller.tell(TimerFired(2))
    assert caller.one(PlayPrompts).clips == ("en/one_moment",)  # type: ignore[union-attr]
    assert caller.one(SetTimer) == SetTimer(2, 3_000 - limits.lookup_busy_ms)
    tell(caller, "ok", visits=1)
    assert caller.kinds() == ["SetTimer"] and caller.run.variables["customer.visits"] == 1
    tell(caller, "failed")  # a second answer is none
    caller.tell(PlayDone(2))
    assert ended(caller) == "served"


def test_after_the_busy_prompt_an_answer_counts_at_once() -> None:
    caller = called("busy: one_moment")
    caller.tell(TimerFired(2))
    caller.tell(PlayDone(2))
    assert caller.kinds() == []
    tell(caller, "failed")
    assert ended(caller) == "down"


def test_a_busy_prompt_that_never_ends_holds_nobody() -> None:
    caller = called("busy: one_moment")
    caller.tell(TimerFired(2))
    tell(caller, "ok", visits=1)
    caller.tell(TimerFired(2))
    assert ended(caller) == "served" and "StopPlay" in caller.kinds()


def test_the_deadline_stands_behind_the_busy_prompt() -> None:
    caller = called("busy: one_moment")
    caller.tell(TimerFired(2))
    caller.tell(TimerFired(2))
    assert caller.one(StopPlay) and ended(caller) == "down"
    assert caller.notes("lookup") == ["customer failed 3000 no answer came in time"]


def test_keys_pressed_meanwhile_are_kept_and_a_hang_up_ends_it() -> None:
    caller = called()
    caller.tell(Digit("4"))
    assert caller.run.typed_ahead == "4" and caller.run.waiting == "lookup"
    caller.tell(CallerGone())
    assert tell(caller, "ok", visits=1) == [] and caller.run.waiting == "ended"


def test_a_second_lookup_forgets_what_the_first_had_filled() -> None:
    caller = called(after="lookup: {name: customer, failed: down}")
    tell(caller, "ok", tier="vip", visits=3)
    assert caller.run.waiting == "lookup"
    assert caller.run.variables["customer.tier"] == "standard" and "customer.visits" not in caller.run.variables


def test_conditions_read_what_came_back() -> None:
    caller = called(after="when: [{if: customer.tier = vip and customer.visits > 2, then: unknown}, {else: down}]")
    tell(caller, "ok", tier="vip", visits=3)
    assert ended(caller) == "unknown"


def test_a_sensitive_value_is_spoken_but_not_named() -> None:
    caller = called(after="say: $customer.balance")
    tell(caller, "ok", visits=1, balance=12)
    spoken = caller.one(PlayPrompts)
    assert isinstance(spoken, PlayPrompts) and spoken.clips == ("en/numbers/12",) == spoken.hidden


@pytest.mark.parametrize(
    ("dialplan", "found"),
    [
        (text().replace("name: customer", "name: custmer"), [("RD140", 8)]),
        (text().replace("failed: down", "busy: one_moment"), [("RD052", 7), ("RD050", 11)]),
        (text().replace("account", "acount"), [("RD034", 8)]),
        (text(after="say: $customer.visits"), []),
        (text("not_found: continue", after="when: [{if: known(customer.visits), then: unknown}]"), []),
        (text(after="switch: {value: customer.tier, cases: {standard: down, vip: unknown}}"), [("RD054", 11)]),
        (text(after="switch: {value: customer.tier, cases: {standard: down}}"), [("RD076", 10)]),
        (text(after="when: [{if: customer.tier = gold, then: unknown}]"), [("RD070", 10)]),
        (text(after="when: [{if: flags.vip, then: unknown}]"), [("RD042", 10)]),
        (text(after="set: {account: customer.balance}"), [("RD070", 10)]),
        (text().replace("main:\n", "main:\n    - when: [{if: customer.visits > 1, then: down}]\n"), [("RD072", 6)]),
        (text().replace("main:\n", "main:\n    - when: [{if: customer.tier = vip, then: down}]\n"), []),
        (text(after="tag: balance $customer.balance"), [("RD079", 10)]),
        (text("not_found: continue", after="tag: $customer.visits"), [("RD072", 11)]),
        (text().replace("failed: down", "failed: main"), [("RD051", 6)]),
        (text().replace("8 = 12345678", "8 sensitive = 12345678"), [("RD142", 8)]),
    ],
)  # fmt: skip
def test_what_the_check_finds(dialplan: str, found: list[tuple[str, int]]) -> None:
    codes = [each for each in codes_of(dialplan, lookups=LOOKUPS) if each[0] not in ("RD050", "RD091", "RD094")]
    assert codes == [each for each in found if each[0] != "RD050"]


def test_what_the_caller_may_hear_of_himself_the_agent_may_not() -> None:
    queue = "queue: {name: support, whisper: owed, full: down, no_agents: down, timeout: down}"
    prompts = "hello: Hello.\nchoose: Choose now.\nowed: $customer.balance\n"
    for step, code in ((queue, ["RD079"]), ("play: owed", [])):
        found = codes_of(text(after=step), lookups=LOOKUPS, prompts__en=prompts)
        assert [each for each, _ in found if each == "RD079"] == code


def test_a_cached_answer_to_a_secret_is_refused() -> None:
    lookups = "customer:\n  post: https://a/b\n  cache: 1min\n  send: {pin: $account}\n"
    dialplan = text().replace("8 = 12345678", "8 sensitive = 12345678")
    assert [each for each in codes_of(dialplan, lookups=lookups) if each[0] == "RD144"] == [("RD144", 8)]


def test_an_amount_is_sent_and_noted_with_its_currency() -> None:
    lookups = lines(
        "pay:", "  post: https://a/b", "  send: {sum: $sum, well: $well}",
        "  returns: {left: money EUR = 0 EUR, done: flag = no}",
    )  # fmt: skip
    plan = lines(
        "ringdown: 1", "variables: {sum: money EUR = 12.5 EUR, well: flag = yes}", "flows:", "  main:", "    - answer",
        "    - lookup: {name: pay, failed: main2}", "    - say: $pay.left", "    - goto: main2", "  main2:",
        "    - hangup: served",
    )  # fmt: skip
    caller = Caller(site_of(plan, lookups=lookups))
    caller.answered()
    assert caller.one(LookUp) == LookUp(2, "default/pay", {"sum": "12.50 EUR", "well": True})
    caller.tell(LookupAnswered(2, "ok", {"pay.left": 5, "pay.done": True}))
    assert caller.notes("set") == ["pay.left=0.05 EUR", "pay.done=yes"]
