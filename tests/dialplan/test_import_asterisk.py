"""extensions.conf -> flows: what is converted means the same, what isn't is listed."""

from __future__ import annotations

import random

import pytest

from engine.dialplan import import_asterisk, imported
from engine.dialplan.findings import render
from engine.dialplan.imported import Imported
from engine.dialplan.reader import read_site
from engine.runtime.site_files import stock_prompts

EXTENSIONS = """\
[globals]
RINGTIME=20
[from-trunk]
exten => s,1,NoOp(a call comes in)
 same => n,Wait(1)
 same => n(again),Background(custom/welcome&main-menu)
 same => n,WaitExten(8)
exten => 1,1,Goto(sales,s,1)
exten => 2,1,Goto(support,s,1)
exten => 3,1,Playback(custom/hours)
 same => n,Goto(s,again)
exten => 9,1,Dial(PJSIP/201&SIP/ana,${RINGTIME},tT)
 same => n,Voicemail(201@default,u)
 same => n,Playback(vm-goodbye)
 same => n,Hangup()
exten => 12,1,Playback(never)
exten => i,1,Playback(pbx-invalid)
 same => n,Goto(s,again)
exten => t,1,Hangup()
exten => h,1,NoOp(over)
[sales]
exten => s,1,Answer
exten => s,n,Queue(sales,tT,,,120)
exten => s,n,Playback(vm-nobodyavail)
exten => s,n,Hangup(17)
[support]
include => keys
exten => s,1,Background(support-menu)
 same => n,WaitExten(5)
 same => n,Goto(sales,s,1)
exten => _[1-2],1,Read(ACCOUNT,enter-account,8,,2,5)
 same => n,AGI(lookup.py,${ACCOUNT})
 same => n,Queue(support)
[keys]
exten => *,1,Goto(from-trunk,s,again)
[internal]
exten => 201,1,Dial(SIP/201)
exten => 500,1,Answer
exten => 500,n,MusicOnHold(default,30)
exten => 500,n,Busy()
exten => _0X.,1,Dial(SIP/carrier/${EXTEN:1})
exten => 600,1,Goto(nowhere,s,1)
"""
QUEUES = "[sales]\nmember => SIP/201\n[support]\nmember => SIP/202\n"


def converted(text: str = EXTENSIONS) -> Imported:
    return import_asterisk.convert({"extensions.conf": text, "queues.conf": QUEUES})


def test_a_context_becomes_a_menu() -> None:
    flows = converted().flows
    assert flows["from-trunk"] == ["answer", {"silence": "1s"}, {"menu": {
        "prompt": ["welcome", "main-menu"], "timeout": "8s", "tries": 3, "invalid": "pbx-invalid",
        "choices": {"1": "from-trunk_1", "2": "from-trunk_2", "3": "from-trunk_3", "9": "from-trunk_9"},
        "failed": "from-trunk_t",
    }}]  # fmt: skip
    assert flows["from-trunk_1"] == [{"goto": "sales"}]
    assert flows["from-trunk_3"] == [{"play": "hours"}, {"goto": "from-trunk_again"}]
    assert flows["from-trunk_t"] == [{"hangup": "served"}]
    assert flows["from-trunk_9"][0] == {"dial": {"to": ["201", "200"], "ring": "20s", "failed": "from-trunk_9_2"}}
    assert flows["from-trunk_9_2"] == [{"play": "goodbye"}, {"hangup": "served"}]
    menu = flows["support"][0]
    assert isinstance(menu, dict)
    assert menu["menu"]["choices"] == {"1": "support_1-2", "2": "support_1-2", "*": "keys_star"}
    assert menu["menu"]["failed"] == "support_3"
    assert flows["support_1-2"][0] == {"gather": {
        "into": "account", "prompt": "enter-account", "max": 8, "tries": 2, "timeout": "5s", "failed": "bye",
    }}  # fmt: skip


def test_a_queue_goes_on_where_asterisk_did() -> None:
    flows = converted().flows
    ways = dict.fromkeys(("full", "no_agents", "timeout"), "sales_3")
    assert flows["sales"][1:] == [{"queue": {"name": "sales", "max_wait": "120s", **ways}}, {"hangup": "served"}]
    assert flows["sales_3"] == [{"play": "not_available"}, {"hangup": {"outcome": "failed", "cause": 17}}]


