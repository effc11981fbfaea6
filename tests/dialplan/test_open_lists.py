"""`one_of`: an entry of a list that the call knows, said or typed; lists that are empty, or can't be said."""

from __future__ import annotations

import msgspec
import pytest

from engine.dialplan import lookups
from engine.dialplan.actions import Digit, Hangup, Hear, PlayDone, SpeechBegan, Spoken, TimerFired
from engine.sim import saying
from engine.sim.saying import Said
from engine.speech.grammar import Slot
from engine.speech.utterance import MATCH, Heard
from tests.dialplan.site import Caller, codes_of, lines, site_of


def plan(towns: str, *options: str) -> str:
    return lines(
        "ringdown: 1", "person: desk", f"variables: {{towns: 'text = {towns}', town: text}}", "flows:", "  main:",
        "    - answer", "    - gather:",
        *(f"        {each}" for each in ("into: town", "one_of: $towns", "prompt: hello", "listen: [keys, speech]",
                                         "failed: desk", *options)),
        "    - tag: $town", "    - hangup: served", "  desk: [{hangup: desk}]", "  none: [{hangup: nothing}]",
    )  # fmt: skip


def called(towns: str, *options: str) -> Caller:
    caller = Caller(site_of(plan(towns, *options)))
    caller.answered()
    return caller


def wish(caller: Caller) -> Hear:
    return next(each for each in caller.last if isinstance(each, Hear))


def say(caller: Caller, text: str) -> str:
    """As `say:` of a test: through the matcher, with the list of the wish."""
    listening = wish(caller).listening
    caller.tell(SpeechBegan(caller.run.hearing, 100))
    said = saying.utterance(caller.site, listening, Said(text))
    caller.tell(Spoken(caller.run.hearing, said))
    return said.result


def ended(caller: Caller) -> str:
    found = caller.one(Hangup)
    assert isinstance(found, Hangup)
    return found.outcome


def test_an_entry_is_said_and_arrives_as_it_is_written() -> None:
    caller = called("Bath Spa|York (city)|St. Ives")
    assert wish(caller).listening.lists == {"town": ("bath spa", "york city", "st ives")}
    assert say(caller, "I'd like York city please") == MATCH
    assert caller.run.variables["town"] == "York (city)" and ended(caller) == "served"


def test_an_entry_is_typed_by_its_place() -> None:
    caller = called("Bath|100%|York")
    assert "100%" in caller.notes("fault")[0]
    caller.tell(PlayDone(caller.run.ticket))
    caller.tell(Digit("2"))
    assert caller.run.variables["town"] == "100%", "what can't be said has its key; one digit is enough for nine"
    many = called("|".join(f"town {chr(97 + n)}" for n in range(12)))
    many.tell(Digit("1"))
    assert "town" not in many.run.variables
    many.tell(Digit("2"))
    assert many.run.variables["town"] == "town l"


def test_a_place_beyond_the_list_is_wrong() -> None:
    caller = called("Bath|York", "tries: 2")
    caller.tell(Digit("3"))
    assert "town" not in caller.run.variables and wish(caller)
    caller.tell(Digit("0"))
    assert ended(caller) == "desk"


@pytest.mark.parametrize(("options", "outcome"), [(("empty: none",), "nothing"), ((), "desk")])
def test_an_empty_list_is_not_asked_about(options: tuple[str, ...], outcome: str) -> None:
    caller = called(" | ", *options)
    assert ended(caller) == outcome and not any(isinstance(each, Hear) for each in caller.last)


def test_a_list_of_which_nothing_can_be_said_is_for_keys() -> None:
    caller = called("***|100%")
    assert not any(isinstance(each, Hear) for each in caller.last)
    caller.tell(PlayDone(caller.run.ticket))
    caller.tell(Digit("1"))
    assert caller.run.variables["town"] == "***"


