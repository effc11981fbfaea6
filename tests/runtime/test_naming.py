"""Trunks are found as RFC 3263 has it, against a DNS server on loopback; nothing raises and nothing waits for ever."""

from __future__ import annotations

import asyncio
import socket

import pytest

from engine import limits
from engine.call.effects import Resolved, ResolveWanted
from engine.runtime import naming
from engine.runtime.naming import Names, Naming, Search, servers_of
from engine.sip.locating import Place
from tests.runtime.dns_server import Zone
from tests.runtime.fakes import run, until

BOTH = (socket.AF_INET, socket.AF_INET6)
ZONE: dict[tuple[str, str], tuple[int, list[str]]] = {
    ("full.test", "NAPTR"): (300, [
        '20 10 "s" "SIP+D2U" "" _sip._udp.full.test.', '10 10 "s" "SIP+D2T" "" _sip._tcp.full.test.',
        '5 10 "s" "SIPS+D2T" "" _sips._tcp.full.test.', '1 1 "u" "E2U+sip" "!^.*$!sip:a@b!" .',
    ]),
    ("_sips._tcp.full.test", "SRV"): (250, ["0 0 5061 two.test."]),
    ("_sip._tcp.full.test", "SRV"): (200, ["10 3 5070 one.test.", "10 1 5071 two.test.", "20 0 5060 two.test."]),
    ("_sip._udp.full.test", "SRV"): (200, ["1 1 5080 one.test."]),
    ("one.test", "A"): (90, ["192.0.2.1"]),
    ("one.test", "AAAA"): (60, ["2001:db8::1"]),
    ("two.test", "A"): (120, ["192.0.2.2"]),
    ("_sip._udp.srv.test", "SRV"): (30, ["0 0 5062 one.test."]),
    ("_sip._tcp.srv.test", "SRV"): (30, ["0 0 5063 one.test."]),
    ("plain.test", "A"): (1, ["192.0.2.9", "192.0.2.8"]),
    ("_sip._udp.none.test", "SRV"): (60, ["0 0 0 ."]),
    ("none.test", "A"): (60, ["192.0.2.7"]),
}  # fmt: skip


def found(
    host: str, find: str, *, port: int = 5060, transport: str = "udp",
    families: tuple[socket.AddressFamily, ...] = BOTH, mute: bool = False,
) -> tuple[Resolved, list[tuple[str, str]]]:  # fmt: skip
    async def work() -> tuple[Resolved, list[tuple[str, str]]]:
        zone = Zone(ZONE)
        try:
            names = Names([await zone.start()])
            zone.mute = mute
            answer = await Search(names, families).find(ResolveWanted(7, host, port, transport, find))
            return answer, zone.asked
        finally:
            zone.close()

    return run(work())


def test_naptr_then_srv_then_both_families_with_the_shortest_life() -> None:
    answer, _ = found("full.test", "naptr")
    assert (answer.trunk, answer.host, answer.ttl_ms, answer.detail) == (7, "full.test", 60_000, "")
    rank = naming.RANK
    assert answer.places == (
        Place("192.0.2.2", 5061, "tls"),
        Place("192.0.2.1", 5070, "tcp", rank + 10, 3), Place("2001:db8::1", 5070, "tcp", rank + 10, 3),
        Place("192.0.2.2", 5071, "tcp", rank + 10, 1), Place("192.0.2.2", 5060, "tcp", rank + 20, 0),
        Place("192.0.2.1", 5080, "udp", 2 * rank + 1, 1), Place("2001:db8::1", 5080, "udp", 2 * rank + 1, 1),
    )  # fmt: skip


def test_addresses_that_we_could_not_reach_are_left_out() -> None:
    answer, asked = found("srv.test", "naptr", families=(socket.AF_INET,))
    assert [(each.host, each.port, each.transport) for each in answer.places] == [
        ("192.0.2.1", 5062, "udp"), ("192.0.2.1", 5063, "tcp"),
    ]  # fmt: skip
    assert not any(kind == "AAAA" for _, kind in asked)


