"""The scripted agent's own parts; its calls are tested with the engine under tests/interop/."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tools import audio, softphone


def settings(**changes: object) -> argparse.Namespace:
    plain = {"answer_after": 0.0, "hang_up_after": 0.0, "reject": False, "calls": 1, "play": None, "record": None}
    return argparse.Namespace(**{**plain, **changes})


class Call:
    """What pyVoIP hands over, as far as it is used."""

    def __init__(self) -> None:
        self.request = SimpleNamespace(headers={"From": {"number": "100", "caller": "Anna"}})
        self.denied = False

    def deny(self) -> None:
        self.denied = True


def test_sound_becomes_eight_bits(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", np.array([0.0, 0.5, -0.5, -1.0]), 8_000)
    assert softphone.read_8bit(tmp_path / "a.wav") == bytes([128, 192, 64, 0])


def test_sound_of_another_rate_is_refused(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", np.zeros(10), 16_000)
    with pytest.raises(SystemExit, match="8 kHz mono"):
        softphone.read_8bit(tmp_path / "a.wav")


def test_a_rejected_call_is_told_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    agent, call = softphone.Agent(settings(reject=True)), Call()
    agent.ring(call)
    facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [fact["fact"] for fact in facts] == ["ringing", "ended"]
    assert facts[0]["number"] == "100" and call.denied and agent.done.is_set()


def test_a_fault_in_pyvoip_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    agent = softphone.Agent(settings())
    agent.ring(SimpleNamespace(request=None))
    assert "fault" in capsys.readouterr().out and agent.done.is_set()


def test_our_address_is_the_one_the_server_sees() -> None:
    assert softphone.own_address(("127.0.0.1", 5060)) == "127.0.0.1"
