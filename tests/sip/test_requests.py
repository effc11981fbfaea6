"""How our requests look: Via, Contact, routes, sequence, credentials."""

from __future__ import annotations

from engine.sip.events import Path
from engine.sip.parser import parse
from engine.sip.requests import answer_challenge, ask, contact_value, dialog_headers, via_value, write
from engine.sip.session import Phase, Session
from engine.sip.transaction import State
from tests.sip.test_dialog import dialog
from tests.sip.wire import PHONE, STREAM, Rig, request, response

FAR = Path(1, "8.8.8.8", 5060)


def test_via_and_contact_show_what_the_far_end_can_reach() -> None:
    rig = Rig()
    core = rig.endpoint.core
    assert via_value(core, PHONE)[0].startswith("SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK")
    assert via_value(core, FAR)[0].startswith("SIP/2.0/UDP 203.0.113.2:5070;branch=z9hG4bK")
    assert via_value(core, FAR)[0].endswith(";rport") and via_value(core, FAR)[1] != via_value(core, FAR)[1]
    assert contact_value(core, PHONE, "a b") == "<sip:a%20b@10.0.0.2:5060>"
    assert contact_value(core, FAR, "") == "<sip:203.0.113.2:5070>"
    assert contact_value(core, STREAM, "x") == "<sip:x@10.0.0.2:5060;transport=tcp>"
    assert rig.endpoint.contact_host(FAR) == "203.0.113.2" and rig.endpoint.contact_host(PHONE) == "10.0.0.2"


def test_ipv6_hosts_get_brackets() -> None:
    from engine.ids import Tokens
    from engine.sip.endpoint import Endpoint

    endpoint = Endpoint(Tokens(b"x" * 32))
    endpoint.listen(1, "UDP", "2001:db8::2", 5060, "", 0, ())
    path = Path(1, "2001:db8::9", 5060)
    assert contact_value(endpoint.core, path, "x") == "<sip:x@[2001:db8::2]:5060>"
    assert "UDP [2001:db8::2]:5060;" in via_value(endpoint.core, path)[0]


def test_dialog_headers_by_method() -> None:
    rig = Rig()
    session = Session(1, Phase.CONFIRMED, True, dialog(routes=["<sip:p;lr>"]), "<sip:me>")
    uri, headers = dialog_headers(rig.endpoint.core, session, "INVITE", 7)
    names = [name for name, _ in headers]
    assert uri == "sip:bob@10.0.0.9:5060" and ("route", "<sip:p;lr>") in headers and ("cseq", "7 INVITE") in headers
    assert "contact" in names and "user-agent" in names
    names = [name for name, _ in dialog_headers(rig.endpoint.core, session, "BYE", 8)[1]]
    assert "contact" not in names
    assert "user-agent" not in [name for name, _ in dialog_headers(rig.endpoint.core, session, "ACK", 7)[1]]


def test_each_request_takes_the_next_cseq() -> None:
    rig = Rig()
    core = rig.endpoint.core
    session = Session(1, Phase.CONFIRMED, True, dialog(local_cseq=41), "<sip:me>")
    for expected in (42, 43):
        tx = ask(core, session, "INFO", "info", 1, rig.now)
        assert tx is not None and tx.asked is not None and tx.asked.cseq == expected
    assert [message.cseq[0] for message in rig.sent()] == [42, 43]


def test_no_way_to_the_far_end_breaks_at_once() -> None:
    rig = Rig()
    session = Session(1, Phase.CONFIRMED, True, dialog(path=Path(5, "a.name", 1, "tcp"), target="sip:x@b.name"), "<x>")
    tx = ask(rig.endpoint.core, session, "INFO", "info", 1, rig.now)
    assert tx is not None and tx.state == State.TERMINATED and not rig.endpoint.core.transactions


def test_long_requests_take_an_open_stream() -> None:
    rig = Rig()
    rig.open()
    headers = [("from", "<sip:a>;tag=1"), ("to", "<sip:b>"), ("call-id", "1"), ("cseq", "1 INFO")]
    _, _, path = write(rig.endpoint.core, "INFO", "sip:b", PHONE, headers, b"x" * 1_300)
    assert path == STREAM
    _, _, path = write(rig.endpoint.core, "INFO", "sip:b", PHONE, headers, b"x" * 100)
    assert path == PHONE
    data, branch, path = write(rig.endpoint.core, "INFO", "sip:b", FAR, headers, b"x" * 1_300)
    assert path == FAR and parse(data).via.branch == branch


def test_challenges_need_a_secret_and_progress() -> None:
    rig = Rig()
    core = rig.endpoint.core
    message = parse(response(parse(request("INVITE")), 401, extra=('WWW-Authenticate: Digest realm="r", nonce="n"',)))
    assert answer_challenge(core, message, None, "INVITE", "sip:x", 0) is None
    name, value = answer_challenge(core, message, ("u", "p"), "INVITE", "sip:x", 0) or ("", "")
    assert name == "authorization" and value.startswith("Digest ")
    assert answer_challenge(core, message, ("u", "p"), "INVITE", "sip:x", 1) is None, "not stale: wrong password"
    assert answer_challenge(core, message, ("u", "p"), "INVITE", "sip:x", 3) is None
