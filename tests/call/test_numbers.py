"""Who calls and which number: E.164 beside the original, withheld numbers, what carriers assert."""

from __future__ import annotations

import pytest

from engine.call import numbers
from engine.dialplan.number_plans import NumberPlan
from tests.call.calls import agent, told, wire, world
from tests.call.numbered import CARRIER, STRANGER, caller, calls, numbered_site

SITE = numbered_site()
PAI = ("P-Asserted-Identity", "<sip:03012345678@carrier.example;user=phone>")


def test_numbers_are_kept_in_e164_with_the_original_beside_them() -> None:
    w = world(SITE, law9=True)
    calls(w, "03022334455", "0301234567")
    assert w.last("call.started").data["dialled"] == "+493022334455" and caller(w) == "+49301234567"
    found = w.last("call.identity").data
    assert (found["caller_as"], found["dialled_as"]) == ("0301234567", "03022334455")
    (call,) = w.switch.room.calls.values()
    assert call.running is not None and call.running.facts["access.caller"] == "+49301234567"


@pytest.mark.parametrize("dialled", ["03022334466", "+493022334466", "00493022334466"])
def test_the_number_table_is_found_in_any_spelling(dialled: str) -> None:
    w = world(SITE)
    calls(w, dialled, "0301234567")
    assert w.last("call.started").data["dialled"] == "+493022334466"


def test_short_codes_stay_as_they_are() -> None:
    w = world(SITE)
    calls(w, "700", "0301234567")
    assert w.last("call.started").data["dialled"] == "700"


def test_the_agent_who_knows_him_is_found_by_e164_whichever_trunk_he_comes_by() -> None:
    w = world(SITE)
    desk = agent(w, "201")
    first = calls(w, "03022334455", "0301234567")
    assert w.run_until(lambda: bool(desk.up()), 20_000)
    first.hang_up(w.now_ms)
    w.run(1_000)
    assert list(w.switch.room.last_agents) == ["default/+49301234567"]
    calls(w, "493022334455", "49301234567", host=STRANGER)
    (call,) = w.switch.room.calls.values()
    assert numbers.facts(call.identity)["access.presentation"] == "shown"
    assert w.switch.room.last_agents[f"default/{call.caller}"][0] == "default/201"


@pytest.mark.parametrize(
    ("user", "headers"),
    [
        ("anonymous", ()),
        ("Restricted", ()),
        ("0301234567", (("Privacy", "id"),)),
        ("0301234567", (("Privacy", "user;critical"), PAI)),
        ("0301234567", (("Remote-Party-ID", "<sip:0301234567@c.example>;party=calling;privacy=full;screen=yes"),)),
        ("unavailable", (PAI,)),
    ],
)
def test_withheld_numbers_have_their_own_way_and_are_in_no_record(
    user: str, headers: tuple[tuple[str, str], ...]
) -> None:
    w = world(SITE)
    calls(w, "03022334455", user, headers=headers)
    assert caller(w) == "anonymous" and w.last("call.started").data["name"] == ""
    assert w.last("call.identity").data["presentation"] == "withheld"
    assert w.last("call.prompt").data["clips"] == "en/number_unknown"
    told_of = [str(event.data) for event in w.events if event.tenant]
    assert not any("301234567" in text for text in told_of)


def test_only_a_trusted_trunk_is_believed_what_it_asserts() -> None:
    w = world(SITE)
    calls(w, "03022334455", "03099", headers=(PAI,))
    assert caller(w) == "+493012345678"
    calls(w, "493022334455", "4930990000", host=STRANGER, headers=(PAI,))
    assert caller(w) == "+4930990000"
    calls(w, "493022334455", "anonymous", host=STRANGER, headers=(PAI,))
    last = list(w.switch.room.calls.values())[-1]
    assert last.identity is not None and last.identity.asserted == ""


def test_the_trust_domain_keeps_a_withheld_number() -> None:
    w = world(SITE)
    calls(w, "03022334466", "anonymous", headers=(PAI, ("Privacy", "id")))
    (call,) = w.switch.room.calls.values()
    assert call.identity is not None and (call.caller, call.identity.asserted) == ("anonymous", "+493012345678")


