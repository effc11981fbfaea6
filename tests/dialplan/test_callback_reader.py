"""`callback:` of a queue: what it may hold, and whom it lets be called."""

from __future__ import annotations

import pytest

from engine.dialplan.callback_reader import allowed
from engine.dialplan.model import CallbackModel
from tests.dialplan.site import BASE, STOCK, codes_of, lines, read_site

FLOW = lines("ringdown: 1", "flows:", "  main:", "    - answer", "    - hangup: served")


def model(*rows: str) -> CallbackModel:
    text = lines("support:", "  skills: [power]", "  keep_place: 2min", "  callback:", *(f"    {row}" for row in rows))
    site, findings = read_site({**BASE, "queues.yaml": text.encode()}, STOCK)
    assert site is not None and not findings, findings
    found = site.queues["default/support"].callback
    assert found is not None and site.queues["default/support"].keep_place_ms == 120_000
    return found


def test_everything_has_a_default_but_whom_to_call() -> None:
    assert model("allow: ['+49', '0']") == CallbackModel(("+49", "0"))
    full = model(
        "allow: '+49'", "deny: ['+49900', '+49137']", "typed_numbers: yes", "mode: customer-first", "open: 7",
        "attempts: 5", "retry: 5min", "ring: 40s", "lead: 15s", "promise: 2h", "max_age: 3d", "confirm: no",
        "hold: 90s",
    )  # fmt: skip
    assert full == CallbackModel(
        ("+49",), ("+49900", "+49137"), True, "customer-first", 7, 5, 300_000, 40_000, 15_000, 7_200_000,
        3 * 86_400_000, False, 90_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "hours", "age_h"),
    [("08:00-20:00", (480, 1_200), 20), ("22:00-06:00", (1_320, 1_800), 24), ("00:00-24:00", (0, 1_440), 8)],
)
def test_a_window_of_the_day_lengthens_the_age_by_the_time_outside(
    written: str, hours: tuple[int, int], age_h: int
) -> None:
    found = model("allow: ['0']", f"window: {written}")
    assert (found.window, found.age_ms) == ((hours,), age_h * 3_600_000)
    assert model("allow: ['0']", f"window: {written}", "max_age: 1h").age_ms == 3_600_000


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("attempts: 3", "RD022"), ("allow: ['+49', 'x']", "RD082"), ("allow: ['']", "RD082"), ("mode: first", "RD024"),
        ("retry: 1s", "RD024"), ("attempts: 99", "RD024"), ("windows: 3", "RD021"), ("window: 3", "RD121"),
        ("window: 08:00-08:00", "RD121"), ("window: 8-20", "RD121"), ("window: 08:00-25:00", "RD121"),
    ],
)
def test_what_is_wrong_is_said(row: str, code: str) -> None:
    rows = [row] if row.startswith("allow") or row == "attempts: 3" else ["allow: ['0']", row]
    queues = lines("support:", "  skills: [power]", "  callback:", *(f"    {each}" for each in rows))
    assert code in [found for found, _ in codes_of(FLOW, queues=queues)]


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("0301234", True), ("+49301234", True), ("+49900123", False), ("+4990012399", True), ("00441", False),
        ("12", False), ("03", False), ("0301;x", False), ("0301@host", False), ("0" * 21, False), ("", False),
        ("+", False), ("٠٣٠١٢٣", False),
    ],
)
def test_the_longest_prefix_decides_and_only_plain_numbers_are_called(number: str, may: bool) -> None:
    rules = CallbackModel(("0", "+49", "+4990012399"), ("00", "+49900"))
    assert allowed(rules, number) is may


def test_without_a_word_nobody_is_called_and_of_two_alike_the_denial_counts() -> None:
    assert not allowed(CallbackModel(), "0301234")
    assert not allowed(CallbackModel(("0",), ("0",)), "0301234")
