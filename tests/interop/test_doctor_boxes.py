"""`ringdown doctor --trunk` and boxes that we didn't write: SIPp that sends every packet back, baresip as a phone line
that repeats, is silent, or hangs up; and SIPp's calls, with and without the caller's number."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from harness.baresip import Baresip
from harness.ports import free_port
from harness.server import DEMO, Engine
from harness.sipp import Sipp, run

from engine.runtime.line_signals import burst

PACKETS, LINE = "127.0.0.43", "127.0.0.44"  # whence their calls come
KEYS = "1590*#"


class Boxes:
    """An engine with two trunks: `packets` leads to SIPp's port, `line` to baresip's."""

    def __init__(self, folder: Path) -> None:
        self.ports = {"packets": free_port(), "line": free_port(pairs=True)}
        site = folder / "site"
        shutil.copytree(DEMO, site)
        (site / "trunks.yaml").write_text("".join(
            f"{name}: {{host: 127.0.0.1, port: {port}, addresses: [{address}]}}\n"
            for (name, port), address in zip(self.ports.items(), (PACKETS, LINE), strict=True)
        ))  # fmt: skip
        self.engine = Engine(site)

    def doctor(self, trunk: str, *numbers: str) -> dict[str, tuple[str, str]]:
        """check -> (state, detail)."""
        site = ("--site", str(self.engine.site))
        done = self.engine.command("doctor", "--trunk", trunk, *site, "--json", *numbers, seconds=90)
        return {row["check"]: (row["state"], row["detail"]) for row in json.loads(done.stdout)}

    @contextmanager
    def line(self, folder: Path, life: Callable[[Baresip], None], **more: object) -> Iterator[None]:
        """baresip answers whoever calls, then lives so; a fault of its life is the test's."""
        faults: list[BaseException] = []
        with Baresip(
            folder, ("127.0.0.1", self.engine.port), "9196", register=False, auto_answer=True, port=self.ports["line"],
            **more,  # type: ignore[arg-type]
        ) as phone:  # fmt: skip

            def live() -> None:
                try:
                    phone.wait_event("CALL_ESTABLISHED", 60)
                    life(phone)
                except BaseException as fault:
                    faults.append(fault)

            thread = threading.Thread(target=live, daemon=True)
            thread.start()
            yield
            thread.join(5)
        assert not faults, faults


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boxes]:
    found = Boxes(tmp_path_factory.mktemp("boxes"))
    with found.engine:
        yield found


def test_sipp_sends_every_packet_back(boxes: Boxes, tmp_path: Path) -> None:
    """Nothing is lost on such a line, so it is as loud as it can be; keys come back as they went."""
    with Sipp(tmp_path, "uas_answer.xml", port=boxes.ports["packets"], seconds=70, more=("-rtp_echo",)) as box:
        found = boxes.doctor("packets", "--loop", "9196")
        box.wait(10).check()
    print(found)
    state, text = found["packets level"]
    assert state == "warn" and abs(float(text.split(" dB")[0])) < 1.0 and "too loud" in text
    assert found["packets delay"][0] == "ok" and int(found["packets delay"][1].split()[0]) < 100
    assert found["packets digits"] == ("ok", f"pressed {KEYS}, came back {KEYS} as events: both ways work")


def test_baresip_repeats_sound_and_keys(boxes: Boxes, tmp_path: Path) -> None:
    """The sound by its decoder, buffers and coder; the keys as it has read them, pressed again."""

    def repeat(phone: Baresip) -> None:
        done = 0
        while not any(event.get("type") == "CALL_CLOSED" for event in phone.events):
            keys = [str(event["param"]) for event in phone.events if event.get("type") == "CALL_DTMF_START"]
            phone.press("".join(keys[done:]), length_s=0.08)
            done = len(keys)
            time.sleep(0.05)

    with boxes.line(tmp_path, repeat, repeats=True):
        found = boxes.doctor("line", "--loop", "9196")
    print(found)
    assert abs(float(found["line level"][1].split(" dB")[0])) < 1.0
    state, text = found["line delay"]
    assert state == "ok" and 20 <= int(text.split()[0]) <= 400, text
    assert found["line digits"] == ("ok", f"pressed {KEYS}, came back {KEYS} as events: both ways work")


def test_baresip_is_silent(boxes: Boxes, tmp_path: Path) -> None:
    with boxes.line(tmp_path, lambda _: None):
        found = boxes.doctor("line", "--silent", "9196")
    print(found)
    assert found["line echo"] == ("ok", "none that could be found")
    assert found["line noise"][0] == "ok"


def test_baresip_gives_an_echo(boxes: Boxes, tmp_path: Path) -> None:
    """A line that should be silent and repeats everything: callers would hear themselves."""
    with boxes.line(tmp_path, lambda _: None, repeats=True):
        found = boxes.doctor("line", "--silent", "9196")
    state, text = found["line echo"]
    assert state == "fail" and abs(float(text.split(" dB")[0])) < 1.0, text


def test_baresip_hangs_up_and_it_is_noticed(boxes: Boxes, tmp_path: Path) -> None:
    def talk(phone: Baresip) -> None:
        time.sleep(0.3)
        time.sleep(max(0.0, phone.speak(burst(2.0, -20.0).astype(float)) - time.monotonic()) + 1.0)
        phone.command("hangup")

    with boxes.line(tmp_path, talk, microphone=np.zeros(8_000)):
        found = boxes.doctor("line", "--short", "9196")
    state, text = found["line hang-up"]
    print(text)
    assert state == "ok" and 0.4 <= float(text.split()[1]) <= 2.0, text


def test_the_callers_of_a_line_bring_their_numbers_or_not(boxes: Boxes, tmp_path: Path) -> None:
    for caller, state, said in (
        ("anonymous", "warn", "0 of the last 1 calls"), ("493012345678", "ok", "1 of the last 2 calls")
    ):  # fmt: skip
        run(tmp_path, "uac_line.xml", boxes.engine.address, "9100", host=PACKETS, keys={"caller": caller}).check()
        boxes.engine.last_call(dialled="9100")
        found = boxes.doctor("packets")["packets callers"]
        assert found[0] == state and found[1].startswith(said), found
