"""Grammars of steps: what may be said, what it means, who is reached, and what can't be."""

from __future__ import annotations

import pytest

from engine.dialplan import spoken
from engine.dialplan.model import Site
from engine.speech import notation
from engine.speech.grammar import Grammar, Slot
from tests.dialplan.site import codes_of, lines, site_of

MENU = """ringdown: 1
person: desk
phrases:
  billing: [billing, my bill]
  person: [the boss]
flows:
  main:
    - answer
    - menu:
        prompt: hello
        listen: [keys, speech]
        choices:
          1: billing
          2:
            - tag: two
          star: again
        phrases: {2: [two, the second]}
        failed: desk
    - hangup: served
  billing: [{hangup: billing}]
  desk:
    - dial: {to: 200, failed: billing}
    - hangup: served
"""


def grammar(site: Site, key: str = "hears", index: int = 1) -> Grammar:
    return site.grammars[site.programs["default/main"].flows["main"][index].data[key]["en"]]


def meant(found: Grammar, intent: str) -> list[str]:
    return [line.phrase for line in found.lines if line.intent == intent]


def test_a_menu() -> None:
    site = site_of(MENU)
    found = grammar(site)
    assert meant(found, "billing") == ["billing", "my bill"]
    assert meant(found, "2") == ["two", "the second"]
    assert meant(found, "person")[0] == "the boss" and len(meant(found, "person")) > 3
    assert meant(found, "help") == []  # there is no help: prompt
    data = site.programs["default/main"].flows["main"][1].data
    assert data["intents"] == {"billing": "1", "2": "2", "again": "*"}
    assert data["person"] == "desk" and data["asks"] == {}
    assert codes_of(MENU) == []


def test_the_key_is_the_content() -> None:
    site, same = site_of(MENU), site_of(MENU.replace("1: billing", "3: billing"))
    other = site_of(MENU.replace("my bill", "the bill"))
    assert list(site.grammars) == list(same.grammars) != list(other.grammars)
    assert all(spoken.key_of(each) == key for key, each in site.grammars.items())
    assert site.programs["default/main"].version != other.programs["default/main"].version


@pytest.mark.parametrize(("declared", "slot"), [
    ("digits 8", Slot("digits", 8, 8)), ("digits 4..6", Slot("digits", 4, 6)), ("digits", Slot("digits", 1, 64)),
    ("number", Slot("number")), ("date", Slot("date")), ("time", Slot("time")), ("flag", Slot("yes_no")),
    ("money EUR", Slot("amount", currency="EUR")), ("phone", Slot("digits", 3, 15)), ("text", Slot("spelled", 1, 64)),
    ("choice red green", Slot("choice", choices={"red": ("red", "crimson"), "green": ("green",)})),
])  # fmt: skip
def test_the_type_of_a_variable_says_how_it_is_said(declared: str, slot: Slot) -> None:
    site = site_of(lines(
        "ringdown: 1", "person: {none: a test}", f"variables: {{it: {declared}}}",
        "phrases: {red: [red, crimson]}", "flows:", "  main:", "    - answer",
        "    - gather: {into: it, prompt: hello, confirm: hello, listen: [keys, speech], failed: out}",
        "    - hangup: served", "  out: [hangup]",
    ))  # fmt: skip
    found = grammar(site)
    assert found.slots == {"it": slot} and meant(found, "") == ["$it"] and meant(found, "person") == []
    asked_back = grammar(site, "asks")
    assert "$it" in meant(asked_back, "no")[-1] and meant(asked_back, "yes")


@pytest.mark.parametrize(("person", "code"), [
    ("person: desk", []), ("person: {none: it is a test}", []), ("always: {0: desk}", []), ("about: no", ["RD283"]),
    ("person: none", ["RD283"]), ("person: {none: ''}", ["RD283"]), ("person: dask", ["RD031"]),
    ("person: {nobody: x}", ["RD283", "RD021"]),
])  # fmt: skip
def test_who_is_reached(person: str, code: list[str]) -> None:
    text = MENU.replace("person: desk", person).replace("  person: [the boss]\n", "")
    assert [each for each, _ in codes_of(text) if each != "RD050"] == code


def test_a_step_may_have_a_person_of_its_own() -> None:
    site = site_of(MENU.replace("        failed: desk", "        person: billing\n        failed: desk"))
    assert site.programs["default/main"].flows["main"][1].data["person"] == "billing"


def test_a_wait_list_takes_words_too() -> None:
    menu = "    - menu: {prompt: hello, listen: [keys, speech], choices: {1: billing}, failed: continue}"
    text = MENU + lines("waits:", "  hold:", menu, "    - music: 10s")
    queue = "queue: {name: support, waiting: hold, full: billing, no_agents: billing, timeout: billing}"
    text = text.replace("dial: {to: 200, failed: billing}", queue)
    site = site_of(text)
    (wait,) = site.programs["default/main"].waits.values()
    assert wait.said == {"billing": "1"} and meant(site.grammars[wait.hears["en"]], "billing") == ["billing", "my bill"]


def test_phrases_of_a_key_that_is_no_choice() -> None:
    assert "RD063" in [code for code, _ in codes_of(MENU.replace("{2: [two", "{7: [seven], 2: [two"))]


def test_variants() -> None:
    read = notation.read("[the] (help|service) desk", "en")
    assert sorted(" ".join(words) for words in spoken.variants(read)) == [
        "help desk", "service desk", "the help desk", "the service desk",
    ]  # fmt: skip
    many = notation.read(" ".join(f"(a{n}|b{n})" for n in "xyzuvwst"), "en")
    assert len(spoken.variants(many)) == spoken.variants_max


def test_several_languages_have_their_own_words() -> None:
    text = MENU.replace("billing: [billing, my bill]\n  person: [the boss]", "billing: {en: [billing], zh: [账单]}")
    text = text.replace("phrases: {2: [two, the second]}", "phrases:\n          2: {en: [two], zh: [第二]}")
    head = "ringdown: 1\nlanguages: [en, zh]\nnumbers: {100: main}\n"
    site = site_of(text, site=head, prompts__zh="hello: 你好。\n")
    hears = site.programs["default/main"].flows["main"][1].data["hears"]
    assert site.grammars[hears["zh"]].lines[0].phrase == "账单" and site.grammars[hears["zh"]].language == "zh"


def test_who_is_not_understood_hears_so_where_there_are_words_for_it() -> None:
    texts = "hello: Hello.\ndid_not_catch: I did not catch that.\n"
    with_words = site_of(MENU, prompts__en=texts).programs["default/main"].flows["main"][1].data
    assert with_words["no_match"] == {"en": ["en/did_not_catch"]}
    assert "no_match" not in site_of(MENU).programs["default/main"].flows["main"][1].data
