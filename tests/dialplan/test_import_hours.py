"""Time specifications -> calendars."""

from __future__ import annotations

from typing import Any

import pytest

from engine.dialplan import import_hours, imported
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("9:00-17:00,mon-fri,*,*", {"open": ["mon-fri 09:00-17:00"]}),
        ("09:00-16:59,mon&wed-fri", {"open": ["mon 09:00-17:00", "wed-fri 09:00-17:00"]}),
        ("22:00-06:00,*,*,*", {"open": ["daily 22:00-06:00"]}),
        ("*,sat,*,*", {"open": ["sat 00:00-24:00"]}),
        ("*|sun|*|*", {"open": ["sun 00:00-24:00"]}),
        ("*,*,25,dec", {"special": {"12-25": "open"}}),
        ("9:00-12:00,*,24,dec", {"special": {"12-24": "09:00-12:00"}}),
        ("9-17,mon,*,*", None), ("9:00-17:00,mon-xyz,*,*", None), ("*,mon,1,jan", None), ("*,*,1-5,jan", None),
        ("25:00-26:00,*,*,*", None), ("", None), ("*,*,31,foo", None), ("*,*,*,*,Europe/London", None),
        ("9:00-9:00,*,*,*", None),
    ],
)  # fmt: skip
def test_what_can_be_said(text: str, wanted: dict[str, Any] | None) -> None:
    found = import_hours.calendar(text)
    assert found == wanted
    if found is not None:
        site, findings = read_site({**BASE, "calendars.yaml": imported.written({"c": found}).encode()}, STOCK)
        assert site is not None, findings