def test_a_transport_that_is_said_asks_for_its_service_only() -> None:
    answer, asked = found("srv.test", "srv", transport="tcp")
    assert {each.transport for each in answer.places} == {"tcp"}
    assert ("_sip._udp.srv.test", "SRV") not in asked and not any(kind == "NAPTR" for _, kind in asked)


def test_a_port_that_is_said_asks_for_addresses_only() -> None:
    answer, asked = found("plain.test", "host", port=5099)
    assert sorted(each.host for each in answer.places) == ["192.0.2.8", "192.0.2.9"]
    assert {each.port for each in answer.places} == {5099} and answer.ttl_ms == 1_000
    assert {kind for _, kind in asked} == {"A", "AAAA"}


def test_without_records_of_services_its_addresses_are_taken() -> None:
    answer, _ = found("plain.test", "naptr")
    assert {(each.port, each.transport) for each in answer.places} == {(5_060, "udp")} and len(answer.places) == 2


def test_a_service_that_is_decidedly_not_there_is_no_way() -> None:
    """RFC 2782: a target of "." says so; what is left is the name's own address."""
    answer, _ = found("none.test", "naptr")
    assert answer.places == (Place("192.0.2.7", 5_060, "udp"),)


def test_a_name_of_etc_hosts_is_found_too() -> None:
    answer, _ = found("localhost", "naptr", families=(socket.AF_INET,))
    assert answer.places == (Place("127.0.0.1", 5_060, "udp"),) and answer.ttl_ms == naming.system_kept_ms


@pytest.mark.parametrize("host", ["nowhere.test", "a..b", "x" * 64 + ".test", "\u2603.test"])
def test_what_leads_nowhere_says_so(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_system(monkeypatch)
    answer, _ = found(host, "naptr")
    assert answer.places == () and host in answer.detail


def without_system(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(self: Search, host: str) -> list[str]:
        return []

    monkeypatch.setattr(Search, "_by_system", nobody)


def test_a_dns_that_does_not_answer_is_told_apart_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    without_system(monkeypatch)
    monkeypatch.setattr(naming, "answer_s_max", 0.1)
    monkeypatch.setattr(naming, "find_s_max", 0.5)
    answer, _ = found("full.test", "naptr", mute=True)
    assert answer.places == () and answer.detail.startswith("the DNS doesn't answer for full.test")


def test_a_server_with_more_addresses_than_are_kept_loses_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "trunk_hops_max", 2)
    answer, _ = found("full.test", "naptr")
    assert [each.port for each in answer.places] == [5061, 5070]


def test_the_servers_look_ups_run_beside_everything_and_the_newest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        zone = Zone(ZONE)
        host, port = await zone.start()
        monkeypatch.setenv(naming.SERVERS, f"{host}:{port}")
        heard: list[Resolved] = []
        own = Naming(heard.append, lambda: ["127.0.0.1"])
        zone.mute = True
        own.wanted(ResolveWanted(1, "plain.test", 5060, "udp", "host"))
        await until(lambda: bool(zone.asked))
        zone.mute = False
        own.wanted(ResolveWanted(1, "one.test", 5060, "udp", "host"))
        own.wanted(ResolveWanted(2, "two.test", 5060, "udp", "host"))
        await until(lambda: len(heard) == 2)
        assert sorted((each.trunk, each.places[0].host) for each in heard) == [(1, "192.0.2.1"), (2, "192.0.2.2")]
        own.wanted(ResolveWanted(3, "plain.test", 5060, "udp", "host"))
        own.close()
        await asyncio.sleep(0.05)
        assert len(heard) == 2
        zone.close()

    run(work())


def test_servers_in_words() -> None:
    assert servers_of("127.0.0.1:5353, [::1]:54 10.0.0.53 fd00::53 x:99999") == [
        ("127.0.0.1", 5353), ("::1", 54), ("10.0.0.53", 53), ("fd00::53", 53),
    ]  # fmt: skip
