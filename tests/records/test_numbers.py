"""One number in its spellings, and nobody else's."""

from __future__ import annotations

import pytest

from engine.records import numbers


@pytest.mark.parametrize("text", ["+441514960001", "00441514960001", "441514960001", "+44 1514 960-001",
                                  "sip:+441514960001@192.0.2.1;user=phone", "tel:+44(1514)960001"])
def test_spellings_of_one_number(text: str) -> None:
    assert numbers.canonical(text) == "441514960001"
    assert {"+441514960001", "00441514960001", "441514960001"} <= set(numbers.spellings(text))


def test_a_national_number_needs_its_country() -> None:
    assert numbers.canonical("01514960001") != numbers.canonical("+441514960001")
    assert numbers.canonical("01514960001", "44") == "441514960001"
    assert "01514960001" in numbers.spellings("+441514960001", "44")
    assert numbers.core("+441514960001", "44") == "1514960001" and numbers.core("+441514960001") == "441514960001"


@pytest.mark.parametrize("text", ["anonymous", "Anonymous", "", "zoë"])
def test_names_equal_themselves(text: str) -> None:
    assert numbers.canonical(text) == text.lower()
    assert numbers.caller_token("default", text) == 0


@pytest.mark.parametrize(("text", "found"), [
    ("+441514960001", True), ("call from 0044 1514 960001 today", True), ("main > 441514960001", True),
    ("4415149600012", False), ("9441514960001", False), ("number/441514960001", True), ("", False),
    ("1514960001", False), ("sip:441514960001@192.0.2.1", True), ("201 441514960001", True),
])
def test_a_number_within_a_text(text: str, found: bool) -> None:
    assert numbers.names(text, "+441514960001") is found


def test_names_within_a_text_are_whole() -> None:
    assert numbers.names("Anonymous", "anonymous") and not numbers.names("anonymous caller", "anonymous")
    assert numbers.names("01514960001", "+441514960001", "44") and not numbers.names("01514960001", "+441514960001")


def test_tokens_tell_callers_apart_and_tenants_too() -> None:
    token = numbers.caller_token("default", "+441514960001")
    assert 0 < token < 2**48 and token == numbers.caller_token("default", "00441514960001")
    assert token not in (numbers.caller_token("press", "+441514960001"), numbers.caller_token("default", "+4415149600"))


@pytest.mark.parametrize(("data", "found"), [
    (b"From: <sip:+441514960001@y>", True), (b"\xad+441514960001\xa0", True), (b"tel:00441514960001", True),
    (b"+4415149600012", False), (b"1441514960001", False), (b"01514960001", False),
])
def test_a_number_within_bytes(data: bytes, found: bool) -> None:
    assert bool(numbers.whole("+441514960001").search(data)) is found


def test_a_name_or_a_national_number_within_bytes() -> None:
    assert numbers.whole("+441514960001", "44").search(b"<sip:01514960001@y>")
    assert numbers.whole("Zebedee").search(b"From: <sip:zebedee@y>")
