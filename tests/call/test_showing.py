"""What an agent's phone shows before he answers, in the INVITE that really leaves."""

from __future__ import annotations

import pytest

from engine import limits
from engine.call.call import Call
from engine.call.showing import SHOWN, answer_headers, ascii_text, display_name, offer_headers, show
from engine.dialplan.model import QueueModel
from tests.call.calls import agent, ring, said, world
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES, busy_site


def call(name: str = "", caller: str = "5551234") -> Call:
    return Call(1, "x", "chess", "", caller, name, "98667", "public", "", 0)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Zoë Müller", "Zoe Muller"), ("Łódź", "Lodz"), ("Straße", "Strasse"), ("Ærø", "AEro"),
        ("“x” – y…", '"x" - y...'), ("王", ""), ("a\r\nEvil: 1", "aEvil: 1"),
    ],
)
def test_every_letter_is_said_in_ascii_or_left_out(text: str, plain: str) -> None:
    assert ascii_text(text).lower() == plain.lower()


def test_default_names_tenant_queue_and_caller_in_30_characters() -> None:
    assert display_name(call("Zoë"), QueueModel("chess", "support")) == "[chess support] Zoe"
    assert display_name(call("Zoë"), QueueModel("default", "support")) == "[support] Zoe"
    assert len(display_name(call("Zoë " * 20), QueueModel("chess", "support"))) <= 30
    assert display_name(call(), QueueModel("default", "q")) == "[q] 5551234"
    assert display_name(call("", ""), QueueModel("default", "q")) == "[q] anonymous"


def test_a_name_that_ascii_cannot_say_gives_way_to_the_number() -> None:
    assert display_name(call("王小明"), QueueModel("default", "q")) == "[q] 5551234"
    assert display_name(call("Иван 3"), QueueModel("default", "q")) == "[q] 5551234"


def test_the_queues_own_template() -> None:
    queue = QueueModel("chess", "vip", display="VIP {name} {number} {dialled} {tenant}")
    assert display_name(call("Al"), queue) == "VIP Al 5551234 98667 chess"
    assert display_name(call(), queue) == "VIP 5551234 98667 chess"


def test_alert_info_is_the_queues_and_no_header_takes_a_strangers_text() -> None:
    own = QueueModel("d", "q", alert_info="<urn:alert:x>")
    assert dict(offer_headers(call(), own))["Alert-Info"] == "<urn:alert:x>"
    assert dict(offer_headers(call(), QueueModel("d", "q")))["Alert-Info"] == "<urn:alert:source:queue-q>"
    assert "P-Asserted-Identity" not in dict(offer_headers(call(caller="a b>;x"), None))
    assert answer_headers("") == []


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ("call-info", "Call-Info: <sip:ringdown>;answer-after=0"), ("answer-mode", "Answer-Mode: Auto"),
        ("alert-info", "Alert-Info: <http://ringdown>;info=alert-autoanswer;delay=0"),
    ],
)
def test_a_queue_or_an_agent_may_ask_the_phone_to_answer_by_itself(way: str, wanted: str) -> None:
    for site in (
        busy_site(queues=BUSY_QUEUES.replace("support: {", f"support: {{auto_answer: {way}, ", 1)),
        busy_site(agents=BUSY_AGENTS.replace("201: {", f"201: {{phone: {{auto_answer: {way}}}, ", 1)),
    ):
        w = world(site)
        ana = agent(w, "201")
        ring(w, "700")
        w.run(300)
        invite = said(ana, "INVITE")[0]
        assert wanted in invite and invite.count("Alert-Info:") == 1


def test_display_and_alert_info_of_the_queue_are_on_the_wire() -> None:
    own = "support: {display: '{queue}: {caller}', alert_info: ';info=ring2', "
    w = world(busy_site(queues=BUSY_QUEUES.replace("support: {", own, 1)))
    ana = agent(w, "201")
    ring(w, "700", "5551234")
    w.run(300)
    invite = said(ana, "INVITE")[0]
    assert '"support: Phone 5551234"' in invite
    assert "Alert-Info: <http://ringdown.invalid>;info=ring2\r\n" in invite


SHOWS = """
ringdown: 1
variables: {account: digits 3 = 123}
flows:
  main:
    - answer
    - show: {account: $account, who: "Zoë / $access.caller"}
    - metric: {name: shown, by: 2 + 1}
    - queue: {name: support, show: {account: again $account}, full: out, no_agents: out, timeout: out}
    - hangup: served
  out:
    - hangup: failed
"""


def test_what_the_dialplan_shows_reaches_the_phone_the_records_and_the_operators() -> None:
    w = world(busy_site(dialplans__echo=SHOWS))
    desk = agent(w, "201")
    ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(said(desk, "INVITE")), 20_000)
    lines = [line for line in said(desk, "INVITE")[0].split("\r\n") if line.lower().startswith(SHOWN.lower())]
    told = [line.partition(": ")[2] for line in lines]  # a header's name has no case
    assert told == ["account=again 123", "who=Zo%C3%AB %2F 5551234"]
    assert [event.data["values"] for event in w.all("call.shown")] == [
        "account=123; who=Zoë / 5551234", "account=again 123",
    ]  # fmt: skip
    assert w.last("call.metric").data == {"name": "shown", "by": 3}
    assert b"account=again 123; who=" in w.operate("calls").data


def test_an_agent_who_is_dialled_is_shown_it_too() -> None:
    queue = "queue: {name: support, show: {account: again $account}, full: out, no_agents: out, timeout: out}"
    assert queue in SHOWS
    w = world(busy_site(dialplans__echo=SHOWS.replace(queue, "dial: {to: 201, failed: out}")))
    desk = agent(w, "201")
    ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(said(desk, "INVITE")), 20_000)
    assert f"{SHOWN}: account=123\r\n".lower() in said(desk, "INVITE")[0].lower()


def test_what_is_shown_is_bounded() -> None:
    w = world()
    ring(w, "9196")
    w.run(100)
    (one,) = w.switch.room.calls.values()
    for number in range(40):
        show(w.switch.room, one, {f"n{number}": "x" * 500})
    assert len(one.shown) == limits.shown_values_max and {len(text) for text in one.shown.values()} == {120}
    show(w.switch.room, one, {"n0": "new", "n39": "late"})
    assert one.shown["n0"] == "new" and "n39" not in one.shown
