"""Why a caller was offered to whom he was: the text in `queue.decided`, one JSON object of a few hundred bytes.

    {"rule": "longest-idle-agent", "site": "3f9a…", "key": [["level", 1], ["idle_ms", 34200]], "others": 2,
     "against": [["talking", "", 3], ["not_ready", "lunch", 2], ["lacks", "zh", 1]],
     "near": [["default/202", "idle_ms", ""], ["default/203", "level", ""]]}

`rule` is the strategy, or "preference" for a caller who waits for one agent; `site` the version of the site by whose
rules it was decided; `key` the winner's columns with their units; `others` counts candidates who were not asked;
`against` the rest of the queue's agents by the first reason against each; `near` names the first of those others with
the column by which each lost. Without a key nobody could be asked, and `near` names the agents who were nearest, those
who have what he needs first, with the reason and its detail.
"""

from __future__ import annotations

import msgspec

SITE_LETTERS = 12


class Why(msgspec.Struct, frozen=True):
    """See the module."""

    rule: str
    site: str
    key: tuple[tuple[str, int], ...] = ()
    others: int = 0
    against: tuple[tuple[str, str, int], ...] = ()
    near: tuple[tuple[str, str, str], ...] = ()


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Why)


def encode(why: Why) -> str:
    return _ENCODER.encode(why).decode()


def decode(text: object) -> Why | None:
    """None for what isn't such a text: nothing is explained then, and nothing fails."""
    if not isinstance(text, str):
        return None
    try:
        return _DECODER.decode(text)
    except msgspec.MsgspecError:
        return None
