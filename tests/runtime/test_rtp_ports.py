"""Ports bound ahead: foreign ones are passed over, strays are emptied, a freed port rests."""

from __future__ import annotations

import socket

import pytest

from engine.runtime.rtp_ports import BATCH, LOW, Ports, bind, reports_of

HOST = "127.0.0.1"


def test_ports_come_bound_even_and_in_turn_and_another_programs_is_passed_over() -> None:
    other = bind(HOST, 0)
    foreign = other.getsockname()[1] & ~1
    other.close()
    other = bind(HOST, foreign)
    ports = Ports(HOST, first=foreign, last=foreign + 6)
    try:
        prepared = ports.prepare()
        assert foreign not in prepared and list(prepared) == sorted(prepared) and all(p % 2 == 0 for p in prepared)
        for port in prepared:
            with pytest.raises(OSError):
                bind(HOST, port)
    finally:
        ports.close()
        other.close()


def test_strays_that_came_before_the_call_are_gone() -> None:
    ports = Ports(HOST, first=31_000, last=31_020)
    try:
        port = ports.prepare()[0]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(5):
                stranger.sendto(b"stray", (HOST, port))
        sock = ports.take(port)
        assert sock is not None
        with sock, pytest.raises(BlockingIOError):
            sock.recv(100)
        assert ports.take(port) is None
    finally:
        ports.close()


def test_a_freed_port_rests_before_it_is_bound_again() -> None:
    ports = Ports(HOST, first=31_100, last=31_100, rest_s=60)
    eager = Ports(HOST, first=31_102, last=31_102, rest_s=0)
    try:
        for each in (ports, eager):
            sock = each.take(each.prepare()[0])
            assert sock is not None
            sock.close()
            each.give_back(each.first)
        assert ports.prepare() == () and eager.prepare() == (31_102,)
    finally:
        ports.close()
        eager.close()


def test_a_batch_lasts_until_it_runs_low() -> None:
    ports = Ports(HOST, first=31_200, last=31_900)
    try:
        assert ports.low() and len(ports.prepare()) == BATCH and not ports.low()
        for port in list(range(31_200, 31_200 + 2 * (BATCH - LOW) + 2, 2)):
            sock = ports.take(port)
            if sock is not None:
                sock.close()
        assert ports.low()
    finally:
        ports.close()


def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(OSError):
        Ports("192.0.2.77").prepare()


def test_a_spare_port_passes_over_those_of_others_and_the_ones_that_are_ready() -> None:
    other = bind(HOST, 31_102)
    ports = Ports(HOST, first=31_100, last=31_106)
    try:
        assert ports.prepare(1) == (31_100,)
        found = [ports.spare(), ports.spare()]
        assert [each[0] for each in found if each is not None] == [31_104, 31_106]
        assert ports.spare() is None and ports.take(31_100) is not None
        for each in found:
            assert each is not None and each[1].getsockname() == (HOST, each[0])
            each[1].close()
        with pytest.raises(OSError):
            Ports("192.0.2.1", first=31_100, last=31_106).spare()  # not our address
    finally:
        ports.close()
        other.close()


def test_reports_have_the_port_above_and_a_call_goes_on_without() -> None:
    first = bind(HOST, 0)
    port = first.getsockname()[1]
    below = reports_of(HOST, port - 1)
    assert below is None, "somebody holds it"
    assert reports_of(HOST, 65_535) is None
    first.close()
    found = reports_of(HOST, port - 1)
    assert found is not None and found.getsockname() == (HOST, port)
    found.close()
