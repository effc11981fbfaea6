"""Certificates and keys on disk: what is wrong is said with its file and its remedy, and both roles are strict."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from engine.dialplan.tls import TlsModel
from engine.errors import SiteError
from engine.runtime import tls_files
from tests.runtime.authority import Authority

NOW = datetime.datetime.now(datetime.UTC)
MODEL = TlsModel("sip.pem", "sip.key", "ca.pem", "ca.pem")


def codes(model: TlsModel, folder: Path, *names: str) -> list[str]:
    return [each.code for each in tls_files.problems(model, folder, names, NOW)]


def test_good_files_and_both_roles_are_strict(tmp_path: Path) -> None:
    Authority(tmp_path).issue("sip", "sip.example.net", "192.0.2.1")
    assert codes(MODEL, tmp_path, "sip.example.net", "192.0.2.1", "") == []
    server, client = tls_files.server_context(MODEL, tmp_path), tls_files.client_context(MODEL, tmp_path)
    for context in (server, client):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2 and context.verify_mode == ssl.CERT_REQUIRED
        assert context.options & ssl.OP_NO_RENEGOTIATION and context.options & ssl.OP_NO_COMPRESSION
        for cipher in context.get_ciphers():
            assert cipher["aead"] and (cipher["protocol"] == "TLSv1.3" or "ECDHE" in cipher["name"]), cipher
    free = tls_files.server_context(TlsModel("sip.pem", "sip.key"), tmp_path)
    assert free.verify_mode == ssl.CERT_NONE
    assert tls_files.client_context(None, tmp_path).verify_mode == ssl.CERT_REQUIRED


def test_what_cannot_be_used_says_which_file_why_and_what_to_do(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("sip", "sip.example.net")
    authority.issue("other", "sip.example.net")
    key = serialization.load_pem_private_key((tmp_path / "sip.key").read_bytes(), None)
    (tmp_path / "locked.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    ))  # fmt: skip
    (tmp_path / "text.pem").write_text("nothing of the kind\n")
    (tmp_path / "huge.pem").write_bytes(b"x" * (tls_files.FILE_BYTES_MAX + 1))
    for model, entry, words in (
        (TlsModel("none.pem"), "certificate", ("none.pem is not there", "put it there")),
        (TlsModel("sip.pem", "none.key"), "key", ("none.key is not there", "put it there")),
        (TlsModel("sip.pem", "other.key"), "key", ("other.key doesn't belong to", "that the certificate was made for")),
        (TlsModel("sip.pem"), "key", ("holds no private key", "name its file by key:")),
        (TlsModel("sip.pem", "text.pem"), "key", ("holds no private key", "name its file by key:")),
        (TlsModel("text.pem", "sip.key"), "certificate", ("holds no certificate", "PEM begins with")),
        (TlsModel("sip.pem", "locked.key"), "key", ("is encrypted", "store it without")),
        (TlsModel("sip.pem", "sip.key", clients="text.pem"), "clients", ("holds no certificate", "")),
        (TlsModel("sip.pem", "sip.key", trusted="huge.pem"), "trusted", ("is too large", "")),
    ):
        (found,) = tls_files.problems(model, tmp_path, ("sip.example.net",), NOW)
        assert (found.code, found.entry) == ("RD341", entry), found
        assert all(word in f"{found.text}: {found.remedy}" for word in words), found
        with pytest.raises(SiteError, match=r"^tls: "):
            tls_files.server_context(model, tmp_path)
            tls_files.client_context(model, tmp_path)


def test_what_only_one_of_two_readers_takes_is_a_finding_and_no_traceback(tmp_path: Path) -> None:
    """OpenSSL reads "TRUSTED CERTIFICATE" and takes what cryptography is too strict for."""
    Authority(tmp_path).issue("sip", "sip.example.net")
    text = (tmp_path / "sip.pem").read_text()
    (tmp_path / "sip.pem").write_text(text.replace(" CERTIFICATE-", " TRUSTED CERTIFICATE-"))
    assert tls_files.server_context(MODEL, tmp_path)
    (found,) = tls_files.problems(MODEL, tmp_path, ("sip.example.net",), NOW)
    assert (found.code, found.entry) == ("RD341", "certificate")
    assert "sip.pem can't be read in full: " in found.text and "issued anew" in found.remedy


def test_times(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for stem, days, age, words in (
        ("over", -1, 30, "over.pem has expired on"), ("early", 90, -2, "early.pem is valid only from"),
        ("soon", 5.5, 80, "in 5 days"),
    ):  # fmt: skip
        authority.issue(stem, "sip.example.net", days=days, age_days=age)
        model = TlsModel(f"{stem}.pem", f"{stem}.key")
        (found,) = tls_files.problems(model, tmp_path, ("sip.example.net",), NOW)
        assert found.code == "RD342" and words in found.text and found.remedy


def test_names_and_modes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("sip", "sip.example.net")
    (tmp_path / "sip.key").chmod(0o640)
    found = tls_files.problems(TlsModel("sip.pem", "sip.key"), tmp_path, ("other.org",), NOW)
    assert [each.code for each in found] == ["RD344", "RD343"]
    assert "mode 0640" in found[0].text and found[0].remedy.startswith("chmod 600")
    assert found[1].text == "sip.pem is for sip.example.net, not for other.org"
    nameless = authority.issue("bare")
    assert nameless[0].exists()
    (bare,) = tls_files.problems(TlsModel("bare.pem", "bare.key"), tmp_path, ("a.net",), NOW)
    assert "is for nobody" in bare.text
    together = tmp_path / "both.pem"
    together.touch(mode=0o600)
    together.write_bytes((tmp_path / "sip.pem").read_bytes() + (tmp_path / "sip.key").read_bytes())
    assert codes(TlsModel("both.pem"), tmp_path, "sip.example.net") == []


def test_by_which_names_phones_connect() -> None:
    listen = ("udp:0.0.0.0:5060", "tls:192.0.2.1:5061", "tls:[2001:db8::1]:5061", "tls:0.0.0.0:5061")
    assert tls_files.names_of("", (), listen) == ["192.0.2.1", "2001:db8::1"]
    assert tls_files.names_of("sip.example.net:5070", ("example.net", ""), listen) == ["sip.example.net", "example.net"]
    assert tls_files.path_of(Path("/site"), "/etc/a.pem") == Path("/etc/a.pem")


def test_the_first_name_that_a_certificate_is_for(tmp_path: Path) -> None:
    pem, _ = Authority(tmp_path).issue("sip", "sip.example.net", "192.0.2.1")
    assert tls_files.certified_name(pem, ("", "other.example.net", "192.0.2.1", "sip.example.net")) == "192.0.2.1"
    assert tls_files.certified_name(pem, ("sip.example.net", "192.0.2.1")) == "sip.example.net"
    assert tls_files.certified_name(pem, ("192.0.2.2",)) == tls_files.certified_name(pem, ()) == ""
    assert tls_files.certified_name(tmp_path / "none.pem", ("sip.example.net",)) == ""
