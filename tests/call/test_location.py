"""A civic address as a document and as a line."""

from __future__ import annotations

from xml.etree import ElementTree

from engine.call.location import line, pidf
from engine.dialplan.outgoing_model import Location

PLACE = Location((
    ("country", "GB"), ("A3", "Leeds"), ("RD", 'King\'s "Row" & <Co>'), ("HNO", "1"), ("LOC", "2nd\r\nfloor"),
    ("PC", "LS1"),
))  # fmt: skip


def test_the_document_is_xml_whatever_the_address_holds() -> None:
    root = ElementTree.fromstring(pidf(PLACE, "pres:+44113&'\"@192.0.2.1", "t1"))
    names = {"p": "urn:ietf:params:xml:ns:pidf", "g": "urn:ietf:params:xml:ns:pidf:geopriv10",
             "c": "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"}  # fmt: skip
    assert root.get("entity") == "pres:+44113&'\"@192.0.2.1"
    civic = root.find("p:tuple/p:status/g:geopriv/g:location-info/c:civicAddress", names)
    assert civic is not None
    assert [(each.tag.partition("}")[2], each.text) for each in civic] == [
        ("country", "GB"), ("A3", "Leeds"), ("RD", 'King\'s "Row" & <Co>'), ("HNO", "1"), ("LOC", "2ndfloor"),
        ("PC", "LS1"),
    ]  # fmt: skip
    assert root.find("p:tuple/p:status/g:geopriv/g:usage-rules", names) is not None


def test_the_line_is_what_a_person_reads() -> None:
    assert line(PLACE) == 'King\'s "Row" & <Co> 1, 2ndfloor, LS1 Leeds, GB'
    assert line(Location((("country", "DE"), ("A1", "Berlin")))) == "Berlin, DE"
