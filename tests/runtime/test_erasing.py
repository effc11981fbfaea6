"""After `forget` a caller is in no table, file or byte of the data folder, and everybody else still is."""

from __future__ import annotations

import io
import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from engine.errors import UsageError
from engine.records import schema
from engine.records.events import Event
from engine.runtime import erasing
from engine.runtime.erasing import Erasure
from engine.runtime.journal import FORMAT, Header, Journal
from engine.runtime.migrations import prepare
from engine.runtime.seal import KeyDestroyed, Keys
from engine.runtime.write_ahead import WriteAhead
from tests.runtime.test_storage import rows

VECTOR = Path(__file__).parents[1] / "vectors" / "records" / "v1.db"
HIS, NATIONAL, OTHER = "+441514960001", "01514960001", "+441514960002"
LOG = f"""\
1750000001|bako-0|default/support|NONE|ENTERQUEUE||{HIS}|1
1750000005|bako-0|default/support|default/201|CONNECT|4|bako-0|0
1750000060|fumi-0|default/support|NONE|ENTERQUEUE||{OTHER}|1
1750000061|dilo-0|default/support|NONE|ENTERQUEUE||00441514960001|1
1750000062|x-0|default/support|default/201|BLINDTRANSFER|{HIS}|default|3|9|1
"""


def header(boot: str) -> Header:
    return Header(FORMAT, "0", boot, "a", 1, bytes(32), "v", 0, 16)


def journal(folder: Path, boot: str, inputs: list[tuple[bytes, str | None]]) -> Path:
    from engine.call.effects import Received
    from engine.sip.events import Path as Way

    made = Journal(folder / "journal", header(boot))
    for data, key in inputs:
        made.append(1, Received(Way(1, "192.0.2.7", 5060, "udp"), data), key)
    made.close()
    return made.path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The stored story, with an outbound call to him, a mention in somebody else's call, files and journals."""
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    prepare(tmp_path / "ringdown.db", 1.0)
    with closing(sqlite3.connect(tmp_path / "ringdown.db")) as db:
        for n, kind, call, told in (
            (900, "call.started", "zulu-0", {"caller": "201", "dialled": "00441514960001", "name": "", "trunk": "",
                                             "via": "agent", "peer": "", "sip": "z"}),
            (901, "call.transferred", "fumi-0", {"by": "agent 201", "to": HIS, "way": "blind", "result": "started"}),
            (902, "call.gathered", "fumi-0", {"variable": "account", "value": "4415149600012"}),
        ):  # fmt: skip
            event = Event(n, "aaaa0001", 1_750_000_000_000, 1, kind, "default", call, told)  # type: ignore[arg-type]
            db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
        db.execute("UPDATE calls SET path = 'main > ' || ? WHERE call = 'fumi-0'", (HIS,))
        db.commit()
    (tmp_path / "queue_log").write_text(LOG)
    home = tmp_path / "recordings" / "default"
    home.mkdir(parents=True)
    said = tmp_path / "utterances" / "default"
    said.mkdir(parents=True)
    for name in ("bako-0-aaaa0001-1", "dilo-0-aaaa0001-1", "dilo-0-aaaa0001-2", "bako-0-aaaa0002-1"):
        (home / f"{name}.wav").write_bytes(b"RIFF")
        (said / f"{name}.wav").write_bytes(b"RIFF")
    (said / "bako-0-aaaa0001-n17.json").write_bytes(b"{}")
    invite = b"INVITE sip:700@x SIP/2.0\r\nFrom: <sip:%s@y>\r\n\r\n"
    journal(tmp_path, "aaaa0001", [(invite % HIS.encode(), None), (b"INFO 5", "call bako-0")])
    journal(tmp_path, "aaaa0002", [(invite % OTHER.encode(), None), (b"INFO 7", "call bako-0")])
    journal(tmp_path, "aaaa0003", [(b"OPTIONS", None), (invite % b"00441514960001", "credentials")])
    return tmp_path


def test_everything_of_his_is_found_and_nothing_changes(data: Path) -> None:
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and "-shm" not in path.name}
    counts = Erasure(data, HIS).find()
    assert counts.as_dict() == {
        "calls": 3, "events": counts.events, "queue_events": 10, "contacts": 2, "queue_log_lines": 3,
        "recordings": 3, "journals": 2, "keys": 1, "signalling": 0, "voicemail": 0, "mails": 0,
        "utterances": 4,
    }  # fmt: skip
    after = {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and "-shm" not in path.name}
    assert {path: text for path, text in after.items() if path in before} == before


