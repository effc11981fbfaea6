"""How a process that only computes steps back behind those that carry calls. It needs no right for that."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def step_back(niceness: int) -> None:
    """Let the media plane and the event loop win quarrels about a core, and when memory runs out let the kernel end
    this process and not the engine.

    As a batch process it takes no core from another at the moment when it wakes, which a recogniser does fifty times a
    second. Where the kernel groups processes by sessions (autogroup), a niceness counts within one only; the group's
    own stays as it is: nicer by 5, recognisers of 30 callers got half the time that they need on a machine with other
    work, and no packet came sooner for it.
    """
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with suppress(OSError):  # a system without it
        Path("/proc/self/oom_score_adj").write_text("900")
