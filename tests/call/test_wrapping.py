"""Wrap-up as the agent handles it, by dialled code, by key in the conversation, and by an operator's command."""

from __future__ import annotations

from random import Random

import pytest

from engine import limits
from engine.sim.phone import Phone
from engine.sim.world import World
from tests.call.calls import ring, up
from tests.call.lives import CODED, desk, dial, life, standing, texts


def served(wrap_up: str, *, talk_ms: int = 3_000, **habit: object) -> tuple[World, Phone, Phone]:
    """Ana in conversation with a caller."""
    w, ana = desk(life(wrap_up), **habit)
    caller = ring(w, "700")
    assert w.run_until(lambda: bool(ana.up()) and w.state("201") == "talking", 20_000)
    w.run(talk_ms)
    return w, caller, ana


def end(w: World, phone: Phone) -> None:
    phone.hang_up(w.now_ms)
    w.run(200)


@pytest.mark.parametrize("law9", [False, True])
def test_a_required_code_by_phone_then_ready(law9: bool) -> None:
    w, caller, ana = served(CODED)
    w.law9 = law9
    name = w.switch.room.agents["default/201"].wrap_call
    end(w, caller)
    assert w.state("201") == "wrap_up"
    assert texts(ana)[-1] == "Wrap-up, at most 3600 s. Code by *55 and: 1 sold, 2 complaint. It is required."
    assert dial(w, ana, "*53") == "ready" and w.state("201") == "wrap_up"
    assert dial(w, ana, "*559") == "wrap_code 9" and not w.all("agent.wrap_up_code")
    assert dial(w, ana, "*552") == "wrap_code 2" and w.state("201") == "wrap_up"
    assert dial(w, ana, "*551") == "wrap_code 1"
    codes = w.all("agent.wrap_up_code")
    assert [(e.call, e.data["code"], e.data["name"], e.data["by"], e.data["queue"]) for e in codes] == [
        (name, "2", "complaint", "phone", "default/support"), (name, "1", "sold", "phone", "default/support"),
    ]  # fmt: skip
    dial(w, ana, "*53")
    assert w.state("201") == "ready"
    reply = w.operate("agent.code", agent="201", code="1")
    assert not reply.ok and "nothing was changed" in reply.error and len(w.all("agent.wrap_up_code")) == 2


def test_what_the_agent_hears_when_he_asks_for_what_cannot_be() -> None:
    w, caller, ana = served(CODED)
    end(w, caller)
    heard = []
    for code, wanted in (("*53", "code_needed"), ("*557", "no_code"), ("*56", "extended"), ("*56", "extended"),
                         ("*56", "no_extension"), ("*551", "code_noted"), ("*53", "ready"), ("*551", "no_call"),
                         ("*56", "no_wrap_up")):  # fmt: skip
        ana.call(code, w.now_ms)
        w.run(400)
        heard.append((w.hears(ana), f"en/agent_{wanted}"))
        w.run(15_000)
    assert [one for one, _ in heard] == [other for _, other in heard]


def test_optional_wrap_up_is_asked_for_by_key_while_talking_and_the_caller_hears_none_of_it() -> None:
    w, caller, ana = served("{mode: optional-timed, time: 20s, codes: {1: sold}}")
    w.press(ana, "*4", gap_ms=100)
    w.run(3_000)
    assert texts(ana)[-1] == "a wrap-up of at most 20 s follows" and w.row(caller).digits == []
    w.press(ana, "*41", gap_ms=100)
    w.run(3_000)
    assert w.last("agent.wrap_up_code").data["name"] == "sold" and w.row(caller).digits == []
    w.press(ana, "*499", gap_ms=100)
    w.run(100)
    assert texts(ana)[-1] == "no wrap-up code '99'; there are: 1 sold" and up(ana)
    end(w, caller)
    assert w.state("201") == "wrap_up"
    w.run(20_000)
    assert w.state("201") == "ready"


def test_optional_without_asking_leads_straight_back() -> None:
    w, caller, _ = served("{mode: optional}")
    end(w, caller)
    assert w.state("201") == "ready"


def test_a_required_code_that_never_comes_is_recorded_as_missing_and_nobody_is_stuck() -> None:
    w, caller, _ = served(CODED)
    name = w.switch.room.agents["default/201"].wrap_call
    end(w, caller)
    w.run(limits.wrap_up_ms_max)
    assert w.state("201") == "ready"
    missing = w.last("agent.wrap_up_code")
    assert (missing.call, missing.data["code"], missing.data["by"]) == (name, "", "nobody")


