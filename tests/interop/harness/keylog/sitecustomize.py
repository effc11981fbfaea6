"""Read by an engine under test that speaks TLS: its session keys go into a file, so that tshark can read what it said.

Only the harness puts this folder on an engine's path; the engine itself has no way to write its keys down.
"""

import os
import ssl
from typing import Any

_made = ssl.SSLContext.__new__


def _noted(kind: type[ssl.SSLContext], *words: Any, **named: Any) -> ssl.SSLContext:
    context = _made(kind, *words, **named)
    context.keylog_filename = os.environ["TLS_KEYS"]
    return context


if "TLS_KEYS" in os.environ:
    ssl.SSLContext.__new__ = _noted  # type: ignore[method-assign, assignment]
