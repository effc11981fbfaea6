"""What a test says of bots: done, with what they have found out; gone; or never heard of again."""

from __future__ import annotations

import pytest

from engine.sim.trying import Session, given_of
from tests.sim.shows import good, refused, site

BOT = "wss://bot.example/travel"
SITE = site(**{"dialplans/main.yaml": f"""
ringdown: 1
variables: {{destination: text = nowhere, party: number = 1}}
flows:
  main:
    - answer
    - stream: {{url: '{BOT}?v=1', secret: travel, sets: [destination, party], max: 1min, person: people, failed: down}}
    - when: [{{if: destination = 'Rome' and party = 2, then: people}}]
    - play: hello
    - hangup: served
  people:
    - play: goodbye
    - hangup: person
  down:
    - play: goodbye
    - hangup: failed
""", "site.yaml": "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: {dialplan: main, public: yes}\n"})  # fmt: skip
GIVEN = f"bots: {{'{BOT}?v=1': %s}}"


@pytest.mark.parametrize(
    ("does", "lines"),
    [
        ("done", "- hears: hello\n- record: {kind: call.stream, result: done, ms: 5000}"),
        ("{destination: Rome, party: 2}", "- hears: goodbye\n- record: {kind: call.gathered, value: Rome}"),
        ("{next: person, after: 20s}", "- hears: goodbye\n- record: {kind: call.stream, ms: 20000}"),
        ("fails", "- hears: goodbye\n- record: {kind: call.stream, result: failed}"),
        ("timeout", "- hears: goodbye\n- record: {kind: call.stream, result: timeout}"),
        ("hangs", "- wait: 2min\n- record: {kind: call.stream, reason: nobody said how it ended}"),
    ],
)
def test_what_a_bot_does(does: str, lines: str) -> None:
    good(lines, given=GIVEN % does, of=SITE)


def test_a_key_on_a_bot_that_never_ends() -> None:
    good("- press: 5\n- press: 0\n- hears: goodbye\n- record: {kind: call.stream, reason: the caller pressed 0}",
         given=GIVEN % "hangs", of=SITE)  # fmt: skip


def test_a_bot_that_is_not_given_fails_and_says_so() -> None:
    good(f"- hears: goodbye\n- record: {{kind: call.stream, reason: 'the test gives no bot at {BOT}'}}",
         given="caller: 5550101", of=SITE)  # fmt: skip


@pytest.mark.parametrize("given", [
    f"bots: {{'{BOT}': done}}", GIVEN % "{place: Rome}", GIVEN % "{next: nobody}", GIVEN % "sleeps",
])
def test_what_the_site_has_not_can_not_be_given(given: str) -> None:
    text = f"ringdown: 1\ngiven:\n  dialled: 100\n  {given}\ntests:\n  a:\n    - wait: 1s\n"
    assert refused(text, of=SITE)[0].code in ("RD233", "RD024")


def test_try_goes_on_by_failed() -> None:
    given, findings = given_of(SITE, "100", {})
    assert given is not None and not findings
    session = Session(SITE, given)
    assert not session.over()  # he could press a key
    assert any("goodbye" in line for line in session.do("_")) and session.over()
