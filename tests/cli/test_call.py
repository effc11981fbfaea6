"""`ringdown call ID VERB`: whom it means is the engine's to say; effect and undo are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.app import run
from tests.cli.engine_double import engine, refused

ROW = {"call": "bako-0", "caller": "+44", "agent": "default/200", "seconds": 9, "queue": ""}


def test_acts_print_effect_and_undo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"call": "dofu-0", "done": "hung up", "undo": "none"}
    moved = {"call": "dofu-0", "done": "transferred to 201", "undo": "ringdown call dofu-0 transfer 200"}
    with engine(tmp_path, {"call": ROW, "call.hangup": done, "call.transfer": moved}) as asked:
        assert run(["call", "last", "hangup", "--data", str(tmp_path)]) == 0
        assert run(["call", "+55", "transfer", "201", "--data", str(tmp_path)]) == 0
        assert run(["call", "+44", "--data", str(tmp_path)]) == 0
    assert asked[:2] == [
        {"verb": "call.hangup", "arguments": {"call": "last"}},
        {"verb": "call.transfer", "arguments": {"call": "+55", "to": "201"}},
    ]
    out = capsys.readouterr().out
    assert "call dofu-0: hung up   (undo: none)" in out and "caller     +44" in out and "queue" not in out
    assert "transferred to 201   (undo: ringdown call dofu-0 transfer 200)" in out


def test_how_it_sounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leg = {
        "leg": "caller", "packets_in": 96, "packets_out": 100, "lost": 4, "jitter_us": 700, "gap_max_us": 30_000,
        "mos_in": 3.6, "far_lost": 1, "round_trip_us": 80_000, "side": "theirs", "cause": "their network loses 4 %",
    }  # fmt: skip
    with engine(tmp_path, {"sound": {"call": "dofu-0", "legs": [leg]}}):
        assert run(["call", "last", "sound", "--data", str(tmp_path)]) == 0
        assert run(["call", "last", "sound", "--json", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for words in ("from it 96 packets, 4.0 % lost", "MOS 3.6", "there and back 80 ms",
                  "because their network loses 4 % (their side)", '"round_trip_us": 80000'):  # fmt: skip
        assert words in out, out
    (tmp_path / "ringdown.sock").unlink()
    with engine(tmp_path, {"sound": {"call": "dofu-0", "legs": []}}):
        assert run(["call", "last", "sound", "--data", str(tmp_path)]) == 0
    assert "call dofu-0 has no audio yet" in capsys.readouterr().out


def test_a_refusal_is_status_1_and_wrong_use_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, {"call.hangup": refused("+55 has 2 calls")}):
        assert run(["call", "+55", "hangup", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "ringdown: +55 has 2 calls\n"
    for wrong in (["+44", "explode"], ["+44", "transfer"], ["+44", "hangup", "201"]):
        assert run(["call", *wrong, "--data", str(tmp_path)]) == 2


def test_supervisors_picks_and_conferences_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"call": "dofu-0", "done": "rings default/210", "undo": "ringdown call x hangup"}
    verbs = {f"call.{verb}": done for verb in ("listen", "whisper", "barge", "takeover", "pick", "conference")}
    with engine(tmp_path, verbs) as asked:
        for verb in ("listen", "whisper", "barge", "takeover", "pick"):
            assert run(["call", "+44", verb, "--as", "210", "--data", str(tmp_path)]) == 0
        assert run(["call", "+44", "conference", "--with", "204", "--data", str(tmp_path)]) == 0
    assert [each["verb"] for each in asked] == [*verbs]
    assert asked[0]["arguments"] == {"call": "+44", "as": "210"}
    assert asked[-1]["arguments"] == {"call": "+44", "with": "204"}
    assert "rings default/210   (undo: ringdown call x hangup)" in capsys.readouterr().out
    wrong = (["listen"], ["hangup", "--as", "210"], ["conference"], ["pick", "--with", "2"])
    for words in (*wrong, ["listen", "201", "--as", "2"]):
        assert run(["call", "+44", *words, "--data", str(tmp_path)]) == 2
