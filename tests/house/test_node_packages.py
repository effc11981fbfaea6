"""tools/node_packages: what tests run in Node is exactly what the list says."""

from __future__ import annotations

import io
import os
import re
import stat
import tarfile
from pathlib import Path

import pytest

from tools import node_packages


def archive(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            item = tarfile.TarInfo(name.replace("__", "/"))
            item.size = len(content)
            tar.addfile(item, io.BytesIO(content))
    return path


def stand_in(folder: Path, content: bytes) -> Path:
    """An `npm` that leaves one archive of ours."""
    (folder / "bin").mkdir()
    packed = archive(folder / "packed.tgz", package__index_js=content)
    npm = folder / "bin" / "npm"
    npm.write_text(
        "#!/bin/sh\nfor each; do case $each in --pack-destination=*) to=${each#*=} ;; esac; done\n"
        f'cp "{packed}" "$to/thing-1.0.0.tgz"\n'
        """echo '[{"name": "thing", "version": "1.0.0", "filename": "thing-1.0.0.tgz"}]'\n"""
    )
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    return packed


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    packed = stand_in(tmp_path, b"1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(node_packages, "LIST", tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text(f"# why\nthing@1.0.0 {node_packages.integrity(packed)}\n")
    return tmp_path


def test_what_the_list_says_is_fetched_once(listed: Path) -> None:
    assert node_packages.main() == 0
    assert (node_packages.folder() / "node_modules" / "thing" / "index_js").read_bytes() == b"1"
    (listed / "bin" / "npm").write_text("#!/bin/sh\nexit 1\n")
    assert node_packages.main() == 0


def test_another_archive_is_refused_and_leaves_nothing(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (listed / "list.txt").write_text("thing@1.0.0 sha512-AAAA\n")
    assert node_packages.main() == 1
    assert "is not what tools/node_packages.txt says" in capsys.readouterr().err
    assert not node_packages.folder().exists() and not list(node_packages.folder().parent.glob("tmp*"))


def test_an_archive_that_leads_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="evil"):
        node_packages.unpack(archive(tmp_path / "a.tgz", **{"package__..__..__evil": b"1"}), tmp_path / "into")
    assert not (tmp_path / "evil").exists()


def test_the_real_list_is_exact() -> None:
    found = node_packages.wanted()
    assert {"mermaid", "yaml-language-server"} <= {name.rpartition("@")[0] for name in found}
    for name, hashed in found.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", name.rpartition("@")[2]), name
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", hashed), name
