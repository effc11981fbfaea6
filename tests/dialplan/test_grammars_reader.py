"""grammars.yaml: grammars by name in menus, gathers and `ask`, and the site's own pronunciations in what they hear."""

from __future__ import annotations

import pytest

from engine import limits
from engine.dialplan.findings import Finding
from engine.dialplan.model import Site
from engine.dialplan.reader import check_site, read_site
from engine.speech.grammar import Grammar, Slot
from engine.speech.matcher import Matcher
from tests.dialplan.site import STOCK, files_with, site_of

GRAMMARS = """
words:
  nguyen: [like win, N UW Y EH N]
  zonk: Z AA NG K
grammars:
  departments:
    phrases:
      billing: [billing, my bill]
      2: [the second]
    fillers: [um]
  visit:
    about: what callers of a clinic ask for
    phrases: ["an appointment [with $who]", "on $day"]
    slots: {who: doctors, day: date}
  doctors:
    phrases: {nguyen: [doctor nguyen], smith: [doctor smith, smith]}
  code:
    phrases: ["my code is $code"]
    slots: {code: digits 4}
    fillers: no
"""
PLAN = """ringdown: 1
person: bye
variables: {day: date, who: choice nguyen smith, code: digits 4}
phrases: {smith: [overruled], billing: [overruled]}
flows:
  main:
    - answer
    - menu:
        prompt: hello
        listen: [keys, speech]
        grammar: departments
        choices: {1: billing, 2: [hangup]}
        failed: bye
  billing:
    - ask:
        prompt: hello
        listen: [keys, speech]
        grammar: visit
        slots: {who: {prompt: hello}, day: {prompt: hello}}
        failed: bye
    - gather: {into: who, prompt: hello, listen: [keys, speech], grammar: doctors, failed: bye}
    - gather: {into: code, prompt: hello, listen: [keys, speech], grammar: code, failed: bye}
    - tag: $who $day $code
    - hangup: served
  bye: [hangup]
"""


def findings(dialplan: str = PLAN, grammars: str = GRAMMARS) -> list[Finding]:
    return read_site(files_with({"dialplans/main.yaml": dialplan, "grammars.yaml": grammars}), STOCK)[1]


def heard(site: Site, verb: str, number: int = 0) -> Grammar:
    steps = [step for flow in site.programs["default/main"].flows.values() for step in flow if step.verb == verb]
    return site.grammars[steps[number].data["hears"]["en"]]


def test_a_menu_takes_its_phrases_from_a_grammar() -> None:
    site = site_of(PLAN, grammars=GRAMMARS)
    found = heard(site, "menu")
    said = {line.phrase: line.intent for line in found.lines}
    assert said["my bill"] == "billing" and said["the second"] == "2" and "overruled" not in said
    assert found.polite == ("um",) and found.words == {}
    assert [each.intent for each in Matcher(found).read("um my bill please".split())][:1] == ["billing"]


def test_an_ask_takes_sentences_and_the_values_of_another_grammar() -> None:
    found = heard(site_of(PLAN, grammars=GRAMMARS), "ask")
    assert found.any_order and found.slots["day"] == Slot("date")
    assert found.slots["who"].choices == {"nguyen": ("doctor nguyen",), "smith": ("doctor smith", "smith")}
    assert found.words == {"nguyen": ("like win", "N UW Y EH N")}, "only those of its own words"
    read = Matcher(found).read("an appointment with doctor nguyen on the fourth of may".split(), "2026-03-01")
    assert read[0].slots == {"who": "nguyen", "day": "2026-05-04"}


def test_a_gather_takes_the_words_of_a_choice_or_sentences_around_its_value() -> None:
    site = site_of(PLAN, grammars=GRAMMARS)
    in_ask = 2  # of its two slots
    assert heard(site, "gather", in_ask).slots["who"].choices["smith"] == ("doctor smith", "smith")
    code = heard(site, "gather", in_ask + 1)
    assert not code.fillers
    assert Matcher(code).read("my code is one two three four".split())[0].slots == {"code": "1234"}


def test_a_grammar_is_the_same_by_its_content_and_another_with_another_pronunciation() -> None:
    one = site_of(PLAN, grammars=GRAMMARS)
    same = site_of(PLAN, grammars=GRAMMARS.replace("Z AA NG K", "Z AO NG K"))
    other = site_of(PLAN, grammars=GRAMMARS.replace("N UW Y EH N", "N UW IH N"))
    assert list(one.grammars) == list(same.grammars) != list(other.grammars)


