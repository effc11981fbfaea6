"""queue, dial, priority, record."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import (
    DialEnded,
    DialOut,
    Digit,
    Hangup,
    JoinQueue,
    QueueEnded,
    RecordDone,
    StartRecord,
    StopRecord,
    TimerFired,
)
from tests.dialplan.site import Caller, lines, site_of

HEAD = "ringdown: 1\n"


def flow(*steps: str, **flows: tuple[str, ...]) -> str:
    text = [HEAD, "flows:", "  main:", *(f"    {each}" for each in steps)]
    for name, more in flows.items():
        text += [f"  {name}:", *(f"    {each}" for each in more)]
    return lines(*text)


def test_queue_outcomes_and_what_the_queue_is_told() -> None:
    dialplan = HEAD + lines(
        "languages: [en]",
        "flows:",
        "  main:",
        "    - answer",
        "    - priority: 2min",
        "    - queue:",
        "        name: support",
        "        waiting: hold",
        "        max_wait: 10min",
        "        priority: 30s",
        "        needs: {power: 2, language: 3}",
        "        whisper: hello",
        "        full: bye",
        "        no_agents: bye",
        "        timeout: late",
        "    - tag: agent hung up",
        "    - hangup: served",
        "  bye:",
        "    - hangup: failed",
        "  late:",
        "    - hangup: timeout",
        "  left:",
        "    - hangup: left",
        "waits:",
        "  hold:",
        "    - play: please_hold",
        "    - position",
        "    - menu: {prompt: choose, choices: {star: left}, failed: continue}",
        "    - music: 40s",
    )
    site = site_of(dialplan)

    def queued() -> Caller:
        caller = Caller(site)
        caller.answered()
        return caller

    join = queued().one(JoinQueue)
    assert join == JoinQueue(
        2,
        "default/support",
        ("music/default",),
        150_000,
        600_000,
        (("power", 2), ("en", 3)),
        (),
        0,
        ("en/hello",),
        ("*",),
        wait="hold",
    )
    for result, outcome in (("full", "failed"), ("no_agents", "failed"), ("timeout", "timeout"), ("odd", "timeout")):
        caller = queued()
        caller.tell(QueueEnded(2, result))
        assert caller.one(Hangup) == Hangup(outcome, 16)
    caller = queued()
    assert caller.tell(Digit("5")) == []
    assert caller.run.typed_ahead == ""
    caller.tell(QueueEnded(2, "exit", "*"))
    assert caller.one(Hangup) == Hangup("left", 16)
    caller = queued()
    caller.tell(QueueEnded(2, "served"))
    assert caller.notes("tag") == ["agent hung up"]
    caller = queued()
    caller.tell(QueueEnded(2, "transferred"))
    assert caller.one(Hangup) == Hangup("transferred", 16)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("served", "served"),
        ("busy", "busy"),
        ("no_answer", "other"),
        ("unreachable", "other"),
        ("rejected", "other"),
        ("failed", "other"),
        ("nonsense", "other"),
        ("transferred", "transferred"),
    ],
)
def test_dial_outcomes(result: str, outcome: str) -> None:
    site = site_of(
        flow(
            "- dial: {to: [200, '+49301234', 'sip:x@example.net'], mode: serial, ring: 15s, busy: busy, failed: other}",
            "- hangup: served",
            busy=("- hangup: busy",),
            other=("- hangup: other",),
        )
    )
    caller = Caller(site)
    dial = caller.one(DialOut)
    assert isinstance(dial, DialOut)
    assert dial.targets == ("agent/200", "number/+49301234", "sip:x@example.net")
    assert (dial.mode, dial.ring_ms_max) == ("serial", 15_000)
    caller.tell(DialEnded(caller.run.ticket, result))
    assert caller.one(Hangup) == Hangup(outcome, 16)


def test_dialling_a_variable() -> None:
    dialplan = HEAD + lines(
        "variables: {back: phone = '+4930'}",
        "flows:",
        "  main:",
        "    - dial: {to: $back, failed: bye}",
        "    - goto: bye",
        "  bye:",
        "    - hangup: failed",
    )
    dial = Caller(site_of(dialplan)).one(DialOut)
    assert isinstance(dial, DialOut)
    assert dial.targets == ("number/+4930",)


def test_recording() -> None:
    dialplan = HEAD + lines(
        "variables: {message: text}",
        "flows:",
        "  main:",
        "    - answer",
        "    - record: start",
        "    - record: stop",
        "    - record: {max: 60s, finish: [hash, 1], into: message}",
        "    - tag: heard $message",
        "    - hangup: served",
    )
    caller = Caller(site_of(dialplan))
    caller.answered()
    assert caller.kinds() == ["StartRecord", "StopRecord", "StartRecord", "SetTimer"]
    message = caller.last[-2]
    assert message == StartRecord(2, 60_000, ("#", "1"), True)
    stuck = Caller(site_of(dialplan))
    stuck.answered()
    stuck.tell(TimerFired(2))
    assert stuck.notes("fault") == ["the recording did not end"]
    assert isinstance(stuck.last[0], StopRecord)
    caller.tell(RecordDone(2, "m1.wav", 900))
    assert caller.notes("tag") == ["heard m1.wav"]


FOLLOW = (
    "- dial:",
    "    steps:",
    "      - {to: 200, ring: 15s}",
    "      - {to: '+49301234', ring: 25s, confirm: hello}",
    "    whisper: choose",
    "    busy: busy",
    "    failed: other",
    "- hangup: served",
)
WAYS = {"busy": ("- hangup: busy",), "other": ("- hangup: other",)}


def test_follow_me_rings_one_after_another_and_tells_what_says_most() -> None:
    caller = Caller(site_of(flow(*FOLLOW, **WAYS)))
    first = DialOut(1, ("agent/200",), "parallel", 15_000, whisper=("en/choose",))
    assert caller.one(DialOut) == first
    caller.tell(DialEnded(1, "busy"))
    asked = {"whisper": ("en/choose",), "confirm": True, "confirm_prompt": ("en/hello",)}
    assert caller.one(DialOut) == DialOut(2, ("number/+49301234",), "parallel", 25_000, **asked)
    caller.tell(DialEnded(2, "no_answer"))
    assert caller.one(Hangup) == Hangup("busy", 16)


def test_follow_me_ends_with_the_first_who_answers() -> None:
    caller = Caller(site_of(flow(*FOLLOW, **WAYS)))
    caller.tell(DialEnded(1, "failed"))
    caller.tell(DialEnded(2, "served"))
    assert caller.one(Hangup) == Hangup("served", 16)
