"""`ringdown doctor --trunk` against a gateway whose echo, level, digits and hang-up are known: it says what is so."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from harness.phone import Dialog, Phone

from engine.cli.doctor_trunk import trunk
from engine.media import g711
from engine.runtime.line_signals import RATE, burst, dtmf
from engine.runtime.phone_media import PhoneMedia
from tools.load import wire

NONE = {"loop": "", "silent": "", "short": ""}
Life = Callable[["Line"], None]


class Box(Phone):
    """A gateway's SIP side: it answers each call to wherever that call came from."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 9), "gateway")
        self._from: dict[str, tuple[str, int]] = {}

    def send(self, data: bytes) -> None:
        self.sock.sendto(data, self._from[call_id(data)])

    def _datagram(self, within: float) -> bytes | None:
        self.sock.settimeout(max(0.001, within))
        try:
            data, address = self.sock.recvfrom(65_536)
        except TimeoutError:
            return None
        self._from[call_id(data)] = address
        return data


def call_id(data: bytes) -> str:
    found = re.search(rb"^call-id\s*:\s*(\S+)", data, re.M | re.I)
    assert found
    return found[1].decode()


class Line:
    """One port of the gateway with a call on it: what it hears comes back by `gain_db` and `delay_ms`."""

    def __init__(self, dialog: Dialog, gain_db: float | None, delay_ms: int) -> None:
        self.dialog = dialog
        self.gain = 0.0 if gain_db is None else 10 ** (gain_db / 20)
        self.media = PhoneMedia(heard=self._hear)
        offered = dialog.media if dialog.final else wire.Media(dialog.invite.body)
        self.media.start((offered.host, offered.port), 0, events=offered.event)
        if self.gain:
            self.media.send_audio(np.zeros(delay_ms * RATE // 1_000, np.int16))
        dialog.answer(media=self.media.port)

    def _hear(self, payload: bytes) -> None:
        if self.gain:
            self.media.send_audio((g711.decode(payload, g711.MU_LAW) * self.gain).astype(np.int16))

    def repeat_keys(self, send: Callable[[PhoneMedia, str], None]) -> None:
        """Until the call is over: what was pressed is sent back by `send`."""
        done = 0
        while not over(self.dialog, 0.05):
            keys = self.media.heard_digits()
            if len(keys) > done:
                send(self.media, keys[done:])
                done = len(keys)


def over(dialog: Dialog, within: float) -> bool:
    """Has the other side hung up?"""
    with suppress(AssertionError):
        dialog.expect_bye(within)
        return True
    return False


@contextmanager
def gateway(
    life: Life, *, gain_db: float | None = None, delay_ms: int = 0, calls: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """(its SIP port, the numbers that were dialled). Each call lives `life` on a line of its own."""
    dialled: list[str] = []
    faults: list[BaseException] = []
    with Box() as phone:

        def serve() -> None:
            try:
                waiting = [phone.wait_call(20) for _ in range(calls)]
                dialled.extend(each.invite.uri.partition(":")[2].partition("@")[0] for each in waiting)
                lines = [Line(each, gain_db, delay_ms) for each in waiting]
                for line in lines:
                    life(line)
                    line.media.close()
            except BaseException as fault:
                faults.append(fault)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield phone.port, dialled
        thread.join(10)
        assert not faults, faults


def examined(folder: Path, port: int, ports: int = 1, **numbers: str) -> dict[str, tuple[str, str]]:
    (folder / "site.yaml").write_text("ringdown: 1\nlanguages: [en]\n")
    (folder / "trunks.yaml").write_text(f"office: {{host: 127.0.0.1, port: {port}}}\n")
    found = trunk("office", folder, folder, {**NONE, **numbers}, ports)
    return {each["check"]: (each["state"], each["detail"]) for each in found}


def test_a_line_that_repeats_gives_level_delay_and_digits(tmp_path: Path) -> None:
    life = lambda line: line.repeat_keys(lambda media, keys: media.send_digits(keys))  # noqa: E731
    with gateway(life, gain_db=-12.0, delay_ms=160) as (port, dialled):
        found = examined(tmp_path, port, loop="9196")
    assert dialled == ["9196"]
    state, text = found["office level"]
    assert state == "ok" and abs(float(text.split(" dB")[0]) + 12.0) <= 1.5, text
    assert found["office delay"][0] == "ok" and 160 <= int(found["office delay"][1].split()[0]) <= 260
    assert found["office digits"] == ("ok", "pressed 1590*#, came back 1590*# as events: both ways work")


def test_digits_that_come_as_tones_only_and_a_line_too_quiet(tmp_path: Path) -> None:
    life = lambda line: line.repeat_keys(lambda media, keys: media.send_audio(dtmf(keys)))  # noqa: E731
    with gateway(life, gain_db=-34.0, delay_ms=40) as (port, _):
        found = examined(tmp_path, port, loop="9196")
    assert found["office level"][0] == "warn" and found["office level"][1].endswith("too quiet")
    assert found["office digits"] == ("fail", "came back as tones only: 1590*#")


@pytest.mark.parametrize(("gain_db", "state"), [(-20.0, "fail"), (-33.0, "warn"), (None, "ok")])
def test_echo_of_a_silent_line(tmp_path: Path, gain_db: float | None, state: str) -> None:
    with gateway(lambda line: _stay(line), gain_db=gain_db, delay_ms=60) as (port, _):
        found = examined(tmp_path, port, silent="9100")
    assert found["office echo"][0] == state, found
    if gain_db is not None:
        assert abs(float(found["office echo"][1].split(" dB")[0]) + gain_db) <= 1.5
    assert found["office noise"][0] == "ok"


def _stay(line: Line) -> None:
    assert over(line.dialog, 15)


def test_a_gateway_that_notices_the_hang_up(tmp_path: Path) -> None:
    def life(line: Line) -> None:
        line.media.send_audio(burst(2.0, -20.0))
        time.sleep(3.0)
        line.dialog.bye()

    with gateway(life) as (port, _):
        found = examined(tmp_path, port, short="9102")
    state, text = found["office hang-up"]
    assert state == "ok" and 0.3 <= float(text.split()[1]) <= 1.5, text


def test_two_ports_are_called_at_the_same_time(tmp_path: Path) -> None:
    with gateway(lambda line: _stay(line), calls=2) as (port, dialled):
        found = examined(tmp_path, port, 2, silent="9100")
    assert dialled == ["9100", "9100"]
    assert {"office port 1 of 2 echo", "office port 2 of 2 echo"} <= found.keys()


def test_a_gateway_that_is_busy(tmp_path: Path) -> None:
    with Box() as phone:
        thread = threading.Thread(target=lambda: phone.wait_call(10).refuse(486), daemon=True)
        thread.start()
        found = examined(tmp_path, phone.port, loop="9196")
        thread.join(5)
    assert found["office"][0] == "fail" and "486" in found["office"][1]
