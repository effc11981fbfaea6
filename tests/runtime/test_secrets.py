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
from engine.runtime.sealing_key import is_sealed
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
    (line,) = Secrets(tmp_path).take_told()
    assert path.stat().st_mode & 0o777 == 0o600 and "was open to others (mode 0644)" in line
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
    assert all(is_sealed(each) for each in (held["lookups"]["crm-token"], held["trunks"]["gw"]))
    assert secrets.lookup("crm-token") == "a" and secrets.loaded(site()).trunks == {"gw": ("us", "b")}
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


# --- at rest ----------------------------------------------------------------------------------------------------
FIRST = {  # as an engine of format 1 left it, and an admin filled it in
    "format": 1, "agents": {"default/200": {"realm": "ringdown.test", "ha1": {"MD5": "0" * 32}}},
    "trunks": {"gw": "trunk word"}, "lookups": {"crm": "token 1"}, "pins": {"default/front": "00:11"},
    "mail": {"mail": "letter word"}, "bus": "broker word",
}  # fmt: skip
CLEAR = ("trunk word", "token 1", "letter word", "broker word")


def test_an_earlier_engines_file_is_sealed_without_loss(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps(FIRST))
    path.chmod(0o600)
    secrets = Secrets(tmp_path)
    assert secrets.take_told() == [f"4 secret(s) in clear in {path} are sealed now (key {secrets.key.name})"]
    assert not any(word in path.read_text() for word in CLEAR) and path.stat().st_mode & 0o777 == 0o600
    for each in (secrets, Secrets(tmp_path)):
        assert each.loaded(site()).trunks == {"gw": ("us", "trunk word")}
        assert each.loaded(site()).agents == {"default/200": {"MD5": "0" * 32}}
        assert (each.lookup("crm"), each.mail_password("mail"), each.bus_password("")) == CLEAR[1:]
        assert each.take_told() == []
    held = json.loads(path.read_text())
    assert held["agents"] == FIRST["agents"] and held["pins"] == FIRST["pins"] and held["format"] == 2


def test_a_secret_by_its_name_serves_whoever_names_it(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.put("shared", "word")
    named = site(trunks={"gw": TrunkModel("gw", user="us", secret="shared"), "b": TrunkModel("b", user="b")})
    assert secrets.loaded(named).trunks == {"gw": ("us", "word")}, "b names none, so it gets none"
    assert [secrets.lookup("shared"), secrets.mail_password("shared"), secrets.bus_password("shared")] == ["word"] * 3
    assert list(secrets.names()) == ["shared"] and secrets.readable("shared") and not secrets.readable("bus")
    (tmp_path / "secrets.json").write_text(json.dumps(FIRST))
    assert secrets.refresh() and not secrets.refresh()
    secrets.put("crm", "token 2")
    assert secrets.lookup("crm") == "token 2", "what is set goes before what lay there"
    assert secrets.put("crm", "") and secrets.lookup("crm") == "" and not secrets.put("crm", "")
    assert secrets.put("bus", "") and secrets.bus_password("") == ""


def test_the_brokers_password_has_three_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Secrets(tmp_path)
    secrets.put("bus", "of the file")
    assert secrets.bus_password("") == "of the file"
    secrets.put("mqtt", "by its name")
    assert secrets.bus_password("mqtt") == "by its name"
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "bus").write_text("of systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert secrets.bus_password("mqtt") == "of systemd"
    monkeypatch.setenv("RINGDOWN_BUS", "of the environment")
    assert secrets.bus_password("mqtt") == "of the environment"


def test_without_the_key_what_is_sealed_is_kept_and_named(tmp_path: Path) -> None:
    Secrets(tmp_path).put("crm", "token")
    sealed = (tmp_path / "secrets.json").read_bytes()
    (tmp_path / "secrets.key").rename(tmp_path / "aside")
    secrets = Secrets(tmp_path)
    (line,) = secrets.take_told()
    assert "which is not here, can't be used: crm" in line and "ringdown secret set NAME" in line
    assert secrets.lookup("crm") == "" and not secrets.readable("crm")
    assert (tmp_path / "secrets.json").read_bytes() == sealed
    secrets.ensure(site())  # another key may be made meanwhile
    secrets.put("new", "n")
    (tmp_path / "aside").rename(tmp_path / "secrets.key")
    assert Secrets(tmp_path).lookup("crm") == "token"


def test_a_credential_takes_over_from_the_folders_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Secrets(tmp_path).put("crm", "token")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "secrets_key").write_text("c3" * 32 + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    secrets = Secrets(tmp_path)
    assert secrets.names() == {"crm": secrets.key.name} and secrets.key.place == "the credential secrets_key"
    (tmp_path / "secrets.key").unlink()
    assert Secrets(tmp_path).lookup("crm") == "token"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert Secrets(tmp_path).lookup("crm") == "", "an operator's command sees no credential"


def test_a_secret_that_was_put_in_anothers_place_does_not_open(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.put("a", "word")
    held = json.loads(secrets.path.read_text())
    held["named"]["b"] = held["named"]["a"]
    secrets.path.write_text(json.dumps(held))
    assert secrets.lookup("b") == "" and secrets.lookup("a") == "word"
