"""What operators may ask of the runtime, and that wrong reloads leave the running site alone."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.call.effects import Reply
from engine.runtime import desk as room
from engine.runtime import recognizer_pool
from engine.runtime.admin import Answer, Request
from engine.runtime.desk import Desk
from engine.runtime.ladder import Ladder
from engine.runtime.opening import Options
from engine.runtime.secrets import Secrets
from engine.runtime.site_files import Reading
from engine.runtime.tally import Tally
from engine.sip.events import Path as SipPath
from tests.runtime.fakes import event, quiet_log, run, site


class Fake:
    """As much of a Server as the desk touches."""

    def __init__(self, folder: Path) -> None:
        self.options = Options(site=folder, data=folder)
        self.site = site()
        self.secrets = Secrets(folder)
        self.log, self.printed = quiet_log()
        self.boot, self.began_s, self.started_at = "b1", 0.0, 0.0
        self.addresses, self.draining = ["udp:127.0.0.1:5060"], False
        self.ladder = Ladder()
        self.loaded: list[Any] = []
        self.told, self.error = 0, "no such"
        self.tally = Tally()
        self.faults = 0
        self.counts = {"unsent": 0}
        self.udp: dict[int, Any] = {}
        self.flows = types.SimpleNamespace(flows={}, refused=0)
        self.storage = types.SimpleNamespace(state="ok", detail="", spooled=0, written=3, lost=0)
        self.journal = types.SimpleNamespace(inputs=7, path="j", bytes_written=0, failed="")
        self.bus = types.SimpleNamespace(state="none", detail="")
        self.admin = types.SimpleNamespace(readers=[], dropped=0)
        self.notified: list[str] = []
        self.watching = types.SimpleNamespace(
            reloading=lambda: self.notified.append("reloading"), reloaded=lambda: self.notified.append("reloaded")
        )
        self.plane = types.SimpleNamespace(metrics=lambda: {"legs": 0})
        self.recognizers = types.SimpleNamespace(figures=recognizer_pool.Figures(listened=3))

    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        if verb == "silent":
            raise TimeoutError
        ok = verb not in ("wrong", "call.hangup")
        found = msgspec.json.encode({"calls": 0, "by": author}) if ok else b"null"
        return Reply(1, ok, found, "" if ok else self.error)

    def load_site(self, reading: Reading) -> list[Any]:
        assert reading.site is not None
        self.loaded.append(reading.site)
        self.site = reading.site
        return self.secrets.ensure(reading.site)

    def secrets_changed(self) -> None:
        self.told += 1

    def draining_begins(self, why: str) -> None:
        assert "ann" in why
        self.draining = True


def ask(fake: Fake, verb: str, **arguments: str) -> Answer:
    desk: Any = Desk(fake)  # type: ignore[arg-type]
    return run(desk.handle("ann", Request(verb, arguments)))


def data(answer: Answer) -> Any:
    assert answer.ok, answer.error
    return msgspec.json.decode(answer.data)


def test_the_switch_answers_what_the_runtime_does_not_know(tmp_path: Path) -> None:
    assert data(ask(Fake(tmp_path), "agents")) == {"calls": 0, "by": "ann"}
    assert ask(Fake(tmp_path), "wrong").error == "no such"
    assert "5 s" in ask(Fake(tmp_path), "silent").error


def test_an_agent_may_be_named_by_number(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    heard: list[dict[str, str]] = []

    async def listen(author: str, verb: str, arguments: dict[str, str]) -> Reply:
        heard.append(arguments)
        return Reply(1, True, b"1")

    fake.ask = listen  # type: ignore[method-assign]
    ask(fake, "agent.ready", agent="200", reason="x")
    ask(fake, "agent.ready", agent="999")
    ask(fake, "call.hangup", call="200")
    assert heard == [{"agent": "default/200", "reason": "x"}, {"agent": "999"}, {"call": "200"}]


def test_status_holds_both_sides(tmp_path: Path) -> None:
    found = data(ask(Fake(tmp_path), "status"))
    assert found["switch"]["calls"] == 0 and found["runtime"]["inputs"] == 7 and found["boot"] == "b1"
    assert found["runtime"]["speech"]["listened"] == 3
    assert found["runtime"]["storage"]["written"] == 3 and found["runtime"]["media"] == {"legs": 0}
    assert data(ask(Fake(tmp_path), "metrics"))["inputs"] == 7


def test_ladders_by_call_and_last(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    assert "no signalling" in ask(fake, "ladder").error
    fake.ladder.note(5, "in", SipPath(1, "h", 5060), b"INVITE sip:x SIP/2.0\r\nCall-ID: abc\r\n\r\n")
    fake.ladder.name("bako-0", "abc")
    assert data(ask(fake, "ladder"))["call"] == "bako-0"
    assert data(ask(fake, "ladder", call="bako-0"))["hops"][0]["way"] == "in"
    assert not ask(fake, "ladder", call="other").ok


def test_a_ladder_of_several_calls_names_them_and_a_long_one_comes_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(tmp_path)
    for number, call in enumerate(("bako-0", "gozu-0")):
        fake.ladder.know(event(number, "call.started", call, caller="5551", dialled="700", sip=f"id-{number}"))
        for at_ms in range(4):
            text = f"INVITE sip:x SIP/2.0\r\nCall-ID: id-{number}\r\n\r\n".encode()
            fake.ladder.note(10 * number + at_ms, "in", SipPath(1, "h", 5060), text)
    refused = ask(fake, "ladder", call="5551").error
    assert "has 2 kept calls" in refused and "gozu-0 (5551 → 700" in refused and "bako-0" in refused
    assert not ask(fake, "ladder", since_ms="soon").ok
    monkeypatch.setattr(room, "ladder_bytes_max", 500)
    hops, after = [], 0
    while True:
        part = data(ask(fake, "ladder", since_ms="2", after=str(after), raw="yes"))
        hops += part["hops"]
        after = part["next"]
        if not after:
            break
    assert [hop["at_ms"] for hop in hops] == [2, 3, 10, 11, 12, 13] and hops[0]["data"]


def test_a_command_on_an_ended_call_says_that_it_ended(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    fake.error = "no call 'bako-0' is up"
    fake.ladder.know(event(1, "call.started", "bako-0", caller="5551", dialled="700", sip="id"))
    assert ask(fake, "call.hangup", call="bako-0").error == "no call 'bako-0' is up"
    fake.ladder.know(event(2, "call.ended", "bako-0"))
    assert "bako-0 ended at" in ask(fake, "call.hangup", call="bako-0").error
    assert ask(fake, "call.hangup", call="5551").error == "no call 'bako-0' is up"


def test_a_new_password_works_at_once(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    found = data(ask(fake, "agent.password", agent="200"))
    assert found["agent"] == "default/200" and len(found["password"]) == 14 and fake.told == 1
    assert found["password"] not in fake.printed.getvalue()
    assert "no agent 999" in ask(fake, "agent.password", agent="999").error


def test_draining_twice_does_not_stop(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    assert data(ask(fake, "drain"))["by"] == "ann" and fake.draining
    assert data(ask(fake, "drain"))["by"] == "ann"


def test_forgetting_answers_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def prepare(server: Any, author: str, number: str, country: str) -> dict[str, Any]:
        asked.append((author, number, country))
        if number == "1":
            raise room.forgetting.NotYet("a call of that number is up (bako-0)")
        return {"journal": "j", "signalling": 2}

    monkeypatch.setattr(room.forgetting, "prepare", prepare)
    desk = Desk(Fake(tmp_path))  # type: ignore[arg-type]
    good = run(desk.handle("ops", Request("forget.prepare", {"number": "+44", "country": "44"})))
    bad = run(desk.handle("ops", Request("forget.prepare", {"number": "1"})))
    assert good.ok and msgspec.json.decode(good.data) == {"journal": "j", "signalling": 2}
    assert not bad.ok and bad.error == "a call of that number is up (bako-0)"
    assert asked == [("ops", "+44", "44"), ("ops", "1", "")]
