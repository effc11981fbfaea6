"""Lookups as data: the request made of a caller's values, the answer typed, and no value in any complaint."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.dialplan.lookups import (
    LookupField,
    LookupModel,
    LookupProblem,
    Request,
    answered,
    declared,
    faked,
    names,
    request,
)
from engine.dialplan.types import Declaration, Type

URL = (("text", "https://crm.example/accounts/"), ("value", "account"))
FIELDS = (
    LookupField("customer.tier", ("tier",), "choice standard vip", default="standard"),
    LookupField("customer.visits", ("stats", "visits"), "number"),
    LookupField("customer.code", ("code",), "digits 4..6", sensitive=True, default="0000"),
    LookupField("flags.vip", ("vip",), "flag", default="no"),
    LookupField("customer.name", ("name",), "text", default="''"),
)
MODEL = LookupModel("default", "customer", "GET", URL, fields=FIELDS)


def test_a_get_puts_values_into_the_address_and_nothing_else_of_it() -> None:
    model = msgspec.structs.replace(MODEL, send={"lang": (("value", "call.language"),), "x": (("text", "a&b"),)})
    assert names(model) == ["account", "call.language"]
    made = request(model, {"account": "00/../1?x=#ä", "call.language": "en"})
    assert made.url == "https://crm.example/accounts/00%2F..%2F1%3Fx%3D%23%C3%A4?lang=en&x=a%26b"
    assert made == Request("GET", made.url, b"")


def test_a_query_that_is_there_is_gone_on_with() -> None:
    model = msgspec.structs.replace(
        MODEL, url=(("text", "http://a/?v=1&n="), ("value", "account")), send={"k": (("value", "on"),)}
    )
    assert request(model, {"account": 7, "on": True}).url == "http://a/?v=1&n=7&k=yes"


def test_a_post_sends_json_with_types() -> None:
    send = {
        "n": (("value", "n"),), "on": (("value", "on"),), "id": (("value", "id"),),
        "words": (("text", "number "), ("value", "n"), ("text", "!")), "fixed": (("text", "x"),),
    }  # fmt: skip
    model = LookupModel("default", "check", "POST", (("text", "https://a/b"),), send)
    made = request(model, {"n": 7, "on": False, "id": "0042"})
    assert json.loads(made.body) == {"n": 7, "on": False, "id": "0042", "words": "number 7!", "fixed": "x"}
    assert made.url == "https://a/b" and made.method == "POST"


@pytest.mark.parametrize("value", ["", ".", "..", "..."])
def test_a_value_cannot_climb_in_an_address(value: str) -> None:
    with pytest.raises(LookupProblem, match=r"can't stand in an address"):
        request(MODEL, {"account": value})


def test_a_value_that_is_not_there_is_said() -> None:
    with pytest.raises(LookupProblem, match=r"\$account is not set"):
        request(MODEL, {})


def told(tree: object) -> dict[str, Any]:
    return dict(answered(MODEL, json.dumps(tree).encode()))


def test_an_answer_is_typed_and_completed_by_defaults() -> None:
    assert told({"stats": {"visits": 3}, "tier": None, "unknown": [1]}) == {
        "customer.tier": "standard", "customer.visits": 3, "customer.code": "0000", "flags.vip": False,
        "customer.name": "",
    }  # fmt: skip
    full = {"stats": {"visits": "12"}, "tier": "vip", "code": "123456", "vip": True, "name": "李 'x'"}
    assert told(full) == {
        "customer.tier": "vip", "customer.visits": 12, "customer.code": "123456", "flags.vip": True,
        "customer.name": "李 'x'",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({}, "no customer.visits, which has no default"),
        ({"stats": 7}, "no customer.visits"),
        ({"stats": {"visits": True}}, "customer.visits is a JSON true or false that is no number"),
        ({"stats": {"visits": 1.5}}, "customer.visits is a JSON number"),
        ({"stats": {"visits": [71]}}, "customer.visits is a JSON list"),
        ({"stats": {"visits": {"a": 71}}}, "customer.visits is a JSON object"),
        ({"stats": {"visits": "seventy-one"}}, "customer.visits is a JSON text that is no number"),
        ({"stats": {"visits": 1}, "tier": "gold-71"}, "customer.tier is a JSON text that is no choice standard vip"),
        ({"stats": {"visits": 1}, "code": "71"}, "customer.code is a JSON text that is no digits 4..6"),
        ({"stats": {"visits": 1}, "vip": 71}, "flags.vip is a JSON number that is no flag"),
        ({"stats": {"visits": 1}, "name": "x" * 1_001}, "customer.name is a JSON text"),
        ({"stats": {"visits": 1}, "name": "a\nb"}, "customer.name is a JSON text"),
        ([71], "a JSON list, not an object"),
        (71, "a JSON number, not an object"),
        (None, "a JSON null, not an object"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_told_without_its_value(tree: object, words: str) -> None:
    with pytest.raises(LookupProblem, match=words) as caught:
        told(tree)
    assert "71" not in str(caught.value) and "seventy" not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 20_000])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(LookupProblem, match=r"not JSON"):
        answered(MODEL, body)


def test_an_answer_that_is_too_long_is_not_read() -> None:
    with pytest.raises(LookupProblem, match=r"longer than"):
        answered(MODEL, b" " * (limits.lookup_bytes_max + 1))


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["tier", "stats", "visits", "code", "vip", "name"]) | st.text(max_size=5), inner, max_size=4),
).map(lambda tree: json.dumps(tree).encode()))
def test_whatever_a_server_says_it_is_typed_or_refused(body: bytes) -> None:
    try:
        found = answered(MODEL, body)
    except LookupProblem:
        return
    assert set(found) == {field.name for field in FIELDS}
    assert isinstance(found["customer.visits"], int) and found["customer.tier"] in ("standard", "vip")


def test_a_test_gives_values_by_short_or_whole_name() -> None:
    assert faked(MODEL, {"visits": 4, "flags.vip": True})["flags.vip"] is True
    assert faked(MODEL, {"visits": "4"})["customer.visits"] == 4
    with pytest.raises(LookupProblem, match=r"returns no 'visit'; it returns customer.tier"):
        faked(MODEL, {"visit": 4})
    with pytest.raises(LookupProblem, match=r"no customer.visits"):
        faked(MODEL, {})


def test_a_model_travels() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(MODEL), type=LookupModel) == MODEL
    assert MODEL.key == "default/customer" and declared(FIELDS[2]) == Declaration(Type("digits", 4, 6), True, "0000")


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("money EUR", "12.50 EUR", 1_250), ("money EUR", 12.5, 1_250), ("money EUR", -3, -300),
        ("money EUR", "12.50 USD", None),
        ("money EUR", 1e300, None), ("money EUR", 12.345, None), ("date", "2026-04-01", "2026-04-01"),
        ("date", "01.04.2026", None), ("time", "08:00", "08:00"), ("duration", "90s", 90_000), ("duration", 90, None),
        ("phone", "+442071234567", "+442071234567"), ("phone", "call me", None), ("digits 3", 123, "123"),
    ],
)  # fmt: skip
def test_every_type_comes_back_as_a_file_would_write_it(kind: str, given: object, value: object) -> None:
    model = LookupModel("default", "a", "GET", (("text", "https://a"),), fields=(LookupField("a.x", ("x",), kind),))
    body = json.dumps({"x": given}).encode()
    if value is None:
        with pytest.raises(LookupProblem, match=r"a\.x is a JSON"):
            answered(model, body)
    else:
        assert answered(model, body) == {"a.x": value}
