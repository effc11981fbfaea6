"""Profiles: shipped ones are whole, every statement has a source or says why not, a mistake is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import marks
from engine.dialplan.findings import Report
from engine.dialplan.profiles import APPLICABLE, STATEMENTS, Profile, read_shelf

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "hardware").glob("gateways/*.yaml")) + sorted((ROOT / "hardware").glob("phones/*.yaml"))
GOOD = """\
profile: box
kind: gateway
about: a box
sources:
  manual: {document: Its Manual, version: "2", where: on a shelf, seen: document}
statements:
  codecs: {says: [PCMA, PCMU], source: manual, section: page 1}
  dtmf: {says: rfc4733, source: manual, section: page 2}
  early_media: {says: unknown, unverified: no text}
  registration: {says: address, source: manual, section: page 3}
  caller_id: {says: from, source: manual, section: page 4}
  disconnect: {says: [busy-tone, polarity], source: manual, section: page 5}
applies: [dtmf]
quirks:
  - {says: it is slow, source: manual, section: page 9}
provision: {template: cisco-spa, file: "spa{mac}.xml", enter: somewhere, source: manual, section: page 8}
"""


def read(text: str, name: str = "box") -> tuple[Profile | None, list[tuple[str, int, int, str]]]:
    report, path = Report(), f"profiles/{name}.yaml"
    node, faults = marks.load(text.encode(), path)
    assert not faults
    shelf = read_shelf(report, {path: node})
    found = [(each.code, each.line, each.column, each.message) for each in report.findings]
    assert (name in shelf) == (not found)
    return (shelf[name].profile if name in shelf else None), found


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_profile_is_whole(path: Path) -> None:
    profile, found = read(path.read_text("utf-8"), path.stem)
    assert not found
    assert profile is not None
    assert profile.kind == ("gateway" if path.parent.name == "gateways" else "phone")
    for said in (*profile.statements.values(), *profile.quirks):
        assert bool(said.source and said.section) != bool(said.unverified), said
    used = {said.source for said in (*profile.statements.values(), *profile.quirks) if said.source}
    assert used <= profile.sources.keys()
    assert {"PCMU", "PCMA"} & set(profile.statements["codecs"].says), "we speak G.711"


def test_the_boxes_that_were_promised_are_there() -> None:
    gateways = {path.stem for path in SHIPPED if path.parent.name == "gateways"}
    phones = {path.stem for path in SHIPPED if path.parent.name == "phones"}
    assert gateways == set(
        "grandstream-ht813 grandstream-gxw410x cisco-spa3102 cisco-spa112 audiocodes-mp11x patton-smartnode "
        "dinstar-uc2000 yeastar-tg newrock-mx".split()
    )
    assert phones == set("yealink grandstream snom poly-vvx fanvil linphone".split())


def test_a_profile_is_read() -> None:
    profile, found = read(GOOD)
    assert profile is not None and not found
    assert profile.statements["disconnect"].says == ("busy-tone", "polarity")
    assert profile.statements["dtmf"].section == "page 2" and profile.statements["dtmf"].line == 8
    assert profile.applies == ("dtmf",) and profile.quirks[0].says == ("it is slow",)
    assert profile.provision is not None and profile.provision.file == "spa{mac}.xml"
    assert profile.lines == "fxo" and profile.tried == "on no real box yet"


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "column"),
    [
        ("kind: gateway", "kind: gateway\ncolour: grey", "RD021", 3, 1),
        ("  dtmf: {says: rfc4733", "  dtmf: {says: rfc2833", "RD024", 8, 16),
        ("  dtmf: {says: rfc4733, source", "  dtmf: {says: rfc4733, sauce", "RD021", 8, 25),
        ("source: manual, section: page 2", "source: guide, section: page 2", "RD381", 8, 33),
        (", source: manual, section: page 2}", "}", "RD381", 8, 3),
        (", section: page 2}", "}", "RD381", 8, 3),
        ("section: page 2}", "section: page 2, unverified: why}", "RD381", 8, 3),
        ("applies: [dtmf]", "applies: [codecs]", "RD024", 13, 11),
        ("applies: [dtmf]", "applies: [port]", "RD024", 13, 11),
        ("rfc4733, source: manual, section: page 2", "rfc4733, unverified: a guess", "RD381", 13, 11),
        ("profile: box", "profile: other", "RD024", 1, 10),
        ("  caller_id: {says: from, source: manual, section: page 4}\n", "", "RD022", 6, 1),
        ("document: Its Manual, ", "", "RD022", 5, 3),
        ('"spa{mac}.xml"', '"../{mac}"', "RD024", 16, 40),
        ("seen: document", "seen: yes", "RD024", 5, 73),
        ("template: cisco-spa", "template: cisco", "RD024", 16, 23),
        ("  disconnect:", "  disconect:", "RD021", 12, 3),
    ],
)
def test_a_mistake_is_told_at_its_place(old: str, new: str, code: str, line: int, column: int) -> None:
    assert GOOD.count(old) == 1
    _, found = read(GOOD.replace(old, new))
    assert (code, line, column) in [each[:3] for each in found], found


def test_what_applies_is_a_statement() -> None:
    assert all(name in STATEMENTS for names in APPLICABLE.values() for name in names)
    assert "auto_answer" not in APPLICABLE["phone"], "a phone would begin to answer by itself unasked"
