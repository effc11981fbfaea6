"""lookups.yaml: what it holds when it is right, and the line of every mistake."""

from __future__ import annotations

import pytest

from engine.dialplan.lookups import LookupField
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with, lines

PLAN = lines("ringdown: 1", "flows:", "  main:", "    - answer", "    - hangup: served")
GOOD = lines(
    "check_pin:",
    "  about: Is this his PIN?",
    "  post: https://crm.example/pin",
    "  send: {account: $account, pin: '$pin', fixed: a b}",
    "  auth: secret crm_token",
    "  returns: {ok: flag = no}",
    "customer:",
    "  get: https://crm.example:8443/accounts/$account?lang=$call.language",
    "  auth: {secret: crm_token, header: X-Api-Key}",
    "  timeout: 500ms",
    "  cache: 5min",
    "  returns:",
    "    tier: choice standard vip = standard",
    "    balance: {type: number sensitive, from: account.balance}",
    "    flags.blocked: flag = no",
)


def read(text: str) -> tuple[object, list[tuple[str, int]]]:
    site, findings = read_site(files_with({"lookups.yaml": text, "dialplans/main.yaml": PLAN}), STOCK)
    return site, [(each.code, each.line) for each in findings]


def codes(*text: str) -> list[tuple[str, int]]:
    return read(lines(*text))[1]


def test_a_whole_file() -> None:
    site, findings = read_site(files_with({"lookups.yaml": GOOD, "dialplans/main.yaml": PLAN}), STOCK)
    assert findings == [] and site is not None
    pin, customer = site.lookups["default/check_pin"], site.lookups["default/customer"]
    assert (pin.method, pin.secret, pin.scheme, pin.header) == ("POST", "crm_token", "bearer", "")
    assert pin.timeout_ms == 2_000 and pin.cache_ms == 0
    assert pin.send == {
        "account": (("value", "account"),), "pin": (("value", "pin"),), "fixed": (("text", "a b"),)
    }  # fmt: skip
    assert customer.url == (
        ("text", "https://crm.example:8443/accounts/"), ("value", "account"), ("text", "?lang="),
        ("value", "call.language"),
    )  # fmt: skip
    assert (customer.method, customer.header, customer.timeout_ms, customer.cache_ms) == (
        "GET", "X-Api-Key", 500, 300_000,
    )  # fmt: skip
    assert customer.fields == (
        LookupField("customer.tier", ("tier",), "choice standard vip", False, "standard"),
        LookupField("customer.balance", ("account", "balance"), "number", True),
        LookupField("flags.blocked", ("blocked",), "flag", False, "no"),
    )


def test_each_tenant_has_its_own() -> None:
    files = files_with({
        "tenants/press/tenant.yaml": "name: Press\n", "tenants/press/lookups.yaml": GOOD, "lookups.yaml": GOOD,
    })  # fmt: skip
    site, findings = read_site(files, STOCK)
    assert findings == [] and site is not None
    assert sorted(site.lookups) == ["default/check_pin", "default/customer", "press/check_pin", "press/customer"]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (("a:", "  returns: {x: text}"), "RD022", 1),
        (("a:", "  get: https://a/b", "  post: https://a/b"), "RD022", 1),
        (("a:", "  gett: https://a/b", "  get: https://a/b"), "RD021", 2),
        (("A:", "  get: https://a/b"), "RD027", 1),
        (("call:", "  get: https://a/b"), "RD027", 1),
        (("a:", "  get: ftp://a/b"), "RD141", 2),
        (("a:", "  get: crm.example/b"), "RD141", 2),
        (("a:", "  get: https://$host/b"), "RD141", 2),
        (("a:", "  get: https://a$host/b"), "RD141", 2),
        (("a:", "  get: https://a:80$x/b"), "RD141", 2),
        (("a:", "  get: https://a:99999/b"), "RD141", 2),
        (("a:", "  get: https://[/b"), "RD141", 2),
        (("a:", "  get: '$x'"), "RD141", 2),
        (("a:", "  get: 'https://a/b#c'"), "RD141", 2),
        (("a:", "  get: https://a/b/$"), "RD071", 2),
        (("a:", "  get: https://me:word@a/b"), "RD080", 2),
        (("a:", "  get: https://a/b", "  auth: abc"), "RD080", 3),
        (("a:", "  get: https://a/b", "  auth: {secret: 'a b'}"), "RD080", 3),
        (("a:", "  get: https://a/b", "  auth: {scheme: basic}"), "RD022", 3),
        (("a:", "  get: https://a/b", "  auth: {secret: x, scheme: digest}"), "RD024", 3),
        (("a:", "  get: https://a/b", "  auth: {secret: x, header: 'A: b'}"), "RD024", 3),
        (("a:", "  get: https://a/b", "  auth: {secret: x, scheme: basic, header: A}"), "RD024", 3),
        (("a:", "  get: https://a/b", "  timeout: 11s"), "RD024", 3),
        (("a:", "  get: https://a/b", "  cache: 2h"), "RD024", 3),
        (("a:", "  get: https://a/b", "  returns: {x: nothing}"), "RD073", 3),
        (("a:", "  get: https://a/b", "  returns: {x: number = z}"), "RD073", 3),
        (("a:", "  get: https://a/b", "  returns: {X: number}"), "RD027", 3),
        (("a:", "  get: https://a/b", "  returns: {system.x: number}"), "RD027", 3),
        (("a:", "  get: https://a/b", "  returns: {yes: number}"), "RD027", 3),
        (("a:", "  get: https://a/b", "  returns: {x: {from: y}}"), "RD022", 3),
        (("a:", "  get: https://a/b", "  returns: {x: {type: text, from: 'a..b'}}"), "RD024", 3),
        (("a:", "  get: https://a/b", "  returns: {x: {type: text, of: b}}"), "RD021", 3),
        (("a:", "  get: http://crm.example/b", "  auth: secret x"), "RD143", 2),
        (("a:", "  get: https://a/b", "  returns: {flags.x: flag}", "b:", "  get: https://a/b",
          "  returns: {flags.x: flag}"), "RD009", 4),
    ],
)  # fmt: skip
def test_a_mistake_has_its_line(text: tuple[str, ...], code: str, line: int) -> None:
    assert codes(*text) == [(code, line)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:80/x"])
def test_this_machine_may_be_asked_in_clear(url: str) -> None:
    assert codes("a:", f"  get: '{url}'", "  auth: secret x") == []


def test_a_dollar_is_written_twice() -> None:
    site, found = read("a:\n  get: https://a/$$b\n")
    assert found == [] and site.lookups["default/a"].url == (("text", "https://a/$b"),)  # type: ignore[attr-defined]
