"""Calendars and notices switched by people: by command, by phone; heard by the next caller, ended at midnight, kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.call import overrides
from engine.call.effects import LeverStates
from engine.call.levers import Lever
from engine.dialplan.model import Site
from engine.dialplan.prompts import StockPrompt
from engine.dialplan.reader import read_site
from engine.sim.world import World
from tests.call.calls import agent, ring, world
from tests.dialplan.site import STOCK, files_with

MAIN = """ringdown: 1
flows:
  main:
    - answer
    - notice: hello
    - notice: storm
    - hours: {calendar: office, closed: shut}
    - play: choose
    - hangup: served
  shut:
    - hangup: shut
"""
FILES = {
    "site.yaml": "ringdown: 1\nlanguages: [en]\ntime_zone: Europe/London\n"
    "numbers:\n  100: {dialplan: main, public: yes}\n",
    "dialplans/main.yaml": MAIN,
    "calendars.yaml": "office: {open: [mon-sun 00:00-24:00], time_zone: Europe/London}\n",
    "agents.yaml": "200: {name: Ana, queues: [support], team: front, skills: {power: 1}, "
    "switches: [hello, office, storm]}\n"
    "201: {name: Bo, queues: [support]}\n",
}  # fmt: skip
SPOKEN = ("number", "on", "off", "open", "closed", "auto", "until_midnight")


def site() -> Site:
    stock = STOCK | {f"en/switch_{each}": StockPrompt(f"en/switch_{each}", each, "x.wav", 500, "1") for each in SPOKEN}
    found, findings = read_site(files_with(FILES), stock, None, 1_780_000_000_000)
    assert found is not None, findings
    return found


SITE = site()
PLAIN = ["en/choose"]


def hears(w: World, user: str = "5551234") -> list[str]:
    """What one caller is played, from his answer to the end of his call."""
    before = len(w.events)
    caller = ring(w, "100", user)
    w.run(12_000)
    assert not caller.up()
    return [str(each.data["clips"]) for each in w.events[before:] if each.kind == "call.prompt"]


def switches(w: World) -> list[dict[str, Any]]:
    return list(msgspec.json.decode(w.operate("status").data)["switches"])


def done(w: World, verb: str, **arguments: str) -> dict[str, str]:
    reply = w.operate(verb, **arguments)
    assert reply.ok, reply.error
    return dict(msgspec.json.decode(reply.data))


def refused(w: World, verb: str, **arguments: str) -> str:
    reply = w.operate(verb, **arguments)
    assert not reply.ok
    return reply.error


def test_a_notice_is_heard_by_the_next_caller_until_it_is_off() -> None:
    w = world(SITE, law9=True)
    assert hears(w) == PLAIN
    told = done(w, "notice.set", notice="hello", state="on", by="Mrs Hill")
    assert told["done"] == "on: callers hear it from now on" and told["undo"] == "ringdown notice default/hello off"
    assert hears(w) == ["en/hello", "en/choose"]
    (shown,) = switches(w)
    assert (shown["switch"], shown["name"], shown["state"]) == ("notice", "default/hello", "on")
    assert shown["author"] == "Mrs Hill (test)" and shown["undo"] == told["undo"]
    off = done(w, "notice.set", notice="hello", state="off")
    assert (off["done"], off["undo"]) == ("off", "ringdown notice default/hello on")
    assert hears(w) == PLAIN and switches(w) == []
    assert done(w, "notice.set", notice="hello", state="off")["undo"] == "none: it was so"
    moved = [(e.data["switch"], e.data["state"], e.data["author"]) for e in w.all("operator.switch")]
    assert moved == [("notice", "on", "Mrs Hill (test)"), ("notice", "default", "test")]


def test_a_caller_in_the_dialplan_hears_what_is_switched_meanwhile() -> None:
    w = world(SITE)
    assert done(w, "notice.set", notice="hello", state="on")
    caller = ring(w, "100")
    assert w.run_until(lambda: bool(w.all("call.prompt")), 5_000)
    assert done(w, "notice.set", notice="storm", state="on", text="Power is out", recording="a.wav",
                recording_ms="2000", clip="16350")  # fmt: skip
    w.run(12_000)
    assert not caller.up()
    assert [e.data["clips"] for e in w.all("call.prompt")] == ["en/hello", "notice/default/storm", "en/choose"]


def test_a_recording_lasts_as_long_as_it_is() -> None:
    w = world(SITE, law9=True)
    done(w, "notice.set", notice="storm", state="on", recording="a.wav", recording_ms="8000", clip="16350")
    caller = ring(w, "100")
    w.run(1_000)
    assert w.hears(caller) == "clip 16350"
    w.run(30_000)
    assert not caller.up() and w.last("call.ended").data["outcome"] == "served"


def test_calendars_are_open_or_closed_whatever_their_hours_say() -> None:
    w = world(SITE, law9=True)
    assert hears(w) == PLAIN
    assert done(w, "hours.set", calendar="office", state="closed")["undo"] == "ringdown hours default/office auto"
    assert hears(w) == [] and w.last("call.ended").data["outcome"] == "shut"
    assert done(w, "hours.set", calendar="default/office", state="open")["done"] == "open, whatever its hours say"
    assert hears(w) == PLAIN
    assert done(w, "hours.set", calendar="office", state="auto")["undo"] == "ringdown hours default/office open"
    assert switches(w) == []


def local(w: World, ms: int) -> tuple[int, int]:
    """(hour, minute) in London, which is at UTC or an hour ahead."""
    import datetime
    import zoneinfo

    there = datetime.datetime.fromtimestamp(ms / 1000, zoneinfo.ZoneInfo("Europe/London"))
    return there.hour, there.minute


def test_without_a_time_it_ends_at_the_tenants_midnight_by_itself() -> None:
    w = world(SITE, law9=True)
    until_ms = int(done(w, "notice.set", notice="hello", state="on")["until_ms"])
    wall_ms = w.now_ms + w.switch.room.wall_offset_ms
    assert local(w, until_ms) == (0, 0) and 0 < until_ms - wall_ms <= 24 * 3_600_000
    done(w, "hours.set", calendar="office", state="closed", until_ms=str(wall_ms + 60_000))
    w.run(59_000)
    assert len(switches(w)) == 2
    w.run(2_000)
    assert [each["name"] for each in switches(w)] == ["default/hello"]
    assert w.last("operator.switch").data["author"] == "the time given"
    w.run(until_ms - wall_ms - 62_000)
    assert len(switches(w)) == 1
    w.run(3_000)
    assert switches(w) == [] and hears(w) == PLAIN


def test_what_was_kept_over_a_restart_holds_and_ends() -> None:
    w = world(SITE)
    wall_ms = w.now_ms + w.switch.room.wall_offset_ms
    w.give(LeverStates([
        Lever("notice", "default/hello", "on", "ann", wall_ms - 5, wall_ms + 60_000),
        Lever("calendar", "default/office", "closed", "ann", wall_ms - 5, wall_ms + 60_000),
        Lever("notice", "default/gone", "on", "ann", wall_ms - 5, wall_ms + 60_000),
    ]))  # fmt: skip
    assert hears(w) == ["en/hello"] and len(switches(w)) == 3
    w.run(60_000)
    assert switches(w) == [] and hears(w) == PLAIN


@pytest.mark.parametrize(("verb", "arguments", "words"), [
    ("notice.set", {"notice": "helo", "state": "on"}, "did you mean"),
    ("notice.set", {"notice": "hello", "state": "open"}, "on or off"),
    ("notice.set", {"notice": "storm", "state": "on"}, "no prompt of its own"),
    ("notice.set", {"notice": "hello", "state": "on", "until_ms": "5"}, "over already"),
    ("notice.set", {"notice": "hello", "state": "on", "until_ms": "soon"}, "whole number"),
    ("hours.set", {"calendar": "ofice", "state": "open"}, "office"),
    ("hours.set", {"calendar": "office", "state": "shut"}, "open, closed or auto"),
])  # fmt: skip
def test_wrong_orders_change_nothing(verb: str, arguments: dict[str, str], words: str) -> None:
    w = world(SITE)
    assert words in refused(w, verb, **arguments)
    assert switches(w) == []


def test_everything_is_listed() -> None:
    w = world(SITE)
    done(w, "notice.set", notice="hello", state="on", by="Mrs Hill")
    rows = msgspec.json.decode(w.operate("overrides").data)
    assert [(row["name"], row["state"]) for row in rows] == [
        ("default/office", "auto"), ("default/hello", "on"), ("default/storm", "off"),
    ]  # fmt: skip


def test_by_phone_with_spoken_confirmation() -> None:
    w = world(SITE, law9=True)
    phone = agent(w, "200", login=False)
    heard: list[tuple[str, ...]] = []
    for digits in ("11", "22", "21", "20", "10"):
        ring(w, f"*70{digits}", phone=phone)
        w.run(8_000)
        heard.append(tuple(f"{each['name']} {each['state']}" for each in switches(w)))
    assert heard == [
        ("default/hello on",), ("default/hello on", "default/office closed"),
        ("default/hello on", "default/office open"), ("default/hello on",), (),
    ]  # fmt: skip
    assert {e.data["author"] for e in w.all("operator.switch")} == {"agent default/200"}
    told = [what for what in w.heard(phone) if "switch_number" in what]
    assert told[0] == "en/switch_number en/digits/1 en/switch_on en/hello en/switch_until_midnight"
    assert told[1] == "en/switch_number en/digits/2 en/switch_closed en/switch_until_midnight"
    assert told[3:] == ["en/switch_number en/digits/2 en/switch_auto", "en/switch_number en/digits/1 en/switch_off"]


def test_by_phone_only_what_is_his_and_can_be_said() -> None:
    w = world(SITE)
    agent(w, "200", login=False)
    stranger = agent(w, "201", login=False)
    room = w.switch.room
    for digits in ("31", "41", "13", "1", "", "01"):  # 31: a notice without words of its own
        assert overrides.by_phone(room, room.agents["default/200"], digits, w.now_ms) == ()
    ring(w, "*7011", phone=stranger)
    w.run(8_000)
    assert switches(w) == [] and not w.all("operator.switch")
    assert w.heard(stranger)[-1] != "nothing" and "en/invalid_choice" in w.heard(stranger)
