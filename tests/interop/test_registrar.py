"""Agents' phones: digest in both algorithms, several contacts, expiry, and nothing learnt by guessing."""

from __future__ import annotations

import time

import pytest
from harness.desks import desk
from harness.phone import FINAL, Phone
from harness.server import Engine

from tools.load import wire


@pytest.mark.parametrize("prefer", ["MD5", "SHA-256"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registers_with_either_algorithm(engine: Engine, prefer: str, transport: str) -> None:
    with engine.phone("205", transport=transport) as phone:
        reply = phone.register(prefer=prefer)
        assert reply.status == 200 and "expires" in reply.get("contact")
        gone = phone.register(expires=0, contact="*")
        assert gone.status == 200 and not gone.get("contact")


def test_wrong_password_and_unknown_user_look_alike(engine: Engine) -> None:
    seen = []
    for user in ("205", "nobody-here"):
        with engine.phone(user, secret=False) as phone:
            phone.password = "wrong"
            to = phone.uri(user)
            first = phone.request("REGISTER", phone.uri(), to=to, headers=[phone.contact()])
            challenge = phone.expect(401, call_id=first.get("call-id"))
            time.sleep(0.02)  # nonces carry their birth time in ms
            reply = phone.register()
            names = [name for name, _ in reply.headers]
            seen.append((challenge.status, reply.status, names, len(reply.all("www-authenticate"))))
            fresh = {wire.parameters(value)["nonce"] for value in reply.all("www-authenticate")}
            old = {wire.parameters(value)["nonce"] for value in challenge.all("www-authenticate")}
            assert fresh and not fresh & old
    assert seen[0] == seen[1] and seen[0][1] == 401


def test_challenges_offer_what_every_phone_knows(engine: Engine, caller: Phone) -> None:
    """MD5 alone, unless the site asks for more: baresip 1.0 and SIPp give up when SHA-256 is named."""
    caller.request("REGISTER", caller.uri(), to=caller.uri("200"), headers=[caller.contact()])
    reply = caller.expect(401)
    offered = [wire.parameters(value).get("algorithm", "MD5") for value in reply.all("www-authenticate")]
    assert offered == ["MD5"]


def test_wrong_passwords_slow_their_source_but_lock_nobody_out(engine: Engine) -> None:
    """After five wrong answers a further wrong one waits; the right password works at once, from the same address."""
    with engine.phone("205") as phone:
        reply = phone.register()
        assert reply.status == 200
        for _ in range(5):
            assert phone.register(password="wrong", within=12).status == 401
        began = time.monotonic()
        assert phone.register().status == 200
        assert time.monotonic() - began < 1.0
        phone.register(expires=0, contact="*")


def test_several_contacts_ring_and_the_first_answer_wins(engine: Engine) -> None:
    with desk(engine, "206") as first, engine.phone("206") as second, engine.phone("201") as caller:
        assert second.register().status == 200
        contacts = second.register(contact=f"<sip:206@127.0.0.1:{second.port}>").all("contact")
        assert sum(value.count("sip:206@") for value in contacts) == 2
        placed = caller.place("206")
        here, there = first.wait_call(), second.wait_call()
        here.ring()
        there.ring()
        there.answer()
        cancel = here.expect("CANCEL")
        here.reply(cancel, 200, "OK")
        here.reply(here.invite, 487, "Request Terminated")
        here.expect("ACK")
        assert "completed elsewhere" in cancel.get("reason").lower() or "cause=200" in cancel.get("reason")
        placed.expect(200)
        placed.ack()
        placed.bye()
        there.expect_bye()


def test_a_registration_expires(engine: Engine) -> None:
    with engine.phone("205") as phone:
        reply = phone.register(expires=1)
        assert reply.status in (200, 423)
        if reply.status == 423:
            assert 1 < int(reply.get("min-expires")) <= 3600
        else:
            assert int(wire.uri_of(reply.get("contact")) and reply.get("contact").rpartition("expires=")[2]) >= 60
        phone.register(expires=0, contact="*")


def test_another_agents_credentials_do_not_register_me(engine: Engine) -> None:
    with engine.phone("205") as phone:
        phone.user, phone.password = "205", engine.passwords()["206"]
        # Tests before this one spent the source's free failures: its answer may be 4 s late, as it should be.
        assert phone.register(within=10.0).status in (401, 403)


def test_unregistered_agents_phone_is_unreachable(engine: Engine) -> None:
    with engine.phone("201") as caller:
        dialog = caller.place("207")
        final = dialog.expect(*FINAL)
        assert final.status in (480, 404, 486), final.start
        dialog.ack()


def test_a_registered_phone_is_asked_by_options(engine: Engine) -> None:
    """Qualify: the first OPTIONS comes soon after registration, or within its minute; it isn't waited for here."""
    with desk(engine, "208") as phone:
        phone.answers_options = False
        time.sleep(0.2)
        assert engine.agent_state("208") == "ready"
