"""What people hear of consent, follow me, parking and rooms: on baresips, which others wrote, and in the recording.

Each says a tone of his own, and each ear is judged by its spectrum; prompts are found in what was heard by correlation.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.ports import free_port
from harness.server import Engine
from test_supervision import TONES, expect, peaks, soft_ear

from tests.interop.conftest import ROOT

PROMPTS = ROOT / "prompts" / "en"
NUMBERS = "".join(
    f"  {number}: {{dialplan: interop, entry: {entry}, public: yes}}\n"
    for number, entry in ((8710, "taped"), (8711, "follow"), (8712, "plain"), (8713, "room"))
)
RECORDING = """\
recording:
  incoming: {announce: one_moment, opt_out: star, beep: yes}
parking: {slots: 71-79}
numbers:
"""
DIALPLAN = """\
ringdown: 1
about: a recorded queue, somebody followed to a phone elsewhere, a queue, a conference room
entry: plain

flows:
  taped:
    - answer
    - queue: {name: taped, full: over, no_agents: over, timeout: over}
    - hangup: served
  follow:
    - answer
    - dial:
        steps:
          - {to: 206, ring: 5s}
          - {to: 'sip:elsewhere@127.0.0.1:PORT', ring: 20s, confirm: callback_offer}
        whisper: thank_you
        failed: over
    - hangup: served
  plain:
    - answer
    - queue: {name: support, full: over, no_agents: over, timeout: over}
    - hangup: served
  room:
    - answer
    - conference: {room: standup, exit: hash, beep: yes, full: over}
    - play: goodbye
    - hangup: served
  over:
    - hangup: {outcome: failed, cause: 17}
