"""Wait lists as linked programs: what stays, what leaves, which keys are live when."""

from __future__ import annotations

import pytest

from engine.dialplan.program import Program
from tests.dialplan.site import codes_of, site_of

HEAD = """ringdown: 1
variables:
  tries: number = 0
  maybe: number
flows:
  main:
    - answer
    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}
    - goto: bye
  bye:
    - tag: round $tries
    - hangup: served
"""


def wait(text: str) -> tuple[Program, dict[str, str]]:
    site = site_of(HEAD + "waits:\n  hold:\n" + text)
    program = site.programs["default/main"]
    return program.waits["hold"], program.flows["main"][1].outs


def codes(text: str) -> list[str]:
    return [code for code, _ in codes_of(HEAD + "waits:\n  hold:\n" + text) if code not in ("RD094", "RD051")]


def test_a_word_leaves_and_a_list_stays() -> None:
    program, outs = wait(
        "    - set: {tries: tries + 1}\n    - when:\n        - if: queue.waited > 1min\n          then: bye\n"
        "        - if: queue.position > 3\n          then:\n            - play: hello\n    - music: 10s\n"
    )
    assert program.loops and program.entry == "hold" and set(program.flows) == {"hold", "hold#1"}
    branch = program.flows["hold"][1]
    assert branch.outs == {"if 1": "!bye", "if 2": "hold#1"} and outs["!bye"] == "bye"
    assert not program.estimates and wait("    - estimate\n")[0].estimates


def test_a_menu_of_words_alone_is_its_prompt_and_its_keys_are_live_all_the_time() -> None:
    program, outs = wait("    - menu: {prompt: choose, choices: {star: bye}, failed: continue}\n    - music: 10s\n")
    assert [step.verb for step in program.flows["hold"]] == ["play", "music"] and outs["*"] == "bye"
    program, outs = wait(
        "    - menu:\n        prompt: choose\n        choices:\n          1: bye\n          2:\n"
        "            - play: hello\n        failed: continue\n    - music: 10s\n"
    )
    menu = program.flows["hold"][0]
    assert (menu.verb, menu.data["tries"], menu.data["always"]) == ("menu", 1, []) and outs["1"] == "bye"
    assert menu.outs["2"] == "hold#1" and "2" not in outs


def test_a_list_that_only_speaks_is_followed_by_music_and_music_has_an_end() -> None:
    program, _ = wait("    - play: hello\n    - music\n")
    assert [step.data.get("for") for step in program.flows["hold"]] == [None, 40_000]
    program, _ = wait("    - play: hello\n    - position\n")
    assert [step.verb for step in program.flows["hold"]] == ["play", "position", "music"]
    assert program.flows["hold"][2].data["for"] == 20_000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("    - set: {tries: 1}\n", "RD113"),
        ("    - queue: support\n", "RD060"),
        ("    - dial: 200\n", "RD060"),
        ("    - answer\n", "RD060"),
        ("    - hangup\n", "RD060"),
        ("    - when:\n        - if: queue.lenght > 3\n          then: bye\n    - music: 9s\n", "RD042"),
        ("    - when:\n        - if: queue.waited > 3\n          then: bye\n    - music: 9s\n", "RD070"),
        ("    - goto: nowhere\n    - music: 9s\n", "RD031"),
        ("    - say: $maybe\n", "RD072"),
        ("    - menu: {prompt: choose, choices: {21: bye}, failed: continue}\n", "RD063"),
        (
            "    - menu: {prompt: choose, choices: {1: bye}, failed: continue}\n"
            "    - menu: {prompt: choose, choices: {1: bye}, failed: continue}\n", "RD062",
        ),
    ],
)  # fmt: skip
def test_mistakes(text: str, code: str) -> None:
    assert code in codes(text)


def test_two_steps_share_a_wait_list() -> None:
    text = HEAD.replace("    - goto: bye\n", "    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, "
                        "timeout: bye}\n    - goto: bye\n", 1)  # fmt: skip
    site = site_of(text + "waits:\n  hold:\n    - menu: {prompt: choose, choices: {1: bye}, failed: continue}\n")
    steps = site.programs["default/main"].flows["main"]
    assert steps[1].outs["1"] == steps[2].outs["1"] == "bye"
    assert steps[1].data["wait"] == steps[2].data["wait"] == "hold"


SPOKEN_WAIT = """ringdown: 1
phrases: {back: [call me back, a callback], person: [the boss]}
flows:
  main:
    - answer
    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  back: [{hangup: back}]
  person: [{hangup: person}]
  bye: [{hangup: failed}]
waits:
  hold:
    - menu:
        prompt: hello
        listen: [keys, speech]
        choices: {1: back, 2: person}
        failed: continue
    - music: 10s
"""


def test_what_leaves_a_queue_can_be_said_while_its_list_plays() -> None:
    site = site_of(SPOKEN_WAIT)
    program = site.programs["default/main"].waits["hold"]
    grammar = site.grammars[program.hears["en"]]
    said = {line.phrase: line.intent for line in grammar.lines}
    assert said["call me back"] == "back" and said["the boss"] == "person" and len(said) > 5, "“agent”, too"
    assert program.said == {"back": "1", "person": "2"} and program.accept == 70
    assert all("hears" not in step.data for step in program.flows["hold"])
    assert codes_of(SPOKEN_WAIT) == []
    mute = site_of(SPOKEN_WAIT.replace("        listen: [keys, speech]\n", "")).programs["default/main"].waits["hold"]
    assert (mute.hears, mute.said, mute.accept) == ({}, {}, 0)


@pytest.mark.parametrize(("old", "new", "code"), [
    ("        prompt: hello", "        prompt: hello\n        no_match: hello", "RD060"),
    ("a callback], person", "the boss], person", "RD281"), ("[call me back, a callback]", "[a (callback]", "RD280"),
    ("{1: back, 2: person}", "{1: back, 3: bye}", "RD282"), ("[keys, speech]", "[speech]", "RD024"),
    ("        listen: [keys, speech]", "        accept: 60", "RD289"),
    ("        prompt: hello", "        prompt: hello\n        grammar: none_such", "RD287"),
])  # fmt: skip
def test_what_cannot_be_said_in_a_queue(old: str, new: str, code: str) -> None:
    assert old in SPOKEN_WAIT
    assert code in [each for each, _ in codes_of(SPOKEN_WAIT.replace(old, new))]
