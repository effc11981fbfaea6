"""`ringdown staffing`: from numbers, from a record store, for a day to come; wrong use in one sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import staffing as command
from engine.cli.app import run
from engine.errors import UsageError
from tests.cli.staffing_store import make

LOAD = ["--rate", "100/30min", "--aht", "3min"]
MONDAY = ["--queue", "support", "--from", "2025-03-03", "--to", "2025-03-03", "--zone", "UTC"]
VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["staffing", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make(tmp_path)


# --- from numbers -------------------------------------------------------------------------------------------
def test_the_published_example(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(answer(capsys, *LOAD, "--service-level", "80%", "--within", "20s", "--shrinkage", "30%",
                              "--json"))  # fmt: skip
    (row,) = found["rows"]
    assert (row["model"], row["agents"], row["planned"]) == ("Erlang C", 14, 20)
    assert row["service_level"] == pytest.approx(0.88835, abs=5e-6) and found["erlangs"] == pytest.approx(10)
    assert found["target"]["service_level"] == 0.8 and found["patience_s"] is None


def test_with_patience_and_a_ceiling(capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, *LOAD, "--patience", "2min", "--occupancy-max", "65%", "--agents", "9")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["10.00", "erlangs"] and lines[1][0] == "model"
    assert [line[1:3] for line in lines[2:]] == [["C", "16"], ["C", "9"], ["A", "16"], ["A", "9"]]
    assert "endless" in out.splitlines()[3]  # nine agents drown when nobody gives up
    drowned = json.loads(answer(capsys, *LOAD, "--agents", "9", "--json"))["rows"][1]
    assert drowned["mean_wait_s"] is None and drowned["p_wait"] == 1.0


def test_a_bounded_waiting_room(capsys: pytest.CaptureFixture[str]) -> None:
    lost = json.loads(answer(capsys, *LOAD, "--places", "0", "--blocking-max", "1%", "--json"))["rows"]
    assert [(row["model"], row["agents"]) for row in lost] == [("Erlang B", 18)]  # B(17, 10) is 1.3 %
    room = json.loads(answer(capsys, *LOAD, "--places", "5", "--blocking-max", "1%", "--patience", "2min", "--json"))
    assert room["rows"][0]["model"] == "M/M/n/n+5 + M" and room["rows"][0]["p_blocked"] <= 0.01


def test_no_calls_need_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = json.loads(answer(capsys, "--rate", "0/h", "--aht", "3min", "--json"))["rows"]
    assert row == {"model": "Erlang C", "agents": 0, "planned": 0}


# --- from the records ---------------------------------------------------------------------------------------
def test_short_three_agents(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, *MONDAY, "--data", str(store))
    assert out.splitlines()[-1] == "short 3 agents from 10:00 until 11:30"
    found = json.loads(answer(capsys, *MONDAY, "--data", str(store), "--json"))
    row = found["rows"][2]
    assert (row["begin"], row["offered"], row["aht_s"]) == ("2025-03-03 10:00", 100, 180.0)
    assert (row["erlang_c"], row["erlang_a"], row["duty"], row["gap"]) == (14, None, 11.0, -3)
    assert len(found["rows"]) == 6 and found["duty"] == ["short 3 agents from 10:00 until 11:30"]


def test_patience_is_taken_from_the_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make(tmp_path, ("2025-03-03",), gave_up=10)
    found = json.loads(answer(capsys, *MONDAY, "--data", str(store), "--json"))
    assert found["patience_s"] == pytest.approx((360 * 5 + 60 * 60) / 60)  # 90 s
    row = found["rows"][2]
    assert row["offered"] == 110 and row["erlang_a"] < row["erlang_c"] and row["need"] == row["erlang_a"]
    text = answer(capsys, *MONDAY, "--data", str(store), "--patience", "5min")
    assert "(as told): the need is Erlang A's" in text


def test_shifts_against_the_need(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = store / "shifts.yaml"
    file.write_text('shifts:\n- {name: a, start: "09:00", end: "11:00", days: mon-fri, agents: 20}\n', "utf-8")
    out = answer(capsys, *MONDAY, "--shrinkage", "30%", "--shifts", str(file), "--data", str(store))
    need = [row["planned"] for row in json.loads(answer(capsys, *MONDAY, "--shrinkage", "30%", "--data", str(store),
                                                        "--json"))["rows"]]  # fmt: skip
    assert need[2:5] == [20, 20, 20]
    assert out.splitlines()[-3:] == [
        "short 3 agents from 10:00 until 11:30", f"shifts: {20 - need[0]} agents over from 09:00 until 10:00",
        f"shifts: short {need[5]} to 20 agents from 11:00 until 12:00",
    ]  # fmt: skip


def test_a_day_to_come(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--queue", "support", "--for", "2025-03-10", "--zone", "UTC", "--data", str(store)]
    found = json.loads(answer(capsys, *asked, "--json"))
    row = found["rows"][2]
    assert row["begin"] == "2025-03-10 10:00" and row["offered"] == pytest.approx(100)
    assert row["low"] < 100 < row["high"] and row["erlang_c"] == 14 and row["duty"] is None
    assert "from 5 days like it" in found["notes"][0]
    file = store / "days.yaml"
    file.write_text("days:\n- {date: 2025-03-10, name: holiday, calls: 20%}\n", "utf-8")
    out = answer(capsys, *asked, "--days", str(file))
    assert "holiday: 20% of a usual day, as told" in out and "20.0" in out


# --- nothing found, used wrongly -----------------------------------------------------------------------------
def test_nothing_found(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (["--queue", "moon", *MONDAY[2:]], "no calls to default/moon in the records of 2025-03-03 to 2025-03-03"),
        (["--queue", "support", "--for", "2025-03-11", "--zone", "UTC"], "no usual Tuesday in the records"),
        (["--queue", "support", "--from", "2999-01-01", "--to", "2999-01-02"], "no calls to default/support"),
    ):
        assert run(["staffing", *arguments, "--data", str(store)]) == 1
        printed = capsys.readouterr()
        assert said in printed.err and printed.err.count("\n") == 1 and not printed.out
    assert run(["staffing", *MONDAY, "--data", str(tmp_path / "none")]) == 1
    assert "no records in" in capsys.readouterr().err


def test_an_old_store_and_a_broken_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ringdown.db"
    shutil.copy(VECTOR, path)
    assert run(["staffing", *MONDAY, "--data", str(tmp_path)]) == 1
    assert "start today's once" in capsys.readouterr().err
    path.write_bytes(b"this is no database" * 100)
    assert run(["staffing", *MONDAY, "--data", str(tmp_path)]) == 1
    assert "ringdown.db" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "said"), [
    ([], "say --rate and --aht"), (["--rate", "100/30min"], "say --rate and --aht"),
    (["--rate", "100", "--aht", "3min"], "--rate is calls in a time"),
    (["--rate", "x/h", "--aht", "3min"], "--rate is calls in a time"),
    (["--rate", "1/week", "--aht", "3min"], "--rate: '1week' is not a duration"),
    (["--rate", "1/h", "--aht", "3"], "--aht: '3' is not a duration"),
    (["--rate", "1/h", "--aht", "0s"], "--aht lies between"),
    (["--rate", "1/h", "--aht", "25h"], "--aht lies between"),
    (["--rate", "9999999/s", "--aht", "1h"], "erlangs"),
    ([*LOAD, "--service-level", "0.8"], "--service-level is a share in percent"),
    ([*LOAD, "--service-level", "100%"], "--service-level is less than 100%"),
    ([*LOAD, "--shrinkage", "100%"], "--shrinkage is less than 100%"),
    ([*LOAD, "--occupancy-max", "0%"], "--occupancy-max is more than 0%"),
    ([*LOAD, "--occupancy-max", "101%"], "--occupancy-max is at most 100%"),
    ([*LOAD, "--patience", "soon"], "--patience: 'soon' is not a duration"),
    ([*LOAD, "--places", "3"], "--places and --blocking-max go together"),
    ([*LOAD, "--places", "2000000", "--blocking-max", "1%"], "--places is at most"),
    ([*LOAD, "--agents", "-1"], "--agents lies in"), ([*LOAD, "--occupancy-max", "0.001%"], "ask for less"),
    ([*LOAD, "--queue", "support"], "go without --queue"), ([*LOAD, "--for", "2025-01-01"], "--for: only with --queue"),
    ([*MONDAY, "--days", "x"], "--days: only with --for"), ([*MONDAY, "--shifts", "no.yaml"], "can't read no.yaml"),
    ([*MONDAY, "--interval", "7m"], "--interval is one of"), (["--queue", "s", "--from", "today"], "is no date"),
    (["--queue", "s", "--from", "2025-02-02", "--to", "2025-02-01"], "--from lies behind --to"),
    (["--queue", "s", "--from", "2001-02-02", "--to", "2025-02-01"], "days apart"),
    (["--queue", "s", "--for", "2025-02-02", "--from", "2025-02-02", "--to", "2025-02-03"], "nothing to learn"),
    (["--queue", "s", "--from", "9999-12-31", "--to", "9999-12-31"], "outside the years"),
    (["--queue", "s", "--zone", "Mars/Base"], "no time zone"), ([*LOAD, "--places", "-2"], "--places"),
])
def test_used_wrongly(arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["staffing", *arguments, "--data", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err and not printed.out


def test_values_as_they_are_typed() -> None:
    assert command.per_second("100/30min") == pytest.approx(100 / 1800)
    assert command.per_second("720/h") == 0.2 and command.per_second("0.5/s") == 0.5
    assert command.share("--x", "12.5%") == 0.125 and command.seconds("--x", "1.5min") == 90.0
    with pytest.raises(UsageError, match="percent"):
        command.share("--x", "²%")


def test_it_never_imports_numba(store: Path) -> None:
    script = (
        "import sys; from engine.cli.app import run; status = run(sys.argv[1:]); "
        "heavy = {'numba', 'numpy', 'asyncio', 'uvloop'} & set(sys.modules); sys.exit(str(heavy) if heavy else status)"
    )
    for arguments in ([*MONDAY, "--data", str(store)], LOAD):
        done = subprocess.run([sys.executable, "-c", script, "staffing", *arguments], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_store_is_only_read(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (store / "ringdown.db").read_bytes()
    answer(capsys, *MONDAY, "--data", str(store))
    assert (store / "ringdown.db").read_bytes() == before
