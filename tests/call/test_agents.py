"""Credentials, registrations, logins: who an agent is, whether he can be rung, and what keeps him from offers."""

from __future__ import annotations

import msgspec
import pytest

from engine.call.agents import FAILURE_FORGOTTEN_MS, identify
from engine.call.effects import AgentStates
from engine.limits import nonce_ms_max
from engine.sim.world import World
from engine.sip.digest import challenges, make_nonce, parse_credentials, respond
from tests.call.calls import agent, ring, said, talk, told, world
from tests.scenarios.sites import BUSY_AGENTS, BUSY_QUEUES, BUSY_SITE, BUSY_SUPPORT, SITE, busy_site, site

TENANT = "ringdown: 1\nname: Chess\ndomain: chess.test\n"
CHESS_AGENTS = "201: {name: Vera, queues: [support]}\n"
CHESS_QUEUES = "support: {ring: 10s}\n"


def two_tenants() -> World:
    made = world(
        busy_site(
            tenants__chess__tenant=TENANT, tenants__chess__agents=CHESS_AGENTS, tenants__chess__queues=CHESS_QUEUES
        )
    )
    return made


def test_two_tenants_may_have_the_same_user_with_another_password() -> None:
    w = two_tenants()
    w.passwords["chess/201"] = "pw-201"
    ana, vera = w.phone("201"), w.phone("201", tenant="chess")
    for phone in (ana, vera):
        phone.register(w.now_ms)
        w.run(500)
    assert ana.registered_ms > 0 and vera.registered_ms > 0
    assert w.switch.room.agents["default/201"].reachable and w.switch.room.agents["chess/201"].reachable
    assert w.operate("agent.login", agent="chess/201").ok and w.state("chess/201") == "ready"
    assert w.state("201") == "logged_out"


def test_another_tenants_credentials_are_wrong_here() -> None:
    w = two_tenants()
    secrets = dict(w.switch.room.secrets)
    vera = w.phone("201", tenant="chess", password="pw-201")
    vera.domain = "10.0.0.1"  # she asks at the default tenant's door with her own name and password
    w.switch.room.secrets["default/201"] = {"MD5": "1" * 32, "SHA-256": "1" * 64}
    vera.register(w.now_ms)
    w.run(500)
    assert told(vera) == "REGISTER 401" and secrets["chess/201"] == w.switch.room.secrets["chess/201"]


def test_a_stale_nonce_gets_a_fresh_one_and_is_no_failure() -> None:
    w = world()
    ana = w.phone("201")
    ana.register(w.now_ms)
    w.run(500)
    answered = next(data for _, data in ((n, i) for n, i in w.inputs) if b"Authorization" in getattr(data, "data", b""))
    w.run(nonce_ms_max + 10_000)
    w.give(
        type(answered)(answered.path, answered.data.replace(b"CSeq: 2", b"CSeq: 9").replace(b"z9hG4bK", b"z9hG4bKx"))
    )
    assert any(b"401" in data[:20] and b"stale=TRUE" in data for data in w.wire)
    assert not w.switch.room.failures


def test_nobody_registers_an_address_that_is_not_his() -> None:
    w = world()
    ana = w.phone("201")
    ana.register(w.now_ms)
    w.run(200)
    ana.user, ana.password = "202", ana.password
    ana.register(w.now_ms)
    w.run(500)
    assert told(ana) == "REGISTER 401" and not w.switch.room.agents["default/202"].reachable


@pytest.mark.parametrize(("asked", "answer"), [
    ("sip:10.0.0.1", "200"), ("sip:10.0.0.1:5060", "200"), ("sip:10.0.0.1;transport=udp", "200"),
    ("sip:other.example", "401"), ("sip:201@10.0.0.1", "401"), ("nonsense", "401"),
])
def test_credentials_are_good_only_where_they_were_made_for(asked: str, answer: str) -> None:
    w = world()
    ana = w.phone("201")
    ana.domain = "10.0.0.1"
    tenant = w.switch.room.index().tenant("10.0.0.1")
    nonce = make_nonce(w.switch.room.endpoint.core.nonce_key, w.now_ms)
    offered = challenges(tenant.realm, nonce, algorithms=("MD5",))
    proof = respond(offered, "201", "pw-201", "REGISTER", asked, ana.tokens)
    ana.register(w.now_ms, authorization=proof)
    w.run(500)
    assert told(ana) == f"REGISTER {answer}"
    assert w.switch.room.agents["default/201"].reachable == (answer == "200")
    refusals = w.all("engine.refused")
    assert not refusals if answer == "200" else "made for" in str(refusals[0].data["detail"])


