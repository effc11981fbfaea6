"""The process that speaks: one for all, replaced when it hangs or dies, and nobody's words on disk."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.dialplan.voice_model import VoiceModel
from engine.errors import SiteError, SpeechError
from engine.runtime import speaking
from engine.runtime.speaking import Speaking
from engine.runtime.wav import read_wav, write_wav
from tests.runtime.fakes import run


def fake(tmp_path: Path, body: str) -> tuple[str, ...]:
    """A child that answers as `body` says: it sees `order` (a dict) and has `answer(serial, sound=…, error=…)`."""
    script = tmp_path / "child.py"
    script.write_text(f"""
import sys, os, time, msgspec
count = 0
def answer(serial, sound=b"", error=""):
    body = msgspec.msgpack.encode({{"serial": serial, "sound": sound, "error": error}})
    sys.stdout.buffer.write(len(body).to_bytes(4, "big") + body)
    sys.stdout.buffer.flush()
open({str(tmp_path / "started")!r}, "a").write("x")
while head := sys.stdin.buffer.read(4):
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(int.from_bytes(head, "big")))
    count += 1
    {body}
""")
    return sys.executable, str(script)


def started(tmp_path: Path) -> int:
    return len((tmp_path / "started").read_text())


def test_what_was_said_lately_is_not_said_again(tmp_path: Path) -> None:
    async def scene() -> None:
        body = "time.sleep(0.1); answer(order['serial'], (str(count) + ' ' + order['text']).encode())"
        voices = Speaking(fake(tmp_path, body))
        both = await asyncio.gather(voices.say("one", "en"), voices.say("one", "en"))
        assert both == [b"1 one", b"1 one"] and await voices.say("one", "en") == b"1 one"
        assert await voices.say("one", "de") == b"2 one"
        assert await voices.say("two", "en", VoiceModel("flite"), keep=False) == b"3 two"
        assert await voices.say("two", "en", VoiceModel("flite")) == b"4 two"
        await voices.close()

    run(scene(), 20)
    assert started(tmp_path) == 1


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "KEPT_BYTES_MAX", 25)

    async def scene() -> None:
        voices = Speaking(fake(tmp_path, "answer(order['serial'], bytes([count] * (10 if count < 5 else 30)))"))
        for text, first in (("a", 1), ("b", 2), ("c", 3), ("b", 2), ("a", 4)):
            assert (await voices.say(text, "en"))[0] == first
        assert len(await voices.say("long", "en")) == 30 and len(await voices.say("long", "en")) == 30
        await voices.close()

    run(scene(), 20)


def test_a_child_that_dies_costs_its_own_words_only(tmp_path: Path) -> None:
    async def scene() -> None:
        voices = Speaking(fake(tmp_path, "os._exit(3) if order['text'] == 'bad' else answer(order['serial'], b'fine')"))
        with pytest.raises(SpeechError, match="the process that speaks ended"):
            await voices.say("bad", "en")
        assert await voices.say("good", "en") == b"fine"
        await voices.close()

    run(scene(), 20)
    assert started(tmp_path) == 2


def test_a_child_that_hangs_or_lies_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "answer_s_max", 0.5)
    hang = "time.sleep(60) if order['text'] == 'bad' else answer(order['serial'], b'fine')"
    lie = "(sys.stdout.buffer.write(b'\\0\\0\\0\\5hello'), sys.stdout.buffer.flush()) if order['text'] == 'bad' else " \
          "answer(order['serial'], b'fine')"

    async def scene(body: str, why: str) -> None:
        voices = Speaking(fake(tmp_path, body))
        with pytest.raises(SpeechError, match=why):
            await voices.say("bad", "en")
        monkeypatch.setattr(speaking, "answer_s_max", 10.0)
        assert await voices.say("good", "en") == b"fine"
        await voices.close()

    run(scene(hang, "not spoken within"), 20)
    run(scene(lie, "the process that speaks ended"), 20)


def test_an_error_is_passed_on_and_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "ORDERS_MAX", 1)

    async def scene() -> None:
        voices = Speaking(fake(tmp_path, "time.sleep(0.3); answer(order['serial'], error='no such voice')"))
        first = asyncio.ensure_future(voices.say("one", "en"))
        await asyncio.sleep(0)
        with pytest.raises(SpeechError, match="1 texts are being spoken"):
            await voices.say("two", "en")
        with pytest.raises(SpeechError, match="no such voice"):
            await first
        await voices.close()
        missing = Speaking(("/no/such/python",))
        with pytest.raises(SpeechError, match="no process to speak in"):
            await missing.say("one", "en")
        await missing.close()

    run(scene(), 20)


def test_closing_leaves_no_process(tmp_path: Path) -> None:
    async def scene() -> int:
        body = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
        voices = Speaking(fake(tmp_path, body))
        waiting = asyncio.ensure_future(voices.say("one", "en"))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            await asyncio.sleep(0.02)
        await voices.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return int((tmp_path / "pid").read_text())

    with pytest.raises(ProcessLookupError):
        os.kill(run(scene(), 20), signal.SIGCONT)


def test_words_become_a_recording_by_the_sites_voice(tmp_path: Path) -> None:
    write_wav(tmp_path / "said.wav", (9_000 * np.sin(np.arange(16_000) / 3)).astype(np.int16), 16_000)
    voice = VoiceModel("command", "", ("cat", str(tmp_path / "said.wav")))
    run(speaking.speak("Power is out.", "en", tmp_path / "a.wav", voice), 30)
    assert 7_500 <= len(read_wav(tmp_path / "a.wav")) <= 8_500
    gone = VoiceModel("command", "", ("no-such-synthesiser",))
    with pytest.raises(SiteError, match=r"no-such-synthesiser can't be run.*or give a --recording"):
        run(speaking.speak("hello", "en", tmp_path / "b.wav", gone), 30)
    assert not (tmp_path / "b.wav").exists()


@pytest.mark.interop
def test_words_are_spoken_whatever_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    run(speaking.speak('-x "Power" is out; $(nothing) happens', "en", path), 30)
    samples = read_wav(path)
    assert len(samples) > 8_000 and abs(samples.astype(int)).max() > 1_000
    with pytest.raises(SiteError, match=r"voice does not exist.*or give a --recording"):
        run(speaking.speak("hello", "xx", path), 30)
