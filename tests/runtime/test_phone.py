"""The test phone against a small real far end: our own endpoint as server, RTP from a second phone's media."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.errors import RingdownError
from engine.ids import Tokens
from engine.media import g711
from engine.runtime import phone as room
from engine.runtime.listening import Clip
from engine.runtime.net import open_udp
from engine.runtime.phone import CallFailed, Phone, Wish
from engine.runtime.phone_media import PhoneMedia
from engine.runtime.udp import UdpSocket
from engine.sdp import negotiation
from engine.sip import events as sip
from engine.sip.endpoint import Endpoint
from tests.runtime.fakes import run
from tests.runtime.test_listening import voice

CLIP = Clip("en/welcome", "Welcome.", voice(1, 0.8))


class FarEnd:
    """Answers every INVITE, plays CLIP, remembers digits; `reject` refuses instead, `hang_up_s` ends the call."""

    def __init__(self, *, reject: int = 0, hang_up_s: float = 0.0, law: int = 0) -> None:
        self.reject, self.hang_up_s, self.law = reject, hang_up_s, law
        self.endpoint = Endpoint(Tokens(b"far" * 8))
        self.media = PhoneMedia("127.0.0.1")
        self.loop = asyncio.get_running_loop()
        sock, _ = open_udp("127.0.0.1", 0)
        self.udp = UdpSocket(self.loop, sock, 1, self._received, lambda *_: None)
        self.endpoint.listen(1, "udp", "127.0.0.1", self.udp.port, "127.0.0.1", self.udp.port, ())
        self.seen: list[Any] = []

    def _received(self, _: UdpSocket, data: bytes, host: str, port: int) -> None:
        now_ms = time.monotonic_ns() // 1_000_000
        self.endpoint.receive(sip.Path(1, host, port), data, now_ms)
        events, self.endpoint.events = self.endpoint.events, []
        for event in events:
            self.seen.append(event)
            if isinstance(event, sip.Incoming):
                self._incoming(event, now_ms)
        self.drain()

    def _incoming(self, event: sip.Incoming, now_ms: int) -> None:
        if self.reject:
            self.endpoint.reject(event.session, self.reject, now_ms)
            return
        assert event.sdp is not None
        local = negotiation.Local("127.0.0.1", self.media.port, codecs=(g711.codec_of(self.law),))
        answer, agreed = negotiation.answer_offer(event.sdp, local)
        self.endpoint.ring(event.session, 180, now_ms)
        self.endpoint.answer(event.session, answer, now_ms)
        where = (agreed.host, agreed.port)
        self.media.start(where, agreed.payload_type_out, codec=agreed.codec, events=agreed.events_in)
        self.media.send_audio(CLIP.samples)
        if self.hang_up_s:
            self.loop.call_later(self.hang_up_s, self._bye, event.session)

    def _bye(self, session: int) -> None:
        self.endpoint.hang_up(session, time.monotonic_ns() // 1_000_000)
        self.drain()

    def drain(self) -> None:
        sends, self.endpoint.sends = self.endpoint.sends, []
        for send in sends:
            assert isinstance(send, sip.Send)
            self.udp.send(send.data, send.path.host, send.path.port)

    def close(self) -> None:
        self.udp.close()
        self.media.stop()


def call(change: Callable[[FarEnd], None] = lambda _: None, far: dict[str, Any] | None = None, **wish: Any) -> Any:
    """(result, lines told, far end) of one call."""
    told: list[tuple[int, str, str]] = []

    async def work() -> Any:
        end = FarEnd(**(far or {}))
        change(end)
        try:
            settings = {"seconds": 2.2} | wish
            phone = Phone(Wish("100", ("udp", "127.0.0.1", end.udp.port), **settings), [CLIP],
                          lambda *each: told.append(each))
            return await phone.call(), end, phone
        finally:
            end.close()

    result, end, phone = run(work(), 20)
    return result, told, end, phone


@pytest.mark.parametrize("law", [0, 1])
def test_hears_presses_and_hangs_up(law: int) -> None:
    result, told, end, phone = call(far={"law": law}, press="1#")
    assert [kind for _, kind, _ in told] == ["ringing", "answered", "prompt", "pressed", "pressed", "ended"]
    prompt = next(each for each in told if each[1] == "prompt")
    assert prompt[2] == '"Welcome."' and prompt[0] < 200
    pressed = next(each for each in told if each[1] == "pressed")
    assert pressed[0] > 1_300  # after the prompt and a pause
    assert end.media.heard_digits() == "1#"
    assert (result["status"], result["pressed"], result["ended_by"]) == (200, "1#", "us")
    assert any(isinstance(event, sip.Ended) for event in end.seen)
    assert len(phone.media.heard()) > 8_000


def test_the_far_end_hangs_up_first() -> None:
    result, told, _, _ = call(far={"hang_up_s": 0.4}, seconds=10)
    assert result["ended_by"] == "remote" and told[-1][1] == "ended"


def test_speaking() -> None:
    _, told, end, _ = call(say=CLIP.samples, seconds=3.0)
    assert ("said", "speaks") in [each[1:] for each in told]
    heard = end.media.heard()
    assert np.abs(heard.astype(np.int64)).max() > 3_000


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(CallFailed, match=r"404 Not Found .*dial 100"):
        call(far={"reject": 404})


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.sip import timers

    sock, _ = open_udp("127.0.0.1", 0)
    port = sock.getsockname()[1]
    sock.close()
    assert timers
    monkeypatch.setattr(room, "answer_s_max", 0.3)

    async def work() -> None:
        await Phone(Wish("100", ("udp", "127.0.0.1", port)), [], lambda *_: None).call()

    async def tcp() -> None:
        await Phone(Wish("100", ("tcp", "127.0.0.1", port)), [], lambda *_: None).call()

    with pytest.raises(CallFailed, match="no TCP connection"):
        run(tcp())
    with pytest.raises((CallFailed, TimeoutError)):
        run(work(), 2)


@pytest.mark.parametrize(("result", "words"), [
    ({"number": "100", "status": 0}, "before it was answered"),
    ({"number": "100", "status": 503, "phrase": "Service Unavailable"}, "does `ringdown serve` run"),
    ({"number": "100", "status": 499, "phrase": "Odd"}, "100: 499 Odd"),
])
def test_failures_in_words(result: dict[str, Any], words: str) -> None:
    assert words in room._failure(result)


def test_a_voice_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(RingdownError, match="apt-get install espeak-ng"):
        room.speech("hello")
