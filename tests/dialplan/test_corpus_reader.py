"""A speech corpus is read whole, or says what is wrong with it and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dialplan.corpus import NOISES, Condition, Corpus
from engine.dialplan.corpus_reader import read
from engine.dialplan.findings import Finding
from engine.speech import noises
from engine.speech.grammar import Grammar, Line, Slot

MENU = Grammar("en", (Line("billing", "billing"), Line("sales", "sales")))
CODE = Grammar(
    "en", (Line("$code [on $day]", "code"),),
    {
        "code": Slot("digits", 4, 6), "day": Slot("date"), "name": Slot("choice", open_list=True),
        "yes": Slot("yes_no"), "sum": Slot("amount", currency="EUR"), "count": Slot("number"), "at": Slot("time"),
        "plate": Slot("spelled", 2, 3),
    },
)  # fmt: skip
PLACES = {
    "choose/menu(main_menu)": {"en": "menu", "zh": "menu"},
    "account/gather(code)": {"en": "code"},
    "confirm account/gather(code)": {"en": "menu"},
    "two/menu(one)": {"en": "menu"},
    "two#1/menu(other)": {"en": "menu"},
}
GRAMMARS = {"menu": MENU, "code": CODE}
FILE = "dialplans/main.speech.yaml"


def reading(text: str) -> tuple[Corpus | None, list[Finding]]:
    return read(f"ringdown: 1\n{text}".encode(), FILE, PLACES, GRAMMARS)


def corpus(text: str) -> Corpus:
    found, findings = reading(text)
    assert found is not None, findings
    return found


def test_a_corpus_is_read() -> None:
    found = corpus("""
about: what people say
today: 2026-11-26
voices: [flite slt, espeak-ng en-us+f3]
noise: [clean, household 25]
level: [-20, -30]
needs: {intents: 95, slots: 90, false_accepts: 2}
utterances:
  - {at: choose, say: [billing, "I'd like to pay a bill, please"], intent: billing}
  - at: account/gather(code)
    file: recordings/ana.wav
    text: one two double three on Monday
    slots: {code: 1233, day: 2026-11-30}
    noise: clean
  - {at: choose, say: 账单, language: zh, intent: billing, voices: espeak-ng cmn, level: -25}
  - {at: choose, say: the weather is nice, expect: no match}
  - {at: choose, expect: no input, noise: music 10}
  - {at: confirm account, say: sales, intent: sales}
""")
    first, file, other, foreign, nobody, asked = found.said
    assert (asked.at, asked.grammar) == ("confirm account/gather(code)", "menu")
    assert (found.today, found.needs.intents, found.needs.slots, found.needs.false_accepts) == ("2026-11-26", 95, 90, 2)
    assert first.at == "choose/menu(main_menu)" and first.grammar == "menu" and len(first.texts) == 2
    assert first.conditions == (Condition(), Condition("household", 25)) and first.levels == (-20, -30)
    assert first.voices == ("flite slt", "espeak-ng en-us+f3") and first.slots is None
    assert file.recording == "recordings/ana.wav" and file.slots == {"code": "1233", "day": "2026-11-30"}
    assert file.conditions == (Condition(),) and file.line == 11
    assert (other.language, other.voices, other.levels) == ("zh", ("espeak-ng cmn",), (-25,))
    assert (foreign.result, nobody.result, nobody.texts) == ("no_match", "no_input", ())
    assert str(nobody.conditions[0]) == "music 10" and str(Condition()) == "clean"
    assert first.name == "choose/menu(main_menu): billing / I'd like to pay a bill, please"


def test_every_noise_that_can_be_made_can_be_named() -> None:
    assert sorted(NOISES) == sorted(noises.KINDS)


def test_slots_are_typed() -> None:
    said = corpus("""
utterances:
  - at: account
    say: something
    slots: {code: 0042, day: 2026-03-04, name: Ana, yes: no, sum: 12.50 EUR, count: -3, at: 8:05, plate: ab1}
