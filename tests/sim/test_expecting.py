"""The lines of a test, played: what fits passes, and the first line that differs says what was the case."""

from __future__ import annotations

import pytest

from engine.sim.ear import Heard
from engine.sim.expecting import bare, fits, play
from engine.sim.transcript_reader import SOUNDS
from tests.sim.shows import MAIN, differs, good, played, show, site, written

SERVED = """
- hears: [hello, choose]
- press: 1
- queue: {name: support, position: 1, skills: {language: 1}}
- hears: music
- agent: answers
- agent_hears: about_support
- call: {language: en, agent: 201, queue: support}
- agent: hangs up
- hears: thanks
- outcome: served
"""


def test_a_whole_call_with_an_agent() -> None:
    result = good(SERVED)
    assert result.virtual_ms < 30_000 and result.story[-1].endswith("the call ends: served (by dialplan)")


def test_values_belong_to_their_prompt_and_words_can_be_compared() -> None:
    good(
        "- press: 2\n- hears: ask_code\n- press: 1234\n- hears: ask_pin\n- press: 0042\n- hears: your_code\n"
        "- hears_text: your code is digits 1 digits 2 digits 3 digits 4, thank you\n"
        "- call: {code: 1234, tags: code 1234}\n- outcome: served\n- record: {kind: call.ended, by: dialplan}"
    )


@pytest.mark.parametrize(
    ("text", "line", "expected", "found"),
    [
        ("- hears: ask_code", 1, "to hear ask_code", "nothing more was heard"),
        ("- hears: [hello, goodbye]", 1, "to hear goodbye", "heard choose “Press 1 or 2.”"),
        ("- hears: hello\n- press: 3\n- hears: choose", 3, "to hear choose", "heard invalid_choice"),
        ("- press: 1\n- queue: {name: support, position: 2}", 2, "position 2", "position is 1"),
        ("- press: 1\n- queue: {name: support, skills: {en: 2}}", 2, "skills {en: 2}", "skills is {en: 1}"),
        ("- press: 2\n- queue: support", 2, "the caller to join queue support", "the call is over: failed"),
        ("- press: 1\n- outcome: served", 2, "the outcome served", "the call is over: failed"),
        ("- press: 1\n- agent: answers\n- agent: hangs up\n- outcome: failed", 4, "the outcome failed", "served"),
        ("- hang_up\n- hang_up", 2, "a call to hang up", "the call is over: abandoned"),
        ("- hang_up\n- press: 1", 2, "somebody to take the keys 1", "the call is over"),
        ("- agent: answers", 1, "an agent's phone to ring", "default/201 ready"),
        ("- press: 1\n- agent: 202 answers", 2, "agent 202's phone to ring", "default/201"),
        ("- agent: hangs up", 1, "a conversation with agent", "the caller is in script"),
        ("- call: {language: zh}", 1, "language zh", "language is en"),
        ("- call: {codex: 1}", 1, "codex 1", "known: language"),
        ("- press: 2\n- flow: support", 2, "the call to come to support", "it went main > enter > bye"),
        ("- press: 1\n- record: {kind: queue.left, reason: full}", 2, "{reason: full}", "{reason: timeout}"),
        ("- hears_text: Goodbye, dear.", 1, "to hear “Goodbye, dear.”", "1 or 2. goodbye”"),
        ("- press: 1\n- callback: support", 2, "a record callback.requested", "no callback.requested"),
    ],
)
def test_the_first_line_that_differs_says_what_was_the_case(text: str, line: int, expected: str, found: str) -> None:
    where, wanted, was = differs(text)
    assert where == line and expected in wanted and found in was, (where, wanted, was)


def test_a_failure_carries_the_transcript_up_to_there() -> None:
    failure = played("- press: 1\n- hears: thanks\n- press: 1").failure
    assert failure is not None and failure.transcript[0].strip().startswith("0.0 s  5550100 dials 100")
    assert any("joins queue default/support" in line for line in failure.transcript)


