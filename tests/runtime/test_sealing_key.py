"""The key of secrets at rest: where it is looked for, what it seals, how it is replaced, and which files it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import SiteError
from engine.runtime import sealing_key as room
from engine.runtime.sealing_key import SealingKey, Unreadable

A, B = "a1" * 32, "b2" * 32


def credentials(folder: Path, monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "secrets_key").write_text("\n".join(keys) + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))


def test_made_when_first_needed_and_the_same_ever_after(tmp_path: Path) -> None:
    key = SealingKey(tmp_path)
    assert (key.name, key.place) == ("", "") and not key.path.exists()
    sealed = key.seal("named/gw", "pass word")
    assert key.path.stat().st_mode & 0o777 == 0o600 and key.in_folder
    assert "pass" not in sealed and room.is_sealed(sealed) and room.key_of(sealed) == key.name
    assert key.name not in key.path.read_text(), "the digits tell nothing of the key"
    assert SealingKey(tmp_path).open("named/gw", sealed) == "pass word"
    assert key.seal("named/gw", "pass word") != sealed


def test_nothing_opens_under_another_name_another_key_or_changed(tmp_path: Path) -> None:
    key = SealingKey(tmp_path)
    sealed = key.seal("named/gw", "word")
    with pytest.raises(Unreadable, match="another secret's"):
        key.open("named/other", sealed)
    with pytest.raises(Unreadable, match="changed"):
        key.open("named/gw", sealed[:-6] + ("AAAA" if sealed[-6:-2] != "AAAA" else "BBBB") + sealed[-2:])
    (tmp_path / "elsewhere").mkdir()
    other = SealingKey(tmp_path / "elsewhere")
    other.seal("x", "y")
    with pytest.raises(Unreadable, match=f"the key {key.name}, which is not here") as caught:
        other.open("named/gw", sealed)
    assert caught.value.key == key.name and not other.can_open(sealed) and key.can_open(sealed)


def test_what_is_in_clear_stays_what_it_is(tmp_path: Path) -> None:
    key = SealingKey(tmp_path)
    for text in ("word", "sealed:", "sealed:0000:x", "sealed:00000000:short"):
        assert key.open("n", text) == text and key.can_open(text) and not room.is_sealed(text)


def test_a_credential_seals_before_a_named_file_before_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = SealingKey(tmp_path)
    sealed = folder.seal("n", "folder's")
    named = tmp_path / "named.key"
    named.write_text(A + "\n")
    named.chmod(0o600)
    monkeypatch.setenv("RINGDOWN_KEY_FILE", str(named))
    second = SealingKey(tmp_path)
    assert second.place == str(named) and second.name == room.name_of(bytes.fromhex(A)) and not second.in_folder
    credentials(tmp_path / "credentials", monkeypatch, B)
    third = SealingKey(tmp_path)
    assert third.place == "the credential secrets_key" and third.name == room.name_of(bytes.fromhex(B))
    assert [third.open("n", each) for each in (sealed, second.seal("n", "named"))] == ["folder's", "named"]


def test_rotation_keeps_the_old_key_until_it_ends(tmp_path: Path) -> None:
    key = SealingKey(tmp_path)
    sealed, first = key.seal("n", "word"), key.name
    second = key.begin_rotation()
    assert second != first and SealingKey(tmp_path).open("n", sealed) == "word", "a crash now loses nothing"
    anew = key.seal("n", "word")
    key.end_rotation()
    after = SealingKey(tmp_path)
    assert after.name == second and after.open("n", anew) == "word" and not after.can_open(sealed)


def test_a_key_that_is_the_admins_is_his_to_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials(tmp_path / "credentials", monkeypatch, A)
    old = SealingKey(tmp_path).seal("n", "word")
    with pytest.raises(SiteError, match="the credential secrets_key: put a new line of 64 digits above"):
        SealingKey(tmp_path).begin_rotation()
    credentials(tmp_path / "credentials", monkeypatch, B, A)
    both = SealingKey(tmp_path)
    assert both.open("n", old) == "word" and room.key_of(both.seal("n", "word")) == room.name_of(bytes.fromhex(B))


@pytest.mark.parametrize("content", ["", "\n", "ab" * 31, "zz" * 32, A + "0", "password", "\n".join([A] * 17)])
def test_what_is_no_key_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.key").write_text(content)
    with pytest.raises(SiteError, match=r"secrets\.key holds no key: it is one line of 64"):
        SealingKey(tmp_path)


def test_wide_open_files_are_narrowed_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    path.write_text(A)
    path.chmod(0o640)
    (line,) = SealingKey(tmp_path).told
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"{path} was open to others (mode 0640) and is 0600 now" in line
    assert not SealingKey(tmp_path).told


def test_what_cannot_be_narrowed_is_refused_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secrets.key"
    path.write_text(A)
    path.chmod(0o644)

    def refuse(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(SiteError, match=rf"belongs to another user: run `chmod 600 {path}`"):
        SealingKey(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SiteError, match="is no file"):
        room.narrow(tmp_path / "folder")
    assert room.narrow(tmp_path / "none") == []
    monkeypatch.setenv("RINGDOWN_KEY_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(Path, "chmod", os.chmod)
    with pytest.raises(SiteError, match=r"can't read the key .*none: No such file"):
        SealingKey(tmp_path)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x"
    room.write(path, b"first")
    room.write(path, b"second")
    assert path.read_bytes() == b"second" and path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SiteError, match="somebody else"):
        room.write(path, b"third", new=True)
    assert path.read_bytes() == b"second"
    with pytest.raises(SiteError, match="nothing was changed"):
        room.write(tmp_path / "gone" / "x", b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for another user")
def test_what_root_writes_belongs_to_the_folders_owner(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 12_345, 12_346)
    room.write(folder / "x", b"1")
    found = (folder / "x").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12_345, 12_346, 0o600)