""").said[0]
    assert said.slots == {
        "code": "0042", "day": "2026-03-04", "name": "Ana", "yes": False, "sum": 1250, "count": -3, "at": "08:05",
        "plate": "ab1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code", "column", "words"),
    [
        ("{at: chose, say: billing, intent: billing}", "RD318", 10, "did you mean 'choose'"),
        ("{at: two, say: billing, intent: billing}", "RD318", 10, "listens in 2 steps"),
        ("{at: account, say: 12, language: zh, intent: code}", "RD318", 28, "only in en"),
        ("{say: billing, intent: billing}", "RD317", 5, "add at:"),
        ("{at: choose, says: billing, intent: billing}", "RD021", 18, "no key 'says'"),
        ("{at: choose, say: billing, intent: biling}", "RD319", 40, "did you mean 'billing'"),
        ("{at: choose, say: billing}", "RD317", 5, "what shall be understood"),
        ("{at: choose, intent: billing}", "RD317", 5, "nothing is said"),
        ("{at: choose, say: x, expect: no input}", "RD317", 18, "who speaks gives input"),
        ("{at: choose, say: x, expect: nomatch}", "RD317", 34, "did you mean 'no match'"),
        ("{at: choose, say: x, expect: no match, intent: sales}", "RD317", 44, "has no intent"),
        ("{at: choose, say: x, file: a.wav, intent: sales}", "RD317", 26, "not both"),
        ("{at: choose, file: ../a.wav, intent: sales}", "RD317", 24, "leaves the site's folder"),
        ("{at: choose, say: x, text: y, intent: sales}", "RD317", 26, "behind say:"),
        ("{at: choose, say: x, intent: sales, noise: pinc 20}", "RD317", 48, "did you mean 'pink'"),
        ("{at: choose, say: x, intent: sales, noise: pink}", "RD317", 48, "how many dB"),
        ("{at: choose, say: x, intent: sales, level: 20}", "RD317", 48, "from -50 to -6"),
        ("{at: choose, say: x, intent: sales, voices: slt}", "RD317", 49, "no voice"),
        ("{at: account, say: x, slots: {kode: 1}}", "RD319", 35, "did you mean 'code'"),
        ("{at: account, say: x, slots: {code: 123}}", "RD319", 41, "has 3 digits, not 4 to 6"),
        ("{at: account, say: x, slots: {code: 12x4}}", "RD319", 41, "no digits"),
        ("{at: account, say: x, slots: {day: 2026-02-30}}", "RD319", 40, "is no day"),
        ("{at: account, say: x, slots: {sum: 12 USD}}", "RD319", 40, "no amount in EUR"),
        ("{at: account, say: x, slots: {name: Eva}, lists: {name: [Ana, Ivo]}}", "RD319", 41, "none of its choices"),
        ("{at: account, say: x, slots: {code: 1234}, lists: {code: [Ana]}}", "RD319", 56, "no slot whose list"),
        ("billing", "RD023", 5, "a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(line: str, code: str, column: int, words: str) -> None:
    found, findings = reading(f"utterances:\n  - {line}\n")
    assert found is None
    first = findings[0]
    assert (first.code, first.line, first.column) == (code, 3, column), findings
    assert words in f"{first.message} {first.suggestion}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "RD022"), ("utterances: x\n", "RD022"), ("today: tomorrow\nutterances: []\n", "RD317"),
        ("needs: {intents: 101}\nutterances: []\n", "RD024"), ("needs: {words: 3}\nutterances: []\n", "RD021"),
        ("utterences: []\nutterances: []\n", "RD021"),
        ("utterances:\n  - {at: choose, say: a, intent: sales}\n  - {at: choose, say: a, expect: no match}\n", "RD317"),
    ],
)  # fmt: skip
def test_a_file_with_a_mistake_is_refused(text: str, code: str) -> None:
    found, findings = reading(text)
    assert found is None and [each.code for each in findings] == [code], findings


def test_in_a_wait_list() -> None:
    text = b"ringdown: 1\nutterances: [{at: AT, say: billing, intent: billing}]\n"
    held = {**PLACES, "wait hold": {"en": next(key for key, each in GRAMMARS.items() if each is MENU)}}
    found, _ = read(text.replace(b"AT", b"wait hold"), FILE, held, GRAMMARS)
    assert found is not None and found.said[0].at == "wait hold" and found.said[0].grammar == held["wait hold"]["en"]
    _, findings = read(text.replace(b"AT", b"wait holt"), FILE, held, GRAMMARS)
    assert [each.code for each in findings] == ["RD318"] and "did you mean 'wait hold'" in findings[0].suggestion


def test_a_dialplan_that_never_listens_has_no_corpus() -> None:
    found, findings = read(b"ringdown: 1\nutterances: []\n", FILE, {}, {})
    assert found is None and [each.code for each in findings] == ["RD318"]
    assert "listen: [keys, speech]" in findings[0].suggestion
    assert read(b"", FILE, {}, {})[1][0].code == "RD022"


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    found, findings = read(data, FILE, PLACES, GRAMMARS)
    assert (found is None) == any(each.severity == "error" for each in findings)