def test_it_is_asked_back_and_the_next_likely_entry_after_a_no() -> None:
    caller = called("Bath|York", "confirm: hello")
    hearing = caller.run.hearing
    both = tuple(Heard(each, "", {"town": each}, 0.6) for each in ("york", "bath"))
    said = saying.utterance(caller.site, wish(caller).listening, Said("york"))
    caller.tell(Spoken(hearing, msgspec.structs.replace(said, best=both)))
    assert caller.run.variables["town"] == "York"
    caller.tell(Digit("2"))
    assert caller.run.variables["town"] == "Bath"
    caller.tell(Digit("1"))
    assert ended(caller) == "served"


ASK = lines(
    "ringdown: 1", "person: desk", "variables: {towns: text = Bath|York, town: text, day: date, code: text}", "flows:",
    "  main:", "    - answer", "    - ask:", "        prompt: hello", "        listen: [keys, speech]",
    "        phrases: ['to $town', 'on $day', 'with the letters $code']", "        failed: desk", "        slots:",
    "          town: {prompt: hello, one_of: $towns}", "          day: {prompt: hello}",
    "          code: {prompt: hello, min: 2, max: 3}",
    "    - tag: $town $day $code", "    - hangup: served", "  desk: [{hangup: desk}]",
)  # fmt: skip


def test_a_slot_of_an_ask_takes_entries_beside_other_values_and_spelled_letters() -> None:
    caller = Caller(site_of(ASK))
    caller.answered()
    listening = wish(caller).listening
    assert listening.lists == {"town": ("bath", "york")}
    assert caller.site.grammars[listening.grammar].slots["code"] == Slot("spelled", 2, 3)
    assert say(caller, "to york with the letters b x on the fourth of may") == MATCH
    assert caller.run.variables["town"] == "York" and caller.run.variables["code"] == "bx"
    assert str(caller.run.variables["day"]).endswith("-05-04") and ended(caller) == "served"


def test_an_ask_whose_list_is_empty_asks_for_the_other_values_one_by_one() -> None:
    caller = Caller(site_of(ASK.replace("Bath|York", "|")))
    caller.answered()
    assert ended(caller) == "desk"


@pytest.mark.parametrize(("old", "new", "code"), [
    ("town: text", "town: digits 4", "RD292"), ("'text = A'", "number", "RD292"),
    ("'text = A'", "text sensitive", "RD292"),
    ("$towns", "$twons", "RD034"), ("        listen: [keys, speech]\n", "", "RD289"),
])  # fmt: skip
def test_what_cannot_be(old: str, new: str, code: str) -> None:
    text = plan("A")
    assert old in text
    assert code in [each for each, _ in codes_of(text.replace(old, new))]


def test_a_lookup_may_answer_with_a_list() -> None:
    site = site_of(
        plan("A").replace("    - gather:", "    - lookup: {name: staff, failed: desk}\n    - gather:")
        .replace("one_of: $towns", "one_of: staff.names").replace("    - tag: $town\n", "    - tag: $town $towns\n"),
        lookups="staff:\n  get: https://crm.example/staff\n  returns: {names: text}\n",
    )  # fmt: skip
    model = next(iter(site.lookups.values()))
    assert lookups.answered(model, b'{"names": ["Ann|a Lee", "Bo", 12]}') == {"staff.names": "Ann a Lee|Bo|12"}
    with pytest.raises(lookups.LookupProblem, match="JSON list"):
        lookups.answered(model, b'{"names": ["Ann", {"name": "Bo"}]}')
    assert len(lookups.answered(model, b'{"names": [' + b'"a",' * 2_000 + b'"a"]}')["staff.names"]) < 1_200  # type: ignore[arg-type]


def test_nobody_waits_for_ever() -> None:
    caller = called("Bath|York", "tries: 1")
    caller.tell(PlayDone(caller.run.ticket))
    caller.tell(TimerFired(caller.run.ticket))
    assert ended(caller) == "desk" and not caller.notes("fault")
