"""A test phone: one real SIP call from this machine, on our own endpoint as caller, with its own ears and fingers.

`ringdown dial` is a thin layer over it. It is a phone like any other for the server: nothing is shared but the wire.
"""

from __future__ import annotations

import asyncio
import secrets as chance
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import msgspec

from engine.errors import ProtocolError, RingdownError
from engine.ids import Tokens
from engine.media import g711
from engine.runtime import net
from engine.runtime.listening import Clip, Heard, Listener
from engine.runtime.phone_media import PhoneMedia
from engine.runtime.wav import read_wav
from engine.sdp import negotiation
from engine.sip import events as sip
from engine.sip.endpoint import Endpoint
from engine.sip.stream import Framer

tick_s = 0.05
answer_s_max = 60.0
between_keys_s = 0.35
prompt_pause_s = 0.6
silence_samples_max = 80_000  # a longer jump of the timestamp is a new timeline
patience_s = 6.0  # keys are pressed by then whatever is heard: a long menu is barged into


class CallFailed(RingdownError):
    """The call wasn't answered: the text says with which status, and what to do."""


class Wish(msgspec.Struct):
    """What the phone shall do. `press`: keys, a comma is a second's pause; `say`: samples, spoken after the prompts."""

    number: str
    server: tuple[str, str, int] = ("udp", "127.0.0.1", 5060)
    press: str = ""
    say: Any = None
    seconds: float = 20.0
    user: str = "dial"
    display: str = "Test phone"
    secret: tuple[str, str] | None = None


