"""Passwords exist in clear once; the file holds what digest needs and nobody else may read it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from engine.call import pins
from engine.dialplan.box_model import BoxModel
from engine.dialplan.model import AgentModel, Site, TenantModel, TrunkModel
from engine.errors import SiteError
from engine.runtime import secrets as room
from engine.runtime.secrets import Secrets
from engine.sip import digest
from tests.runtime.fakes import site


def test_first_run_makes_second_run_keeps(tmp_path: Path) -> None:
    made = Secrets(tmp_path).ensure(site())
    assert [each.agent for each in made] == ["default/200", "default/201"]
    assert Secrets(tmp_path).ensure(site()) == []
    path = tmp_path / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(each.password not in path.read_text() for each in made)
    loaded = Secrets(tmp_path).loaded(site())
    assert loaded.agents["default/200"] == digest.ha1("200", "ringdown.test", made[0].password)
    assert set(loaded.agents["default/200"]) == {"MD5", "SHA-256"}


def test_passwords_are_typeable_and_differ() -> None:
    found = {room.new_password() for _ in range(200)}
    assert len(found) == 200
    assert all(len(each) == 14 and not set(each) & set("01loi") for each in found)


def test_a_new_realm_needs_a_new_password(tmp_path: Path) -> None:
    Secrets(tmp_path).ensure(site())
    moved = site(tenants={"default": TenantModel("default", "new.realm")})
    assert [each.realm for each in Secrets(tmp_path).ensure(moved)] == ["new.realm"] * 2


def test_rotation(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    first = secrets.ensure(site())[0]
    second = secrets.rotate(site(), "200")
    assert second.agent == first.agent and second.password != first.password
    assert Secrets(tmp_path).loaded(site()).agents["default/200"] == digest.ha1("200", "ringdown.test", second.password)


def test_agents_are_found_by_number_name_or_key() -> None:
    two = site(agents={"a/200": AgentModel("a", "200", "Ann"), "b/200": AgentModel("b", "200", "Bob")})
    assert room.resolve_agent(two, "Ann") == "a/200" and room.resolve_agent(two, "b/200") == "b/200"
    three = site(agents=two.agents | {"default/200": AgentModel("default", "200", "Cy")})
    assert room.resolve_agent(three, "200") == "default/200"
    with pytest.raises(SiteError, match=r"several tenants.*a/200, b/200"):
        room.resolve_agent(two, "200")
    with pytest.raises(SiteError, match="no agent 999"):
        room.resolve_agent(two, "999")


def test_agents_that_left_are_not_told_to_the_switch(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.ensure(site())
    fewer = site(agents={"default/200": AgentModel("default", "200", "A")})
    assert list(secrets.loaded(fewer).agents) == ["default/200"]


def test_trunk_passwords_from_the_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Secrets(tmp_path).loaded(site()).trunks == {}
    (tmp_path / "secrets.json").write_text(json.dumps({"trunks": {"gw": "from file"}}))
    assert Secrets(tmp_path).loaded(site()).trunks == {"gw": ("us", "from file")}
    monkeypatch.setenv("RINGDOWN_TRUNK_GW", "from environment")
    assert Secrets(tmp_path).loaded(site()).trunks == {"gw": ("us", "from environment")}


def test_trunk_passwords_from_the_service_managers_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (tmp_path / "secrets.json").write_text(json.dumps({"trunks": {"gw": "from file"}}))
    assert Secrets(tmp_path).loaded(site()).trunks == {"gw": ("us", "from file")}  # none there: as before
    (folder / "trunk_gw").write_text("from credential\n")
    assert Secrets(tmp_path).loaded(site()).trunks == {"gw": ("us", "from credential")}
    named = site(trunks={"gw": TrunkModel("gw", user="us", secret="carrier-7")})
    (folder / "trunk_gw").unlink()
    (folder / "trunk_carrier-7").write_text("by its name")
    assert Secrets(tmp_path).loaded(named).trunks == {"gw": ("us", "by its name")}
    monkeypatch.setenv("RINGDOWN_TRUNK_GW", "from environment")
    assert Secrets(tmp_path).loaded(named).trunks == {"gw": ("us", "from environment")}


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * 5_000])
def test_a_credential_that_cannot_be_one_is_named(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "trunk_gw").write_bytes(content)
    with pytest.raises(SiteError, match="trunk_gw"):
        room.credential("trunk_gw")
    assert room.credential("../trunk_gw") == "" and room.credential("none") == ""


def test_a_wide_open_file_is_narrowed_and_a_broken_one_named(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{}")
    path.chmod(0o644)
    Secrets(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{broken")
    with pytest.raises(SiteError, match=r"secrets\.json.*move it away"):
        Secrets(tmp_path)


def test_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = room.prepare_folder(tmp_path / "a" / "b")
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    assert room.prepare_folder(folder).stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(SiteError, match="--data"):
        room.prepare_folder(tmp_path / "file")
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert room.default_data_folder() == Path("/somewhere/ringdown")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/x")
    assert room.default_data_folder() == Path("/home/x/.local/state/ringdown")


def test_unknown_fields_of_a_newer_file_are_survived(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_bytes(msgspec.json.encode({"format": 2, "tokens": {}}))
    assert Secrets(tmp_path).ensure(site())


def test_what_an_admin_adds_while_the_engine_runs_is_never_overwritten(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.ensure(site())
    held = json.loads(secrets.path.read_text())
    held["lookups"], held["trunks"] = {"crm-token": "a"}, {"gw": "b"}
    secrets.path.write_text(json.dumps(held))
    secrets.rotate(site(), "200")
    held = json.loads(secrets.path.read_text())
    assert (held["lookups"], held["trunks"]) == ({"crm-token": "a"}, {"gw": "b"})
    assert secrets.lookup("crm-token") == "a"
    secrets.path.write_text("{")
    with pytest.raises(SiteError, match="repair it"):
        secrets.rotate(site(), "200")
    assert secrets.path.read_text() == "{"


def test_a_lookups_secret_comes_from_the_environment_a_credential_or_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets.json").write_text('{"lookups": {"crm-token": "file"}}')
    secrets = Secrets(tmp_path)
    assert secrets.lookup("crm-token") == "file" and secrets.lookup("other") == ""
    (tmp_path / "lookup_crm-token").write_text("credential\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert secrets.lookup("crm-token") == "credential"
    monkeypatch.setenv("RINGDOWN_LOOKUP_CRM_TOKEN", "environment")
    assert secrets.lookup("crm-token") == "environment"


# --- PINs of boxes, and the mail server's password ------------------------------------------------------------
def boxed() -> Site:
    return site(boxes={
        "default/front": BoxModel("default", "front"), "default/open": BoxModel("default", "o", pin=False),
    })  # fmt: skip


def test_a_box_that_asks_for_a_pin_gets_one_once(tmp_path: Path) -> None:
    made = [each for each in Secrets(tmp_path).ensure(boxed()) if each.agent.startswith("box ")]
    assert [each.agent for each in made] == ["box default/front"] and len(made[0].password) == 6
    assert not Secrets(tmp_path).ensure(boxed())
    assert made[0].password not in (tmp_path / "secrets.json").read_text()
    loaded = Secrets(tmp_path).loaded(boxed())
    assert pins.fits(made[0].password, loaded.pins["default/front"]) and list(loaded.pins) == ["default/front"]
    assert Secrets(tmp_path).loaded(site()).pins == {}


def test_a_new_pin_replaces_the_old_one(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    old = secrets.ensure(boxed())[-1].password
    new = secrets.new_pin(boxed(), "front").password
    kept = Secrets(tmp_path).loaded(boxed()).pins["default/front"]
    assert pins.fits(new, kept) and (new == old or not pins.fits(old, kept))
    with pytest.raises(SiteError, match="no box 'back'"):
        secrets.new_pin(boxed(), "back")
    two = site(boxes={f"{tenant}/front": BoxModel(tenant, "front") for tenant in ("a", "b")})
    with pytest.raises(SiteError, match="a/front, b/front"):
        secrets.new_pin(two, "front")


def test_the_mail_servers_password_has_three_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Secrets(tmp_path)
    assert secrets.mail_password("mail") == ""
    (tmp_path / "secrets.json").write_text('{"mail": {"mail": "of the file"}}')
    assert Secrets(tmp_path).mail_password("mail") == "of the file"
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "mail").write_text("of systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert Secrets(tmp_path).mail_password("mail") == "of systemd"
    monkeypatch.setenv("RINGDOWN_SECRET_MAIL", "of the environment")
    assert Secrets(tmp_path).mail_password("mail") == "of the environment"
