"""What trunks are told of who calls: permitted numbers, asserted identities, privacy, who sent a call on."""

from __future__ import annotations

import re

import pytest

from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import agent, ring, said, world
from tests.call.numbered import CARRIER, GATEWAY, NUMBERS, STRANGER, calls, numbered_site
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES

OUT = """
0.: {trunk: carrier, teams: [front]}
9x.: {trunk: stranger, strip: 1}
7x.: {trunk: gateway, strip: 1, caller_id: '+442071234567'}
"""
ONWARD = """
ringdown: 1
languages: [en]
entry: main
flows:
  main:
    - dial: {to: '%s', ring: 5s, failed: bye}
    - hangup: served
  bye:
    - hangup: failed
"""
SITE = numbered_site(outbound=OUT, site=NUMBERS + "  '03022334477': {dialplan: on}\ncaller_ids: ['+493022334499']\n",
                     dialplans__on=ONWARD % "0171234567")  # fmt: skip
PAI = ("P-Asserted-Identity", "<sip:03012345678@carrier.example>")


def invite(w: World, host: str, act: object) -> dict[str, list[str]]:
    """The headers of the INVITE that the trunk at `host` gets when `act` is done."""
    trunk = w.phones.get((host, 5060)) or w.phone("far", host=host, password="")
    trunk.got.clear()
    assert callable(act)
    act()
    assert w.run_until(lambda: bool(said(trunk, "INVITE")), 5_000)
    found: dict[str, list[str]] = {}
    first, *lines = said(trunk, "INVITE")[0].partition("\r\n\r\n")[0].split("\r\n")
    for line in lines:
        name, _, value = line.partition(": ")
        found.setdefault(name, []).append(value)
    return {"uri": [first.split()[1]], **found}


def user(headers: dict[str, list[str]], name: str) -> str:
    match = re.search(r"sips?:([^@>]*)@", headers[name][0])
    assert match is not None
    return match.group(1)


def dial(w: World, phone: Phone, number: str) -> object:
    return lambda: ring(w, number, phone=phone)


def test_numbers_go_out_as_the_trunk_wants_them() -> None:
    w = world(SITE, law9=True)
    ana = agent(w, "201")
    told = invite(w, CARRIER, dial(w, ana, "0049891234567"))
    assert user(told, "uri") == "0891234567" and user(told, "From") == "03022334455"
    assert user(told, "P-Asserted-Identity") == "03022334455" and "Diversion" not in told
    ana.hang_up(w.now_ms)
    told = invite(w, STRANGER, dial(w, ana, "90891234567"))
    assert user(told, "uri") == "49891234567" and user(told, "From") == "493022334455"
    ana.hang_up(w.now_ms)
    told = invite(w, GATEWAY, dial(w, ana, "702071230000"))
    assert user(told, "uri") == "%2B442071230000" or user(told, "uri") == "+442071230000"
    assert user(told, "From") == "+442071234567" and "P-Asserted-Identity" not in told


def test_an_agent_shows_only_what_his_tenant_permits() -> None:
    w = world(SITE)
    ana = agent(w, "201")
    ana.headers = (("P-Preferred-Identity", "<sip:+493022334499@x>"),)
    assert user(invite(w, CARRIER, dial(w, ana, "0891234567")), "From") == "03022334499"
    ana.hang_up(w.now_ms)
    ana.headers = (("P-Preferred-Identity", "<sip:+491715555555@x>"),)
    told = invite(w, CARRIER, dial(w, ana, "0891234567"))
    assert user(told, "From") == "03022334455" and user(told, "P-Asserted-Identity") == "03022334455"
    assert any("+491715555555 may not be shown" in line.text for line in w.logs)


def test_a_queue_has_a_number_of_its_own_for_those_whom_it_calls() -> None:
    queues = BUSY_QUEUES + "sales: {caller_id: '+493022334488'}\n"
    w = world(numbered_site(outbound=OUT, queues=queues))
    from engine.call.identity import presented

    ring(w, "9196")
    w.run(200)
    (call,) = w.switch.room.calls.values()
    trunk = w.switch.room.sites[w.switch.room.site].trunks["carrier"]
    assert presented(w.switch.room, call, trunk, "", "", "default/sales").number == "+493022334488"
    assert presented(w.switch.room, call, trunk, "", "").number == "+493022334455"  # a stranger's own is not told