class Phone:
    """One call. `told(at_ms, kind, words)` is called for everything worth a line; `await call()` returns a summary."""

    def __init__(
        self, wish: Wish, clips: list[Clip], told: Callable[[int, str, str], None],
        build_media: Callable[[str], Any] = PhoneMedia,
    ) -> None:
        self.wish = wish
        self.told = told
        self.keys_left = wish.press
        self.result: dict[str, Any] = {"number": wish.number, "status": 0, "heard": [], "pressed": "", "ended_by": ""}
        self.media: Any = None
        self._clips = clips
        self._build_media = build_media
        self._endpoint = Endpoint(Tokens(chance.token_bytes(32)), user_agent="Ringdown test phone")
        self._listener: Listener | None = None
        self._law = g711.MU_LAW
        self._events_type = -1
        self._taken = 0  # packets that were listened to
        self._expected = (-1, 0)  # SSRC and timestamp of the next packet
        self._session = 0
        self._over = asyncio.Event()
        self._answered_at = 0.0
        self._next_key_at = 0.0
        self._began = time.monotonic()
        self._offer = b""
        self._said = False

    # --- life ---
    async def call(self) -> dict[str, Any]:
        """Dial, listen, press, hang up. Raises CallFailed when nobody answers."""
        loop = asyncio.get_running_loop()
        transport, host, port = self.wish.server
        ours = net.default_source(host) if not host.startswith("127.") else "127.0.0.1"
        self._wire = await _Wire.open(loop, transport, ours or "127.0.0.1", (host, port), self._received)
        self.media = self._build_media(ours or "127.0.0.1")
        self._local = negotiation.Local(ours or "127.0.0.1", self.media.port, session_id=chance.randbits(31))
        ticking = loop.create_task(self._tick())
        try:
            self._dial(transport, host, port)
            await self._over.wait()
            await asyncio.sleep(tick_s)  # the last answers (ACK, 200 to BYE) still leave
        finally:
            ticking.cancel()
            self.media.stop()
            self._wire.close()
        if self.result["status"] >= 300 or not self._answered_at:
            raise CallFailed(_failure(self.result))
        return self.result

    def _dial(self, transport: str, host: str, port: int) -> None:
        now_ms = self._now_ms()
        ours = self._wire.address
        self._endpoint.listen(1, transport, *ours, *ours, ())
        if transport == "tcp":
            self._endpoint.flow_opened(sip.Path(_Wire.flow, host, port, "tcp"), now_ms)
        self._offer = negotiation.make_offer(self._local)
        where = net.show(host, port)
        flow = 1 if transport == "udp" else _Wire.flow
        self._session = self._endpoint.invite(
            f"sip:{self.wish.number}@{where}", sip.Path(flow, host, port, transport), now_ms,
            caller=(self.wish.display, self.wish.user, host), sdp=self._offer, secret=self.wish.secret,
            ring_ms_max=int(answer_s_max * 1000),
        )
        self._drain()

    def _now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def _at_ms(self) -> int:
        """Since the answer, or since dialling before it."""
        return int((time.monotonic() - (self._answered_at or self._began)) * 1000)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(tick_s)
            now_ms = self._now_ms()
            due = self._endpoint.next_deadline()
            if due is not None and due <= now_ms:
                self._endpoint.expire(now_ms)
                self._drain()
            self._listen()
            if self._answered_at and not self._over.is_set():
                self._act()

    # --- signalling ---
    def _received(self, data: bytes) -> None:
        transport, host, port = self.wish.server
        flow = 1 if transport == "udp" else _Wire.flow
        self._endpoint.receive(sip.Path(flow, host, port, transport), data, self._now_ms())
        self._drain()

    def _drain(self) -> None:
        events, self._endpoint.events = self._endpoint.events, []
        for event in events:
            rule = _RULES.get(type(event))
            if rule is not None:
                rule(self, event)
        sends, self._endpoint.sends = self._endpoint.sends, []
        for send in sends:
            if isinstance(send, sip.Send):
                self._wire.send(send.data, send.path)
        if self._endpoint.events:
            self._drain()

    def _progress(self, event: sip.Progress) -> None:
        self.told(self._at_ms(), "ringing" if event.status == 180 else "progress", f"{event.status}")
        if event.sdp:
            self._agree(event.sdp)

    def _answer(self, event: sip.Answered) -> None:
        self.told(self._at_ms(), "answered", f"answered after {self._at_ms()} ms")
        self.result["status"] = 200
        self.result["answered_ms"] = self._at_ms()
        self._answered_at = time.monotonic()
        self._next_key_at = self._answered_at + prompt_pause_s
        if event.sdp:
            self._agree(event.sdp)

    def _agree(self, sdp: bytes) -> None:
        try:
            agreed = negotiation.read_answer(self._offer, sdp)
        except ProtocolError as error:
            self.told(self._at_ms(), "error", f"unusable answer: {error}")
            self._hang_up()
            return
        self._start_media(agreed)

    def _start_media(self, agreed: negotiation.Agreed) -> None:
        law = g711.law_of(agreed.codec)
        if self._listener is None or self._law != law:
            self._listener = Listener(self._clips, law)
        self._law, self._events_type = law, agreed.events_in
        self.media.start(
            (agreed.host, agreed.port), agreed.payload_type_out, codec=agreed.codec, events=agreed.events_out,
            frame_ms=agreed.frame_ms_out,
        )

    def _offered(self, event: sip.Offered) -> None:
        """A re-INVITE: go along with whatever they want."""
        try:
            if event.sdp is None:
                self._endpoint.accept_offer(event.session, negotiation.make_offer(self._local), self._now_ms())
                return
            answer, agreed = negotiation.answer_offer(event.sdp, self._local)
        except ProtocolError as error:
            self._endpoint.refuse_offer(event.session, error.status_hint, self._now_ms())
            return
        self._endpoint.accept_offer(event.session, answer, self._now_ms())
        self._start_media(agreed)

    def _rejected(self, event: sip.Rejected) -> None:
        self.result["status"] = event.status
        self.result["phrase"] = event.phrase
        self._over.set()

    def _ended(self, event: sip.Ended) -> None:
        reason = f": {event.reason_text}" if event.reason_text else ""
        self.told(self._at_ms(), "ended", f"the far end hung up{reason}")
        self.result["ended_by"] = event.by
        self._over.set()

    def _hang_up(self) -> None:
        if not self.result["ended_by"]:
            self.result["ended_by"] = "us"
            self.told(self._at_ms(), "ended", "hangs up")
            self._endpoint.hang_up(self._session, self._now_ms())
            self._drain()
        self._over.set()

    # --- ears and fingers ---
    def _listen(self) -> None:
        """What has come since the last look, gaps of the timestamp as silence."""
        listener = self._listener
        if listener is None:
            return
        packets = self.media.heard_packets()
        fresh, self._taken = packets[self._taken:], len(packets)
        for arrived, packet in fresh:
            if packet[1] & 0x7F == self._events_type:
                continue
            timestamp, ssrc = struct.unpack_from(">II", packet, 4)
            payload = packet[12:]
            known, expected = self._expected
            ahead = (timestamp - expected) & 0xFFFFFFFF if ssrc == known else 0
            if ahead >= 0x80000000:
                continue  # late or twice
            if 0 < ahead <= silence_samples_max:
                payload = bytes([g711.SILENCE[self._law]]) * ahead + payload
            self._expected = (ssrc, (timestamp + len(packet) - 12) & 0xFFFFFFFF)
            for heard in listener.hear(payload):
                self._report(heard, listener.now_ms, arrived)

    def _report(self, heard: Heard, now_ms: int, arrived: float) -> None:
        """Print it with the time at which it began, counted from the answer."""
        since = int((arrived - (self._answered_at or self._began)) * 1000)
        at_ms = max(0, since - (now_ms - heard.at_ms))
        self.result["heard"].append(msgspec.to_builtins(heard) | {"at_ms": at_ms})
        self.told(at_ms, heard.kind, heard.words)

    def _act(self) -> None:
        """Press the next key once the prompts pause (or patience ends); speak; hang up in time."""
        now = time.monotonic()
        since = now - self._answered_at
        if since >= self.wish.seconds:
            self._hang_up()
            return
        if now < self._next_key_at:
            return
        listener = self._listener
        paused = listener is not None and bool(listener.heard) and listener.silent_ms >= prompt_pause_s * 1000
        if self.keys_left:
            first = self.keys_left == self.wish.press
            if first and not paused and since < patience_s:
                return
            key, self.keys_left = self.keys_left[0], self.keys_left[1:]
            if key == ",":
                self._next_key_at = now + 1.0
                return
            self.media.send_digits(key)
            self.result["pressed"] += key
            self.told(self._at_ms(), "pressed", f"presses {key}")
            self._next_key_at = now + between_keys_s
        elif self.wish.say is not None and not self._said and (paused or since >= patience_s):
            self._said = True
            self.media.send_audio(self.wish.say)
            self.told(self._at_ms(), "said", "speaks")


