"""What the operating system says a process used: CPU seconds and resident memory (Linux /proc)."""

from __future__ import annotations

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system seconds of all threads of `pid`; its children are not counted. 0 for pid 0."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_kib(pid: int) -> int:
    """Resident memory in KiB; 0 for pid 0."""
    if not pid:
        return 0
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Meter:
    """CPU seconds and memory growth between `start` and now."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.cpu = cpu_seconds(pid)
        self.rss = resident_kib(pid)

    def cpu_spent(self) -> float:
        return cpu_seconds(self.pid) - self.cpu

    def rss_grown(self) -> int:
        return resident_kib(self.pid) - self.rss
