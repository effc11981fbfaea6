"""ask: several values from one sentence, questions for what is missing, all said back, put right, refused."""

from __future__ import annotations

import pytest

from engine.dialplan.actions import Digit, Spoken, TimerFired
from engine.speech import matcher
from engine.speech.utterance import FAILED, NO_MATCH, Heard, Utterance
from tests.dialplan.site import codes_of, lines, site_of
from tests.dialplan.test_speech import Talker

TEXTS = "\n".join(
    f"{name}: {text}"
    for name, text in {
        "hello": "Hello.", "choose": "Choose now.", "what": "What can I do?", "shorter": "What?", "pardon": "Pardon?",
        "which_day": "Which day?", "which_who": "Whom?", "all": "On $day. Right?", "so": "On $day.",
    }.items()
)  # fmt: skip
PLAN = lines(
    "ringdown: 1",
    "person: desk",
    "variables: {day: date, who: choice smith jones}",
    "phrases: {smith: [doctor smith, smith], jones: [doctor jones, jones]}",
    "flows:",
    "  main:",
    "    - answer",
    "    - ask:",
    "        prompt: what",
    "        again: shorter",
    "        no_match: pardon",
    "        listen: [keys, speech]",
    "        phrases: [\"an appointment [with $who]\", \"on $day\"]",
    "        tries: 2",
    "        confirm: all",
    "        heard: so",
    "        slots:",
    "          who: {prompt: which_who}",
    "          day: {prompt: which_day, keyed: ddmm}",
    "        failed: desk",
    "    - tag: $who on $day",
    "    - hangup: served",
    "  desk: [{hangup: desk}]",
)


class Asked(Talker):
    def __init__(self, plan: str = PLAN) -> None:
        self.site = site_of(plan, prompts__en=TEXTS)
        self.program = self.site.programs["default/main"]
        super(Talker, self).__init__(self.site)
        self.run.facts["system.today"] = "2026-03-04"
        self.answered()

    def utters(self, text: str, percent: int = 95) -> None:
        """Through the grammar that is listened with."""
        wish = self.wish().listening
        found = matcher.read(self.site.grammars[wish.grammar], text, wish.today)
        assert found, text
        best = found[0]
        self.said(Heard(best.text, best.intent, best.slots, percent / 100))

    def told(self) -> str:
        return self.heard().split("#")[0]


def test_everything_in_one_sentence_is_told_and_taken() -> None:
    day = "on the ninth of march"
    for text in (f"an appointment with doctor smith {day}", f"{day} an appointment with smith"):
        caller = Asked()
        assert caller.heard() == "what"
        caller.utters(text)
        assert caller.told() == "so"
        assert caller.run.variables == {"who": "smith", "day": "2026-03-09"}
        caller.played()
        caller.tell(TimerFired(caller.run.ticket))
        assert caller.notes("tag") == ["smith on 2026-03-09"] and caller.outcome() == "served"


def test_what_is_missing_is_asked() -> None:
    caller = Asked()
    caller.utters("an appointment with jones", 60)
    assert caller.heard() == "which_day"
    caller.utters("tomorrow")
    assert caller.told() == "all"  # one of them was not sure
    caller.utters("no, the tenth of march")
    assert caller.run.variables == {"who": "jones", "day": "2026-03-10"} and caller.told() == "all"
    caller.tell(Digit("1"))
    assert caller.outcome() == "served"


def test_not_understood_it_is_asked_value_by_value_and_by_keys() -> None:
    caller = Asked()
    caller.said(result=NO_MATCH)
    assert caller.heard() == "pardon shorter"
    caller.said(result=NO_MATCH)
    assert caller.heard() == "which_who"
    caller.tell(Digit("2"))
    assert caller.heard() == "which_day"
    for key in "1003":
        caller.tell(Digit(key))
    assert caller.run.variables == {"who": "jones", "day": "2026-03-10"} and caller.told() == "so"
    caller.tell(Digit("5"))
    assert caller.outcome() == "served"


def test_a_no_asks_every_value_anew_and_in_the_end_fails() -> None:
    caller = Asked()
    caller.utters("an appointment with smith on monday", 60)
    for _ in range(1):
        caller.utters("no")
        assert caller.heard() == "which_who" and caller.run.variables == {}
        caller.utters("doctor jones")
        caller.utters("friday")
        assert caller.told() == "all"
    caller.tell(Digit("2"))
    assert caller.outcome() == "desk"


@pytest.mark.parametrize("at", ["opening", "slot", "back"])
def test_a_person_from_everywhere(at: str) -> None:
    caller = Asked()
    if at == "slot":
        caller.utters("an appointment with smith")
    elif at == "back":
        caller.utters("an appointment with smith on monday")
    caller.utters("operator")
    assert caller.outcome() == "desk"


def test_zero_alone_is_a_person_here_too() -> None:
    caller = Asked()
    caller.tell(Digit("0"))
    assert caller.outcome() == "desk"


def test_silence_at_the_end_asks_again_then_fails() -> None:
    caller = Asked()
    caller.utters("an appointment with smith on monday", 60)
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.told() == "all"
    caller.played()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.outcome() == "desk"


def test_a_recogniser_that_fails_leaves_the_questions_by_keys() -> None:
    caller = Asked()
    caller.begins()
    caller.tell(Spoken(caller.run.hearing, Utterance(FAILED, detail="gone")))
    assert caller.heard() == "which_who"
    caller.begins()
    caller.tell(TimerFired(caller.run.ticket))
    assert caller.heard().endswith("which_who")


@pytest.mark.parametrize(("old", "new", "codes"), [
    ("", "", []), ("        listen: [keys, speech]\n", "", ["RD022"]),
    ("{prompt: which_who}", "{again: hello}", ["RD285"]),
    ("$who]", "$whom]", ["RD286"]), ("          who:", "          whom:", ["RD286", "RD034"]),
    ("failed: desk", "failed:\n          - hangup: served", ["RD023"]),
])  # fmt: skip
def test_what_cannot_be(old: str, new: str, codes: list[str]) -> None:
    text = PLAN.replace(old, new, 1) if old else PLAN
    found = [code for code, _ in codes_of(text, prompts__en=TEXTS) if code not in ("RD091", "RD050", "RD094")]
    assert list(dict.fromkeys(found))[: max(1, len(codes))] == codes, found
