"""Our INVITE: forks, credentials, CANCEL in every phase, 3xx, 422, deadlines."""

from __future__ import annotations

import pytest

from engine import limits
from engine.sip import digest
from engine.sip.events import Answered, Connect, Ended, Path, Progress, Refused, Rejected
from engine.sip.message import Message
from engine.sip.session import Phase
from tests.sip.wire import OURS, PHONE, SDP, STREAM, Rig, response


def challenge(nonce: str = "n1", *, stale: bool = False, proxy: bool = False) -> tuple[str, ...]:
    name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
    return (f'{name}: Digest realm="carrier", nonce="{nonce}", algorithm=MD5, qop="auth"' + (", stale=true" * stale),)


def test_the_invite_says_who_calls() -> None:
    rig = Rig()
    _, invite = rig.placed(0, headers=(("P-Asserted-Identity", "<sip:1@x>"), ("Max-Forwards", "16")))
    assert invite.uri == "sip:bob@10.0.0.9" and invite.from_.display == "Ann" and invite.from_.user == "200"
    assert invite.from_.host == "10.0.0.2" and invite.body == OURS and invite.max_forwards == 16
    assert len(invite.all("max-forwards")) == 1 and invite.get("p-asserted-identity") == "<sip:1@x>"
    assert invite.has_option("supported", "timer") and invite.get("session-expires") == "1800"


def test_callers_names_are_quoted_and_hosts_taken() -> None:
    rig = Rig()
    _, invite = rig.placed(0, caller=('A "B"\r\nX: y', "a b", "acme.example"))
    assert invite.from_.display == 'A "B" X: y' and invite.from_.user == "a b"
    assert invite.from_.host == "acme.example" and invite.get("x") is None
    _, invite = rig.placed(0, caller=("", "", ""))
    assert invite.from_.user == ""


@pytest.mark.parametrize("target", ["", "no uri", "sip:a b@c", "sip:x@y\r\nEvil: 1", "sip:x>@y"])
def test_a_bad_target_is_an_event_not_an_exception(target: str) -> None:
    rig = Rig()
    session = rig.endpoint.invite(target, PHONE, rig.now, caller=("", "1", ""), sdp=OURS)
    assert rig.sent() == []
    assert [event.session for event in rig.events() if isinstance(event, Rejected)] == [session]
    assert rig.endpoint.session_count() == 0


def test_headers_of_a_target_stay_out_of_the_request_uri() -> None:
    rig = Rig()
    rig.endpoint.invite("sip:a?b@10.0.0.9;x=1?Subject=hi", PHONE, rig.now, caller=("", "1", ""), sdp=OURS)
    (invite,) = rig.sent()
    assert invite.uri == "sip:a?b@10.0.0.9;x=1" and invite.to.uri == "sip:a?b@10.0.0.9"


def test_a_bad_header_is_an_event_too() -> None:
    rig = Rig()
    rig.endpoint.invite("sip:x@y", PHONE, rig.now, caller=("", "1", ""), sdp=OURS, headers=(("X", "a\r\nb"),))
    events = rig.events()
    assert [type(event) for event in events] == [Refused, Rejected] and rig.sent() == []


def test_progress_and_answer() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    rig.feed(response(invite, 100, tag=""))
    assert rig.events() == []
    rig.feed(response(invite, 180, tag="a"))
    rig.feed(response(invite, 183, tag="b", body=SDP))
    assert rig.events() == [Progress(session, 180, None, "a"), Progress(session, 183, SDP, "b")]
    (ack,) = rig.feed(response(invite, 200, tag="b", body=SDP))
    event = rig.one(Answered)
    assert (event.session, event.sdp, event.fork, event.remote.user) == (session, SDP, "b", "bob")
    assert ack.method == "ACK" and ack.uri == "sip:bob@10.0.0.9:5060" and ack.cseq[0] == invite.cseq[0]
    assert ack.via.branch != invite.via.branch, "an ACK for a 2xx is a request of its own"
    (again,) = rig.feed(response(invite, 200, tag="b", body=SDP))
    assert again.headers == ack.headers and rig.events() == []


