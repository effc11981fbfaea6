"""A call's words in a whole Switch: wished, answered, late, never, sensitive, journaled under its key, and let go."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import hearing
from engine.call.effects import Resumed
from engine.call.listening import SpeechDone, SpeechStarted
from engine.dialplan.recording_model import RecordingModel, RecordingRule
from engine.dialplan.utterance_model import ANNOUNCED, UtteranceRule
from engine.sim.world import World
from engine.speech.utterance import FAILED, MATCH, NO_MATCH, Heard, Utterance
from engine.switch import Switch
from tests.call.calls import over, ring, world
from tests.scenarios.sites import busy_site

PLAN = """
ringdown: 1
person: desk
variables: {day: date, code: digits 4 sensitive}
phrases:
  told: [the news, what is new]
flows:
  main:
    - answer
    - menu: {prompt: welcome, listen: [keys, speech], timeout: 2s, tries: 2, choices: {1: told}, failed: desk}
  told:
    - gather: {into: code, listen: [keys, speech], prompt: goodbye, failed: desk}
    - when:
        - if: code = '1234'
          then: desk
    - hangup: told
  desk:
    - hangup: desk
"""
SITE = busy_site(dialplans__echo=PLAN)
READINGS = (Heard("the news", "told", {}, 0.9), Heard("the muse", "told", {}, 0.3))
NEWS = Utterance(MATCH, READINGS, 200, 900, 1_150, True, "own")


def asked() -> tuple[World, object]:
    w = world(SITE, law9=True)
    w.watched = True
    caller = ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(w.listening), 2_000)
    return w, caller


def wish(w: World):  # type: ignore[no-untyped-def]
    return next(iter(w.listening.values()))


def test_it_is_wished_with_the_leg_and_the_prompt_stops_when_he_speaks() -> None:
    w, caller = asked()
    wanted = wish(w)
    row = w.row(caller)  # type: ignore[arg-type]
    assert w.media.rows[wanted.row] is row and wanted.generation == row.generation
    assert wanted.listening.grammar in SITE.grammars and wanted.tenant == "default"
    assert w.hears(caller) == "en/welcome"  # type: ignore[arg-type]
    w.give(SpeechStarted(wanted.call, wanted.ticket, 120))
    assert w.hears(caller) == "silence"  # type: ignore[arg-type]
    w.speak(wanted, NEWS, ms=700)
    event = w.last("speech.heard")
    assert event.data == {
        "step": "main/menu(welcome)", "grammar": wanted.listening.grammar, "language": "en", "result": "match",
        "text": "the news", "intent": "told", "slots": "", "confidence": 90, "alternatives": "the muse 30",
        "speech_ms": 700, "answer_ms": 250, "barged_in": True, "engine": "own", "detail": "",
        "dialplan": "default/echo", "audio": "", "lists": "",
    }  # fmt: skip
    assert wish(w).ticket != wanted.ticket  # the next step listens


TOWNS = """
ringdown: 1
person: desk
variables: {towns: 'text = Bath Spa|York', town: text}
flows:
  main:
    - answer
    - gather: {into: town, one_of: $towns, listen: [keys, speech], prompt: welcome, failed: desk}
    - hangup: served
  desk:
    - hangup: desk
