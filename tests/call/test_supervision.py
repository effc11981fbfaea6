"""Supervisors: who hears whom in each mode, by key, and that nobody is disturbed by their coming and going."""

from __future__ import annotations

import random

import msgspec
import pytest

from engine.call import mixing, supervision
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import agent, over, ring, row_of, said, talk, up, world
from tests.call.followed import SUPERVISED, conversation, ears, key, supervisions

PLAIN = {"caller": "agent", "agent": "caller"}
LISTEN = {"caller": "agent", "agent": "caller", "boss": "agent + caller"}
WHISPER = {"caller": "agent", "agent": "boss + caller", "boss": "agent + caller"}
BARGE = {"caller": "agent + boss", "agent": "boss + caller", "boss": "agent + caller"}


@pytest.mark.parametrize("law9", [False, True])
def test_a_supervisor_listens_whispers_barges_and_leaves_unnoticed(law9: bool) -> None:
    w, caller, desk, boss = conversation(law9=law9)
    assert ears(w, caller=caller, agent=desk) == PLAIN
    ring(w, "*57201", phone=boss)
    assert w.run_until(lambda: bool(boss.up()), 5_000)
    w.run(100)
    everyone = {"caller": caller, "agent": desk, "boss": boss}
    assert ears(w, **everyone) == LISTEN
    for digit, expected in (("5", WHISPER), ("6", BARGE), ("4", LISTEN), ("6", BARGE), ("9", BARGE), ("5", WHISPER)):
        key(w, boss, digit)
        assert ears(w, **everyone) == expected, digit
    key(w, boss, "*")
    w.run(1_000)
    assert ears(w, **everyone) == {**PLAIN, "boss": "gone"}
    assert w.hears(caller).startswith("row") and w.hears(desk).startswith("row")  # a plain bridge again
    assert w.row(caller).digits == w.row(desk).digits == []  # nobody heard a key
    assert supervisions(w) == [
        ("started", "listen", ""), ("changed", "whisper", ""), ("changed", "barge", ""), ("changed", "listen", ""),
        ("changed", "barge", ""), ("changed", "whisper", ""), ("ended", "whisper", "left"),
    ]
    last = w.last("supervision.ended")
    assert last.data["supervisor"] == "default/203" and last.data["agent"] == "default/201"
    assert last.call == w.all("call.started")[0].call
    caller.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "served"
    assert w.media.mixes.get(0) == []


def test_hanging_up_is_leaving() -> None:
    w, caller, desk, boss = conversation(law9=True)
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    key(w, boss, "6")
    boss.hang_up(w.now_ms)
    w.run(500)
    assert ears(w, caller=caller, agent=desk) == PLAIN and w.hears(caller).startswith("row")
    assert supervisions(w)[-1] == ("ended", "barge", "hung up")
    ended = w.last("call.ended")
    assert (ended.data["outcome"], ended.data["by"]) == ("served", "caller")
    desk.hang_up(w.now_ms)
    over(w)


@pytest.mark.parametrize(("who", "reason"), [("caller", "call ended"), ("agent", "agent left")])
def test_the_end_of_the_conversation_is_told_by_a_tone(who: str, reason: str) -> None:
    w, caller, desk, boss = conversation(law9=True)
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    {"caller": caller, "agent": desk}[who].hang_up(w.now_ms)
    w.run(11_000)
    assert w.heard(boss)[-1] == "tone/busy.gb tone/busy.gb tone/busy.gb"
    assert supervisions(w)[-1] == ("ended", "listen", reason)
    assert not boss.up() and said(boss, "BYE")
    over(w)


def test_take_over_gives_him_the_caller_and_lets_the_agent_go_into_wrap_up() -> None:
    w, caller, desk, boss = conversation(law9=True)
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    key(w, boss, "7")
    w.run(200)
    assert not desk.up() and w.state("201") == "wrap_up"
    assert ears(w, caller=caller, boss=boss) == {"caller": "boss", "boss": "caller"}
    assert w.hears(caller).startswith("row")
    assert w.last("queue.completed").data["agent"] == "default/201"
    assert [each[0] for each in supervisions(w)] == ["started", "changed", "ended"]
    assert supervisions(w)[-1][2] == "takeover"
    assert w.run_until(lambda: w.state("201") == "ready", 10_000)
    w.press(boss, "*2", gap_ms=100)  # he is the call's agent now: his codes work
    assert w.hears(caller) == "music/default"
    w.press(boss, "*2", gap_ms=100)
    caller.hang_up(w.now_ms)
    w.run(500)
    assert not boss.up()
    ended = w.all("call.ended")
    assert [event.data["outcome"] for event in ended] == ["served", "served"]
    over(w)


