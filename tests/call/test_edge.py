"""What the gate is told of each source, and the lists of a tenant and a trunk."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import edge
from engine.call.agents import FAILURES_FREE, challenge_delay_ms
from engine.call.edge_wall import Judged
from engine.dialplan.gate_model import AccessModel
from engine.dialplan.model import TenantModel, TrunkModel
from engine.sim.world import World
from tests.call.calls import ring, told, world
from tests.scenarios.sites import busy_site

TENANT = "ringdown: 1\nname: Chess\ndomain: chess.test\ngate: {allow: [192.0.2.0/24]}\n"


def judged(w: World) -> list[Judged]:
    """Every verdict so far, by running the same inputs through another world's eyes."""
    return [each for each in heard if isinstance(each, Judged)]


heard: list[object] = []


@pytest.fixture(autouse=True)
def _listen(monkeypatch: pytest.MonkeyPatch) -> None:
    heard.clear()
    carry = World._carry_out

    def both(self: World, outputs: list[object]) -> None:
        heard.extend(outputs)
        carry(self, outputs)  # type: ignore[arg-type]

    monkeypatch.setattr(World, "_carry_out", both)


def test_a_registration_is_asked_and_then_good() -> None:
    w = world()
    ana = w.phone("201")
    ana.register(w.now_ms)
    w.run(500)
    assert [(each.verdict, each.name, each.host) for each in judged(w)] == [
        ("asked", "201", ana.host), ("good", "201", ana.host)
    ]  # fmt: skip


@pytest.mark.parametrize("user", ["201", "299"])
def test_a_wrong_password_and_an_unknown_user_get_the_same_answers_and_verdicts(user: str) -> None:
    w = world()
    thief = w.phone(user, password="guess")
    thief.register(w.now_ms)
    w.run(500)
    texts = [data.decode() for data in w.wire if data.startswith(b"SIP/2.0 401")]
    assert [each.verdict for each in judged(w)] == ["asked", "bad"] and told(thief) == "REGISTER 401"
    names = [[line.partition(":")[0] for line in text.split("\r\n")] for text in texts]
    assert len(names) == 2 and names[0] == names[1]
    assert not any("299" in text.partition("WWW-Authenticate")[2] for text in texts)


def test_numbers_that_nobody_has_and_broken_messages_are_told() -> None:
    w = world()
    stranger = ring(w, "404404")
    w.run(500)
    assert [(each.verdict, each.name) for each in judged(w)] == [("unknown", "404404")]
    w.network.send((stranger.host, stranger.port), ("10.0.0.1", 5060), b"INVITE nonsense\r\nVia: x\r\n\r\n", w.now_ms)
    w.run(500)
    assert judged(w)[-1].verdict == "broken"


def test_back_off_is_of_a_source_and_an_account_together() -> None:
    """Whoever guesses 201's password is told ever later; 202 behind the same address isn't, nor 201 from elsewhere."""
    w = world()
    thief = w.phone("201", password="guess", host="10.7.7.7")
    for _ in range(FAILURES_FREE + 3):
        thief.register(w.now_ms)
        w.run(5_000)
    room = w.switch.room
    assert challenge_delay_ms(room, "10.7.7.7", "201") >= 1_000
    assert challenge_delay_ms(room, "10.7.7.7", "202") == 0 == challenge_delay_ms(room, "10.7.7.8", "201")
    good = w.phone("201", host="10.7.7.7", port=5070)  # behind the same address
    began = w.now_ms
    good.register(w.now_ms)
    assert w.run_until(lambda: good.registered_ms >= 0, 1_000) and good.registered_ms - began < 200
    assert challenge_delay_ms(room, "10.7.7.7", "201") == 0  # the right password forgives


def test_a_tenants_list_keeps_its_phones_in_their_networks() -> None:
    agents, queues = "201: {name: Vera, queues: [support]}\n", "support: {ring: 10s}\n"
    w = world(busy_site(tenants__chess__tenant=TENANT, tenants__chess__agents=agents, tenants__chess__queues=queues))
    w.passwords["chess/201"] = "pw-201"
    inside, outside = (w.phone("201", tenant="chess", host=host) for host in ("192.0.2.8", "198.51.100.8"))
    for phone in (inside, outside):
        phone.register(w.now_ms)
        w.run(500)
    assert inside.registered_ms >= 0 and told(outside) == "REGISTER 401"
    assert [event.data["detail"] for event in w.events if event.kind == "engine.refused"] == [
        "REGISTER as 201: the gate of chess keeps 198.51.100.8 out"
    ]


def test_lists_as_functions() -> None:
    plain = TenantModel("t", "realm")
    assert not edge.refuses(plain, "10.0.0.1")
    shut = msgspec.structs.replace(plain, gate=AccessModel(deny=("10.0.0.0/8",)))
    assert edge.refuses(shut, "10.0.0.1") and not edge.refuses(shut, "11.0.0.1")
    trunk = TrunkModel("carrier", addresses=("192.0.2.0/24",), deny=("192.0.2.7",))
    assert edge.denied(trunk, "192.0.2.7") and not edge.denied(trunk, "192.0.2.8")
