"""The reference is true: every example of LANGUAGE.md loads, and names every verb, type and code that it must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.dialplan.actions import Digit, Hangup, QueueEnded
from engine.dialplan.findings import CODES
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from engine.dialplan.strategies import NAMES as STRATEGIES
from engine.dialplan.types import KINDS
from engine.dialplan.verbs.table import VERBS
from tests.dialplan.site import ADVICE, STOCK, Caller, files_with, site_of

REFERENCE = (Path(__file__).parents[2] / "dialplans" / "LANGUAGE.md").read_text("utf-8")
# what the examples need
QUEUES = "support:\n  skills: [power]\n  max_wait: 20min\n  callback: {allow: ['0'], typed_numbers: yes}\n"
CALENDARS = "office:" + REFERENCE.partition("```\noffice:")[2].partition("```")[0]  # the reference's own
LOOKUPS = "check_pin:\n  post: https://a/b\n  send: {account: $account, pin: $pin}\n  returns: {ok: flag = no}\n"
SITE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\nparking: {slots: 71-79}\n"
SURVEYS = "after_call:\n  questions:\n    happy: {prompt: choose}\n"
EXAMPLES = re.findall(r"```yaml\n(ringdown: 1\n.*?)```", REFERENCE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_loads_without_a_finding(number: int) -> None:
    files = files_with({
        "dialplans/main.yaml": EXAMPLES[number], "queues.yaml": QUEUES, "calendars.yaml": CALENDARS,
        "lookups.yaml": LOOKUPS, "site.yaml": SITE, "surveys.yaml": SURVEYS,
    })  # fmt: skip
    site, findings = read_site(files, STOCK)
    # an excerpt shows one thing; advice is for whole sites
    assert [finding for finding in findings if finding.code not in ADVICE] == []
    assert site is not None


def test_the_reference_names_everything_that_is_built() -> None:
    assert len(EXAMPLES) >= 6
    for verb in VERBS.values():
        assert f"`{verb.name}" in REFERENCE or f"- {verb.name}" in REFERENCE, verb.name
        for option in [*verb.options, *verb.outcomes]:
            assert option == verb.main or option in REFERENCE, (verb.name, option)
    for kind in KINDS:
        assert f"`{kind}" in REFERENCE


def test_every_code_is_listed_with_its_title() -> None:
    for code, (severity, title, _) in CODES.items():
        mark = "" if severity == "error" else " (warning)"
        assert f"{code} {title}{mark}" in REFERENCE, code


def test_the_fragments_of_site_files_load() -> None:
    # every second part between fences is inside one
    fragments = [each.partition("\n")[2] for each in REFERENCE.split("```")[1::2]]
    queues = next(each for each in fragments if each.startswith("support:"))
    agents = next(each for each in fragments if each.startswith("201:"))
    trunks = next(each for each in fragments if each.startswith("carrier:"))
    outbound = next(each for each in fragments if each.startswith("00.:"))
    files = files_with(
        {
            "queues.yaml": queues + "sales: {strategy: ring-all}\n",
            "agents.yaml": agents,
            "trunks.yaml": trunks,
            "outbound.yaml": outbound,
            "music/jazz.wav": "",
        }
    )
    files["music/jazz.wav"] = WavInfo(60_000)
    site, findings = read_site(files, STOCK)
    assert findings == []
    assert site is not None
    assert site.queues["default/support"].music == ("music/default", "music/jazz")
    assert site.agents["default/202"].queues == (("default/support", 1, 1), ("default/sales", 2, 2))
    assert site.trunks["carrier"].secret == "carrier"


def test_the_first_example_is_walked() -> None:
    caller = Caller(site_of(EXAMPLES[0]))
    caller.answered()
    caller.played()
    caller.tell(Digit("2"))
    caller.played()
    caller.tell(QueueEnded(caller.run.ticket, "served"))
    assert caller.one(Hangup) == Hangup("served", 16)


def test_every_strategy_has_its_row() -> None:
    rows = REFERENCE.partition("| strategy | who is asked |")[2].partition("\n\n")[0]
    first = [row.split("|")[1] for row in rows.splitlines()[2:]]
    assert sorted(name for cell in first for name in re.findall(r"`([a-z-]+)`", cell)) == sorted(STRATEGIES)


def test_the_grammars_of_the_reference_load_with_the_steps_that_name_them() -> None:
    fragments = [each.partition("\n")[2] for each in REFERENCE.split("```")[1::2]]
    grammars = next(each for each in fragments if each.startswith("# grammars.yaml\n"))
    steps = next(each for each in fragments if "grammar: departments" in each and not each.startswith("#"))
    menu, _, ask = steps.partition("- ask:")
    plan = f"ringdown: 1\nperson: person\nflows:\n  main:\n    - answer\n    {menu}  visit:\n    - ask:"
    plan += "".join(f"    {line}\n" for line in ask.splitlines()).replace("    \n", "\n", 1)
    plan += "    - tag: $who $day $hour\n    - hangup: served\n  person: [hangup]\n  bye: [hangup]\n"
    plan += "variables: {who: choice nguyen smith, day: date, hour: time}\n"
    site, findings = read_site(files_with({"dialplans/main.yaml": plan, "grammars.yaml": grammars}), STOCK)
    assert site is not None and [each for each in findings if each.code not in ADVICE] == []
