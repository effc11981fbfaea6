"""REFER both ways, its subscription, its end."""

from __future__ import annotations

import pytest

from engine.sip.events import Ended, ReferProgress, Referred
from engine.sip.message import Message
from engine.sip.transfer import REFER_MS_MAX, REFERS_PER_SESSION_MAX
from tests.sip.wire import Rig, request, response


def refer(tag: str, to: str = "<sip:300@10.0.0.2>", cseq: int = 2, *extra: str) -> bytes:
    return request("REFER", branch=f"z9hG4bKrf{cseq}", to_tag=tag, cseq=cseq, extra=(f"Refer-To: {to}", *extra))


def referred(rig: Rig) -> tuple[int, str, Referred, Message]:
    session, tag = rig.established()
    accepted, notify = rig.feed(refer(tag))
    assert accepted.status == 202 and accepted.contact is not None
    event = rig.one(Referred)
    rig.feed(response(notify, 200))
    return session, tag, event, notify


class TestTheirs:
    def test_202_notify_100_and_the_event(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        accepted, notify = rig.feed(
            refer(tag, "<sip:300@10.0.0.2?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>", 2, "Referred-By: <sip:ann@x>")
        )
        assert accepted.status == 202
        assert notify.method == "NOTIFY" and notify.body == b"SIP/2.0 100 Trying\r\n"
        assert notify.get("event") == "refer" and notify.content_type == "message/sipfrag"
        assert (notify.get("subscription-state") or "").startswith("active;expires=")
        event = rig.one(Referred)
        assert (event.session, event.target, event.user) == (session, "sip:300@10.0.0.2", "300")
        assert (event.referred_by, event.replaces) == ("<sip:ann@x>", "a@b;to-tag=1;from-tag=2")

    def test_progress_and_the_final_word(self) -> None:
        rig = Rig()
        _, _, event, _ = referred(rig)
        rig.endpoint.notify_refer(event.refer, 180, "", rig.now)
        (notify,) = rig.sent()
        assert notify.body == b"SIP/2.0 180 Ringing\r\n" and "active" in (notify.get("subscription-state") or "")
        rig.endpoint.notify_refer(event.refer, 200, "OK", rig.now)
        (final,) = rig.sent()
        assert final.body == b"SIP/2.0 200 OK\r\n" and final.get("subscription-state") == "terminated;reason=noresource"
        rig.endpoint.notify_refer(event.refer, 200, "OK", rig.now)
        rig.endpoint.notify_refer(999, 200, "OK", rig.now)
        assert rig.sent() == [] and not rig.endpoint.core.refers

    def test_a_second_refer_is_named_by_its_cseq(self) -> None:
        rig = Rig()
        _, tag, _, _ = referred(rig)
        _, notify = rig.feed(refer(tag, cseq=7))
        assert notify.get("event") == "refer;id=7"

    def test_it_outlives_the_call(self) -> None:
        """A phone that transfers says BYE at once; the NOTIFYs still go out (RFC 5057)."""
        rig = Rig()
        session, tag, event, first = referred(rig)
        assert rig.statuses(rig.feed(request("BYE", branch="z9hG4bKb", to_tag=tag, cseq=3))) == [200]
        assert rig.one(Ended).session == session
        rig.endpoint.notify_refer(event.refer, 200, "OK", rig.now)
        (final,) = rig.sent()
        assert final.method == "NOTIFY" and final.cseq[0] == first.cseq[0] + 1
        assert rig.endpoint.session_count() == 0
        assert rig.statuses(rig.feed(request("INFO", branch="z9hG4bKx", to_tag=tag, cseq=4))) == [481]

    def test_a_subscription_runs_out(self) -> None:
        rig = Rig()
        _, _, event, _ = referred(rig)
        sent = [message for at, message in rig.advance(REFER_MS_MAX) if at == REFER_MS_MAX]
        assert sent[0].get("subscription-state") == "terminated;reason=timeout"
        assert event.refer not in rig.endpoint.core.refers

    def test_a_refused_notify_ends_it_but_not_the_call(self) -> None:
        rig = Rig()
        session, tag = rig.established()
        _, notify = rig.feed(refer(tag))
        rig.feed(response(notify, 481))
        assert not rig.endpoint.core.refers and session in rig.endpoint.core.sessions
        assert [type(event) for event in rig.events()] == [Referred]

    @pytest.mark.parametrize(
        ("to", "status"),
        [("<mailto:x@y>", 416), ("<nonsense>", 416), ("sip:a b", 400), ("<sip:a@b>\r\nRefer-To: <sip:c@d>", 400)],
    )
    def test_bad_targets(self, to: str, status: int) -> None:
        rig = Rig()
        _, tag = rig.established()
        assert rig.statuses(rig.feed(refer(tag, to))) == [status]
        assert not [event for event in rig.events() if isinstance(event, Referred)]

    def test_missing_target(self) -> None:
        rig = Rig()
        _, tag = rig.established()
        assert rig.statuses(rig.feed(request("REFER", branch="z9hG4bKr", to_tag=tag, cseq=2))) == [400]

    def test_where_it_has_no_business(self) -> None:
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.ring(session, 180, rig.now)
        tag = rig.sent()[0].to.tag
        assert rig.statuses(rig.feed(refer(tag))) == [481]
        assert rig.statuses(rig.feed(refer(""))) == [403]

    def test_refers_are_bounded(self) -> None:
        rig = Rig()
        _, tag = rig.established()
        numbers = range(2, 3 + REFERS_PER_SESSION_MAX)
        answers = [rig.statuses(rig.feed(refer(tag, cseq=number)))[0] for number in numbers]
        assert answers == [202] * REFERS_PER_SESSION_MAX + [486]


def notify(tag: str, body: bytes, state: str, cseq: int, event: str = "refer") -> bytes:
    return request(
        "NOTIFY", branch=f"z9hG4bKn{cseq}", to_tag=tag, cseq=cseq, body=body, content_type="message/sipfrag",
        extra=(f"Event: {event}", f"Subscription-State: {state}"),
    )


class TestOurs:
    def asked(self) -> tuple[Rig, int, str, Message]:
        rig = Rig()
        session, tag = rig.established()
        rig.endpoint.refer(session, "sip:300@x", rig.now, referred_by="sip:me@y")
        (message,) = rig.sent()
        assert message.get("refer-to") == "<sip:300@x>" and message.get("referred-by") == "<sip:me@y>"
        return rig, session, tag, message

    def test_accepted_and_reported(self) -> None:
        rig, session, tag, message = self.asked()
        rig.feed(response(message, 202))
        assert rig.statuses(rig.feed(notify(tag, b"SIP/2.0 180 Ringing\r\n", "active;expires=60", 2))) == [200]
        assert rig.one(ReferProgress) == ReferProgress(session, 180, False)
        rig.feed(notify(tag, b"SIP/2.0 200 OK\r\n", "terminated;reason=noresource", 3))
        assert rig.one(ReferProgress) == ReferProgress(session, 200, True)
        rig.feed(notify(tag, b"SIP/2.0 200 OK\r\n", "terminated;reason=noresource", 4))
        assert rig.events() == []

    def test_refused(self) -> None:
        rig, session, _, message = self.asked()
        rig.feed(response(message, 603))
        assert rig.events() == [ReferProgress(session, 603, True)]

    @pytest.mark.parametrize("status", [481, 408])
    def test_the_far_end_is_gone(self, status: int) -> None:
        rig, _, _, message = self.asked()
        rig.feed(response(message, status))
        assert [type(event) for event in rig.events()] == [ReferProgress, Ended]

    def test_no_final_notify(self) -> None:
        rig, session, _, message = self.asked()
        rig.feed(response(message, 202))
        rig.advance(REFER_MS_MAX)
        assert rig.one(ReferProgress) == ReferProgress(session, 408, True)

    @pytest.mark.parametrize(
        ("body", "state", "status"),
        [(b"", "terminated;reason=timeout", 408), (b"junk", "terminated", 500), (b"SIP/2.0 abc", "terminated", 500)],
    )
    def test_ends_without_a_status(self, body: bytes, state: str, status: int) -> None:
        rig, _, tag, _ = self.asked()
        rig.feed(notify(tag, body, state, 2))
        assert rig.one(ReferProgress).status == status

    def test_other_packages_are_489(self) -> None:
        rig, _, tag, _ = self.asked()
        (refusal,) = rig.feed(notify(tag, b"", "active", 2, "presence"))
        assert refusal.status == 489 and refusal.get("allow-events") == "refer"

    def test_credentials(self) -> None:
        rig = Rig()
        session, _ = rig.placed(secret=("u", "p"))
        rig.endpoint.refer(session, "sip:300@x", rig.now)
        (message,) = rig.sent()
        (again,) = rig.feed(response(message, 401, extra=('WWW-Authenticate: Digest realm="r", nonce="n"',)))
        assert again.method == "REFER" and again.get("authorization") and again.get("refer-to") == "<sip:300@x>"

    def test_only_in_a_call(self) -> None:
        rig = Rig()
        session, _ = rig.incoming()
        rig.endpoint.refer(session, "sip:300@x", rig.now)
        rig.endpoint.refer(99, "sip:300@x", rig.now)
        assert rig.sent() == []
