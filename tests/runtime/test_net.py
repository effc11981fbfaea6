"""Addresses as operators write them, and sockets that say why they can't be opened."""

from __future__ import annotations

import socket

import pytest

from engine.errors import UsageError
from engine.runtime import net


@pytest.mark.parametrize(("text", "expected"), [
    ("udp:127.0.0.1:5060", ("udp", "127.0.0.1", 5060)), ("tcp:0.0.0.0:0", ("tcp", "0.0.0.0", 0)),
    ("udp:[::1]:5062", ("udp", "::1", 5062)),
])
def test_listen_addresses(text: str, expected: tuple[str, str, int]) -> None:
    assert net.parse_listen(text) == expected


@pytest.mark.parametrize("text", ["", "udp", "127.0.0.1:5060", "udp:127.0.0.1", "sctp:127.0.0.1:5060", "udp::5060",
                                  "udp:127.0.0.1:70000", "udp:example.com:5060", "udp:127.0.0.1:-1"])
def test_wrong_listen_addresses_say_how(text: str) -> None:
    with pytest.raises(UsageError, match="udp:"):
        net.parse_listen(text)


@pytest.mark.parametrize(("text", "expected"), [
    ("", (16_384, 32_766)), ("20000-20998", (20_000, 20_998)), ("20001-20999", (20_002, 20_999)),
])
def test_rtp_ports(text: str, expected: tuple[int, int]) -> None:
    assert net.parse_rtp_ports(text) == expected


@pytest.mark.parametrize("text", ["x", "20000", "20000-", "-", "20000-20010", "100-9000", "60000-70000", "30000-20000"])
def test_wrong_rtp_ports_say_how(text: str) -> None:
    with pytest.raises(UsageError, match=r"20000-20998|1024 to 65535"):
        net.parse_rtp_ports(text)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_taken_port_is_named_with_its_remedy(transport: str) -> None:
    opener = (lambda port: net.open_udp("127.0.0.1", port)[0]) if transport == "udp" else (
        lambda port: net.open_tcp("127.0.0.1", port))
    first = opener(0)
    if transport == "tcp":
        first.listen()
    try:
        with pytest.raises(UsageError, match=r"in use.*--listen"):
            opener(first.getsockname()[1])
    finally:
        first.close()


def test_an_address_of_another_machine() -> None:
    with pytest.raises(UsageError, match=r"no address 192\.0\.2\.77"):
        net.open_udp("192.0.2.77", 5060)


def test_the_receive_buffer_and_its_warning() -> None:
    sock, granted = net.open_udp("127.0.0.1", 0)
    sock.close()
    assert granted > 0
    assert net.buffer_warning(net.receive_buffer_bytes) == ""
    assert "sysctl -w net.core.rmem_max=" in net.buffer_warning(212_992)


def test_numeric_hosts() -> None:
    assert net.is_numeric("10.0.0.1") and net.is_numeric("::1")
    assert not net.is_numeric("localhost") and not net.is_numeric("") and not net.is_numeric("1.2.3")
    assert net.family("::1") == socket.AF_INET6 and net.family("1.2.3.4") == socket.AF_INET
    assert net.show("::1", 5060) == "[::1]:5060" and net.show("1.2.3.4", 5) == "1.2.3.4:5"


def test_what_far_ends_are_told_and_why() -> None:
    assert net.advertised("10.0.0.5", "") == ("10.0.0.5", "the listening address itself")
    assert net.advertised("0.0.0.0", "203.0.113.9") == ("203.0.113.9", "site.yaml says advertise")
    told, why = net.advertised("0.0.0.0", "")
    assert net.is_numeric(told) and "every address" in why


def test_private_addresses_leave_out_bridges_and_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [("eth0", "192.168.1.9"), ("docker0", "172.17.0.1"), ("eth1", "8.8.8.8"), ("wlan0", "100.64.3.4")]
    monkeypatch.setattr(net, "own_addresses", lambda: found)
    assert net.private_addresses() == [("eth0", "192.168.1.9"), ("wlan0", "100.64.3.4")]


def test_own_addresses_are_literal() -> None:
    assert all(net.is_numeric(address) for _, address in net.own_addresses())


def test_limits_of_the_machine() -> None:
    soft, hard = net.raise_file_limit()
    assert soft == hard
    low, high = net.ephemeral_range()
    assert 0 < low < high < 65_536


# --- marks --------------------------------------------------------------------------------------------------
def tos_of(sender: socket.socket) -> int:
    """The TOS byte of a datagram as its receiver sees it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        receiver.settimeout(2)
        receiver.bind(("127.0.0.1", 0))
        sender.sendto(b"x", receiver.getsockname())
        _, ancillary, _, _ = receiver.recvmsg(10, 100)
    return next(data[0] for _, kind, data in ancillary if kind == socket.IP_TOS)


def test_sip_leaves_as_cs3_and_rtp_as_ef() -> None:
    from engine.runtime import rtp_ports

    sip, _ = net.open_udp("127.0.0.1", 0)
    rtp = rtp_ports.bind("127.0.0.1", 0)
    with sip, rtp:
        assert tos_of(sip) == 0x60, "DSCP 24, CS3"
        assert tos_of(rtp) == 0xB8, "DSCP 46, EF"


def test_accepted_connections_carry_the_mark() -> None:
    with net.open_tcp("127.0.0.1", 0) as listener:
        listener.listen()
        listener.setblocking(True)
        with socket.create_connection(listener.getsockname()) as _, listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == net.SIGNALLING_TOS


def test_ipv6_is_marked_too() -> None:
    if not socket.has_ipv6:
        return
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        net.mark(sock, net.AUDIO_TOS)
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 0xB8
