"""Whatever happens in whatever order to what listens and asks: it never raises, and never waits without a timer."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dialplan.actions import (
    CallerGone,
    Digit,
    Happening,
    LookupAnswered,
    PlayDone,
    SetTimer,
    SoundFetched,
    TimerFired,
)
from engine.dialplan.program import Running
from tests.dialplan.site import Caller, lines, site_of

LOOKUPS = lines(
    "check_pin:", "  post: https://a/b", "  send: {code: $code, pin: $pin}",
    "  returns: {ok: flag = no, level: number}",
    "customer:", "  get: https://a/$code", "  returns: {tier: choice standard vip = standard}",
)  # fmt: skip
PLAN = lines(
    "ringdown: 1", "variables: {code: digits 2..4, pin: digits 3 sensitive}", "always: {0: person}", "rescue: person",
    "finally: after", "flows:", "  main:", "    - answer",
    "    - menu: {greet: {long: hello, short: choose}, prompt: choose, confirm: hello, choices: {1: ask, 23: more,"
    " star: again}, failed: person}",
    "  ask:",
    "    - gather: {into: code, prompt: hello, confirm: hello, regex: '[1-9]x{1,3}', failed: more}",
    "    - pin: {into: pin, prompt: hello, verify: check_pin, wrong: choose, busy: one_moment, failed: person,"
    " unavailable: more}",
    "    - lookup: {name: customer, busy: one_moment, not_found: more, failed: person}",
    "    - play_url: {url: 'https://news.example/a.mp3', busy: one_moment, failed: more}",
    "    - send_digits: 1w2", "    - goto: more",
    "  more:",
    "    - gather: {into: code, prompt: choose, barge_in: no, type_ahead: no, confirm: choose, failed: main}",
    "    - goto: ask",
    "  person:", "    - play: goodbye", "    - hangup: served",
    "  after:", "    - tag: tier $customer.tier",
)  # fmt: skip
SITE = site_of(PLAN, lookups=LOOKUPS)
WAITS = ("answer", "play", "digits", "timer", "lookup", "fetch", "rescue", "ended")
STEPS = st.lists(
    st.sampled_from([
        "1", "2", "3", "9", "0", "*", "#", "1", "23", "123#", "played", "timer", "yes", "no", "bare", "lost", "failed",
        "late", "vip", "sound", "no_sound",
    ]),
    min_size=5, max_size=60,
)  # fmt: skip


def happenings(run: Running, word: str) -> list[Happening]:
    ticket = run.ticket
    if word[0] in "0123456789*#":
        return [Digit(each) for each in word]
    given: dict[str, list[Happening]] = {
        "played": [PlayDone(ticket)], "timer": [TimerFired(ticket)], "late": [TimerFired(ticket - 1), PlayDone(0)],
        "yes": [LookupAnswered(ticket, "ok", {"check_pin.ok": True, "check_pin.level": 3})],
        "no": [LookupAnswered(ticket, "ok", {"check_pin.ok": False, "check_pin.level": 3})],
        "sound": [SoundFetched(ticket, 900)], "no_sound": [SoundFetched(ticket, 0, "status 404", 3)],
        "bare": [LookupAnswered(ticket, "ok", {})], "lost": [LookupAnswered(ticket, "not_found")],
        "failed": [LookupAnswered(ticket, "failed", {}, "status 500", 3)],
        "vip": [LookupAnswered(ticket, "ok", {"customer.tier": "vip", "unknown.x": 1})],
    }  # fmt: skip
    return given[word]


@settings(max_examples=300, deadline=None)
@given(STEPS, st.booleans())
def test_it_never_raises_and_never_waits_for_ever(words: list[str], hangs_up: bool) -> None:
    caller = Caller(SITE)
    caller.answered()
    timer = next(each.ticket for each in caller.last if isinstance(each, SetTimer))
    for word in words:
        for happening in happenings(caller.run, word):
            for action in caller.tell(happening):
                if isinstance(action, SetTimer):
                    timer = action.ticket if action.ms else 0
            run = caller.run
            assert run.waiting in WAITS and set(run.variables) <= {
                "code", "pin", "customer.tier", "check_pin.ok", "check_pin.level",
            }  # fmt: skip
            assert run.waiting == "ended" or timer == run.ticket, (run.waiting, caller.last)
            caller.run = msgspec.msgpack.decode(msgspec.msgpack.encode(run), type=Running)
    if hangs_up:
        caller.tell(CallerGone())
        assert caller.run.waiting == "ended"
    assert not [text for text in caller.notes("fault") if "no recording" not in text]
    assert "123" not in " ".join(text for text in caller.notes("set") if text.startswith("pin"))
