"""RFC 5922 §7: which name a certificate is for."""

from __future__ import annotations

import pytest

from engine.sip.far_name import certified, names


def cert(*alternatives: tuple[str, str]) -> dict[str, object]:
    return {"subject": ((("commonName", "sip.example.net"),),), "subjectAltName": alternatives}


@pytest.mark.parametrize(("alternatives", "name", "good"), [
    ([("DNS", "sip.example.net")], "SIP.example.NET", True),
    ([("DNS", "sip.example.net")], "example.net", False),
    ([("DNS", "sip.example.net")], "sip.example.net.evil.org", False),
    ([("DNS", "*.example.net")], "a.example.net", True),
    ([("DNS", "*.example.net")], "a.b.example.net", False),
    ([("DNS", "*.example.net")], "example.net", False),
    ([("DNS", "*.net")], "example.net", False),  # one label for a whole country's names
    ([("DNS", "s*.example.net")], "sip.example.net", False),
    ([("DNS", "*")], "localhost", False),
    ([("DNS", "*.example.net")], "*.example.net", False),
    ([("URI", "sip:example.net")], "example.net", True),
    ([("URI", "sip:ana@example.net")], "example.net", False),  # a person
    ([("URI", "sip:example.net"), ("DNS", "other.net")], "other.net", False),  # §7.1: DNS names only without URIs
    ([("URI", "https://example.net")], "example.net", False),
    ([("URI", "sip:exa mple")], "exa mple", False),
    ([("IP Address", "192.0.2.1")], "192.0.2.1", True),
    ([("IP Address", "2001:DB8:0:0:0:0:0:1")], "[2001:db8::1]", True),
    ([("IP Address", "192.0.2.1")], "192.0.2.2", False),
    ([("DNS", "192.0.2.1.example.net")], "192.0.2.1", False),
    ([], "sip.example.net", False),  # the subject alone says nothing
])  # fmt: skip
def test_whom_a_certificate_is_for(alternatives: list[tuple[str, str]], name: str, good: bool) -> None:
    assert certified(cert(*alternatives), name) is good


def test_names_for_people() -> None:
    assert names(cert(("DNS", "A.net."), ("IP Address", "192.0.2.1"))) == (["a.net"], ["192.0.2.1"])
    assert names({}) == ([], [])
