"""record as an interpreter's step: start, stop, pause, resume, and the announcement before anything is recorded."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import DialEnded, DialOut, Hangup, JoinQueue, QueueEnded, StartRecord, StopRecord
from engine.dialplan.people_actions import PauseRecord, RecordingTold, TellRecording
from tests.dialplan.site import Caller, site_of

HEAD = "ringdown: 1\nflows:\n  main:\n    - answer\n"
SITE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\nrecording:\n  incoming: {announce: hello, opt_out: star}\n"
QUEUE = "    - queue: {name: support, full: bye, no_agents: bye, timeout: bye}\n    - hangup: served\n"
BYE = "  bye:\n    - hangup: failed\n"


def caller(steps: str, *, site: str = SITE, record: str = "yes") -> Caller:
    queues = f"support: {{record: {record}, skills: [power]}}\n"
    made = Caller(site_of(HEAD + steps, site=site, queues=queues))
    made.answered()
    return made


def test_the_call_is_recorded_paused_and_stopped() -> None:
    steps = "".join(f"    - record: {word}\n" for word in ("start", "pause", "resume", "stop"))
    c = caller(steps + "    - hangup: served\n", site="ringdown: 1\nlanguages: [en]\n")
    found = [each for each in c.last if isinstance(each, StartRecord | StopRecord | PauseRecord)]
    assert found == [StartRecord(0, 0, beep=False), PauseRecord(True), PauseRecord(False), StopRecord()]


@pytest.mark.parametrize(("result", "starts"), [("told", 1), ("declined", 0), ("none", 1)])
def test_record_start_tells_first_and_heeds_a_refusal(result: str, starts: int) -> None:
    c = caller("    - record: start\n    - hangup: served\n")
    assert c.one(TellRecording) == TellRecording(2, ("en/hello",), "*")
    c.tell(RecordingTold(2, result))
    assert c.kinds().count("StartRecord") == starts and c.one(Hangup)


def test_a_recorded_queue_tells_before_he_waits_and_only_once_in_a_call() -> None:
    c = caller(QUEUE.replace("full: bye", "full: again_").replace("    - hangup", "    - goto: again_\n    - hangup", 1)
               .replace("    - hangup: served\n", "") + "  again_:\n" + QUEUE + BYE)
    assert c.one(TellRecording).clips == ("en/hello",)  # type: ignore[attr-defined]
    c.tell(RecordingTold(c.run.ticket, "told"))
    assert c.one(JoinQueue)
    c.tell(QueueEnded(c.run.ticket, "full"))
    assert c.kinds() == ["JoinQueue"]


def test_who_could_not_be_told_now_is_told_at_the_next_step() -> None:
    c = caller("    - dial: {to: 200, record: yes, failed: bye}\n" + QUEUE + BYE)
    c.tell(RecordingTold(c.run.ticket, "none"))
    assert c.one(DialOut).record  # type: ignore[attr-defined]
    c.tell(DialEnded(c.run.ticket, "served"))
    assert c.kinds() == ["TellRecording"]


def test_nothing_is_said_where_nothing_is_recorded() -> None:
    assert caller(QUEUE + BYE, record="no").kinds() == ["JoinQueue"]
    assert caller("    - dial: {to: 200, failed: bye}\n    - hangup: served\n" + BYE).kinds() == ["DialOut"]


def test_a_step_may_say_its_own_words_and_the_sites_beep_is_the_default() -> None:
    own = "    - record: {call: start, announce: choose, opt_out: 9}\n    - hangup: served\n"
    assert caller(own).one(TellRecording) == TellRecording(2, ("en/choose",), "9")
    beeps = SITE.replace("opt_out: star", "beep: yes")
    c = caller("    - record: start\n    - hangup: served\n", site=beeps)
    c.tell(RecordingTold(2, "told"))
    assert c.one(StartRecord) == StartRecord(0, 0, beep=True)