def test_taking_over_from_an_agent_who_dialled_leaves_his_partner_with_the_supervisor() -> None:
    w = world(SUPERVISED, law9=True)
    ana, ben, boss = agent(w, "201"), agent(w, "202", answer_ms=100), agent(w, "203", login=False)
    ring(w, "202", phone=ana)
    assert w.run_until(lambda: bool(ben.up()), 3_000)
    w.run(200)
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    assert ears(w, ana=ana, ben=ben, boss=boss) == {"ana": "ben", "ben": "ana", "boss": "ana + ben"}
    key(w, boss, "7")
    w.run(200)
    assert ears(w, ana=ana, ben=ben, boss=boss) == {"ana": "gone", "ben": "boss", "boss": "ben"}
    ben.hang_up(w.now_ms)
    w.run(500)
    assert not boss.up()
    over(w)


def test_whispering_reaches_the_agent_who_is_followed_and_no_other() -> None:
    w = world(SUPERVISED)
    ana, ben, boss = agent(w, "201"), agent(w, "202", answer_ms=100), agent(w, "203", login=False)
    ring(w, "202", phone=ana)
    w.run(1_000)
    ring(w, "*57202", phone=boss)
    w.run(1_000)
    key(w, boss, "5")
    assert ears(w, ana=ana, ben=ben, boss=boss) == {"ana": "ben", "ben": "ana + boss", "boss": "ana + ben"}
    boss.hang_up(w.now_ms)
    ana.hang_up(w.now_ms)
    over(w)


def test_two_supervisors_hear_each_other_only_when_one_barges() -> None:
    w, caller, desk, boss = conversation(law9=True)
    lead = agent(w, "205", login=False)
    for phone in (boss, lead):
        ring(w, "*57201", phone=phone)
        w.run(1_000)
    everyone = {"caller": caller, "agent": desk, "boss": boss, "lead": lead}
    key(w, lead, "5")
    assert ears(w, **everyone) == {**LISTEN, "agent": "caller + lead", "lead": "agent + caller"}
    key(w, boss, "6")
    assert ears(w, **everyone) == {
        "caller": "agent + boss", "agent": "boss + caller + lead", "boss": "agent + caller",
        "lead": "agent + boss + caller",
    }
    key(w, boss, "7")
    w.run(100)
    assert ears(w, **everyone)["caller"] == "boss" and w.heard(lead)[-1].startswith("tone/busy")
    caller.hang_up(w.now_ms)
    over(w)


def test_hold_within_a_mix_by_agent_caller_and_supervisor() -> None:
    w, caller, desk, boss = conversation(law9=True)
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    everyone = {"caller": caller, "agent": desk, "boss": boss}
    w.press(desk, "*2", gap_ms=100)
    assert ears(w, **everyone) == {"caller": "music/default", "agent": "silence", "boss": "caller"}
    key(w, boss, "6")
    assert ears(w, **everyone) == {"caller": "boss", "agent": "silence", "boss": "caller"}
    w.press(desk, "*2", gap_ms=100)
    assert ears(w, **everyone) == BARGE
    boss.hold(up(boss), w.now_ms)
    w.run(300)
    assert ears(w, **everyone) == {**PLAIN, "boss": "silence"}
    boss.hold(up(boss), w.now_ms, direction="sendrecv")
    w.run(300)
    assert ears(w, **everyone) == BARGE
    caller.hold(up(caller), w.now_ms)
    w.run(300)
    assert ears(w, **everyone) == {"caller": "silence", "agent": "boss", "boss": "agent"}
    boss.hang_up(w.now_ms)
    w.run(300)
    assert ears(w, caller=caller, agent=desk) == {"caller": "silence", "agent": "music/default"}
    caller.hold(up(caller), w.now_ms, direction="sendrecv")
    w.run(300)
    assert ears(w, caller=caller, agent=desk) == PLAIN
    caller.hang_up(w.now_ms)
    over(w)


