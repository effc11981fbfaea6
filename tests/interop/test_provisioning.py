"""A phone out of its box: it fetches its configuration by its MAC address and registers with what stands in it.

Over HTTPS, with a certificate of the test's own. linphonec fetches for itself, goes by TLS and encrypts what is said.
"""

from __future__ import annotations

import json
import re
import shutil
import ssl
import urllib.error
import urllib.request
import xml.etree.ElementTree as tree
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.linphone import Linphone
from harness.ports import free_port
from harness.server import DEMO, Engine

from tests.runtime import certificates
from tests.runtime.authority import Authority

TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The demo with two phones and a gateway in devices.yaml."""
    folder = tmp_path_factory.mktemp("provisioning")
    shutil.copytree(DEMO, folder / "site")
    (folder / "site" / "devices.yaml").write_text(
        "805ec0112233: {profile: yealink, agent: 201}\n"
        "0004f2aabbcc: {profile: poly-vvx, agent: 202}\n"
        "00:0b:82:1a:2b:3c: {profile: grandstream-ht813, trunk: office, line: 100}\n"
    )
    (folder / "site" / "trunks.yaml").write_text("office: {host: 127.0.0.9, profile: grandstream-ht813}\n")
    certificates.certificate(folder, 30)
    both = folder / "both.pem"
    both.write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    TRUST.load_verify_locations(folder / "cert.pem")
    with Engine(folder / "site", arguments=("--provision", "127.0.0.1:0", "--provision-cert", str(both))) as running:
        yield running


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5, context=TRUST) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_phone_fetches_its_file_and_registers_with_what_stands_in_it(engine: Engine, tmp_path: Path) -> None:
    """baresip with the account of a Yealink's file; the address is spent, the old password no longer good."""
    old = engine.passwords()["201"]
    with engine.phone("201") as before:
        assert before.register(password=old).status == 200
        before.register(password=old, expires=0, contact="*")
    made = json.loads(engine.command("provision", "201", "--json").stdout)
    assert made["url"].startswith("https://127.0.0.1:")
    status, text = get(made["url"])
    assert status == 200 and text.startswith("#!version:1.0.0.1\n")
    told = dict(re.findall(r"^account\.1\.(\S+) = (.*)$", text, re.M))
    assert get(made["url"])[0] == 404
    server = told["sip_server.1.address"], int(told["sip_server.1.port"])
    with Baresip(tmp_path, server, told["user_name"], told["password"]) as phone:
        phone.registered()
    with engine.phone("201") as stale:
        assert stale.register(password=old, within=12).status == 401
    written = [path for path in engine.data.rglob("*") if path.is_file()]
    assert not [path for path in written if told["password"].encode() in path.read_bytes()], "only its HA1 is kept"
    for secret in (told["password"], made["base"].split("/")[-2]):
        assert secret not in engine.output()
    assert "805ec0112233 (yealink, default/201) fetched its configuration" in engine.output()


def test_a_gateway_is_told_where_to_send_its_line_and_a_poly_gets_both_files(engine: Engine) -> None:
    said = engine.command("provision", "office")
    assert said.returncode == 0
    assert f"User ID 100, Sip Server 127.0.0.1, port {engine.port}" in said.stdout
    url = re.search(r"file\s+(\S+)", said.stdout)
    assert url
    config = tree.fromstring(get(url[1])[1]).find("config")
    assert config is not None and config.findtext("P747") == f"127.0.0.1:{engine.port}"
    made = json.loads(engine.command("provision", "202", "--json").stdout)
    master = tree.fromstring(get(made["url"])[1])
    account = tree.fromstring(get(made["base"] + str(master.get("CONFIG_FILES")))[1])
    password = str(account.get("reg.1.auth.password"))
    with engine.phone("202") as phone:
        assert phone.register(password=password).status == 200
    listed = engine.command("provision").stdout
    assert re.search(r"000b821a2b3c  grandstream-ht813\s+office\s+fetched", listed)
    assert re.search(r"805ec0112233  yealink\s+default/201\s+(never asked|fetched)", listed)


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Engine, int, Authority]]:
    """The demo with TLS and SRTP for everybody, and a linphone in devices.yaml: (engine, its TLS port, who signed)."""
    site, authority, port = tmp_path / "site", Authority(tmp_path / "authority"), free_port()
    shutil.copytree(DEMO, site)
    (site / "tls").mkdir()
    both = b""
    for path in authority.issue("sip", "127.0.0.1", "localhost"):
        place = site / "tls" / path.name
        place.touch(mode=0o600)
        place.write_bytes(path.read_bytes())
        both += path.read_bytes()
    (tmp_path / "both.pem").write_bytes(both)
    (site / "devices.yaml").write_text("a00000000201: {profile: linphone, agent: 201, transport: tls}\n")
    with (site / "site.yaml").open("a") as file:  # a name: this linphone looks for no addresses in a certificate
        file.write("advertise: localhost\nsrtp: required\ntls: {certificate: tls/sip.pem, key: tls/sip.key}\n")
    arguments = (f"--listen=tls:127.0.0.1:{port}", "--provision=127.0.0.1:0")
    with Engine(site, arguments=(*arguments, "--provision-cert", str(tmp_path / "both.pem"))) as running:
        yield running, port, authority


def test_linphone_fetches_its_file_and_speaks_over_tls_with_srtp(
    secured: tuple[Engine, int, Authority], tmp_path: Path
) -> None:
    """All that it is told is the address of its file and whom to believe. What it says comes back from the echo."""
    engine, port, authority = secured
    made = json.loads(engine.command("provision", "201", "--json").stdout)
    assert made["url"].startswith("https://localhost:") and "whoever signed the engine's" in made["by_hand"][-1]
    microphone = listening.write_wav(tmp_path / "said.wav", listening.tone((400.0,), 8, level=6_000))
    heard = tmp_path / "heard.wav"
    with Linphone(tmp_path, ("localhost", port), "201", fetch=made["url"], authority=authority.file) as phone:
        until(lambda: engine.agent("201")["reachable"], 15, what="201 has registered")
        phone.call("9196")
        phone.child.wait_for(r"Call 1 with .* connected", 10)
        phone.say(f"play {microphone}")
        phone.say(f"record {heard}")
        until(lambda: heard.exists() and heard.stat().st_size > 80_000, 12, what="a few seconds that it heard")
        phone.say("terminate")
        engine.wait_idle()
    started = [each["data"] for each in engine.events() if each["kind"] == "call.started"]
    assert [each["peer"].partition(":")[0] for each in started] == ["tls"]
    content = heard.read_bytes()
    samples = np.frombuffer(content[44 : len(content) // 2 * 2], "<i2").astype(float)
    rate = int.from_bytes(content[24:28], "little")
    spectrum = np.abs(np.fft.rfft(samples[-rate:] * np.hanning(len(samples[-rate:]))))
    assert abs(int(np.argmax(spectrum)) - 400) <= 2, "its own tone"
