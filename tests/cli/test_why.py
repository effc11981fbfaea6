"""`ringdown why CALL`, from the records of an engine that is down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from tests.console.scenario import Recorded, busy
from tests.runtime.test_explaining import day


def test_why_he_waited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = busy()
    names = {event.data["caller"]: event.call for event in world.events if event.kind == "call.started"}
    Recorded(tmp_path, world)
    folder = ["--data", str(tmp_path)]
    assert run(["why", "nobody", *folder]) == 1
    db_only = names["861012345678"]  # no call has ended: nothing in `calls`, so the id is not found there
    assert run(["why", db_only, *folder]) == 0
    text = capsys.readouterr().out
    for words in (
        "861012345678 → 700", "agent 200 didn't answer after 20 s", "202 not ready (lunch)",
        "is rung by longest-idle-agent, site ", "overtaken by 1 caller: 1 while 200's phone rang for him",
        "In short: 24 s every agent on duty was busy",
    ):  # fmt: skip
        assert words in text, text
    assert run(["why", db_only, "--json", *folder]) == 0
    (stay,) = json.loads(capsys.readouterr().out)["stays"]
    assert stay["queue"] == "default/support" and len(stay["offers"]) == 3
    asked = [each[1] for each in stay["decisions"]]
    assert asked == ["", "default/200", "", "default/200", "", "default/200"]
    assert stay["overtaken"][0]["call"] == names["4930901820"] and sum(stay["causes"].values()) > 20_000


def test_all_of_it_from_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--data", str(tmp_path)]
    (tmp_path / "journal").mkdir()
    assert run(["why", "last", "--all", *folder]) == 2 and "no journal" in capsys.readouterr().err
    recorded = day(tmp_path / "journal")
    assert run(["why", "nobody", "--all", *folder]) == 1 and "no call 'nobody'" in capsys.readouterr().out
    assert run(["why", "5550002", "--all", *folder]) == 0
    text = capsys.readouterr().out
    for words in (
        f"call {recorded.waiting} from 5550002", "nobody for him: queue default/support; rule longest-idle-agent",
        "needs power 5", "202        lacks power, not ready (lunch)", "201        talking", "201        ASKED: level 1",
        "Where the time went, exactly:", "every agent with power on duty was busy", "a phone rang for him",
    ):  # fmt: skip
        assert words in text, text
    assert run(["why", recorded.waiting, "--all", "--json", *folder]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["call"] == recorded.waiting and data["decisions"][0]["asked"] == [] and data["causes"]
