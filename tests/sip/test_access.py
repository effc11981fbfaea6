"""Address lists and what is one source."""

from __future__ import annotations

import pytest

from engine.sip.access import admitted, longest, plain, source


@pytest.mark.parametrize(
    ("host", "allow", "deny", "heard"),
    [
        ("192.0.2.7", (), (), True), ("192.0.2.7", (), ("192.0.2.0/24",), False),
        ("192.0.2.7", ("192.0.2.7",), ("192.0.2.0/24",), True),  # the longer one decides, whichever it is
        ("192.0.2.7", ("192.0.0.0/16",), ("192.0.2.0/24",), False),
        ("192.0.2.7", ("192.0.2.0/24",), ("192.0.2.0/24",), False),
        ("198.51.100.1", ("192.0.2.0/24",), (), False),  # with a list, others are out
        ("2001:db8::5", (), ("2001:db8::/32",), False), ("2001:db9::5", (), ("2001:db8::/32",), True),
        ("::ffff:192.0.2.7", (), ("192.0.2.0/24",), False), ("192.0.2.7", (), ("::/0",), True),
        ("a-name", (), ("0.0.0.0/0",), True), ("a-name", ("0.0.0.0/0",), (), False),
    ],
)  # fmt: skip
def test_who_is_let_in(host: str, allow: tuple[str, ...], deny: tuple[str, ...], heard: bool) -> None:
    assert admitted(host, allow, deny) is heard


def test_one_source_is_an_ipv4_address_or_an_ipv6_64() -> None:
    assert source("192.0.2.7") == source("::ffff:192.0.2.7") == "192.0.2.7"
    assert source("2001:db8:1:2:3::4") == source("2001:db8:1:2:ffff::") == "2001:db8:1:2::/64"
    assert source("2001:db8:1:3::4") != source("2001:db8:1:2::4")
    assert longest(("nonsense", "10.0.0.0/8", "10.1.0.0/16"), plain("10.1.2.3")) == 16