def test_an_agent_is_not_told_a_withheld_number() -> None:
    w = world(SITE)
    desk = agent(w, "201")
    calls(w, "03022334466", "0301234567", headers=(PAI, ("Privacy", "id")))
    assert w.run_until(lambda: bool(desk.up()), 20_000)
    asked = [text for text in wire(w, "INVITE sip:201") if "To:" in text]
    assert asked and not any("30123456" in text or "Phone 030" in text for text in asked)


@pytest.mark.parametrize("user", ["0x77", "sip%40evil", "+4930123456789012345", "+0301234567"])
def test_a_malformed_caller_has_his_own_way(user: str) -> None:
    w = world(SITE)
    phone = calls(w, "03022334455", user)
    assert told(phone) == "rejected 484" and w.last("call.identity").data["presentation"] == "malformed"
    assert caller(w) == "anonymous" and w.last("call.identity").data["caller_as"]


def test_without_a_plan_everything_goes_through_as_it_comes() -> None:
    w = world()
    calls(w, "700", "0301234567")
    assert caller(w) == "0301234567" and not w.all("call.identity")


def test_pai_may_be_a_tel_uri_and_says_what_the_carrier_verified() -> None:
    w = world(SITE)
    identity = ("P-Asserted-Identity", '"Ana" <tel:+493012345678;verstat=TN-Validation-Passed-A>')
    calls(w, "03022334455", "1", headers=(identity,))
    found = w.last("call.identity").data
    assert caller(w) == "+493012345678" and w.last("call.started").data["name"] == "Ana"
    assert (found["verification"], found["attestation"]) == ("passed", "full")
    in_user = ("P-Asserted-Identity", "<sip:+493012345678;verstat=TN-Validation-Failed@c.example;user=phone>")
    calls(w, "03022334455", "1", headers=(in_user,))
    assert w.last("call.identity").data["verification"] == "failed" and caller(w) == "+493012345678"


def test_a_stranger_may_not_say_that_he_is_verified() -> None:
    w = world(SITE)
    identity = ("P-Asserted-Identity", "<tel:+493012345678;verstat=TN-Validation-Passed>")
    calls(w, "493022334455", "493012345678", host=STRANGER, headers=(identity,))
    assert w.last("call.identity").data["verification"] == "none"


def test_diversion_and_history_say_who_has_sent_the_call_on() -> None:
    plan = NumberPlan("de", "national", "30")
    diverted = '<sip:030700@c.example>;reason=no-answer;counter=1, "B" <tel:+4930701234>;reason=user-busy'
    both = [("+4930700", "no-answer"), ("+4930701234", "user-busy")]
    assert numbers.diversions({"diversion": diverted}, plan) == both
    history = (
        "<sip:+49301111111@c.example>;index=1, "
        "<sip:+49302222222@c.example;cause=486>;index=1.1, <sip:+49303333333@c.example;cause=302>;index=1.2"
    )
    assert numbers.diversions({"history-info": history}, plan) == [
        ("+49302222222", "unconditional"), ("+49301111111", "user-busy"),
    ]  # fmt: skip
    w = world(SITE)
    calls(w, "03022334455", "0301234567", headers=(("Diversion", diverted), ("Diversion", "nonsense")))
    assert w.last("call.identity").data["diverted_from"] == "+4930700"


def test_what_an_agents_phone_asks_for_is_kept_but_not_believed() -> None:
    w = world(SITE)
    desk, _ = agent(w, "201"), agent(w, "202")
    desk.headers = (("P-Preferred-Identity", "<sip:+493099999@x>"), ("Privacy", "id"))
    desk.call("202", w.now_ms)
    w.run(100)
    (call,) = w.switch.room.calls.values()
    assert call.caller == "201" and call.identity is not None
    assert (call.identity.preferred, call.identity.presentation) == ("+493099999", "withheld")


def test_the_carriers_address_is_known_by_its_network() -> None:
    w = world(SITE)
    calls(w, "700", "0301234567", host=CARRIER.replace(".1", ".9"))
    assert caller(w) == "+49301234567"