def test_agents_do_what_agents_do() -> None:
    good("- press: 1\n- agent: 201 refuses\n- agent: 202 answers\n- call: {agent: 202}", given="agents: {support: 2}")
    good("- press: 1\n- agent: does not answer\n- record: {kind: queue.offer_ended, reason: no_answer}")
    good("- press: 1\n- agent: answers\n- agent: holds\n- record: {kind: call.held, held: yes}\n- agent: resumes\n"
         "- record: {kind: call.held, held: no}")  # fmt: skip
    good("- press: 1\n- wait: 2s\n- agent: is ready\n- agent: answers", given="agents: {support: 0 of 1}")
    good("- press: 1\n- agent: answers\n- agent: transfers to 202\n- agent: 202 answers\n"
         "- record: {kind: call.transferred, to: 202}", given="agents: {201: ready, 202: not_ready}")  # fmt: skip
    assert differs("- agent: 203 logs out")[1] == "agent 203 at a desk (given: agents)"


def test_who_says_nothing_is_failed_and_may_be_heard_to_be() -> None:
    good("- hears: [hello, choose, choose_short, goodbye]\n- outcome: failed\n- call: {cause: 17, by: dialplan}")


def test_no_agent_means_the_way_for_no_agent() -> None:
    made = site(**{"queues.yaml": "support: {join_empty: no}\n"})
    good("- press: 1\n- hears: goodbye\n- record: {kind: queue.left, reason: no_agents}", given="caller: 1", of=made)


def test_every_sound_that_may_be_named_is_one_that_is_heard() -> None:
    heard = {
        "music": "default:music/jazz", "echo": "echo", "silence": "silence", "ringback": "tone/ringback.gb",
        "busy": "tone/busy.us", "congestion": "tone/congestion.cn", "beep": "tone/beep",
    }  # fmt: skip
    assert sorted(heard) == sorted(SOUNDS)
    it = show()
    for wanted in SOUNDS:
        assert [name for name, clip in heard.items() if fits(it, Heard(0, clip), wanted)] == [wanted]


@pytest.mark.parametrize("step", ["voicemail: front", "record: {max: 1min, finish: hash, beep: yes}"])
def test_the_beep_before_a_message_is_heard_once_and_may_be_passed_over(step: str) -> None:
    steps = f"    - {step}\n    - play: thanks\n    - hangup: message\n"
    head, flow, rest = MAIN.partition("  support:\n    - answer\n")
    text = head + flow + "    - play: hello\n" + steps + "  bye:\n" + rest.partition("  bye:\n")[2]
    made = site(**{"dialplans/main.yaml": text, "boxes.yaml": "front: {hears: 201, number: 800}\n"})
    greeting = "leave_message, " if step.startswith("voicemail") else ""
    end = "- say_for: 5s\n- press: hash\n- hears: thanks\n- outcome: message"
    good(f"- press: 1\n- hears: [hello, {greeting}beep]\n{end}", given="caller: 1", of=made)
    good(f"- press: 1\n- hears: hello\n{end}", given="caller: 1", of=made)
    for wrong in (f"hello, {greeting}beep, beep", "beep, hello"):
        assert differs(f"- press: 1\n- hears: [{wrong}]", given="caller: 1", of=made)[1] == "to hear beep"


def test_a_refused_call_shows_its_status() -> None:
    made = site(**{"dialplans/main.yaml": MAIN.replace("    - answer\n    - play: hello\n", "    - reject: 603\n", 1)
                   .split("    - menu:")[0] + "  support:\n    - hangup: served\n"})  # fmt: skip
    good("- call: {status: 603}", given="caller: 1", of=made)


def test_a_broken_rule_of_the_engine_is_a_failure_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.sim import world

    made, tests = written("- press: 1\n- hears: music")
    monkeypatch.setattr(world, "unguarded", lambda switch: ["call 1: nothing"] if switch.room.calls else [])
    result = play(made, tests.tests[0])
    assert result.failure is not None and "without a deadline" in result.failure.found


def test_what_the_engine_refuses_to_be_given_fails_the_test() -> None:
    for given, words in (("notices: {storm: on}", "notice.set default/storm on"),
                         ("calendars: {office: closed}", "hours.set default/office closed")):  # fmt: skip
        failure = played("- hears: hello", given=given).failure
        assert failure is not None and failure.expected == "the engine to take what is given"
        assert failure.found.startswith(words) and len(failure.found) > len(words) + 5
    wrong = played("- agent: 201 is not ready\n- agent: 201 logs out\n- agent: 201 is ready").failure
    assert wrong is not None and "agent.ready" in wrong.found


def test_words_are_compared_without_what_is_not_heard() -> None:
    assert bare("Your balance is 12, OK?") == bare("your BALANCE is 12 ok") != bare("your balance is 13 ok")