def test_an_agents_wish_for_privacy_reaches_the_trusted_trunk_with_his_number_and_others_without() -> None:
    w = world(SITE)
    ana = agent(w, "201")
    ana.headers = (("Privacy", "id"),)
    told = invite(w, CARRIER, dial(w, ana, "0891234567"))
    assert "anonymous@anonymous.invalid" in told["From"][0] and told["Privacy"] == ["id"]
    assert user(told, "P-Asserted-Identity") == "03022334455"
    ana.hang_up(w.now_ms)
    told = invite(w, STRANGER, dial(w, ana, "90891234567"))
    assert "anonymous@anonymous.invalid" in told["From"][0] and told["Privacy"] == ["id"]
    assert "P-Asserted-Identity" not in told and "3022334455" not in str(told)


def test_a_call_sent_on_says_who_calls_and_who_sent_it() -> None:
    w = world(SITE)
    before = ("Diversion", "<sip:0309999999@c.example>;reason=no-answer")
    told = invite(w, CARRIER, lambda: calls(w, "03022334477", "1", host="192.0.2.5", headers=(PAI, before)))
    assert user(told, "From") == "03012345678" == user(told, "P-Asserted-Identity")
    assert [re.search("sip:([0-9]+)@.*reason=([a-z-]+)", each).groups() for each in told["Diversion"]] == [  # type: ignore[union-attr]
        ("03022334477", "unconditional"), ("0309999999", "no-answer"),
    ]  # fmt: skip
    entries = told["History-Info"][0].split(", ")
    assert [re.search("sip:([0-9]+)@", each).group(1) for each in entries] == [  # type: ignore[union-attr]
        "0309999999", "03022334477", "0171234567",
    ]  # fmt: skip
    assert [each.partition("index=")[2].partition(";")[0] for each in entries] == ["1", "1.1", "1.1.1"]
    assert "cause=408" in entries[1] and "cause=302" in entries[2] and entries[2].endswith("mp=1.1")


def test_a_withheld_caller_who_is_sent_on_stays_withheld_outside_the_trust_domain() -> None:
    w = world(SITE)
    hidden = (PAI, ("Privacy", "id"))
    told = invite(w, CARRIER, lambda: calls(w, "03022334477", "anonymous", host="192.0.2.5", headers=hidden))
    assert "anonymous.invalid" in told["From"][0] and user(told, "P-Asserted-Identity") == "03012345678"
    out = numbered_site(outbound=OUT, site=NUMBERS + "  '03022334477': {dialplan: on}\n",
                        dialplans__on=ONWARD % "90171234567")  # fmt: skip
    w = world(out)
    told = invite(w, STRANGER, lambda: calls(w, "03022334477", "anonymous", host="192.0.2.5", headers=hidden))
    assert "anonymous.invalid" in told["From"][0] and "3012345678" not in str(told)


@pytest.mark.parametrize(("kind", "header"), [("rpid", "Remote-Party-ID"), ("ppi", "P-Preferred-Identity")])
def test_the_header_is_the_trunks_choice(kind: str, header: str) -> None:
    w = world(numbered_site(outbound=OUT, trunk=f", identity: {kind}"))
    told = invite(w, CARRIER, dial(w, agent(w, "201"), "0891234567"))
    assert user(told, header) == "03022334455" and "P-Asserted-Identity" not in told
    assert kind != "rpid" or "party=calling;screen=yes;privacy=off" in told[header][0]


def test_a_callers_e164_is_called_back_by_the_rule_for_how_people_here_dial_it() -> None:
    w = world(SITE)
    index = w.switch.room.index()
    found = index.outbound("default", "front", "+49301234567")
    assert found is not None and (found[0].trunk, found[1]) == ("carrier", "+49301234567")
    assert index.outbound("default", "", "+49301234567")[0].trunk == "stranger"  # type: ignore[index]


def test_a_call_that_goes_to_an_agents_mobile_names_its_number_not_him() -> None:
    agents = BUSY_AGENTS.replace("team: front}", "team: front, phone: {number: '0301234567'}}", 1)
    w = world(numbered_site(outbound=OUT, agents=agents))
    mobile = w.phone("mobile", host=CARRIER, password="")
    assert w.operate("agent.login", agent="201").ok
    calls(w, "+493022334455", "0891111", host=STRANGER)
    assert w.run_until(lambda: bool(said(mobile, "INVITE")), 10_000)
    (history,) = [line for line in said(mobile, "INVITE")[0].split("\r\n") if line.lower().startswith("history-info")]
    assert "agent" not in history and "<sip:0301234567@" in history.split(", ")[-1]
