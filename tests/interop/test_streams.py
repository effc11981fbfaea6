"""A caller with a bot built on Pipecat: heard both ways, handed to an agent, and the bot killed under him."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
import soundfile
from harness.children import Child, until
from harness.rtp import Ear
from harness.server import ROOT, Engine

from tools import peer_packages

NUMBERS = "numbers:\n  8820: {dialplan: interop, public: yes}\n"
SECRET = "a-word-for-tests"
DIALPLAN = """\
ringdown: 1
variables:
  destination: text = nowhere
  party: number = 0
entry: main
flows:
  main:
    - answer
    - stream:
        url: 'ws://127.0.0.1:PORT/calls?key=7'
        secret: travel_bot
        send: {who: $access.caller}
        sets: [destination, party]
        person: people
        failed: down
    - hangup: served
  people:
    - show: {to: $destination, travellers: $party}
    - queue: {name: support, full: down, no_agents: down, timeout: down}
    - hangup: served
  down:
    - play: technical_fault
    - hangup: down
"""
VOICE_HZ = 24_000


def tune(rate: int) -> listening.Samples:
    """Two seconds that nothing of ours sounds like."""
    at = np.arange(2 * rate) / rate
    return 9_000 * np.sin(2 * np.pi * (400 + 300 * at) * at)


class Bot:
    """The bot's process."""

    def __init__(self, folder: Path) -> None:
        packages = peer_packages.folder()
        assert packages.is_dir(), "the bot's packages are missing: run python -m tools.peer_packages"
        self.folder = folder
        soundfile.write(folder / "tune.wav", tune(VOICE_HZ).astype(np.int16), VOICE_HZ)
        program = str(Path(__file__).with_name("pipecat_bot.py"))
        self.child = Child([sys.executable, program, str(folder), SECRET], folder / "bot.txt",
                           env={"PYTHONPATH": str(packages)})  # fmt: skip
        self.port = int(self.child.wait_for(r"^listening (\d+)", 60)[1])

    def heard(self) -> listening.Samples:
        return np.frombuffer((self.folder / "heard.raw").read_bytes(), np.int16).astype(float)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    made = Bot(tmp_path)
    yield made
    made.child.stop()


@pytest.fixture
def station(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("RINGDOWN_LOOKUP_TRAVEL_BOT", SECRET)
    edits = {"site.yaml": ("numbers:\n", NUMBERS)}
    with Engine(edits=edits, extra=DIALPLAN.replace("PORT", str(bot.port))) as made:
        yield made


def stream_of(engine: Engine) -> dict[str, object]:
    call = str(engine.last_call(dialled="8820")["call"])
    (found,) = [each["data"] for each in engine.events(call) if each["kind"] == "call.stream"]
    return dict(found)


def test_a_caller_talks_with_the_bot_and_is_handed_to_an_agent(station: Engine, bot: Bot) -> None:
    spoken = listening.chirps(7, 2.0)
    with station.phone("201") as desk, station.phone("stranger", secret=False) as caller, Ear() as ear:
        desk.register()
        station.login("201")
        dialog = caller.call("8820", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        bot.child.wait_for(r"^start ", 5)
        ear.play(spoken)
        time.sleep(3.0)
        ear.press("5")
        time.sleep(1.0)
        interrupted = time.monotonic()
        ear.press("6")
        time.sleep(2.6)
        again = ear.heard(since=interrupted)
        ear.press("7")
        ringing = desk.wait_call(10)
        ringing.answer()
        heard = ear.heard()
        dialog.bye()
    start = json.loads(bot.child.wait_for(r"^start (.*)$", 1)[1])
    assert start["customParameters"] == {"who": "stranger"} and start["tracks"] == ["inbound"]
    assert listening.share_heard(tune(listening.RATE), heard, score=0.9) > 0.9  # the bot, at the caller's
    assert listening.share_heard(tune(listening.RATE), again, score=0.9) > 0.9  # … and after it has interrupted itself
    assert listening.share_heard(spoken, bot.heard(), score=0.9) > 0.9  # the caller, at the bot's
    assert [line for line in bot.child.output().splitlines() if line.startswith("key")] == ["key 5", "key 6", "key 7"]
    done = stream_of(station)
    assert (done["url"], done["result"], done["reason"]) == (f"ws://127.0.0.1:{bot.port}/calls", "done", "")
    assert done["dropped"] == 0 and int(str(done["sent"])) > 200
    call = str(station.last_call(dialled="8820")["call"])
    events = {each["kind"]: each["data"] for each in station.events(call)}
    assert events["call.shown"]["values"] == "to=Rome; travellers=3"
    assert "'unasked', which is not among sets:" in events["call.fault"]["detail"]


def test_a_bot_that_is_killed_in_mid_call_leaves_the_caller_with_the_dialplan(station: Engine, bot: Bot) -> None:
    with station.phone("stranger", secret=False) as caller, Ear() as ear:
        dialog = caller.call("8820", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        bot.child.wait_for(r"^start ", 5)
        assert until(lambda: listening.loud_seconds(ear.heard()) > 0.3, 5)
        bot.child.process.kill()
        killed = time.monotonic()
        dialog.expect_bye(20)
        heard = ear.heard()
        first = next(each.at for each in ear.packets if each.at > killed and each.marker)
    fallback = listening.read_wav(ROOT / "prompts" / "en" / "technical_fault.wav")
    assert listening.share_heard(fallback, heard, score=0.85) > 0.8
    assert first - killed < 0.5, first - killed
    done = stream_of(station)
    assert (done["result"], done["reason"]) == ("failed", "the connection broke")
    assert f"the bot at ws://127.0.0.1:{bot.port}/calls failed: the connection broke" in station.output()


def test_a_bot_that_knows_another_secret_has_nobody(station: Engine, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    station.stop()
    monkeypatch.setenv("RINGDOWN_LOOKUP_TRAVEL_BOT", "another-word")
    station.start()
    with station.phone("stranger", secret=False) as caller, Ear() as ear:
        dialog = caller.call("8820", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        dialog.expect_bye(20)
    assert stream_of(station)["reason"] == "status 403" and "refused" in bot.child.output()
