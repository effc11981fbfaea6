"""Phones and trunks over TLS, with audio: baresip and OpenSSL are the far ends, an authority of ours signs."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.desks import desk
from harness.kamailio import Kamailio
from harness.ports import free_port
from harness.rtp import Ear
from harness.server import DEMO, Engine
from harness.sipp import Sipp

from tests.runtime.authority import Authority

TONE = listening.tone((400.0,), 30, level=6_000)
OTHER = listening.tone((700.0,), 30, level=6_000)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, int, Authority]]:
    """The demo site with TLS: (engine, its TLS port, the authority whose certificate it shows)."""
    folder = tmp_path_factory.mktemp("tls")
    site, port = folder / "site", free_port()
    shutil.copytree(DEMO, site)
    authority = Authority(folder / "authority")
    certify(authority, site)
    text = "tls: {certificate: tls/sip.pem, key: tls/sip.key}\n"
    with (site / "site.yaml").open("a") as file:
        file.write(text)
    with Engine(site, arguments=(f"--listen=tls:127.0.0.1:{port}",)) as engine:
        yield engine, port, authority


def certify(authority: Authority, site: Path, days: float = 90) -> None:
    """Put a new certificate into the site's folder."""
    (site / "tls").mkdir(exist_ok=True)
    for path in authority.issue("sip", "127.0.0.1", days=days):
        place = site / "tls" / path.name
        place.touch(mode=0o600)
        place.write_bytes(path.read_bytes())


