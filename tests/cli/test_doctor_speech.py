"""What the doctor says of recognisers: one that understands, broken ones, remote ones, and a pool in trouble."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.cli import doctor_speech as room
from engine.dialplan.model import TenantModel
from engine.dialplan.speech_model import SpeechModel
from engine.runtime import graph_shelf
from engine.runtime.recognizer_server import RecognizerServer
from tests.runtime.fakes import site
from tests.runtime.spoken import MENU, MODEL, PROMPTS

POOL = {"children": 2, "children_ready": 2, "listening": 3, "listened": 9, "failed": 1, "frames_dropped": 0,
        "children_lost": 1}  # fmt: skip


def speaking(**speech: SpeechModel) -> Any:
    return site(grammars={"k": MENU}, tenants={"default": TenantModel("default", "r", speech=speech)})


def test_a_site_that_does_not_listen() -> None:
    (found,) = room.speech(site(), None)
    assert found["state"] == "ok" and "no dialplan listens" in found["detail"]


def test_the_embedded_model_and_the_running_pool() -> None:
    own, pool = room.speech(speaking(), {"runtime": {"speech": POOL}})
    assert own["state"] == "ok" and "is whole, ready in" in own["detail"] and "4079" in own["detail"], own
    assert pool["state"] == "ok" and "2 of 2 recognisers ready, 3 callers" in pool["detail"]


def test_another_recording_than_the_trial_is_noticed() -> None:
    wrong = [PROMPTS / f"digits/{digit}.wav" for digit in "4071"]
    found = room.understands("en", Path(MODEL), wrong)
    assert found["state"] == "fail" and "took a recording of 4079 for 4071" in found["detail"] and found["remedy"]


def test_a_model_of_ours_that_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(MODEL, tmp_path / "en")
    monkeypatch.setattr(graph_shelf, "MODELS", tmp_path)
    data = bytearray((tmp_path / "en/am/final.mdl").read_bytes())
    data[1_000] ^= 1
    (tmp_path / "en/am/final.mdl").write_bytes(data)
    found = room.embedded("en")
    assert found["state"] == "fail" and "am/final.mdl is not what its manifest says" in found["detail"]
    assert room.embedded("fr")["state"] == "fail"


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "file"))
    found = room.embedded("en")
    assert found["state"] == "warn" and "can't be kept" in found["detail"] and "RINGDOWN_CACHE" in found["remedy"]


def test_a_folder_none_and_a_remote_that_is_gone(tmp_path: Path) -> None:
    (gone,) = room.speech(speaking(en=SpeechModel("folder", str(tmp_path / "gone"))), None)
    assert gone["state"] == "fail" and "no such folder" in gone["detail"] and gone["remedy"]
    (keys,) = room.speech(speaking(en=SpeechModel("none")), None)
    assert keys["state"] == "ok" and "served by keys" in keys["detail"]
    far = SpeechModel("remote", addresses=("ws://127.0.0.1:9", "ws://127.0.0.1:10"))
    found = list(room.speech(speaking(en=far), None))
    assert [each["state"] for each in found] == ["fail", "fail"] and "ws://127.0.0.1:10" in found[1]["detail"]


def test_a_remote_that_answers() -> None:
    loop = asyncio.new_event_loop()
    serving = threading.Thread(target=loop.run_forever)
    serving.start()
    try:
        server = RecognizerServer(Path(MODEL), "en", None, port=0)
        address = asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
        found = room.remote("en", address)
        assert found["state"] == "ok" and f"{address} answers in" in found["detail"], found
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        serving.join(20)
        loop.close()


@pytest.mark.parametrize(
    ("change", "state"),
    [({"children_ready": 0}, "fail"), ({"children_ready": 1}, "warn"), ({"frames_dropped": 5}, "warn"),
     ({"children": 0, "children_ready": 0}, "ok")],
)  # fmt: skip
def test_a_pool_in_trouble(change: dict[str, int], state: str) -> None:
    found = room.pool({**POOL, **change})
    assert found["state"] == state and (state == "ok" or found["remedy"])
