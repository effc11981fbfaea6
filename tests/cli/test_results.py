"""Results as texts: what XML can't carry, places of several sites."""

from __future__ import annotations

from xml.etree import ElementTree

from engine.cli.results import Row, as_plain, failure_text, junit
from engine.sim.expecting import Failure, Result
from engine.sim.transcript import Place

PLACE = Place("dialplans/main.test.yaml", 2, 3, 4)


def row(failure: Failure | None = None, *, site: str = "") -> Row:
    result = Result("a <name> & \x07", PLACE, failure, 1_500, ())
    return Row(PLACE.file, result, 0.25, ["first", "- press: 1"], site)


def test_a_failure_without_its_source_line_still_says_what_differs() -> None:
    failure = Failure(Place("f", 99, 1), "x", "y", ("0 s  a",))
    assert failure_text(row(failure), failure).split("\n") == [
        "f:99:1: a <name> & \x07: expected x", "    but y", "    the call up to there:", "    0 s  a",
    ]  # fmt: skip
    assert "    " + "- press: 1" in failure_text(row(), Failure(PLACE, "x", "y"))


def test_sites_stand_before_their_places() -> None:
    failure = Failure(PLACE, "x", "y")
    assert failure_text(row(failure, site="bank/"), failure).startswith("bank/dialplans/main.test.yaml:2:3:")
    assert as_plain(row(failure, site="bank/"))["at"] == "bank/dialplans/main.test.yaml:2:3"


def test_junit_escapes_and_counts() -> None:
    text = junit([row(), row(Failure(PLACE, "<a>", '"b"\x00'))], ["f:1:1: error RD001: <tag>"])
    root = ElementTree.fromstring(text.encode())
    suite, broken = root.findall("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("2", "1", "0.5000")
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.get("message") == 'expected <a>, but "b"?'
    assert broken.get("errors") == "1" and "RD001: <tag>" in (broken.findtext("testcase/error") or "")
