"""Sealed values: readable with the key, gone without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runtime.seal import KeyDestroyed, Keys


def test_round_trip_and_the_file_is_private(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "k")
    sealed = keys.seal("call bako-1", b"1234")
    assert b"1234" not in sealed and keys.seal("call bako-1", b"1234") != sealed
    keys.flush()
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert Keys(tmp_path / "k").open("call bako-1", sealed) == b"1234"


def test_each_name_has_its_own_key(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "k")
    sealed = keys.seal("a", b"secret")
    keys.seal("b", b"other")
    with pytest.raises(KeyDestroyed):
        keys.open("b", sealed)


def test_destroying_a_key_erases_it_from_the_file_too(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "k")
    sealed, kept = keys.seal("call bako-1", b"1234"), keys.seal("call bako-10", b"5678")
    keys.flush()
    digits = keys._keys["call bako-1"].hex()
    assert keys.destroy("call bako-1")
    assert digits not in (tmp_path / "k").read_text()
    for again in (keys, Keys(tmp_path / "k")):
        with pytest.raises(KeyDestroyed, match="bako-1"):
            again.open("call bako-1", sealed)
        assert again.open("call bako-10", kept) == b"5678"
    assert not keys.destroy("call bako-1")
    assert not keys.destroy("never was")


def test_a_torn_last_line_and_a_changed_record(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "k")
    sealed = keys.seal("a", b"x")
    keys.flush()
    with (tmp_path / "k").open("a") as file:
        file.write("b 00ff")
    again = Keys(tmp_path / "k")
    assert again.open("a", sealed) == b"x"
    with pytest.raises(KeyDestroyed):
        again.open("a", sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(KeyDestroyed):
        again.open("b", sealed)
    with pytest.raises(KeyDestroyed):
        again.open("a", b"short")


def test_unsaved_keys_are_taken_once(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "k")
    keys.seal("a", b"x")
    keys.seal("a", b"y")
    assert keys.take_unsaved().count(b"\n") == 1
    assert keys.take_unsaved() == b""
