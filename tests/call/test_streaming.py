"""Bots in a whole Switch: handed over and back, forks beside the call, hang-ups, restarts, and too many."""

from __future__ import annotations

import msgspec
import pytest

from engine import limits
from engine.call.effects import Resumed
from engine.call.stream_wall import Stream, StreamDone, StreamHushed, StreamPressed, StreamUnwanted, StreamWanted
from engine.sim.phone import Phone
from engine.sim.world import World
from engine.switch import Switch
from tests.call.calls import agent, over, ring, world
from tests.scenarios.sites import busy_site

URL = "wss://bot.example/travel"
PLAN = f"""
ringdown: 1
variables: {{destination: text = nowhere, pin: digits 4 sensitive = 0000}}
flows:
  main:
    - answer
    - music: 1s
    - stream: {{url: '{URL}?key=7', secret: travel, sets: [destination], max: 20s, person: people, failed: down}}
    - hangup: served
  people:
    - show: {{going_to: $destination}}
    - queue: {{name: support, full: down, no_agents: down, timeout: down}}
    - hangup: served
  down:
    - play: technical_fault
    - hangup: down
"""
FORK = f"""
ringdown: 1
variables: {{pin: digits 4 sensitive = 0000}}
flows:
  main:
    - answer
    - stream: {{url: '{URL}', secret: notes, fork: both}}
    - play: goodbye
    - gather: {{into: pin, prompt: goodbye, failed: bye}}
    - when: [{{if: pin = 4711, then: bye}}]
    - music: 30s
    - hangup: served
  bye: [hangup]
"""
SITE, FORKED = busy_site(dialplans__echo=PLAN), busy_site(dialplans__echo=FORK)


def sent(w: World, kind: type) -> list[object]:
    return [each for each in w.outputs if isinstance(each, kind)]


def handed(w: World | None = None) -> tuple[World, Phone, StreamWanted]:
    w = w or world(SITE, law9=True)
    caller = ring(w, "9196", "5551234")
    before = len(w.bots)
    assert w.run_until(lambda: len(w.bots) > before, 5_000)
    return w, caller, w.bots[-1]


def done(bot: StreamWanted, result: str = "done", **more: object) -> StreamDone:
    return StreamDone(bot.call, bot.ticket, result, ms=900, sent=45, heard=40, dropped=2, **more)  # type: ignore[arg-type]


def test_each_message_comes_back_as_itself() -> None:
    every = [
        StreamWanted(7, 3, "lute", "default", 1, 2, URL, "bot", "bearer", 5, 6, "both", {"a": "b"}, True),
        StreamUnwanted(7, 3), StreamPressed(7, 3, "4"), StreamHushed(7, 3, True),
        StreamDone(7, 3, "done", "why", {"a": "b"}, "person", 1, 2, 3, 4),
    ]  # fmt: skip
    kinds = StreamWanted | StreamUnwanted | StreamPressed | StreamHushed | StreamDone
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(every), type=list[kinds]) == every


def test_the_runtime_is_asked_and_the_music_stops() -> None:
    w, caller, bot = handed()
    (call,) = w.switch.room.calls.values()
    row = w.row(caller)
    assert (bot.call, bot.name, bot.tenant, bot.generation) == (call.id, call.name, "default", row.generation)
    assert (bot.url, bot.secret, bot.auth, bot.tracks) == (f"{URL}?key=7", "travel", "bearer", "")
    assert (bot.connect_ms, bot.ms_max, bot.hushed) == (limits.stream_connect_ms_default, 20_000, False)
    assert w.hears(caller) == "silence" and not call.stays


def test_the_bot_is_done_and_the_records_say_so() -> None:
    w, _, bot = handed()
    w.give(done(bot, values={"destination": "Rome"}))
    assert over(w).data["outcome"] == "served"
    assert w.last("call.gathered").data == {"variable": "destination", "value": "Rome"}
    assert w.last("call.stream").data == {
        "url": URL, "tracks": "talk", "result": "done", "reason": "", "ms": 900, "sent": 45, "heard": 40, "dropped": 2,
    }  # fmt: skip
    assert w.quiet()


def test_a_person_gets_the_caller_with_what_the_bot_has_found_out() -> None:
    w = world(SITE)
    desk = agent(w, "201")
    w, caller, bot = handed(w)
    w.give(done(bot, values={"destination": "Rome"}, next="person"))
    assert w.run_until(lambda: bool(desk.up()) and "row" in w.hears(caller), 20_000)
    assert w.last("call.shown").data["values"] == "going_to=Rome"