def test_the_ack_follows_the_route_set() -> None:
    rig = Rig()
    _, invite = rig.placed(0)
    routes = ("Record-Route: <sip:p1.example;lr>", "Record-Route: <sip:10.0.0.50:5070;lr>")
    (ack,) = rig.feed(response(invite, 200, body=SDP, extra=routes))
    assert [str(route) for route in ack.routes] == ["<sip:10.0.0.50:5070;lr>", "<sip:p1.example;lr>"]
    assert rig.raw[0].path == Path(1, "10.0.0.50", 5070)  # type: ignore[union-attr]


def test_another_forks_answer_is_acked_and_hung_up() -> None:
    rig = Rig()
    session, invite = rig.placed()
    rig.events()
    sent = rig.feed(response(invite, 200, tag="t2", body=SDP, contact="<sip:second@10.0.0.9>"))
    assert rig.statuses(sent) == ["ACK", "BYE"] and {message.to.tag for message in sent} == {"t2"}
    assert sent[1].uri == "sip:second@10.0.0.9" and rig.events() == []
    assert rig.statuses(rig.feed(response(invite, 200, tag="t2", body=SDP))) == ["ACK"]
    rig.feed(response(sent[1], 200))
    assert list(rig.endpoint.core.sessions) == [session]


def test_forks_are_bounded() -> None:
    rig = Rig()
    _, invite = rig.placed()
    acks = [rig.feed(response(invite, 200, tag=f"fork{number}", body=SDP)) for number in range(20)]
    assert sum(bool(sent) for sent in acks) == 16


def test_a_2xx_without_contact_still_makes_a_call() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    sent = rig.feed(response(invite, 200, body=SDP, contact=""))
    assert rig.statuses(sent) == ["ACK"] and sent[0].uri == "sip:bob@10.0.0.9"
    assert [type(event) for event in rig.events()] == [Refused, Answered]
    rig.endpoint.hang_up(session, rig.now)
    assert rig.statuses(rig.sent()) == ["BYE"]


class TestCredentials:
    def test_answered_once(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0, secret=("user", "word"))
        ack, again = rig.feed(response(invite, 401, extra=challenge()))
        assert (ack.method, again.method) == ("ACK", "INVITE")
        assert again.cseq[0] == invite.cseq[0] + 1 and again.call_id == invite.call_id
        assert again.via.branch != invite.via.branch and again.from_.tag == invite.from_.tag
        credentials = digest.parse_credentials(again.get("authorization") or "", "INVITE")
        assert credentials is not None
        assert digest.verify(credentials, digest.ha1("user", "carrier", "word"), "INVITE")
        rig.feed(response(again, 401, extra=challenge("n2")))
        assert rig.one(Rejected) == Rejected(session, 401, "Phrase", 0)

    def test_proxies_have_their_own_header(self) -> None:
        rig = Rig()
        _, invite = rig.placed(0, secret=("user", "word"))
        _, again = rig.feed(response(invite, 407, extra=challenge(proxy=True)))
        assert again.get("proxy-authorization") and again.get("authorization") is None
        (ack,) = rig.feed(response(again, 200, body=SDP))
        assert ack.get("proxy-authorization") == again.get("proxy-authorization"), "§22.1"

    def test_a_stale_nonce_is_honoured_but_not_for_ever(self) -> None:
        rig = Rig()
        _, message = rig.placed(0, secret=("user", "word"))
        tries = 0
        while True:
            sent = rig.feed(response(message, 401, extra=challenge(f"n{tries}", stale=True)))
            if len(sent) == 1:
                break
            message = sent[1]
            tries += 1
        assert tries == 3 and rig.one(Rejected).status == 401

    @pytest.mark.parametrize("extra", [(), ("WWW-Authenticate: Basic realm=x",)])
    def test_what_cannot_be_answered_is_reported(self, extra: tuple[str, ...]) -> None:
        rig = Rig()
        _, invite = rig.placed(0, secret=("user", "word"))
        assert rig.statuses(rig.feed(response(invite, 401, extra=extra))) == ["ACK"]
        assert rig.one(Rejected).status == 401

    def test_without_a_secret_it_is_a_refusal(self) -> None:
        rig = Rig()
        _, invite = rig.placed(0)
        rig.feed(response(invite, 401, extra=challenge()))
        assert rig.one(Rejected).status == 401

    def test_in_dialog_requests_answer_too(self) -> None:
        rig = Rig()
        session, _ = rig.placed(secret=("user", "word"))
        rig.endpoint.hang_up(session, rig.now)
        (bye,) = rig.sent()
        (again,) = rig.feed(response(bye, 407, extra=challenge(proxy=True)))
        assert again.method == "BYE" and again.cseq[0] == bye.cseq[0] + 1 and again.get("proxy-authorization")
        rig.feed(response(again, 200))
        assert rig.endpoint.session_count() == 0


