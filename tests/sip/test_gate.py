"""Who is heard before anything is parsed: lists, budgets, blocks, and the good phones among the bad."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine import limits
from engine.sip.events import Path
from engine.sip.gate import NAMES_MAX, PATIENCE_MS, PATIENT_MAX, PORTS_MAX, Gate, Rules

REGISTER = b"REGISTER sip:x SIP/2.0\r\nUser-Agent: Desk\r\n\r\n"
BYE = b"BYE sip:x SIP/2.0\r\nUser-Agent: Desk\r\n\r\n"
SCAN = b"OPTIONS sip:100@1.1.1.1 SIP/2.0\r\nuser-agent: Friendly-Scanner\r\n\r\n"


def at(host: str, port: int = 5060) -> Path:
    return Path(1, host, port, "udp")


def blocked(gate: Gate, host: str) -> None:
    """Wrong passwords from so many ports that the whole source is blocked."""
    for number in range(300):
        if gate.admits(at(host, 9_000 + number), REGISTER, 0):
            gate.judged(host, 9_000 + number, "bad", f"{number}", 0)
    assert gate.blocks[host].wide


def guess(gate: Gate, host: str, count: int, now_ms: int = 0, port: int = 5060) -> int:
    """So many wrong passwords, a millisecond apart; how many were heard."""
    heard = 0
    for number in range(count):
        if gate.admits(at(host, port), REGISTER, now_ms + number):
            heard += 1
            gate.judged(host, port, "bad", f"{number}", now_ms + number)
    return heard


def test_lists_of_the_site_and_of_a_listener() -> None:
    gate = Gate()
    gate.use(Rules(deny=("192.0.2.0/24",), listeners={2: (("10.0.0.0/8",), ())}, trusted=("192.0.2.9",)))
    assert not gate.admits(at("192.0.2.7"), REGISTER, 0) and not gate.admits(at("192.0.2.9"), REGISTER, 0)
    assert gate.admits(at("10.1.1.1"), REGISTER, 0) and gate.admits(Path(2, "10.1.1.1", 5060), REGISTER, 0)
    assert not gate.admits(Path(2, "11.1.1.1", 5060), REGISTER, 0) and gate.admits(at("11.1.1.1"), REGISTER, 0)
    assert gate.dropped == {"denied": 3, "scanner": 0, "blocked": 0, "flood": 0} and not gate.news


def test_wrong_passwords_block_a_source_and_say_so_once() -> None:
    gate = Gate()
    heard = guess(gate, "203.0.113.5", 1_000)
    assert limits.source_faults_max // 2 <= heard <= limits.source_faults_max
    (news,) = gate.news
    assert (news.began, news.source, news.kind) == (True, "203.0.113.5", "guessing")
    assert "wrong passwords; tried 0, 1" in news.detail and news.detail.endswith("…")
    assert news.detail.count(",") == NAMES_MAX - 1 and gate.blocks["203.0.113.5"].dropped == 1_000 - heard


def test_a_block_lasts_as_long_as_it_is_needed() -> None:
    gate = Gate()
    guess(gate, "203.0.113.5", 200)
    gate.sweep(limits.source_block_ms)
    assert not gate.news[1:] and gate.blocks
    for each in range(100):
        gate.admits(at("203.0.113.5"), REGISTER, limits.source_block_ms + 100 + each)
    gate.sweep(2 * limits.source_block_ms + 100)
    assert gate.blocks  # it went on
    gate.admits(at("203.0.113.5", 9), REGISTER, 2 * limits.source_block_ms + 200)  # a neighbour doesn't prolong it
    gate.sweep(3 * limits.source_block_ms + 99)
    assert gate.blocks
    gate.sweep(3 * limits.source_block_ms + 200)
    assert not gate.blocks and not gate.news[-1].began and gate.news[-1].by == ""
    assert gate.admits(at("203.0.113.5"), REGISTER, 4 * limits.source_block_ms)


def test_a_proven_phone_behind_a_blocked_address_is_never_held_up() -> None:
    gate = Gate()
    gate.judged("203.0.113.5", 40_000, "good", "201", 0)
    blocked(gate, "203.0.113.5")
    assert "203.0.113.5" in gate.blocks
    assert all(gate.admits(at("203.0.113.5", 40_000), REGISTER, 200 + step) for step in range(100))
    assert sum(gate.admits(at("203.0.113.5", 5060), BYE, 300) for _ in range(100)) <= 6


def test_a_caller_whose_call_was_taken_goes_on_but_not_as_a_guesser() -> None:
    gate = Gate()
    gate.judged("203.0.113.5", 40_000, "taken", "", 0)
    blocked(gate, "203.0.113.5")
    assert all(gate.admits(at("203.0.113.5", 40_000), BYE, 200 + step) for step in range(100))
    gate.judged("203.0.113.5", 40_000, "asked", "201", 400)
    assert sum(gate.admits(at("203.0.113.5", 40_000), BYE, 500) for _ in range(100)) <= 6


def test_a_proven_port_that_guesses_loses_its_proof_once_its_source_is_blocked() -> None:
    gate = Gate()
    gate.judged("203.0.113.5", 40_000, "good", "201", 0)
    assert guess(gate, "203.0.113.5", 1_000, port=40_000) < 60
    gate.judged("203.0.113.5", 40_000, "good", "201", 2_000)
    assert all(gate.admits(at("203.0.113.5", 40_000), REGISTER, 2_000 + step) for step in range(100))


def test_one_guessing_port_is_blocked_alone_and_its_neighbours_never_notice() -> None:
    gate = Gate()
    guess(gate, "203.0.113.5", 100)
    block = gate.blocks["203.0.113.5"]
    assert list(block.bad) == [5060] and not block.wide
    assert all(gate.admits(at("203.0.113.5", 40_000), BYE, 200 + step) for step in range(500))
    for port in range(1, 5):
        guess(gate, "203.0.113.5", 100, 1_000 * port, port)
    assert block.wide and not gate.news[1:]


def test_a_new_phone_behind_a_blocked_address_gets_in_by_its_repeats_while_one_port_floods() -> None:
    gate = Gate()
    blocked(gate, "203.0.113.5")
    repeats = {500 * (2**step - 1) for step in range(4)} | {7_500 + 4_000 * step for step in range(7)}  # Timer E
    heard = 0
    for now_ms in range(200, 32_200):
        gate.admits(at("203.0.113.5", 5060), REGISTER, now_ms)  # a thousand a second
        if now_ms - 200 in repeats:
            heard += gate.admits(at("203.0.113.5", 40_000), REGISTER, now_ms)
    assert heard >= len(repeats) - 3  # the first ones, while the guessers spend what is left
    assert gate.blocks["203.0.113.5"].passed < 40 + len(repeats)


def test_many_ports_of_a_blocked_source_share_a_bounded_trickle() -> None:
    gate = Gate()
    blocked(gate, "203.0.113.5")
    heard = sum(gate.admits(at("203.0.113.5", 1_024 + each % 60_000), REGISTER, 1_000 + each) for each in range(60_000))
    assert heard <= 24 + 4 * 61 and len(gate.blocks["203.0.113.5"].ports) <= PORTS_MAX


def test_right_passwords_cool_a_source_down() -> None:
    """A hundred phones of an office start at once: each is asked and proves itself; one has a wrong password."""
    gate = Gate()
    for phone in range(100):
        gate.judged("198.51.100.1", 2_000 + phone, "asked", f"{phone}", phone)
        gate.judged("198.51.100.1", 2_000 + phone, "good", f"{phone}", phone)
        if phone % 10 == 0:
            gate.judged("198.51.100.1", 9, "bad", "299", phone)
    assert not gate.blocks


def test_all_phones_of_an_office_may_be_asked_before_the_first_has_answered() -> None:
    """The power comes back: a hundred phones register at once, and their answers take a second."""
    gate = Gate()
    for phone in range(100):
        gate.judged("198.51.100.1", 2_000 + phone, "asked", f"{phone}", phone)
    for phone in range(100):
        gate.judged("198.51.100.1", 2_000 + phone, "good", f"{phone}", 1_000 + phone)
    gate.judged("198.51.100.1", 9, "asked", "new", 2 * PATIENCE_MS)
    assert not gate.blocks and gate._source("198.51.100.1", 0).heat == 0


def test_patience_is_bounded() -> None:
    gate = Gate()
    count = 0
    while not gate.blocks:
        gate.judged("203.0.113.6", 2_000 + count, "asked", f"{count}", count)
        count += 1
    assert count == PATIENT_MAX + limits.source_faults_max


def test_heat_is_forgotten_with_time() -> None:
    gate = Gate()
    for hour in range(200):
        gate.judged("198.51.100.1", 5060, "bad", "201", hour * 5_000)  # a phone that was left with an old password
    assert not gate.blocks


@pytest.mark.parametrize(("verdict", "kind"), [("asked", "probing"), ("unknown", "probing")])
def test_who_never_proves_himself_is_blocked_too(verdict: str, kind: str) -> None:
    gate = Gate()
    for number in range(limits.source_faults_max):
        gate.judged("203.0.113.6", 5060, verdict, f"{number}", number)
    if verdict == "asked":
        assert not gate.blocks, "an answer may still come"
        gate.judged("203.0.113.6", 5060, verdict, "1", PATIENCE_MS + limits.source_faults_max)
    assert gate.blocks["203.0.113.6"].kind == kind


def test_a_scanner_that_names_itself_is_never_answered() -> None:
    gate = Gate()
    gate.judged("203.0.113.7", 7, "good", "201", 0)
    assert not gate.admits(at("203.0.113.7"), SCAN, 0)
    assert gate.blocks["203.0.113.7"].kind == "scanner" and "friendly-scanner" in gate.blocks["203.0.113.7"].detail
    assert not any(gate.admits(at("203.0.113.7"), SCAN, each) for each in range(100))
    assert gate.admits(at("203.0.113.7", 7), REGISTER, 200) and gate.admits(at("203.0.113.7", 8), REGISTER, 200)
    gate.use(Rules(scanners=()))
    gate.lift("all", "root")
    assert gate.admits(at("203.0.113.7"), SCAN, 300)
    assert Gate().admits(at("203.0.113.8"), b"SIP/2.0 200 OK\r\nUser-Agent: sipvicious\r\n\r\n", 0)


def test_budgets_bound_every_method_and_a_flood_is_blocked() -> None:
    gate = Gate()
    asks = sum(gate.admits(at("203.0.113.9"), REGISTER, 0) for _ in range(5_000))
    assert asks == limits.source_asks_per_second * limits.source_burst_s and not gate.blocks
    rest = sum(gate.admits(at("203.0.113.9"), BYE, 0) for _ in range(5_000))
    assert rest == (limits.source_messages_per_second - limits.source_asks_per_second) * limits.source_burst_s
    assert gate.admits(at("203.0.113.9"), BYE, 10) and not gate.blocks
    for _ in range(10_000):
        gate.admits(at("203.0.113.9"), BYE, 10)
    assert gate.blocks["203.0.113.9"].kind == "flood"


def test_the_same_wrong_number_again_and_again_is_no_search() -> None:
    gate = Gate()
    for number in range(1_000):
        gate.judged("198.51.100.1", 5060, "unknown", "4412", number)
    assert not gate.blocks


def test_garbage_blocks_nobody_by_itself_but_uses_the_budget_up() -> None:
    gate = Gate()
    heard = 0
    for number in range(10_000):
        if gate.admits(at("203.0.113.9"), b"\xff" * 40, number // 5):
            heard += 1
            gate.judged("203.0.113.9", 5060, "broken", "", number // 5)
    assert 1_000 <= heard <= 1_000 + 2 * 200 + 1 and gate.blocks["203.0.113.9"].kind == "flood"


def test_trusted_sources_are_never_counted() -> None:
    gate = Gate()
    gate.use(Rules(trusted=("192.0.2.0/28",)))
    gate.trust(["198.51.100.9"])
    for host in ("192.0.2.3", "198.51.100.9"):
        assert all(gate.admits(at(host), SCAN, 0) for _ in range(10_000))
        assert guess(gate, host, 200) == 200
    assert not gate.blocks
    gate.trust([])
    guess(gate, "198.51.100.9", 200)
    assert "198.51.100.9" in gate.blocks
    gate.trust(["198.51.100.9"])
    assert not gate.blocks and gate.news[-1].by == "the site"


def test_an_ipv6_64_is_one_source() -> None:
    gate = Gate()
    for number in range(limits.source_faults_max):
        gate.judged(f"2001:db8::{number:x}", 5060, "bad", "201", number)
    assert list(gate.blocks) == ["2001:db8::/64"]
    assert gate.lift("2001:db8::77", "ana") == ["2001:db8::/64"] and gate.news[-1].by == "ana"


def test_memory_is_bounded_however_many_sources_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "sources_max", 100)
    monkeypatch.setattr(limits, "blocks_max", 10)
    monkeypatch.setattr(limits, "proven_phones_max", 50)
    gate = Gate()
    for number in range(5_000):
        host = f"10.{number >> 8}.{number & 255}.1"
        gate.admits(at(host), REGISTER, number)
        gate.judged(host, 1, "good", "", number)
        gate.admits(at(host), SCAN, number)
    sizes: list[Callable[[], int]] = [lambda: len(gate._young), lambda: len(gate._old), lambda: len(gate.blocks)]
    assert [each() <= most for each, most in zip(sizes, (100, 100, 10), strict=True)] == [True] * 3
    assert len(gate._proven) <= 50


# --- over a restart ------------------------------------------------------------------------------------------------
HOUR = 3_600_000


def restored(gate: Gate, after_ms: int, rules: Rules | None = None) -> tuple[Gate, int]:
    """(the gate of the next process, whose clock began at another moment, its time) after so long."""
    now_ms = 7_000
    fresh = Gate()
    fresh.use(rules or Rules())
    fresh.restore(gate.keep(HOUR), now_ms, HOUR + after_ms - now_ms)
    return fresh, now_ms


def test_who_is_blocked_stays_so_over_a_restart_for_the_rest_of_his_time() -> None:
    gate = Gate()
    blocked(gate, "203.0.113.5")
    guess(gate, "203.0.113.6", 100)
    fresh, now_ms = restored(gate, 20_000)
    wide, narrow = fresh.blocks.values()
    assert (wide.key, wide.kind, wide.wide, wide.until_ms - now_ms) == (
        "203.0.113.5", "guessing", True, limits.source_block_ms - 20_000,
    )  # fmt: skip
    assert list(narrow.bad) == [5060] and not narrow.wide and narrow.dropped == gate.blocks["203.0.113.6"].dropped
    heard = sum(fresh.admits(at("203.0.113.5", 9_000), REGISTER, now_ms) for _ in range(200))
    assert heard < 10 and not fresh.news
    assert fresh.admits(at("203.0.113.6", 5070), REGISTER, now_ms), "another port of his isn't held off"
    fresh.sweep(now_ms + limits.source_block_ms)
    assert [(each.began, each.source) for each in fresh.news] == [(False, "203.0.113.6")]
    assert list(fresh.blocks) == ["203.0.113.5"], "he went on, so it lasts"


def test_a_block_whose_time_ran_out_meanwhile_ends_and_is_told() -> None:
    gate = Gate()
    guess(gate, "203.0.113.5", 100)
    fresh, now_ms = restored(gate, 2 * limits.source_block_ms)
    fresh.sweep(now_ms)
    assert not fresh.blocks and [each.began for each in fresh.news] == [False]


def test_a_clock_that_was_set_back_blocks_nobody_for_longer() -> None:
    gate = Gate()
    guess(gate, "203.0.113.5", 100)
    fresh, now_ms = restored(gate, -9 * HOUR)
    assert fresh.blocks["203.0.113.5"].until_ms == now_ms + limits.source_block_ms
    assert fresh.blocks["203.0.113.5"].since_ms == now_ms


@pytest.mark.parametrize("host", ["203.0.113.5", "2001:db8::7"])
def test_a_good_phone_behind_a_blocked_address_isn_t_held_up_after_a_restart(host: str) -> None:
    gate = Gate()
    gate.judged(host, 6_000, "good", "201", 0)
    gate.judged(host, 6_001, "taken", "", 0)
    gate.judged("198.51.100.1", 6_000, "good", "202", 0)
    for number in range(300):
        gate.judged(host, 9_000 + number, "bad", f"{number}", 0)
    (kept,) = gate.keep(HOUR)
    assert [lane[:2] for lane in kept.proven + kept.taken] == [(host, 6_000), (host, 6_001)], "nobody else is kept"
    fresh, now_ms = restored(gate, 1_000)
    for port in (6_000, 6_001):
        assert all(fresh.admits(at(host, port), BYE, now_ms + number) for number in range(100))
    assert not all(fresh.admits(at(host, 9_000), BYE, now_ms + number) for number in range(100))


def test_whom_the_next_site_trusts_and_what_it_doesn_t_know_is_not_blocked() -> None:
    gate = Gate()
    guess(gate, "203.0.113.5", 100)
    guess(gate, "203.0.113.6", 100)
    gate.blocks["203.0.113.6"].kind = "of another engine"
    fresh, _ = restored(gate, 0, Rules(trusted=("203.0.113.5",)))
    assert not fresh.blocks


def test_marks_change_with_what_a_restart_must_know() -> None:
    gate = Gate()
    guess(gate, "203.0.113.5", 100)
    before = gate.marks()
    guess(gate, "203.0.113.5", 50, 200)
    assert gate.marks() == before, "what it drops alone is not worth a writing"
    gate.sweep(limits.source_block_ms + 100)
    assert gate.marks() != before
