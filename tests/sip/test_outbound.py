"""RFC 5626: flows of a phone at our registrar, dialogs that follow it, and our own flow at a carrier's."""

from __future__ import annotations

import re

import pytest

from engine.sip import outbound
from engine.sip.account import Life
from engine.sip.events import Connect, Enrolled, Path, Qualified, Rejected
from engine.sip.headers import parse_name_addr
from engine.sip.message import Message
from tests.sip.test_registrar import accepted, register
from tests.sip.wire import SDP, STREAM, Rig, request, response

URN = '+sip.instance="<urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128>"'
SECOND = Path(1_000_002, STREAM.host, STREAM.port + 1, "tcp")
KNOWS = "Supported: path, outbound"
CARRIER = Path(0, "198.51.100.7", 5061, "tls", "sip.carrier.test")


def flow(number: int | str, port: int = 5060) -> str:
    return f"<sip:200@192.168.1.5:{port};transport=tcp>;{URN};reg-id={number}"


@pytest.mark.parametrize(("text", "number"), [
    ("1", 1), ("2147483647", 2_147_483_647), ("2147483648", 0), ("0", 0), ("x", 0), ("-1", 0), ("", 0), ("١", 0),
    ("99999999999999999999", 0),
])  # fmt: skip
def test_reg_ids(text: str, number: int) -> None:
    assert outbound.reg_id(parse_name_addr(f"<sip:a@h>;{URN};reg-id={text}")) == number
    assert outbound.reg_id(parse_name_addr(f"<sip:a@h>;reg-id={text}")) == 0  # without an instance it means nothing


def test_a_flow_is_acknowledged_and_its_keep_alive_named() -> None:
    rig = Rig()
    rig.open()
    answer = accepted(rig, register(flow(1), 1, KNOWS, transport="TCP"), STREAM)
    assert answer.status == 200 and answer.has_option("require", "outbound")
    assert answer.index["flow-timer"] == str(outbound.FLOW_TIMER_S)
    datagram = accepted(rig, register(flow(2), 2, KNOWS))
    assert datagram.has_option("require", "outbound") and "flow-timer" not in datagram.index
    silent = accepted(rig, register(flow(3), 3))  # who doesn't know it mustn't be told to require it
    assert "require" not in silent.index


def test_each_flow_of_a_phone_is_a_binding_and_a_new_one_takes_its_place() -> None:
    rig = Rig()
    rig.open()
    rig.open(SECOND)
    accepted(rig, register(flow(1), 1, KNOWS, transport="TCP"), STREAM)
    accepted(rig, register(flow(2), 2, KNOWS, transport="TCP"), SECOND)
    assert [(each.reg_id, each.path) for each in rig.endpoint.bindings("acme", "200")] == [(2, SECOND), (1, STREAM)]
    third = Path(1_000_003, STREAM.host, 9, "tcp")
    rig.open(third)
    accepted(rig, register(flow(1, 7_000), 3, KNOWS, transport="TCP", call_id="anew"), third)
    assert [(each.reg_id, each.path) for each in rig.endpoint.bindings("acme", "200")] == [(1, third), (2, SECOND)]
    rig.events()
    rig.endpoint.flow_closed(SECOND.flow, rig.now)
    assert rig.one(Qualified).reachable is False
    assert [each.reachable for each in rig.endpoint.bindings("acme", "200")] == [True, False]


def test_two_flows_at_once_and_a_proxy_without_outbound() -> None:
    rig = Rig()
    assert accepted(rig, register(f"{flow(1)}, {flow(2)}", 1, KNOWS)).status == 400
    more = "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKx"
    assert accepted(rig, register(flow(1), 2, KNOWS, more)).status == outbound.FIRST_HOP_LACKS_OUTBOUND
    assert accepted(rig, register(flow(1), 3, KNOWS, more, "Path: <sip:edge;lr>")).status == 439
    assert accepted(rig, register(flow(1), 4, KNOWS, more, "Path: <sip:edge;lr;ob>")).status == 200
    assert accepted(rig, register(flow(1), 5, more)).status == 200  # it doesn't ask for the extension


def test_a_call_follows_the_phone_to_its_new_flow() -> None:
    """The NAT, or the engine's restart, has cut the connection; audio goes on, and so does the dialog."""
    rig = Rig()
    rig.open()
    accepted(rig, register(flow(1), 1, KNOWS, transport="TCP"), STREAM)
    session, _ = rig.incoming(STREAM, transport="TCP", contact="<sip:200@192.168.1.5;transport=tcp;ob>")
    rig.endpoint.answer(session, SDP, rig.now)
    (ok,) = rig.sent()
    rig.feed(request("ACK", to_tag=ok.to.tag, transport="TCP"), STREAM)
    rig.endpoint.flow_closed(STREAM.flow, rig.now)
    rig.open(SECOND)
    accepted(rig, register(flow(1), 2, KNOWS, transport="TCP"), SECOND)
    assert rig.endpoint.session_path(session) == SECOND
    rig.endpoint.hang_up(session, rig.now)
    (bye,) = rig.sent()
    assert bye.method == "BYE" and rig.raw[0].path == SECOND  # type: ignore[union-attr]


