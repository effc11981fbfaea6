"""Errors carry what their reader needs to act."""

from __future__ import annotations

import pytest

from engine import errors


def test_a_protocol_error_says_status_and_section() -> None:
    plain, cited = errors.ProtocolError("no Via"), errors.ProtocolError("a", status_hint=488, section="RFC 3264 §6")
    assert (str(plain), plain.status_hint, plain.section) == ("no Via", 400, "")
    assert (str(cited), cited.detail, cited.status_hint) == ("a (RFC 3264 §6)", "a", 488)


def test_a_limit_names_itself() -> None:
    error = errors.LimitExceeded("calls_max", 4_000)
    assert "calls_max = 4000" in str(error) and (error.name, error.value) == ("calls_max", 4_000)


@pytest.mark.parametrize("name", ["ProtocolError", "LocalError", "LimitExceeded", "UsageError", "SiteError"])
def test_every_error_of_ours_can_be_caught_as_one(name: str) -> None:
    assert issubclass(getattr(errors, name), errors.RingdownError)