def test_a_transfer_by_the_agent_ends_the_following() -> None:
    w, caller, desk, boss = conversation(law9=True)
    ben = agent(w, "202", answer_ms=500)
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    w.press(desk, "*1202#", gap_ms=100)
    w.run(1_500)
    assert supervisions(w)[-1] == ("ended", "listen", "transfer")
    assert ears(w, caller=caller, ben=ben) == {"caller": "ben", "ben": "caller"}
    caller.hang_up(w.now_ms)
    over(w)


def test_a_recorded_call_stays_recorded_through_all_of_it() -> None:
    w, caller, _, boss = conversation(number="742")
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    for digit in "567":
        key(w, boss, digit)
    w.run(2_000)
    states = [event.data["state"] for event in w.all("call.recording")]
    assert states == ["started"]
    caller.hang_up(w.now_ms)
    over(w)
    assert [event.data["state"] for event in w.all("call.recording")] == ["started", "complete"]
    assert int(str(w.last("call.recording").data["duration_ms"])) > 3_000


@pytest.mark.parametrize(("supervisor", "agent_number", "allowed"), [
    ("203", "201", True), ("203", "205", True),  # supervisor: yes
    ("202", "201", True), ("202", "203", False),  # of the queue `taped`
    ("205", "201", True), ("205", "202", True), ("205", "203", False),  # of the team `front`
    ("201", "202", False), ("203", "203", False), ("203", "999", False),
])  # fmt: skip
def test_the_right(supervisor: str, agent_number: str, allowed: bool) -> None:
    assert supervision.may(SUPERVISED, f"default/{supervisor}", f"default/{agent_number}") is allowed


def test_no_right_reaches_into_another_tenant() -> None:
    agents = dict(SUPERVISED.agents)
    agents["press/301"] = msgspec.structs.replace(agents["default/201"], tenant="press", number="301")
    site = msgspec.structs.replace(SUPERVISED, agents=agents)
    assert not supervision.may(site, "default/203", "press/301")


def test_followers_survive_a_crash_with_the_two_main_parties() -> None:
    """The state is data: encoded at any step it goes on (law9 above); the image rebuilds the mix."""
    from engine.media.commands import Mix
    from engine.media.image import Image
    from engine.switch import Switch

    w, caller, desk, boss = conversation()
    image = Image()
    give = w.media.command

    def both(command: object, now_ms: int) -> None:
        image.apply(command, now_ms)  # type: ignore[arg-type]
        give(command, now_ms)  # type: ignore[arg-type]

    for number, row in w.media.rows.items():
        from engine.media.commands import OpenLeg

        image.apply(OpenLeg(number, row.generation, "10.0.0.1", row.port, 1, 1, 1), w.now_ms)
    w.media.command = both  # type: ignore[method-assign]
    ring(w, "*57201", phone=boss)
    w.run(1_000)
    key(w, boss, "6")
    w.switch = Switch.decode(w.switch.encode())
    (mix,) = [each for each in image.rebuild(w.now_ms, w.now_ms, lambda clip: 0) if isinstance(each, Mix)]
    assert sorted(party.row for party in mix.parties) == sorted(row_of(w, each)[0] for each in (caller, desk, boss))
    assert all(len(party.ears) == 2 for party in mix.parties)
    key(w, boss, "4")
    assert ears(w, caller=caller, agent=desk, boss=boss) == LISTEN
    caller.hang_up(w.now_ms)
    over(w)