def test_keys_go_to_the_bot_and_0_to_a_person() -> None:
    w, caller, bot = handed()
    pressed: list[object] = []
    give = w.give

    def watch(event: object) -> list[object]:
        out = give(event)  # type: ignore[arg-type]
        pressed.extend(each for each in out if isinstance(each, (StreamPressed, StreamUnwanted)))
        return out  # type: ignore[return-value]

    w.give = watch  # type: ignore[method-assign, assignment]
    w.press(caller, "50")
    assert pressed == [StreamPressed(bot.call, bot.ticket, "5"), StreamUnwanted(bot.call, bot.ticket)]
    assert w.last("call.stream").data["reason"] == "the caller pressed 0"
    assert w.bots == [] and w.switch.room.calls[bot.call].streams == []
    w.give(done(bot))
    assert len(w.all("call.stream")) == 1


@pytest.mark.parametrize("result", ["failed", "timeout"])
def test_a_bot_that_is_gone_leads_on_and_ops_see_why(result: str) -> None:
    w, caller, bot = handed()
    w.give(done(bot, result, reason="status 403"))
    w.run(100)
    assert w.hears(caller) == "en/technical_fault"
    assert over(w).data["outcome"] == "down"
    logged = [line.text for line in w.logs if "the bot at" in line.text]
    name = w.last("call.ended").call
    assert logged == ([f"{name}: the bot at {URL} failed: status 403"] if result == "failed" else [])


def test_a_runtime_that_never_answers_ends_after_every_time_it_had() -> None:
    w, _, bot = handed()
    began = w.now_ms
    assert w.run_until(lambda: bool(w.all("call.stream")), 60_000)
    waited_ms = limits.stream_connect_ms_default + 20_000 + limits.stream_drain_ms_max + limits.lookup_grace_ms
    assert w.now_ms - began == waited_ms and w.bots == []
    assert w.last("call.stream").data["reason"] == "nobody said how it ended"
    w.give(done(bot))
    assert over(w).data["outcome"] == "down" and len(w.all("call.stream")) == 1


def test_a_caller_who_hangs_up_ends_the_stream() -> None:
    w, caller, bot = handed()
    caller.hang_up(w.now_ms)
    w.run(2_000)
    assert w.bots == [] and w.quiet()
    assert w.last("call.stream").data["reason"] == "the call ended"
    assert w.last("call.ended").data["outcome"] == "abandoned"
    w.give(done(bot))
    assert len(w.all("call.stream")) == 1


def test_more_calls_than_bots_may_have_go_on_by_failed() -> None:
    w, _, bot = handed()
    call = w.switch.room.calls[bot.call]
    call.streams += [Stream(100 + number, "both", URL, w.now_ms) for number in range(limits.streams_under_way_max)]
    other = ring(w, "9196", "5559999")
    assert w.run_until(lambda: w.hears(other) == "en/technical_fault", 5_000)
    assert w.last("call.stream").data["reason"] == f"{limits.streams_under_way_max} calls are with bots already"
    assert len(w.bots) == 1


def test_after_a_restart_nobody_waits_for_a_bot_of_the_old_engine() -> None:
    w, _caller, bot = handed()
    w.switch = Switch.decode(w.switch.encode())
    w.give(Resumed(300, "crash", 60_000))
    assert w.run_until(lambda: bool(w.all("call.stream")), 3_000)
    assert w.last("call.stream").data["reason"] == "the engine was restarted"
    assert w.switch.room.calls[bot.call].streams == []


# --- forks ------------------------------------------------------------------------------------------------------
def forked() -> tuple[World, Phone, StreamWanted]:
    w = world(FORKED, law9=True)
    caller = ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(w.bots), 5_000)
    return w, caller, w.bots[0]


def test_a_fork_hears_silence_while_a_secret_is_asked_for() -> None:
    w, caller, bot = forked()
    assert bot.tracks == "both" and w.hears(caller) == "en/goodbye"
    hushed: list[StreamHushed] = []
    give = w.give

    def watch(event: object) -> list[object]:
        out = give(event)  # type: ignore[arg-type]
        hushed.extend(each for each in out if isinstance(each, StreamHushed))
        return out  # type: ignore[return-value]

    w.give = watch  # type: ignore[method-assign, assignment]
    assert w.run_until(lambda: bool(hushed), 10_000)
    w.press(caller, "1234")
    w.run(6_000)
    assert hushed == [StreamHushed(bot.call, bot.ticket, True), StreamHushed(bot.call, bot.ticket, False)]


def test_a_fork_that_fails_changes_nothing_for_the_caller() -> None:
    w, caller, bot = forked()
    w.give(done(bot, "failed", reason="no connection: refused"))
    assert w.hears(caller) == "en/goodbye" and w.last("call.stream").data["tracks"] == "both"
    w.run(200)
    assert w.switch.room.calls[bot.call].streams == []


def test_a_fork_ends_with_its_call() -> None:
    w, caller, _bot = forked()
    w.run(500)
    caller.hang_up(w.now_ms)
    w.run(2_000)
    assert w.bots == [] and w.quiet() and w.last("call.stream").data["result"] == "done"
