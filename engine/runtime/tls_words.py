"""Why a TLS connection didn't come about, in one line: whose fault it is, and what to do."""

from __future__ import annotations

import ssl

_NOT_TLS = "the far end doesn't speak TLS there: check its transport and port"
_OLD = "the far end knows only TLS older than 1.2: update it, or set it to TLS 1.2"
_CIPHERS = "the far end knows none of our ciphers (ECDHE with AES-GCM or ChaCha20): update it"
_REFUSED = "the far end refuses our certificate: give it the authority that signed it, or a certificate for the name "\
           "that it connects to"
REASONS = {
    "HTTP_REQUEST": _NOT_TLS, "WRONG_VERSION_NUMBER": _NOT_TLS, "UNKNOWN_PROTOCOL": _NOT_TLS,
    "HTTPS_PROXY_REQUEST": _NOT_TLS, "RECORD_LAYER_FAILURE": _NOT_TLS, "PACKET_LENGTH_TOO_LONG": _NOT_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD, "TLSV1_ALERT_PROTOCOL_VERSION": _OLD, "VERSION_TOO_LOW": _OLD,
    "NO_SHARED_CIPHER": _CIPHERS, "SSLV3_ALERT_HANDSHAKE_FAILURE": _CIPHERS, "NO_SUITABLE_KEY_SHARE": _CIPHERS,
    "NO_SHARED_GROUP": _CIPHERS, "NO_SUITABLE_GROUPS": _CIPHERS,
    "TLSV1_ALERT_UNKNOWN_CA": _REFUSED, "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _REFUSED,
    "SSLV3_ALERT_BAD_CERTIFICATE": _REFUSED, "SSLV3_ALERT_CERTIFICATE_EXPIRED": _REFUSED,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate, and tls: clients: wants one: install one there",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the far end wants a certificate of ours: name one under tls: in site.yaml",
}  # fmt: skip
_THEIRS = {  # OpenSSL's verify codes (X509_V_ERR_…)
    9: "is not valid yet: look at the clocks, here and there",
    10: "has expired: its owner must renew it",
    18: "is signed by itself: put it into the file under tls: trusted: (phones: clients:)",
    19: "comes from an authority that isn't trusted here: put that into the file of tls: trusted: (phones: clients:)",
    20: "comes from an authority that isn't trusted here: put that into the file of tls: trusted: (phones: clients:)",
    21: "comes without the certificate that signed it: its owner must send the whole chain",
}  # fmt: skip


def reason(error: BaseException) -> str:
    """One line for an exception that ended a handshake or a connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _THEIRS.get(error.verify_code, f"was refused: {error.verify_message}")
        return f"its certificate {why}"
    if isinstance(error, ssl.SSLError):
        name = error.reason or ""
        return REASONS.get(name, f"TLS failed: {name.replace('_', ' ').lower() or 'no reason given'}")
    if isinstance(error, TimeoutError) or (isinstance(error, ConnectionAbortedError) and "handshake" in str(error)):
        return "TLS isn't set up in time: the far end connected and said nothing"
    if isinstance(error, ConnectionResetError):
        return "the far end hung up during the handshake: many phones do so when they refuse our certificate"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def wrong_name(wanted: str, hosts: list[str], addresses: list[str]) -> str:
    """The far end's certificate is for somebody else."""
    found = ", ".join([*hosts, *addresses][:4]) or "nobody (it has no subject alternative name)"
    return (
        f"its certificate is for {found}, not for {wanted}: write host: (or tls_name:) of the trunk as it stands "
        "there, or ask its owner for a right one"
    )
