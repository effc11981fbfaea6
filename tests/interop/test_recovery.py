"""Calls outlive the engine: killed by SIGKILL or replaced by `ringdown restart`, with the sound before and after."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.desks import desk, sipp_desk
from harness.phone import Phone
from harness.rtp import Ear
from harness.server import ROOT, Engine

from tools.load import wire

AUDIBLE_S = 2.0  # from the new process's start to sound on a leg that heard some
CALLER, AGENT = listening.chirps(201, 90), listening.chirps(202, 90)
NUMBERS = """\
  8700: {dialplan: interop, entry: support, public: yes}
  8701: {dialplan: interop, entry: keep}
  8702: {dialplan: interop, entry: ask, public: yes}
"""
DIALPLAN = """\
ringdown: 1
about: 8700 is the support queue with nothing but music; 8701 records ten seconds of the caller; 8702 asks for a key.
entry: support

flows:
  support:
    - answer
    - queue: {name: support, full: over, no_agents: over, timeout: over}
    - hangup: served
  keep:
    - answer
    - record: {max: 10s}
    - hangup: served
  ask:
    - answer
    - menu: {prompt: goodbye, timeout: 4s, tries: 5, choices: {1: support}, failed: over}
  over:
    - hangup: {outcome: failed, cause: 17}
"""


@pytest.fixture
def lasting() -> Iterator[Engine]:
    """An engine of its own for each test: it is going to be killed."""
    edits = {"queues.yaml": ("wrap_up: 10s", "wrap_up: 1s"), "site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS)}
    with Engine(edits=edits, extra=DIALPLAN) as running:
        yield running


def outage(engine: Engine) -> float:
    """SIGKILL and a new process; when that one was started."""
    engine.kill()
    time.sleep(0.3)
    began = time.monotonic()
    engine.start()
    return began


def upgrade(engine: Engine) -> float:
    """`ringdown restart`; when the old program made way (its child compiles first, under running calls)."""
    done = engine.command("restart", "--json", seconds=240)
    assert done.returncode == 0, done.stdout + done.stderr
    import json

    return time.monotonic() - float(json.loads(done.stdout)["seconds"])


WAYS = pytest.mark.parametrize("away", [outage, upgrade])


def audible_s(engine: Engine) -> float:
    """The bound on this machine now: 2 s; more only where the start itself took longer than that, since another
    program had the processor (the soak holds the median of twenty to it)."""
    return max(AUDIBLE_S, 1.5 * engine.first_ready_s + 0.5, engine.ready_s + 0.5)


def first_packet_after(ear: Ear, moment: float) -> float:
    """Seconds from `moment` to the first packet heard after it."""
    def heard() -> float | None:
        return next((packet.at for packet in list(ear.packets) if packet.at > moment), None)

    at = until(heard, 5, what="sound after the outage")
    assert isinstance(at, float)
    return at - moment


def lately(ear: Ear, samples: int = 8_000) -> listening.Samples:
    """The newest of what was heard (`heard` ends with half a second of padding)."""
    return ear.heard()[-samples - 4_000 : -4_000]


def hears(phone: Baresip, sound: listening.Samples, seconds: float = 2.5) -> float:
    place = phone.mark()
    time.sleep(seconds)
    return share_of(phone.heard()[place:], sound)


def share_of(heard: listening.Samples, sound: listening.Samples) -> float:
    """How much of what was heard is `sound`, by half seconds."""
    cuts = [heard[i : i + 4000] for i in range(0, heard.size - 3999, 4000)]
    return sum(listening.align(cut, sound).score > 0.9 for cut in cuts) / max(1, len(cuts))


@WAYS
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_caller_and_agent_go_on_talking(lasting: Engine, tmp_path: Path, away: object, transport: str) -> None:
    """Two softphones that we did not write; the agent's over UDP and over TCP."""
    words = lasting.passwords()
    with (
        Baresip(tmp_path, lasting.address, "stranger", microphone=CALLER, register=False) as caller,
        Baresip(tmp_path, lasting.address, "200", words["200"], microphone=AGENT, transport=transport) as agent,
    ):
        agent.registered()
        lasting.login("200")
        caller.wait_event("CALL_ESTABLISHED", after=caller.dial("8700"))
        agent.wait_event("CALL_INCOMING", 8)
        agent.command("accept")
        agent.wait_event("CALL_ESTABLISHED")
        time.sleep(3)  # the whisper
        assert hears(agent, CALLER) >= 0.6 and hears(caller, AGENT) >= 0.6
        before = lasting.ask("calls")
        away(lasting)  # type: ignore[operator]
        time.sleep(0.7)
        assert hears(agent, CALLER) >= 0.6, "the agent doesn't hear the caller any more"
        assert hears(caller, AGENT) >= 0.6, "the caller doesn't hear the agent any more"
        after = lasting.ask("calls")
        assert [row["call"] for row in after] == [row["call"] for row in before]
        assert lasting.agent_state("200") not in ("ready", "logged_out")
        caller.command("hangup")
        agent.wait_event("CALL_CLOSED", 8)
        lasting.wait_agent("200", "ready", "wrap_up", seconds=8)
    lasting.wait_idle()
    row = lasting.last_call(dialled="8700")
    assert row["outcome"] == "served" and row["talked_ms"] > 8_000 and row["ended_by"] == "caller"
    kinds = lasting.kinds(row["call"])
    assert kinds.count("call.started") == kinds.count("call.ended") == 1 and "call.resumed" in kinds
    numbers = [event["n"] for event in lasting.events()]
    assert numbers == list(range(1, len(numbers) + 1)), "the event stream has a gap or a double"
    log = [line[4] for line in lasting.queue_log() if line[1] == row["call"]]
    assert log == ["ENTERQUEUE", "CONNECT", "COMPLETECALLER"], log


