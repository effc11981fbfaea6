"""A PIN is known by its salted hash alone."""

from __future__ import annotations

import pytest

from engine.call.pins import fits, sealed

SALT = "00112233aabbccdd"


def test_only_the_pin_fits() -> None:
    kept = sealed("481516", SALT)
    assert fits("481516", kept) and "481516" not in kept
    assert not fits("481517", kept) and not fits("", kept) and not fits("4815160", kept)


def test_the_salt_tells_equal_pins_apart() -> None:
    assert sealed("1234", SALT) != sealed("1234", "ffffffffffffffff")


@pytest.mark.parametrize("kept", ["", ":", "short:00", SALT])
def test_nothing_fits_a_box_without_one(kept: str) -> None:
    assert not fits("", kept) and not fits("1234", kept)
