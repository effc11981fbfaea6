"""Kernels compiled (or loaded from numba's cache) before any port opens, with progress for the person who waits."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[int, int, str], None]


def warm(progress: Progress | None = None) -> None:
    """Compile every kernel of this build. `progress(done, total, name)` is called before each step."""
    import engine.switch  # registers the distributor's kernels
    from engine import jit
    from engine.media import columns
    from engine.runtime import rtp_plane
    from engine.speech import endpointing

    assert engine.switch and endpointing
    rtp_plane.warm_kernels(columns.allocate(), progress)
    jit.warm(progress)


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
