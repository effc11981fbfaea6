"""Secrets in clear leave a site's files: each is found, named, and replaced in its place, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SiteError
from engine.runtime import secret_moving as room

TRUNKS = """\
# our carriers
carrier: {host: sip.example.net, user: x, password: 'wo''rd'}   # the old one
other:
  host: sip.example.org
  user: y
  secret: "ab c"  # comment
fine: {host: a.example, user: z, auth: secret fine}
plain: {host: b.example, addresses: [192.0.2.1]}
"""
LOOKUPS = """\
customer: {get: 'https://crm.example/c', auth: tok-1, returns: {tier: text}}
order: {get: 'https://crm.example/o', auth: secret crm, returns: {tier: text}}
"""
SITE = "ringdown: 1\nbus: {broker: mqtt.example, user: u, password: bus word}\nmail:\n  host: h\n  password: secret m\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in (("trunks.yaml", TRUNKS), ("lookups.yaml", LOOKUPS), ("site.yaml", SITE)):
        (tmp_path / name).write_text(text)
    (tmp_path / "tenants" / "press").mkdir(parents=True)
    (tmp_path / "tenants" / "press" / "lookups.yaml").write_text("press: {get: 'https://p.example', auth: tok-2}\r\n")
    return tmp_path


def test_each_is_found_by_its_place(site: Path) -> None:
    found = {each.name: (each.file, each.line, each.text) for each in room.find(site)}
    assert found == {
        "customer": ("lookups.yaml", 1, "tok-1"), "bus": ("site.yaml", 2, "bus word"),
        "press": ("tenants/press/lookups.yaml", 1, "tok-2"),
        "carrier": ("trunks.yaml", 2, "wo'rd"), "other": ("trunks.yaml", 6, "ab c"),
    }  # fmt: skip


def test_only_the_secrets_are_replaced(site: Path) -> None:
    (site / "trunks.yaml").chmod(0o640)
    room.rewrite(site, room.find(site))
    assert (site / "trunks.yaml").read_text() == TRUNKS.replace("'wo''rd'", "secret carrier").replace(
        'secret: "ab c"', "password: secret other"
    )
    assert (site / "trunks.yaml").stat().st_mode & 0o777 == 0o640
    assert (site / "lookups.yaml").read_text() == LOOKUPS.replace("tok-1", "secret customer")
    assert (site / "site.yaml").read_text() == SITE.replace("bus word", "secret bus")
    assert (site / "tenants/press/lookups.yaml").read_bytes().endswith(b"auth: secret press}\r\n")
    assert room.find(site) == []
    assert sorted(path.name for path in site.iterdir()) == ["lookups.yaml", "site.yaml", "tenants", "trunks.yaml"]


@pytest.mark.parametrize(("text", "why"), [
    ("a: {user: x, password: p, token: q}", "a second secret of a"),
    ("a:\n  user: x\n  password: |\n    p\n", r"trunks\.yaml:3:13: a secret over several lines"),
])  # fmt: skip
def test_what_cannot_be_moved_is_named(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "trunks.yaml").write_text(text)
    with pytest.raises(SiteError, match=why):
        room.find(tmp_path)


def test_two_of_one_name_must_be_the_same(site: Path) -> None:
    (site / "lookups.yaml").write_text("carrier: {get: 'https://crm.example', auth: word}\n")
    with pytest.raises(SiteError, match=r"trunks\.yaml:2: this would be the secret carrier, as lookups\.yaml:1 would"):
        room.find(site)
    (site / "trunks.yaml").write_text("carrier: {host: a.example, user: x, password: word}\n")
    assert [each.file for each in room.find(site) if each.name == "carrier"] == ["lookups.yaml", "trunks.yaml"]


def test_a_file_that_cannot_be_written_leaves_all_there(site: Path) -> None:
    found = room.find(site)
    (site / ".trunks.yaml.new").mkdir()
    with pytest.raises(SiteError, match="its secrets are kept, and stand there still"):
        room.rewrite(site, found)
    assert (site / "trunks.yaml").read_text() == TRUNKS
