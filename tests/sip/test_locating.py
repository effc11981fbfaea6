"""RFC 3263 and RFC 2782: what to ask the DNS, and in which order its answers are used."""

from __future__ import annotations

from collections import Counter

from engine.ids import Tokens
from engine.sip.locating import Naptr, Place, ordered, services, transports


def test_naptr_the_servers_wishes_first_and_only_what_we_speak() -> None:
    """RFC 3263 §4.1, its own example."""
    records = [
        Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com."),
        Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com."),
        Naptr(90, 50, "S", "sip+d2t", "_sip._tcp.example.com."),
        Naptr(90, 10, "u", "E2U+sip", "!^.*$!sip:x@y!"),
        Naptr(90, 20, "s", "SIP+D2U", "_sip._udp.near.example.com."),
    ]
    assert transports(records) == [
        ("_sips._tcp.example.com", "tls"), ("_sip._udp.near.example.com", "udp"), ("_sip._tcp.example.com", "tcp"),
        ("_sip._udp.example.com", "udp"),
    ]  # fmt: skip


def test_without_naptr_the_transport_that_is_said_or_udp_before_tcp() -> None:
    assert services("x.net", "tcp") == [("_sip._tcp.x.net", "tcp")]
    assert services("x.net", "tls") == [("_sips._tcp.x.net", "tls")]
    assert services("x.net", "") == [("_sip._udp.x.net", "udp"), ("_sip._tcp.x.net", "tcp")]


def test_priorities_in_order_and_weights_by_chance() -> None:
    tokens = Tokens(b"k" * 16)
    places = [
        Place("spare", 1, "udp", 20, 1), Place("big", 1, "udp", 10, 3), Place("small", 1, "udp", 10, 1),
        Place("never", 1, "udp", 10, 0),
    ]
    first: Counter[str] = Counter()
    for _ in range(2_000):
        order = ordered(places, tokens.number)
        assert sorted(each.host for each in order) == ["big", "never", "small", "spare"]
        assert order[-1].host == "spare"
        first[order[0].host] += 1
    assert 0.55 < first["big"] / 2_000 < 0.70 and 0.15 < first["small"] / 2_000 < 0.30
    assert first["never"] < first["small"]  # RFC 2782: a very small chance, not none


def test_one_place_takes_no_chance_and_equal_draws_give_equal_orders() -> None:
    def never(_: int) -> int:
        raise AssertionError("drawn for nothing")

    assert ordered([Place("a", 1, "udp")], never) == [Place("a", 1, "udp")] and ordered([], never) == []
    places = [Place(name, 1, "udp", 0, 5) for name in "abcdef"]
    orders = [ordered(places, Tokens(b"k" * 16).number) for _ in range(2)]
    assert orders[0] == orders[1]
