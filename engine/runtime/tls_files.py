"""Certificates and keys on disk: contexts for both roles, and what is wrong with the files in words.

Both roles want TLS 1.2 or newer with forward secrecy and authenticated encryption, refuse renegotiation and
compression, and give no session tickets to TLS 1.2 (RFC 9325 §3, §4). Neither changes once it is made: a connection
keeps the one that it began with.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509

from engine.dialplan.tls import TlsModel
from engine.errors import SiteError
from engine.sip import far_name

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK"
FILE_BYTES_MAX = 4_000_000  # a system's bundle of authorities has 200 kB
SOON_DAYS = 14


class Problem(msgspec.Struct, frozen=True):
    """`entry`: the key of `tls:` that is concerned; `remedy`: what to do."""

    code: str
    entry: str
    text: str
    remedy: str


def path_of(folder: Path, name: str) -> Path:
    """Where a file is that site.yaml names."""
    return folder / name  # an absolute name replaces the folder


def server_context(model: TlsModel, folder: Path) -> ssl.SSLContext:
    """For connections that we accept. Raises SiteError with the reason and the remedy."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _strict(context)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    _own(context, model, folder)
    if model.clients:
        _believe(context, path_of(folder, model.clients), "clients")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(model: TlsModel | None, folder: Path) -> ssl.SSLContext:
    """For connections that we open. The name is compared by `far_name`, which knows SIP's rules. Raises SiteError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _strict(context)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if model is not None:
        _own(context, model, folder)  # for trunks that want to know who we are
    if model is not None and model.trusted:
        _believe(context, path_of(folder, model.trusted), "trusted")
    else:
        context.load_default_certs()
    return context


def _strict(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET


def _own(context: ssl.SSLContext, model: TlsModel, folder: Path) -> None:
    certificate = path_of(folder, model.certificate)
    key = path_of(folder, model.key) if model.key else certificate
    _readable(certificate, "certificate")
    _readable(key, "key")
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        raise SiteError(_own_fault(certificate, key, error)) from error


def _own_fault(certificate: Path, key: Path, error: Exception) -> str:
    text = key.read_bytes()
    if b"BEGIN CERTIFICATE" not in certificate.read_bytes():
        return f"tls: certificate: {certificate} holds no certificate: PEM begins with -----BEGIN CERTIFICATE-----"
    if b"ENCRYPTED" in text:
        return f"tls: key: {key} is encrypted, and nobody is there to type its passphrase: store it without (mode 0600)"
    if b"PRIVATE KEY" not in text:
        return f"tls: key: {key} holds no private key: name its file by key:, or put it into the certificate's"
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return f"tls: key: {key} doesn't belong to {certificate}: name the key that the certificate was made for"
    return f"tls: {certificate} and {key} can't be used: {getattr(error, 'reason', None) or error}"


def _believe(context: ssl.SSLContext, path: Path, entry: str) -> None:
    _readable(path, entry)
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        raise SiteError(f"tls: {entry}: {path} holds no certificate that can be read") from error


def _readable(path: Path, entry: str) -> None:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise SiteError(f"tls: {entry}: {path} is too large for certificates")
        with path.open("rb"):
            pass
    except OSError as error:
        why = {2: "is not there", 13: "can't be read by the engine's user"}.get(error.errno or 0, str(error.strerror))
        raise SiteError(f"tls: {entry}: {path} {why}: put it there, or name another file") from error


def problems(model: TlsModel, folder: Path, names: Iterable[str], now: datetime) -> list[Problem]:
    """Everything that is wrong with the files. `names`: by which phones connect to us."""
    try:
        server_context(model, folder)
        client_context(model, folder)
    except SiteError as error:
        text, _, remedy = str(error).removeprefix("tls: ").rpartition(": ")
        entry = text.partition(":")[0]
        return [Problem("RD341", entry if text else "certificate", text or str(error), remedy)]
    try:
        found = _key_mode(model, folder)
        own = x509.load_pem_x509_certificates(path_of(folder, model.certificate).read_bytes())
        found += _times(model.certificate, own, now)
        certificate = {"subjectAltName": _alternatives(own[0])}
    except (OSError, ValueError) as error:  # what OpenSSL takes and the stricter parser doesn't, or a file that goes
        text = f"{model.certificate} can't be read in full: {str(error).partition('. See ')[0].rstrip('.')}"
        return [Problem("RD341", "certificate", text, "have it issued anew, as PEM: -----BEGIN CERTIFICATE-----")]
    missing = [name for name in names if name and not far_name.certified(certificate, name)]
    if missing:
        hosts, addresses = far_name.names(certificate)
        text = f"{model.certificate} is for {', '.join([*hosts, *addresses]) or 'nobody'}, not for {', '.join(missing)}"
        found.append(Problem("RD343", "certificate", text, "get one with these subject alternative names"))
    return found


def certified_name(path: Path, names: Iterable[str]) -> str:
    """The first of `names` that the certificate is for, '' for none, or for a file that can't be read."""
    try:
        own = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return ""
    certificate = {"subjectAltName": _alternatives(own[0])}
    return next((name for name in names if name and far_name.certified(certificate, name)), "")


def _key_mode(model: TlsModel, folder: Path) -> list[Problem]:
    entry = "key" if model.key else "certificate"
    path = path_of(folder, model.key or model.certificate)
    mode = path.stat().st_mode & 0o777
    if not mode & 0o044:
        return []
    return [Problem("RD344", entry, f"the private key {path} is readable by others (mode {mode:04o})",
                    f"chmod 600 {path}")]  # fmt: skip


def _times(name: str, chain: list[x509.Certificate], now: datetime) -> list[Problem]:
    ends = min(each.not_valid_after_utc for each in chain)
    begins = max(each.not_valid_before_utc for each in chain)
    remedy = f"put a new one into {name}: a running engine takes it by itself"
    if ends <= now:
        return [Problem("RD342", "certificate", f"{name} has expired on {ends:%Y-%m-%d}", remedy)]
    if begins > now:
        text = f"{name} is valid only from {begins:%Y-%m-%d %H:%M} UTC on"
        return [Problem("RD342", "certificate", text, "look at the clock of this machine, or at the certificate")]
    if ends - now < timedelta(days=SOON_DAYS):
        text = f"{name} expires on {ends:%Y-%m-%d}, in {(ends - now).days} days"
        return [Problem("RD342", "certificate", text, remedy)]
    return []


def _alternatives(certificate: x509.Certificate) -> list[tuple[str, str]]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    pairs = [("DNS", each) for each in found.get_values_for_type(x509.DNSName)]
    pairs += [("URI", each) for each in found.get_values_for_type(x509.UniformResourceIdentifier)]
    return pairs + [("IP Address", str(each)) for each in found.get_values_for_type(x509.IPAddress)]


def names_of(advertise: str, domains: Iterable[str], listen: Iterable[str]) -> list[str]:
    """By which names phones connect: what the site says of itself, else the addresses with TLS."""
    host, _, port = advertise.rpartition(":")
    told = host if host and port.isdigit() and ":" not in host else advertise
    said = [name for name in (told, *domains) if name]
    own = [text.partition(":")[2].rpartition(":")[0].strip("[]") for text in listen if text.startswith("tls:")]
    return list(dict.fromkeys(said or [each for each in own if each not in ("0.0.0.0", "::")]))


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
