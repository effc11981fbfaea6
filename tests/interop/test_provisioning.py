"""A phone out of its box: it fetches its configuration by its MAC address and registers with what stands in it.

Over HTTPS, with a certificate of the test's own.
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

import pytest
from harness.baresip import Baresip
from harness.server import DEMO, Engine

from tests.runtime import certificates

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
