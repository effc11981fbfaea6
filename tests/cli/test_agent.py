"""`ringdown agent ID VERB`: each act prints its effect and its undo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.runtime.secrets import Secrets
from engine.runtime.site_files import demo_site, read_folder
from tests.cli.engine_double import engine

DONE = {"agent": "default/200", "done": "not ready", "undo": "ringdown agent default/200 ready"}


def test_acts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"agent.not_ready": DONE}) as asked:
        assert run(["agent", "200", "not-ready", "lunch", "--data", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert out == "agent default/200: not ready   (undo: ringdown agent default/200 ready)\n"
        assert run(["agent", "200", "not_ready", "--json", "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out) == DONE
    assert [each["arguments"] for each in asked] == [{"agent": "200", "reason": "lunch"}, {"agent": "200"}]


def test_not_ready_until_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"agent.not_ready": DONE | {"until_ms": "1700000000000"}}) as asked:
        assert run(["agent", "200", "not-ready", "lunch", "--until", "30m", "--data", str(tmp_path)]) == 0
        assert run(["agent", "200", "ready", "--until", "30m", "--data", str(tmp_path)]) == 2
    assert int(asked[0]["arguments"]["until_ms"]) > 1_700_000_000_000
    assert "not ready until 2023-11-1" in capsys.readouterr().out


def test_an_unknown_verb_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["agent", "200", "fly", "--data", str(tmp_path)]) == 2
    assert "login, logout, ready, not-ready, wrap-up, extend, code, password" in capsys.readouterr().err


def test_reasons_wrap_up_and_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"agent": "default/200", "done": "done", "undo": "none"}
    verbs = ("agent.not_ready", "agent.wrap_up", "agent.extend", "agent.code")
    data = ["--data", str(tmp_path)]
    with engine(tmp_path, dict.fromkeys(verbs, done)) as asked:
        assert run(["agent", "200", "pause", "--reason", "lunch", *data]) == 0
        assert run(["agent", "200", "wrap-up", *data]) == 0
        assert run(["agent", "200", "extend", *data]) == 0
        assert run(["agent", "200", "code", "sold", "--call", "gozu-0", *data]) == 0
    assert [(each["verb"], each["arguments"]) for each in asked] == [
        ("agent.not_ready", {"agent": "200", "reason": "lunch"}), ("agent.wrap_up", {"agent": "200"}),
        ("agent.extend", {"agent": "200"}), ("agent.code", {"agent": "200", "code": "sold", "call": "gozu-0"}),
    ]  # fmt: skip
    for wrong in (["code"], ["ready", "now"], ["ready", "--reason", "x"], ["pause", "a", "--reason", "b"],
                  ["extend", "--call", "x"]):  # fmt: skip
        assert run(["agent", "200", *wrong, *data]) == 2


def test_a_password_through_the_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = {"agent": "default/200", "realm": "r", "password": "aaaa-bbbb-cccc"}
    with engine(tmp_path, {"agent.password": made}):
        assert run(["agent", "200", "password", "--data", str(tmp_path)]) == 0
    assert "aaaa-bbbb-cccc" in capsys.readouterr().out


def test_a_password_while_the_engine_is_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["agent", "200", "password", "--json", "--data", str(tmp_path)]) == 0
    made = json.loads(capsys.readouterr().out)
    site = read_folder(demo_site()).site
    assert site is not None
    from engine.sip import digest

    stored = Secrets(tmp_path).loaded(site).agents["default/200"]
    assert stored == digest.ha1("200", made["realm"], made["password"])
    assert run(["agent", "nobody", "password", "--data", str(tmp_path)]) == 1


def test_an_agents_conversation_is_followed_by_a_supervisor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = {"agent": "default/201", "call": "dofu-0", "done": "rings default/210", "undo": "ringdown call x hangup"}
    with engine(tmp_path, {"agent.listen": done}) as asked:
        assert run(["agent", "201", "listen", "--as", "210", "--data", str(tmp_path)]) == 0
        for words in (["listen"], ["ready", "--as", "210"]):
            assert run(["agent", "201", *words, "--data", str(tmp_path)]) == 2
    assert asked == [{"verb": "agent.listen", "arguments": {"agent": "201", "as": "210"}}]
    assert "agent default/201: rings default/210" in capsys.readouterr().out
