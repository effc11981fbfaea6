"""A Switch for a journal: fresh from the header's keys, or decoded from the state that the file begins with."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.media.image import Image
from engine.runtime.journal import Header


class State(msgspec.Struct, array_like=True):
    """What a checkpoint holds: the Switch, and what the media plane has been told."""

    switch: bytes
    image: bytes


_encoder = msgspec.msgpack.Encoder()
_states = msgspec.msgpack.Decoder(State)
_images = msgspec.msgpack.Decoder(Image)


def pack(switch: Any, image: Image) -> bytes:
    """A checkpoint's bytes."""
    return _encoder.encode(State(switch.encode(), _encoder.encode(image)))


def unpack(header: Header, state: bytes | None) -> tuple[Any, Image]:
    """The Switch and the image to go on with. Raises msgspec.MsgspecError or LocalError for torn or foreign bytes."""
    from engine.switch import Switch

    if state is None:
        return Switch(header.tokens_key, boot=header.boot, seed=header.seed, rows_max=header.rows_max), Image()
    held = _states.decode(state)
    return Switch.decode(held.switch), _images.decode(held.image)


def build(header: Header, state: bytes | None) -> Any:
    """What `journal.replay` drives."""
    return unpack(header, state)[0]
