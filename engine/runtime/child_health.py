"""Is a recogniser child well? What the kernel says of it, and what that means for how long it may stay silent.

A niced child on a busy machine is late without being ill: it wants to run and gets no turn. One that has had seconds of
processor time since it last answered goes in circles; one that is stopped will not answer at all; one that eats the
machine's memory must go before the kernel picks something else.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

hung_s = 6.0  # niced, on a machine that is busy, a child may be late
starved = 4  # times as long for one that would answer if the machine had time for it
circles_s = 4.0  # of processor time without an answer
stopped_s = 2.0  # for somebody who looks at it with a debugger and goes on
start_s_max = 20.0
memory_share_max = 0.5  # of the machine's; a large model of the admin's takes 5 GB
_SECOND, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


class Vitals(msgspec.Struct, frozen=True):
    """Of a process. `state`: the kernel's letter (R wants to run or runs, S waits, D waits for a disk, T is stopped, Z
    has ended); `cpu_s`: processor time since its start."""

    state: str
    cpu_s: float
    memory_bytes: int


def vitals(pid: int) -> Vitals | None:
    """What the kernel says of a process; None when there is none such (any more)."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return Vitals(words[0], (int(words[11]) + int(words[12])) / _SECOND, int(words[21]) * _PAGE)
    except (OSError, IndexError, ValueError):
        return None


def memory_bytes_max() -> int:
    """How much a child may use on this machine."""
    return int(os.sysconf("SC_PHYS_PAGES") * _PAGE * memory_share_max)


def ailment(seen: Vitals | None, *, ready: bool, silent_s: float, busy_s: float) -> str:
    """Why a child must be given up, '' while it is well. `silent_s`: since it last answered; `busy_s`: the processor
    time that it has had since then."""
    if seen is not None and seen.memory_bytes > memory_bytes_max():
        return f"uses {seen.memory_bytes >> 20} MiB of memory"
    if not ready:
        return f"is not ready after {silent_s:.1f} s" if silent_s > start_s_max else ""
    state = seen.state if seen is not None else ""
    if state in ("T", "t") and silent_s > stopped_s:
        return f"is stopped, for {silent_s:.1f} s"
    if state == "R" and silent_s > hung_s and busy_s > circles_s:
        return f"hangs: it computes for {busy_s:.1f} s without an answer"
    if silent_s > hung_s * (starved if state == "R" else 1):
        return f"hangs: no answer for {silent_s:.1f} s"
    return ""
