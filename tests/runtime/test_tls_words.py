"""Why a TLS connection didn't come about, in words. What OpenSSL really raises is in test_tls_accept."""

from __future__ import annotations

import ssl

import pytest

from engine.runtime.tls_words import reason, wrong_name


def refused(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_code, error.verify_message = code, message
    return error


def failed(name: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL]")
    error.reason = name  # type: ignore[assignment]
    return error


@pytest.mark.parametrize(("error", "words"), [
    (refused(10, "x"), "its certificate has expired: its owner must renew it"),
    (refused(9, "x"), "look at the clocks"), (refused(18, "x"), "signed by itself"),
    (refused(20, "x"), "isn't trusted here"), (refused(26, "unsuitable purpose"), "was refused: unsuitable purpose"),
    (failed("WRONG_VERSION_NUMBER"), "doesn't speak TLS"), (failed("UNSUPPORTED_PROTOCOL"), "older than 1.2"),
    (failed("NO_SHARED_CIPHER"), "none of our ciphers"), (failed("TLSV1_ALERT_UNKNOWN_CA"), "refuses our certificate"),
    (failed("PEER_DID_NOT_RETURN_A_CERTIFICATE"), "shows no certificate"),
    (failed("SOMETHING_ELSE"), "TLS failed: something else"), (failed(None), "no reason given"),
    (TimeoutError(), "isn't set up in time"), (ConnectionResetError(104, "x"), "hung up during the handshake"),
    (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
    (ConnectionAbortedError("SSL handshake is taking longer"), "isn't set up in time"),
    (ConnectionAbortedError(), "ConnectionAbortedError"),
])  # fmt: skip
def test_reasons(error: BaseException, words: str) -> None:
    assert words in reason(error) and "\n" not in reason(error)


def test_whose_certificate_it_was() -> None:
    text = wrong_name("sip.a.net", ["sip.b.net"], ["192.0.2.1"])
    assert "is for sip.b.net, 192.0.2.1, not for sip.a.net" in text and "tls_name" in text
    assert "nobody" in wrong_name("a.net", [], [])