class TestRefusals:
    def test_a_redirection_is_raised_never_followed(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        sent = rig.feed(response(invite, 302, contact="<sip:300@x>;q=0.7, <sip:voice@y>"))
        assert rig.statuses(sent) == ["ACK"]
        assert rig.one(Rejected) == Rejected(session, 302, "Phrase", 0, ("sip:300@x", "sip:voice@y"))

    def test_the_q850_cause_is_read(self) -> None:
        rig = Rig()
        _, invite = rig.placed(0)
        rig.feed(response(invite, 486, extra=("Reason: SIP;cause=486, Q.850;cause=17;text=\"busy\"",)))
        assert rig.one(Rejected).cause == 17

    def test_422_raises_the_interval(self) -> None:
        rig = Rig()
        _, invite = rig.placed(0, session_timer_s=100)
        _, again = rig.feed(response(invite, 422, extra=("Min-SE: 3600",)))
        assert (again.get("session-expires"), again.get("min-se")) == ("3600", "3600")
        rig.feed(response(again, 422, extra=("Min-SE: 3600",)))
        assert rig.one(Rejected).status == 422, "no progress: no third try"

    def test_no_session_timer_when_not_wanted(self) -> None:
        rig = Rig()
        _, invite = rig.placed(0, session_timer_s=0)
        assert invite.get("session-expires") is None


class TestCancel:
    def test_after_a_provisional_response(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.feed(response(invite, 180))
        rig.events()
        rig.endpoint.cancel(session, rig.now, reason='SIP;cause=200;text="Call completed elsewhere"')
        (cancel,) = rig.sent()
        assert cancel.method == "CANCEL" and cancel.via.branch == invite.via.branch
        assert "elsewhere" in (cancel.get("reason") or "")
        rig.feed(response(cancel, 200))
        assert rig.events() == []
        (ack,) = rig.feed(response(invite, 487))
        assert ack.method == "ACK" and rig.one(Rejected) == Rejected(session, 487, "Phrase", 0)
        assert rig.endpoint.session_count() == 0

    def test_before_one_it_waits(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.endpoint.cancel(session, rig.now)
        assert rig.sent() == []
        assert [message.method for _, message in rig.advance(500)] == ["INVITE"]
        (cancel,) = rig.feed(response(invite, 100, tag=""))
        assert cancel.method == "CANCEL"
        rig.endpoint.cancel(session, rig.now)
        assert rig.sent() == [], "once is enough"

    def test_a_reason_can_not_begin_a_header(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.feed(response(invite, 180))
        rig.endpoint.cancel(session, rig.now, reason="SIP;text=a\r\nEvil: 1")
        (cancel,) = rig.sent()
        assert cancel.get("reason") == "SIP;text=a Evil: 1" and cancel.get("evil") is None

    def test_no_response_at_all_ends_as_cancelled(self) -> None:
        rig = Rig()
        session, _ = rig.placed(0)
        rig.endpoint.cancel(session, rig.now)
        rig.advance(limits.TIMER_B_MS)
        assert rig.one(Rejected) == Rejected(session, 487, "Request Terminated", 0)
        assert not rig.endpoint.core.transactions

    def test_a_2xx_that_crosses_is_acked_and_hung_up(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.feed(response(invite, 180))
        rig.events()
        rig.endpoint.cancel(session, rig.now)
        rig.sent()
        sent = rig.feed(response(invite, 200, body=SDP))
        assert rig.statuses(sent) == ["ACK", "BYE"]
        assert rig.one(Rejected) == Rejected(session, 487, "Request Terminated", 0)
        assert rig.statuses(rig.feed(response(invite, 200, body=SDP))) == ["ACK"]
        rig.feed(response(sent[1], 200))
        assert rig.endpoint.session_count() == 0

    def test_a_2xx_before_any_provisional_too(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.endpoint.hang_up(session, rig.now)
        assert rig.statuses(rig.feed(response(invite, 200, body=SDP))) == ["ACK", "BYE"]
        assert rig.events() == [], "hang_up is quiet"

    def test_a_far_end_that_never_ends_the_invite(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0)
        rig.feed(response(invite, 180))
        rig.events()
        rig.endpoint.cancel(session, rig.now)
        rig.sent()
        rig.advance(64 * limits.T1_MS)
        assert rig.one(Rejected).status == 487
        assert not rig.endpoint.core.sessions and not rig.endpoint.core.transactions

    def test_a_challenge_after_cancel_is_not_answered(self) -> None:
        rig = Rig()
        session, invite = rig.placed(0, secret=("u", "p"))
        rig.endpoint.cancel(session, rig.now)
        assert rig.statuses(rig.feed(response(invite, 401, extra=challenge()))) == ["ACK"]
        assert rig.one(Rejected).session == session

    def test_an_incoming_session_cannot_be_cancelled(self) -> None:
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.cancel(session, rig.now)
        assert rig.sent() == [] and rig.endpoint.session_count() == 1


def test_ringing_too_long_is_408_and_cancelled_quietly() -> None:
    rig = Rig()
    session, invite = rig.placed(0, ring_ms_max=20_000)
    rig.feed(response(invite, 180))
    rig.events()
    sent = rig.advance(20_000)
    assert [message.method for _, message in sent] == ["CANCEL"] and sent[0][0] == 20_000
    assert "cause=19" in (sent[0][1].get("reason") or "")
    assert rig.one(Rejected) == Rejected(session, 408, "Rang too long", 19)
    rig.feed(response(invite, 487))
    assert rig.events() == []


class TestOffersInTheAnswer:
    """An INVITE without SDP: the 2xx holds the offer, our ACK the answer (§13.2.2.4)."""

    def placed(self) -> tuple[Rig, int, Message]:
        rig = Rig()
        session, invite = rig.placed(0, sdp=None)
        assert not invite.body
        assert rig.feed(response(invite, 200, body=SDP)) == []
        assert rig.one(Answered).sdp == SDP
        return rig, session, invite

    def test_the_ack_waits_for_our_answer(self) -> None:
        rig, session, invite = self.placed()
        assert rig.feed(response(invite, 200, body=SDP)) == []
        rig.endpoint.accept_offer(session, OURS, rig.now)
        (ack,) = rig.sent()
        assert ack.method == "ACK" and ack.body == OURS
        (again,) = rig.feed(response(invite, 200, body=SDP))
        assert again.body == OURS

    def test_a_hang_up_acks_first(self) -> None:
        rig, session, _ = self.placed()
        rig.endpoint.hang_up(session, rig.now)
        assert rig.statuses(rig.sent()) == ["ACK", "BYE"]

    def test_a_refusal_too(self) -> None:
        rig, session, _ = self.placed()
        rig.endpoint.refuse_offer(session, 488, rig.now)
        assert rig.statuses(rig.sent()) == ["ACK", "BYE"]
        assert rig.one(Ended).session == session

    def test_nobody_answers_in_time(self) -> None:
        rig, session, _ = self.placed()
        sent = rig.advance(64 * limits.T1_MS)
        assert [message.method for _, message in sent][:2] == ["ACK", "BYE"]
        assert rig.one(Ended).by == "timer" and session


class TestTransports:
    def test_flow_zero_takes_any_udp_listener(self) -> None:
        rig = Rig()
        rig.placed(0, Path(0, "10.0.0.9", 5060))
        assert rig.raw[0].path.flow == 1  # type: ignore[union-attr]

    def test_tcp_is_opened_once_and_reused(self) -> None:
        rig = Rig()
        rig.endpoint.invite("sip:x@10.0.0.9", Path(0, "10.0.0.9", 5060, "tcp"), rig.now, caller=("", "1", ""), sdp=OURS)
        assert rig.sent() == []
        (connect,) = rig.raw
        assert isinstance(connect, Connect)
        rig.endpoint.flow_opened(Path(connect.flow, "10.0.0.9", 5060, "tcp"), rig.now)
        (invite,) = rig.sent()
        assert invite.via.transport == "TCP" and "transport=tcp" in (invite.get("contact") or "")
        rig.endpoint.invite("sip:y@10.0.0.9", Path(0, "10.0.0.9", 5060, "tcp"), rig.now, caller=("", "1", ""), sdp=OURS)
        assert rig.statuses(rig.sent()) == ["INVITE"]

    def test_a_connection_that_fails_is_503(self) -> None:
        rig = Rig()
        rig.endpoint.invite("sip:x@10.0.0.9", Path(0, "10.0.0.9", 5060, "tcp"), rig.now, caller=("", "1", ""), sdp=OURS)
        rig.sent()
        (connect,) = rig.raw
        assert isinstance(connect, Connect)
        rig.endpoint.flow_closed(connect.flow, rig.now)
        assert rig.one(Rejected).status == 503

    def test_a_long_message_prefers_an_open_stream_to_the_same_address(self) -> None:
        long = OURS + b"a=x:" + b"y" * 1_200 + b"\r\n"
        rig = Rig()
        _, invite = rig.placed(0, sdp=long)
        assert invite.via.transport == "UDP", "§18.1.1, but no stream is known"
        rig.open(STREAM)
        _, invite = rig.placed(0, sdp=long)
        assert invite.via.transport == "TCP" and rig.raw[0].path == STREAM  # type: ignore[union-attr]

    @pytest.mark.parametrize("name", ["transactions_max", "dialogs_max"])
    def test_no_room_is_503(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setattr(limits, name, 0)
        rig = Rig()
        rig.endpoint.invite("sip:x@10.0.0.9", PHONE, rig.now, caller=("", "1", ""), sdp=OURS)
        assert rig.one(Rejected).status == 503 and rig.sent() == []


def test_a_call_without_udp_listener_says_so() -> None:
    from engine.ids import Tokens
    from engine.sip.endpoint import Endpoint

    endpoint = Endpoint(Tokens(b"x" * 32))
    endpoint.invite("sip:x@10.0.0.9", Path(0, "10.0.0.9", 5060), 0, caller=("", "1", ""), sdp=OURS)
    assert [event.status for event in endpoint.events if isinstance(event, Rejected)] == [503]


def test_phases_on_the_way() -> None:
    rig = Rig()
    session, invite = rig.placed(0)
    phase = rig.endpoint.core.sessions[session]
    assert phase.phase == Phase.CALLING
    rig.feed(response(invite, 180))
    assert phase.phase == Phase.RINGING
    rig.feed(response(invite, 200, body=SDP))
    assert phase.phase == Phase.CONFIRMED
