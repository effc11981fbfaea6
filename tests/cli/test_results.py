"""Results as texts: what XML can't carry, places of several sites."""

from __future__ import annotations

from xml.etree import ElementTree

from engine.cli.results import Row, as_plain, coverage_plain, coverage_text, failure_text, junit
from engine.sim.coverage import Coverage
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


def test_coverage_of_one_and_of_several_sites() -> None:
    cover = Coverage({"f:1:1": True, "f:2:1": False}, {("f:1:1", "1"): False}, {"f:1:1": "a/menu", "f:2:1": "a/play"})
    assert coverage_text("", cover) == [
        "f:1:1: a/menu: never left by 1", "f:2:1: a/play: never reached",
        "coverage: steps 1 of 2 (50 %), branches 0 of 1 (0 %)",
    ]  # fmt: skip
    assert coverage_text("bank/", cover)[1:] == [
        "bank/f:2:1: a/play: never reached", "bank: coverage: steps 1 of 2 (50 %), branches 0 of 1 (0 %)",
    ]  # fmt: skip
    assert coverage_plain("bank/", cover)["missing"][0] == {"place": "f:1:1", "step": "a/menu", "way": "1"}