def test_tenants_have_grammars_of_their_own_and_the_words_of_the_platform() -> None:
    files = files_with({
        "grammars.yaml": GRAMMARS, "tenants/press/tenant.yaml": "name: Press\n",
        "tenants/press/dialplans/main.yaml": PLAN, "tenants/press/prompts/en.yaml": "hello: Hello.\n",
        "tenants/press/grammars.yaml": GRAMMARS.replace("  nguyen: [like win, N UW Y EH N]\n", "").replace("um", "er"),
    })  # fmt: skip
    site, found = read_site(files, STOCK)
    assert site is not None, found
    steps = site.programs["press/main"].flows
    ask = site.grammars[steps["billing"][0].data["hears"]["en"]]
    assert ask.words == {"nguyen": ("like win", "N UW Y EH N")}
    assert site.grammars[steps["main"][1].data["hears"]["en"]].polite == ("er",)
    alone = files_with({"tenants/press/tenant.yaml": "name: Press\n", "tenants/press/dialplans/main.yaml": PLAN,
                        "grammars.yaml": GRAMMARS})  # fmt: skip
    assert "RD287" in [each.code for each in read_site(alone, STOCK)[1]]


@pytest.mark.parametrize(("old", "new", "code", "place"), [
    ("grammar: departments", "grammar: visit", "RD288", ("dialplans/main.yaml", 11, 18)),
    ("day: date, who", "day: time, who", "RD288", ("dialplans/main.yaml", 18, 18)),
    ("choice nguyen smith", "choice jones smith", "RD288", ("dialplans/main.yaml", 18, 18)),
    ("who: choice nguyen smith", "who: text", "RD288", ("dialplans/main.yaml", 18, 18)),
    ("grammar: departments", "grammar: departements", "RD287", ("dialplans/main.yaml", 11, 18)),
])  # fmt: skip
def test_a_grammar_that_does_not_fit(old: str, new: str, code: str, place: tuple[str, int, int]) -> None:
    told = findings(PLAN.replace(old, new))
    assert (code, *place) in [(each.code, each.file, each.line, each.column) for each in told], told


@pytest.mark.parametrize(("text", "code", "line", "column"), [
    ("grammars: [a]\n", "RD023", 1, 11), ("grammers: {}\n", "RD021", 1, 1),
    ("grammars:\n  date: {phrases: [a]}\n", "RD027", 2, 3),
    ("grammars:\n  a: {}\n", "RD022", 2, 3), ("grammars:\n  a: {phrase: [b]}\n", "RD021", 2, 7),
    ("grammars:\n  a:\n    phrases: [on $day]\n", "RD286", 3, 15),
    ("grammars:\n  a:\n    phrases: [on $day]\n    slots: {day: digits 99}\n", "RD073", 4, 18),
    ("grammars:\n  a:\n    phrases: [on $day]\n    slots: {day: duration}\n", "RD284", 4, 18),
    ("grammars:\n  a:\n    phrases: [b]\n    fillers: ['u(m']\n", "RD280", 4, 17),
    ("grammars:\n  a:\n    phrases: [b]\n    any_order: perhaps\n", "RD024", 4, 16),
    ("words: {x: QQ}\n", "RD290", 1, 12),
])  # fmt: skip
def test_what_is_wrong_in_the_file(text: str, code: str, line: int, column: int) -> None:
    told = [(each.code, each.line, each.column) for each in findings(grammars=text) if each.file == "grammars.yaml"]
    assert (code, line, column) in told


def test_too_many_phrases() -> None:
    names = [f"{a}{b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnopqrstuvwxyz"]
    held = "".join(f"  {name}: {{phrases: [{', '.join(['go ' + name] * 100)}]}}\n" for name in names[:51])
    assert limits.named_phrases_max == 5_000
    told = [each for each in findings(grammars=f"{GRAMMARS}{held}") if each.severity == "error"]
    assert [(each.code, each.file) for each in told] == [("RD024", "grammars.yaml")]


def test_where_nobody_listens_no_grammar_is_named() -> None:
    told = findings(PLAN.replace("        listen: [keys, speech]\n        grammar: dep", "        grammar: dep"))
    assert ("RD289", 10) in [(each.code, each.line) for each in told]


def test_advice_is_told_in_the_grammar_and_says_what_to_write() -> None:
    class Lexicon:
        def of(self, word: str) -> tuple[str, ...]:
            return () if word in ("xyzzy", "wug") else ("K AH T AH",)

        def guess(self, word: str) -> tuple[str, ...]:
            return ("Z IH Z IY",)

    grammars = GRAMMARS.replace("doctor smith, smith", "doctor smith, the xyzzy").replace("like win", "like the wug")
    files = files_with({"dialplans/main.yaml": PLAN, "grammars.yaml": grammars})
    told = [each for each in check_site(files, STOCK, None, 0, True, {"en": Lexicon()}.get).findings
            if each.code == "RD310"]  # fmt: skip
    places = [(each.file, each.line, each.column) for each in told]
    assert places == [("grammars.yaml", 3, 21), ("grammars.yaml", 16, 66)]
    assert "words: {xyzzy: Z IH Z IY}" in told[1].suggestion
