"""`check --explain`: text for people, parts for programs, a good word for a bad code."""

from __future__ import annotations

import json

import pytest

from engine.cli.check_explained import explained
from engine.errors import UsageError


def test_text_and_parts() -> None:
    assert explained("RD020", json=False).startswith("RD020 format line missing (error)")
    parts = json.loads(explained("rd020", json=True))
    assert (parts["code"], parts["severity"], parts["fixed"]) == ("RD020", "error", True)
    assert parts["right"] == "ringdown: 1"


def test_an_unknown_code() -> None:
    with pytest.raises(UsageError, match="'RD02O'; codes are what"):
        explained("RD02O", json=False)
