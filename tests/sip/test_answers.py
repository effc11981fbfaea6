"""Stateless answers."""

from __future__ import annotations

from engine.sip.answers import challenge_headers, reply_now, stateless_tag
from engine.sip.parser import parse
from tests.sip.wire import PHONE, Rig, request


def test_the_same_request_gets_the_same_bytes() -> None:
    rig = Rig()
    core = rig.endpoint.core
    for _ in range(2):
        reply_now(core, parse(request("OPTIONS")), PHONE, 405)
    first, second = rig.sent()
    assert first.headers == second.headers and first.to.tag
    tag = stateless_tag(core, parse(request("OPTIONS")))
    assert tag != stateless_tag(core, parse(request("OPTIONS", branch="z9hG4bKq")))
    other = Rig(key=b"z" * 32).endpoint.core
    assert tag != stateless_tag(other, parse(request("OPTIONS"))), "a stranger can't guess it"


def test_acks_are_never_answered() -> None:
    rig = Rig()
    reply_now(rig.endpoint.core, parse(request("ACK")), PHONE, 481)
    assert rig.sent() == []


def test_challenges_share_one_nonce() -> None:
    rig = Rig()
    headers = challenge_headers(rig.endpoint.core, "acme", rig.now, stale=False)
    nonces = {value.split('nonce="')[1].split('"')[0] for _, value in headers}
    assert [name for name, _ in headers] == ["www-authenticate"] * 2 and len(nonces) == 1