def test_the_operators_commands_and_their_clear_answers() -> None:
    w, caller, _ = served("{mode: mandatory-timed, time: 10s, early: no, extend: 5s, extensions: 1, codes: {1: sold}}")
    name = w.switch.room.agents["default/201"].wrap_call
    assert w.operate("agent.wrap_up", agent="201").ok  # it follows anyway
    assert not w.operate("agent.extend", agent="201").ok
    end(w, caller)
    assert b"14 s more" in w.operate("agent.extend", agent="201").data
    before = standing(w)
    for verb, arguments, why in (
        ("agent.extend", {}, "no extension is left"), ("agent.wrap_up", {}, "nothing to wrap up"),
        ("agent.code", {"code": "5"}, "there are: 1 sold"), ("agent.code", {}, "by its key or name"),
        ("agent.code", {"code": "1", "call": "nobody-9"}, "is not the call"),
    ):  # fmt: skip
        reply = w.operate(verb, agent="201", **arguments)
        assert not reply.ok and why in reply.error, reply
    assert standing(w) == before  # a refused command changes nothing
    assert w.operate("agent.code", agent="201", code="sold", call=name).ok
    w.run(9_000)
    assert w.state("201") == "wrap_up"
    assert w.operate("agent.ready", agent="201").ok and w.run(10) is None
    assert w.state("201") == "ready"  # a supervisor's word ends it


def test_early_no_keeps_the_agent_and_remembers_his_wish() -> None:
    w, caller, ana = served("{mode: mandatory-timed, time: 40s, early: no}")
    end(w, caller)
    dial(w, ana, "*522")
    assert w.state("201") == "wrap_up"
    w.run(40_000)
    row = w.switch.room.agents["default/201"]
    assert (row.state, row.reason) == ("not_ready", "lunch")


def test_a_queue_without_codes_says_so_and_a_call_that_is_over_takes_none() -> None:
    w, caller, _ = served("5s")
    assert "has no wrap-up codes" in w.operate("agent.code", agent="201", code="1").error
    end(w, caller)
    w.run(6_000)
    assert "over and wrapped up" in w.operate("agent.code", agent="201", code="1").error


MODES = (
    "{mode: none}", "{mode: optional, codes: {1: sold}}", "{mode: optional-timed, time: 20s}", CODED,
    "{mode: mandatory-timed, time: 15s, early: no, codes: {1: sold}, required: yes}",
)  # fmt: skip


@pytest.mark.parametrize("wrap_up", MODES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_agents_and_operators_do_everything_alive_has_a_deadline_and_nobody_is_stuck(
    wrap_up: str, seed: int
) -> None:
    """The world checks at every step that what lives has a deadline; its state is encoded and restored each time."""
    chance = Random(seed)
    w, ana = desk(life(wrap_up, misses=1), answer_ms=chance.choice((200, 2_000)))
    w.law9 = True
    caller = None
    for _ in range(40):
        act = chance.randrange(8)
        if act == 0 and (caller is None or not caller.sessions):
            caller = ring(w, "700", f"555{chance.randrange(1_000):04}")
        elif act == 1 and caller is not None:
            caller.hang_up(w.now_ms)
        elif act == 2 and not ana.sessions:
            ana.call(chance.choice("*50 *51 *52 *522 *523 *53 *54 *551 *559 *56".split()), w.now_ms)
        elif act == 3 and w.state("201") == "talking":
            w.press(ana, chance.choice(("*4", "*41", "*49", "*4#", "7")), gap_ms=100)
        elif act == 4:
            verb = chance.choice(("ready", "not_ready", "wrap_up", "extend", "login", "logout"))
            w.operate(f"agent.{verb}", agent="201")
        elif act == 5:
            w.operate("agent.code", agent="201", code=chance.choice(("1", "sold", "2", "9")))
        w.run(chance.choice((50, 500, 5_000, 20_000)))
    for phone in (caller, ana):
        if phone is not None:
            phone.hang_up(w.now_ms)
    w.run(limits.wrap_up_ms_max)
    assert w.state("201") in ("ready", "not_ready", "logged_out")
    assert not w.switch.room.calls and not w.all("engine.breach")