def test_numbers() -> None:
    site = converted()
    assert site.numbers == {"500": "internal_500", "600": "internal_600", "100": "from-trunk"}
    assert site.flows["internal_500"] == ["answer", {"music": "30s"}, {"hangup": {"outcome": "failed", "cause": 17}}]
    assert "201" in site.agents  # his extension that rings himself needs no line here


def test_what_was_not_understood_is_listed() -> None:
    told = {(note.line, note.text) for note in converted().notes}
    assert told == {
        (3, "[from-trunk]"), (13, "Voicemail(201@default,u)"), (12, "SIP/ana"), (16, "12"),
        (20, "h in [from-trunk]"), (32, "AGI(lookup.py,${ACCOUNT})"), (41, "_0X."), (42, "Goto(nowhere,s,1)"),
    }  # fmt: skip


def test_the_engine_takes_what_comes_out() -> None:
    """No error, whatever was left out; and each key of each menu has its test."""
    site = converted()
    made = {path: text.encode() for path, text in imported.files(site, "extensions.conf").items()}
    _, stock = stock_prompts()
    taken, findings = read_site(made, stock)
    assert taken is not None, [render(each) for each in findings]
    assert {each.code for each in findings} <= {"RD091", "RD094", "RD201"}, [render(each) for each in findings]
    keys = {(each.menu, each.key) for each in imported.menu_keys(site)}
    menus = {flow: step["menu"]["choices"] for flow, steps in site.flows.items() for step in steps
             if isinstance(step, dict) and "menu" in step}  # fmt: skip
    assert keys == {(flow, key) for flow, choices in menus.items() for key in choices} and len(keys) == 11


def test_a_menu_without_t_is_left_after_three_tries_and_said_so() -> None:
    site = converted("[a]\nexten => s,1,Background(x)\n same => n,WaitExten\nexten => 1,1,Hangup\n")
    menu = site.flows["a"][1]
    assert isinstance(menu, dict) and menu["menu"]["failed"] == "bye" and menu["menu"]["tries"] == 3
    assert any("without an end" in note.why for note in site.notes)


@pytest.mark.parametrize("seed", range(6))
def test_any_text_gives_a_site_or_nothing(seed: int) -> None:
    """Lines cut, doubled and mixed: never an exception, and what is written is still taken."""
    draw = random.Random(seed)
    _, stock = stock_prompts()
    for _ in range(25):
        lines = EXTENSIONS.splitlines()
        for _ in range(draw.randrange(1, 8)):
            at = draw.randrange(len(lines))
            lines[at : at + 1] = draw.choice([
                [], [lines[at]] * 2, [lines[at][: draw.randrange(len(lines[at]) + 1)]], [draw.choice(lines)],
                [lines[at].replace(",", "")], [lines[at] + draw.choice([")", "${", "&&", ";--", "\\", '"'])],
            ])  # fmt: skip
        site = converted("\n".join(lines))
        made = {path: text.encode() for path, text in imported.files(site, "x").items()}
        # what went round in Asterisk goes round here, and is refused with its line
        findings = [each for each in read_site(made, stock)[1] if each.code != "RD051"]
        errors = [each for each in findings if each.severity == "error"]
        assert not errors or not site.numbers, ("\n".join(lines), [render(each) for each in errors])


def test_hours_become_a_calendar() -> None:
    text = """\
[in]
exten => s,1,GotoIfTime(*,*,25,dec?shut,s,1)
 same => n,GotoIfTime(9:00-16:59,mon-fri,*,*?open:shut,s,1)
 same => n(open),Playback(vm-goodbye)
 same => n,Hangup
[shut]
exten => s,1,Playback(closed)
"""
    site = converted(text)
    assert site.calendars == {"in": {"special": {"12-25": "open"}}, "in_2": {"open": ["mon-fri 09:00-17:00"]}}
    assert site.flows["in"] == ["answer", {"hours": {"calendar": "in", "closed": "in_2"}}, {"goto": "shut"}]
    assert site.flows["in_2"] == [{"hours": {"calendar": "in_2", "closed": "shut"}}, {"goto": "in_open"}]
    made = {path: each.encode() for path, each in imported.files(site, "x").items()}
    taken, findings = read_site(made, stock_prompts()[1])
    assert taken is not None, [render(each) for each in findings]