@WAYS
def test_places_in_the_queue_stay_and_music_goes_on(lasting: Engine, away: object) -> None:
    with Ear() as one, Ear() as two, desk(lasting, "201") as agent:
        lasting.ask("agent.not_ready", agent="default/201", reason="break")
        with lasting.phone("first", secret=False) as first, lasting.phone("second", secret=False) as second:
            calls = []
            for phone, ear in ((first, one), (second, two)):
                placed = phone.call("8700", media=ear.port)
                ear.start(placed.media.host, placed.media.port)
                calls.append(placed)
            time.sleep(2)
            before = [(row["call"], row["queue"], row["position"]) for row in lasting.ask("calls")]
            assert [row[2] for row in before] == [1, 2]
            began = away(lasting)  # type: ignore[operator]
            gaps = [first_packet_after(ear, began) for ear in (one, two)]
            assert max(gaps) < audible_s(lasting), gaps
            assert [(row["call"], row["queue"], row["position"]) for row in lasting.ask("calls")] == before
            time.sleep(1.5)
            for ear in (one, two):
                assert ear.timeline_faults() == []
                assert listening.loud_seconds(lately(ear)) > 0.5, "no music after the outage"
            assert lasting.agent_state("201") == "not_ready"
            lasting.ask("agent.ready", agent="default/201")
            offered = agent.wait_call()
            assert "first" in offered.invite.get("from"), "the place at the head was lost"
            offered.answer()
            calls[0].bye()
            offered.expect_bye()
            calls[1].bye()
    lasting.wait_idle(8)
    waited = {row["caller"]: row["waited_ms"] for row in lasting.rows("SELECT * FROM calls")}
    assert min(waited.values()) > 4_000, waited  # the outage counts: the caller did wait


