"""A Switch for a journal: fresh from the header's keys, or decoded from the state that the file begins with."""

from __future__ import annotations

from typing import Any

from engine.runtime.journal import Header


def build(header: Header, state: bytes | None) -> Any:
    """What `journal.replay` drives."""
    from engine.switch import Switch

    if state is not None:
        return Switch.decode(state)
    return Switch(header.tokens_key, boot=header.boot, seed=header.seed, rows_max=header.rows_max)