def test_wrong_passwords_wait_longer_and_longer_but_a_good_phone_behind_the_same_address_does_not() -> None:
    w = world()
    waits = []
    for attempt in range(7):
        thief = w.phone("201", host="10.9.9.9", port=6000 + attempt, password="guess")
        thief.register(w.now_ms)
        began = w.now_ms
        assert w.run_until(lambda: len(thief.log) == 2, 10_000)  # noqa: B023
        waits.append(w.now_ms - began)
    assert waits[0] < 50 and waits[1] < 50 and waits[-1] >= 2_000 and waits == sorted(waits)
    good = w.phone("202", host="10.9.9.9", port=5060)
    began = w.now_ms
    good.register(w.now_ms)
    assert w.run_until(lambda: good.registered_ms >= 0, 10_000) and good.registered_ms - began < 50
    w.run(FAILURE_FORGOTTEN_MS + 10_000)
    late = w.phone("201", host="10.9.9.9", port=7000, password="guess")
    late.register(w.now_ms)
    w.run(60)
    assert len(late.log) == 2
    assert not w.switch.room.pending


def test_a_delayed_challenge_of_a_caller_who_gave_up_finds_nobody() -> None:
    w = world()
    for attempt in range(6):
        thief = w.phone("201", host="10.9.9.9", port=6000 + attempt, password="guess")
        thief.call("600", w.now_ms)
        w.run(30)
    assert w.switch.room.pending
    for phone in w.phones.values():
        phone.hang_up(w.now_ms)
    w.run(60_000)
    assert not w.switch.room.pending and w.quiet()


def test_an_agent_is_reachable_while_one_of_his_phones_is() -> None:
    w = world()
    desk = agent(w, "201")
    home = w.phone("201")
    home.register(w.now_ms)
    w.run(300)
    desk.register(w.now_ms, expires_s=0)
    w.run(300)
    assert w.switch.room.agents["default/201"].reachable
    home.register(w.now_ms, expires_s=0)
    w.run(300)
    assert not w.switch.room.agents["default/201"].reachable and w.state("201") == "ready"
    ring(w, "700")
    w.run(2_000)
    assert not w.kinds("queue.offered")
    home.register(w.now_ms)
    assert w.run_until(lambda: bool(w.kinds("queue.offered")), 2_000)


def test_a_phone_that_goes_dark_is_found_by_options_and_offered_nothing() -> None:
    w = world()
    desk = agent(w, "201")
    w.run(10_000)  # it has answered an OPTIONS: from now on silence means something
    w.darken(desk)
    assert w.run_until(lambda: not w.switch.room.agents["default/201"].reachable, 120_000)
    ring(w, "700")
    w.run(3_000)
    assert not w.kinds("queue.offered")


def test_a_static_contact_is_rung_without_registration_and_answers_by_itself() -> None:
    w = world()
    dee = w.phone("204", host="10.0.9.4")
    assert w.state("204") == "ready"
    ana = agent(w, "201")
    ring(w, "204", phone=ana)
    assert w.run_until(lambda: bool(dee.up()), 5_000)
    assert any("answer-after=0" in data.decode() for data in dee.got)


def test_who_logs_out_stays_out_when_his_phone_registers_again() -> None:
    w = world(busy_site(agents=BUSY_AGENTS.replace("name: Ben,", "name: Ben, logged_in: yes,")))
    ben = w.phone("202")
    ben.register(w.now_ms)
    w.run(300)
    assert w.state("202") == "ready"
    w.operate("agent.logout", agent="202")
    ben.register(w.now_ms, expires_s=0)
    w.run(300)
    ben.register(w.now_ms)
    w.run(300)
    assert w.state("202") == "logged_out" and w.switch.room.agents["default/202"].reachable