@WAYS
def test_a_menu_goes_on_at_its_step(lasting: Engine, away: object) -> None:
    """The greeting continues where it broke off, and a key takes the caller on."""
    with Ear() as ear, lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("100", media=ear.port)
        ear.start(placed.media.host, placed.media.port)
        time.sleep(1.2)
        began = away(lasting)  # type: ignore[operator]
        assert first_packet_after(ear, began) < audible_s(lasting)
        time.sleep(6)
        assert ear.timeline_faults() == []
        folders = (ROOT / "prompts" / "en", ROOT / "dialplans" / "demo" / "prompts" / "en")
        prompts = {file.stem: listening.read_wav(file) for folder in folders for file in sorted(folder.glob("*.wav"))}
        known = [name for _, name in listening.which_prompts(ear.heard(), prompts, score=0.6)]
        assert known.count("welcome") == 1, f"the greeting was to be heard once: {known}"
        ear.press("1")
        until(lambda: any(row["queue"] for row in lasting.ask("calls")), 5, what="key 1 leads to the queue")
        placed.bye()
    lasting.wait_idle(8)


@pytest.mark.parametrize(("spoken_s", "least_ms", "most_ms", "store"), [
    (1.5, 1_000, 4_200, True),  # the menu has waited for about a second: three are left
    (1.5, 1_000, 4_200, False),  # and there is trouble to tell as soon as it starts
    (0.3, 3_900, 5_600, True),  # half of its prompt is left, and all of the wait
])
def test_a_menus_patience_is_not_used_up_by_an_outage(
    lasting: Engine, spoken_s: float, least_ms: int, most_ms: int, store: bool
) -> None:
    """The engine stays away for longer than the menu waits: it asks again after what was left, no sooner or later."""
    with Ear() as ear, lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("8702", media=ear.port)
        ear.start(placed.media.host, placed.media.port)
        time.sleep(spoken_s)
        lasting.kill()
        path, aside = lasting.data / "ringdown.db", lasting.data / "aside"
        if not store:
            path.rename(aside)
            path.mkdir()
        time.sleep(5)
        lasting.start()
        call = lasting.ask("calls")[0]["call"]
        if not store:
            assert "record store: spooling" in lasting.output()
            path.rmdir()
            aside.rename(path)
        until(lambda: lasting.kinds(call).count("call.prompt") == 2, 20, what="the menu asks again")
        placed.bye()
    lasting.wait_idle(8)
    events = lasting.events(call)
    told = [(each["kind"], each["now_ms"]) for each in events if each["kind"] in ("call.resumed", "call.prompt")]
    assert [kind for kind, _ in told] == ["call.prompt", "call.resumed", "call.prompt"]
    (_, back), (_, again) = told[1:]
    assert least_ms < again - back < most_ms, [(each["kind"], each["now_ms"]) for each in events]


@WAYS
def test_sipp_as_the_agent_goes_on_echoing(lasting: Engine, tmp_path: Path, away: object) -> None:
    """SIPp sends back what it hears: the caller's own voice comes through the bridge before and after."""
    voice = listening.chirps(203, 60)
    with sipp_desk(lasting, "202", tmp_path, "uas_answer.xml", more=("-aa", "-rtp_echo"), seconds=60) as sipp:
        with Ear() as ear, lasting.phone("stranger", secret=False) as phone:
            placed = phone.call("8700", media=ear.port)
            ear.start(placed.media.host, placed.media.port)
            ear.play(voice)
            time.sleep(4)
            assert share_of(lately(ear, 16_000), voice) >= 0.6
            began = away(lasting)  # type: ignore[operator]
            assert first_packet_after(ear, began) < audible_s(lasting)
            time.sleep(3)
            assert share_of(lately(ear, 16_000), voice) >= 0.6
            assert ear.timeline_faults() == []
            assert placed.bye().status == 200
        sipp.wait().check()
    lasting.wait_idle(8)


