"""NAME.test.yaml: what is written is kept, what is wrong is told at its place with what was meant."""

from __future__ import annotations

import pytest

from engine.sim.transcript import Line
from engine.sim.transcript_reader import dialplan_of, keys_of, read
from tests.sim.shows import FILE, refused, site, written

TESTS = """ringdown: 1
given: {dialled: 100}
tests:
  first:
    - hears: hello
    - press: 1 star
    - hears: choose
    - wait: 2s
  second:
    - follow: first
      until: choose
    - hang_up
"""


def lines(text: str) -> list[Line]:
    return list(written(text)[1].tests[0].lines)


def test_lines_keep_what_was_written() -> None:
    agents = "- agent: 201 presses *2\n- agent: answers\n- agent: transfers to 700"
    found = lines(f"- press: 0042\n- wait: 1.5min\n{agents}\n- flow: bye")
    assert [line.value for line in found] == [
        "0042", "90000", ("201", "presses", "*2"), ("", "answers", ""), ("", "transfers to", "700"), "bye",
    ]  # fmt: skip
    assert str(found[0].place) == f"{FILE}:7:14"


def test_one_word_stands_for_the_first_field() -> None:
    found = lines("- queue: support\n- callback: support\n- message: support\n- record: queue.left")
    assert [line.value for line in found] == [
        {"name": "support"}, {"queue": "support"}, {"box": "support"}, {"kind": "queue.left"},
    ]  # fmt: skip


def test_following_takes_the_lines_up_to_a_prompt() -> None:
    tests, findings = read(TESTS.encode(), FILE, site())
    assert tests is not None, findings
    assert [line.kind for line in tests.tests[1].lines] == ["hears", "press", "hears", "hang_up"]
    whole, _ = read(TESTS.replace("      until: choose\n", "").encode(), FILE, site())
    assert whole is not None and len(whole.tests[1].lines) == 5


@pytest.mark.parametrize(
    ("text", "code", "at", "word"),
    [
        ("- presses: 1", "RD230", (5, 7), "did you mean 'press'"),
        ("- hangup", "RD230", (5, 7), "did you mean 'hang_up'"),
        ("- press", "RD230", (5, 7), "write press: …"),
        ("- hang_up: now", "RD230", (5, 7), "write - hang_up"),
        ("- press: 1\n      hears: hello", "RD230", (6, 7), "one key"),
        ("- [a, b]", "RD230", (5, 7), "as in - press: 1"),
        ("- say: {or: hello}", "RD022", (5, 12), "say needs its text"),
        ("- say: {text: a, confidence: 101}", "RD024", (5, 34), "from 0 to 100"),
        ("- say: {text: a, sure: 1}", "RD021", (5, 22), "no key 'sure'"),
        ("- hears: helo", "RD033", (5, 14), "did you mean 'hello'"),
        ("- hears: [hello, chose]", "RD033", (5, 22), "did you mean 'choose'"),
        ("- press: 12a", "RD063", (5, 14), "star and hash"),
        ("- wait: soon", "RD024", (5, 13), "not a duration"),
        ("- agent: answer", "RD230", (5, 14), "did you mean 'answers'"),
        ("- agent: presses", "RD230", (5, 14), "did you mean 'presses'"),
        ("- queue: suport", "RD032", (5, 14), "did you mean 'support'"),
        ("- queue: {name: support, place: 1}", "RD021", (5, 30), "no key 'place'"),
        ("- flow: by", "RD031", (5, 13), "did you mean 'bye'"),
        ("- follow: other", "RD231", (5, 15), "no test 'other'"),
        ("- follow: it", "RD231", (5, 15), "circle"),
        ("- call: english", "RD023", (5, 13), "mapping"),
        ("- wait: 1s\n    - given: {caller: 1}", "RD230", (6, 7), "given stands first"),
        ("- outcome: served # really", "RD017", (5, 16), "lost as a comment"),
        ("- hears_text: Press #1 now", "RD017", (5, 19), "lost as a comment"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, code: str, at: tuple[int, int], word: str) -> None:
    whole = f"ringdown: 1\ngiven: {{dialled: 100}}\ntests:\n  it:\n    {text}\n"
    finding = refused(whole)[0]
    assert (finding.code, finding.line, finding.column) == (code, *at)
    assert word in f"{finding.message} {finding.suggestion}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "RD022"), ("ringdown: 1\n", "RD022"), ("tests: {}\n", "RD020"), ("- a\n", "RD023"),
        ("ringdown: 1\ntests:\n  a: b\n", "RD023"), ("ringdown: 1\ntests:\n\ta: 1\n", "RD003"),
        ("ringdown: 1\nsteps: x\ntests:\n  a:\n    - wait: 1s\n", "RD021"),
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused(text: str, code: str) -> None:
    assert refused(text)[0].code == code


@pytest.mark.parametrize("cut", range(0, len(TESTS), 7))
def test_a_torn_file_never_raises(cut: int) -> None:
    tests, findings = read(TESTS[:cut].encode(), FILE, site())
    assert (tests is None) == bool(findings)


def test_names_of_files_and_keys() -> None:
    assert dialplan_of("dialplans/main.test.yaml") == "default/main"
    assert dialplan_of("dialplans/main.night.test.yaml") == "default/main"
    assert dialplan_of("tenants/press/dialplans/orders.test.yaml") == "press/orders"
    assert keys_of("1234 hash") == "1234#" and keys_of("*0#") == "*0#" and keys_of("1 two") is None
