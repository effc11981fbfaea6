"""Addresses of recordings elsewhere: literal, http or https, and nothing secret in them."""

from __future__ import annotations

import pytest

from tests.dialplan.site import codes_of
from tests.dialplan.test_play_url import text

LINE = 6


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/today.mp3", "http://127.0.0.1:8080/a.wav", "https://news.example", "http://[::1]:80/a",
        "https://news.example/a?b=c&d=%20e",
    ],
)  # fmt: skip
def test_an_address_is_taken_as_it_is(url: str) -> None:
    assert codes_of(text(url=url)) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("news.example/today.mp3", "RD156"), ("ftp://news.example/a", "RD156"), ("file:///etc/passwd", "RD156"),
        ("https:///today.mp3", "RD156"), ("https://[/a", "RD156"), ("https://a:99999/b", "RD156"),
        ("https://a:0/b", "RD156"), ("https://a/b c", "RD156"), ("https://a/b#c", "RD156"),
        ("https://a/ü.mp3", "RD156"), ("https://a/" + "b" * 2_000, "RD156"),
        ("https://a/$call.id", "RD077"), ("https://me:secret@a/b", "RD080"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_where_it_stands(url: str, code: str) -> None:
    assert codes_of(text(url=url)) == [(code, LINE)]