@pytest.mark.parametrize(("number", "country"), [(HIS, ""), ("00441514960001", ""), (NATIONAL, "44")])
def test_he_is_gone_and_everybody_else_is_not(data: Path, number: str, country: str) -> None:
    others = "SELECT * FROM events WHERE boot = 'aaaa0002' ORDER BY n"
    kept, lines = rows(data / "ringdown.db", others), len((data / "queue_log").read_bytes())
    gaps = "SELECT count(*), sum(n), group_concat(kind) FROM events"
    shape = rows(data / "ringdown.db", gaps)
    erasure = Erasure(data, number, country)
    assert erasure.left()
    counts = erasure.erase()
    assert (counts.calls, counts.journals, counts.recordings, counts.queue_log_lines) == (3, 2, 3, 3)
    left = [path.name for path in (data / "utterances").rglob("*.*")]
    assert counts.utterances == 4 and left == ["bako-0-aaaa0002-1.wav"]
    assert erasure.left() == {} and set(Erasure(data, HIS).find().as_dict().values()) == {0}
    assert rows(data / "ringdown.db", others) == kept and rows(data / "ringdown.db", gaps) == shape
    assert rows(data / "ringdown.db", "SELECT count(*), sum(talked_ms) FROM calls") == [(5, 170_000)]
    assert rows(data / "ringdown.db", "SELECT caller, path FROM calls WHERE call = 'fumi-0'") == [(OTHER, "erased")]
    assert rows(data / "ringdown.db", "SELECT count(*) FROM contacts WHERE who = 0") == [(3,)]  # with the anonymous one
    ((told,),) = rows(data / "ringdown.db", "SELECT data FROM events WHERE n = 901")
    assert json.loads(told)["to"] == "erased" and json.loads(told)["by"] == "agent 201"
    ((told,),) = rows(data / "ringdown.db", "SELECT data FROM events WHERE n = 902")
    assert json.loads(told)["value"] == "4415149600012"  # another number that only begins like his
    text = (data / "queue_log").read_text()
    assert len(text) == lines and OTHER in text and "|ENTERQUEUE||-------------|1\n" in text
    assert [path.name for path in (data / "recordings" / "default").iterdir()] == ["bako-0-aaaa0002-1.wav"]
    assert [path.name for path in (data / "journal").glob("*.journal")] == ["aaaa0002-000000.journal"]


def test_no_byte_of_him_is_left(data: Path) -> None:
    Erasure(data, HIS).erase()
    for path in data.rglob("*"):
        if path.is_file():
            content = path.read_bytes().replace(b"4415149600012", b"")
            assert b"441514960001" not in content, path


def test_keys_of_his_calls_are_destroyed_and_others_live(data: Path) -> None:
    copy = (data / "journal" / "aaaa0001.keys").read_bytes()
    Erasure(data, HIS).erase()
    gone, kept = Keys(data / "journal" / "aaaa0001.keys"), Keys(data / "journal" / "aaaa0002.keys")
    assert not gone.has("call bako-0") and kept.has("call bako-0") and len(copy) > 64
    with pytest.raises(KeyDestroyed):
        gone.open("call bako-0", bytes(40))


def test_the_journal_that_was_just_begun_is_kept(data: Path) -> None:
    path = data / "journal" / "aaaa0001-000000.journal"
    counts = Erasure(data, HIS).erase(keep=path)
    assert counts.journals == 1 and path.exists()


def test_a_state_that_holds_him_gives_its_journal_up(data: Path) -> None:
    made = Journal(data / "journal", header("bbbb0001"))
    made.rotate(msgspec.msgpack.encode({"from": "sip:+441514960001@x"}), "v")
    made.close()
    erasure = Erasure(data, HIS)
    assert erasure.erase().journals == 3 and not made.path.exists()


def test_a_store_of_the_first_schema(tmp_path: Path) -> None:
    shutil.copy(VECTOR, tmp_path / "ringdown.db")
    counts = Erasure(tmp_path, HIS).erase()
    assert counts.calls == 2 and counts.contacts == 0 and Erasure(tmp_path, HIS).left() == {}


def test_a_call_that_a_crash_cut_off(data: Path) -> None:
    with closing(sqlite3.connect(data / "ringdown.db")) as db:
        db.execute("DELETE FROM calls WHERE call = 'dilo-0'")
        db.commit()
    assert Erasure(data, HIS).erase().calls == 3
    assert rows(data / "ringdown.db", "SELECT count(*) FROM events WHERE call = 'dilo-0'") == [(0,)]


