"""`--fix`: only what has one meaning, nothing else in the file touched, and a second time nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.dialplan.mending import MENDABLE, mend
from engine.dialplan.reader import check_site, read_site
from tests.dialplan.site import BASE, STOCK, files_with
from tests.dialplan.test_broken import BROKEN, head_of

MAIN = "dialplans/main.yaml"
HEAD = "ringdown: 1   # the format\nabout: A plan\nvariables: {tier: choice standard vip = standard}  # and so\n"
FLOWS = "flows:\n  main:\n    - answer   # at once\n%s    # the end\n    - hangup: served\n  bye:\n    - hangup\n"
MENU = "    - menu:\n        prompt: choose\n%s        failed: bye\n"
CHOICES = MENU % "        choices:\n          %s\n          1: bye\n"


def step(text: str) -> str:
    return HEAD + FLOWS % text


FIXED = {
    "star key": (step(CHOICES % "*: bye # star"), step(CHOICES % "star: bye # star")),
    "hash key": (step(CHOICES % "#: bye"), step(CHOICES % "hash: bye")),
    "other words for keys": (step(CHOICES % "pound: bye"), step(CHOICES % "hash: bye")),
    "a misspelt verb": (step("    - plaay: hello\n"), step("    - play: hello\n")),
    "a misspelt option": (step(MENU % "        choices: {1: bye}\n        timout: 4s\n"),
                          step(MENU % "        choices: {1: bye}\n        timeout: 4s\n")),
    "equals twice": (step("    - when:\n        - if: tier == vip   # dear\n          then: bye\n"),
                     step("    - when:\n        - if: tier = vip   # dear\n          then: bye\n")),
    "the value first": (step("    - when:\n        - if: 'vip' = tier   # dear\n          then: bye\n"),
                        step("    - when:\n        - if: tier = 'vip'   # dear\n          then: bye\n")),
    "and in another language": (
        step("    - when:\n        - if: tier = vip&&tier != standard\n          then: bye\n"),
        step("    - when:\n        - if: tier = vip and tier != standard\n          then: bye\n")),
    "a dollar": (step("    - when:\n        - if: $tier = vip\n          then: bye\n"),
                 step("    - when:\n        - if: tier = vip\n          then: bye\n")),
    "a unit": (step("    - silence: 30 seconds # so long\n"), step("    - silence: 30s # so long\n")),
    "a unit of a letter": (step("    - silence: 5m\n"), step("    - silence: 5min\n")),
    "a second colon": (HEAD.replace("A plan", "Line 5: north") + FLOWS % "",
                       HEAD.replace("A plan", "'Line 5: north'") + FLOWS % ""),
    "a tag": (HEAD.replace("A plan", "!important it's") + FLOWS % "",
              HEAD.replace("A plan", "'!important it''s'") + FLOWS % ""),
    "text over lines": (HEAD.replace("A plan", "A plan\n  over lines\n  of text") + FLOWS % "",
                        HEAD.replace("A plan", "'A plan over lines of text'") + FLOWS % ""),
    "tabs as indentation": (step("    - play: hello\n").replace("    - ", "\t\t- ").replace("  main", "\tmain")
                            .replace("  bye:", "\tbye:").replace("    #", "\t\t#"),
                            step("    - play: hello\n")),
    "a tab in a line": (step("    - play:\thello\n"), step("    - play: hello\n")),
    "a control character": (step("    - play: hello\x07\n"), step("    - play: hello\n")),
    "an invisible line break": (HEAD.replace("A plan", "A\u2028plan") + FLOWS % "", HEAD + FLOWS % ""),
    "no format line": ("# a plan\n\n" + step("").replace("ringdown: 1   # the format\n", ""),
                       "# a plan\n\nringdown: 1\n" + step("").replace("ringdown: 1   # the format\n", "")),
    "an older format line": (step("").replace("ringdown: 1 ", "ringdown: 0.1 "), step("")),
    "the same line twice": (step(CHOICES % "2: bye\n          2: bye"), step(CHOICES % "2: bye")),
    "a waiver of nothing": (step("").replace("flows:", "allow:\n  RD201: so it is\nflows:"), step("")),
    "one waiver of two": (
        step("    - silence\n").replace("flows:", "allow:\n  RD201: so\n  RD054: b\n  RD200: c\nflows:"),
        step("    - silence\n").replace("flows:", "allow:\n  RD201: so\n  RD054: b\nflows:")),
    "a waiver in brackets": (step("").replace("flows:", "allow: {main: {RD201: so it is}}\nflows:"), step("")),
    "windows line ends": (step("    - plaay: hello\n").replace("\n", "\r\n"),
                          step("    - play: hello\n").replace("\n", "\r\n")),
    "a byte order mark": ("\ufeff" + HEAD.replace("ringdown: 1", "ringdown: 1.0") + FLOWS % "", "\ufeff" + step("")),
    "several at once": (step("    - plaay: hello\n" + CHOICES % "*: bye").replace("ringdown: 1 ", "ringdown: v1 "),
                        step("    - play: hello\n" + CHOICES % "star: bye")),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
def test_a_fix_changes_its_place_and_nothing_else(name: str) -> None:
    wrong, right = FIXED[name]
    files = files_with({MAIN: wrong})
    changed, mended = mend(files, STOCK)
    assert {path: content.decode() for path, content in changed.items()} == {MAIN: right}
    assert mended
    assert all(each.code in MENDABLE for each in mended)
    # a mended file is clean, and stays as it is
    assert [each for each in read_site({**files, **changed}, STOCK)[1] if each.severity == "error"] == []
    assert mend({**files, **changed}, STOCK) == ({}, [])


@pytest.mark.parametrize(
    "wrong",
    [
        step("    - goto: bie\n"),  # which flow is for the admin to say
        step("    - queue: {name: suport, full: bye, no_agents: bye, timeout: bye}\n"),
        HEAD + FLOWS % "    - say: press # to end\n",  # was it a comment?
        step(CHOICES % "2: bye\n          2: main"),
        step("    - xyz: hello\n"),
        step("").replace("ringdown: 1 ", "ringdown: 7 "),
        step("    - when:\n        - if: >= 3\n          then: bye\n"),
        step("    - silence: 5 fortnights\n"),
        step("    - music\n").replace("flows:", "allow: {RD201: so, RD200: b}\nflows:"),
    ],
)
def test_what_could_mean_two_things_is_left(wrong: str) -> None:
    assert mend(files_with({MAIN: wrong}), STOCK) == ({}, [])


def test_other_files_and_tenants_are_mended_too() -> None:
    files = files_with(
        {
            "queues.yaml": "support: {strategie: ring-all, skills: [power]}   # all\n",
            "tenants/press/tenant.yaml": "namme: Press\n",
            "site.yaml": "languages: [en]\nnumbers: {100: main}\ncodes: {login: *50}\n",
        }
    )
    changed, _ = mend(files, STOCK)
    assert {path: content.decode() for path, content in changed.items()} == {
        "queues.yaml": "support: {strategy: ring-all, skills: [power]}   # all\n",
        "tenants/press/tenant.yaml": "name: Press\n",
        "site.yaml": "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\ncodes: {login: '*50'}\n",
    }


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_the_corpus_is_mended_or_left_and_keeps_its_comments(path: Path) -> None:
    code, place, name = head_of(path)
    files = {**BASE, name: path.read_bytes()}
    changed, mended = mend(files, STOCK)
    assert set(changed) <= {name}
    again = {**files, **changed}
    assert mend(again, STOCK) == ({}, [])
    if not mended:
        assert changed == {}
        return
    before = [line.partition(b"#")[2] for line in path.read_bytes().split(b"\n") if line.lstrip().startswith(b"# ")]
    assert all(comment in changed[name] for comment in before)
    left = [(each.code, (each.line, each.column)) for each in check_site(again, STOCK).findings]
    assert (code, place) not in left


def test_bytes_that_are_no_text_are_left() -> None:
    assert mend({**BASE, MAIN: b"\xff\xfe"}, STOCK) == ({}, [])
