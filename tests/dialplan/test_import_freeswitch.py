"""FreeSWITCH's IVR menus -> flows; XML that would fetch or explode is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.dialplan import import_freeswitch, imported
from engine.dialplan.findings import render
from engine.dialplan.imported import Imported
from engine.dialplan.reader import read_site
from engine.errors import SiteError
from engine.runtime.site_files import stock_prompts

XML = """\
<configuration name="ivr.conf" description="IVR menus">
  <menus>
    <!-- the front door -->
    <menu name="demo_ivr" greet-long="say:Welcome. It costs $5 &amp; more." greet-short="phrase:demo_short"
        invalid-sound="ivr/invalid.wav" exit-sound="voicemail/vm-goodbye.wav"
        confirm-macro="x" timeout="10000" inter-digit-timeout="2000" max-failures="3" max-timeouts="4" digit-len="4">
      <entry action="menu-exec-app" digits="1" param="bridge user/1000@domain"/>
      <entry action="menu-exec-app" digits="2" param="transfer 9196 XML default"/>
      <entry action="menu-play-sound" digits="3" param="hours.wav"/>
      <entry action="menu-exec-app" digits="4" param="callcenter support@default"/>
      <entry action="menu-exec-app" digits="5" param="lua lookup.lua"/>
      <entry action="menu-sub" digits="6" param="demo_sub"/>
      <entry action="menu-exec-app" digits="/^(10[01][0-9])$/" param="transfer $1 XML features"/>
      <entry action="menu-top" digits="9"/>
      <entry action="menu-exit" digits="*"/>
      <entry action="menu-exec-app" digits="7" param="playback bye.mp3"/>
    </menu>
    <menu name="demo_sub" greet-long="phrase:sub" timeout="100">
      <entry action="menu-back" digits="*"/>
      <entry action="menu-exec-app" digits="12" param="hangup"/>
      <entry action="menu-exec-app" digits="1" param="hangup"/>
    </menu>
  </menus>
  <X-PRE-PROCESS cmd="include" data="more.xml"/>
</configuration>
"""


def converted() -> Imported:
    return import_freeswitch.convert("ivr.xml", XML)


def test_menus_and_their_entries() -> None:
    flows = converted().flows
    assert flows["demo_ivr"] == ["answer", {"menu": {
        "prompt": "demo_ivr_greeting", "again": "demo_short", "invalid": "invalid", "timeout": "10000ms",
        "inter_digit": "2000ms", "tries": 3, "choices": {
            "1": "demo_ivr_1", "2": "demo_ivr_2", "3": [{"play": "hours"}, {"goto": "demo_ivr"}], "4": "demo_ivr_4",
            "6": "demo_sub", "9": "demo_ivr", "*": "demo_ivr_leave", "7": "demo_ivr_7",
        }, "failed": "demo_ivr_leave",
    }}]  # fmt: skip
    assert flows["demo_ivr_leave"] == [{"play": "vm-goodbye"}, {"hangup": "abandoned"}]
    assert flows["demo_ivr_1"] == [{"dial": {"to": "1000", "failed": "bye"}}, {"hangup": "served"}]
    assert flows["demo_ivr_4"][0] == {"queue": {"name": "support", "full": "bye", "no_agents": "bye", "timeout": "bye"}}
    sub = flows["demo_sub"][0]
    assert isinstance(sub, dict) and sub["menu"]["choices"] == {"*": "demo_ivr", "12": "demo_sub_12"}
    assert converted().prompts["demo_ivr_greeting"] == "Welcome. It costs $$5 & more."


def test_what_was_not_understood_is_listed() -> None:
    assert {(note.line, note.text.split(":")[0]) for note in converted().notes} == {
        (4, "menu demo_ivr"), (4, "confirm-macro=x"), (8, "transfer 9196 XML default"),
        (10, "callcenter support@default"), (11, "5"), (13, "/^(10[01][0-9])$/"), (18, "timeout=100"), (21, "1"),
        (24, "<X-PRE-PROCESS cmd=include data=more.xml>"),
    }  # fmt: skip


def test_the_engine_takes_what_comes_out() -> None:
    site = converted()
    made = {path: text.encode() for path, text in imported.files(site, "ivr.xml").items()}
    _, stock = stock_prompts()
    taken, findings = read_site(made, stock)
    assert taken is not None, [render(each) for each in findings]
    assert {each.code for each in findings} <= {"RD091", "RD201"}, [render(each) for each in findings]
    assert len(imported.menu_keys(site)) == 10


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><menus>&x;</menus>', "ivr.xml:1: a document type"),
        ('<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><menus>&b;</menus>', "document type is refused"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><menus/>', "document type is refused"),
        ("<menus>\n<menu name='a'>\n</menus>", "ivr.xml:3: not well-formed"),
        ("<menus>&undefined;</menus>", "not well-formed"), ("", "not well-formed"), ("<a/>", "holds no <menu>"),
        ("x" * 4_000_001, "larger than 4 MB"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(SiteError, match=why):
        import_freeswitch.convert("ivr.xml", text)


def test_nothing_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    text = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><menus><menu name="a" greet-long="say:&x;"/></menus>'
    with pytest.raises(SiteError) as refused:
        import_freeswitch.convert("ivr.xml", text)
    assert "the secret" not in str(refused.value)