def test_a_name_that_came_again(data: Path) -> None:
    """After 640,000 calls `bako-0` is somebody else's."""
    with closing(sqlite3.connect(data / "ringdown.db")) as db:
        for n, kind in ((950, "call.started"), (951, "call.ended")):
            event = Event(n, "aaaa0001", 1, 1, kind, "default", "bako-0", {"caller": OTHER})
            db.execute(schema.INSERT_EVENT, schema.event_row("a", event))
        db.commit()
    Erasure(data, HIS).erase()
    assert rows(data / "ringdown.db", "SELECT n FROM events WHERE call = 'bako-0' AND boot = 'aaaa0001'") == [
        (950,), (951,)]


def test_beside_a_writer_without_rewriting_the_store(data: Path) -> None:
    """An open connection as the engine's: it reads and writes before, between and after. No byte is left either."""
    with closing(sqlite3.connect(data / "ringdown.db")) as db:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("DELETE FROM events WHERE n = 902")  # the longer number, whose digits hold his
        db.commit()
    with closing(sqlite3.connect(data / "ringdown.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("SELECT count(*) FROM events").fetchone()
        erasure = Erasure(data, HIS)
        erasure.erase(engine_runs=True)
        db.execute("INSERT INTO agent_logins VALUES ('default/9', 'ready', 0)")
        assert erasure.left() == {}


def test_an_empty_folder_and_a_number_too_short(tmp_path: Path) -> None:
    assert Erasure(tmp_path, HIS).erase().as_dict() == dict.fromkeys(Erasure(tmp_path, HIS).find().as_dict(), 0)
    assert Erasure(tmp_path, HIS).left() == {}
    for number in ("201", "+4412", "", "bob"):
        with pytest.raises(UsageError, match="too short"):
            Erasure(tmp_path, number)


def test_packed_logs_are_named(data: Path) -> None:
    (data / "queue_log.2.gz").write_bytes(b"\x1f\x8b")
    (data / "queue_log.1").write_text(LOG)
    erasure = Erasure(data, HIS)
    assert erasure.erase().queue_log_lines == 6 and [path.name for path in erasure.packed_logs()] == ["queue_log.2.gz"]


def test_what_lay_ahead_of_the_journal(data: Path) -> None:
    """A dead engine's write-ahead file goes; a living one's is wiped in place, what is in use excepted."""
    path = data / "journal" / "ahead"
    path.unlink(missing_ok=True)
    ahead = WriteAhead(path, "b", slots=2, size=4_096)
    try:
        used, free = ahead.slot(1), ahead.slot(9)
        for slot in (used, free):
            slot.put(b"INVITE from " + HIS.encode())
        ahead.release(free)
        used.begin(20)
        used.put(b"OPTIONS")
        erasure = Erasure(data, HIS)
        assert erasure.find().journals == 3
        erasure.erase(engine_runs=True)
        assert erasure.left() == {"journals": 1} and path.exists()
        assert len(list(ahead.wipe())) == 2
        assert erasure.left() == {} and bytes(used.records()) == b"OPTIONS"
        used.begin(30)
        used.put(HIS.encode())
    finally:
        ahead._map = None  # killed: the file stays
    assert Erasure(data, HIS).erase().journals == 1 and not path.exists()


@pytest.mark.parametrize("seed", range(40))
def test_lines_are_found_wherever_a_log_is_cut(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    for size in (1, 2, 5, 17, 1_000):
        monkeypatch.setattr(erasing, "chunk_bytes", size)
        log = b"".join(chance.choices((b"12", b"123", b"3", b"\n", b"x|"), k=chance.randrange(60)))
        starts = [sum(map(len, log.splitlines(keepends=True)[:n])) for n in range(log.count(b"\n") + 1)]
        every = list(zip(starts, log.splitlines(keepends=True), strict=False))
        assert list(erasing.lines_with(io.BytesIO(log), b"")) == every
        assert list(erasing.lines_with(io.BytesIO(log), b"123")) == [each for each in every if b"123" in each[1]]


def test_a_caller_known_by_a_name_is_found_in_either_case(data: Path) -> None:
    log = data / "queue_log"
    log.write_text(f"{LOG}1750000070|x-0|default/support|NONE|ENTERQUEUE||Anonymous.K|1\n")
    assert Erasure(data, "anonymous.k").erase().queue_log_lines == 1
    assert log.read_text() == f"{LOG}1750000070|x-0|default/support|NONE|ENTERQUEUE||-----------|1\n"
