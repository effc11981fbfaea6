"""What check says of what callers may say: each finding where the admin wrote it, and nothing of what is fine."""

from __future__ import annotations

from engine import marks
from engine.dialplan import speech_advice
from engine.dialplan.findings import Finding, Report
from engine.dialplan.program import Program, Step
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import check_site
from engine.speech.grammar import Grammar, Line, Slot
from tests.dialplan.site import BASE, STOCK

FILE = "dialplans/main.yaml"
DICTIONARY = {
    "billing": ("B IH L IH NG",), "building": ("B IH L D IH NG",), "sales": ("S EY L Z",), "no": ("N OW",),
    "department": ("D IH P AA R T M AH N T",), "opening": ("OW P AH N IH NG",), "hours": ("AW ER Z", "AW R Z"),
    "operator": ("AA P ER EY T ER",), "operators": ("AA P ER EY T ER Z",), "yes": ("Y EH S",),
}  # fmt: skip


class Words:
    def of(self, word: str) -> tuple[str, ...]:
        return DICTIONARY.get(word, ())

    def guess(self, word: str) -> tuple[str, ...]:
        return ("Z IH Z IY",) if word == "xyzzy" else ()


def findings(
    lines: list[tuple[str, str]], slots: dict[str, Slot] | None = None, words: dict[str, tuple[str, ...]] | None = None,
    *, intents: int = 0, lexicon: bool = True,
) -> list[Finding]:  # fmt: skip
    """Those of a dialplan whose phrases stand in a list, the first in line 2."""
    own = [phrase for phrase, _ in lines if phrase not in ("operator",)]
    text = "phrases:\n" + "".join(f"  - '{phrase}'\n" for phrase in own)
    tree, faults = marks.load(text.encode(), FILE)
    assert not faults
    grammar = Grammar("en", tuple(Line(*each) for each in lines), slots or {}, words or {})
    data = {"hears": {"en": "key"}, "intents": {str(number): str(number) for number in range(intents)}}
    step = Step("menu", "main/menu(m)", f"{FILE}:9:5", data)
    program = Program("default/main", "v", "main", {"main": (step,)}, {}, ("en",))
    report = Report()
    words_of = {"en": Words()} if lexicon else {}
    speech_advice.check(report, FILE, program, {"key": grammar}, {FILE: tree}, words_of.get)
    return report.finished({FILE: text.encode()})


def told(found: list[Finding]) -> list[tuple[str, int, int]]:
    return [(each.code, each.line, each.column) for each in found]


def test_a_good_menu_gets_no_advice() -> None:
    lines = [("billing", "billing"), ("sales department", "sales"), ("opening hours", "hours"), ("operator", "person")]
    assert findings(lines) == []


def test_a_word_that_no_dictionary_has() -> None:
    own: dict[str, tuple[str, ...]] = {"with": ("W IH TH",), "by": ("B AY",)}
    found = findings([("billing with Xyzzy", "billing"), ("hours by Xyzzy", "other")], words=own)
    assert told(found) == [("RD310", 2, 19)]
    assert found[0].message == "“xyzzy” is in no dictionary: it is taken for Z IH Z IY, which is a guess"
    assert found[0].width == 5
    (nobody,) = findings([("billing by Qqq", "billing")], words=own)
    assert nobody.message == "“qqq” is in no dictionary: nobody who says it will be understood"
    own = {"with": ("W IH TH",), "xyzzy": ("Z IH Z IY",)}
    assert findings([("billing with Xyzzy", "billing")], words=own) == []


def test_phrases_that_sound_alike() -> None:
    found = findings([("billing", "bills"), ("sales department", "sales"), ("building", "houses")])
    assert told(found) == [("RD311", 4, 5)]
    assert "“building” (houses) sounds like “billing” (bills)" in found[0].message
    assert findings([("billing", "bills"), ("building", "bills")]) == [], "of one meaning they may"


def test_each_two_meanings_are_told_once_and_universal_words_count() -> None:
    found = findings([("[opening] billing", "bills"), ("[opening] building", "houses"), ("operator", "person")])
    assert told(found) == [("RD311", 3, 5)]
    found = findings([("operators", "switchboard"), ("operator", "person")])
    assert told(found) == [("RD311", 2, 5)] and "sounds like “operator” (person)" in found[0].message


def test_one_syllable() -> None:
    found = findings([("sales", "sales"), ("opening hours", "hours")])
    assert told(found) == [("RD312", 2, 5)]
    assert "“sales” has one syllable" in found[0].message
    assert findings([("yes", "yes"), ("no", "no")]) == [], "everybody says these"
    assert findings([("help", "help")]) == [], "the engine's own word, not the admin's option of that name"


def test_choices_of_a_slot_are_phrases_too() -> None:
    slots = {"desk": Slot("choice", choices={"a": ("billing",), "b": ("building",)})}
    text = "choices: {a: [billing], b: [building]}\n"
    tree, _ = marks.load(text.encode(), FILE)
    report = Report()
    step = Step("gather", "main/gather(desk)", f"{FILE}:9:5", {"hears": {"en": "key"}})
    program = Program("default/main", "v", "main", {"main": (step,)}, {}, ("en",))
    grammar = Grammar("en", (Line("$desk", ""),), slots)
    speech_advice.check(report, FILE, program, {"key": grammar}, {FILE: tree}, {"en": Words()}.get)
    assert [(each.code, each.column) for each in report.findings] == [("RD311", 29)]
    assert "(desk b) sounds like “billing” (desk a)" in report.findings[0].message


def test_a_command_that_is_a_value_too() -> None:
    slots = {"desk": Slot("choice", choices={"hotel": ("operator",), "b": ("opening hours",)})}
    found = findings([("$desk", ""), ("operator", "person")], slots)
    assert told(found) == [("RD313", 9, 5)], "what isn't written here is told at the step"
    assert found[0].message == "“operator” means person, and is a value of $desk too"
    found = findings([("$desk", ""), ("opening hours", "hours")], slots)
    assert ("RD313", 3, 5) in told(found)
    assert findings([("$code", ""), ("opening hours", "hours")], {"code": Slot("digits", 4, 4)}) == []


def test_more_choices_than_anybody_keeps_in_mind() -> None:
    assert told(findings([("billing", "b")], intents=8)) == [("RD314", 9, 5)]
    assert findings([("billing", "b")], intents=7) == []


def test_without_a_lexicon_only_what_needs_none_is_told() -> None:
    assert findings([("xyzzy", "sales"), ("sales", "x")], lexicon=False) == []


SITE = b"""ringdown: 1
phrases: {person: [billing], bye: [building]}
person: {none: nobody is there}
flows:
  main:
    - answer
    - menu: {prompt: choose, listen: [keys, speech], choices: {1: person, 2: bye}, failed: bye}
  person: [hangup: served]
  bye: [hangup: served]
"""


def test_check_says_it_and_a_dialplan_may_bear_with_it() -> None:
    files = {**BASE, "dialplans/main.yaml": SITE}

    def codes(files: dict[str, bytes | WavInfo], *, thorough: bool = True) -> list[str]:
        found = check_site(files, STOCK, None, 0, thorough, {"en": Words()}.get)
        assert found.site is not None, found.findings
        return [each.code for each in found.findings if each.code.startswith("RD31")]

    assert codes(files) == ["RD311"] and codes(files, thorough=False) == []
    waived = {**files, "dialplans/main.yaml": SITE + b"allow: {RD311: they are heard well}\n"}
    assert codes(waived) == []
    assert not [each for each in check_site(waived, STOCK).findings if each.code == "RD212" and "RD311" in each.message]
