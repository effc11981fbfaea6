"""What a command over the bus says: one word, or a JSON object, read so that no payload can end the connection."""

from __future__ import annotations

import json
from typing import Any


def fields(payload: bytes, bytes_max: int, word: str) -> dict[str, Any]:
    """The fields of a command; a bare word is the field `word`. Raises ValueError with what is wrong."""
    if len(payload) > bytes_max:
        raise ValueError(f"{len(payload)} bytes are too many for a command: at most {bytes_max}")
    text = payload.decode("utf-8", "replace").strip()
    if not text.startswith(("{", "[")):
        return {word: text}
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("not a command: brackets within brackets, and no end of them") from error
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f'not a JSON object: write it like {{"{word}": …}}')
    for name, value in found.items():
        if isinstance(value, dict | list):
            raise ValueError(f"{name[:32]!r} holds brackets: what a command says is texts and numbers")
        for each in (name, value):
            if isinstance(each, str) and not each.isascii() and not _whole(each):
                raise ValueError("not a text: half of a character (\\ud800 to \\udfff alone)")
    return found


def _whole(text: str) -> bool:
    """Can it be sent on? JSON may name half of a character alone, which UTF-8 can't hold (RFC 8259 §8.2)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def until_ms(name: str, value: Any, now_s: float) -> str:
    """When a command ends, Unix ms, by its field `minutes` or `until_ms`. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**15:
        raise ValueError(f"{name} is a whole number")
    return str(value if name == "until_ms" else int(now_s * 1000) + value * 60_000)


def text_of(name: str, value: Any) -> str:
    """A field that is a text. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is a text")
    return value
