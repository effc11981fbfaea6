"""`ringdown replay`: statuses and sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import run
from engine.cli.replay import verdict
from engine.runtime import replaying
from engine.runtime.journal import Replayed
from engine.runtime.replaying import pack
from tests.call.calls import ring
from tests.runtime import recorded
from tests.runtime.test_journal import Counter, record, some


class Encoded(Counter):
    def encode(self) -> bytes:
        return str(self.total).encode()


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "build", Encoded)


@pytest.mark.usefixtures("counter")
def test_the_newest_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = record(tmp_path, some(20))
    journal.close()
    assert run(["replay", str(tmp_path)]) == 0
    assert "20 inputs" in (out := capsys.readouterr().out) and "bit for bit (7 digests compared)" in out
    assert run(["replay", str(journal.path), "--hash-outputs"]) == 0
    assert capsys.readouterr().out.strip() == journal._digest.hexdigest()
    assert run(["replay", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checked"] == 7


@pytest.mark.usefixtures("counter")
def test_a_difference_is_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, some(20)).close()
    monkeypatch.setattr(replaying, "build", lambda header, state: Encoded(header, state, off=1))
    assert run(["replay", str(tmp_path)]) == 1
    assert "DIFFERENT: outputs agree up to input" in capsys.readouterr().out


def test_what_is_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(tmp_path)]) == 2
    (tmp_path / "x.journal").write_bytes(b"hello")
    assert run(["replay", str(tmp_path)]) == 1
    assert "no Ringdown journal" in capsys.readouterr().err


@pytest.mark.parametrize(("report", "words"), [
    (Replayed(inputs=5, sealed="call bako-1"), "input 6"), (Replayed(torn=True), "torn"),
    (Replayed(checked=3), "killed, or still runs"), (Replayed(faults=2), "raised at 2 inputs"),
    (Replayed(), "no digest"),
])
def test_verdicts(report: Replayed, words: str) -> None:
    assert any(words in line for line in verdict(report))


# --- a boot of several files, with the real Switch ---------------------------------------------------------------
@pytest.fixture
def boot(tmp_path: Path) -> recorded.Recorder:
    w = recorded.busy_world()
    caller = ring(w, "730", "5550001")
    w.run(2_200)
    w.press(caller, "1234")
    w.run(1_500)
    w.press(caller, "9876")
    w.run(20_000)
    made = recorded.record(tmp_path, w, every=12)
    made.journal.close()
    assert len(made.files) >= 3
    return made


def test_files_follow_each_other_and_prove_their_checkpoints(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    count = len(boot.files)
    assert out.count("same outputs bit for bit") == count and f"{count} files: {boot.journal.inputs} inputs" in out
    assert out.count("its checkpoint is the state in which the file before it ended") == count - 1
    assert run(["replay", str(tmp_path), "--hash-outputs"]) == 0
    assert len(capsys.readouterr().out.split()) == count


@pytest.mark.parametrize("way", ["folder", "file"])
def test_from_any_checkpoint(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    given = [str(tmp_path), "--from", "1"] if way == "folder" else [str(boot.files[1])]
    assert run(["replay", *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [Path(each["file"]).name for each in found] == [path.name for path in boot.files[1:]]
    assert [each["follows"] for each in found] == [None] + [True] * (len(found) - 1)
    assert sum(each["inputs"] for each in found) == boot.journal.inputs - 12


def test_a_checkpoint_of_another_state_is_a_difference(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = recorded.Recorder(tmp_path / "b", boot.journal.header)
    other = recorded.busy_world(2)
    boot.journal.header.serial = 0
    made = recorded.record(tmp_path / "c", other, seed=2, every=3)
    made.journal.rotate(pack(again.switch, again.image), "s")  # not the state in which the file before ended
    made.journal.close()
    assert run(["replay", str(tmp_path / "c")]) == 1
    assert "DIFFERENT: its checkpoint is not the state" in capsys.readouterr().out


def test_beyond_the_last_checkpoint(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", str(tmp_path), "--from", "99"]) == 2
    assert f"the last is {len(boot.files) - 1}" in capsys.readouterr().err


# --- one call ------------------------------------------------------------------------------------------------------
def test_through_a_call_in_two_columns(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wanted in ("last", "5550001"):
        assert run(["replay", str(tmp_path), "--until", wanted]) == 0
        out = capsys.readouterr().out
        assert out.startswith("call gozu-0 from 5550001, from sim1-000000.journal on")
        for words in ("──▶ INVITE sip:730@10.0.0.1", "| phase   script", "plays en/welcome", "key · (rfc4733",
                      "◀── 200 OK (INVITE)", "| over    the call has ended", "account = 1234"):
            assert words in out, words
        assert "9876" not in out and "key 9" not in out and out.rstrip().endswith("end of the call")
        assert "enter:" not in out  # nobody sits at a terminal


def test_through_a_call_as_json(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", str(tmp_path), "--until", "gozu-0", "--json"]) == 0
    out = capsys.readouterr().out
    found = json.loads(out)
    assert (found["call"], found["caller"], found["began"]) == ("gozu-0", "5550001", True)
    assert found["verdict"] == ["end of the call"] and "9876" not in out
    steps = found["steps"]
    assert steps[0]["kind"] == "Received" and steps[0]["state"]["phase"] == "script"
    assert steps[-1]["state"]["phase"] == "" and steps[-1]["outputs"][-1]["event"] == "call.ended"
    assert [step["input"] for step in steps] == sorted(step["input"] for step in steps)


def test_a_call_whose_beginning_is_gone_and_one_that_never_was(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", str(boot.files[1]), "--until", "gozu-0"]) == 0
    assert "its beginning is missing" in capsys.readouterr().out
    assert run(["replay", str(tmp_path), "--until", "nobody-9"]) == 1
    assert "no call 'nobody-9'" in capsys.readouterr().out


def test_somebody_at_the_terminal_goes_step_by_step(
    boot: recorded.Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for answers, steps in ((["", "", "q"], 3), (["", "r"], None)):
        left = iter(answers)
        asked: list[str] = []

        def answer(prompt: str, left: object = left, asked: list[str] = asked) -> str:
            asked.append(prompt)
            return next(left)  # type: ignore[call-overload,no-any-return]

        monkeypatch.setattr("builtins.input", answer)
        assert run(["replay", str(tmp_path), "--until", "last"]) == 0
        shown = capsys.readouterr().out.count("--- input ")
        assert len(asked) == len(answers) and (shown == steps if steps else shown > 10)
