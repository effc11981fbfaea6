"""Where an emergency call comes from: a PIDF-LO (RFC 4119, RFC 5139), or one line of text for a header."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from engine.dialplan.outgoing_model import Location

CONTENT_TYPE = "application/pidf+xml"


def pidf(location: Location, entity: str, serial: str) -> bytes:
    """The document; `entity` is who is there (a pres: URI, RFC 3859), `serial` names this tuple."""
    fields = "".join(f"<ca:{tag}>{escape(_plain(text))}</ca:{tag}>" for tag, text in location.fields)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" '
        'xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" '
        f"entity={quoteattr(entity)}>"
        f"<tuple id={quoteattr(serial)}><status><gp:geopriv><gp:location-info><ca:civicAddress>{fields}"
        "</ca:civicAddress></gp:location-info><gp:usage-rules/><gp:method>Manual</gp:method></gp:geopriv>"
        "</status></tuple></presence>\r\n"
    ).encode()


def line(location: Location) -> str:
    """The address in one line: street and number, place in the house, town, country; what a person would read."""
    fields = dict(location.fields)
    street = " ".join(fields[tag] for tag in ("PRD", "RD", "A6", "STS", "POD", "HNO", "HNS") if tag in fields)
    inside = ("NAM", "BLD", "UNIT", "FLR", "ROOM", "SEAT", "LOC", "LMK")
    house = ", ".join(fields[tag] for tag in inside if tag in fields)
    town = " ".join(fields[tag] for tag in ("PC", "A3", "A2", "A1") if tag in fields)
    return ", ".join(_plain(each) for each in (street, house, town, fields["country"]) if each)


def _plain(text: str) -> str:
    """Without line ends and other control characters, which neither a header nor XML may carry."""
    return "".join(letter for letter in text if letter >= " " and letter != "\x7f")
