"""A carrier that is only a domain: dnsmasq has its NAPTR and SRV records, two SIPps are its servers (RFC 3263)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.children import Child, until
from harness.desks import desk
from harness.phone import Phone
from harness.ports import free_port
from harness.server import DEMO, Engine
from harness.sipp import Sipp

TTL_S = 10


class Dns:
    """dnsmasq at 127.0.0.1:`port` with these records and no others. Use as a context manager."""

    def __init__(self, folder: Path, records: list[str]) -> None:
        self.port, self.folder, self.records = free_port(), folder, records
        self.child: Child | None = None

    def __enter__(self) -> Dns:
        program = shutil.which("dnsmasq") or "/usr/sbin/dnsmasq"
        command = [
            program, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-daemon",
            f"--port={self.port}", "--listen-address=127.0.0.1", "--bind-interfaces", f"--local-ttl={TTL_S}",
            "--local=/test/", "--log-queries", "--log-facility=-", "--user=", f"--pid-file={self.folder / 'pid'}",
            *self.records,
        ]  # fmt: skip
        self.child = Child(command, self.folder / "dnsmasq.txt", cwd=self.folder)
        self.child.wait_for(r"started, version", 10)
        return self

    def __exit__(self, *_: object) -> None:
        if self.child is not None:
            self.child.stop()

    def asked(self, kind: str, name: str) -> int:
        """How often the engine has asked for this."""
        assert self.child is not None
        return self.child.output().count(f"query[{kind}] {name} ")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Dns, int, int]]:
    """(engine, its DNS, the ports of the carrier's first and second server)."""
    folder = tmp_path_factory.mktemp("names")
    first, second = free_port(pairs=True), free_port(pairs=True)
    records = [
        "--naptr-record=carrier.test,10,10,s,SIP+D2U,,_sip._udp.carrier.test",
        f"--srv-host=_sip._udp.carrier.test,one.carrier.test,{first},10,5",
        f"--srv-host=_sip._udp.carrier.test,two.carrier.test,{second},20,5",
        "--host-record=one.carrier.test,127.0.0.1", "--host-record=two.carrier.test,127.0.0.1",
    ]  # fmt: skip
    site = folder / "site"
    shutil.copytree(DEMO, site)
    (site / "trunks.yaml").write_text("carrier: {host: carrier.test, addresses: [127.0.0.99]}\n")
    (site / "outbound.yaml").write_text("0x.: {trunk: carrier, strip: 1}\n")
    patch = pytest.MonkeyPatch()
    with Dns(folder, records) as dns:
        patch.setenv("RINGDOWN_DNS", f"127.0.0.1:{dns.port}")
        with Engine(site) as engine:
            yield engine, dns, first, second
    patch.undo()


def rung(agent: Phone) -> float:
    """An agent's call to the outside and its end: seconds until it rang."""
    dialog = agent.place("0555")
    began = time.monotonic()
    dialog.expect(180, within=8)
    took = time.monotonic() - began
    dialog.expect(200)
    dialog.ack()
    dialog.bye()
    return took


def test_the_first_server_then_the_second_when_it_does_not_answer(
    named: tuple[Engine, Dns, int, int], tmp_path: Path
) -> None:  # fmt: skip
    engine, dns, first, second = named

    def addresses() -> list[str]:
        (row,) = [row for row in engine.ask("trunks") if row["trunk"] == "carrier"]
        return [each["address"] for each in row["addresses"]]

    until(lambda: addresses() == [f"udp:127.0.0.1:{first}", f"udp:127.0.0.1:{second}"], 5, what="the carrier found")
    assert dns.asked("NAPTR", "carrier.test") and dns.asked("SRV", "_sip._udp.carrier.test")
    with desk(engine, "200", ready=False) as agent, Sipp(tmp_path, "uas_answer.xml", port=second, seconds=30) as two:
        with Sipp(tmp_path, "uas_answer.xml", port=first, seconds=30) as one:
            time.sleep(0.3)
            assert rung(agent) < 1
            one.wait(8).check()
        moved = rung(agent)  # nobody is at its port any more
        two.wait(8).check()
    print(f"the second server of the carrier rang after {moved * 1000:.0f} ms")
    assert moved < 4
    (event,) = [each["data"] for each in engine.events() if each["kind"] == "dial.moved"]
    assert (event["trunk"], event["to"]) == ("carrier", "carrier")


def test_answers_are_kept_as_long_as_the_dns_says(named: tuple[Engine, Dns, int, int]) -> None:
    _, dns, _, _ = named
    asked = dns.asked("SRV", "_sip._udp.carrier.test")
    until(lambda: dns.asked("SRV", "_sip._udp.carrier.test") > asked, TTL_S + 4, what="asked again after its time")
    assert dns.asked("SRV", "_sip._udp.carrier.test") == asked + 1
