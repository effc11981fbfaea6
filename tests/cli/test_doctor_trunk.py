"""What the doctor says of a gateway, word for word, for figures that a call may give."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.cli import client
from engine.cli.app import run
from engine.cli.doctor_trunk import callers, registered, trunk, verdicts
from engine.dialplan.model import TrunkModel
from engine.runtime.line_test import KEYS, Found


def said(found: Found) -> list[tuple[str, str, str]]:
    return [(each["check"], each["state"], each["detail"]) for each in verdicts("office", found)]


def loop(**figures: object) -> Found:
    facts = {"status": 200, "heard": True, "gain_db": -12.0, "delay_ms": 180, "keys": KEYS, **figures}
    return Found("loop", **facts)  # type: ignore[arg-type]


def test_a_good_line() -> None:
    assert said(loop()) == [
        ("office level", "ok", "-12.0 dB there and back, -6.0 dB each way"),
        ("office delay", "ok", "180 ms there and back"),
        ("office digits", "ok", "pressed 1590*#, came back 1590*# as events: both ways work"),
    ]
    assert said(Found("silent", 200, heard=True, noise_dbm0=-62.0)) == [
        ("office echo", "ok", "none that could be found"), ("office noise", "ok", "-62 dBm0 when nobody speaks"),
    ]  # fmt: skip
    assert said(Found("short", 200, heard=True, ended_after_s=0.4)) == [
        ("office hang-up", "ok", "noticed 0.4 s after the last sound")
    ]


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (loop(gain_db=-32.0), ("office level", "warn", "-32.0 dB there and back: too quiet")),
        (loop(gain_db=-1.0), ("office level", "warn", "-1.0 dB there and back: too loud, it may sing")),
        (loop(gain_db=None), ("office level", "fail", "nothing of our noise came back")),
        (loop(delay_ms=650), ("office delay", "warn", "650 ms there and back")),
        (loop(keys="", inband=KEYS), ("office digits", "fail", "came back as tones only: 1590*#")),
        (loop(inband=KEYS), ("office digits", "warn", "came back 1590*# as events, and 1590*# as tones beside them")),
        (loop(keys="11559900**##"), ("office digits", "fail", "each press comes twice: 11559900**##")),
        (loop(keys="190#"), ("office digits", "fail", "pressed 1590*#, came back 190#: lost 5*")),
        (loop(keys="5190*#"), ("office digits", "fail",
                               "pressed 1590*#, came back 5190*#: in another order, or with others between")),
        (loop(keys=""), ("office digits", "fail", "pressed 1590*#, nothing came back")),
        (Found("silent", 200, heard=True, gain_db=-18.0, delay_ms=40),
         ("office echo", "fail", "18.0 dB below what was sent, 40 ms later: callers would hear themselves")),
        (Found("silent", 200, heard=True, gain_db=-33.0, delay_ms=40),
         ("office echo", "warn", "33.0 dB below what was sent, 40 ms later: faint")),
        (Found("silent", 200, heard=True, gain_db=-48.0, delay_ms=40),
         ("office echo", "ok", "48.0 dB below what was sent, 40 ms later")),
        (Found("silent", 200, heard=True, noise_dbm0=-38.0),
         ("office noise", "warn", "-38 dBm0 when nobody speaks")),
        (Found("short", 200, heard=True, busy=(425, 500, 500)),
         ("office hang-up", "fail", "the far end hung up and the gateway didn't notice: a busy tone of 425 Hz, "
                                    "500 ms on, 500 ms off is heard instead")),
        (Found("short", 200, heard=True),
         ("office hang-up", "fail", "the far end hung up and the gateway didn't notice: and no busy tone is heard")),
        (Found("short", 200, heard=True, ended_after_s=9.0),
         ("office hang-up", "warn", "noticed 9.0 s after the last sound")),
        (Found("loop", 486, failed="486 busy"), ("office", "fail", "486 busy")),
        (Found("loop", 200), ("office", "fail", "answered, but not one packet of sound came back")),
    ],
)  # fmt: skip
def test_each_fault_has_its_words(found: Found, line: tuple[str, str, str]) -> None:
    assert line in said(found), said(found)
    assert all(each["remedy"] for each in verdicts("office", found) if each["state"] != "ok"), "and what to do"


def test_a_remedy_names_the_figure() -> None:
    remedies = [each["remedy"] for each in verdicts("x", Found("short", 200, heard=True, busy=(425, 500, 480)))]
    assert remedies == ["set the gateway's disconnect tone to 425 Hz, 500/480 ms"]
    assert next(verdicts("x", loop(gain_db=-32.0)))["remedy"] == "raise the gateway's gain by 13 dB each way"


def records(folder: Path, callers: list[str]) -> None:
    with sqlite3.connect(folder / "ringdown.db") as db:
        db.execute("CREATE TABLE calls (caller TEXT, trunk TEXT, started_ms INTEGER)")
        db.executemany("INSERT INTO calls VALUES (?, 'office', 1)", [(each,) for each in callers])


def test_callers_are_read_from_the_records(tmp_path: Path) -> None:
    assert callers("office", tmp_path)["detail"] == "no call has come from it yet"
    records(tmp_path, ["+4420", "anonymous", ""])
    assert callers("office", tmp_path)["detail"] == "1 of the last 3 calls brought the caller's number"
    assert callers("office", tmp_path)["state"] == "ok"
    assert callers("other", tmp_path)["state"] == "warn"


def test_a_trunk_without_a_number_to_it_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\n")
    (tmp_path / "trunks.yaml").write_text("office: {addresses: [192.0.2.9]}\nbox: {host: 127.0.0.1}\n")
    none = {"loop": "", "silent": "", "short": ""}
    assert [each["state"] for each in trunk("nobody", tmp_path, tmp_path, none)] == ["fail"]
    assert "has no host" in list(trunk("office", tmp_path, tmp_path, none))[-1]["detail"]
    assert "--loop 9196" in list(trunk("box", tmp_path, tmp_path, none))[-1]["remedy"]
    assert run(["doctor", "--loop", "9196"]) == 2
    assert "go with --trunk NAME" in capsys.readouterr().err
    assert run(["doctor", "--trunk", "box", "--site", str(tmp_path), "--data", str(tmp_path)]) == 0
    assert "no test call was made" in capsys.readouterr().out


BOX = TrunkModel("attic", accounts=("attic", "loft"))


@pytest.mark.parametrize(("addresses", "where", "line"), [
    ([], None, ("attic registration", "fail", "nobody has registered as attic or loft")),
    ([("udp:192.0.2.7:5060", False)], None,
     ("attic registration", "fail", "udp:192.0.2.7:5060 doesn't answer OPTIONS")),
    ([("udp:192.0.2.7:5060", False), ("tcp:[2001:db8::7]:5070", True)], ("tcp", "2001:db8::7", 5070),
     ("attic registration", "ok", "registered from tcp:[2001:db8::7]:5070")),
])  # fmt: skip
def test_where_a_box_has_registered_is_asked_of_the_engine(
    addresses: list[tuple[str, bool]], where: object, line: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    rows = [{"trunk": "attic", "addresses": [{"address": at, "usable": usable} for at, usable in addresses]}]
    monkeypatch.setattr(client, "ask", lambda folder, verb: rows if verb == "trunks" else None)
    found, said_of_it = registered(BOX, tmp_path)
    assert found == where
    assert (said_of_it["check"], said_of_it["state"], said_of_it["detail"]) == line


def test_without_an_engine_nobody_knows_where_it_is(tmp_path: Path) -> None:
    found, told = registered(BOX, tmp_path)
    assert found is None and told["state"] == "fail" and "no engine runs" in told["detail"]
