"""Every site in dialplans/ has tests, and they pass, as `ringdown test dialplans` would say."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runtime.site_files import read_folder
from engine.sim.coverage import coverage_of
from engine.sim.examining import examine, is_test

DIALPLANS = Path(__file__).parents[2] / "dialplans"
SITES = sorted(file.parent for file in DIALPLANS.rglob("site.yaml"))
PERCENT_MIN = 75


@pytest.mark.parametrize("folder", SITES, ids=lambda folder: folder.name)
def test_an_example_is_tested_and_its_tests_see_most_of_it(folder: Path) -> None:
    site = read_folder(folder).site
    assert site is not None
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.test.yaml")}
    report = examine(site, {name: data for name, data in found.items() if is_test(name)})
    assert report.ok() and report.results, (report.findings, report.failed())
    cover = coverage_of(site)
    for _, result in report.results:
        cover.saw(result.events)
    assert min(cover.percent()) >= PERCENT_MIN, cover.missing()
