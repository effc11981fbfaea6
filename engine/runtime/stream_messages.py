"""The messages of Twilio Media Streams as text, both directions, with the one that is ours (`done`).

Audio is µ-law, 8 kHz, mono, base64; 160 bytes are a frame of 20 ms. What a bot sends is read tolerantly (events that we
don't know are passed over, fields beyond those we need are not looked at) and bounded; what cannot be read is a
BotProblem, whose text holds nothing of the message.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from hashlib import sha1
from hmac import new as hmac

import msgspec

from engine import limits

PROTOCOL = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
TRACKS = {"": ("inbound",), "caller": ("inbound",), "both": ("inbound", "outbound")}
value_characters_max = 1_000  # of one value that a bot has found out
name_characters_max = 128  # of a mark, or a value's name


class BotProblem(Exception):
    """The bot says what it can't mean; the text says in words what that was."""


# --- what it is told ----------------------------------------------------------------------------------------
class Teller:
    """Messages to one bot, with their sequence numbers. `sid` names the stream, `call` the call, `tenant` the account.

    Everything but `connected` counts from 1, as Twilio does.
    """

    def __init__(self, sid: str, call: str, tenant: str, tracks: str) -> None:
        self._sid, self._call, self._tenant, self._tracks = sid, call, tenant, TRACKS[tracks]
        self._sequence = 0
        self._chunks = dict.fromkeys(self._tracks, 0)

    def connected(self) -> str:
        return msgspec.json.encode(PROTOCOL).decode()

    def start(self, send: dict[str, str]) -> str:
        body = {
            "streamSid": self._sid, "accountSid": self._tenant, "callSid": self._call, "tracks": list(self._tracks),
            "customParameters": send,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1},
        }  # fmt: skip
        return self._message("start", {"start": body})

    def media(self, track: str, audio: bytes, at_ms: int) -> str:
        """One frame; `at_ms` from the start of the stream."""
        self._sequence += 1
        self._chunks[track] = chunk = self._chunks[track] + 1
        return (  # fifty times a second and stream: put together by hand
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"{track}","chunk":"{chunk}",'
            f'"timestamp":"{at_ms}","payload":"{b64encode(audio).decode()}"}},"streamSid":"{self._sid}"}}'
        )

    def dtmf(self, digit: str) -> str:
        return self._message("dtmf", {"dtmf": {"track": "inbound_track", "digit": digit}})

    def mark(self, name: str) -> str:
        return self._message("mark", {"mark": {"name": name}})

    def stop(self) -> str:
        return self._message("stop", {"stop": {"accountSid": self._tenant, "callSid": self._call}})

    def _message(self, event: str, body: dict[str, object]) -> str:
        self._sequence += 1
        head = {"event": event, "sequenceNumber": str(self._sequence), **body, "streamSid": self._sid}
        return msgspec.json.encode(head).decode()


def signature(secret: str, url: str) -> str:
    """X-Twilio-Signature of a request without form fields: base64 of HMAC-SHA1 over the address."""
    return b64encode(hmac(secret.encode(), url.encode(), sha1).digest()).decode()


# --- what it says ---------------------------------------------------------------------------------------------
class Audio(msgspec.Struct, frozen=True):
    """µ-law, to be heard behind what was sent before."""

    octets: bytes


class Mark(msgspec.Struct, frozen=True):
    """Tell this name when everything sent before has been heard."""

    name: str


class Clear(msgspec.Struct, frozen=True):
    """Nothing of what was sent and hasn't been heard shall be."""


class Done(msgspec.Struct, frozen=True):
    """The bot has finished: what it has found out, and the way it wishes ('' none)."""

    values: dict[str, str]
    next: str


Said = Audio | Mark | Clear | Done | None


class _Media(msgspec.Struct):
    payload: str


class _Named(msgspec.Struct):
    name: str


class _Message(msgspec.Struct):
    event: str
    media: _Media | None = None
    mark: _Named | None = None
    values: dict[str, str | int | float | bool | None] = {}
    next: str = ""


_read = msgspec.json.Decoder(_Message).decode


def read(text: str) -> Said:
    """One message; None for an event that says nothing to us. Raises BotProblem."""
    try:
        message = _read(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BotProblem("a message is no JSON object of Media Streams") from None
    if message.event == "media":
        if message.media is None:
            raise BotProblem("a media message has no payload")
        try:
            return Audio(b64decode(message.media.payload, validate=True))
        except (binascii.Error, ValueError):
            raise BotProblem("the payload of a media message is no base64") from None
    if message.event == "mark":
        if message.mark is None or len(message.mark.name) > name_characters_max:
            raise BotProblem("a mark has no name, or one that is too long")
        return Mark(message.mark.name)
    if message.event == "clear":
        return Clear()
    return _done(message) if message.event == "done" else None


def _done(message: _Message) -> Done:
    if len(message.values) > limits.stream_values_max:
        raise BotProblem(f"more than {limits.stream_values_max} values")
    values: dict[str, str] = {}
    for name, value in message.values.items():
        text = ("yes" if value else "no") if isinstance(value, bool) else "" if value is None else str(value)
        if len(name) > name_characters_max or len(text) > value_characters_max or not text.isprintable():
            raise BotProblem("a value is too long, or holds what cannot be printed")
        if value is not None:
            values[name] = text
    return Done(values, message.next[:name_characters_max])
