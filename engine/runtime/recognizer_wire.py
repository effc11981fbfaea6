"""What the engine and its recogniser children say to each other, over a Unix socket.

A message is its length (4 bytes, little-endian, of what follows), one byte of kind, and the rest: sound as it is, all
else as msgpack. Children are ours and of the same version: nothing here is negotiated.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.errors import SpeechError
from engine.speech.grammar import Grammar
from engine.speech.ports import FRAME_SAMPLES, Listening, Utterance

SOUND, WORDS = 0, 1
message_bytes_max = 16_000_000  # a grammar of thousands of phrases, or the sound of every ear for a second
_HEAD = struct.Struct("<IB")

# One frame of one ear, as the media plane lays it out (`media.ears.HEADER`). `token`: the number of the listening;
# `frame`: how many came before it, counted on for those that got lost on the way; `heard`: from the caller;
# `sent`: what he was being sent then.
FRAME = np.dtype([
    ("ear", "<u2"), ("flags", "<u2"), ("token", "<u4"), ("at_us", "<i8"), ("frame", "<u4"), ("full", "<u2"),
    ("lost", "<u2"), ("heard", "<i2", (FRAME_SAMPLES,)), ("sent", "<i2", (FRAME_SAMPLES,)),
])  # fmt: skip
Frames = npt.NDArray[np.void]


class Engine(msgspec.Struct, frozen=True, array_like=True):
    """Which recogniser serves a listening. `folder`: of the model, embedded or the admin's; with `addresses` it only
    stands in when none of them answers ('' for nobody)."""

    kind: str  # embedded | folder | remote
    folder: str = ""
    addresses: tuple[str, ...] = ()
    timeout_ms: int = 2_000


# --- to the child
class Learn(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A grammar, once, by its key; with which model it will be used ('' for none of ours), and whether a recogniser
    elsewhere will be asked."""

    key: str
    grammar: Grammar
    folder: str = ""
    remote: bool = False


class Listen(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Sound of this number follows. `call`: whose listenings of one line these are, 0 for nobody's."""

    number: int
    listening: Listening
    engine: Engine
    call: int = 0
    keep: str = ""  # the path of a file for its sound, '' for none


class Leave(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Nobody waits for this number any more."""

    number: int


class Ping(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Answer when everything before has been dealt with."""

    number: int


# --- from the child
class Ready(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The child stands, after so long."""

    ms: int


class Began(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Speech of this number began, `ms` before this was said."""

    number: int
    ms: int


class Done(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The listening of this number is over."""

    number: int
    utterance: Utterance


class Pong(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The answer to Ping, with what the child has used: processor time, and frames that it heard and decoded."""

    number: int
    cpu_ms: int = 0
    frames: int = 0
    decoded: int = 0


class Complaint(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Something that ops must know, in words; `key`: of which kind, so that it isn't logged without end."""

    key: str
    text: str


class Unkept(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The sound of an utterance that should have been kept isn't; why."""

    path: str
    detail: str


ToChild = Learn | Listen | Leave | Ping
FromChild = Ready | Began | Done | Pong | Complaint | Unkept
_encoder = msgspec.msgpack.Encoder()


def words(message: ToChild | FromChild) -> bytes:
    """A message as it travels."""
    body = _encoder.encode(message)
    return _HEAD.pack(len(body) + 1, WORDS) + body


def sound(frames: Frames) -> bytes:
    """FRAMEs as they travel."""
    return _HEAD.pack(frames.nbytes + 1, SOUND) + frames.tobytes()


class Reader:
    """Cuts what a socket gave into messages. `to_child`: which side reads."""

    def __init__(self, *, to_child: bool) -> None:
        self._rest = bytearray()
        self._to_child: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ToChild)
        self._from_child: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(FromChild)
        self._reads_orders = to_child

    def feed(self, data: bytes) -> Iterator[ToChild | FromChild | Frames]:
        """Whole messages: sound as an array of FRAMEs. Raises SpeechError for what is none of ours."""
        rest = self._rest
        rest += data
        at = 0
        try:
            while len(rest) - at >= _HEAD.size:
                length, kind = _HEAD.unpack_from(rest, at)
                if not 0 < length <= message_bytes_max:
                    raise SpeechError(f"a recogniser child said {length} bytes at once")
                end = at + 4 + length
                if len(rest) < end:
                    break
                body = bytes(rest[at + _HEAD.size : end])
                at = end
                yield np.frombuffer(body, FRAME) if kind == SOUND else self._decode(body)
        except (msgspec.MsgspecError, ValueError) as error:
            raise SpeechError(f"a recogniser child said what isn't understood: {error}") from error
        finally:
            del rest[:at]

    def _decode(self, body: bytes) -> ToChild | FromChild:
        message: ToChild | FromChild = (self._to_child if self._reads_orders else self._from_child).decode(body)
        return message
