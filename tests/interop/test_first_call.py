"""The call of issue 3 with real softphones: menu, queue, music, agent, hold, transfer; the sound compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.server import ROOT, Engine

CALLER, FIRST, SECOND = listening.chirps(101, 60), listening.chirps(102, 60), listening.chirps(103, 60)


@pytest.fixture
def phones(engine: Engine, tmp_path: Path) -> Iterator[tuple[Baresip, Baresip, Baresip]]:
    """A caller, agent 200 on UDP and agent 201 on TCP, each speaking without pause."""
    words = engine.passwords()
    with (
        Baresip(tmp_path, engine.address, "stranger", microphone=CALLER, register=False) as caller,
        Baresip(tmp_path, engine.address, "200", words["200"], microphone=FIRST) as first,
        Baresip(tmp_path, engine.address, "201", words["201"], microphone=SECOND, transport="tcp") as second,
    ):
        first.registered()
        second.registered()
        try:
            yield caller, first, second
        finally:
            for user in ("200", "201"):
                engine.logout(user)


def prompts() -> dict[str, listening.Samples]:
    """All English 8 kHz prompts: the demo's own and the stock."""
    folders = (ROOT / "prompts" / "en", ROOT / "dialplans" / "demo" / "prompts" / "en")
    return {file.stem: listening.read_wav(file) for folder in folders for file in sorted(folder.glob("*.wav"))}


def hears(phone: Baresip, sound: listening.Samples, seconds: float = 3.0) -> float:
    """The share of what `phone` hears in the next seconds that is `sound`."""
    place = phone.mark()
    time.sleep(seconds)
    heard = phone.heard()[place:]
    cuts = [heard[i : i + 4000] for i in range(0, heard.size - 3999, 4000)]
    loud = [cut for cut in cuts if abs(cut).max() > 500]
    return sum(listening.align(cut, sound).score > 0.9 for cut in loud) / max(1, len(cuts))


def test_menu_queue_agent_hold_transfer(engine: Engine, phones: tuple[Baresip, Baresip, Baresip]) -> None:
    caller, first, second = phones
    caller.wait_event("CALL_ESTABLISHED", after=caller.dial("100"))
    time.sleep(4)
    caller.press("1")
    until(lambda: any(call["queue"] for call in engine.ask("calls")), 5, what="the caller waits in the queue")
    time.sleep(6)
    known = dict(listening.which_prompts(caller.heard(), prompts(), score=0.7))
    assert {"welcome", "please_hold"} & set(known.values()), f"heard {known}"
    assert listening.loud_seconds(caller.heard()[-16_000:]) > 0.5, "silence while waiting"

    engine.login("200")
    first.wait_event("CALL_INCOMING", 8)
    first.command("accept")
    first.wait_event("CALL_ESTABLISHED")
    time.sleep(3)  # the whisper
    assert hears(first, CALLER) >= 0.6, "agent 200 doesn't hear the caller"
    assert hears(caller, FIRST) >= 0.6, "the caller doesn't hear agent 200"

    first.command("hold")
    time.sleep(0.8)
    place = caller.mark()
    time.sleep(2.5)
    held = caller.heard()[place:]
    assert listening.loud_seconds(held) > 0.8, "no music while the agent holds"
    assert hears(first, CALLER, 1.5) == 0.0, "an agent who holds hears the caller"
    first.command("resume")
    time.sleep(0.8)
    assert hears(caller, FIRST, 2) >= 0.5, "no agent after the hold"

    engine.login("201")
    first.command("transfer", f"sip:201@127.0.0.1:{engine.port}")
    second.wait_event("CALL_INCOMING", 8)
    second.command("accept")
    second.wait_event("CALL_ESTABLISHED")
    time.sleep(1.5)
    assert hears(second, CALLER) >= 0.6, "agent 201 doesn't hear the caller"
    assert hears(caller, SECOND) >= 0.6, "the caller doesn't hear agent 201"
    first.wait_event("CALL_CLOSED", 5)
    until(lambda: engine.agent_state("200") in ("ready", "wrap_up"), 5, what="agent 200 free")
    assert engine.agent_state("201") not in ("ready", "logged_out")

    caller.command("hangup")
    second.wait_event("CALL_CLOSED", 5)
    engine.wait_idle()
    _same_story(engine)


def _same_story(engine: Engine) -> None:
    """SQLite, `calls --json`, queue_log and the event stream agree about the call."""
    row = engine.last_call(dialled="100")
    assert row["transfers"] == 1 and row["waited_ms"] > 0 and row["talked_ms"] > 5_000 and row["held_ms"] > 1_500
    listed = engine.command("calls", "--json")
    assert listed.returncode == 0, listed.stderr
    import json

    mine = next(entry for entry in json.loads(listed.stdout) if entry["call"] == row["call"])
    for field in ("dialled", "outcome", "waited_ms", "talked_ms", "held_ms", "transfers", "path"):
        assert mine[field] == row[field], field
    assert any("200" in agent for agent in mine["agents"]) and any("201" in agent for agent in mine["agents"])
    kinds = engine.kinds(row["call"])
    for kind in ("call.started", "call.answered", "call.digit", "queue.joined", "queue.connected", "call.bridged",
                 "call.held", "call.transferred", "call.ended"):  # fmt: skip
        assert kind in kinds, f"{kind} is missing in {kinds}"
    words = [line[4] for line in engine.queue_log() if line[1] == row["call"]]
    assert words[0] == "ENTERQUEUE" and "CONNECT" in words and any("TRANSFER" in word for word in words), words


def test_a_registered_agent_calls_another(engine: Engine, phones: tuple[Baresip, Baresip, Baresip]) -> None:
    _, first, second = phones
    place = first.dial("201")
    second.wait_event("CALL_INCOMING")
    second.command("accept")
    first.wait_event("CALL_ESTABLISHED", after=place)
    time.sleep(0.8)
    assert hears(first, SECOND) >= 0.6 and hears(second, FIRST) >= 0.6
    second.command("hangup")
    first.wait_event("CALL_CLOSED")


def test_echo_milliwatt_and_music(engine: Engine, phones: tuple[Baresip, Baresip, Baresip]) -> None:
    caller, _, _ = phones
    caller.wait_event("CALL_ESTABLISHED", after=caller.dial("9196"))
    time.sleep(0.8)
    assert hears(caller, CALLER, 2.5) >= 0.6, "no echo"
    caller.command("hangup")
    caller.wait_event("CALL_ESTABLISHED", after=caller.dial("9197"))
    time.sleep(0.8)
    place = caller.mark()
    time.sleep(1.5)
    assert listening.has_tone(caller.heard()[place:], 1000, share=0.9) > 1.0
    caller.command("hangup")
    caller.wait_event("CALL_ESTABLISHED", after=caller.dial("9664"))
    time.sleep(3)
    assert listening.loud_seconds(caller.heard()[-16_000:]) > 0.5
    caller.command("hangup")
