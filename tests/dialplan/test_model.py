"""Look-ups over a site: numbers and the way out."""

from __future__ import annotations

import pytest

from engine.dialplan.findings import Finding, render
from engine.dialplan.model import Site, match, matches
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with


def read(changes: dict[str, str], **wavs: WavInfo | bytes) -> tuple[Site | None, list[Finding]]:
    files = files_with(changes)
    files.update({path.replace("__", "/") + ".wav": info for path, info in wavs.items()})
    return read_site(files, STOCK)


def good(changes: dict[str, str], **wavs: WavInfo | bytes) -> Site:
    site, findings = read(changes, **wavs)
    assert site is not None, [render(each) for each in findings]
    assert findings == [], [render(each) for each in findings]
    return site


def test_the_way_out() -> None:
    site = good(
        {"outbound.yaml": "00.: {trunk: carrier, strip: 2, prepend: +, teams: [front]}\n9xxx: carrier\n0.: carrier\n"}
    )
    found = match(site, "default", "00441234", "front")
    assert found is not None
    assert found[1] == "+441234"
    # another team takes the next rule that matches
    other = match(site, "default", "00441234", "")
    assert other is not None
    assert other[0].pattern == "0."
    assert match(site, "default", "9123") is not None
    assert match(site, "default", "912") is None
    assert match(site, "default", "91234") is None
    assert match(site, "default", "912x") is None
    assert match(site, "press", "9123") is None
    assert match(site, "default", "00;evil", "front") is None


@pytest.mark.parametrize(
    ("pattern", "digits", "fits"),
    [
        ("00.", "0044", True),
        ("00.", "00", True),
        ("00.", "01", False),
        ("x", "5", True),
        ("x", "x", False),
        ("x", "*", False),
        ("*9xx", "*912", True),
        (".", "123", True),
        (".", "12*", False),
        ("+.", "+44", True),
        ("9x.", "9", False),
        ("１", "1", False),
    ],
)
def test_patterns(pattern: str, digits: str, fits: bool) -> None:
    assert matches(pattern, digits) is fits
