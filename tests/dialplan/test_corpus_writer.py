"""Cases added to a corpus that people wrote: their lines stay as they are, and it reads back."""

from __future__ import annotations

import pytest

from engine.dialplan.corpus import NO_MATCH, Corpus
from engine.dialplan.corpus_reader import read
from engine.dialplan.corpus_writer import BEGIN, Case, Unwritable, added, expected, known, place, short
from engine.speech.grammar import Grammar, Line, Slot
from tests.dialplan.test_corpus_reader import CODE, FILE, GRAMMARS, MENU, PLACES

MENU_STEP, CODE_STEP = "choose/menu(main_menu)", "account/gather(code)"
TEXT = """\
ringdown: 1
# who reads this
noise: [clean]   # only

utterances:      # in their order
    - {at: choose, say: sales, intent: sales}   # the first
    # the second
    - at: choose
      say: billing
      intent: billing
      # of the second

# about the voices
voices: [flite slt]
"""


def corpus(text: str) -> Corpus:
    found, findings = read(text.encode(), FILE, PLACES, GRAMMARS)
    assert found is not None, findings
    return found


CASES = [
    Case("choose", "billing, please", "", "en", {"intent": "billing"}, ("a caller", "and more")),
    Case("account", "one two three four", "", "en", {"slots": {"code": "0234", "day": "2026-03-05"}}),
    Case("choose", 'he said "no" \\ yes', "", "zh", {"expect": "no match"}),
    Case("account", "", "dialplans/main.speech/bako-0-a-1.wav", "en", {"expect": "no match"}),
    Case("choose", "my bill", "dialplans/main.speech/bako-0-a-2.wav", "en", {"intent": "billing"}),
]


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), TEXT[: TEXT.index("\n      # of")]])
def test_new_lines_stand_behind_the_last_and_the_rest_stays(text: str) -> None:
    made = added(text, CASES, "en")
    old, new = text.splitlines(), made.splitlines()
    last = max(number for number, line in enumerate(old) if line.strip() == "intent: billing") + 1
    assert new[:last] == old[:last] and new[len(new) - len(old) + last :] == old[last:]
    assert ("\r\n" in made) == ("\r\n" in text) and made.endswith("\n")
    before, after = corpus(text), corpus(made)
    assert after.said[: len(before.said)] == before.said
    found = after.said[len(before.said) :]
    assert [(each.texts, each.recording, each.language) for each in found] == [
        ((case.say,) if not case.file else (), case.file, case.language) for case in CASES
    ]
    assert found[1].slots == {"code": "0234", "day": "2026-03-05"} and found[2].result == NO_MATCH
    assert [len(each.conditions) for each in found if each.recording] == [1, 1]
    assert all(known(after, each.at, case) for each, case in zip(found, CASES, strict=True))
    assert not known(before, MENU_STEP, CASES[0])


def test_a_new_file() -> None:
    assert len(corpus(added(BEGIN.format(about="x"), CASES, "en")).said) == len(CASES)


@pytest.mark.parametrize("text", ["ringdown: 1\nutterances: [{at: choose, say: sales}]\n", "ringdown: 1\n"])
def test_what_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(Unwritable, match="line by line"):
        added(text, CASES, "en")


def test_the_place_by_what_was_listened_for() -> None:
    assert place(PLACES, CODE_STEP, "code", "en") == CODE_STEP
    assert place(PLACES, CODE_STEP, "menu", "en") == f"confirm {CODE_STEP}"
    assert place(PLACES, CODE_STEP, "an older one", "en") == CODE_STEP
    queue = {**PLACES, "wait hold": {"en": "held"}}
    assert place(queue, "support/queue(first)", "held", "en") == short(queue, "wait hold") == "wait hold"
    with pytest.raises(Unwritable, match="doesn't listen in en"):
        place(queue, "support/queue(first)", "another", "en")
    with pytest.raises(Unwritable, match="doesn't listen in fr"):
        place(PLACES, CODE_STEP, "code", "fr")
    assert short(PLACES, CODE_STEP) == "account" and short(PLACES, f"confirm {CODE_STEP}") == "confirm account"
    assert short({**PLACES, "choose/menu(2)": {}}, MENU_STEP) == MENU_STEP


def test_what_is_expected_by_the_grammar_alone() -> None:
    day = "2026-03-04"
    assert expected(MENU, "billing please", day) == {"intent": "billing"}
    assert expected(MENU, "the weather", day) == expected(MENU, "", day) == {"expect": "no match"}
    with pytest.raises(Unwritable, match="by hand"):
        expected(CODE, "one two three four", day)  # a list that the call alone knew, and nobody kept
    slots = {name: slot for name, slot in CODE.slots.items() if name in ("code", "day")}
    fixed = type(CODE)("en", CODE.lines, slots)
    assert expected(fixed, "one two three four on tomorrow", day) in (
        {"intent": "code", "slots": {"code": "1234", "day": "2026-03-05"}}, {"expect": "no match"},
    )  # fmt: skip
    assert expected(fixed, "one two three four", day) == {"intent": "code", "slots": {"code": "1234"}}


def test_a_list_that_the_call_knew_goes_with_the_case() -> None:
    """Without it nobody could say, when it is tested, what could have been said."""
    grammar = Grammar("en", (Line("[to] $town", "town"),), {"town": Slot("choice", open_list=True)})
    places = {"towns/gather(town)": {"en": "towns"}}
    lists = {"town": ("bath spa", "york")}
    wanted = expected(grammar, "to Bath Spa please", "2026-03-04", lists)
    assert wanted == {"intent": "town", "slots": {"town": "bath spa"}}
    assert expected(grammar, "leeds", "2026-03-04", lists) == {"expect": "no match"}
    text = added(BEGIN.format(about="x"), [Case("towns", "to Bath Spa please", "", "en", wanted, (), lists)], "en")
    made, findings = read(text.encode(), FILE, places, {"towns": grammar})
    assert made is not None, findings
    assert made.said[0].lists == lists and made.said[0].slots == {"town": "bath spa"}
    with pytest.raises(Unwritable, match="by hand"):
        expected(grammar, "york", "2026-03-04", {"other": ("york",)})
    with pytest.raises(Unwritable, match="choices"):
        expected(grammar, "york", "2026-03-04", {"town": ("york",) * 6_000})
