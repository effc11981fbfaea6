"""Who may call what: trunks, credentials, strangers, and what each is told."""

from __future__ import annotations

import pytest

from engine.call.effects import Drain, Drained, Received
from engine.sip.events import Path, Send
from tests.call.calls import SITE, agent, changed, over, ring, said, told, wire, world

CARRIER = "192.0.2.1"
OPTIONS_503 = b"SIP/2.0 503"


@pytest.mark.parametrize(
    ("host", "port", "trunk"),
    [("192.0.2.9", 5060, "carrier"), ("198.51.100.7", 5060, "gateway"), ("203.0.113.9", 5070, "carrier")],
)
def test_a_trunk_is_known_by_network_address_or_address_and_port(host: str, port: int, trunk: str) -> None:
    w = world(changed(SITE, "carrier", addresses=("192.0.2.0/28", "203.0.113.9:5070")))
    line = w.phone("4420", host=host, port=port, password="")
    line.call("600", w.now_ms)
    w.run(200)
    started = w.last("call.started")
    assert started.data["trunk"] == trunk and started.data["via"] == "trunk" and line.up()


def test_another_port_of_a_trunks_address_is_a_stranger() -> None:
    w = world(changed(SITE, "carrier", addresses=("203.0.113.9:5070",)))
    line = ring(w, "600", phone=w.phone("4420", host="203.0.113.9", password=""))
    w.run(500)
    assert told(line) == "rejected 401" and not w.kinds("call.started")


def test_a_full_trunk_says_486_with_cause_34_and_frees_its_lines() -> None:
    w = world()
    lines = [w.phone(f"44{n}", host=f"192.0.2.{n + 2}", password="") for n in range(3)]
    for line in lines:
        line.call("9196", w.now_ms)
        w.run(100)
    assert lines[0].up() and lines[1].up() and told(lines[2]) == "rejected 486"
    lines[0].hang_up(w.now_ms)
    w.run(100)
    lines[2].call("9196", w.now_ms)
    w.run(100)
    assert lines[2].up()


def test_a_trunks_refusal_names_its_q850_cause() -> None:
    w = world(changed(SITE, "carrier", calls_max=1))
    one, two = (w.phone("44", host=f"192.0.2.{n}", password="") for n in (2, 3))
    one.call("9196", w.now_ms)
    w.run(100)
    two.call("9196", w.now_ms)
    w.run(100)
    assert wire(w, "SIP/2.0 486", "Q.850;cause=34")


@pytest.mark.parametrize(("host", "shown"), [("192.0.2.2", "+44111"), ("198.51.100.7", "4420")])
def test_p_asserted_identity_is_believed_from_trusted_trunks_only(host: str, shown: str) -> None:
    w = world()
    line = w.phone("4420", host=host, password="")
    line.headers = (("P-Asserted-Identity", '"Real" <sip:+44111@carrier.test>'),)
    line.call("9196", w.now_ms)
    w.run(100)
    assert w.last("call.started").data["caller"] == shown


def test_nobody_reaches_a_trunk_or_a_protected_number_without_credentials() -> None:
    w = world()
    carrier = w.phone("carrier", host=CARRIER, password="")
    stranger = w.phone("5551234", password="")
    for number in ("9555", "0049555", "600", "201", "*50"):
        stranger.call(number, w.now_ms, secret=False)
        w.run(500)
        assert told(stranger) == "rejected 401", number
    assert not carrier.got and not w.kinds("call.started")


def test_an_unknown_number_is_404_with_cause_1_and_one_record() -> None:
    w = world()
    stranger = ring(w, "31337")
    w.run(200)
    assert told(stranger) == "rejected 404"
    refused = w.last("engine.refused")
    assert refused.data["kind"] == "number" and "31337" in str(refused.data["detail"])


@pytest.mark.parametrize("number", ["600", "9555", "202"])
def test_a_wrong_password_hears_401_whatever_he_dials(number: str) -> None:
    w = world()
    thief = w.phone("201", password="guess")
    thief.call(number, w.now_ms)
    w.run(2_000)
    assert told(thief) == "rejected 401" and not w.kinds("call.started")


def test_an_agents_registered_phone_must_say_who_it_is() -> None:
    w = world()
    ana = agent(w, "201")
    ana.call("9196", w.now_ms, secret=False)
    w.run(300)
    assert told(ana) == "rejected 401"
    ana.call("9196", w.now_ms)
    w.run(300)
    assert w.last("call.started").data["via"] == "agent" and w.state("201") == "occupied"
    ana.hang_up(w.now_ms)
    over(w)
    assert w.state("201") == "ready"


