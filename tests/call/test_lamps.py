"""The lamp: who may ask for it, what it says, and that it follows the boxes."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import lamps
from engine.call.effects import BoxesLoaded, SecretsLoaded, SiteLoaded
from engine.dialplan.gate_model import AccessModel
from engine.sim.phone import Phone
from engine.sim.world import World
from engine.sip import digest
from engine.sip.digest import ha1
from engine.sip.parser import parse
from tests.call.boxed import boxed_site, boxes_world, customer, speak
from tests.call.calls import agent, said
from tests.call.test_boxes import stored
from tests.sip.wire import response


def subscribe(w: World, phone: Phone, user: str = "", *, authorization: str = "", cseq: int = 1, call_id: str = "s",
              expires: int = 600, watched: str = "", event: str = "message-summary") -> None:  # fmt: skip
    """A SUBSCRIBE that the phone itself would write."""
    user = user or phone.user
    lines = [
        "SUBSCRIBE sip:ringdown SIP/2.0",
        f"Via: SIP/2.0/UDP {phone.host}:{phone.port};branch=z9hG4bK{call_id}{cseq};rport", "Max-Forwards: 70",
        f"From: <sip:{user}@ringdown>;tag=f{call_id}", f"To: <sip:{watched or user}@ringdown>", f"Call-ID: {call_id}",
        f"CSeq: {cseq} SUBSCRIBE", f"Contact: <sip:{user}@{phone.host}:{phone.port}>", f"Event: {event}",
        f"Expires: {expires}", *([f"Authorization: {authorization}"] if authorization else []), "Content-Length: 0",
    ]  # fmt: skip
    data = ("\r\n".join(lines) + "\r\n\r\n").encode()
    w.network.send((phone.host, phone.port), ("10.0.0.1", 5060), data, w.now_ms)
    w.run(200)


def shows(w: World, phone: Phone) -> None:
    """The phone has a lamp: it answers NOTIFYs (as an endpoint alone it would know nothing of them)."""
    other = phone.receive

    def receive(source: tuple[str, int], data: bytes, now_ms: int) -> None:
        if not data.startswith(b"NOTIFY "):
            other(source, data, now_ms)
            return
        phone.got.append(data)
        w.network.send((phone.host, phone.port), source, response(parse(data), 200), now_ms)

    phone.receive = receive  # type: ignore[method-assign]


def lit(w: World, user: str = "201", *, as_user: str = "", call_id: str = "s") -> Phone:
    """An agent's phone that has subscribed with its password."""
    phone = agent(w, user)
    shows(w, phone)
    subscribe(w, phone, as_user, call_id=call_id)
    challenge = next(data.decode() for data in reversed(w.wire) if b" 401 " in data and b"SUBSCRIBE" in data)
    value = next(line for line in challenge.split("\r\n") if line.lower().startswith("www-authenticate"))
    answer = digest.respond(
        [value.partition(": ")[2]], user, phone.password, "SUBSCRIBE", "sip:ringdown", w.switch.room.tokens
    )
    subscribe(w, phone, as_user, authorization=answer, cseq=2, call_id=call_id)
    return phone


def summaries(phone: Phone) -> list[str]:
    return [text.partition("\r\n\r\n")[2].split("Voice-Message: ")[1].strip() for text in said(phone, "NOTIFY")]


def test_the_lamp_follows_the_boxes() -> None:
    w = boxes_world()
    w.give(BoxesLoaded([stored("default/201", state="heard"), stored("default/gone", name="g")]))
    phone = lit(w)
    assert summaries(phone) == ["0/1 (0/0)"]
    assert "Messages-Waiting: no" in said(phone, "NOTIFY")[0]
    speak(w, customer(w))
    assert summaries(phone)[-1] == "1/1 (0/0)"
    assert "Messages-Waiting: yes\r\nMessage-Account: sip:201@ringdown" in said(phone, "NOTIFY")[-1]
    assert w.operate("voicemail.heard", box="support", message="1").ok
    w.run(100)
    assert summaries(phone)[-1] == "0/2 (0/0)"
    assert w.operate("voicemail.delete", box="support", message="1").ok
    w.run(100)
    assert summaries(phone) == ["0/1 (0/0)", "1/1 (0/0)", "0/2 (0/0)", "0/1 (0/0)"]


def test_a_step_with_many_changes_is_told_once() -> None:
    w = boxes_world()
    phone = lit(w)
    w.give(BoxesLoaded([stored(name=str(n)) for n in range(5)]))
    w.run(200)
    assert summaries(phone) == ["0/0 (0/0)", "5/0 (0/0)"]


