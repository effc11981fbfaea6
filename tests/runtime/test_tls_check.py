"""What `ringdown check` says of certificates, at its place in site.yaml."""

from __future__ import annotations

from pathlib import Path

from engine.runtime import versions
from engine.runtime.site_files import Reading, read_folder
from tests.runtime.authority import Authority

TEXT = """\
ringdown: 1
languages: [en]
listen: ['tls:127.0.0.1:5061']
tls:
  certificate: tls/sip.pem
  key: tls/sip.key
"""


def read(folder: Path) -> Reading:
    (folder / "site.yaml").write_text(TEXT)
    return read_folder(folder)


def test_a_good_one_an_old_one_one_for_others_and_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tls")
    authority.issue("sip", "127.0.0.1")
    assert read(tmp_path).findings == []
    authority.issue("sip", "127.0.0.1", days=-2, age_days=9)
    reading = read(tmp_path)
    assert reading.site is not None
    (old,) = reading.findings
    assert (old.code, old.file, old.line, old.column, old.severity) == ("RD342", "site.yaml", 5, 16, "warning")
    assert "has expired on" in old.message and "a running engine takes it by itself" in old.suggestion
    authority.issue("sip", "sip.example.net")
    assert [each.code for each in read(tmp_path).findings] == ["RD343"]
    (tmp_path / "tls" / "sip.key").unlink()
    reading = read(tmp_path)
    (gone,) = reading.findings
    assert reading.site is None
    assert (gone.code, gone.line, gone.column, gone.severity) == ("RD341", 6, 8, "error")
    assert "sip.key is not there" in gone.message


def test_a_kept_version_has_none_and_is_good(tmp_path: Path) -> None:
    """Certificates and keys stay with the site: a rollback mustn't fail for want of them."""
    authority = Authority(tmp_path / "tls")
    authority.issue("sip", "127.0.0.1")
    data = tmp_path / "data"
    (tmp_path / "site.yaml").write_text(TEXT)
    site = read_folder(tmp_path, None, data).site
    assert site is not None
    kept = versions.Store(data).tree(site.version)
    assert not (kept / "tls").exists() and read_folder(kept).site is not None
