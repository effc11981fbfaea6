"""He is told of what the engine does to his state, within 5 s, and of nothing that he did himself."""

from __future__ import annotations

from engine.call.telling import TEXTS, WHYS
from tests.call.calls import agent, ring, said, world
from tests.call.lives import desk, dial, life, texts
from tests.scenarios.sites import BUSY_AGENTS


def test_missed_calls_are_told_within_5_s_with_reason_and_way_back() -> None:
    w, ana = desk(life(misses=1), answer_ms=-1)
    ring(w, "700")
    assert w.run_until(lambda: w.state("201") == "not_ready", 20_000)
    changed_ms = w.last("agent.state").now_ms
    assert w.run_until(lambda: bool(texts(ana)), 5_000) and w.now_ms - changed_ms <= 5_000
    assert texts(ana) == ["Not ready: calls rang unanswered. To be ready again dial *53."]
    message = said(ana, "MESSAGE")[0]
    assert "Content-Type: text/plain;charset=UTF-8\r\n" in message and "\r\nExpires: 60\r\n" in message
    assert w.last("agent.told").data == {"agent": "default/201", "text": texts(ana)[0], "phones": 1}


def test_a_rest_and_its_end_are_told() -> None:
    w, ana = desk(life(), answer_ms=100, status=603)
    caller = ring(w, "700")
    assert w.run_until(lambda: w.state("201") == "resting", 5_000)
    caller.hang_up(w.now_ms)
    w.run(10_000)
    assert texts(ana) == ["No calls for 3 s: you rejected a call.", "Ready: your rest is over."]


def test_every_registered_phone_is_told_and_a_supervisor_is_named() -> None:
    w, ana = desk(life())
    home = agent(w, "201", host="10.0.7.7", login=False, reads=True)
    w.operate("agent.logout", agent="201")
    w.run(500)
    assert texts(ana) == texts(home) == ["Logged out: by test. To log in dial *50."]
    w.operate("agent.login", agent="201")
    w.run(500)
    assert texts(ana)[-1] == "Ready: by test."


def test_his_own_codes_and_the_course_of_a_call_send_nothing() -> None:
    w, ana = desk(life("0s"))
    for code in ("*52", "*53", "*51", "*50", "*53"):
        dial(w, ana, code)
    caller = ring(w, "700")
    assert w.run_until(lambda: w.state("201") == "talking", 20_000)
    caller.hang_up(w.now_ms)
    w.run(1_000)
    assert w.state("201") == "ready" and texts(ana) == []


def test_a_word_that_changed_nothing_does_not_silence_the_next_telling() -> None:
    w, ana = desk(life(misses=1), answer_ms=-1)
    dial(w, ana, "*53")  # he is ready already
    ring(w, "700")
    assert w.run_until(lambda: w.state("201") == "not_ready", 20_000)
    w.run(100)
    assert len(texts(ana)) == 1


def test_a_phone_that_takes_no_messages_is_asked_once_and_again_after_it_has_started_anew() -> None:
    w = world(life())
    ana = agent(w, "201", host="10.0.7.7")  # answers 405
    for _ in range(3):
        w.operate("agent.not_ready", agent="201", reason="lunch")
        w.operate("agent.ready", agent="201")
        w.run(1_000)
    assert len(said(ana, "MESSAGE")) <= 2  # both left before the first answer came
    told = len(said(ana, "MESSAGE"))
    ana.register(w.now_ms)  # a refresh
    w.run(1_000)
    w.operate("agent.not_ready", agent="201", reason="lunch")
    w.run(1_000)
    assert len(said(ana, "MESSAGE")) == told


def test_an_agent_whose_profile_says_no_messages_gets_none() -> None:
    quiet = BUSY_AGENTS.replace("201: {name: Ana,", "201: {name: Ana, phone: {messages: no},")
    w, ana = desk(life(agents=quiet))
    w.operate("agent.logout", agent="201")
    w.run(1_000)
    assert texts(ana) == [] and not w.all("agent.told")


def test_every_language_has_every_text_with_the_same_places() -> None:
    for table in (TEXTS, WHYS):
        for language, each in table.items():
            assert each.keys() == table["en"].keys(), language
            for key, text in each.items():
                assert text.count("{") == table["en"][key].count("{"), (language, key)
