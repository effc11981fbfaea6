"""`ringdown profiles` lists, shows with sources, and says where a site's values come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run


def test_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles"]) == 0
    out = capsys.readouterr().out
    assert len(out.strip().split("\n")) == 15
    assert "grandstream-ht813      gateway  Grandstream HT813, one telephone line" in out


def test_one_is_shown_with_what_is_verified_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles", "grandstream-ht813"]) == 0
    out = capsys.readouterr().out
    for part in ("port           5062 (applied)", "firmware not named), Local SIP Port", "unverified: no text says",
                 "tried: on no real box yet", "cfg{mac}.xml", "note: the tone is set"):  # fmt: skip
        assert part in out, part
    assert run(["profiles", "yeastar-tg"]) == 0
    assert "by hand, no file is written for it" in capsys.readouterr().out
    assert run(["profiles", "nothing"]) == 2
    assert "no profile 'nothing': there are audiocodes-mp11x, " in capsys.readouterr().err


def test_a_site_says_where_each_value_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\n")
    assert run(["profiles", "--site", str(tmp_path)]) == 0
    assert "names a profile" in capsys.readouterr().out
    (tmp_path / "trunks.yaml").write_text("line: {host: 192.0.2.20, profile: grandstream-ht813, dtmf: info}\n")
    assert run(["profiles", "--site", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert any("dtmf            info" in line and line.endswith("trunks.yaml:1") for line in lines)
    assert any("calls_max       1 " in line and "profiles/grandstream-ht813.yaml:49" in line for line in lines)
    assert run(["profiles", "--site", str(tmp_path), "--json"]) == 0
    assert {each["key"] for each in json.loads(capsys.readouterr().out)} >= {"host", "port", "dtmf"}


def test_check_shows_what_came_from_where_and_counts_the_sites_own_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\n")
    (tmp_path / "trunks.yaml").write_text("line: {host: 192.0.2.20, profile: cisco-spa3102}\n")
    assert run(["check", str(tmp_path), "--origins"]) == 0
    out = capsys.readouterr().out
    assert "profiles/cisco-spa3102.yaml:" in out and "trunk line" in out
    assert "\n2 files, 0 errors" in out, "the shipped profiles are not the admin's files"
    assert run(["check", str(tmp_path), "--origins", "--json"]) == 0
    assert {each["key"] for each in json.loads(capsys.readouterr().out)["origins"]} >= {"calls_max", "host"}


def test_a_wrong_profile_is_told_at_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "box.yaml").write_text("profile: box\nkind: gateway\ncolour: red\n")
    assert run(["profiles", "--site", str(tmp_path)]) == 1
    assert "profiles/box.yaml:3:1: error RD021" in capsys.readouterr().err
