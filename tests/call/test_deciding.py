"""Decisions as they are recorded: by name, before the phone rings, and for who waits because there is nobody."""

from __future__ import annotations

from engine.records import decision
from tests.call.calls import agent, ring, world
from tests.call.test_routing import site

NEEDS = ("needs: {power: 5}",)


def whys(w: object) -> list[tuple[str, str, decision.Why]]:
    """(call, agent, why) of each decision."""
    found = []
    for event in w.all("queue.decided"):  # type: ignore[attr-defined]
        why = decision.decode(event.data["why"])
        assert why is not None and event.data["queue"] == "default/support" and event.tenant == "default"
        found.append((event.call, str(event.data["agent"]), why))
    return found


def test_each_offer_follows_its_decision_and_who_waits_is_told_why() -> None:
    plain = "support: {ring: 10s}\nsales: {ring: 10s}\n"
    w = world(site(*NEEDS, queues=plain), law9=True)
    agent(w, "201", answer_ms=500)
    agent(w, "202", answer_ms=500)
    assert w.operate("agent.not_ready", agent="default/202", reason="lunch").ok
    ring(w, "700", "5550001")
    w.run(2_000)
    ring(w, "700", "5550002")
    w.run(1_000)
    (first, agent_1, why_1), (second, agent_2, why_2) = whys(w)
    kinds = [event.kind for event in w.events if event.call == first and event.kind.startswith("queue.")]
    assert kinds[:4] == ["queue.joined", "queue.decided", "queue.offered", "queue.offer_ended"]
    assert agent_1 == "default/201" and why_1.rule == "longest-idle-agent"
    assert [name for name, _ in why_1.key] == ["level", "idle_ms"] and why_1.key[0][1] == 1
    assert why_1.against == (("lacks", "power", 1),) and why_1.near == ()
    assert len(why_1.site) == 12 and w.switch.room.site.startswith(why_1.site)
    assert second != first and agent_2 == "" and why_2.key == () and why_2.others == 0
    assert why_2.against == (("talking", "", 1), ("lacks", "power", 1))
    assert why_2.near == (("default/201", "talking", ""), ("default/202", "lacks", "power"))


def test_a_pause_is_told_with_its_reason() -> None:
    w = world(site(queues="support: {ring: 10s}\nsales: {ring: 10s}\n"))
    agent(w, "201", answer_ms=500)
    assert w.operate("agent.not_ready", agent="default/201", reason="lunch").ok
    ring(w, "700", "5550001")
    w.run(1_000)
    ((_, asked, why),) = whys(w)
    assert asked == "" and why.against == (("not_ready", "lunch", 1), ("logged_out", "", 1))


def test_an_offer_in_vain_is_followed_by_the_next_decision() -> None:
    w = world(site(queues="support: {ring: 5s}\nsales: {ring: 10s}\n"))
    agent(w, "201", answer_ms=-1)
    agent(w, "202", answer_ms=500)
    ring(w, "700", "5550001")
    w.run(8_000)
    told = [(asked, [word for word, _, _ in why.against]) for _, asked, why in whys(w)]
    assert told == [("default/201", []), ("default/202", ["resting"])]
