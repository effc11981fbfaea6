"""Entries, rescue and names."""

from __future__ import annotations

from tests.dialplan.site import site_of


def test_rescue_is_the_person_by_default() -> None:
    head = "ringdown: 1\nalways: {0: person}\n"
    flows = "flows:\n  main:\n    - hangup\n  person:\n    - hangup: person\n  sorry:\n    - hangup: sorry\n"
    assert site_of(head + flows).programs["default/main"].rescue == "person"
    assert site_of(head + "rescue: sorry\n" + flows).programs["default/main"].rescue == "sorry"