"""
PORT = free_port(pairs=True)


@pytest.fixture(scope="module")
def people() -> Iterator[Engine]:
    """The demo site with a recorded queue, slots to park in, a room, and a phone elsewhere."""
    edits = {
        "queues.yaml": ("support:", "taped: {ring: 20s, record: yes}\nsupport:"),
        "site.yaml": ("numbers:\n", RECORDING + NUMBERS),
        "agents.yaml": ("queues: [support", "queues: [taped, support"),
    }
    with Engine(edits=edits, extra=DIALPLAN.replace("PORT", str(PORT))) as running:
        yield running


def heard_prompt(phone: Baresip, name: str, since: int, *, within: float = 8.0) -> None:
    """Most of the prompt in what this phone plays from `since` on; its sound card may drop a piece under load."""
    sound = listening.read_wav(PROMPTS / f"{name}.wav")
    best = 0.0

    def there() -> bool:
        nonlocal best
        heard = phone.heard()[since:]
        if heard.size > sound.size // 2:
            best = listening.share_heard(sound, heard, score=0.85, seconds=0.25)
        return best >= 0.5

    try:
        until(there, within, every=0.3, what=f"{phone.user} hears {name}")
    except AssertionError:
        raise AssertionError(f"{phone.user} heard {best:.0%} of {name}") from None


def test_a_caller_is_told_then_both_are_recorded_and_who_hears_it_is_noted(people: Engine, tmp_path: Path) -> None:
    words = people.passwords()
    with (
        Baresip(tmp_path, people.address, "stranger", microphone=TONES["caller"], register=False) as caller,
        Baresip(tmp_path, people.address, "200", words["200"], microphone=TONES["agent"], auto_answer=True) as agent,
    ):
        agent.registered()
        people.login("200")
        mark = caller.mark()
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8710"))
        heard_prompt(caller, "one_moment", mark)
        ears = {"caller": soft_ear(caller), "agent": soft_ear(agent)}
        expect(ears, {"caller": {"agent"}, "agent": {"caller"}}, "the recorded conversation")
        place = len(agent.events)
        caller.command("hangup")
        agent.wait_event("CALL_CLOSED", after=place)
        people.wait_idle(8)
        row = people.last_call(dialled="8710")
        (name,) = json.loads(row["recordings"])
        told = [e["data"]["result"] for e in people.events(row["call"]) if e["kind"] == "recording.told"]
        assert told == ["told"]
        done = people.command("hear", row["call"], "--to", str(tmp_path / "out"))
        assert done.returncode == 0, done.stderr
        sides = [listening.read_wav(tmp_path / "out" / Path(name).name, side=side) for side in (0, 1)]
        said, heard = peaks(sides[0][-8_000:-800]), peaks(sides[1][-8_000:-800])
        assert said["caller"] > 1_200 > said["agent"] and heard["agent"] > 1_200 > heard["caller"], (said, heard)

        def listed() -> dict[str, str]:
            found: list[dict[str, str]] = json.loads(people.command("hear", row["call"], "--list", "--json").stdout)
            return found[0]

        until(lambda: listed()["heard"], 4, what="who has heard it (records are written in batches)")
        assert listed()["name"] == name
        # another caller refuses: the same conversation, and nothing is kept
        place = len(agent.events)
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8710"))
        time.sleep(0.5)
        caller.press("*")
        agent.wait_event("CALL_ESTABLISHED", 8, after=place)
        expect(ears, {"caller": {"agent"}, "agent": {"caller"}}, "the conversation that isn't recorded", seconds=0.4)
        caller.command("hangup")
        agent.wait_event("CALL_CLOSED", after=place)
    people.wait_idle(8)
    row = people.last_call(dialled="8710")
    assert row["recordings"] == "[]" and row["outcome"] == "served"
    people.send_home()


def test_follow_me_asks_whispers_and_puts_through(people: Engine, tmp_path: Path) -> None:
    with (
        Baresip(tmp_path, people.address, "stranger", microphone=TONES["caller"], register=False) as caller,
        Baresip(tmp_path, people.address, "elsewhere", microphone=TONES["guest"], register=False, port=PORT) as phone,
    ):
        caller.dial("8711")
        phone.wait_event("CALL_INCOMING", 8)
        mark = phone.mark()
        phone.command("accept")
        heard_prompt(phone, "callback_offer", mark)
        assert peaks(caller.heard()[-6_400:])["guest"] < 250
        mark = phone.mark()
        phone.press("1")
        heard_prompt(phone, "thank_you", mark)
        ears = {"caller": soft_ear(caller), "guest": soft_ear(phone)}
        expect(ears, {"caller": {"guest"}, "guest": {"caller"}}, "after key 1 and the whisper")
        place = len(phone.events)
        caller.command("hangup")
        phone.wait_event("CALL_CLOSED", after=place)
    people.wait_idle(8)
    assert people.last_call(dialled="8711")["outcome"] == "served"


def test_an_agent_parks_hears_the_slot_and_another_picks_up(people: Engine, tmp_path: Path) -> None:
    words = people.passwords()
    with (
        Baresip(tmp_path, people.address, "stranger", microphone=TONES["caller"], register=False) as caller,
        Baresip(tmp_path, people.address, "200", words["200"], microphone=TONES["agent"], auto_answer=True) as agent,
        Baresip(tmp_path, people.address, "207", words["207"], microphone=TONES["boss"]) as other,
    ):
        agent.registered()
        other.registered()
        people.login("200")
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8712"))
        ears = {"caller": soft_ear(caller), "agent": soft_ear(agent), "boss": soft_ear(other)}
        expect(ears, {"caller": {"agent"}, "agent": {"caller"}}, "before", seconds=0.4)
        mark, place = agent.mark(), len(agent.events)
        agent.press("*8")
        agent.wait_event("CALL_CLOSED", 8, after=place)
        sounds = {digit: listening.read_wav(PROMPTS / "digits" / f"{digit}.wav") for digit in "17"}
        said = [name for _, name in listening.which_prompts(agent.heard_out()[mark:], sounds, score=0.7)]
        assert sorted(said) == ["1", "7"], said
        other.wait_event("CALL_ESTABLISHED", after=other.dial("*871"))
        expect(ears, {"caller": {"boss"}, "boss": {"caller"}}, "after the pick-up")
        place = len(other.events)
        caller.command("hangup")
        other.wait_event("CALL_CLOSED", after=place)
    people.wait_idle(8)
    row = people.last_call(dialled="8712")
    told = [e["data"]["state"] for e in people.events(row["call"]) if e["kind"] == "call.parked"]
    assert told == ["parked", "picked"] and row["outcome"] == "served"
    people.send_home()


def test_three_in_a_room_hear_each_other_and_one_leaves_by_his_key(people: Engine, tmp_path: Path) -> None:
    with (
        Baresip(tmp_path, people.address, "one", microphone=TONES["caller"], register=False) as one,
        Baresip(tmp_path, people.address, "two", microphone=TONES["agent"], register=False) as two,
        Baresip(tmp_path, people.address, "three", microphone=TONES["boss"], register=False) as three,
    ):
        for phone in (one, two, three):
            phone.wait_event("CALL_ESTABLISHED", after=phone.dial("8713"))
        ears = {"caller": soft_ear(one), "agent": soft_ear(two), "boss": soft_ear(three)}
        everybody = {who: set(ears) - {who} for who in ears}
        expect(ears, everybody, "three in the room")
        mark, place = three.mark(), len(three.events)
        three.press("#")
        heard_prompt(three, "goodbye", mark)
        three.wait_event("CALL_CLOSED", after=place)
        expect(ears, {"caller": {"agent"}, "agent": {"caller"}}, "two who are left")
        for phone in (one, two):
            phone.command("hangup")
    people.wait_idle(8)
    assert people.last_call(dialled="8713")["outcome"] == "served"