"""


@pytest.mark.parametrize(("most", "kept"), [(hearing.LISTS_MAX, '{"town":["bath spa","york"]}'), (10, "")])
def test_what_only_this_call_listened_for_is_recorded_whole_or_not_at_all(
    most: int, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "LISTS_MAX", most)
    w = world(busy_site(dialplans__echo=TOWNS))
    w.watched = True
    ring(w, "9196", "5551234")
    assert w.run_until(lambda: bool(w.listening), 2_000)
    w.speak(wish(w), Utterance(MATCH, (Heard("york", "", {"town": "york"}, 0.9),), 200, 900, 1_150), ms=700)
    assert w.last("speech.heard").data["lists"] == kept


def test_of_a_sensitive_step_not_a_word_is_kept() -> None:
    w, _ = asked()
    w.speak(wish(w), NEWS)
    wanted = wish(w)
    assert wanted.listening.sensitive
    w.speak(wanted, Utterance(MATCH, (Heard("one two three four", "", {"code": "1234"}, 0.9),), 0, 900, 1_000))
    text = msgspec.json.encode([each.data for each in w.events]).decode()
    assert "1234" not in text.replace("5551234", "") and "one two" not in text
    assert w.last("speech.heard").data["slots"] == "code=····"
    assert over(w).data["outcome"] == "desk"


def test_what_he_says_is_sealed_under_his_call() -> None:
    w, _ = asked()
    wanted = wish(w)
    assert w.switch.seal_for(SpeechDone(wanted.call, wanted.ticket, NEWS)) == f"call {wanted.name}"
    assert w.switch.seal_for(SpeechStarted(wanted.call, wanted.ticket, 1)) is None
    back = msgspec.msgpack.decode(msgspec.msgpack.encode(SpeechDone(1, 2, NEWS)), type=SpeechDone)
    assert back.utterance == NEWS


def test_late_and_foreign_answers_do_nothing() -> None:
    w, _ = asked()
    wanted = wish(w)
    for event in (SpeechDone(wanted.call, wanted.ticket + 1, NEWS), SpeechDone(999, wanted.ticket, NEWS),
                  SpeechStarted(wanted.call, wanted.ticket - 1, 1), SpeechStarted(999, 1, 1)):
        assert w.give(event) == []
    w.press(next(iter(w.phones.values())), "7")  # a key: nobody listens to this wish any more
    assert w.listening == {} or wish(w).ticket != wanted.ticket
    before = w.kinds().count("speech.heard")
    w.give(SpeechDone(wanted.call, wanted.ticket, NEWS))
    assert w.kinds().count("speech.heard") == before


def test_a_recogniser_that_dies_costs_one_more_prompt() -> None:
    w, caller = asked()
    w.speak(wish(w), Utterance(FAILED, detail="killed", engine="own"), ms=500)
    assert w.run_until(lambda: w.hears(caller) != "silence", 1_000)  # type: ignore[arg-type]
    assert w.last("speech.heard").data["detail"] == "killed"
    assert any("recogniser own: killed" in line.text for line in w.logs)
    w.speak(wish(w), NEWS)
    assert w.last("call.step").data["text"].startswith("dialplans/echo.yaml")


def test_a_caller_who_never_speaks_and_one_who_is_never_understood_reach_somebody() -> None:
    for result in ("", NO_MATCH):
        w, _ = asked()
        for _ in range(2 if result else 0):
            w.speak(wish(w), Utterance(result), ms=300)
        assert over(w).data["outcome"] == "desk"
        assert w.listening == {}


def test_a_recogniser_that_says_nothing_after_the_beginning_holds_nobody() -> None:
    w, _ = asked()
    for _ in range(2):
        if w.listening:
            w.give(SpeechStarted(wish(w).call, wish(w).ticket, 50))
        w.run(19_000)
    assert over(w).data["outcome"] == "desk"


@pytest.mark.parametrize("way", ["caller", "operator", "transfer"])
def test_nobody_listens_to_a_call_that_is_over_or_elsewhere(way: str) -> None:
    w, caller = asked()
    wanted = wish(w)
    if way == "caller":
        caller.hang_up(w.now_ms)  # type: ignore[attr-defined]
        w.run(200)
    elif way == "operator":
        assert w.operate("call.hangup", call=wanted.name).ok
    else:
        assert w.operate("call.transfer", call=wanted.name, to="9664").ok
    assert w.listening == {}
    w.give(SpeechDone(wanted.call, wanted.ticket, NEWS))
    assert "speech.heard" not in w.kinds()


def test_after_the_engine_was_away_he_is_asked_again() -> None:
    w, _ = asked()
    wanted = wish(w)
    w.switch = Switch.decode(w.switch.encode())
    w.listening.clear()  # with the engine went its recogniser
    w.give(Resumed(2_000, "crash", 60_000))
    assert w.run_until(lambda: bool(w.listening), 30_000) and wish(w).ticket > wanted.ticket
    w.speak(wish(w), NEWS)
    assert w.last("speech.heard").data["intent"] == "told"


def kept_world(consent: str = ANNOUNCED) -> tuple[World, object]:
    site = busy_site(dialplans__echo=PLAN)
    utterances = UtteranceRule(consent)
    rule = RecordingModel(RecordingRule({"en": ("en/welcome",)}, "*"), utterances=utterances)
    tenant = msgspec.structs.replace(site.tenants["default"], recording=rule)
    w = world(msgspec.structs.replace(site, tenants={**site.tenants, "default": tenant}), law9=True)
    w.watched = True
    return w, ring(w, "9196", "5551234")


def test_who_was_told_is_kept_and_of_a_secret_nothing_is() -> None:
    w, _ = kept_world()
    assert w.run_until(lambda: bool(w.listening), 60_000)
    assert w.kinds().index("recording.told") and w.last("recording.told").data["result"] == "told"
    wanted = wish(w)
    assert wanted.keep.startswith(f"utterances/default/{wanted.name}-") and wanted.keep.endswith(".wav")
    w.speak(wanted, NEWS)
    assert w.last("speech.heard").data["audio"] == wanted.keep
    secret = wish(w)
    assert secret.listening.sensitive and secret.keep == ""
    w.speak(secret, Utterance(MATCH, (Heard("one two three four", "", {"code": "1234"}, 0.9),), 0, 900, 1_000))
    assert w.last("speech.heard").data["audio"] == ""


def test_silence_is_no_sound_of_his() -> None:
    w, _ = kept_world()
    assert w.run_until(lambda: bool(w.listening), 60_000)
    w.speak(wish(w), Utterance(NO_MATCH))
    assert w.last("speech.heard").data["audio"] == ""


def test_who_refuses_is_not_kept() -> None:
    w, caller = kept_world()
    assert w.run_until(lambda: w.hears(caller) == "en/welcome", 60_000)  # type: ignore[arg-type]
    w.press(caller, "*")  # type: ignore[arg-type]
    assert w.run_until(lambda: bool(w.listening), 60_000)
    assert w.last("recording.told").data["result"] == "declined"
    assert wish(w).keep == ""


def test_consent_that_was_given_elsewhere_ends_when_he_refuses_to_be_recorded() -> None:
    w, _ = kept_world("their contract says so")
    assert w.run_until(lambda: bool(w.listening), 60_000)
    first = wish(w)
    assert first.keep
    next(iter(w.switch.room.calls.values())).consent = "declined"  # as a later announcement of a recording leaves it
    w.speak(first, Utterance(NO_MATCH))
    assert w.run_until(lambda: bool(w.listening) and wish(w).ticket != first.ticket, 60_000)
    assert wish(w).keep == ""
