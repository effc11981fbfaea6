"""Words in a queue: they leave it at any time, over music too; what isn't understood changes nothing."""

from __future__ import annotations

import pytest

from engine.call.listening import SpeechDone, SpeechStarted
from engine.call.wait_hearing import failures_max
from engine.dialplan import corpus_places
from engine.dialplan.corpus import Said
from engine.sim.world import World
from engine.speech.matcher import Matcher
from engine.speech.utterance import FAILED, MATCH, NO_MATCH, Heard, Utterance
from tests.call.calls import agent, over, ring, world
from tests.call.waits import WAITS, waits_site

HEAD = WAITS.replace("{name: first,", "{name: first, waiting: hold,").replace(
    "flows:\n", "phrases: {back: [call me back, '[a] callback']}\nflows:\n", 1
)
QUEUES = "first: {ring: 10s}\nsecond: {ring: 10s}\nthird: {ring: 10s}\nannounced: {ring: 10s}\n"
HOLD = """
waits:
  hold:
    - menu: {prompt: try_again, listen: [keys, speech], choices: {1: back}, failed: continue}
    - music: 20s
    - play: please_hold
"""


def a_world(wait: str = HOLD, *, law9: bool = False) -> World:
    w = world(waits_site(waits=HEAD + wait, queues=QUEUES), law9=law9)
    w.watched = True
    return w


def wish(w: World):  # type: ignore[no-untyped-def]
    return next(iter(w.listening.values()))


def hears(w: World) -> bool:
    return any(call.hearing for call in w.switch.room.calls.values())


def waiting(w: World) -> bool:
    return any(call.waiting is not None for call in w.switch.room.calls.values())


def tell(w: World, result: str, intent: str = "", confidence: float = 0.9, detail: str = "") -> None:
    best = (Heard("call me back", intent, {}, confidence),) if intent else ()
    wanted = wish(w)
    w.give(SpeechStarted(wanted.call, wanted.ticket, 100))
    said = Utterance(result, best, 100, 900, 1_200, engine="own", detail=detail)
    w.give(SpeechDone(wanted.call, wanted.ticket, said))


@pytest.mark.parametrize("after_ms", [300, 5_000, 30_000, 70_000])
def test_words_leave_the_queue_at_any_time(after_ms: int) -> None:
    w = a_world(law9=True)
    caller = ring(w, "750")
    w.run(after_ms)
    assert waiting(w)
    listening = wish(w).listening
    assert listening.barge_in == "on" and listening.threshold == 0.7 and wish(w).ticket < 0
    grammar = w.switch.room.sites[w.switch.room.site].grammars[listening.grammar]
    site = w.switch.room.sites[w.switch.room.site]
    program = next(each for each in site.programs.values() if "hold" in each.waits)
    said = Said("", 1, 1, "wait hold", listening.grammar, "en")
    assert corpus_places.listening(program, said, "") == listening, "a corpus hears as a queue does"
    assert Matcher(grammar).read("call me back please".split())[0].intent == "back"
    tell(w, MATCH, "back")
    assert not waiting(w) and not hears(w), "nobody listens for the queue any more"
    assert w.hears(caller) == "en/try_again"
    left = [event for event in w.events if event.kind == "queue.left"][-1]
    assert (left.data["reason"], left.data["key"]) == ("exit", "1")


def test_what_is_not_understood_leaves_him_where_he_is_and_is_listened_to_again() -> None:
    w = a_world(law9=True)
    caller = ring(w, "750")
    w.run(8_000)
    playing, first = w.hears(caller), wish(w).ticket
    tell(w, NO_MATCH)
    assert waiting(w) and w.hears(caller) == playing == "music/default"
    assert wish(w).ticket < first, "a wish of its own: a late answer to the first is nobody's"
    call = wish(w).call
    w.give(SpeechDone(call, first, Utterance(MATCH, (Heard("call me back", "back", {}, 0.9),))))
    assert waiting(w)
    tell(w, MATCH, "back")
    assert not waiting(w)


def test_a_recogniser_that_fails_is_asked_again_by_the_next_step_and_in_the_end_no_more() -> None:
    w = a_world()
    ring(w, "750")
    for number in range(failures_max):
        assert w.run_until(lambda: hears(w), 60_000), number
        tell(w, FAILED, detail="gone")
        assert not hears(w) and waiting(w)
    w.run(120_000)
    assert not hears(w) and waiting(w)


def test_an_agent_who_answers_ends_the_listening() -> None:
    w = a_world()
    ring(w, "750")
    assert w.run_until(lambda: hears(w), 1_000)
    agent(w, "201")
    assert w.run_until(lambda: not waiting(w), 20_000)
    assert not w.listening


def test_who_hangs_up_is_listened_to_no_more() -> None:
    w = a_world()
    caller = ring(w, "750")
    w.run(2_000)
    caller.hang_up(w.now_ms)
    assert over(w).data["outcome"] == "abandoned" and not w.listening


def test_without_words_nobody_listens() -> None:
    w = a_world(HOLD.replace("listen: [keys, speech], ", ""))
    ring(w, "750")
    w.run(30_000)
    assert waiting(w) and not hears(w) and not w.listening


def test_a_key_leaves_it_too_and_ends_the_listening() -> None:
    w = a_world()
    caller = ring(w, "750")
    w.run(2_000)
    assert w.listening
    w.press(caller, "1")
    assert not waiting(w) and not hears(w) and not w.listening
