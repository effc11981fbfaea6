"""Recordings as admins drop them in, heard by a real phone: any format, one loudness, the next caller hears the new."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from harness.baresip import Baresip
from harness.server import Engine

pytestmark = pytest.mark.interop
PLAN = """\
ringdown: 1
flows:
  main:
    - answer
    - play: [low, high]
    - hangup: served
"""


def record(path: Path, hz: int, rate: int, dbfs: float) -> None:
    """1.5 s of a tone on two tracks between silences."""
    sine = np.sin(2 * np.pi * hz * np.arange(rate * 3 // 2) / rate) * 10 ** (dbfs / 20)
    padded = np.concatenate([np.zeros(rate), sine, np.zeros(rate)])
    soundfile.write(path, np.stack([padded, padded], axis=1), rate)


def tones(heard: np.ndarray) -> list[tuple[int, float]]:
    """(Hz, dBFS) of each stretch of sound, in order."""
    frames = heard[: heard.size // 800 * 800].reshape(-1, 800).astype(np.float64) / 32_768
    found: list[tuple[int, float]] = []
    for frame in frames:
        level = 20 * np.log10(np.sqrt(np.mean(frame**2)) + 1e-9)
        spectrum = np.abs(np.fft.rfft(frame * np.hanning(800)))
        if level > -30 and spectrum.max() ** 2 > 0.2 * (spectrum**2).sum():
            hz = int(spectrum.argmax()) * 10
            if found and abs(found[-1][0] - hz) <= 10:
                found[-1] = (found[-1][0], max(found[-1][1], level))
            else:
                found.append((hz, level))
    return found


def test_any_format_is_heard_at_one_loudness(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for path, text in {
        "site.yaml": "ringdown: 1\nlanguages: [en]\nnumbers: {100: {dialplan: main, public: yes}}\n",
        "dialplans/main.yaml": PLAN, "prompts/en.yaml": "low: A low tone.\nhigh: A high tone.\n",
    }.items():  # fmt: skip
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    voices = site / "prompts" / "en"
    voices.mkdir()
    record(voices / "low.mp3", 700, 44_100, -34.0)
    record(voices / "high.flac", 1_300, 48_000, -4.0)
    with Engine(site) as engine, Baresip(tmp_path, engine.address, "stranger", register=False) as phone:
        for second in (1_300, 1_900):
            if second == 1_900:
                (engine.site / "prompts" / "en" / "high.flac").unlink()
                record(engine.site / "prompts" / "en" / "high.ogg", second, 16_000, -20.0)
                assert engine.command("reload").returncode == 0
            place = phone.mark()
            phone.wait_event("CALL_CLOSED", 12, after=phone.dial("100"))
            found = tones(phone.heard_out()[place:])
            assert [round(hz, -2) for hz, _ in found] == [700, second], found
            assert abs(found[0][1] - found[1][1]) < 1.5 and -22 < found[0][1] < -18, found
        drawn = engine.command("graph", str(engine.site / "dialplans" / "main.yaml"), "--live").stdout
        assert '"answer · 2"' in drawn and '"play low · 2"' in drawn and '|"100 · 2"|' in drawn, drawn