def test_who_hears_nothing_is_shown_nothing() -> None:
    w = boxes_world()
    phone = lit(w, "203")
    speak(w, customer(w))
    assert summaries(phone) == ["0/0 (0/0)"]


def test_another_agents_lamp_is_not_his_to_ask_for() -> None:
    w = boxes_world()
    phone = lit(w, "201", as_user="202")
    assert not said(phone, "NOTIFY") and any(b" 403 " in data for data in w.wire)


def test_a_wrong_password_is_refused_and_told() -> None:
    w = boxes_world()
    phone = agent(w, "201")
    phone.password = "wrong"
    subscribe(w, phone)
    challenge = next(data.decode() for data in reversed(w.wire) if b" 401 " in data and b"SUBSCRIBE" in data)
    value = next(line for line in challenge.split("\r\n") if line.lower().startswith("www-authenticate"))
    answer = digest.respond(
        [value.partition(": ")[2]], "201", "wrong", "SUBSCRIBE", "sip:ringdown", w.switch.room.tokens
    )
    subscribe(w, phone, authorization=answer, cseq=2)
    assert "SUBSCRIBE as 201" in str(w.last("engine.refused").data["detail"]) and not said(phone, "NOTIFY")


def test_a_reload_that_gives_him_a_box_is_shown_at_once() -> None:
    w = boxes_world(boxed_site(boxes="support: {hears: 202}\n201: {hears: 202, agent: 202, number: 9}\n"))
    w.give(BoxesLoaded([stored()]))
    phone = lit(w)
    assert summaries(phone) == ["0/0 (0/0)"]
    w.load(boxed_site(boxes="support: {hears: [201, 202]}\n201: {hears: 202}\n"))
    w.run(200)
    assert summaries(phone)[-1] == "1/0 (0/0)"


def test_the_summary_of_a_site_without_boxes() -> None:
    w = boxes_world()
    assert lamps.summary(w.switch.room, "nobody/1") == (
        b"Messages-Waiting: no\r\nMessage-Account: sip:1@nobody\r\nVoice-Message: 0/0 (0/0)\r\n"
    )
    with pytest.raises(StopIteration):
        w.last("voicemail.left")


def last_word(phone: Phone) -> str:
    notify = said(phone, "NOTIFY")[-1]
    return next(line.partition(": ")[2] for line in notify.split("\r\n") if line.startswith("Subscription-State"))


def passwords(w: World, **anew: str) -> SecretsLoaded:
    """Everybody's, some of them new."""
    realm = w.site.tenants["default"].realm
    given = {key: anew.get(f"n{model.number}", f"pw-{model.number}") for key, model in w.site.agents.items()}
    return SecretsLoaded({key: ha1(key.partition("/")[2], realm, word) for key, word in given.items()},
                         w.trunk_passwords, w.switch.room.pins)  # fmt: skip


def test_a_new_password_ends_what_the_old_one_has_proven_and_nobody_elses() -> None:
    w = boxes_world()
    ana, ben = lit(w, "201", call_id="a"), lit(w, "202", call_id="b")
    told = len(said(ben, "NOTIFY"))
    w.give(passwords(w))
    w.run(200)
    assert last_word(ana).startswith("active"), "the same passwords once more change nothing"
    w.give(passwords(w, n201="another"))
    w.run(200)
    assert last_word(ana) == "terminated;reason=deactivated"
    assert len(said(ben, "NOTIFY")) == told and last_word(ben).startswith("active")
    assert [each.owner for each in w.switch.room.endpoint.subscriptions()] == ["default/202"]


def test_an_agent_who_leaves_the_site_is_told_no_more_of_his_boxes() -> None:
    w = boxes_world()
    ana, ben = lit(w, "201", call_id="a"), lit(w, "202", call_id="b")
    agents = {key: model for key, model in w.site.agents.items() if key != "default/201"}
    w.give(SiteLoaded("without", msgspec.msgpack.encode(msgspec.structs.replace(
        w.site, agents=agents, version="without"))))  # fmt: skip
    w.run(200)
    assert last_word(ana) == "terminated;reason=rejected" and last_word(ben).startswith("active")


def test_a_phone_that_calls_from_where_its_tenant_is_no_longer_heard_is_told_no_more() -> None:
    w = boxes_world()
    ana = lit(w, "201")
    shut = msgspec.structs.replace(w.site.tenants["default"], gate=AccessModel(allow=("192.0.2.0/24",)))
    w.load(msgspec.structs.replace(w.site, tenants={**w.site.tenants, "default": shut}, version="shut"))
    w.run(200)
    assert last_word(ana) == "terminated;reason=rejected"
