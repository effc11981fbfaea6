"""Dialog-info documents: that they are what RFC 4235 §4.4 describes, whatever stands in the names."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sip import dialog_info
from engine.sip.dialog_info import Shown
from tests.sip.dialog_schema import NS, faults

RINGS = Shown("leg7", "early", "recipient", "abc@host", "theirs", "ours", "+49301234567", "Ada & <Co>")


def read(*dialogs: Shown, watched: str = "201", version: int = 3, host: str = "pbx.example") -> ElementTree.Element:
    document = dialog_info.addressed(dialog_info.body(watched, dialogs), version, host)
    root = ElementTree.fromstring(document)
    assert faults(root) == []
    return root


def test_one_who_rings() -> None:
    root = read(RINGS)
    assert (root.get("version"), root.get("state"), root.get("entity")) == ("3", "full", "sip:201@pbx.example")
    (dialog,) = root
    assert dialog.attrib == {
        "id": "leg7", "call-id": "abc@host", "local-tag": "theirs", "remote-tag": "ours", "direction": "recipient",
    }  # fmt: skip
    assert dialog.findtext(f"{NS}state") == "early"
    identity = dialog.find(f"{NS}remote/{NS}identity")
    assert identity is not None and identity.get("display") == "Ada & <Co>"
    assert identity.text == "sip:+49301234567@pbx.example"
    assert [each.get("uri") for each in dialog.iter(f"{NS}target")] == ["sip:201@pbx.example", identity.text]


def test_nobody_is_a_dialog_that_has_ended() -> None:
    (dialog,) = read()
    assert (dialog.get("id"), dialog.findtext(f"{NS}state"), len(dialog)) == ("201", "terminated", 1)


def test_held_is_told_by_what_is_not_rendered() -> None:
    (dialog,) = read(Shown("leg1", "confirmed", held=True))
    param = dialog.find(f"{NS}local/{NS}target/{NS}param")
    assert param is not None and param.attrib == {"pname": "+sip.rendering", "pval": "no"}


def test_half_of_a_dialogs_name_is_none() -> None:
    (dialog,) = read(Shown("leg1", "trying", "recipient", "abc", "", "ours"))
    assert "call-id" not in dialog.attrib and "remote-tag" not in dialog.attrib


def test_a_code_with_a_hash_is_a_uri_still() -> None:
    assert read(watched="*8#1").get("entity") == "sip:*8%231@pbx.example"


def test_no_more_dialogs_than_a_datagram_holds() -> None:
    root = read(*(Shown(f"leg{n}", "early") for n in range(50)))
    assert len(root) == dialog_info.DIALOGS_MAX


@given(st.text(max_size=20), st.text(max_size=20), st.from_regex(r"[!-~]{1,20}", fullmatch=True))
def test_any_name_makes_a_document(name: str, remote: str, tag: str) -> None:
    read(Shown("leg1", "early", "recipient", tag, tag, tag, remote, name), watched=remote or "201")


@pytest.mark.parametrize(("xml", "fault"), [
    ('<dialog-info xmlns="{}" state="full" entity="sip:a"/>', "version"),
    ('<dialog-info xmlns="{}" version="-1" state="full" entity="sip:a"/>', "version"),
    ('<dialog-info xmlns="{}" version="1" state="all" entity="sip:a"/>', "state"),
    ('<dialog-info xmlns="{}" version="1" state="full" entity="sip:a"><dialog/></dialog-info>', "id"),
    ('<dialog-info xmlns="{}" version="1" state="full" entity="sip:a"><dialog id="1"><local/><state>early</state>'
     "</dialog></dialog-info>", "order"),
    ('<dialog-info xmlns="{}" version="1" state="full" entity="sip:a"><dialog id="1"><state>rings</state></dialog>'
     "</dialog-info>", "rings"),
    ('<dialog-info xmlns="{}" version="1" state="full" entity="sip:a"><dialog id="1" way="x"><state>early</state>'
     "</dialog></dialog-info>", "way"),
])
def test_the_examiner_itself_finds_what_is_wrong(xml: str, fault: str) -> None:
    found = faults(ElementTree.fromstring(xml.format(dialog_info.NAMESPACE)))
    assert found and fault in " ".join(found)
