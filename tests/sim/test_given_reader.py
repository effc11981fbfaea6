"""`given:`: who calls what, when, and who is there; what the site hasn't is refused with what was meant."""

from __future__ import annotations

import pytest

from engine.sim.rehearsal import Rehearsal
from engine.sim.transcript_reader import read
from tests.sim.shows import SITE, given_of, good, refused, site


def test_what_is_not_said_is_usual() -> None:
    given = given_of("caller: 5550100")
    assert (given.dialled, given.tenant, given.caller, given.zone) == ("100", "default", "5550100", "Europe/London")
    assert given.agents == {} and given.trunk == "" and given.host == "192.0.2.77"
    assert given.wall_ms == 1_772_618_400_000


def test_the_number_is_that_of_the_dialplan_itself() -> None:
    tests, _ = read(b"ringdown: 1\ntests:\n  a:\n    - wait: 1s\n", "dialplans/main.test.yaml", site())
    assert tests is not None and tests.tests[0].given.dialled == "100"  # public, and its own entry


def test_a_trunk_brings_what_is_not_public() -> None:
    given = given_of("trunk: carrier")
    assert (given.trunk, given.host) == ("carrier", "203.0.113.1")
    text = b"ringdown: 1\ngiven: {dialled: 600}\ntests:\n  a:\n    - wait: 1s\n"
    tests, _ = read(text, "dialplans/main.test.yaml", site())
    assert tests is not None and tests.tests[0].given.trunk == "carrier"


@pytest.mark.parametrize(
    ("agents", "expected"),
    [
        ("{support: 2}", {"default/201": "ready", "default/202": "ready"}),
        ("{support: 0 of 2}", {"default/201": "not_ready", "default/202": "not_ready"}),
        ("{support: 1 of 2}", {"default/201": "ready", "default/202": "not_ready"}),
        ("{202: talking}", {"default/202": "talking"}),
        ("[201]", {"default/201": "ready"}),
        ("{201: logged_out, support: 1}", {"default/202": "ready"}),
        ("[support]", {"default/201": "ready", "default/202": "ready"}),
    ],
)
def test_agents_by_queue_or_by_number(agents: str, expected: dict[str, str]) -> None:
    assert given_of(f"agents: {agents}").agents == expected


def test_a_test_adds_to_the_files_given() -> None:
    text = (
        "ringdown: 1\ngiven: {dialled: 100, caller: 111, agents: {201: ready}}\ntests:\n"
        "  a:\n    - given: {caller: 222, agents: {202: talking}}\n    - wait: 1s\n"
    )
    tests, findings = read(text.encode(), "dialplans/main.test.yaml", site())
    assert tests is not None, findings
    given = tests.tests[0].given
    assert given.caller == "222" and given.agents == {"default/201": "ready", "default/202": "talking"}


@pytest.mark.parametrize(
    ("given", "code", "word"),
    [
        ("dialled: 1000", "RD233", "did you mean '100'"),
        ("dialled: 100, agents: {suport: 1}", "RD233", "did you mean 'support'"),
        ("dialled: 100, agents: {support: 3}", "RD233", "it has 2"),
        ("dialled: 100, agents: {201: asleep}", "RD024", "known here: ready"),
        ("dialled: 100, trunk: carier", "RD036", "did you mean 'carrier'"),
        ("dialled: 100, caller: bob", "RD024", "no caller's number"),
        ("dialled: 100, colour: red", "RD021", "no key 'colour'"),
        ("dialled: 100, waiting: {suport: 1}", "RD032", "did you mean 'support'"),
        ("dialled: 100, waiting: {support: 9999}", "RD024", "from 0 to 200"),
        ("dialled: 100, calendars: {office: shut}", "RD024", "known here: open"),
        ("dialled: 100, closed: [suport]", "RD032", "did you mean 'support'"),
    ],
)
def test_what_the_site_has_not_is_refused(given: str, code: str, word: str) -> None:
    finding = refused(f"ringdown: 1\ngiven: {{{given}}}\ntests:\n  a:\n    - wait: 1s\n")[0]
    assert finding.code == code and word in f"{finding.message} {finding.suggestion}" and finding.line == 2


def test_a_box_that_registers_brings_calls_too() -> None:
    made = site(**{"trunks.yaml": "attic: {register: accept, account: attic, auth: secret attic}\n"})
    text = b"ringdown: 1\ngiven: {dialled: 600}\ntests:\n  a:\n    - wait: 1s\n"
    tests, findings = read(text, "dialplans/main.test.yaml", made)
    assert tests is not None, findings
    given = tests.tests[0].given
    assert (given.trunk, given.host) == ("attic", "198.51.100.1")
    began = Rehearsal(made, given).events("call.started")[0]
    assert (began.data["trunk"], began.data["via"]) == ("attic", "trunk")


def test_a_number_that_nobody_reaches_is_told() -> None:
    made = site(**{"trunks.yaml": ""})
    finding = refused("ringdown: 1\ngiven: {dialled: 600}\ntests:\n  a:\n    - wait: 1s\n", of=made)[0]
    assert finding.code == "RD234" and "public: yes" in finding.suggestion


def test_a_dialplan_without_a_number_asks_for_one() -> None:
    made = site(**{"site.yaml": SITE.replace("  100: {dialplan: main, public: yes}\n", "  9: side\n"),
                   "dialplans/side.yaml": "ringdown: 1\nflows:\n  main:\n    - reject: 603\n"})
    tests, findings = read(b"ringdown: 1\ntests:\n  a:\n    - wait: 1s\n", "dialplans/other.test.yaml", made)
    assert tests is None and findings[0].code == "RD233" and "which number" in findings[0].message


# --- recordings elsewhere ---------------------------------------------------------------------------------------
NEWS = "https://news.example/today.mp3"
ELSEWHERE = site(**{"dialplans/main.yaml": f"""
ringdown: 1
flows:
  main:
    - answer
    - play_url: {{url: '{NEWS}', failed: down}}
    - play: hello
    - hangup: served
  down:
    - play: goodbye
    - hangup: failed
""", "site.yaml": "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: {dialplan: main, public: yes}\n"})  # fmt: skip


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ("caller: 5550101", f"- hears: ['{NEWS}', hello]\n- record: {{kind: call.fetch, result: ok}}"),
        (f"unreachable: ['{NEWS}']", "- hears: goodbye\n- record: {kind: call.fetch, reason: status 404}"),
    ],
)
def test_a_recording_elsewhere_is_heard_at_once_or_can_not_be_fetched(given: str, lines: str) -> None:
    story = good(lines, given=given, of=ELSEWHERE).story
    assert any(NEWS in text for text in map(str, story)) == (given == "caller: 5550101")


def test_only_what_is_fetched_can_fail_to_be() -> None:
    text = f"ringdown: 1\ngiven:\n  dialled: 100\n  unreachable: ['{NEWS[:-1]}']\ntests:\n  a:\n    - wait: 1s\n"
    finding = refused(text, of=ELSEWHERE)[0]
    assert finding.code == "RD233" and NEWS in finding.suggestion
