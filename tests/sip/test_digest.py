"""Digest: the RFCs' examples, algorithm choice, hostile fields, stateless nonces."""

from __future__ import annotations

from hashlib import md5

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LocalError, ProtocolError
from engine.ids import Tokens
from engine.limits import nonce_ms_max
from engine.sip import digest
from engine.sip.events import Credentials

KEY = bytes(range(32))
# RFC 7616 §3.9.1
REALM = "http-auth@example.org"
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RFC7616 = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}


def header(algorithm: str, response: str) -> str:
    return (
        f'Digest username="Mufasa", realm="{REALM}", uri="/dir/index.html", algorithm={algorithm}, nonce="{NONCE}", '
        f'nc=00000001, cnonce="{CNONCE}", qop=auth, response="{response}", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )


@pytest.mark.parametrize(("algorithm", "response"), RFC7616.items())
def test_rfc_7616_example(algorithm: str, response: str) -> None:
    credentials = digest.parse_credentials(header(algorithm, response), "GET")
    assert credentials is not None and credentials.method == "GET"
    secrets = digest.ha1("Mufasa", REALM, "Circle of Life")
    assert digest.verify(credentials, secrets, "GET")
    assert not digest.verify(credentials, secrets, "POST")
    assert not digest.verify(credentials, digest.ha1("Mufasa", REALM, "circle of life"), "GET")


def test_rfc_2617_example() -> None:
    credentials = digest.parse_credentials(
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", '
        'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert credentials is not None and credentials.algorithm == "MD5"
    assert digest.verify(credentials, digest.ha1("Mufasa", "testrealm@host.com", "Circle Of Life"), "GET")


def test_without_qop_as_rfc_2069() -> None:
    def h(text: str) -> str:
        return md5(text.encode()).hexdigest()

    answer = h(f"{h('u:r:p')}:n:{h('REGISTER:sip:x')}")
    credentials = Credentials("u", "r", "n", "sip:x", answer)
    assert digest.verify(credentials, digest.ha1("u", "r", "p"), "REGISTER")


def test_session_algorithms_by_hand() -> None:
    def h(text: str) -> str:
        return md5(text.encode()).hexdigest()

    answer = h(f"{h(h('u:r:p') + ':n:c')}:n:00000001:c:auth:{h('REGISTER:sip:x')}")
    credentials = Credentials("u", "r", "n", "sip:x", answer, "MD5-sess", "auth", "c", "00000001")
    assert digest.verify(credentials, digest.ha1("u", "r", "p"), "REGISTER")


@pytest.mark.parametrize("change", [
    {"algorithm": "SHA-512-256"}, {"algorithm": ""}, {"qop": "auth-int"}, {"cnonce": ""}, {"nc": ""}, {"nonce": "x"},
    {"uri": "/other"}, {"response": ""}, {"response": "é" * 32}, {"qop": ""}, {"algorithm": "SHA-256"},
])
def test_verify_refuses(change: dict[str, str]) -> None:
    good = digest.parse_credentials(header("MD5", RFC7616["MD5"]))
    assert good is not None
    secrets = digest.ha1("Mufasa", REALM, "Circle of Life")
    assert digest.verify(good, secrets, "GET")
    assert not digest.verify(msgspec.structs.replace(good, **change), secrets, "GET")


def test_verify_without_the_hash_that_was_used() -> None:
    sha = digest.parse_credentials(header("SHA-256", RFC7616["SHA-256"]))
    assert sha is not None
    secrets = digest.ha1("Mufasa", REALM, "Circle of Life")
    assert not digest.verify(sha, {"MD5": secrets["MD5"]}, "GET")


def test_parse_credentials_fields() -> None:
    parsed = digest.parse_credentials(
        'DIGEST  username = "a\\"b, c",realm=r,nonce="n=",uri="sip:x,y",response=AB, qop="auth"'
    )
    assert parsed == Credentials('a"b, c', "r", "n=", "sip:x,y", "ab", qop="auth")
    assert digest.parse_credentials("NoOneKnowsThisScheme opaque-data=here") is None
    assert digest.parse_credentials("") is None


@pytest.mark.parametrize("text", ["Digest", 'Digest username="a"', 'Digest username="a, realm=b',
                                  'Digest username=a, realm=b, nonce=c, uri=d'])
def test_parse_credentials_refuses(text: str) -> None:
    with pytest.raises(ProtocolError):
        digest.parse_credentials(text)


def test_challenges_strongest_first() -> None:
    first, second = digest.challenges("acme", "abc", stale=True)
    assert first == 'Digest realm="acme", nonce="abc", algorithm=SHA-256, qop="auth", stale=TRUE'
    assert "algorithm=MD5" in second
    assert "stale" not in digest.challenges("acme", "abc")[0]
    with pytest.raises(LocalError):
        digest.challenges("a\r\nb", "abc")


SHA = 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth,auth-int", opaque="o\\"o"'
PLAIN = 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'
SESS = 'Digest realm="r", nonce="n", algorithm=SHA-256-sess, qop="auth"'
OLD = 'Digest realm="r", nonce="n"'
OLD_SESS = 'Digest realm="r", nonce="n", algorithm=MD5-sess'


@pytest.mark.parametrize(("challenge", "algorithm"), [
    ([PLAIN, SHA], "SHA-256"), ([SHA, PLAIN], "SHA-256"), ([f"{PLAIN}, {SHA}"], "SHA-256"), (PLAIN, "MD5"),
    (f"Basic realm=x, {SESS}", "SHA-256-sess"), (OLD, "MD5"), (OLD_SESS, "MD5-sess"),
    ([SHA.replace("SHA-256", "SHA-512-256"), OLD], "MD5"), ([SHA.replace("auth,auth-int", "auth-int"), PLAIN], "MD5"),
])
def test_what_we_answer_verifies(challenge: str | list[str], algorithm: str) -> None:
    value = digest.respond(challenge, 'ali"ce', "pass:wörd", "INVITE", "sip:b@y", Tokens(KEY))
    credentials = digest.parse_credentials(value)
    assert credentials is not None
    assert (credentials.algorithm, credentials.username) == (algorithm, 'ali"ce')
    assert digest.verify(credentials, digest.ha1('ali"ce', "r", "pass:wörd"), "INVITE")
    assert not digest.verify(credentials, digest.ha1('ali"ce', "r", "password"), "INVITE")


def test_respond_details() -> None:
    value = digest.respond(SHA, "a", "p", "INVITE", "sip:b", Tokens(KEY), nonce_count=10)
    assert 'opaque="o\\"o"' in value and "qop=auth, nc=0000000a" in value
    assert "qop" not in digest.respond(OLD, "a", "p", "INVITE", "sip:b", Tokens(KEY))
    assert "algorithm" not in digest.respond(OLD, "a", "p", "INVITE", "sip:b", Tokens(KEY))
    with pytest.raises(LocalError):
        digest.respond(OLD, "a\r\nX: y", "p", "INVITE", "sip:b", Tokens(KEY))


@pytest.mark.parametrize("challenge", [
    "", [], "Basic realm=x", 'Digest realm="r"', 'Digest nonce="n"', 'Digest realm="r", nonce="n", qop="auth-int"',
    'Digest realm="r", nonce="n", algorithm=X',
])
def test_challenges_that_nobody_can_answer(challenge: str | list[str]) -> None:
    with pytest.raises(ProtocolError):
        digest.respond(challenge, "a", "p", "INVITE", "sip:b", Tokens(KEY))


def test_nonce_life() -> None:
    nonce = digest.make_nonce(KEY, 1_000)
    assert digest.check_nonce(KEY, nonce, 1_000) == "good"
    assert digest.check_nonce(KEY, nonce, 1_000 + nonce_ms_max) == "good"
    assert digest.check_nonce(KEY, nonce, 1_001 + nonce_ms_max) == "stale"
    assert digest.check_nonce(KEY, nonce, 999) == "stale"  # an earlier clock: a restart
    assert digest.check_nonce(bytes(32), nonce, 1_000) == "unknown"
    assert digest.make_nonce(KEY, 1_001) != nonce


@pytest.mark.parametrize("forged", ["", "x", "0" * 44, "é" * 44, "zz"])
def test_nonces_that_were_never_made(forged: str) -> None:
    assert digest.check_nonce(KEY, forged, 0) == "unknown"


def test_a_changed_nonce_is_unknown() -> None:
    nonce = digest.make_nonce(KEY, 123_456_789)
    for place in range(len(nonce)):
        other = nonce[:place] + ("0" if nonce[place] != "0" else "1") + nonce[place + 1:]
        assert digest.check_nonce(KEY, other, 123_456_789) == "unknown"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text('Digest basic="\\,user namrolcpw5<é\t', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for attempt in (digest.parse_credentials, digest.parse_challenges):
        try:
            attempt(text)
        except ProtocolError as error:
            assert error.status_hint == 400