@pytest.mark.parametrize(
    ("kept", "state"), [("ready", "ready"), ("not_ready:lunch", "not_ready"), ("logged_out", "logged_out")]
)
def test_logins_are_kept_over_a_restart(kept: str, state: str) -> None:
    from engine.sim.world import START_MS, World

    class Restarted(World):
        def load(self, site: object) -> None:
            self.give(AgentStates({"default/201": kept}))
            super().load(site)  # type: ignore[arg-type]

    w = Restarted(busy_site())
    assert w.now_ms == START_MS and w.state("201") == state
    assert state != "not_ready" or w.switch.room.agents["default/201"].reason == "lunch"


def test_a_call_of_another_kind_occupies_him_and_a_second_line_does_not() -> None:
    w = world(busy_site(agents=BUSY_AGENTS.replace("name: Ben,", "name: Ben, second_line: yes,")))
    ana, ben = agent(w, "201"), agent(w, "202")
    for phone in (ana, ben):
        ring(w, "9196", phone=phone)
        w.run(200)
    assert w.state("201") == "occupied" and w.state("202") == "ready"
    ring(w, "700")
    assert w.run_until(lambda: bool(w.kinds("queue.connected")), 5_000)
    assert w.last("queue.connected").data["agent"] == "default/202"


def test_logout_and_not_ready_in_a_conversation_take_effect_at_its_end() -> None:
    for verb, state in (("agent.logout", "logged_out"), ("agent.not_ready", "not_ready")):
        w = world()
        caller, _ = talk(w)
        assert w.operate(verb, agent="201").ok and w.state("201") == "talking"
        caller.hang_up(w.now_ms)
        w.run(7_000)
        assert w.state("201") == state


def test_wrap_up_ends_early_when_he_says_that_he_is_ready() -> None:
    w = world()
    caller, _ = talk(w)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "wrap_up"
    assert w.operate("agent.ready", agent="201").ok and w.state("201") == "ready"


def test_a_removed_agent_finishes_his_conversation_and_comes_back_like_new() -> None:
    w = world()
    caller, desk = talk(w)
    without = "".join(f"{line}\n" for line in BUSY_AGENTS.splitlines() if not line.startswith("201"))
    w.load(
        busy_site(
            agents=without,
            dialplans__onward="ringdown: 1\nflows:\n  main:\n    - answer\n    - echo\n",
            site=BUSY_SITE.replace(", entry: serial", "").replace(", entry: music", "").replace(", entry: out", ""),
        )
    )
    assert desk.up() and caller.up()
    caller.hang_up(w.now_ms)
    w.run(8_000)
    assert w.last("agent.state").data["new"] == "logged_out"
    desk.call("9196", w.now_ms)
    w.run(500)
    assert told(desk) == "rejected 401" or not desk.up()
    w.load(busy_site())
    assert w.operate("agent.login", agent="201").ok and w.state("201") == "ready"
    ring(w, "700")
    assert w.run_until(lambda: bool(w.kinds("queue.offered")) and bool(desk.up()), 5_000)


def test_a_contact_given_by_a_reload_makes_him_reachable() -> None:
    w = world()
    assert not w.switch.room.agents["default/202"].reachable
    w.load(busy_site(agents=BUSY_AGENTS.replace("name: Ben,", "name: Ben, contact: 'sip:202@10.0.9.2:5060',")))
    assert w.switch.room.agents["default/202"].reachable
    w.load(busy_site())
    assert not w.switch.room.agents["default/202"].reachable


def test_refusals_are_counted_and_told_at_a_bounded_rate() -> None:
    w = world()
    stranger = w.phone("5551234", password="")
    for _ in range(60):
        stranger.call("31337", w.now_ms, secret=False)
        w.run(20)
    assert w.switch.room.refused["number"] == 60 and 10 < len(w.kinds("engine.refused")) < 30


