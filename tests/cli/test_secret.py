"""`ringdown secret`: from standard input into the data folder, never shown, and used by an engine that runs."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.dialplan.values import PASSWORD_KEYS
from engine.runtime import secret_moving
from engine.runtime.secrets import Secrets
from engine.runtime.site_files import demo_site
from tests.cli.engine_double import engine


def put(monkeypatch: pytest.MonkeyPatch, data: Path, text: str, *arguments: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return run(["secret", *arguments, "--data", str(data)])


def test_it_is_kept_used_at_once_listed_by_name_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = Secrets(tmp_path)
    assert running.lookup("crm-token") == ""
    assert put(monkeypatch, tmp_path, "tok en-1\n", "crm-token") == 0
    assert running.lookup("crm-token") == "tok en-1"
    assert running.path.stat().st_mode & 0o777 == 0o600
    assert put(monkeypatch, tmp_path, "other", "set", "other", "--json") == 0
    assert run(["secret", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "tok en-1" not in out and [line.split()[0] for line in out.splitlines()[-3:]] == ["crm-token", "other",
                                                                                             "sealed"]  # fmt: skip
    assert json.loads(out[out.index("{") : out.index("}") + 1]) == {"secret": "other", "done": "kept"}
    for old, done in ((True, "forgotten"), (False, "was not there")):
        words = ["crm-token", "--remove"] if old else ["remove", "crm-token"]
        assert run(["secret", *words, "--data", str(tmp_path)]) == 0
        assert capsys.readouterr().out == f"secret crm-token: {done}\n"
    assert running.lookup("crm-token") == "" and running.lookup("other") == "other"


@pytest.mark.parametrize("text", ["", "\n", "a\nb\n", "ä", "x" * 4_097])
def test_what_no_header_can_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert put(monkeypatch, tmp_path, text, "crm") == 2
    assert "one line of 1 to 4096" in capsys.readouterr().err
    assert Secrets(tmp_path).names() == {}
    assert run(["secret", "--remove", "--data", str(tmp_path)]) == 2
    assert put(monkeypatch, tmp_path, "fine", "a b") == 2 and "letters, digits" in capsys.readouterr().err


def test_a_running_engine_is_asked_to_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = {"key": "0a0b0c0d", "place": "the credential secrets_key", "secrets": [
        {"secret": "crm", "used_by": ["lookup default/crm"], "source": "missing", "key": ""}]}  # fmt: skip
    answers = {
        "secret.list": listed, "secret.set": {"secret": "crm", "done": "kept", "used_by": ["lookup default/crm"]},
        "secret.rotate": Exception("the key comes from the credential secrets_key"),
    }
    with engine(tmp_path, answers) as asked:
        assert put(monkeypatch, tmp_path, "word", "set", "crm") == 0
        assert run(["secret", "list", "--data", str(tmp_path)]) == 0
        assert run(["secret", "rotate", "--data", str(tmp_path)]) == 1
    assert asked[0] == {"verb": "secret.set", "arguments": {"name": "crm", "secret": "word"}}
    said = capsys.readouterr()
    assert "secret crm: kept; used by lookup default/crm" in said.out and "missing" in said.out
    assert "sealed with the key 0a0b0c0d from the credential secrets_key" in said.out
    assert "the key comes from the credential" in said.err and "word" not in said.out + said.err
    assert not (tmp_path / "secrets.json").exists()


def test_the_key_is_replaced_and_what_follows_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert put(monkeypatch, tmp_path, "word", "set", "crm") == 0
    assert run(["secret", "rotate", "--data", str(tmp_path)]) == 0
    assert "make a new backup" in capsys.readouterr().out and Secrets(tmp_path).lookup("crm") == "word"


@pytest.mark.parametrize("words", [["set"], ["list", "x"], ["shout", "x"], ["move"], ["rotate", "x"]])
def test_what_is_said_wrongly(tmp_path: Path, words: list[str]) -> None:
    assert run(["secret", *words, "--data", str(tmp_path)]) == 2


def test_a_site_with_secrets_in_clear_is_refused_and_mended_by_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    shutil.copytree(demo_site(), site)
    (site / "trunks.yaml").write_text("carrier:\n  host: sip.example.net\n  user: x\n  password: ca-na-ry  # old\n")
    assert run(["check", str(site)]) == 1
    said = capsys.readouterr().out
    assert "trunks.yaml:4:3" in said and "RD080" in said and "ringdown secret move" in said
    assert run(["secret", "move", "--site", str(site), "--data", str(data)]) == 0
    said = capsys.readouterr().out
    assert "trunks.yaml:4: is `secret carrier` now" in said and "have them changed" in said and "ca-na-ry" not in said
    assert (site / "trunks.yaml").read_text().endswith("password: secret carrier  # old\n")
    assert run(["check", str(site)]) == 0
    assert run(["secret", "list", "--site", str(site), "--data", str(data), "--json"]) == 0
    said = capsys.readouterr().out
    (row,) = [each for each in json.loads(said[said.index('{\n  "key"'):])["secrets"] if each["secret"] == "carrier"]
    assert (row["source"], row["used_by"]) == ("file", ["trunk carrier"])
    assert b"ca-na-ry" not in (data / "secrets.json").read_bytes()
    assert run(["secret", "move", "--site", str(site), "--data", str(data)]) == 0
    assert "no secrets in clear" in capsys.readouterr().out


def test_every_word_that_check_refuses_is_known_to_move(tmp_path: Path) -> None:
    for word in PASSWORD_KEYS:
        if word != "pin":
            (tmp_path / "trunks.yaml").write_text(f"carrier: {{host: h, user: u, {word}: literal}}\n")
            assert [each.text for each in secret_moving.find(tmp_path)] == ["literal"], word