def test_followed_calls_in_a_row_use_mixes_of_their_own() -> None:
    w, caller, _, boss = conversation()
    other, ben = talk(w, "700", "202", caller=ring(w, "700", "5550007"))
    lead = agent(w, "205", login=False)
    ring(w, "*57201", phone=boss)
    ring(w, "*57202", phone=lead)
    w.run(1_000)
    assert sorted(call.mix for call in w.switch.room.calls.values() if call.mix >= 0) == [0, 1]
    assert ears(w, other=other, ben=ben, lead=lead) == {"other": "ben", "ben": "other", "lead": "ben + other"}
    boss.hang_up(w.now_ms)
    w.run(300)
    assert [call.mix for call in w.switch.room.calls.values() if call.mix >= 0] == [1]
    for phone in (caller, other):
        phone.hang_up(w.now_ms)
    over(w)


AGENTS = ("201", "202", "203", "205")


def _act(chance: random.Random, w: World, phones: list[Phone]) -> None:
    """One thing that somebody may do at any moment, sensible or not."""
    phone = chance.choice(phones)
    desks = [each for each in phones if each.password]
    some_agent, other = chance.choice(AGENTS), chance.choice(AGENTS)
    act = chance.randrange(12)
    if act < 3 and not phone.sessions:
        numbers = ["700", "742", "740"] if not phone.password else ["700", "*58", some_agent, f"*57{some_agent}"]
        ring(w, chance.choice(numbers), phone=phone)
    elif act < 6 and phone.up():
        keys = ["4", "5", "6", "7", "*"] if phone.password else ["5"]
        w.press(phone, chance.choice([*keys, "*2", f"*6{some_agent}#", f"*1{some_agent}#"]), gap_ms=20)
    elif act == 6 and phone.up():
        phone.hold(phone.up()[0], w.now_ms, direction=chance.choice(["sendonly", "sendrecv", "inactive"]))
    elif act == 7:
        chance.choice([phone, chance.choice(desks)]).hang_up(w.now_ms)
    elif act < 10:
        verb = chance.choice(["listen", "whisper", "barge", "takeover"])
        if chance.random() < 0.5:
            w.operate(f"agent.{verb}", **{"agent": some_agent, "as": other})
        else:
            w.operate(f"call.{verb}", **{"call": "last", "as": other})
    elif act == 10:
        w.operate("call.pick", **{"call": "last", "as": some_agent})
    else:
        w.operate("call.conference", **{"call": "last", "with": some_agent})


@pytest.mark.parametrize("seed", range(24))
def test_whatever_people_do_nobody_is_stuck_and_everybody_hears_whom_he_should(seed: int) -> None:
    """Random acts of two callers, four agents and an operator; after each, ears and books agree."""
    chance = random.Random(seed)
    w = world(SUPERVISED, seed=seed, law9=seed % 3 == 0)
    phones = [agent(w, user, answer_ms=chance.choice([50, 300, 900])) for user in AGENTS]
    phones += [w.phone(f"555000{number}", password="") for number in range(2)]
    for _ in range(60):
        _act(chance, w, phones)
        w.run(chance.choice([0, 30, 300, 2_000]))
        _books(w)
    for phone in phones:
        phone.hang_up(w.now_ms)
    over(w)
    assert not w.media.rows
    started, ended = w.all("supervision.started"), w.all("supervision.ended")
    assert len(started) == len(ended)
    assert len(w.all("call.started")) == len(w.all("call.ended"))


def _books(w: World) -> None:
    """Links point both ways, a mix runs exactly where more than two are, and nobody is in two conversations."""
    room = w.switch.room
    for call in room.calls.values():
        for number in call.watchers:
            assert room.calls[number].watches == call.id
        if call.watches and call.mode != "pick":
            assert call.id in room.calls[call.watches].watchers
        for number in call.guests:
            assert room.legs[number].call == call.id and number not in (call.leg, call.other)
        if call.phase == "talking":
            assert mixing.needed(room, call) is (call.mix >= 0), (call.name, call.mix)
            one, two = room.legs[call.leg], room.legs[call.other]
            assert (one.partner, two.partner) == (two.id, one.id)
            if not one.remote_hold and not two.remote_hold:
                heard = w.media.rows[one.row].hears
                assert f"row {two.row}" in heard.split(" + ") or f"mix row {two.row}" in heard or (
                    heard.endswith(f"row {two.row}")
                ), heard
        else:
            assert call.mix < 0 and not call.guests and not call.watchers, (call.name, call.phase)
