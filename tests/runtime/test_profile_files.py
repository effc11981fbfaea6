"""Shipped profiles join the files of a site that names one, and of no other."""

from __future__ import annotations

from pathlib import Path

from engine.runtime.profile_files import join, names_any, shipped
from engine.runtime.site_files import read_folder


def test_they_join_a_site_that_names_one() -> None:
    assert names_any({"trunks.yaml": b"a: {host: h, profile: x}"})
    assert names_any({"tenants/press/agents.yaml": b"200:\n  profile: yealink\n"})
    assert not names_any({"trunks.yaml": b"a: {host: h}", "dialplans/main.yaml": b"profile: x"})
    assert join({"site.yaml": b"x"}) == {"site.yaml": b"x"}
    both = join({"trunks.yaml": b"profile: x", "profiles/yealink.yaml": b"own"})
    assert both["profiles/yealink.yaml"] == b"own" and both.keys() == {"trunks.yaml", *shipped()}
    assert list(both) == sorted(both)


def test_a_folder_that_names_one_is_read_with_it_and_its_version_holds_it(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\n")
    (tmp_path / "trunks.yaml").write_text("line: {host: 192.0.2.20, profile: cisco-spa3102}\n")
    reading = read_folder(tmp_path, data=tmp_path / "data")
    assert reading.site is not None and not reading.errors()
    assert reading.site.trunks["line"].calls_max == 1 and reading.unkept == ""
    kept = list((tmp_path / "data").rglob("cisco-spa3102.yaml"))
    assert len(kept) == 1 and kept[0].read_bytes() == shipped()["profiles/cisco-spa3102.yaml"]