def test_an_agents_phone_behind_a_trunks_address_is_still_the_agents() -> None:
    w = world()
    ana = agent(w, "201", host="192.0.2.5")
    ana.call("9196", w.now_ms)
    w.run(300)
    assert w.last("call.started").data["via"] == "agent" and ana.up()


def test_credentials_that_mean_nothing_here_leave_a_trunk_a_trunk() -> None:
    w = world()
    line = w.phone("4420", host="192.0.2.2", password="elsewhere")
    line.headers = (("Authorization", 'Digest username="x", realm="y", nonce="z", uri="sip:a", response="b"'),)
    line.call("9196", w.now_ms)
    w.run(300)
    assert w.last("call.started").data["via"] == "trunk"


def test_what_a_phone_dials_cannot_rewrite_the_request_to_the_trunk() -> None:
    w = world()
    carrier = w.phone("carrier", host=CARRIER, password="")
    ana = agent(w, "201")
    for number in ("9555@evil.test", "9555;x=1", "9%0d%0aX: y"):
        ana.call(number, w.now_ms)
        w.run(500)
    assert not said(carrier, "INVITE")


def test_an_onward_invite_carries_one_hop_less_and_a_circle_ends() -> None:
    w = world()
    carrier = w.phone("carrier", host=CARRIER, password="")
    ana = agent(w, "201")
    ana.headers = (("Max-Forwards", "7"),)
    ana.call("9555", w.now_ms)
    w.run(500)
    assert "max-forwards: 6\r\n" in said(carrier, "INVITE")[0].lower()
    ana.hang_up(w.now_ms)
    w.run(500)
    ana.headers = (("Max-Forwards", "1"),)
    ana.call("9555", w.now_ms)
    w.run(500)
    assert len(said(carrier, "INVITE")) == 1 and told(ana).startswith("rejected 4")


def test_draining_refuses_new_calls_with_503_and_tells_after_the_last() -> None:
    w = world()
    first = ring(w, "9196")
    w.run(200)
    assert not any(isinstance(output, Drained) for output in w.give(Drain()))
    late = ring(w, "9196", "5559999")
    w.run(200)
    assert told(late) == "rejected 503" and first.up()
    first.hang_up(w.now_ms)
    seen = False
    while not seen and w.now_ms < 1_100_000:
        w.run(1)
        seen = any(isinstance(output, Drained) for output in w.outputs)
    assert seen and not w.switch.room.calls


def test_a_full_node_says_503_with_retry_after() -> None:
    w = world()
    w.switch.room.rows.rows_max = 4
    phones = [w.phone(f"555{n}", password="") for n in range(3)]
    for phone in phones:
        phone.call("9196", w.now_ms)
        w.run(100)
    assert phones[0].up() and phones[1].up() and told(phones[2]) == "rejected 503"
    assert wire(w, "SIP/2.0 503", "retry-after: ") or wire(w, "SIP/2.0 503", "Retry-After: ")


def test_before_a_site_is_loaded_everybody_is_told_503() -> None:
    from engine.call.effects import Listening
    from engine.sim.phone import Phone
    from engine.switch import Switch

    switch = Switch(b"k" * 32)
    switch.handle(Listening(1, "udp", "10.0.0.1", 5060, "10.0.0.1", 5060), 1)
    phone = Phone("10.0.1.1", "201", "", ("10.0.0.1", 5060))
    phone.call("100", 1)
    phone.register(1)
    got = []
    for _, data in phone.take():
        got += [o.data for o in switch.handle(Received(Path(1, "10.0.1.1", 5060), data), 1) if isinstance(o, Send)]
    assert sum(OPTIONS_503 in data for data in got) == 2


def test_overheard_credentials_open_no_other_number() -> None:
    w = world()
    ana = agent(w, "201")
    ana.call("9196", w.now_ms)
    w.run(300)
    ana.hang_up(w.now_ms)
    w.run(300)
    heard = [
        i for _, i in w.inputs if isinstance(i, Received) and b"INVITE sip:9196" in i.data and b"uthorization" in i.data
    ]
    stolen = heard[0].data.replace(b"INVITE sip:9196", b"INVITE sip:9555").replace(b"z9hG4bK", b"z9hG4bKy")
    stolen = stolen.replace(b"Call-ID: ", b"Call-ID: x").replace(b"call-id: ", b"call-id: x")
    w.wire.clear()
    w.give(Received(heard[0].path, stolen))
    assert len(w.kinds("call.started")) == 1 and wire(w, "SIP/2.0 401")
