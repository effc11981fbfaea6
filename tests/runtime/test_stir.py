"""Verdicts on signatures, by certificates in a folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from engine.call.signature_wall import SignatureChecked, SignatureWanted
from engine.runtime.stir import Signatures, verdict
from engine.sip.passport import parse
from tests.sip.signed import certificate, identity

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "carrier.pem").write_bytes(certificate(KEY, NOW - timedelta(days=1)))
    return tmp_path


def wanted(key: ec.EllipticCurvePrivateKey = KEY) -> SignatureWanted:
    found = parse(identity(key, int(NOW.timestamp()), "4930", "4931"))
    return SignatureWanted(7, found.url, found.signed, found.signature)


def test_good_and_bad(folder: Path) -> None:
    assert verdict(folder, wanted(), NOW) == ("good", "")
    assert verdict(folder, wanted(OTHER), NOW)[0] == "bad"
    good = wanted()
    changed = SignatureWanted(7, good.url, good.signed[:-1] + b"x", good.signature)
    assert verdict(folder, changed, NOW)[0] == "bad"
    assert verdict(folder, SignatureWanted(7, good.url, good.signed, b"short"), NOW)[0] == "bad"
    assert verdict(folder, SignatureWanted(7, good.url, good.signed, bytes(64)), NOW)[0] == "bad"


@pytest.mark.parametrize(
    "url", ["https://cert.example/other.pem", "../carrier.pem/..", "https://x/.pem", "carrier.key", "", "https://x/%2e/a.pem"],
)
def test_no_certificate_no_verdict(folder: Path, url: str) -> None:
    result, detail = verdict(folder, SignatureWanted(7, url, b"x", bytes(64)), NOW)
    assert result == "unknown" and "no certificate" in detail


def test_one_that_has_expired_or_has_another_key_says_what_to_do(folder: Path) -> None:
    result, detail = verdict(folder, wanted(), NOW + timedelta(days=365))
    assert result == "unknown" and "valid until 2026-04-01: renew it" in detail
    big = ec.generate_private_key(ec.SECP384R1())
    (folder / "carrier.pem").write_bytes(certificate(big, NOW - timedelta(days=1)))
    assert "no P-256 key" in verdict(folder, wanted(), NOW)[1]


def test_verdicts_come_on_the_loop_and_a_broken_file_is_told(folder: Path) -> None:
    (folder / "broken.pem").write_text("no certificate")
    (folder / "carrier.pem").write_bytes(certificate(KEY, datetime.now(UTC) - timedelta(days=1)))

    async def run() -> list[SignatureChecked]:
        heard: list[SignatureChecked] = []
        room = Signatures(asyncio.get_running_loop(), heard.append, folder)
        room.ask(wanted())
        room.ask(SignatureWanted(8, "https://x/broken.pem", b"x", bytes(64)))
        assert heard == []
        while len(heard) < 2:
            await asyncio.sleep(0.01)
        room.close()
        return heard

    first, second = asyncio.run(asyncio.wait_for(run(), 10))
    assert (first.session, first.result) == (7, "good")
    assert (second.session, second.result) == (8, "unknown") and "Error" in second.detail
