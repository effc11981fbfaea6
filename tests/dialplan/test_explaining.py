"""The catalogue: every code is explained, and its example gives it; what is called right doesn't."""

from __future__ import annotations

import re

import pytest

from engine.dialplan.explaining import catalogue, parse, render
from engine.dialplan.findings import CODES
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK

CATALOGUE = catalogue()
STEPS = """variables:
  code: digits 4
  pin: digits 4 sensitive
  tier: choice standard gold = standard
  count: number = 0
flows:
  main:
    - answer
{steps}
    - hangup: served
  person:
    - dial: {{to: 200, failed: bye}}
    - hangup: served
  bye:
    - play: goodbye
    - hangup: served
  shut:
    - hangup: closed
"""
# what needs a date, a recording, or two files at once to be seen; tested where it is read
SEEN_ELSEWHERE = (
    "RD029", "RD090", "RD092", "RD093", "RD102", "RD103", "RD104", "RD114", "RD115",
    "RD230", "RD231", "RD232", "RD233", "RD234",  # of tests, which `ringdown test` reads
    "RD240", "RD241", "RD242", "RD243",  # of recordings
    "RD310", "RD311", "RD312", "RD313", "RD314", "RD315",  # of a thorough check, with a dictionary
    "RD317", "RD318", "RD319",  # of speech corpora, which `ringdown test --speech` reads
    "RD333",  # of this machine
    "RD341", "RD342", "RD343", "RD344",  # of files on this machine: tests/runtime/test_tls_check
    "RD361",  # of the command `check`: test_outgoing_reader
    "RD324",  # needs the machine: tests/runtime/test_speech_check
)  # fmt: skip


def site_with(example: str) -> dict[str, bytes | WavInfo]:
    """The base site with an example in its place."""
    files = dict(BASE)
    parts = re.split(r"^# (\S+\.yaml)$", example, flags=re.MULTILINE)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        files[name] = text.strip("\n").encode() + b"\n"
        if name.startswith("tenants/press/") and "tenant.yaml" not in name and "queues" not in name:
            files["tenants/press/tenant.yaml"] = b"name: Press\n"
    own = parts[0].strip("\n")
    if not own:
        return files
    if own.startswith("- "):
        text = STEPS.format(steps="\n".join(f"    {line}" for line in own.split("\n")))
    else:
        text = own + ("" if "flows:" in own else "\nflows:\n  main: [answer, hangup]\n")
    head = "" if "ringdown:" in text or text.startswith("%") else "ringdown: 1\n"
    files["dialplans/main.yaml"] = (head + text).encode() + b"\n"
    return files


def codes_of(example: str) -> list[str]:
    return [each.code for each in read_site(site_with(example), STOCK)[1]]


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str) -> None:
    found = CATALOGUE[code]
    assert len(found.text.split()) >= 6
    assert found.text.endswith(".")
    assert found.wrong and found.right and found.wrong != found.right
    shown = render(code)
    assert shown.startswith(f"{code} {CODES[code][1]}")
    assert found.wrong.split("\n")[0] in shown
    assert all(len(line) <= 140 for line in shown.split("\n"))


@pytest.mark.parametrize("code", CODES)
def test_an_example_gives_its_code_and_the_right_one_does_not(code: str) -> None:
    assert code not in codes_of(CATALOGUE[code].right)
    if code not in SEEN_ELSEWHERE:
        assert code in codes_of(CATALOGUE[code].wrong)


def test_a_string_is_parsed() -> None:
    found = parse("\nRD998\nOne\ntwo.\nwrong:\na\n\nb\nright:\nc\n\nRD999\nThree.\nwrong:\nd\nright:\ne\n")
    assert [(each.code, each.text, each.wrong, each.right) for each in found.values()] == [
        ("RD998", "One\ntwo.", "a\n\nb", "c"), ("RD999", "Three.", "d", "e"),
    ]  # fmt: skip


def test_a_warning_says_how_it_is_waived_and_a_fix_is_named() -> None:
    assert "allow: {RD201: the reason}" in render("RD201")
    assert "allow:" not in render("RD051")
    assert "--fix" in render("RD020")
    assert "--fix" not in render("RD031")
