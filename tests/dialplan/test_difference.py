"""Two versions of a site, told in words of the business."""

from __future__ import annotations

from engine.dialplan.difference import SAME, difference
from engine.dialplan.model import Site
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n"
MAIN = """ringdown: 1
flows:
  main:
    - answer
    - play: hello
    - menu:
        prompt: choose
        timeout: 5s
        choices:
          3: support
          4: [hangup: served]
        failed: support
  support:
    - queue: {name: support, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  billing:
    - queue: {name: billing, full: bye, no_agents: bye, timeout: bye}
    - hangup: served
  bye:
    - hangup: failed
"""
QUEUES = "support: {ring: 20s}\nbilling: {}\n"
AGENTS = "200: {name: Ana, queues: [support, billing], team: front}\n"
OLD = {"site.yaml": SITE, "dialplans/main.yaml": MAIN, "queues.yaml": QUEUES, "agents.yaml": AGENTS}


def site(**changes: str) -> Site:
    """The base, with `file__name` for `file/name.yaml` replaced."""
    more = {key.replace("__", "/") + ".yaml": text for key, text in changes.items()}
    found, findings = read_site(files_with(OLD | more), STOCK)
    assert found is not None, findings
    return found


def told(**changes: str) -> list[str]:
    return difference(site(), site(**changes))


def test_one_version_has_no_difference() -> None:
    assert difference(site(), site()) == []


def test_a_remark_is_nothing_that_anybody_hears() -> None:
    assert told(dialplans__main="# a remark that moves every line\n" + MAIN) == [SAME]


def test_the_three_sentences_of_the_issue() -> None:
    menu = MAIN.replace("3: support", "3: billing").replace("    - play: hello\n", "")
    found = told(dialplans__main=menu, queues="support: {ring: 25s}\nbilling: {}\n")
    assert "key 3 of choose now leads to billing (was: support)" in found
    assert "no path uses the prompt hello any more" in found
    assert "queue support rings 25 s instead of 20 s" in found
    assert "flow main: no longer play(hello)" in found and len(found) == 4


def test_keys_come_and_go() -> None:
    found = told(dialplans__main=MAIN.replace("          4: [hangup: served]\n", "          star: billing\n"))
    assert "key 4 of choose leads nowhere any more (was: hangup(served))" in found
    assert "key star of choose now leads to billing" in found


def test_a_list_below_a_key_is_compared_step_by_step() -> None:
    longer = MAIN.replace("4: [hangup: served]", "4: [play: hello, hangup: served]")
    assert told(dialplans__main=longer) == ["key 4 of choose: now also play(hello) first"]


def test_options_and_prompts_of_a_step() -> None:
    assert told(dialplans__main=MAIN.replace("timeout: 5s", "timeout: 9s")) == [
        "flow main: menu(choose) has timeout 9 s instead of 5 s"
    ]
    other = told(dialplans__main=MAIN.replace("play: hello", "play: choose"))
    assert other == ["flow main: play(choose) instead of play(hello)", "no path uses the prompt hello any more"]


def test_an_inserted_step_leaves_the_others_alone() -> None:
    assert told(dialplans__main=MAIN.replace("    - menu:", "    - tag: begun\n    - menu:")) == [
        "flow main: now also tag(begun) behind play(hello)"
    ]


def test_flows_and_dialplans_come_and_go_and_what_nobody_reaches_is_told() -> None:
    reached = site(dialplans__main=MAIN.replace("3: support", "3: billing"))
    found = difference(reached, site(dialplans__main=MAIN.replace("failed: support", "failed: bye")))
    assert "no path leads to the queue billing any more" in found
    assert "no path leads to the flow billing any more" in found
    more = MAIN + "  late:\n    - hangup: served\n"
    assert told(dialplans__main=more) == ["new flow late: hangup(served)"]
    assert told(dialplans__other=MAIN)[0] == "new dialplan other"
    assert difference(site(dialplans__other=MAIN), site())[0] == "the dialplan other is gone"


def test_numbers() -> None:
    found = told(site=SITE + "  101: {dialplan: main, entry: billing, public: yes}\n")
    assert found == ["new number 101: leads to main at billing"]
    moved = told(site=SITE.replace("100: main", "100: {dialplan: main, entry: support}"))
    assert moved[0] == "the number 100 now leads to main at support (was: main)"
    opened = told(site=SITE.replace("100: main", "100: {dialplan: main, public: yes}"))
    assert opened == ["the number 100 is now open to everybody"]


def test_agents() -> None:
    found = told(agents="200: {name: Ana, queues: {support: 2}, team: front}\n201: {name: Bo, queues: [billing]}\n")
    assert found == [
        "agent 200 Ana has level 2 instead of 1 in support", "agent 200 Ana takes no calls of billing any more",
        "new agent 201 Bo, takes calls of billing",
    ]  # fmt: skip


def test_tables_without_rules_of_their_own_are_compared_field_by_field() -> None:
    found = told(trunks="carrier: {host: other.example.net, user: x, auth: secret carrier, country: gb}\n")
    assert found == ["trunk carrier has host other.example.net instead of sip.example.net",
                     "trunk carrier has country gb instead of us"]  # fmt: skip
    assert told(queues="support: {ring: 20s}\nbilling: {}\nextra: {}\n") == ["new queue extra"]
    assert told(site=SITE + "time_zone: Europe/London\n") == [
        "tenant default has time zone Europe/London instead of UTC"
    ]


def test_prompts_said_otherwise_and_recorded_anew() -> None:
    files = files_with(OLD)
    files["prompts/en/hello.wav"] = WavInfo(900, sha256="b")
    recorded, _ = read_site(files, STOCK)
    assert recorded is not None and "the prompt en/hello is recorded anew" in difference(site(), recorded)
    found = told(prompts__en="hello: Good day.\nchoose: Choose now.\n")
    assert found == ["the prompt en/hello now says 'Good day.', but its recording is the old one"]
