"""Where an agent is in a menu that he goes through by keys, as data."""

from __future__ import annotations

import msgspec


class PhoneMenu(msgspec.Struct):
    """`step` says what is heard or waited for; `what` is the box or the prompt; `order` the messages as they were when
    the box was opened, `at` the one that is heard."""

    what: str
    step: str = ""
    typed: str = ""
    tries: int = 1
    order: list[int] = []
    at: int = -1
    ticket: int = 0  # of the clip that is being loaded
    file: str = ""
    ms: int = 0
