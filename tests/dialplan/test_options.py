"""Option kinds: prompts in several languages, slots, needs, targets, sensitive values."""

from __future__ import annotations

import pytest

from engine.dialplan import linker
from engine.dialplan.options import SIP_STATUSES
from engine.dialplan.verbs.shape import STRUCTURE
from engine.dialplan.verbs.table import VERBS
from tests.dialplan.site import codes_of, site_of

VARIABLES = "code: digits 4 = 1234, count: number = 1, pin: digits 4 sensitive = 1234, who: text = x"
HEAD = f"ringdown: 1\nvariables: {{{VARIABLES}}}\n"
MAIN = HEAD + "flows:\n  main:\n    - answer\n"
USED = "    - when: [{if: code = pin and count = 1 and who = 'x', then: main2}]\n    - hangup\n  main2:\n    - hangup\n"


def codes(step: str, **more: str) -> list[tuple[str, int]]:
    return codes_of(MAIN + step + USED, **more)


def test_every_kind_has_a_rule() -> None:
    kinds = {option.kind for verb in VERBS.values() for option in verb.options.values()}
    assert kinds - {*linker.RULES} == set(STRUCTURE)


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("    - say: $code and ${count as number}\n", []),
        ("    - say: ${who as digits}\n", []),
        ("    - say: ${code as number}\n", []),
        ("    - say: $who\n", [("RD078", 6)]),
        ("    - say: ${who as number}\n", [("RD078", 6)]),
        ("    - say: ${code as money}\n", [("RD078", 6)]),
        ("    - say: $pin\n", [("RD079", 6)]),
        ("    - say: $nothing\n", [("RD034", 6)]),
        ("    - say: $access.nothing\n", [("RD042", 6)]),
        ("    - say: press $ now\n", [("RD071", 6)]),
        ("    - tag: $pin\n", [("RD079", 6)]),
        ("    - tag: $nothing\n", [("RD034", 6)]),
        ("    - tag: ${\n", [("RD071", 6)]),
        ("    - tag: caller $access.caller has $count\n", []),
        ("    - play: $who\n", [("RD077", 6)]),
        ("    - play: [hello, tone/beep, music/default, thank_you]\n", []),
        ("    - play: tone/bep\n", [("RD033", 6)]),
        ("    - music: {name: [default, tone/silence], for: 3s}\n", []),
        ("    - queue: {name: $who, full: main2, no_agents: main2, timeout: main2}\n", [("RD077", 6)]),
        (
            "    - queue: {name: support, needs: {power: 99}, full: main2, no_agents: main2, timeout: main2}\n",
            [("RD024", 6)],
        ),
        ("    - queue: {name: support, needs: {language: 2}, full: main2, no_agents: main2, timeout: main2}\n", []),
        ("    - dial: {to: $count, failed: main2}\n", [("RD070", 6)]),
        ("    - dial: {to: $nothing, failed: main2}\n", [("RD034", 6)]),
        ("    - dial: {to: [200, agent 200, $code], failed: main2}\n", []),
        ("    - dial: {to: 'sip:user:password@host', failed: main2}\n", [("RD035", 6)]),
        ("    - dial: {to: 200, caller_id: me, failed: main2}\n", [("RD082", 6)]),
        ("    - gather: {into: $code, failed: main2}\n", [("RD077", 6)]),
        ("    - gather: {into: code, terminator: '#', failed: main2}\n", [("RD024", 6)]),
        ("    - record: {into: code}\n", [("RD074", 6)]),
        ("    - set: {code: 12345}\n", [("RD070", 6)]),
        ("    - set: {code: 0042, count: count + 1, who: access.caller}\n", []),
    ],
)
def test_options(step: str, found: list[tuple[str, int]]) -> None:
    assert [each for each in codes(step) if each[0] != "RD091"] == found


@pytest.mark.parametrize("word", ["abc", "99", "200", "700", "4866", "²", "-486"])
def test_statuses(word: str) -> None:
    assert ("RD085", 5) in codes_of(f"ringdown: 1\nflows:\n  main:\n    # {word}\n    - reject: {word}\n")
    assert 486 in SIP_STATUSES


def test_needs_in_their_longer_form() -> None:
    outs = "full: main2, no_agents: main2, timeout: main2"
    text = "    - queue:\n        name: support\n        needs:\n          - {skills: {power: 2}}\n"
    text += "".join(f"        {each}\n" for each in outs.split(", "))
    site = site_of(MAIN + text + USED)
    assert site.programs["default/main"].flows["main"][1].data["needs"] == [["power", 2]]
    relaxing = text.replace("{skills: {power: 2}}", "{skills: {power: 2}, for: 60s}")
    assert ("RD024", 9) in codes_of(MAIN + relaxing + USED), "the last step lasts until the end"


def test_words_in_one_language_are_told_when_there_are_two() -> None:
    found = codes("    - say: You pressed $code\n", site="ringdown: 1\nlanguages: [en, zh]\n")
    assert ("RD090", 6) in found
