"""Their INVITE: the event, ringing, answer, repetition of the 2xx, ACK, CANCEL, refusals."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sip import core as core_module
from engine.sip.events import Acked, Canceled, Ended, Incoming, Offered, Party, Refused
from engine.sip.session import Phase
from tests.sip.wire import OURS, PHONE, SDP, Rig, request, response


def test_the_event_says_who_calls_whom() -> None:
    rig = Rig()
    rig.feed(request(
        "INVITE", uri="sip:%31%30%30@pbx.example;user=phone", body=SDP, hops=17,
        extra=('P-Asserted-Identity: "Real" <sip:+441@trunk.example>', "User-Agent: phone/1", "X-Key: v", "Via-X: no",
               "Diversion: <sip:200@x>", "Privacy: id", "Subject: hi"),
    ))
    event = rig.one(Incoming)
    assert (event.dialled, event.domain, event.path) == ("100", "pbx.example", PHONE)
    assert event.caller == Party("Ann", "ann", "example.net", "sip:ann@example.net")
    assert event.called == Party("", "100", "10.0.0.2", "sip:100@10.0.0.2")
    assert event.asserted == Party("Real", "+441", "trunk.example", "sip:+441@trunk.example")
    assert event.headers == {
        "x-key": "v", "diversion": "<sip:200@x>", "privacy": "id", "subject": "hi",
        "from": '"Ann" <sip:ann@example.net>;tag=f1', "p-asserted-identity": '"Real" <sip:+441@trunk.example>',
    }  # fmt: skip
    assert (event.user_agent, event.max_forwards, event.sdp, event.credentials) == ("phone/1", 17, SDP, None)


def test_a_tel_uri_is_a_number() -> None:
    rig = Rig()
    rig.feed(request("INVITE", uri="tel:+15551234"))
    event = rig.one(Incoming)
    assert (event.dialled, event.sdp) == ("+15551234", None)


def test_a_nonsense_asserted_identity_counts_as_absent() -> None:
    rig = Rig()
    rig.feed(request("INVITE", extra=('P-Asserted-Identity: "x',)))
    assert rig.one(Incoming).asserted is None


def test_credentials_come_parsed_and_broken_ones_refuse() -> None:
    rig = Rig()
    digest = 'Authorization: Digest username="u", realm="r", nonce="n", uri="sip:x", response="ABC"'
    rig.feed(request("INVITE", extra=(digest,)))
    credentials = rig.one(Incoming).credentials
    assert credentials is not None and credentials.response == "abc" and credentials.method == "INVITE"
    (bad,) = rig.feed(request("INVITE", branch="z9hG4bK2", call_id="2", extra=('Authorization: Digest realm="r"',)))
    assert bad.status == 400 and rig.one(Refused).kind == "header"
    assert len(rig.endpoint.core.sessions) == 1


def test_ringing_and_early_media() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.ring(session, 180, rig.now, headers=(("Alert-Info", "<x>"),))
    (ringing,) = rig.sent()
    assert ringing.status == 180 and ringing.to.tag and ringing.get("alert-info") == "<x>"
    assert ringing.contact is not None and ringing.contact.uri == "sip:100@10.0.0.2:5060"
    rig.endpoint.ring(session, 183, rig.now, sdp=OURS)
    (early,) = rig.sent()
    assert early.body == OURS and early.content_type == "application/sdp" and early.to.tag == ringing.to.tag
    again = [(at, message.status) for at, message in rig.advance(130_000)]
    assert again == [(60_000, 183), (120_000, 183)], "§13.3.1.1"


def test_ring_ignores_what_makes_no_sense() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.ring(session, 200, rig.now)
    rig.endpoint.ring(99, 180, rig.now)
    rig.endpoint.answer(session, OURS, rig.now)
    rig.sent()
    rig.endpoint.ring(session, 180, rig.now)
    rig.endpoint.reject(session, 486, rig.now)
    rig.endpoint.challenge(session, "r", rig.now)
    assert rig.sent() == []


def test_the_2xx_is_repeated_to_t2_until_the_ack() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.answer(session, OURS, rig.now, headers=(("X-Own", "1"),))
    (ok,) = rig.sent()
    assert (ok.status, ok.body, ok.get("x-own")) == (200, OURS, "1")
    assert ok.get("allow") == core_module.ALLOW
    assert [at for at, _ in rig.advance(12_000)] == [500, 1_500, 3_500, 7_500, 11_500]
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=ok.to.tag))
    assert rig.one(Acked) == Acked(session, None)
    assert rig.advance(100_000) == []
    assert rig.feed(request("ACK", branch="z9hG4bKa", to_tag=ok.to.tag)) == [] and rig.events() == []


def test_without_ack_bye_and_ended() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.answer(session, OURS, rig.now)
    rig.sent()
    sent = rig.advance(32_000)
    assert sent[-1][0] == 32_000 and sent[-1][1].method == "BYE"
    assert rig.one(Ended) == Ended(session, "ack", "no ACK")
    rig.feed(response(sent[-1][1], 200))
    assert rig.endpoint.session_count() == 0


def test_on_tcp_the_2xx_is_repeated_too() -> None:
    from tests.sip.wire import STREAM

    rig = Rig()
    rig.open()
    session, _ = rig.incoming(STREAM, transport="TCP")
    rig.endpoint.answer(session, OURS, rig.now)
    rig.sent()
    assert [at for at, _ in rig.advance(2_000)] == [500, 1_500]


def test_the_answer_may_come_in_the_ack() -> None:
    rig = Rig()
    session, _ = rig.incoming(body=b"")
    rig.endpoint.answer(session, OURS, rig.now)
    (ok,) = rig.sent()
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=ok.to.tag, body=SDP))
    assert rig.one(Acked) == Acked(session, SDP)


def test_a_rude_acks_wrong_to_tag_is_accepted_only_while_we_wait() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.answer(session, OURS, rig.now)
    rig.sent()
    for wrong in ({"from_tag": "other"}, {"call_id": "other"}, {"cseq": 9}):
        rig.feed(request("ACK", branch="z9hG4bKr", to_tag="invented", **wrong))  # type: ignore[arg-type]
        assert rig.events() == []
    rig.feed(request("ACK", branch="z9hG4bKr", to_tag="invented"))
    assert rig.one(Acked).session == session


def test_the_right_ack_finds_the_right_session_of_a_shared_call_id() -> None:
    rig = Rig()
    first, _ = rig.incoming()
    second, _ = rig.incoming(branch="z9hG4bK2", cseq=2)
    tags = {}
    for session in (first, second):
        rig.endpoint.answer(session, OURS, rig.now)
        tags[session] = rig.sent()[0].to.tag
    rig.feed(request("ACK", branch="z9hG4bKa", to_tag=tags[second], cseq=2))
    assert rig.one(Acked).session == second


def test_cancel_gets_200_and_the_invite_487() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    answers = rig.feed(request("CANCEL", extra=("Reason: SIP;cause=200;text=elsewhere",)))
    assert [(answer.status, answer.method) for answer in answers] == [(200, "CANCEL"), (487, "INVITE")]
    assert answers[0].to.tag == answers[1].to.tag
    assert rig.one(Canceled) == Canceled(session, "SIP;cause=200;text=elsewhere")
    rig.endpoint.answer(session, OURS, rig.now)
    assert rig.sent() == [], "a late answer is ignored"
    assert rig.statuses(rig.feed(request("CANCEL"))) == [200], "its repeat"


def test_cancel_after_the_answer_changes_nothing() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.answer(session, OURS, rig.now)
    rig.sent()
    assert rig.statuses(rig.feed(request("CANCEL"))) == [200]
    assert rig.events() == [] and rig.endpoint.core.sessions[session].phase == Phase.ANSWERED


def test_cancel_without_a_match_is_481() -> None:
    assert Rig().statuses(Rig().feed(request("CANCEL"))) == [481]


def test_a_reject_carries_phrase_cause_and_headers() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.reject(session, 486, rig.now, phrase="Gone Fishing", cause=17, headers=(("X-A", "b"),))
    (final,) = rig.sent()
    assert (final.phrase, final.get("reason"), final.get("x-a")) == ("Gone Fishing", "Q.850;cause=17", "b")
    assert rig.endpoint.session_count() == 0 and rig.endpoint.core.by_call == {}
    rig.endpoint.reject(session, 486, rig.now)
    assert rig.sent() == []


def test_a_challenge_offers_both_algorithms() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.challenge(session, "acme", rig.now, stale=True)
    (final,) = rig.sent()
    values = final.all("www-authenticate")
    assert final.status == 401 and "SHA-256" in values[0] and "MD5" in values[1] and "stale=TRUE" in values[0]
    nonce = values[0].split('nonce="')[1].split('"')[0]
    assert rig.endpoint.nonce_ok(nonce, rig.now) == "good"
    assert rig.endpoint.nonce_ok(nonce, rig.now + limits.nonce_ms_max + 1) == "stale"
    assert rig.endpoint.nonce_ok("0" * 44, rig.now) == "unknown"
    session, _ = rig.incoming(branch="z9hG4bK7", call_id="7")
    rig.endpoint.challenge(session, "acme", rig.now, proxy=True)
    (final,) = rig.sent()
    assert final.status == 407 and final.get("proxy-authenticate")


def test_overload_is_said_with_retry_after() -> None:
    rig = Rig()
    rig.endpoint.overload = True
    (final,) = rig.feed(request("INVITE", body=SDP))
    assert final.status == 503 and final.get("retry-after") and rig.one(Refused).kind == "limit"
    (again,) = rig.feed(request("INVITE", body=SDP))
    assert again.to.tag == final.to.tag, "stateless, but the same answer (§8.2.7)"
    assert not rig.endpoint.core.transactions
    assert "draining" in rig.one(Refused).detail
    rig.endpoint.core.overload_why = "limit legs_max (7)"
    rig.feed(request("INVITE", body=SDP))
    assert rig.one(Refused).detail == "INVITE refused: limit legs_max (7)"


@pytest.mark.parametrize("name", ["dialogs_max", "transactions_max"])
def test_limits_are_503(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    session, tag = rig.established()
    monkeypatch.setattr(limits, name, 1)
    assert rig.statuses(rig.feed(request("INVITE", branch="z9hG4bK2", call_id="2", body=SDP))) == [503]
    assert f"limit {name} (1)" in rig.one(Refused).detail, "it says which"
    monkeypatch.setattr(limits, name, 100)
    assert rig.endpoint.session_path(session) == PHONE and tag


def test_one_call_id_carries_a_bounded_number_of_calls() -> None:
    rig = Rig()
    for number in range(core_module.SESSIONS_PER_CALL_ID_MAX):
        rig.incoming(branch=f"z9hG4bK{number}x", cseq=number + 1)
    assert rig.statuses(rig.feed(request("INVITE", branch="z9hG4bKlast", cseq=99))) == [482]


def test_a_bye_before_the_answer_ends_the_invite() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.ring(session, 180, rig.now)
    tag = rig.sent()[0].to.tag
    answers = rig.feed(request("BYE", branch="z9hG4bKbye", to_tag=tag, cseq=2))
    assert [(answer.status, answer.method) for answer in answers] == [(487, "INVITE"), (200, "BYE")]
    assert rig.one(Canceled).session == session


def test_nobody_decides_480_by_the_deadline() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    sent = rig.advance(limits.early_ms_max + limits.hangup_grace_ms)
    assert [message.status for _, message in sent] == [480]
    assert rig.one(Canceled).session == session and rig.endpoint.session_count() == 0


def test_a_cancelled_reinvite_gets_487_and_the_call_lives() -> None:
    rig = Rig()
    session, tag = rig.established()
    rig.feed(request("INVITE", branch="z9hG4bKre", to_tag=tag, cseq=2, body=SDP))
    assert rig.one(Offered).session == session
    answers = rig.feed(request("CANCEL", branch="z9hG4bKre", to_tag=tag, cseq=2))
    assert [answer.status for answer in answers] == [200, 487]
    assert rig.events() == [] and rig.endpoint.core.sessions[session].phase == Phase.CONFIRMED
    rig.endpoint.accept_offer(session, OURS, rig.now)
    assert rig.sent() == []
