"""Three ears: what caller, agent and supervisor hear while he listens, whispers, barges in, leaves, takes over.

Each says a tone of his own, and each ear is judged by its spectrum. The softphones are baresips: others wrote them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.desks import desk
from harness.rtp import Ear
from harness.server import Engine

HERTZ = {"caller": 400.0, "agent": 700.0, "boss": 1_100.0, "guest": 1_600.0}
TONES = {who: listening.tone((hertz,), 60, level=6_000) for who, hertz in HERTZ.items()}
LOUD, SILENT = 1_200.0, 250.0  # peaks of a tone that is heard at 6000, and of one that isn't
NUMBERS = "  8700: {dialplan: interop, entry: support, public: yes}\n"
DIALPLAN = """\
ringdown: 1
about: 8700 is the support queue with nothing but music.
entry: support

flows:
  support:
    - answer
    - queue: {name: support, full: over, no_agents: over, timeout: over}
    - hangup: served
  over:
    - hangup: {outcome: failed, cause: 17}
"""
LISTEN = {"caller": {"agent"}, "agent": {"caller"}, "boss": {"caller", "agent"}}
WHISPER = {"caller": {"agent"}, "agent": {"caller", "boss"}, "boss": {"caller", "agent"}}
BARGE = {"caller": {"agent", "boss"}, "agent": {"caller", "boss"}, "boss": {"caller", "agent"}}
THREE = {"caller": {"agent", "guest"}, "agent": {"caller", "guest"}, "guest": {"caller", "agent"}}


@pytest.fixture(scope="module")
def supervised() -> Iterator[Engine]:
    """The demo site; agent 207 supervises the queue `support`."""
    edits = {
        "queues.yaml": ("wrap_up: 10s", "wrap_up: 1s"), "site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS),
        "agents.yaml": ("207: {name: Hugo Silva,", "207: {name: Hugo Silva, supervises: [support],"),
    }
    with Engine(edits=edits, extra=DIALPLAN) as running:
        yield running


def peaks(samples: np.ndarray) -> dict[str, float]:
    """The peak of each party's tone: the median over tenths of a second, whole periods of every tone."""
    cuts = np.asarray(samples, float)[: len(samples) // 800 * 800].reshape(-1, 800)
    waves = {who: np.exp(-2j * np.pi * hertz * np.arange(800) / listening.RATE) for who, hertz in HERTZ.items()}
    return {who: float(np.median(np.abs(cuts @ wave))) / 400 if len(cuts) else 0.0 for who, wave in waves.items()}


Hear = Callable[[float], np.ndarray]


def soft_ear(phone: Baresip) -> Hear:
    def take(seconds: float) -> np.ndarray:
        return phone.heard()[-round(seconds * listening.RATE) :]

    return take


def wire_ear(ear: Ear) -> Hear:
    def take(seconds: float) -> np.ndarray:
        return ear.heard(since=time.monotonic() - seconds)[:-4_000]  # `heard` ends with padding

    return take


def expect(ears: dict[str, Hear], wanted: dict[str, set[str]], what: str, *, seconds: float = 0.8) -> None:
    """Within some seconds every ear hears those whom it should, and nothing of anybody else."""
    seen: dict[str, dict[str, float]] = {}

    def all_right() -> bool:
        seen.update({who: peaks(ears[who](seconds)) for who in wanted})
        return all(
            heard > LOUD if other in wanted[who] else heard < SILENT
            for who in wanted for other, heard in seen[who].items()
        )

    time.sleep(seconds)
    try:
        until(all_right, 6, every=0.1, what=what)
    except AssertionError:
        shown = {who: {other: round(peak) for other, peak in each.items()} for who, each in seen.items()}
        raise AssertionError(f"{what}: heard {shown}, wanted {wanted}") from None


def test_listen_whisper_barge_leave_and_take_over_on_three_softphones(supervised: Engine, tmp_path: Path) -> None:
    words = supervised.passwords()
    with (
        Baresip(tmp_path, supervised.address, "stranger", microphone=TONES["caller"], register=False) as caller,
        Baresip(tmp_path, supervised.address, "200", words["200"], microphone=TONES["agent"]) as agent,
        Baresip(tmp_path, supervised.address, "207", words["207"], microphone=TONES["boss"]) as boss,
    ):
        agent.registered()
        boss.registered()
        supervised.login("200")
        ears = {"caller": soft_ear(caller), "agent": soft_ear(agent), "boss": soft_ear(boss)}
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8700"))
        agent.wait_event("CALL_INCOMING", 8)
        agent.command("accept")
        agent.wait_event("CALL_ESTABLISHED")
        plain = {"caller": {"agent"}, "agent": {"caller"}}
        expect(ears, plain, "before the supervisor comes")
        boss.wait_event("CALL_ESTABLISHED", after=boss.dial("*57200"))
        expect(ears, LISTEN, "listen")
        for key, wanted in (("5", WHISPER), ("6", BARGE), ("4", LISTEN)):
            boss.press(key)
            expect(ears, wanted, f"after key {key}")
        place = len(boss.events)
        boss.press("*")
        boss.wait_event("CALL_CLOSED", after=place)
        expect(ears, plain, "after the supervisor has left")
        boss.wait_event("CALL_ESTABLISHED", after=boss.dial("*57200"))
        expect(ears, LISTEN, "listen again")
        place = len(agent.events)
        boss.press("7")
        agent.wait_event("CALL_CLOSED", after=place)
        expect(ears, {"caller": {"boss"}, "boss": {"caller"}}, "after the takeover")
        supervised.wait_agent("200", "wrap_up", "ready", seconds=5)
        caller.command("hangup")
        boss.wait_event("CALL_CLOSED", after=place)
    supervised.wait_idle(8)
    row = supervised.last_call(dialled="8700")
    assert row["outcome"] == "served" and row["ended_by"] == "caller"
    told = [(e["kind"], e["data"]["mode"]) for e in supervised.events(row["call"]) if "supervision" in e["kind"]]
    assert told == [
        ("supervision.started", "listen"), ("supervision.changed", "whisper"), ("supervision.changed", "barge"),
        ("supervision.changed", "listen"), ("supervision.ended", "listen"), ("supervision.started", "listen"),
        ("supervision.changed", "takeover"), ("supervision.ended", "takeover"),
    ]
    supervised.send_home()


def test_conference_and_supervision_by_command_over_a_crash(supervised: Engine) -> None:
    """Caller, agent and supervisor go on hearing what they heard when the engine is killed; one timeline a leg."""
    with (
        desk(supervised, "201") as agent, desk(supervised, "207", ready=False) as boss,
        desk(supervised, "202", ready=False) as guest,
        supervised.phone("stranger", secret=False) as caller, Ear(ssrc=1) as ear, Ear(ssrc=2) as agent_ear,
        Ear(ssrc=3) as boss_ear, Ear(ssrc=4) as guest_ear,
    ):
        taken = {"caller": ear, "agent": agent_ear, "boss": boss_ear, "guest": guest_ear}
        ears = {who: wire_ear(each) for who, each in taken.items()}
        for who, each in taken.items():
            each.play(TONES[who])
        call = caller.call("8700", media=ear.port)
        ear.start(call.media.host, call.media.port)
        there = agent.wait_call(8)
        there.answer(media=agent_ear.port)
        agent_ear.start(there.media.host, there.media.port)
        expect(ears, {"caller": {"agent"}, "agent": {"caller"}}, "the conversation")
        done = supervised.command("agent", "201", "barge", "--as", "207")
        assert done.returncode == 0 and "rings default/207" in done.stdout, done.stdout + done.stderr
        watching = boss.wait_call(8)
        watching.answer(media=boss_ear.port)
        boss_ear.start(watching.media.host, watching.media.port)
        expect(ears, BARGE, "barge by command")
        supervised.kill()
        time.sleep(0.3)
        supervised.start()
        expect(ears, BARGE, "after the crash")
        watching.bye()
        expect(ears, {"caller": {"agent"}, "agent": {"caller"}}, "after the supervisor hung up")
        done = supervised.command("call", "stranger", "conference", "--with", "202")
        assert done.returncode == 0, done.stdout + done.stderr
        third = guest.wait_call(8)
        third.answer(media=guest_ear.port)
        guest_ear.start(third.media.host, third.media.port)
        expect(ears, THREE, "conference")
        there.bye()
        expect(ears, {"caller": {"guest"}, "guest": {"caller"}}, "after the agent left")
        refused = supervised.command("agent", "201", "listen", "--as", "207")
        assert refused.returncode == 1 and "in no conversation" in refused.stderr, refused.stderr
        call.bye()
        third.expect_bye()
        assert ear.timeline_faults() == agent_ear.timeline_faults() == guest_ear.timeline_faults() == []
    supervised.wait_idle(8)
    row = supervised.last_call(dialled="8700")
    assert row["outcome"] == "served"
    assert "call.resumed" in supervised.kinds(row["call"])
