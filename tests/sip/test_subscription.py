"""SUBSCRIBE to the message summary and its NOTIFYs (RFC 6665, RFC 3842)."""

from __future__ import annotations

import pytest

from engine.sip import dialog_info
from engine.sip import subscription as room
from engine.sip.endpoint import Endpoint
from engine.sip.events import Path, SubscribeRequest
from engine.sip.message import Message
from engine.sip.timers import GIVE_UP_MS
from tests.sip.wire import STREAM, Rig, request, response

NAT = Path(1, "198.51.100.7", 31_007)
SOME, NONE = b"Messages-Waiting: yes\r\nVoice-Message: 1/0 (0/0)\r\n", b"Messages-Waiting: no\r\n"


def subscribe(*extra: str, cseq: int = 1, to_tag: str = "", call_id: str = "sub", event: str = room.PACKAGE,
              contact: str = "<sip:200@192.168.1.5:5060>", transport: str = "UDP") -> bytes:  # fmt: skip
    return request(
        "SUBSCRIBE", uri="sip:200@10.0.0.2", branch=f"z9hG4bKs{cseq}{call_id}", call_id=call_id, cseq=cseq,
        to_tag=to_tag, contact=contact, extra=(f"Event: {event}", *extra), transport=transport,
    )  # fmt: skip


def accepted(
    rig: Rig, *extra: str, body: bytes = NONE, owner: str = "default/200", call_id: str = "sub"
) -> list[Message]:
    assert rig.feed(subscribe(*extra, call_id=call_id), NAT) == []
    rig.endpoint.accept_subscribe(rig.one(SubscribeRequest).request, owner, body, rig.now)
    return rig.sent()


def answer(rig: Rig, notify: Message, status: int = 200) -> list[Message]:
    return rig.feed(response(notify, status), NAT)


def held(rig: Rig) -> int:
    return len(rig.endpoint.core.subscriptions)


def test_accepted_and_told_at_once_then_at_every_change() -> None:
    rig = Rig()
    ok, notify = accepted(rig)
    assert ok.status == 200 and ok.get("expires") == "3600" and ok.contacts and ok.to.tag
    assert notify.method == "NOTIFY" and notify.uri == "sip:200@192.168.1.5:5060" and notify.body == NONE
    assert notify.get("event") == "message-summary" and notify.get("subscription-state") == "active;expires=3600"
    assert notify.get("content-type") == "application/simple-message-summary" and notify.from_.tag == ok.to.tag
    assert notify.to.tag == "f1" and rig.raw[-1].path == NAT  # type: ignore[union-attr]
    answer(rig, notify)
    assert rig.endpoint.summarize("default/200", SOME, rig.now) == 1
    (second,) = rig.sent()
    assert second.body == SOME and second.cseq[0] == notify.cseq[0] + 1
    answer(rig, second)
    assert rig.endpoint.summarize("default/200", SOME, rig.now) == 1 and rig.sent() == []  # he knows it
    assert rig.endpoint.summarize("default/201", SOME, rig.now) == 0


def test_one_notify_at_a_time_and_the_last_word_counts() -> None:
    rig = Rig()
    _, first = accepted(rig)
    for body in (SOME, b"Messages-Waiting: yes\r\nVoice-Message: 2/0 (0/0)\r\n"):
        rig.endpoint.summarize("default/200", body, rig.now)
    assert rig.sent() == []
    (second,) = answer(rig, first)
    assert b"2/0" in second.body
    assert answer(rig, second) == [] and held(rig) == 1


def test_the_state_survives_encoding() -> None:
    rig = Rig()
    _, notify = accepted(rig)
    rig.endpoint = Endpoint.decode(rig.endpoint.encode())
    answer(rig, notify)
    rig.endpoint.summarize("default/200", SOME, rig.now)
    assert rig.sent()[0].body == SOME


