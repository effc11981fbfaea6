"""`ringdown tail`: lines, filters, ladders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine
from tests.console.test_store import fill
from tests.runtime.fakes import event


def fact(*arguments: Any, **data: Any) -> dict[str, Any]:
    return {"event": msgspec.to_builtins(event(*arguments, **data))}


def hop(call: str, text: str = "BYE sip:x SIP/2.0\r\n\r\n") -> dict[str, Any]:
    return {
        "at_ms": 1,
        "way": "in",
        "transport": "udp",
        "far_end": "1.2.3.4:5",
        "call": call,
        "call_id": "i",
        "text": text,
    }


ITEMS = [
    fact(1, "call.started", "a", caller="+44", name="", dialled="100", trunk="", via="public", peer="p"),
    fact(2, "call.started", "b", caller="+55", name="", dialled="200", trunk="", via="public", peer="p"),
    {"sip": hop("b", "INVITE sip:200@x SIP/2.0\r\n\r\n")},
    {"sip": hop("a")},
    {"sip": hop("c")},
    fact(3, "queue.offered", "b", queue="default/support", agent="default/201", offer=1),
]


def test_live_lines_and_filters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"tail": "tail"}, stream=ITEMS) as asked:
        assert run(["tail", "--data", str(tmp_path)]) == 0
        everything = capsys.readouterr()
        assert len(everything.out.splitlines()) == 3 and "ended the stream" in everything.err
        assert run(["tail", "--call", "+44", "--sip", "--data", str(tmp_path)]) == 0
        assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["a", "a"]
        assert run(["tail", "--queue", "support", "--sip", "--data", str(tmp_path)]) == 0
        early, late = capsys.readouterr().out.splitlines()
        assert "INVITE" in early and "offered to" in late
        assert run(["tail", "--agent", "201", "--json", "--data", str(tmp_path)]) == 0
        assert [json.loads(line)["event"]["n"] for line in capsys.readouterr().out.splitlines()] == [3]
    assert [each["arguments"]["sip"] for each in asked] == ["no", "yes", "yes", "no"]


def test_a_calls_ladder_facts_and_capture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ["--data", str(tmp_path)]
    with engine(tmp_path, {"ladder": {"call": "a", "hops": [hop("a")]}, "call": {"call": "call-3"}}) as asked:
        assert run(["tail", "--sip", "201", *folder]) == 0
        assert "BYE" in capsys.readouterr().out
        assert run(["tail", "201", "--sip", "--json", *folder]) == 0
        assert json.loads(capsys.readouterr().out)["hops"][0]["call"] == "a"
        target = tmp_path / "x.pcapng"
        assert run(["tail", "--pcap", str(target), "201", *folder]) == 0
        assert target.read_bytes()[:4] == b"\n\r\r\n" and "1 SIP messages of call a" in capsys.readouterr().out
        assert run(["tail", "--pcap", str(tmp_path / "no" / "x"), "201", *folder]) == 1
        capsys.readouterr()
        fill(tmp_path / "ringdown.db", boots=1, count=30)
        assert run(["tail", "last", *folder]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 4  # 3, 10, 17, 24
    assert [each["arguments"] for each in asked if each["verb"] == "ladder"][2] == {"call": "201", "raw": "yes"}


def test_since_with_an_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path / "ringdown.db", boots=1, count=30)
    assert run(["tail", "--since", "1970-01-02", "--once", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    ladder = {"call": "", "hops": [hop("call-3")]}
    with engine(tmp_path, {"ladder": ladder}):
        assert run(["tail", "--since", "99999d", "--sip", "--once", "--data", str(tmp_path)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 31 and "BYE" in lines[0]  # by time: the message came before the first event
        assert run(["tail", "--since", "99999d", "--sip", "--once", "--call", "call-3", "--data", str(tmp_path)]) == 0
        assert {line.split()[1] for line in capsys.readouterr().out.splitlines()} == {"call-3"}
    for wrong in (["--pcap", "x"], ["--once"], ["--since", "soon"]):
        assert run(["tail", *wrong, "--data", str(tmp_path)]) == 2


def test_a_past_ladder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(
        tmp_path, {"ladder": {"call": "a", "hops": [hop("a"), hop("a", "SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n\r\n")]}}
    ):
        assert run(["tail", "--past", "a", "--data", str(tmp_path)]) == 0
    assert [line.split("▶ ")[1] for line in capsys.readouterr().out.splitlines()] == ["BYE sip:x", "200 OK  (BYE)"]
