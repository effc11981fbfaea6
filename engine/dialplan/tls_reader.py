"""`tls:` of site.yaml -> TlsModel. Whether the files are there, and good, is checked where files can be opened."""

from __future__ import annotations

import re

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report
from engine.dialplan.tls import TlsModel

KEYS = ("certificate", "key", "trusted", "clients")
_FILE = re.compile(r"/?[^/\x00-\x1f]+(?:/[^/\x00-\x1f]+)*")
LETTERS_MAX = 400


def read(report: Report, node: marks.Node | None) -> TlsModel | None:
    """None without `tls:`, or after a finding."""
    form = values.mapping(report, node, "tls")
    if form is None:
        return None
    before = report.errors
    values.known_keys(report, form, "tls", KEYS)
    if "certificate" not in form.entries:
        report.add("RD022", form, "tls without a certificate", "add certificate: tls/sip.pem, and key: tls/sip.key")
    files = {name: _file(report, form.entries.get(name), name) for name in KEYS}
    return TlsModel(**files) if report.errors == before else None


def _file(report: Report, node: marks.Node | None, name: str) -> str:
    found = values.scalar(report, node, name)
    if found is None:
        return ""
    if "PRIVATE KEY" in found.text:
        report.add("RD080", found, "a private key in a site's file", "put it into a file of mode 0600, and name that")
        return ""
    outside = ".." in found.text.split("/")
    if outside or len(found.text) > LETTERS_MAX or _FILE.fullmatch(found.text) is None:
        hint = "as in tls/sip.pem, seen from the site's folder, or /etc/ssl/ringdown/sip.pem"
        report.add("RD024", found, f"{name}: {found.text[:80]!r} is not a file", hint)
        return ""
    return found.text


def check_listen(report: Report, listen: list[marks.Scalar], model: TlsModel | None, named: bool) -> None:
    """A listening address with TLS needs a certificate. `named`: `tls:` is there, good or not."""
    for each in listen:
        if each.text.startswith("tls:") and model is None and not named:
            hint = "add tls: {certificate: tls/sip.pem, key: tls/sip.key}, or listen with tcp:"
            report.add("RD340", each, f"{each.text} without a certificate", hint)
