"""Operators and secrets: who uses which, from where, and what a running engine does with a new one."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.dialplan.box_model import MailModel
from engine.dialplan.bus import BusModel
from engine.dialplan.lookups import LookupModel
from engine.dialplan.model import Site, TrunkModel
from engine.errors import SiteError
from engine.runtime.secret_desk import SecretDesk
from engine.runtime.secrets import Secrets
from tests.runtime.fakes import quiet_log, run, site


def whole() -> Site:
    lookup = LookupModel("default", "crm", "GET", (), secret="token")
    return site(
        trunks={"gw": TrunkModel("gw", user="us"), "carrier": TrunkModel("carrier", user="me", secret="token"),
                "plain": TrunkModel("plain", host="h")},
        lookups={"default/crm": lookup}, mail=MailModel("smtp", 587, "r@x", user="u"), bus=BusModel("b", user="u"),
    )  # fmt: skip


class Engine:
    def __init__(self, folder: Path) -> None:
        self.secrets, self.site, self.changed, self.used = Secrets(folder), whole(), 0, []  # type: ignore[var-annotated]
        self.log, self.printed = quiet_log()
        self.bus = types.SimpleNamespace(model=self.site.bus, use=self.used.append)

    def secrets_changed(self) -> None:
        self.changed += 1


def ask(engine: Engine, verb: str, **arguments: str) -> Any:
    desk = SecretDesk(engine)  # type: ignore[arg-type]
    found = run(desk.verbs[f"secret.{verb}"]("ann", arguments))
    assert found.ok
    return msgspec.json.decode(found.data)


def test_who_uses_which_and_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tmp_path)
    engine.secrets.put("token", "t")
    engine.secrets.put("unused", "u")
    monkeypatch.setenv("RINGDOWN_TRUNK_GW", "e")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "mail").write_text("m")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    found = ask(engine, "list")
    assert (found["key"], found["place"]) == (engine.secrets.key.name, str(tmp_path / "secrets.key"))
    rows = {each["secret"]: (each["source"], each["used_by"], bool(each["key"])) for each in found["secrets"]}
    assert rows == {
        "bus": ("missing", ["bus"], False), "gw": ("environment", ["trunk gw"], False),
        "mail": ("credential", ["mail"], False), "token": ("file", ["trunk carrier", "lookup default/crm"], True),
        "unused": ("file", [], True),
    }  # fmt: skip


def test_what_is_set_is_used_at_once_and_never_logged(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    assert ask(engine, "set", name="token", secret="ca-na-ry") == {
        "secret": "token", "done": "kept", "used_by": ["trunk carrier", "lookup default/crm"],
    }  # fmt: skip
    assert engine.changed == 1 and engine.used == []
    assert engine.secrets.loaded(engine.site).trunks == {"carrier": ("me", "ca-na-ry")}
    assert ask(engine, "set", name="bus", secret="broker's")["used_by"] == ["bus"]
    assert engine.used == [engine.site.bus] and engine.bus.model is None, "it joins anew, with what is new"
    assert engine.secrets.bus_password("") == "broker's"
    assert ask(engine, "remove", name="token")["done"] == "forgotten"
    assert ask(engine, "remove", name="token")["done"] == "was not there" and engine.changed == 3
    assert engine.secrets.loaded(engine.site).trunks == {}
    log = engine.printed.getvalue()
    assert "secret token kept" in log and "ca-na-ry" not in log and "broker's" not in log
    for name, secret in (("a b", "x"), ("a", ""), ("a", "x\ny"), ("a", "ä"), ("a", "x" * 4_097)):
        with pytest.raises(SiteError, match=r"letters, digits|one line of 1 to 4096"):
            ask(engine, "set", name=name, secret=secret)


def test_a_new_key_seals_everything(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.secrets.put("token", "t")
    before = engine.secrets.key.name
    found = ask(engine, "rotate")
    assert found["ended"] == before and found["key"] != before and found["secrets"] == 1
    assert Secrets(tmp_path).lookup("token") == "t"


def test_a_secret_whose_key_is_gone_is_listed_so(tmp_path: Path) -> None:
    Secrets(tmp_path).put("token", "t")
    (tmp_path / "secrets.key").unlink()
    engine = Engine(tmp_path)
    row = next(each for each in ask(engine, "list")["secrets"] if each["secret"] == "token")
    assert row["source"] == "file, unreadable" and row["key"]
    with pytest.raises(SiteError, match="the key of token is not here"):
        ask(engine, "rotate")