_RULES: dict[type, Callable[[Phone, Any], None]] = {
    sip.Progress: Phone._progress, sip.Answered: Phone._answer, sip.Offered: Phone._offered,
    sip.Rejected: Phone._rejected, sip.Ended: Phone._ended,
}


def _failure(result: dict[str, Any]) -> str:
    status, phrase = result["status"], result.get("phrase", "")
    hints = {
        401: "this number wants credentials: --user NUMBER --password PASSWORD", 403: "this number is not public",
        404: "no such number; `ringdown dial 100` is the demo", 408: "nobody answers there: does `ringdown serve` run?",
        407: "this number wants credentials: --user NUMBER --password PASSWORD",
        480: "nobody is there to answer", 486: "busy", 488: "no codec in common",
        503: "the engine is full or draining; or nothing listens there: does `ringdown serve` run?",
    }
    if not status:
        return f"{result['number']}: the call ended before it was answered"
    return f"{result['number']}: {status} {phrase}".rstrip() + (f" ({hints[status]})" if status in hints else "")


class _Wire(asyncio.Protocol):
    """The phone's socket: UDP on a free port, or one TCP connection."""

    flow = 2_000_000

    def __init__(self, received: Callable[[bytes], None]) -> None:
        self._received = received
        self._framer = Framer()
        self._sock: socket.socket | None = None
        self._transport: Any = None
        self.address = ("", 0)

    @classmethod
    async def open(cls, loop: asyncio.AbstractEventLoop, transport: str, ours: str, server: tuple[str, int],
                   received: Callable[[bytes], None]) -> _Wire:
        wire = cls(received)
        wire._loop = loop
        if transport == "udp":
            wire._sock, _ = net.open_udp(ours, 0)
            wire.address = wire._sock.getsockname()[:2]
            loop.add_reader(wire._sock.fileno(), wire._readable)
            return wire
        try:
            wire._transport, _ = await loop.create_connection(lambda: wire, *server)
        except OSError as error:
            raise CallFailed(f"no TCP connection to {net.show(*server)}: {error.strerror or error}") from error
        wire.address = wire._transport.get_extra_info("sockname")[:2]
        return wire

    _loop: asyncio.AbstractEventLoop

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(65_535)
        except OSError:
            return  # a queued ICMP error; the transaction's timer tells the person
        self._received(data)

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._framer.feed(data):
                if isinstance(message, bytes):
                    self._received(message)
        except ProtocolError:
            self._transport.close()

    def send(self, data: bytes, path: sip.Path) -> None:
        """To the far end that the path names (UDP), or into the connection."""
        if self._sock is not None:
            try:
                self._sock.sendto(data, (path.host, path.port))
            except OSError:
                return  # the transaction will time out and say so
        elif self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
        elif self._transport is not None:
            self._transport.close()


def speech(text: str) -> Any:
    """Samples of a sentence, spoken by espeak-ng. Raises RingdownError saying what to install."""
    import shutil
    import subprocess
    import tempfile

    program = shutil.which("espeak-ng") or shutil.which("espeak")
    if program is None:
        raise RingdownError("--say needs a voice: apt-get install espeak-ng")
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run([program, "-w", file.name, "--", text], check=True, capture_output=True, timeout=30)
        return read_wav(FilePath(file.name))
