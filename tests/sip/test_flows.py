"""Flows: addresses that far ends can reach, streams reused, opened, bounded and closed."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sip.events import CloseFlow, Connect, Path, Send
from engine.sip.flows import (
    WAITING_MESSAGES_MAX,
    Flows,
    Listener,
    address_number,
    is_private,
    networks_of,
)


def listening(host: str = "192.168.1.2") -> Flows:
    flows = Flows()
    networks = networks_of(("192.168.0.0/16", "fd00::/8"))
    flows.listen(Listener(1, "udp", host, 5060, "203.0.113.9", 15_060, networks))
    flows.listen(Listener(2, "tcp", host, 5061, "203.0.113.9", 15_061, networks))
    return flows


@pytest.mark.parametrize(
    ("far", "own"),
    [
        ("192.168.7.7", ("192.168.1.2", 5060)), ("198.51.100.1", ("203.0.113.9", 15_060)),
        ("fd00::1", ("192.168.1.2", 5060)), ("2001:db8::1", ("203.0.113.9", 15_060)),
        ("not.an.address", ("203.0.113.9", 15_060)),
    ],
)
def test_local_networks_see_our_own_address(far: str, own: tuple[str, int]) -> None:
    assert listening().own_address(Path(1, far, 5060)) == own


def test_a_wildcard_listener_always_advertises() -> None:
    assert listening("0.0.0.0").own_address(Path(1, "192.168.7.7", 5060)) == ("203.0.113.9", 15_060)


def test_a_stream_shows_the_listener_of_its_transport() -> None:
    flows = listening()
    assert flows.own_address(Path(1_000_007, "192.168.7.7", 40_000, "tcp")) == ("192.168.1.2", 5061)
    assert Flows().own_address(Path(1, "x", 1)) == ("127.0.0.1", 5060)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("10.1.2.3", True), ("172.31.0.1", True), ("172.32.0.1", False), ("192.168.0.1", True), ("100.64.1.1", True),
        ("127.0.0.1", True), ("169.254.1.1", True), ("224.0.0.1", True), ("255.255.255.255", True), ("0.0.0.0", True),
        ("8.8.8.8", False), ("::1", True), ("fe80::1", True), ("fd12::1", True), ("ff02::1", True),
        ("2001:db8::1", False), ("name", False),
    ],
)
def test_private_addresses(host: str, private: bool) -> None:
    assert is_private(host) is private


def test_reachable_means_public_or_local() -> None:
    flows = listening()
    path = Path(1, "198.51.100.1", 5060)
    assert flows.reachable("8.8.8.8", path) and flows.reachable("192.168.3.3", path)
    assert not flows.reachable("10.0.0.1", path) and not flows.reachable("a.name", path)


def test_udp_is_just_sent() -> None:
    flows = listening()
    path = Path(1, "8.8.8.8", 5060)
    assert flows.send(path, b"x") == path and flows.sends == [Send(path, b"x")]


def test_a_new_stream_waits_for_its_connection() -> None:
    flows = listening()
    path = flows.stream_to("tcp", "192.168.3.3", 5060)
    assert path is not None and flows.sends == [Connect(path.flow, "tcp", "192.168.3.3", 5060)]
    assert flows.stream_to("tcp", "192.168.3.3", 5060) == path, "one connection for all"
    flows.sends.clear()
    flows.send(path, b"1")
    flows.send(path, b"2")
    assert flows.sends == [] and flows.known_stream("192.168.3.3", 5060) is None
    flows.opened(path)
    assert flows.sends == [Send(path, b"1"), Send(path, b"2")]
    assert flows.known_stream("192.168.3.3", 5060) == path


def test_what_waits_is_bounded() -> None:
    flows = listening()
    path = flows.stream_to("tcp", "192.168.3.3", 5060)
    assert path is not None
    results = [flows.send(path, b"x") for _ in range(WAITING_MESSAGES_MAX + 1)]
    assert results[-1] is None and None not in results[:-1]


def test_a_gone_stream_is_replaced() -> None:
    flows = listening()
    old = Path(1_000_000, "192.168.3.3", 40_000, "tcp")
    flows.opened(old)
    assert flows.send(old, b"x") == old
    assert flows.closed(old.flow) is not None
    fresh = flows.send(old, b"y")
    assert fresh is not None and fresh.flow != old.flow and isinstance(flows.sends[-1], Connect)
    assert flows.closed(999) is None


def test_names_and_bad_ports_are_never_connected_to() -> None:
    flows = listening()
    assert flows.stream_to("tcp", "a.name", 5060) is None
    assert flows.stream_to("tcp", "192.168.3.3", 0) is None
    assert flows.send(Path(77, "a.name", 5060, "tcp"), b"x") is None and flows.sends == []


def test_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "flows_max", 2)
    flows = listening()
    for number in range(2):
        flows.opened(Path(1_000_000 + number, "192.168.3.3", 40_000 + number, "tcp"))
    flows.opened(Path(1_000_002, "192.168.3.3", 40_002, "tcp"))
    assert flows.sends == [CloseFlow(1_000_002, "limit flows_max")]
    assert flows.stream_to("tcp", "192.168.4.4", 5060) is None


def test_flow_ids_skip_those_in_use() -> None:
    flows = listening()
    first = flows.stream_to("tcp", "192.168.3.3", 5060)
    flows.next_flow = 1_000
    second = flows.stream_to("tcp", "192.168.3.4", 5060)
    assert first and second and first.flow != second.flow


def test_own_addresses_are_known() -> None:
    flows = listening()
    assert flows.is_own("203.0.113.9", 15_060) and flows.is_own("192.168.1.2", 5060)
    assert not flows.is_own("192.168.1.2", 5099)


def test_a_second_listen_replaces_the_first() -> None:
    flows = listening()
    flows.listen(Listener(1, "udp", "192.168.1.3", 5060, "203.0.113.9", 15_060, ()))
    assert [listener.host for listener in flows.listeners] == ["192.168.1.2", "192.168.1.3"]


def test_address_numbers() -> None:
    assert address_number("0.0.0.1") == (4, 1) and address_number("::2") == (6, 2)
    assert address_number("1.2.3") is None and address_number("") is None
    with pytest.raises(ValueError, match="not-a-net"):
        networks_of(("not-a-net",))


def test_a_stream_is_told_the_address_that_it_came_to() -> None:
    """Two addresses of one transport: who has reached us by the second can't reach the first."""
    flows = Flows()
    flows.listen(Listener(1, "tcp", "127.0.0.1", 5060, "127.0.0.1", 5060, ()))
    flows.listen(Listener(2, "tcp", "198.51.100.1", 5062, "198.51.100.1", 5062, ()))
    far = Path(1_000_001, "198.51.100.2", 40_000, "tcp")
    flows.opened(far, "198.51.100.1", 5062)
    assert flows.own_address(far) == ("198.51.100.1", 5062)
    ours = flows.stream_to("tcp", "203.0.113.9", 5060)
    assert ours is not None
    flows.opened(ours, "198.51.100.1", 33_333)  # an ephemeral port: the listener at the same address
    assert flows.own_address(ours) == ("198.51.100.1", 5062)
    unknown = Path(1_000_003, "198.51.100.3", 40_000, "tcp")
    flows.opened(unknown)
    assert flows.own_address(unknown) == ("127.0.0.1", 5060)


def test_tls_connections_serve_the_name_that_they_were_checked_for() -> None:
    flows = Flows()
    first = flows.stream_to("tls", "198.51.100.7", 5061, "a.test")
    assert first is not None and flows.stream_to("tls", "198.51.100.7", 5061, "a.test") == first
    second = flows.stream_to("tls", "198.51.100.7", 5061, "b.test")
    assert second is not None and second.flow != first.flow
    assert [each.name for each in flows.sends if isinstance(each, Connect)] == ["a.test", "b.test"]
    assert flows.stream_to("tls", "198.51.100.8", 5061) is None  # a phone: nobody could say whose certificate is right
    phone = Path(1_000_001, "198.51.100.9", 4_000, "tls")
    flows.opened(phone)
    assert flows.stream_to("tls", "198.51.100.9", 4_000) == phone
    flows.closed(phone.flow)
    assert flows.send(phone, b"x") is None
