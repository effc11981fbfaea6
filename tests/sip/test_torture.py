"""All 49 messages of RFC 4475 and what each must lead to, at the level of parse and answer.

`verdict` says what a user agent and registrar that knows our methods, `application/sdp` and digest has to do with the
message; 200 stands for "process it" and 0 for "drop it". Some rows allow more than one answer: the RFC does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ProtocolError
from engine.sip import digest, writer
from engine.sip.message import METHODS, Message
from engine.sip.parser import parse, salvage
from engine.sip.stream import Framer
from engine.sip.uri import parse_uri

FOLDER = Path(__file__).parents[1] / "vectors" / "rfc4475"

EXPECTED = {
    # 3.1.1 valid messages
    "wsinv": 200, "intmeth": 405, "esc01": 200, "escnull": 200, "esc02": 405, "lwsdisp": 200, "longreq": 200,
    "dblreq": 200, "semiuri": 200, "transports": 200, "mpart01": 200, "unreason": 200, "noreason": 200,
    # 3.1.2 invalid messages; badaspec, baddn and baddate may be taken by a lenient element, and are
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "scalarlg": 0, "quotbal": 400, "ltgtruri": 400,
    "lwsruri": 400, "lwsstart": 400, "trws": 400, "escruri": 400, "baddate": 200, "regbadct": 400, "badaspec": 200,
    "baddn": 200, "badvers": 505, "mismatch01": 400, "mismatch02": 400, "bigcode": 0,
    # 3.2 transaction layer: without a usable branch it is matched as RFC 2543 did
    "badbranch": 200,
    # 3.3 application layer; zeromf ends at us, so it is processed
    "insuf": 400, "unkscm": 416, "novelsc": 416, "unksm2": 400, "bext01": 420, "invut": 415, "regaut01": 401,
    "multi01": 400, "mcl01": 400, "bcast": 0, "zeromf": 200, "cparam01": 200, "cparam02": 200, "regescrt": 200,
    "sdp01": 406,
    # 3.4 backward compatibility
    "inv2543": 200,
}
# Name -> why it isn't handled as the RFC asks. Printed by test_expected_failures.
EXPECTED_FAILURES: dict[str, str] = {}


def verdict(data: bytes) -> int:
    try:
        message = parse(data)
    except ProtocolError as error:
        return 0 if data.startswith(b"SIP/2.0") else error.status_hint
    if not message.is_request:
        return 200 if len(message.vias) == 1 else 0  # RFC 3261 §8.1.3.3
    try:
        return _answer(message)
    except ProtocolError as error:
        return error.status_hint


def _answer(message: Message) -> int:
    """RFC 3261 §8.2: method, then header fields, then content."""
    if message.method not in METHODS:
        return 405
    if parse_uri(message.uri).scheme not in ("sip", "sips", "tel"):
        return 416
    if message.to.parts is None or message.to.parts.scheme not in ("sip", "sips", "tel"):
        return 400
    if message.all("require"):
        return 420
    assert all(contact.uri for contact in message.contacts)
    if message.method == "INVITE":
        if message.body and message.content_type != "application/sdp":
            return 415
        if "accept" in message.index and "application/sdp" not in message.all("accept"):
            return 406
    authorization = message.get("authorization")
    if authorization is not None and digest.parse_credentials(authorization) is None:
        return 401
    return 200


def load(name: str) -> bytes:
    return (FOLDER / f"{name}.dat").read_bytes()


def test_all_49_are_here() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in FOLDER.glob("*.dat"))
    assert len(EXPECTED) == 49


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict(name: str) -> None:
    if name in EXPECTED_FAILURES:
        pytest.xfail(EXPECTED_FAILURES[name])
    assert verdict(load(name)) == EXPECTED[name]


def test_expected_failures(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        for name, reason in EXPECTED_FAILURES.items():
            print(f"RFC 4475 {name}: expected failure: {reason}")
    assert EXPECTED_FAILURES.keys() <= EXPECTED.keys()


@pytest.mark.parametrize("name", [name for name, status in EXPECTED.items() if status >= 400])
def test_every_refusal_can_be_answered(name: str) -> None:
    data = load(name)
    message = salvage(data)
    assert message is not None
    message.stamp("192.0.2.77", 5060)
    reply = writer.response(message, EXPECTED[name], to_tag="t")
    assert reply.startswith(b"SIP/2.0 %d " % EXPECTED[name])
    if name != "insuf":  # nothing but Via and CSeq could be copied
        assert parse(reply.replace(b'To: "Mr.', b"To: Mr.").replace(b"CSeq: 36893488147419103232", b"CSeq: 1")).status


@pytest.mark.parametrize("name", [name for name, status in EXPECTED.items() if status == 200])
def test_every_valid_request_is_answered_with_its_own_headers(name: str) -> None:
    message = parse(load(name))
    if not message.is_request:
        return
    reply = parse(writer.response(message, 200, to_tag="t"), datagram=False)
    assert (reply.all("via"), reply.get("from"), reply.call_id) == (
        message.all("via"), message.get("from"), message.call_id
    )
    assert (reply.cseq, reply.to.uri) == (message.cseq, message.to.uri)


def test_wsinv_in_detail() -> None:
    message = parse(load("wsinv"))
    assert message.uri == "sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert (message.to.uri, message.to.tag) == ("sip:vivekg@chair-dnrc.example.com", "1918181833n")
    assert (message.from_.display, message.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert (message.max_forwards, message.cseq) == (68, (9, "INVITE"))
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"), ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.get("subject") == ""
    assert message.get("newfangledheader") == "newfangled value continued newfangled value"
    assert message.routes[0].parts is not None and "lr" in message.routes[0].parts.params
    assert message.contacts[0].params == {"newparam": "newvalue", "secondparam": "", "q": "0.33"}
    assert len(message.body) == 150


def test_odd_but_valid_parts() -> None:
    assert parse(load("intmeth")).from_.display == "token1~` token2'+_ token3*%!.-"
    assert parse(load("intmeth")).to.display == "BEL:\x07 NUL:\0 DEL:\x7f"
    esc01 = parse(load("esc01"))
    assert (parse_uri(esc01.uri).user, esc01.to.user) == ("sips:user@example.com", "user")
    assert esc01.contacts[0].parts is not None and esc01.contacts[0].parts.params == {"lr": "", "name": "value%41"}
    assert [contact.user for contact in parse(load("escnull")).contacts] == ["\0", "\0\0"]
    assert parse(load("semiuri")).uri.startswith("sip:user;par=")
    assert parse_uri(parse(load("semiuri")).uri).user == "user;par=u@example.net"
    assert len(parse(load("esc02")).contacts) == 2
    assert "unknownparam" in parse(load("cparam01")).contacts[0].params
    assert parse(load("cparam02")).contacts[0].params == {}
    escaped_route = parse_uri("sip:user@example.com?Route=%3Csip:sip.example.com%3E")
    assert parse(load("regescrt")).contacts[0].parts == escaped_route
    assert len(parse(load("longreq")).vias) == 34
    assert not parse(load("badbranch")).via.has_magic
    assert parse(load("unreason")).phrase.startswith("= 2**3 * 5**2 но сто")
    assert (parse(load("noreason")).phrase, parse(load("mpart01")).body[:4]) == ("", b"--7a")


def test_dblreq_is_one_datagram_but_two_messages_on_a_stream() -> None:
    assert parse(load("dblreq")).body == b""
    first, second = [item for item in Framer().feed(load("dblreq")) if isinstance(item, bytes)]
    assert (parse(first, datagram=False).method, parse(second, datagram=False).method) == ("REGISTER", "INVITE")