def shown(port: int, authority: Authority) -> bytes:
    """The certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=str(authority.file))
    with socket.create_connection(("127.0.0.1", port), timeout=3) as sock:
        found = context.wrap_socket(sock, server_hostname="127.0.0.1").getpeercert(True)
    assert found is not None
    return found


def level(samples: np.ndarray, hertz: float = 400.0) -> float:
    """How loud a tone is at the end of what was heard."""
    cut = np.asarray(samples, float)[-4_000:]
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(cut)) / listening.RATE)
    return float(abs(cut @ wave)) / max(len(cut), 1) * 2


def phone(folder: Path, port: int, authority: Authority, user: str, password: str = "", **more: object) -> Baresip:
    return Baresip(folder, ("127.0.0.1", port), user, password, transport="tls", authority=authority.file, **more)  # type: ignore[arg-type]


def test_an_agent_over_tls_is_called_and_both_hear_each_other(
    secured: tuple[Engine, int, Authority], tmp_path: Path
) -> None:
    """And a new certificate, put there meanwhile, is shown to new connections only."""
    engine, port, authority = secured
    password = engine.passwords()["200"]
    with (
        phone(tmp_path, port, authority, "200", password, microphone=TONE, auto_answer=True) as agent,
        Baresip(tmp_path, engine.address, "201", engine.passwords()["201"], microphone=OTHER) as caller,
    ):  # fmt: skip
        agent.registered()
        caller.registered()
        caller.dial("200")
        until(lambda: level(caller.heard()) > 2_000, 8, what="the agent's tone at the caller")
        until(lambda: level(agent.heard(), 700.0) > 2_000, 8, what="the caller's tone at the agent")
        before = shown(port, authority)
        certify(authority, engine.site)
        assert engine.command("reload", seconds=60).returncode == 0
        assert shown(port, authority) != before
        place = caller.mark()
        time.sleep(0.7)
        assert level(caller.heard()[place:]) > 2_000
        agent.command("hangup")
        caller.wait_event("CALL_CLOSED")
    engine.wait_idle()
    started = [each["data"] for each in engine.events() if each["kind"] == "call.started"]
    assert started[-1]["peer"].startswith("udp:127.0.0.1:")


def test_a_caller_over_tls_hears_its_echo(secured: tuple[Engine, int, Authority], tmp_path: Path) -> None:
    engine, port, authority = secured
    with phone(tmp_path, port, authority, "tess", microphone=TONE, register=False) as caller:
        caller.command("dial", f"sip:9196@127.0.0.1:{port};transport=tls")
        until(lambda: level(caller.heard()) > 2_000, 8, what="its own tone")
        caller.command("hangup")
    engine.wait_idle()
    started = [each["data"] for each in engine.events() if each["kind"] == "call.started"]
    assert started[-1]["peer"].startswith("tls:127.0.0.1:")


def test_files_that_went_wrong_change_nothing_and_are_said_in_one_line(
    secured: tuple[Engine, int, Authority],
) -> None:
    engine, port, authority = secured
    before = shown(port, authority)
    key = engine.site / "tls" / "sip.key"
    good = key.read_bytes()
    try:
        authority.issue("other", "127.0.0.1")
        key.write_bytes((authority.folder / "other.key").read_bytes())
        done = engine.command("reload", seconds=60)
        assert done.returncode == 1 and "RD341" in done.stdout + done.stderr
        assert "doesn't belong to" in done.stdout + done.stderr
        assert shown(port, authority) == before
    finally:
        key.write_bytes(good)
    checked = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        input=b"", capture_output=True, timeout=10,
    )  # fmt: skip
    assert checked.returncode != 0
    until(lambda: "older than 1.2" in engine.output(), 3, what="a line about the old far end")


# --- a carrier over TLS -----------------------------------------------------------------------------------------------
PASSWORD = "tls-carrier-word"


@pytest.fixture(scope="module")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Kamailio, Sipp]]:
    """Kamailio as a carrier that is registered with and called over TLS; calls go on to SIPp over UDP."""
    folder = tmp_path_factory.mktemp("carrier")
    site = folder / "site"
    shutil.copytree(DEMO, site)
    authority = Authority(folder / "authority")
    certify(authority, site)
    (site / "tls" / "ca.pem").write_bytes(authority.file.read_bytes())
    with (site / "site.yaml").open("a") as file:
        file.write("tls: {certificate: tls/sip.pem, key: tls/sip.key, trusted: tls/ca.pem}\n")
    patch = pytest.MonkeyPatch()
    for name in ("SAFE", "WRONG"):
        patch.setenv(f"RINGDOWN_TRUNK_{name}", PASSWORD)
    with (
        Sipp(folder, "uas_answer.xml", seconds=120, more=("-rtp_echo",)) as far,
        Kamailio(folder, far.port, PASSWORD, tls=authority.issue("carrier", "127.0.0.1", "sip.carrier.test")) as proxy,
    ):  # fmt: skip
        common = f"host: 127.0.0.1, port: {proxy.tls_port}, transport: tls, user: '4412'"
        (site / "trunks.yaml").write_text(
            f"safe: {{{common}, addresses: [127.0.0.98], tls_name: sip.carrier.test,"
            " register: {domain: carrier.test, expires: 1min}}\n"
            f"wrong: {{{common}, addresses: [127.0.0.99], tls_name: other.test, register: {{domain: carrier.test}}}}\n"
        )
        (site / "outbound.yaml").write_text("0x.: {trunk: safe, strip: 1}\n")
        with Engine(site, arguments=(f"--listen=tls:127.0.0.1:{free_port()}",)) as engine:
            yield engine, proxy, far
    patch.undo()


def registration(engine: Engine, trunk: str) -> str:
    row = next(each for each in engine.ask("trunks") if each["trunk"] == trunk)
    return str(row["registration"]["state"])


def test_a_carrier_is_registered_with_and_called_over_tls(carrier: tuple[Engine, Kamailio, Sipp]) -> None:
    """And one whose certificate is for somebody else is told nothing."""
    engine, _, far = carrier
    until(lambda: registration(engine, "safe") == "registered", 6, what="registered over TLS")
    with desk(engine, "200", ready=False) as agent, Ear() as ear:
        dialog = agent.place("0555", media=ear.port)
        assert dialog.expect(200, within=6).status == 200
        dialog.ack()
        ear.start(dialog.media.host, dialog.media.port).play(TONE)
        until(lambda: level(ear.heard(since=time.monotonic() - 1.5)[:-4_000]) > 2_000, 8, what="the far end's echo")
        dialog.bye()
        far.wait(8).check()
    engine.wait_idle()
    assert registration(engine, "wrong") != "registered"
    assert "its certificate is for sip.carrier.test, 127.0.0.1, not for other.test" in engine.output()
    shown = [hop for hop in engine.ask("ladder", since_ms="1")["hops"] if hop["transport"] == "tls"]
    assert any("REGISTER" in hop["text"] and "reg-id=1" in hop["text"] for hop in shown)


def test_a_lost_flow_is_opened_again(carrier: tuple[Engine, Kamailio, Sipp]) -> None:
    """The carrier's proxy restarts: we are back as soon as it listens again (RFC 5626 §4.4)."""
    engine, proxy, _ = carrier
    until(lambda: registration(engine, "safe") == "registered", 6, what="registered over TLS")

    def count() -> int:
        said = [each["data"] for each in engine.events() if each["kind"] == "trunk.registered"]
        return sum(each["trunk"] == "safe" and each["change"] in ("registered", "renewed") for each in said)

    before = count()
    proxy.__exit__()
    proxy.__enter__()
    until(lambda: count() > before, 8, what="registered anew")


# the test's own authority, which nobody else trusts, and a complaint of testssl.sh about its own OpenSSL
NOT_OURS = {"cert_chain_of_trust", "cert_revocation", "engine_problem"}
# its client leaves after the handshake, often before TLS 1.3's ticket has come: then it has none to resume with
NOT_MADE = {"sessionresumption_ticket": "WARN"}
FINE = ("OK", "INFO", "LOW", "DEBUG")


def test_testssl_finds_nothing_above_low(secured: tuple[Engine, int, Authority], tmp_path: Path) -> None:
    """Protocols, ciphers, key exchange, server defaults and every vulnerability that testssl.sh knows of."""
    _, port, _ = secured
    report = tmp_path / "report.json"
    command = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--jsonfile", str(report)]
    asked = ["--ip", "127.0.0.1", "-p", "-s", "-f", "-P", "-S", "-U", f"127.0.0.1:{port}"]
    subprocess.run([*command, *asked], capture_output=True, timeout=150)
    found = {each["id"].split(" ")[0]: each["severity"] for each in json.loads(report.read_text())}
    assert {"TLS1", "TLS1_3", "cert_keySize", "secure_renego", "heartbleed", "LUCKY13"} <= found.keys(), found
    bad = {name: each for name, each in found.items() if each not in FINE and NOT_MADE.get(name) != each}
    assert not bad.keys() - NOT_OURS, bad
