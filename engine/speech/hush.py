"""The first gate, and the one that nearly all frames end at: nobody speaks, nothing stands out of the line's noise.

Of a hundred callers who are listened to, seventy are silent, and each has fifty frames a second. All that such a frame
has to leave behind is done by one kernel: the line's level and its floor, and what was said and sent for the echo.
"""

from __future__ import annotations

from typing import Any

from engine.jit import kernel
from engine.speech import echo, levels

OVER_FLOOR_DB = 6.0
LOUD_DBFS = -55.0
STANDS_OUT = 1.0  # no level: 0 dBFS is the loudest


@kernel
def take_in(line: Any, raw: Any, sent: Any, said: Any, state: Any, new_said: Any, new_sent: Any) -> float:
    """A frame of a line on which nobody speaks, int16[160] of both sides: its level in dBFS, and it is taken into
    `line` and `raw` (`levels`: without and with the echo) and the echo's memory. STANDS_OUT when it is louder than the
    line, and then nothing has changed."""
    last_in, last_out = raw[levels.LAST_IN], raw[levels.LAST_OUT]
    if levels.level_dbfs(raw, new_said) > max(line[levels.FLOOR] + OVER_FLOOR_DB, LOUD_DBFS):
        raw[levels.LAST_IN], raw[levels.LAST_OUT] = last_in, last_out
        return STANDS_OUT
    echo.take_in(sent, said, state, new_said, new_sent)
    level = levels.level_dbfs(line, new_said)
    levels.learn(line, level, False)
    return level
