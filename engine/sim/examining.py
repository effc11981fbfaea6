"""A site's tests: which files hold them, read and played one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from engine.dialplan.findings import Finding
from engine.dialplan.model import Site
from engine.sim.expecting import Result, play
from engine.sim.transcript_reader import read

ENDING = ".test.yaml"


class Report(msgspec.Struct):
    """What the tests of a site gave. `results`: (file, result); `findings` are faults of the files themselves."""

    results: list[tuple[str, Result]] = []
    findings: list[Finding] = []
    files: int = 0

    def failed(self) -> list[tuple[str, Result]]:
        return [(file, result) for file, result in self.results if result.failure is not None]

    def ok(self) -> bool:
        """Every test went as written, and every file could be read."""
        return not self.findings and not self.failed()


def is_test(path: str) -> bool:
    """Does a path inside a site's folder hold tests?"""
    parts = path.split("/")
    return path.endswith(ENDING) and len(parts) > 1 and parts[-2] == "dialplans"


def examine(
    site: Site,
    files: Mapping[str, bytes],
    *,
    chosen: str = "",
    told: Callable[[str, Result], None] | None = None,
) -> Report:
    """Play the tests of `files` (path inside the site's folder -> bytes), in their order.

    `chosen`: only tests whose name holds these words. `told` hears of each as soon as it is over.
    """
    report, traced = Report(), msgspec.structs.replace(site, traced=True)
    for file in sorted(files):
        report.files += 1
        tests, findings = read(files[file], file, site)
        report.findings.extend(findings)
        for test in tests.tests if tests is not None else ():
            if chosen.casefold() in test.name.casefold():
                result = play(traced, test)
                report.results.append((file, result))
                if told is not None:
                    told(file, result)
    return report

