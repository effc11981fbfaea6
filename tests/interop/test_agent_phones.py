"""Agents behind a trunk and on a line that stays up: SIPp is a voicemail, baresip the mobile and the line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.desks import desk
from harness.ports import free_port
from harness.rtp import Ear
from harness.server import DEMO, Engine
from harness.sipp import Sipp

HERTZ = {"caller": 400.0, "agent": 700.0}
TONES = {who: listening.tone((hertz,), 60, level=6_000) for who, hertz in HERTZ.items()}
LOUD, SILENT = 1_200.0, 250.0  # peaks of a tone that is heard at 6000, and of one that isn't
MOBILE = "447001"
AGENTS = f"""\
200: {{name: Ana, queues: {{support: 1}}, phone: {{number: '0{MOBILE}', confirm_in: 3s}}}}
201: {{name: Ben, queues: {{support: 2}}}}
202: {{name: Pam, queues: {{support: 1}}, phone: {{nailed_up: yes}}}}
"""
QUEUES = """\
support: {ring: 15s, wrap_up: 1s, misses: 2, rest: {no_answer: 2s}}
sales: {ring: 15s}
"""
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
NUMBERS = "  8700: {dialplan: interop, entry: support, public: yes}\n"


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, int]]:
    """The demo site with three agents, and a trunk to a port of ours: (engine, that port)."""
    port = free_port(pairs=True)
    site = tmp_path_factory.mktemp("floor") / "site"
    shutil.copytree(DEMO, site)
    (site / "agents.yaml").write_text(AGENTS)
    (site / "queues.yaml").write_text(QUEUES)
    (site / "trunks.yaml").write_text(f"carrier: {{host: 127.0.0.1, port: {port}, addresses: [127.0.0.99]}}\n")
    (site / "outbound.yaml").write_text("0x.: {trunk: carrier, strip: 1}\n")
    edits = {"site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS)}
    with Engine(site, edits=edits, extra=DIALPLAN) as running:
        yield running, port


def peak(samples: np.ndarray, who: str) -> float:
    """The level of this party's tone: the median over tenths of a second."""
    cuts = np.asarray(samples, float)[: len(samples) // 800 * 800].reshape(-1, 800)
    wave = np.exp(-2j * np.pi * HERTZ[who] * np.arange(800) / listening.RATE)
    return float(np.median(np.abs(cuts @ wave))) / 400 if len(cuts) else 0.0


def at_ear(ear: Ear) -> Callable[[], np.ndarray]:
    return lambda: ear.heard(since=time.monotonic() - 1.3)[:-4_000]  # `heard` ends with padding


def at_phone(phone: Baresip) -> Callable[[], np.ndarray]:
    return lambda: phone.heard()[-round(0.8 * listening.RATE) :]


def hears(take: Callable[[], np.ndarray], who: str, *, wanted: bool = True, seconds: float = 8) -> None:
    """Within some seconds this ear hears that party (or, not `wanted`, hears it no more)."""

    def so() -> bool:
        return peak(take(), who) > LOUD if wanted else peak(take(), who) < SILENT

    until(so, seconds, what=f"{who} {'heard' if wanted else 'not heard'}")


def reasons(engine: Engine, agent: str) -> list[str]:
    return [
        str(each["data"]["reason"]) for each in engine.events()
        if each["kind"] == "queue.offer_ended" and each["data"]["agent"] == f"default/{agent}"
    ]  # fmt: skip


def test_a_voicemail_gets_no_caller_and_the_next_agent_does(floor: tuple[Engine, int], tmp_path: Path) -> None:
    """SIPp answers for the mobile and says nothing: BYE after the time for the key, and the desk phone rings."""
    engine, port = floor
    with desk(engine, "201") as agent, Sipp(tmp_path, "uas_answer.xml", port=port, seconds=20) as voicemail:
        time.sleep(0.3)
        engine.login("200")
        engine.wait_agent("200", "ready")
        with engine.phone("stranger", secret=False) as caller, Ear() as ear:
            dialog = caller.call("8700", media=ear.port)
            ear.start(dialog.media.host, dialog.media.port)
            engine.wait_agent("200", "alerting")
            time.sleep(2)
            assert engine.agent_state("200") == "alerting" and engine.agent_state("201") == "ready"
            offer = agent.wait_call(8)
            voicemail.wait(10).check()  # it has got its BYE
            offer.answer()
            engine.wait_agent("201", "talking")
            dialog.bye()
            offer.expect_bye()
        engine.logout("200")
    engine.wait_idle(8)
    until(lambda: reasons(engine, "200") == ["no_answer"], 5, what="the miss on record")
    assert engine.last_call(dialled="8700")["outcome"] == "served"


def test_a_mobile_takes_the_call_by_key_and_both_hear_each_other(floor: tuple[Engine, int], tmp_path: Path) -> None:
    """baresip answers at once; its person hears the question and presses 1 (RFC 4733)."""
    engine, port = floor
    tone = TONES["agent"]
    with Baresip(
        tmp_path, ("127.0.0.1", engine.port), MOBILE, microphone=tone, auto_answer=True, register=False, port=port
    ) as mobile:  # fmt: skip
        engine.login("200")
        engine.wait_agent("200", "ready")
        with engine.phone("stranger", secret=False) as caller, Ear() as ear:
            ear.play(TONES["caller"])
            dialog = caller.call("8700", media=ear.port)
            ear.start(dialog.media.host, dialog.media.port)
            mobile.wait_event("CALL_ESTABLISHED", 8)
            time.sleep(1)
            assert engine.agent_state("200") == "alerting"
            hears(at_ear(ear), "agent", wanted=False)  # the caller hears his music, not the mobile
            mobile.press("1")
            engine.wait_agent("200", "talking")
            hears(at_ear(ear), "agent")
            hears(at_phone(mobile), "caller")
            dialog.bye()
            mobile.wait_event("CALL_CLOSED", 6)
        engine.logout("200")
    engine.wait_idle(8)
    row = engine.last_call(dialled="8700")
    assert row["outcome"] == "served" and "agent 200" in row["path"], row


def test_two_callers_on_one_line_that_stays_up_and_over_a_crash(floor: tuple[Engine, int], tmp_path: Path) -> None:
    """baresip dials *59 once; two callers, the engine killed between them, and not one INVITE to it."""
    engine, _ = floor
    words = engine.passwords()
    with Baresip(tmp_path, engine.address, "202", words["202"], microphone=TONES["agent"]) as phone:
        phone.registered()
        place = phone.dial("*59")
        phone.wait_event("CALL_ESTABLISHED", 8, after=place)
        engine.wait_agent("202", "ready")
        until(lambda: engine.agent("202")["reachable"], 3, what="202 can be reached")
        for turn in range(2):
            with engine.phone(f"stranger{turn}", secret=False) as caller, Ear(ssrc=turn + 1) as ear:
                ear.play(TONES["caller"])
                dialog = caller.call("8700", media=ear.port)
                ear.start(dialog.media.host, dialog.media.port)
                engine.wait_agent("202", "talking", seconds=8)
                hears(at_ear(ear), "agent")
                hears(at_phone(phone), "caller")
                dialog.bye()
            engine.wait_agent("202", "ready", seconds=8)
            hears(at_phone(phone), "caller", wanted=False)
            if turn == 0:
                engine.kill()
                time.sleep(0.3)
                engine.start()
                assert engine.agent("202")["reachable"]
        kinds = [str(event.get("type")) for event in phone.events[place:]]
        assert "CALL_INCOMING" not in kinds and "CALL_CLOSED" not in kinds and kinds.count("CALL_ESTABLISHED") == 1
        phone.command("hangup")
        until(lambda: not engine.agent("202")["reachable"], 5, what="202 can't be reached")
        engine.logout("202")
    engine.wait_idle(8)
    assert engine.last_call(dialled="*59")["path"] == "nailed up"