@pytest.mark.parametrize(
    ("digest", "offered"), [("md5", ["MD5"]), ("sha-256", ["SHA-256"]), ("both", ["SHA-256", "MD5"])]
)
def test_a_tenant_says_how_passwords_are_proven_and_another_proof_is_refused(digest: str, offered: list[str]) -> None:
    w = World(site(site=SITE + f"digest: {digest}\n"))
    tenant = w.switch.room.index().site.tenants["default"]
    nonce = w.switch.room.endpoint.core.nonce_key
    challenged = make_nonce(nonce, w.now_ms)
    for algorithm in ("MD5", "SHA-256"):
        (value,) = challenges(tenant.realm, challenged, algorithms=(algorithm,))
        answer = respond([value], "201", "pw-201", "REGISTER", "sip:x", w.phone("201").tokens)
        proof = parse_credentials(answer, "REGISTER")
        verdict = identify(w.switch.room, tenant, proof, "REGISTER", "10.9.9.9", w.now_ms)
        assert (verdict[0] == "good") == (algorithm in offered), (algorithm, verdict)


# --- rest that is owed ------------------------------------------------------------------------------------------
def listed(w: World, number: str) -> dict[str, object]:
    """His line in `ringdown agents`."""
    (row,) = [each for each in msgspec.json.decode(w.operate("agents").data) if each["agent"] == number]
    return row


def test_a_rest_is_told_listed_and_recorded_with_its_reason() -> None:
    site = BUSY_SITE + "breaks: {after: 1min, rest: 2min}\n"
    w = world(busy_site(site=site, agents=BUSY_AGENTS.replace("name: Ana,", "name: Ana, wrap_up: 0s,")), law9=True)
    caller, ana = talk(w, reads=True)
    w.run(61_000)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "resting"
    assert said(ana, "MESSAGE")[-1].endswith("No calls for 120 s: you have talked for long.")
    row = listed(w, "201")
    assert (row["state"], row["reason"]) == ("resting", "long_talk")
    assert [e.data["reason"] for e in w.all("agent.state") if e.data["new"] == "resting"] == ["long_talk"]
    w.run(120_000)
    assert w.state("201") == "ready" and said(ana, "MESSAGE")[-1].endswith("Ready: your rest is over.")


def test_a_pause_after_each_call_is_no_news() -> None:
    w = world(busy_site(agents=BUSY_AGENTS.replace("name: Ana,", "name: Ana, wrap_up: 0s, breaks: {between: 10s},")))
    caller, ana = talk(w, reads=True)
    before = said(ana, "MESSAGE")
    caller.hang_up(w.now_ms)
    w.run(500)
    assert w.state("201") == "resting"
    w.run(11_000)
    assert w.state("201") == "ready" and said(ana, "MESSAGE") == before


def test_a_reserve_and_a_class_reach_the_distributor() -> None:
    queues = BUSY_QUEUES.replace("support: {", "support: {reserve: {gold: 1}, ")
    plan = BUSY_SUPPORT.replace("queue: {name: taped,", "queue: {name: support, class: gold,")
    w = world(busy_site(queues=queues, dialplans__support=plan), law9=True)
    ana = agent(w, "201")
    poor = ring(w, "700", "5550001")
    w.run(5_000)
    assert not ana.sessions and w.hears(poor) == "music/default"
    rich = ring(w, "742", "5550002")
    assert w.run_until(lambda: bool(ana.up()), 5_000)
    w.run(500)
    assert w.hears(rich).startswith("row") and not w.hears(poor).startswith("row")
    for phone in (rich, poor):
        phone.hang_up(w.now_ms)
    w.run(20_000)


def test_a_new_agents_first_day_is_a_day_of_the_calendar() -> None:
    """The simulated wall clock begins on 2026-01-01 (1767261200 s): ten days ago he had ten of his twenty days."""
    agents = BUSY_AGENTS.replace("name: Ana,", "name: Ana, started: 2025-12-22, ramp: {from: 4, to: 12, days: 20},")
    w = world(busy_site(agents=agents))
    caller, _ = talk(w)
    caller.hang_up(w.now_ms)
    w.run(6_000)
    row = listed(w, "201")
    assert row["reason"] == "new_agent"
    w.run(3_600_000 // 8 - 20_000)
    assert w.state("201") == "resting"
    w.run(20_000)
    assert w.state("201") == "ready"
