"""Rings, relaxing needs and preferred agents from the caller's phone to the agent's."""

from __future__ import annotations

from engine.acd.model import Ring
from engine.acd.stages import BORROWED
from engine.call import routing
from engine.dialplan.model import Site
from engine.switch import Switch
from tests.call.calls import agent, ring, world
from tests.scenarios import sites

AGENTS = """
201: {name: Ana, queues: [support], skills: {power: 5}, team: front}
202: {name: Ben, queues: {support: 2}, team: bpo}
203: {name: Cho, queues: [sales]}
"""
QUEUES = """
support:
  ring: 10s
  rings:
    - {levels: 1, for: 20s}
    - {teams: [bpo], for: 20s}
    - {queues: [sales], without: [power]}
sales: {ring: 10s}
"""
HEAD = """ringdown: 1
variables: {owner: digits = 202}
flows:
  main:
    - answer
    - queue:
        name: support
"""
TAIL = """        full: bye
        no_agents: bye
        timeout: bye
    - hangup: served
  bye:
    - hangup: failed
"""


def site(*options: str, queues: str = QUEUES) -> Site:
    body = "".join(f"        {line}\n" for line in options)
    return sites.site(agents=AGENTS, queues=queues, dialplans__support=HEAD + body + TAIL)


def test_rings_open_from_desk_to_desk_and_it_is_recorded() -> None:
    w = world(site(), law9=True)
    for user in ("201", "202", "203"):
        agent(w, user, answer_ms=500)
    assert w.switch.room.acd._pool.queues[0].spec.rings == (
        Ring(1, for_ms=20_000), Ring(teams=("bpo",), for_ms=20_000), Ring(without=(0,), borrows=True),
    )  # fmt: skip
    for number in (1, 2, 3):
        ring(w, "700", f"555000{number}")
        w.run(100)
    w.run(1_000)
    assert [each.data["agent"] for each in w.all("queue.connected")] == ["default/201"]
    w.run(20_000)
    assert [each.data["agent"] for each in w.all("queue.connected")] == ["default/201", "default/202"]
    w.run(20_000)
    assert [each.data["agent"] for each in w.all("queue.connected")][2:] == ["default/203"], "of another queue"
    told = [(e.data["stage"], e.data["ring"], e.data["waited_ms"]) for e in w.all("queue.widened")]
    assert told == [(2, 2, 20_000), (2, 2, 20_000), (3, 3, 40_000)]


def test_needs_relax() -> None:
    w = world(
        site(
            "needs:",
            "  - {skills: {power: 5}, for: 30s}",
            "  - anyone",
            queues="support: {ring: 10s}\nsales: {ring: 9s}\n",
        )
    )
    agent(w, "202", answer_ms=500)
    ring(w, "700")
    w.run(29_000)
    assert not w.all("queue.offered")
    w.run(2_000)
    assert w.last("queue.connected").data["agent"] == "default/202"


def test_the_owner_of_a_case_is_asked_first_and_whom_he_spoke_to_last() -> None:
    plain = "support: {ring: 10s}\nsales: {ring: 9s}\n"
    w = world(site("prefer: $owner", "prefer_for: 45s", queues=plain), law9=True)
    agent(w, "201", answer_ms=500)
    desk = agent(w, "202", answer_ms=500)
    caller = ring(w, "700")
    w.run(2_000)
    assert w.last("queue.connected").data["agent"] == "default/202"
    desk.hang_up(w.now_ms)
    caller.hang_up(w.now_ms)
    w.run(20_000)
    w = world(site("prefer: last", "prefer_for: 45s", queues=plain), law9=True)
    first = agent(w, "202", answer_ms=500)
    ring(w, "700", "5557777")
    w.run(2_000)
    first.hang_up(w.now_ms)
    w.run(60_000)
    agent(w, "201", answer_ms=500)
    w.run(1_000)
    assert Switch.decode(w.switch.encode()).room.last_agents == {
        "default/5557777": ("default/202", w.last("queue.connected").now_ms)
    }
    again = ring(w, "700", "5557777")
    w.run(2_000)
    assert w.last("queue.connected").data["agent"] == "default/202", "before 201, whose level is better"
    ring(w, "700", "5558888")
    w.run(2_000)
    assert w.last("queue.connected").data["agent"] == "default/201" and again.up()