def test_a_refresh_prolongs_and_tells_again() -> None:
    rig = Rig()
    ok, notify = accepted(rig, "Expires: 100")
    answer(rig, notify)
    rig.advance(90_000)
    again, told = rig.feed(subscribe("Expires: 200", cseq=2, to_tag=ok.to.tag), NAT)
    assert again.status == 200 and again.get("expires") == "200" and told.get("subscription-state").endswith("=200")
    answer(rig, told)
    sent = [message for _, message in rig.advance(199_000)]
    assert not sent and held(rig) == 1
    old = subscribe(cseq=2, to_tag=ok.to.tag).replace(b"z9hG4bKs2", b"z9hG4bKold")
    assert rig.feed(old, NAT)[0].status == 500
    last = rig.advance(2_000)[0][1]
    assert last.get("subscription-state") == "terminated;reason=timeout" and held(rig) == 0
    assert rig.feed(subscribe(cseq=3, to_tag=ok.to.tag), NAT)[0].status == 481


def test_expires_0_ends_it_and_without_one_fetches_once() -> None:
    rig = Rig()
    ok, notify = accepted(rig)
    answer(rig, notify)
    bye, last = rig.feed(subscribe("Expires: 0", cseq=2, to_tag=ok.to.tag), NAT)
    assert bye.get("expires") == "0" and last.get("subscription-state").startswith("terminated") and held(rig) == 0
    ok, once = accepted(rig, "Expires: 0", body=SOME, call_id="fetch")
    assert ok.get("expires") == "0" and once.body == SOME
    assert once.get("subscription-state") == "terminated;reason=timeout" and held(rig) == 0


def test_taken_back_by_the_rooms_above_it_says_why_and_nothing_else() -> None:
    rig = Rig()
    _, notify = accepted(rig)
    rig.endpoint.summarize("default/200", SOME, rig.now)  # waits for the answer to the first
    rig.endpoint.end_subscription(rig.endpoint.subscriptions()[0].id, "rejected", rig.now)
    (last,) = rig.sent()
    assert last.get("subscription-state") == "terminated;reason=rejected" and last.body == b""
    assert last.cseq[0] == notify.cseq[0] + 1 and held(rig) == 0 and rig.endpoint.watched() == []
    assert answer(rig, notify) == [] and answer(rig, last) == []
    rig.endpoint.end_subscription(99, "rejected", rig.now)
    assert rig.sent() == []


@pytest.mark.parametrize("status", [404, 481, 489, 500, 603])
def test_a_notify_that_is_refused_ends_it(status: int) -> None:
    rig = Rig()
    _, notify = accepted(rig)
    answer(rig, notify, status)
    assert held(rig) == 0 and rig.endpoint.summarize("default/200", SOME, rig.now) == 0


def test_a_phone_that_never_answers_is_forgotten() -> None:
    rig = Rig()
    accepted(rig)
    rig.advance(GIVE_UP_MS + 40_000)
    assert held(rig) == 0


def test_a_stream_that_is_gone_takes_its_subscription_along() -> None:
    rig = Rig()
    rig.open()
    rig.feed(subscribe(transport="TCP", contact="<sip:200@10.0.0.9:5060;transport=tcp>"), STREAM)
    rig.endpoint.accept_subscribe(rig.one(SubscribeRequest).request, "default/200", NONE, rig.now)
    ok, notify = rig.sent()
    rig.feed(response(notify, 200), STREAM)
    assert ok.status == 200 and held(rig) == 1
    rig.endpoint.flow_closed(STREAM.flow, rig.now)
    rig.endpoint.summarize("default/200", SOME, rig.now)
    rig.advance(60_000)
    assert held(rig) == 0


def test_eleven_of_one_owner_are_one_too_many() -> None:
    rig = Rig()
    most = room.PACKAGES[room.PACKAGE].held_max
    for number in range(most):
        answer(rig, accepted(rig, call_id=f"sub{number}")[1])
    sent = accepted(rig, call_id="late")
    ended = [message for message in sent if message.method == "NOTIFY" and message.call_id == "sub0"]
    assert ended[0].get("subscription-state") == "terminated;reason=rejected" and held(rig) == most


# --- refusals ----------------------------------------------------------------------------------------------
def test_who_asks_is_told_to_the_rooms_above_and_challenged() -> None:
    rig = Rig()
    rig.feed(subscribe('Authorization: Digest username="200", realm="a", nonce="n", uri="sip:a", response="aa"'), NAT)
    event = rig.one(SubscribeRequest)
    assert (event.user, event.domain, event.uri) == ("100", "10.0.0.2", "sip:200@10.0.0.2")
    assert event.credentials is not None and event.credentials.username == "200"
    rig.endpoint.challenge_subscribe(event.request, "acme", rig.now)
    (told,) = rig.sent()
    assert told.status == 401 and 'realm="acme"' in (told.get("www-authenticate") or "")
    rig.endpoint.accept_subscribe(event.request, "x", NONE, rig.now)  # too late
    assert rig.sent() == [] and held(rig) == 0


