"""How a stream is written: addresses, secrets, who may be filled, what a fork can't have."""

from __future__ import annotations

import pytest

from tests.dialplan.site import codes_of, lines

FINE = {"url": "'wss://bot.example/travel'", "secret": "bot", "person": "down", "failed": "down"}


def found(**options: str) -> list[tuple[str, int]]:
    """Findings; an option given as '' is left out. `url` stands in line 7."""
    written = {name: text for name, text in {**FINE, **options}.items() if text}
    plan = lines(
        "ringdown: 1", "variables: {n: number = 1, pin: digits 4 sensitive = 0000}",
        "flows:", "  main:", "    - answer",
        "    - stream:", *(f"        {name}: {text}" for name, text in written.items()),
        "    - when: [{if: n = 2 and pin = 4711, then: down}]", "    - hangup: served", "  down:", "    - hangup: down",
    )  # fmt: skip
    return codes_of(plan)


@pytest.mark.parametrize("url", [
    "wss://bot.example", "wss://bot.example:8443/a/b?c=d", "ws://127.0.0.1:9000/x", "ws://localhost/x", "ws://[::1]/x",
])
def test_addresses(url: str) -> None:
    assert found(url=f"'{url}'") == []


@pytest.mark.parametrize(("url", "code"), [
    ("https://bot.example/x", "RD300"), ("bot.example/x", "RD300"), ("wss://", "RD300"),
    ("wss://bot.example/#x", "RD300"),
    ("wss://bot.example:99999/x", "RD300"), ("wss://bot.example:0/x", "RD300"), ("wss://bot example/x", "RD300"),
    ("wss://user:word@bot.example/x", "RD080"), ("ws://bot.example/x", "RD301"), ("ws://127.0.0.1.example/", "RD301"),
    ("wss://$host/x", "RD077"), ("wss://b\u00f6t.example/x", "RD300"),
])
def test_addresses_that_are_none(url: str, code: str) -> None:
    assert found(url=f"'{url}'") == [(code, 7)]


def test_what_must_be_written() -> None:
    assert found(failed="") == [("RD052", 6)]
    assert found(person="") == [("RD304", 6)]
    assert found(secret="") == [("RD022", 6)]
    assert found(url="") == [("RD022", 6)]


@pytest.mark.parametrize(("option", "text", "code"), [
    ("secret", "'two words'", "RD302"), ("secret", "$pin", "RD077"), ("auth", "basic", "RD024"),
    ("fork", "agent", "RD024"),
    ("sets", "[m]", "RD034"), ("sets", "[customer.tier]", "RD034"), ("max", "5h", "RD024"), ("connect", "20s", "RD024"),
    ("send", "{pin: $pin}", "RD079"), ("send", "{Bad: x}", "RD027"),
])
def test_options_that_are_wrong(option: str, text: str, code: str) -> None:
    assert code in [each for each, _ in found(**{option: text})]


def test_options_that_are_right() -> None:
    assert found(secret="secret bot", auth="signature", sets="[n, pin]", max="4h", connect="15s", send="{n: $n}") == []


def test_a_fork_has_no_ways_and_fills_nothing() -> None:
    assert found(fork="caller", person="", failed="") == []
    assert [code for code, _ in found(fork="both", person="")] == ["RD303"]
    assert [code for code, _ in found(fork="both", person="", failed="", sets="[n]")] == ["RD303"]


def test_what_a_bot_may_fill_is_perhaps_unset_behind_it() -> None:
    plan = lines(
        "ringdown: 1", "variables: {place: text}", "flows:", "  main:", "    - answer",
        "    - stream: {url: 'wss://b.example', secret: b, sets: [place], person: down, failed: down}",
        "    - tag: $place", "    - hangup: served", "  down:", "    - hangup: down",
    )  # fmt: skip
    assert codes_of(plan) == [("RD072", 7)]


def test_a_fork_in_a_circle_is_no_input_and_a_bot_is() -> None:
    def circle(*options: str) -> list[str]:
        inner = ", ".join(("url: 'wss://b.example'", "secret: b", *options))
        plan = lines("ringdown: 1", "flows:", "  main:", "    - answer", "    - goto: more", "  more:",
                     f"    - stream: {{{inner}}}", "    - goto: more", "  down:", "    - hangup: down")  # fmt: skip
        return [code for code, _ in codes_of(plan)]

    assert "RD051" in circle("fork: both")
    assert circle("person: down", "failed: down") == []
    assert "RD051" in circle("person: down", "failed: more")
