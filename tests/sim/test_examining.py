"""A site's tests, file by file."""

from __future__ import annotations

from engine.sim.examining import examine, is_test
from engine.sim.expecting import Result
from tests.sim.shows import FILE, site

GOOD = b"ringdown: 1\ngiven: {dialled: 100}\ntests:\n  one:\n    - hears: hello\n  other:\n    - hears: goodbye\n"


def test_every_test_is_played_and_told() -> None:
    told: list[tuple[str, str]] = []

    def hear(file: str, result: Result) -> None:
        told.append((file, result.test))

    report = examine(site(), {FILE: GOOD, "dialplans/main.b.test.yaml": GOOD}, told=hear)
    assert report.ok() and report.files == 2 and len(report.results) == 4
    assert told == [("dialplans/main.b.test.yaml", "one"), ("dialplans/main.b.test.yaml", "other"), (FILE, "one"),
                    (FILE, "other")]  # fmt: skip


def test_some_are_chosen_by_their_name() -> None:
    assert [result.test for _, result in examine(site(), {FILE: GOOD}, chosen="ONE").results] == ["one"]


def test_a_broken_file_is_a_finding_and_the_others_are_played() -> None:
    report = examine(site(), {FILE: GOOD, "dialplans/x.test.yaml": b"ringdown: 1\n"})
    assert not report.ok() and len(report.results) == 2 and report.findings[0].file == "dialplans/x.test.yaml"


def test_a_failure_is_one() -> None:
    report = examine(site(), {FILE: GOOD.replace(b"goodbye", b"thanks")})
    assert not report.ok() and [result.test for _, result in report.failed()] == ["other"]


def test_where_tests_lie() -> None:
    assert is_test("dialplans/main.test.yaml") and is_test("tenants/press/dialplans/orders.test.yaml")
    assert not is_test("main.test.yaml") and not is_test("dialplans/main.yaml") and not is_test("prompts/a.test.yaml")