def test_a_ringing_agent_may_answer_afterwards(lasting: Engine) -> None:
    with Ear() as ear, desk(lasting, "201") as agent, lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("8700", media=ear.port)
        offered = agent.wait_call()
        offered.ring()
        time.sleep(0.3)
        outage(lasting)
        offered.answer()
        until(lambda: lasting.agent_state("201") not in ("ready", "reserved", "ringing"), 4, what="201 talks")
        placed.bye()
        offered.expect_bye()
    lasting.wait_idle(8)
    assert "queue.connected" in lasting.kinds(lasting.last_call(dialled="8700")["call"])


def test_a_caller_who_hangs_up_meanwhile_frees_everybody(lasting: Engine) -> None:
    """His BYE finds nobody and is repeated (RFC 3261 §17.1.2): the new process answers it."""
    with desk(lasting, "201") as agent, lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("8700")
        offered = agent.wait_call()
        offered.answer()
        time.sleep(0.3)
        lasting.kill()
        placed.request("BYE")
        sent = phone.sent[-1]
        time.sleep(0.3)
        lasting.start()
        phone.send(sent)  # what timer E does
        assert placed.expect(200, 481, method="BYE").status == 200
        offered.expect_bye()
        lasting.wait_agent("201", "ready", "wrap_up", seconds=8)
    lasting.wait_idle(8)


def test_an_answer_given_a_moment_before_the_kill_is_not_lost(lasting: Engine) -> None:
    """What was decided since the journal's last batch (200 ms) lies in the write-ahead file."""
    with lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("9100")
        lasting.kill()
        time.sleep(0.2)
        lasting.start()
        assert [row["dialled"] for row in lasting.ask("calls")] == ["9100"]
        assert placed.bye().status == 200
    lasting.wait_idle(8)


def test_registrations_stay(lasting: Engine) -> None:
    with desk(lasting, "201") as agent, lasting.phone("stranger", secret=False) as phone:
        outage(lasting)
        assert lasting.agent_state("201") == "ready"
        placed = phone.call("8700")
        offered = agent.wait_call()  # without a new REGISTER
        offered.answer()
        placed.bye()
        offered.expect_bye()
    lasting.wait_idle(8)


def test_a_held_caller_stays_held(lasting: Engine) -> None:
    with Ear() as ear, desk(lasting, "201") as agent, lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("8700", media=ear.port)
        ear.start(placed.media.host, placed.media.port)
        offered = agent.wait_call()
        offered.answer()
        time.sleep(3)
        assert offered.offer(hold_of(agent)).status == 200
        began = outage(lasting)
        assert first_packet_after(ear, began) < audible_s(lasting)
        time.sleep(1.5)
        assert listening.loud_seconds(lately(ear)) > 0.4, "no music for the held caller"
        placed.bye()
        offered.expect_bye()
    lasting.wait_idle(8)
    assert lasting.last_call(dialled="8700")["held_ms"] > 1_500


def hold_of(phone: Phone) -> str:
    """An offer that puts the other side on hold (RFC 3264 §8.4)."""
    return (
        f"v=0\r\no=- 1 2 IN IP4 {phone.host}\r\ns=-\r\nc=IN IP4 {phone.host}\r\nt=0 0\r\n"
        "m=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
    )


def test_a_port_that_was_taken_meanwhile_moves_the_leg(lasting: Engine) -> None:
    """Somebody binds the caller's RTP port while the engine is away: he is told the new one by re-INVITE."""
    with Ear() as ear, lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("9664", media=ear.port)
        ear.start(placed.media.host, placed.media.port)
        time.sleep(0.6)
        lasting.kill()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.bind(("127.0.0.1", placed.media.port))
            began = time.monotonic()
            lasting.start()
            again = placed.expect("INVITE")
            there = wire.Media(again.body)
            assert there.port != placed.media.port
            answer = wire.offer(phone.host, ear.port, codecs=(0,), event=101)
            placed.reply(again, 200, "OK", headers=[phone.contact(), ("Content-Type", "application/sdp")], body=answer)
            placed.expect("ACK")
            ear.start(there.host, there.port)
            time.sleep(1.5)
            assert first_packet_after(ear, began) < audible_s(lasting) + 0.5 and ear.timeline_faults() == []
            assert listening.loud_seconds(lately(ear, 4_000)) > 0.3
            assert placed.bye().status == 200
    lasting.wait_idle(8)
    record = lasting.last_call(dialled="9664")
    assert record["outcome"] == "served" and "call.media" in lasting.kinds(record["call"])


