"""A carrier's domain that asks for TLS: dnsmasq has NAPTR (SIPS+D2T) and SRV records, Kamailio is the server behind
them, and its certificate must be for the domain that the site names (RFC 3263 §4.1, RFC 5922 §7.2)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from harness.children import until
from harness.desks import desk
from harness.kamailio import Kamailio
from harness.ports import free_port
from harness.server import DEMO, Engine
from harness.sipp import Sipp
from test_names import Dns
from test_tls import PASSWORD, certify, registration

from tests.runtime.authority import Authority

TRUNKS = {
    "wished": "host: wished.test",  # the domain itself prefers TLS
    "demanded": "host: demanded.test, transport: tls",
    "forged": "host: forged.test, transport: tls",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Dns, Kamailio]]:
    folder = tmp_path_factory.mktemp("secure")
    site = folder / "site"
    shutil.copytree(DEMO, site)
    authority = Authority(folder / "authority")
    certify(authority, site)
    (site / "tls" / "ca.pem").write_bytes(authority.file.read_bytes())
    with (site / "site.yaml").open("a") as file:
        file.write("tls: {certificate: tls/sip.pem, key: tls/sip.key, trusted: tls/ca.pem}\n")
    (site / "trunks.yaml").write_text("".join(
        f"{name}: {{{where}, user: '4412', addresses: [127.0.0.{90 + place}],"
        " register: {domain: carrier.test, expires: 1min}}\n"
        for place, (name, where) in enumerate(TRUNKS.items())
    ))  # fmt: skip
    (site / "outbound.yaml").write_text("0x.: {trunk: wished, strip: 1}\n5x.: {trunk: demanded, strip: 1}\n")
    patch = pytest.MonkeyPatch()
    for name in TRUNKS:
        patch.setenv(f"RINGDOWN_TRUNK_{name.upper()}", PASSWORD)
    with (
        Sipp(folder, "uas_answer.xml", calls=2, seconds=60) as far,
        Kamailio(
            folder, far.port, PASSWORD, tls=authority.issue("carrier", "wished.test", "demanded.test")
        ) as proxy,
        Dns(folder, records(proxy)) as dns,
    ):
        patch.setenv("RINGDOWN_DNS", f"127.0.0.1:{dns.port}")
        with Engine(site, arguments=(f"--listen=tls:127.0.0.1:{free_port()}",)) as engine:
            yield engine, dns, proxy
            far.wait(8).check(2)
    patch.undo()


def records(proxy: Kamailio) -> list[str]:
    """UDP is there, too, where the domain wishes for TLS: as the second choice."""
    return [
        "--naptr-record=wished.test,10,10,s,SIPS+D2T,,_sips._tcp.wished.test",
        "--naptr-record=wished.test,20,10,s,SIP+D2U,,_sip._udp.wished.test",
        f"--srv-host=_sip._udp.wished.test,edge.carrier.test,{proxy.port},10,5",
        *(f"--srv-host=_sips._tcp.{name}.test,edge.carrier.test,{proxy.tls_port},10,5" for name in TRUNKS),
        "--host-record=edge.carrier.test,127.0.0.1",
    ]


def test_the_domain_leads_to_tls_and_its_certificate_is_asked_for(named: tuple[Engine, Dns, Kamailio]) -> None:
    """Registered and called by TLS alone, by the domain's wish and by ours; a server that isn't the domain's is told
    nothing."""
    engine, dns, proxy = named
    for name in ("wished", "demanded"):
        until(lambda name=name: registration(engine, name) == "registered", 8, what=f"{name} registered")
    assert dns.asked("NAPTR", "wished.test") and dns.asked("SRV", "_sips._tcp.demanded.test")
    assert not dns.asked("NAPTR", "demanded.test") and not dns.asked("SRV", "_sip._udp.demanded.test")
    with desk(engine, "200", ready=False) as agent:
        for number in ("0555001", "5555002"):
            dialog = agent.place(number)
            dialog.expect(180, within=8)
            dialog.expect(200)
            dialog.ack()
            dialog.bye()
    trunks = {row["trunk"]: [each["address"] for each in row["addresses"]] for row in engine.ask("trunks")}
    assert trunks["wished"][0] == trunks["demanded"][0] == f"tls:127.0.0.1:{proxy.tls_port}", trunks
    hops = engine.ask("ladder", since_ms="1")["hops"]
    sent = [hop for hop in hops if hop["far_end"].endswith((f":{proxy.tls_port}", f":{proxy.port}"))]
    assert {hop["transport"] for hop in sent} == {"tls"}
    assert any(hop["text"].startswith("INVITE") for hop in sent), [hop["text"][:40] for hop in sent]
    assert registration(engine, "forged") != "registered"
    assert "not for forged.test" in engine.output()