def test_the_memory_of_last_agents_is_bounded_in_time_and_number() -> None:
    w = world(site(queues="support: {ring: 10s}\nsales: {ring: 9s}\n"))
    room = w.switch.room
    ring(w, "700")
    w.run(100)
    call = next(iter(room.calls.values()))
    for number in range(routing.LAST_AGENTS_MAX + 5):
        call.caller = str(number)
        routing.served(room, call, "default/201", 1_000 + number)
    assert len(room.last_agents) == routing.LAST_AGENTS_MAX and "default/4" not in room.last_agents
    call.caller = "77"
    assert routing.last_agent(room, call, 2_000) == "default/201"
    assert routing.last_agent(room, call, 2_000 + routing.LAST_AGENT_MS_MAX) == ""
    routing.served(room, call, "default/202", 50_000 + routing.LAST_AGENT_MS_MAX)
    assert list(room.last_agents) == ["default/77"], "what is a day old is dropped"
    call.caller = ""
    routing.served(room, call, "default/203", 60_000 + routing.LAST_AGENT_MS_MAX)
    assert list(room.last_agents) == ["default/77"] and routing.last_agent(room, call, 0) == ""


def test_seats_of_a_borrowed_agent() -> None:
    w = world(site())
    room, loaded = w.switch.room, w.switch.sites()[0]
    seats = routing.seats(room, loaded, loaded.agents["default/203"])
    assert sorted(seats) == sorted(
        ((room.queue_ids["default/sales"], 1, 1), (room.queue_ids["default/support"], BORROWED + 3, 2))
    )


PLACES = (
    "ringdown: 1\ntime_zone: UTC\nlanguages: [en]\nnumbers:\n  700: {dialplan: support, public: yes}\n"
    "offices: {berlin: {latency: 5ms}, home: {latency: 40ms, cost: 2}}\n"
)
SITTING = """
201: {name: Ana, queues: [support], office: home}
202: {name: Ben, queues: [support], office: berlin}
"""


def test_a_call_that_came_in_at_an_office_goes_to_who_sits_there() -> None:
    queues = "support:\n  ring: 10s\n  strategy: custom\n  policy: {order: [0 - agent.near, agent.cost]}\n"
    body = HEAD.replace("variables: {owner: digits = 202}\n", "") + TAIL
    for trunks, wanted in (("berlin", "202"), ("home", "201")):
        carrier = f"carrier: {{host: 192.0.2.9, addresses: [192.0.2.9], office: {trunks}}}\n"
        w = world(sites.site(site=PLACES, agents=SITTING, queues=queues, dialplans__support=body, trunks=carrier))
        for user in ("201", "202"):
            agent(w, user, answer_ms=500)
            w.run(1_000)
        ring(w, "700", phone=w.phone("5551234", host="192.0.2.9", password=""))
        w.run(2_000)
        assert w.last("queue.connected").data["agent"] == f"default/{wanted}"


def test_rings_of_offices_open_one_after_another() -> None:
    queues = "support:\n  ring: 10s\n  rings:\n    - {offices: [home], for: 20s}\n    - everybody\n"
    body = HEAD.replace("variables: {owner: digits = 202}\n", "") + TAIL
    w = world(sites.site(site=PLACES, agents=SITTING, queues=queues, dialplans__support=body), law9=True)
    agent(w, "202", answer_ms=500)
    ring(w, "700")
    w.run(19_000)
    assert not w.all("queue.offered"), "he isn't at home"
    w.run(3_000)
    assert w.last("queue.connected").data["agent"] == "default/202"


def test_an_offices_line_says_which_codecs_are_spoken_there() -> None:
    places = PLACES.partition("offices:")[0] + "offices:\n  home: {codecs: [PCMA]}\ncodecs: [PCMU, PCMA]\n"
    body = HEAD.replace("variables: {owner: digits = 202}\n", "") + TAIL
    agents = SITTING.replace(", office: berlin", "")
    carrier = "carrier: {host: 192.0.2.9, addresses: [192.0.2.9], office: home}\n"
    own = "own: {host: 192.0.2.8, addresses: [192.0.2.8], office: home, codecs: [PCMU]}\n"
    queues = "support: {ring: 10s, strategy: ring-all}\n"
    w = world(sites.site(site=places, agents=agents, queues=queues, dialplans__support=body, trunks=carrier + own))
    for user in ("201", "202"):
        agent(w, user)
    for host in ("192.0.2.9", "192.0.2.8"):
        ring(w, "700", phone=w.phone(f"555{host[-1]}", host=host, password=""))
    w.run(1_000)
    said = {leg.agent or leg.trunk: leg.local.codecs for leg in w.switch.room.legs.values() if leg.local is not None}
    assert said == {"default/201": (8,), "default/202": (0, 8), "carrier": (8,), "own": (0,)}