def test_nobody_decides() -> None:
    rig = Rig()
    rig.feed(subscribe(), NAT)
    ((_, told),) = rig.advance(GIVE_UP_MS)
    assert told.status == 500


def test_refused_by_the_rooms_above() -> None:
    rig = Rig()
    rig.feed(subscribe(), NAT)
    rig.endpoint.refuse_subscribe(rig.one(SubscribeRequest).request, 403, rig.now)
    assert rig.sent()[0].status == 403


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (subscribe(event="presence"), 489), (subscribe(event="message-summary;id=1", contact=""), 400),
        (subscribe("Accept: text/plain"), 406), (subscribe("Expires: 30"), 423),
        (subscribe(to_tag="nobody"), 481), (subscribe("Require: eventlist"), 420),
    ],
)  # fmt: skip
def test_what_cannot_be_served(data: bytes, status: int) -> None:
    rig = Rig()
    (told,) = rig.feed(data, NAT)
    assert told.status == status and held(rig) == 0
    if status == 489:
        assert told.get("allow-events") == "message-summary, dialog"


# --- dialogs -------------------------------------------------------------------------------------------------
IDLE = dialog_info.body("201", ())
RINGS = dialog_info.body("201", (dialog_info.Shown("leg1", "early", "recipient"),))
TALKS = dialog_info.body("201", (dialog_info.Shown("leg1", "confirmed", "recipient"),))


def watching(rig: Rig, *, owner: str = "dialog default/201", call_id: str = "blf") -> Message:
    """The first NOTIFY of a lamp, answered."""
    rig.feed(subscribe(event="dialog", call_id=call_id), NAT)
    event = rig.one(SubscribeRequest)
    assert event.package == "dialog"
    rig.endpoint.accept_subscribe(event.request, owner, IDLE, rig.now, watcher="default/200")
    notify = rig.sent()[-1]
    answer(rig, notify)
    return notify


def test_a_lamp_counts_up_and_names_us_as_its_watcher_does() -> None:
    rig = Rig()
    first = watching(rig)
    assert first.get("content-type") == "application/dialog-info+xml" and first.get("event") == "dialog"
    assert b' version="0" ' in first.body and b'entity="sip:201@10.0.0.2"' in first.body
    rig.advance(1_000)
    rig.endpoint.summarize("dialog default/201", RINGS, rig.now)
    (second,) = rig.sent()
    assert b' version="1" ' in second.body and b"<state>early</state>" in second.body


def test_a_lamp_is_told_once_a_second_at_most_and_the_last_word_counts() -> None:
    rig = Rig()
    watching(rig)
    for body in (RINGS, TALKS, RINGS, TALKS):
        rig.endpoint.summarize("dialog default/201", body, rig.now)
        rig.advance(100)
    assert rig.sent() == []
    rig.endpoint = Endpoint.decode(rig.endpoint.encode())
    told = [message for _, message in rig.advance(1_000)]
    assert len(told) == 1 and b"confirmed" in told[0].body and b' version="1" ' in told[0].body
    answer(rig, told[0])
    rig.advance(5_000)
    assert rig.sent() == []


def test_many_keys_of_one_phone_and_no_more() -> None:
    rig = Rig()
    most = room.PACKAGES["dialog"].held_max
    for number in range(most):
        watching(rig, owner=f"dialog default/{number}", call_id=f"key{number}")
    assert held(rig) == most
    watching(rig, owner="dialog default/one", call_id="one")
    assert held(rig) == most and "dialog default/0" not in rig.endpoint.watched()


def test_a_state_of_an_engine_before_knows_who_is_watched() -> None:
    rig = Rig()
    watching(rig)
    rig.endpoint.core.watched.clear()
    rig.endpoint = Endpoint.decode(rig.endpoint.encode())
    assert rig.endpoint.watched() == ["dialog default/201"]