def test_starts_that_are_refused_cost_no_call(lasting: Engine) -> None:
    """Two starts find the SIP port taken: that is no fault of the calls, and the third goes on with them."""
    with lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("9100")
        lasting.kill()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.bind(lasting.address)
            for _ in range(2):
                with pytest.raises(AssertionError, match="in use"):
                    lasting.start()
        lasting.start()
        assert [row["dialled"] for row in lasting.ask("calls")] == ["9100"]
        assert placed.bye().status == 200
    lasting.wait_idle(8)


def test_an_edit_with_errors_does_not_keep_calls_from_going_on(lasting: Engine) -> None:
    with lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("9100")
        time.sleep(0.4)
        lasting.kill()
        lasting.edit("queues.yaml", "strategy: longest-idle-agent", "strategy: whoever")
        lasting.start()
        assert "queues.yaml:2" in lasting.output() and "stays" in lasting.output()
        assert placed.bye().status == 200
        assert phone.call("9100").bye().status == 200  # the site of before serves new calls as well
    lasting.wait_idle(8)


def test_a_torn_checkpoint_costs_nothing_and_is_named(lasting: Engine) -> None:
    with lasting.phone("stranger", secret=False) as phone:
        placed = phone.call("9100")
        outage(lasting)  # the second file of this boot begins with a checkpoint
        time.sleep(0.5)
        lasting.kill()
        newest = max((lasting.data / "journal").glob("*.journal"), key=lambda path: path.name)
        data = bytearray(newest.read_bytes())
        data[900] ^= 0xFF  # inside the checkpoint
        newest.write_bytes(data)
        lasting.start()
        assert newest.name in lasting.output(), "the torn file was to be named"
        assert [row["dialled"] for row in lasting.ask("calls")] == ["9100"]
        assert placed.bye().status == 200
    lasting.wait_idle(8)


def test_without_a_readable_journal_records_are_closed(lasting: Engine) -> None:
    with lasting.phone("stranger", secret=False) as phone:
        phone.call("9100")
        time.sleep(0.5)
        lasting.kill()
        for path in (lasting.data / "journal").glob("*.journal"):
            path.write_bytes(b"not a journal")
        lasting.start()
        row = until(lambda: lasting.rows("SELECT * FROM calls"), 5, what="the closed record")[0]  # type: ignore[index]
        assert row["outcome"] == "lost" and row["ended_by"] == "system"
        assert phone.call("9100").bye().status == 200  # and it serves on


def test_a_recording_goes_on_in_its_file(lasting: Engine) -> None:
    with Ear() as ear, desk(lasting, "202") as phone:
        placed = phone.call("8701", media=ear.port)
        ear.start(placed.media.host, placed.media.port)
        ear.play(listening.tone((440.0,), 90))
        time.sleep(3)
        began = time.monotonic()
        outage(lasting)
        away_s = time.monotonic() - began
        time.sleep(3)
        placed.bye()
    lasting.wait_idle(8)
    recordings = list((lasting.data / "recordings").rglob("*.wav"))
    assert len(recordings) == 1
    # it is closed behind the call, not in its way
    until(lambda: listening.read_wav(recordings[0], side=0).size > 6 * 8_000, 5, what="the whole file")
    heard = listening.read_wav(recordings[0], side=0)
    assert listening.has_tone(heard[:16_000], 440, share=0.8) > 1.0
    assert listening.has_tone(heard[-12_000:], 440, share=0.8) > 1.0
    assert heard.size / 8_000 < 7.5 + away_s, away_s
