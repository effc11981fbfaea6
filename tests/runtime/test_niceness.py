"""Who steps back, asked of the kernel itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_who_steps_back_is_nice_a_batch_process_and_the_first_to_be_ended() -> None:
    script = "from engine.runtime import niceness; niceness.step_back(7); print('back', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == b"back\n"
        assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 7
        assert Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() == "900"
    finally:
        process.communicate(b"\n", 10)
