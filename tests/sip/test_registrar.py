"""The registrar: order, expiry, limits, NAT paths (RFC 3261 §10.3)."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sip import digest
from engine.sip.events import BindingChanged, Path, Qualified, Refused, RegisterRequest
from engine.sip.message import Message
from tests.sip.wire import PHONE, STREAM, Rig, request

NAT = Path(1, "198.51.100.7", 31_007)


def register(
    contact: str = "<sip:200@192.168.1.5:5060>", cseq: int = 1, *extra: str, call_id: str = "reg",
    transport: str = "UDP",
) -> bytes:
    return request(
        "REGISTER", uri="sip:acme.example", branch=f"z9hG4bKr{cseq}{call_id}", call_id=call_id, cseq=cseq,
        contact=contact, extra=("User-Agent: phone/2", *extra), transport=transport,
    )


def accepted(rig: Rig, data: bytes, path: Path = NAT) -> Message:
    assert rig.feed(data, path) == []
    asked = rig.one(RegisterRequest)
    rig.endpoint.accept_register(asked.request, "acme", "200", rig.now)
    (answer,) = rig.sent()
    return answer


def contacts(message: Message) -> list[tuple[str, str]]:
    return [(contact.uri, contact.params["expires"]) for contact in message.contacts]


def test_the_request_says_who_registers() -> None:
    rig = Rig()
    value = 'Authorization: Digest username="200", realm="acme", nonce="n", uri="sip:acme", response="aa"'
    rig.feed(register("<sip:200@x>", 1, value), NAT)
    event = rig.one(RegisterRequest)
    assert (event.user, event.domain, event.path, event.user_agent) == ("100", "10.0.0.2", NAT, "phone/2")
    assert event.credentials is not None and event.credentials.username == "200"


def test_a_binding_keeps_the_path_through_the_nat() -> None:
    rig = Rig()
    answer = accepted(rig, register("<sip:200@192.168.1.5:5060>;expires=120;q=0.5"))
    assert answer.status == 200 and contacts(answer) == [("sip:200@192.168.1.5:5060", "120")]
    assert answer.via.rport == 31_007 and answer.via.received == "198.51.100.7"
    (binding,) = rig.endpoint.bindings("acme", "200")
    assert (binding.path, binding.expires_at_ms, binding.user_agent) == (NAT, rig.now + 120_000, "phone/2")
    assert rig.one(BindingChanged) == BindingChanged("acme", "200", binding.contact, "added", NAT, "phone/2")
    assert rig.endpoint.bindings("acme", "201") == []


@pytest.mark.parametrize(
    ("contact", "extra", "seconds"),
    [
        ("<sip:200@a>", (), limits.register_expires_s_default), ("<sip:200@a>", ("Expires: 900",), 900),
        ("<sip:200@a>;expires=70", ("Expires: 900",), 70),
        ("<sip:200@a>", ("Expires: 999999",), limits.register_expires_s_max),
        ("<sip:200@a>;expires=junk", ("Expires: 900",), 900),
    ],
)
def test_how_long_it_lives(contact: str, extra: tuple[str, ...], seconds: int) -> None:
    assert contacts(accepted(Rig(), register(contact, 1, *extra))) == [("sip:200@a", str(seconds))]


def test_too_brief_is_423() -> None:
    rig = Rig()
    answer = accepted(rig, register("<sip:200@a>;expires=30"))
    assert answer.status == 423 and answer.get("min-expires") == "60" and rig.endpoint.bindings("acme", "200") == []


def test_a_query_lists_all() -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@a>, <sip:200@b>;expires=100"))
    rig.advance(10_500)
    answer = accepted(rig, register("", 2))
    assert contacts(answer) == [("sip:200@b", "90"), ("sip:200@a", "290")]


def test_refresh_is_silent_and_comes_first() -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@a>"))
    accepted(rig, register("<sip:200@b>", 2))
    rig.events()
    accepted(rig, register("<sip:200@a>", 3))
    assert rig.events() == []
    assert [binding.contact for binding in rig.endpoint.bindings("acme", "200")] == ["sip:200@a", "sip:200@b"]


def test_equal_uris_and_instances_are_one_binding() -> None:
    rig = Rig()
    accepted(rig, register('<sip:200@a:5060>;+sip.instance="<urn:uuid:1>"'))
    accepted(rig, register("<SIP:200@A:5060>", 2))
    assert len(rig.endpoint.bindings("acme", "200")) == 1
    rig = Rig()
    accepted(rig, register('<sip:200@a:5060>;+sip.instance="<urn:uuid:1>"'))
    accepted(rig, register('<sip:200@a:9999>;+sip.instance="<urn:uuid:1>"', 2))
    (binding,) = rig.endpoint.bindings("acme", "200")
    assert binding.contact == "sip:200@a:9999" and binding.instance == "<urn:uuid:1>"


def test_another_path_is_moved() -> None:
    rig = Rig()
    accepted(rig, register())
    rig.events()
    elsewhere = Path(1, "198.51.100.8", 4_000)
    rig.feed(register(cseq=2), elsewhere)
    rig.endpoint.accept_register(rig.one(RegisterRequest).request, "acme", "200", rig.now)
    assert rig.one(BindingChanged).change == "moved"
    assert rig.endpoint.bindings("acme", "200")[0].path == elsewhere


def test_expires_0_removes() -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@a>, <sip:200@b>"))
    rig.events()
    answer = accepted(rig, register("<sip:200@a>;expires=0", 2))
    assert contacts(answer) == [("sip:200@b", "300")] and rig.one(BindingChanged).change == "removed"
    accepted(rig, register("<sip:200@nobody>;expires=0", 3))
    assert rig.events() == []


def test_removing_what_is_not_there_leaves_nothing() -> None:
    rig = Rig()
    answer = accepted(rig, register("<sip:200@a>;expires=0"))
    assert answer.status == 200 and contacts(answer) == [] and rig.endpoint.core.bindings == {}


def test_a_star_removes_all() -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@a>, <sip:200@b>"))
    rig.events()
    answer = accepted(rig, register("*", 2, "Expires: 0"))
    assert answer.status == 200 and contacts(answer) == []
    assert [event.change for event in rig.events() if isinstance(event, BindingChanged)] == ["removed", "removed"]
    core = rig.endpoint.core
    assert not core.bindings and not core.binding_owners
    assert not [key for key in core.deadlines.armed if key[0] in ("bind", "qualify")]


@pytest.mark.parametrize(
    ("contact", "extra"),
    [
        ("*", ()), ("*", ("Expires: 60",)), ("*, <sip:a@b>", ("Expires: 0",)), ("<mailto:x@y>", ()), ("<sip:>", ()),
        ('"x', ()),
    ],
)
def test_nonsense_is_400_and_changes_nothing(contact: str, extra: tuple[str, ...]) -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@a>"))
    assert accepted(rig, register(contact, 2, *extra)).status == 400
    assert len(rig.endpoint.bindings("acme", "200")) == 1


def test_a_bad_contact_is_noted() -> None:
    rig = Rig()
    rig.feed(register('"x'), NAT)
    rig.endpoint.accept_register(rig.one(RegisterRequest).request, "acme", "200", rig.now)
    assert rig.one(Refused).kind == "header"


def test_an_overtaken_request_changes_nothing() -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@a>;expires=120", 5))
    assert accepted(rig, register("<sip:200@a>;expires=0", 4)).status == 500
    assert accepted(rig, register("*", 3, "Expires: 0")).status == 500
    same = register("<sip:200@a>;expires=0", 5).replace(b"z9hG4bK", b"z9hG4bKagain")
    assert accepted(rig, same).status == 500, "the same CSeq by another way"
    assert len(rig.endpoint.bindings("acme", "200")) == 1
    assert accepted(rig, register("<sip:200@a>;expires=0", 1, call_id="after-restart")).status == 200


def test_a_binding_runs_out() -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@a>;expires=60"))
    rig.events()
    rig.advance(60_000)
    changes = [event.change for event in rig.events() if isinstance(event, BindingChanged)]
    assert changes == ["expired"] and rig.endpoint.bindings("acme", "200") == []


def test_bindings_per_user_are_bounded_and_the_oldest_gives_way() -> None:
    rig = Rig()
    removed = []
    for number in range(limits.bindings_per_user_max + 2):
        rig.feed(register(f"<sip:200@a:{6_000 + number}>", number + 1), NAT)
        rig.endpoint.accept_register(rig.one(RegisterRequest).request, "acme", "200", rig.now)
        rig.sent()
        events = [event for event in rig.events() if isinstance(event, BindingChanged)]
        removed += [event.contact for event in events if event.change == "removed"]
    ports = [binding.contact[-4:] for binding in rig.endpoint.bindings("acme", "200")]
    assert len(ports) == limits.bindings_per_user_max and ports[0] == "6011" and "6000" not in ports
    assert removed == ["sip:200@a:6000", "sip:200@a:6001"]


def test_one_request_may_not_bring_too_many() -> None:
    rig = Rig()
    many = ", ".join(f"<sip:200@a:{6_000 + number}>" for number in range(limits.bindings_per_user_max + 1))
    assert accepted(rig, register(many)).status == 403 and rig.endpoint.bindings("acme", "200") == []


def test_challenge_refusal_and_late_verdicts() -> None:
    rig = Rig()
    rig.feed(register(), NAT)
    number = rig.one(RegisterRequest).request
    rig.endpoint.challenge_register(number, "acme", rig.now, stale=True)
    (answer,) = rig.sent()
    first = answer.all("www-authenticate")[0]
    assert answer.status == 401 and answer.to.tag and "stale=TRUE" in first
    credentials = digest.parse_challenges(first)[0]
    assert rig.endpoint.nonce_ok(credentials["nonce"], rig.now) == "good"
    for late in (number, 999):
        rig.endpoint.accept_register(late, "acme", "200", rig.now)
        rig.endpoint.refuse_register(late, 403, rig.now)
        rig.endpoint.challenge_register(late, "acme", rig.now)
    assert rig.sent() == [] and rig.endpoint.bindings("acme", "200") == []
    rig.feed(register(cseq=2), NAT)
    rig.endpoint.refuse_register(rig.one(RegisterRequest).request, 404, rig.now, phrase="Unknown")
    (answer,) = rig.sent()
    assert (answer.status, answer.phrase) == (404, "Unknown")


def test_nobody_decides_500() -> None:
    rig = Rig()
    rig.feed(register(), NAT)
    assert [(at, message.status) for at, message in rig.advance(32_000)] == [(32_000, 500)]


def test_registered_contacts_are_qualified_by_themselves() -> None:
    rig = Rig()
    accepted(rig, register("<sip:200@192.168.1.5:5060>;expires=3600"))
    rig.events()
    at, options = rig.next_sent(4_000)
    assert 2_000 <= at < 4_000 and options.method == "OPTIONS" and options.uri == "sip:200@192.168.1.5:5060"
    assert rig.raw[0].path == NAT, "through the NAT"  # type: ignore[union-attr]
    rig.advance(4_000)
    assert rig.endpoint.bindings("acme", "200")[0].reachable, "perhaps it knows no OPTIONS: its registration counts"
    at, options = rig.next_sent(66_000)
    from tests.sip.wire import response

    rig.now += 35
    rig.feed(response(options, 200), NAT)
    assert rig.one(Qualified) == Qualified("acme/200/sip:200@192.168.1.5:5060", True, 35)
    (binding,) = rig.endpoint.bindings("acme", "200")
    assert binding.reachable and binding.round_trip_ms == 35
    rig.next_sent(70_000)
    rig.advance(4_000)
    assert rig.one(Qualified) == Qualified("acme/200/sip:200@192.168.1.5:5060", False, -1)
    assert not rig.endpoint.bindings("acme", "200")[0].reachable, "it answered before: silence means that it is gone"


def test_a_closed_stream_makes_its_contacts_unreachable() -> None:
    rig = Rig()
    rig.open()
    accepted(rig, register(transport="TCP"), STREAM)
    rig.events()
    rig.endpoint.flow_closed(STREAM.flow, rig.now)
    assert rig.one(Qualified).reachable is False
    assert not rig.endpoint.bindings("acme", "200")[0].reachable
    accepted(rig, register(cseq=2), PHONE)
    assert rig.endpoint.bindings("acme", "200")[0].reachable
