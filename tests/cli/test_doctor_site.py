"""What a site needs of its surroundings: addresses that can be bound, names that resolve, certificates that hold."""

from __future__ import annotations

import datetime
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from engine.cli import doctor_site as room
from engine.dialplan.model import AgentModel, TenantModel, TrunkModel
from engine.dialplan.tls import TlsModel
from tests.house.source import ROOT
from tests.runtime.authority import Authority
from tests.runtime.fakes import site

NOW = datetime.datetime.now(datetime.UTC)


def certificate(path: Path, begins_days: float, ends_days: float) -> None:
    """A self-signed certificate that is valid from so many days from now to so many."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sip.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=begins_days))
        .not_valid_after(NOW + datetime.timedelta(days=ends_days)).sign(key, hashes.SHA256())
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def test_a_site_that_is_gone(tmp_path: Path) -> None:
    (found,) = room.site_and_addresses(tmp_path / "gone")
    assert found["state"] == "fail" and "no folder" in found["detail"] and found["remedy"]


def test_zones() -> None:
    assert room.zones(site())["state"] == "ok"
    wrong = site(tenants={"default": TenantModel("default", "r", time_zone="Mars/Olympus")})
    found = room.zones(wrong)
    assert found["state"] == "fail" and "Mars/Olympus (tenant default)" in found["detail"] and found["remedy"]


def test_addresses_that_are_free_taken_or_not_ours() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        listen = ("udp:127.0.0.1:0", f"udp:127.0.0.1:{port}", "udp:192.0.2.77:5060")
        free, sdp, taken, _, foreign, sdp_foreign = room.addresses(site(listen=listen), None)
    assert free["state"] == "ok"
    assert sdp["state"] == "warn" and "listening address itself" in sdp["detail"] and "--lan" in sdp["remedy"]
    assert taken["state"] == "fail" and f"ss -lnp | grep {port}" in taken["remedy"]
    assert foreign["state"] == "fail" and "no address 192.0.2.77" in foreign["detail"]
    assert "ip address" in foreign["remedy"]
    assert sdp_foreign["state"] == "ok"


def test_what_far_ends_are_told_and_why() -> None:
    told = site(listen=("udp:127.0.0.1:0",), advertise="203.0.113.5", local_networks=("10.0.0.0/8",))
    _, sdp = room.addresses(told, None)
    assert sdp["state"] == "ok" and "told 203.0.113.5 (site.yaml says advertise)" in sdp["detail"]
    assert "phones in 10.0.0.0/8 are told 127.0.0.1" in sdp["detail"]


def test_which_names_are_looked_up() -> None:
    named = site(
        trunks={"a": TrunkModel("a", host="gw.example"), "b": TrunkModel("b", host="192.0.2.1")},
        agents={"default/200": AgentModel("default", "200", "Ann", contact="sip:ann@desk.example:5060")},
        advertise="sip.example:5060",
    )  # fmt: skip
    assert room.hosts(named) == {
        "gw.example": "trunk a", "sip.example": "advertise", "desk.example": "agent default/200"
    }  # fmt: skip
    assert room.names(site())["detail"].startswith("the site names no host")
    assert room.names(site(trunks={"a": TrunkModel("a", host="localhost")}))["state"] == "ok"


def test_a_resolver_that_is_dead(tmp_path: Path) -> None:
    """/etc/resolv.conf names loopback, where nobody resolves: in a mount namespace, so nothing leaves this machine."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    named = site(trunks={"carrier": TrunkModel("carrier", host="gw.example"), "b": TrunkModel("b", host="localhost")})
    (tmp_path / "site").write_bytes(msgspec.msgpack.encode(named))
    code = (
        "import json, msgspec, sys; from pathlib import Path; from engine.dialplan.model import Site; "
        "from engine.cli import doctor_site as room; "
        "print(json.dumps(room.names(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Site))))"
    )
    script = 'mount --bind "$1/resolv.conf" /etc/resolv.conf && exec "$2" -c "$3" "$1/site"'
    user = [] if os.geteuid() == 0 else ["-Ur"]
    done = subprocess.run(
        ["unshare", "-m", "-n", *user, "sh", "-c", script, "sh", str(tmp_path), sys.executable, code],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["state"] == "fail" and "gw.example (trunk carrier)" in found["detail"], found
    assert "localhost" not in found["detail"] and "/etc/resolv.conf" in found["remedy"]


def test_a_resolver_that_never_answers_does_not_hold_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    gate = threading.Event()
    monkeypatch.setattr(room, "RESOLVE_S_MAX", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port: gate.wait(10))
    found = room.names(site(trunks={"a": TrunkModel("a", host="slow.example")}))
    gate.set()
    assert found["state"] == "fail" and "no answer within" in found["detail"]


@pytest.mark.parametrize(("begins", "ends", "state", "word"), [
    (-10, 300, "ok", "1 in the site"), (-10, 3, "warn", "expires on"), (-10, -1, "fail", "expired on"),
    (2, 300, "fail", "valid only from"),
])
def test_certificates(begins: float, ends: float, state: str, word: str, tmp_path: Path) -> None:
    certificate(tmp_path / "tls" / "sip.pem", begins, ends)
    (tmp_path / "tls" / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    found = room.certificates(tmp_path)
    assert found["state"] == state and word in found["detail"] and bool(found["remedy"]) == (state != "ok")


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    assert room.certificates(tmp_path)["detail"] == "none lies in the site"
    (tmp_path / "broken.crt").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    found = room.certificates(tmp_path)
    assert found["state"] == "fail" and "broken.crt" in found["detail"]


def test_what_tls_shows(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    listening = {"listen": ("tls:192.0.2.1:5061",)}
    assert list(room.tls(site(), tmp_path)) == []
    secured = site(tls=TlsModel("sip.pem", "sip.key"), **listening)
    for days, names, state, words in (
        (90, ("192.0.2.1",), "ok", "sip.pem is valid, and for 192.0.2.1"), (5, ("192.0.2.1",), "warn", "expires on"),
        (-1, ("192.0.2.1",), "fail", "has expired on"), (90, ("a.test",), "warn", "not for 192.0.2.1"),
    ):  # fmt: skip
        authority.issue("sip", *names, days=days, age_days=9)
        (found,) = room.tls(secured, tmp_path)
        assert found["state"] == state and words in found["detail"] and (state == "ok" or found["remedy"]), found
    (tmp_path / "sip.key").unlink()
    (found,) = room.tls(secured, tmp_path)
    assert found["state"] == "fail" and "sip.key is not there" in found["detail"] and found["remedy"]
