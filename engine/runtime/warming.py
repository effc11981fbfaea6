"""Kernels compiled (or loaded from numba's cache) before any port opens, with progress for the person who waits.

From an empty cache that takes a minute or two of one core, most of it for the parts of the media loop. Where there is a
second core, and memory for it, a second process compiles its share meanwhile and this one loads the result.
"""

from __future__ import annotations

import ctypes
import gc
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

Progress = Callable[[int, int, str], None]

HELPED = ("commands", "mix", "tick")  # ours is `receive` meanwhile; the media loop comes last and needs them all
MEMORY_MIN = 3 * 1024**3  # bytes to spare: each of the two grows to 0.7 GB
PATIENCE_S = 300.0  # with the second process, which needs 40 s for its half on a slow machine
_ROOT = Path(__file__).resolve().parents[2]
_PR_SET_PDEATHSIG = 1


def warm(progress: Progress | None = None) -> None:
    """Compile every kernel of this build. `progress(done, total, name)` is called before each step."""
    import engine.switch  # registers the distributor's kernels
    from engine import jit
    from engine.media import columns
    from engine.runtime import plane_kernels
    from engine.speech import endpointing

    assert engine.switch and endpointing
    jit.load_lean()
    plane, mark = columns.allocate(), _mark()
    if not jit.DISABLED and not mark.exists():
        with _few_collections():
            if room_for_two():
                with second_process() as second:
                    ours = [step[0] for step in plane_kernels.parts(plane) if step[0] not in HELPED]
                    plane_kernels.warm_parts(plane, progress, only=ours)
                    wait_for_half(second)
                    plane_kernels.warm_kernels(plane, progress)
                    with suppress(subprocess.TimeoutExpired):
                        second.wait(PATIENCE_S)
            else:
                plane_kernels.warm_parts(plane, progress)
                plane_kernels.warm_kernels(plane, progress)
    jit.warm(progress)
    with suppress(OSError):  # a disk that is full or read-only: then a later start looks again
        if not jit.DISABLED:
            mark.touch()


def whole() -> bool:
    """Is everything compiled, so that `warm` only loads it?"""
    return not os.environ.get("NUMBA_DISABLE_JIT") and _mark().exists()


def share() -> None:
    """What the second process does: the media plane's half, a line when that is there, then what no one waits for."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # it ends with the first, whatever ends that
    from engine import jit
    from engine.media import columns
    from engine.runtime import plane_kernels
    from engine.speech import endpointing

    assert endpointing
    jit.load_lean()
    with _few_collections():
        plane_kernels.warm_parts(columns.allocate(), only=HELPED)
        print("half", flush=True)
        jit.warm(only=("endpointing",))


@contextmanager
def _few_collections() -> Iterator[None]:
    """Compiling makes millions of small objects that stay: a tenth of its time is spent looking for some that don't."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def second_process() -> Iterator[subprocess.Popen[str]]:
    """`share` in a process of its own, which is gone afterwards."""
    path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    second = subprocess.Popen(
        [sys.executable, "-P", "-m", "engine.runtime.warming"], env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        yield second
    finally:
        second.kill()
        second.wait()
        assert second.stdout is not None
        second.stdout.close()


def room_for_two(
    cores: int | None = None, meminfo: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")
) -> bool:
    """Are there two cores, and memory for a second compiler, here and in the control group that we are in?"""
    try:
        free = int(meminfo.read_text().partition("MemAvailable:")[2].split()[0]) * 1024
        limit = group / "memory.max"
        if limit.exists() and (text := limit.read_text().strip()) != "max":
            free = min(free, int(text) - int((group / "memory.current").read_text()))
    except (OSError, ValueError, IndexError):
        return False
    return (cores or len(os.sched_getaffinity(0))) >= 2 and free >= MEMORY_MIN


def wait_for_half(second: subprocess.Popen[str], seconds: float = PATIENCE_S) -> bool:
    """Until its half is there (True), or it has ended, or stands still: then we compile that ourselves."""
    assert second.stdout is not None
    return bool(select.select([second.stdout], [], [], seconds)[0]) and second.stdout.readline() == "half\n"


def _mark() -> Path:
    """In the cache's folder, when all kernels of the sources in this place lie there (numba keeps them by place)."""
    name = blake2b(str(_ROOT).encode(), digest_size=6).hexdigest()
    return Path(os.environ.get("NUMBA_CACHE_DIR", "/nowhere")) / f"whole-{name}"


class Reporter:
    """Says what is being compiled, but only when it takes long enough to make somebody wonder."""

    def __init__(self, say: Callable[[str], None], *, patience_s: float = 0.7,
                 seconds: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._seconds = seconds
        self._patience_s = patience_s
        self._began = seconds()
        self._told = ""
        self.steps: list[tuple[str, float]] = []

    def __call__(self, done: int, total: int, name: str) -> None:
        now = self._seconds()
        self.steps.append((name, now))
        if name and now - self._began > self._patience_s and name != self._told:
            if not self._told:
                self._say("compiling kernels; the result is kept, so the next start takes a second")
            self._told = name
            self._say(f"  {done + 1}/{total} {name}")

    def spent(self) -> list[dict[str, object]]:
        """[{kernel, seconds}] of each step that took time."""
        after = [*(at for _, at in self.steps[1:]), self._seconds()]
        return [
            {"kernel": name, "seconds": round(end - at, 2)}
            for (name, at), end in zip(self.steps, after, strict=True) if name
        ]


if __name__ == "__main__":
    share()