def test_of_phones_behind_one_proxy_only_the_one_that_moves_takes_its_calls_along() -> None:
    """Both are reached by the proxy's connection; one of them registers by another."""
    rig = Rig()
    rig.open()
    other_urn = URN.replace("0c67446e", "1d78557f")
    other = f"<sip:200@192.168.1.6:5060;transport=tcp>;{other_urn};reg-id=1"
    accepted(rig, register(flow(1), 1, KNOWS, transport="TCP"), STREAM)
    accepted(rig, register(other, 1, KNOWS, transport="TCP", call_id="other"), STREAM)
    calls = []
    for number, contact in enumerate(("<sip:200@192.168.1.5:5060;transport=tcp;ob>", "<sip:200@192.168.1.6:5060>")):
        session, _ = rig.incoming(STREAM, transport="TCP", contact=contact, call_id=f"call-{number}",
                                  branch=f"z9hG4bKcall{number}")  # fmt: skip
        rig.endpoint.answer(session, SDP, rig.now)
        rig.sent()
        calls.append(session)
    rig.open(SECOND)
    accepted(rig, register(flow(1, 7_000).replace(":7000", ":5060"), 2, KNOWS, transport="TCP"), SECOND)
    assert [rig.endpoint.session_path(each) for each in calls] == [SECOND, STREAM]
    accepted(rig, register(other, 2, KNOWS, transport="TCP", call_id="other"), SECOND)
    assert rig.endpoint.session_path(calls[1]) == SECOND


def test_430_makes_the_flow_unreachable() -> None:
    rig = Rig()
    accepted(rig, register(flow(1), 1, KNOWS))
    (binding,) = rig.endpoint.bindings("acme", "200")
    session = rig.endpoint.invite(binding.contact, binding.path, rig.now, caller=("", "100", ""), sdp=SDP)
    (invite,) = rig.sent()
    rig.events()
    rig.feed(response(invite, 430))
    said = rig.events()
    assert any(isinstance(each, Rejected) and (each.session, each.status) == (session, 430) for each in said)
    assert [each.reachable for each in said if isinstance(each, Qualified)] == [False]
    assert not rig.endpoint.bindings("acme", "200")[0].reachable


# --- our own flow -------------------------------------------------------------------------------------------------
def enrol(rig: Rig) -> tuple[int, Message]:
    """Begin to register over TLS: (flow, REGISTER)."""
    rig.endpoint.register("acme", "sip:carrier.test", "sip:1@carrier.test", "1", None, (CARRIER,), 600, rig.now)
    rig.sent()
    (connect,) = rig.raw
    assert isinstance(connect, Connect) and (connect.transport, connect.name) == ("tls", "sip.carrier.test")
    rig.endpoint.flow_opened(Path(connect.flow, "198.51.100.7", 5061, "tls", "sip.carrier.test"), rig.now)
    (asked,) = rig.sent()
    return connect.flow, asked


def take(rig: Rig, asked: Message, *extra: str) -> None:
    contact = f"Contact: {asked.index['contact']};expires=600"
    rig.feed(response(asked, 200, contact="", extra=(contact, *extra)))


def test_we_name_our_instance_and_come_back_when_the_flow_is_lost() -> None:
    rig = Rig()
    flow_id, asked = enrol(rig)
    contact = asked.contacts[0]
    assert contact.params["reg-id"] == "1" and asked.has_option("supported", "outbound")
    urn = re.fullmatch(r'"<urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}>"',
                       contact.params["+sip.instance"])  # fmt: skip
    assert urn is not None and "ob" not in (contact.parts.params if contact.parts else {})
    take(rig, asked, "Require: outbound")
    assert rig.one(Enrolled).change == "registered"
    rig.endpoint.invite("sip:5@carrier.test", CARRIER, rig.now, caller=("", "1", ""), sdp=SDP)
    (invite,) = rig.sent()
    assert rig.raw[0].path.flow == flow_id  # type: ignore[union-attr]
    assert ";ob>" in invite.index["contact"] and invite.via.transport == "TLS"
    rig.endpoint.flow_closed(flow_id, rig.now)
    rig.sent()
    (account,) = rig.endpoint.accounts()
    assert account.life == Life.HELD and not account.outbound
    rig.advance(1_000)
    assert account.life == Life.RENEWING and account.flow not in (0, flow_id)
    again = Rig()
    assert enrol(again)[1].contacts[0].params["+sip.instance"] == contact.params["+sip.instance"]


def test_a_flow_that_is_lost_while_it_rests_does_not_end_the_rest() -> None:
    """RFC 5626 §4.5: a carrier whose connections come and go isn't asked again with each of them."""
    rig = Rig()
    flow_id, asked = enrol(rig)
    take(rig, asked, "Require: outbound")
    (account,) = rig.endpoint.accounts()
    _, renewal = rig.next_sent(600_000)
    rig.feed(response(renewal, 500))
    assert account.life == Life.LATE and account.flow == flow_id
    rests_until = rig.endpoint.core.deadlines.at(("enrol", account.id))
    assert rests_until is not None and rests_until >= rig.now + 15_000
    rig.endpoint.flow_closed(flow_id, rig.now)
    assert rig.endpoint.core.deadlines.at(("enrol", account.id)) == rests_until and account.flow == 0
    rig.advance(10_000)
    assert account.life == Life.LATE and account.failures == 1


def test_439_is_answered_by_a_register_without_flows() -> None:
    rig = Rig()
    _, asked = enrol(rig)
    (plain,) = rig.feed(response(asked, 439))
    assert "reg-id" not in plain.contacts[0].params and "supported" not in plain.index
    take(rig, plain)
    assert rig.one(Enrolled).change == "registered"
    rig.endpoint.invite("sip:5@carrier.test", CARRIER, rig.now, caller=("", "1", ""), sdp=SDP)
    (invite,) = rig.sent()
    assert ";ob" not in invite.index["contact"]
    assert asked.cseq[0] + 1 == plain.cseq[0]


def test_over_udp_nothing_of_it_is_said() -> None:
    rig = Rig()
    rig.endpoint.register("a", "sip:c.test", "sip:1@c.test", "1", None, (Path(0, "198.51.100.7", 5060),), 600, rig.now)
    (asked,) = rig.sent()
    assert "reg-id" not in asked.index["contact"] and "supported" not in asked.index
