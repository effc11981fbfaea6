"""One test call through a gateway, to a number whose far end is known: it repeats, is silent, or hangs up.

The phone is that of `ringdown dial`; only what it does after the answer differs. What it finds is figures; the
doctor (`cli.doctor_trunk`) says what they mean.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from engine.runtime import line_signals as signals
from engine.runtime.phone import CallFailed, Phone, Wish

LOOP, SILENT, SHORT = "loop", "silent", "short"
KEYS = "1590*#"
SETTLE_S = 1.0  # after the answer: echo cancellers and jitter buffers come to rest
BURST_S = 1.0
AFTER_S = 1.5  # how long a return may take
BURST_DBM0 = -16.0
HANGS_UP_S_MAX = 30.0
TAIL_S = 6.0  # of what was heard before we give up: is it a busy tone?
SOUND_DBM0 = -50.0


class Found(msgspec.Struct):
    """Figures of one call. `gain_db`, `delay_ms`: of what came back of our noise; `keys`, `inband`: what came back of
    KEYS as events and as tones; `ended_after_s`: from the far end's last sound to its BYE, -1 none came."""

    far: str
    status: int = 0
    failed: str = ""
    answered_ms: int = -1
    heard: bool = False
    gain_db: float | None = None
    delay_ms: int = -1
    noise_dbm0: float = signals.FLOOR_DBM0
    keys: str = ""
    inband: str = ""
    ended_after_s: float = -1.0
    busy: tuple[int, int, int] | None = None


class LineTest(Phone):
    """A call that measures. `found` grows while it lasts."""

    def __init__(self, wish: Wish, far: str, told: Callable[[int, str, str], None], **more: Any) -> None:
        super().__init__(wish, [], told, **more)
        self.found = Found(far)
        self._sent = signals.burst(BURST_S, BURST_DBM0)
        self._steps = {LOOP: self._loop, SILENT: self._silent, SHORT: self._short}[far]()
        self._due_s = SETTLE_S

    async def measure(self) -> Found:
        """The call, its figures; a call that fails gives its status and why, and raises nothing."""
        try:
            await self.call()
        except CallFailed as failure:
            self.found.failed = str(failure)
        self.found.status = int(self.result["status"])
        self.found.answered_ms = int(self.result.get("answered_ms", -1))
        if self.found.far == SHORT and self.found.status == 200:
            self._after()
        return self.found

    def _act(self) -> None:
        if time.monotonic() - self._answered_at < self._due_s:
            return
        wait_s = next(self._steps, None)
        if wait_s is None:
            self._hang_up()
        else:
            self._due_s = time.monotonic() - self._answered_at + wait_s

    def _listen(self) -> None:
        """Nothing is recognised: the figures come from what the media kept."""

    # --- what is done, in steps; each yields how long to wait ------------------------------------------------
    def _return(self) -> Any:
        self.media.forget()
        self.media.send_audio(self._sent)
        yield BURST_S + AFTER_S
        heard = self.media.heard()
        self.found.heard = heard.size > 0
        back = signals.returned(self._sent, heard)
        if back is not None:
            self.found.gain_db, self.found.delay_ms = back

    def _loop(self) -> Any:
        yield from self._return()
        self.media.forget()
        self.media.send_digits(KEYS)
        yield len(KEYS) * 0.18 + AFTER_S
        self.found.keys = self.media.heard_digits()
        self.found.inband = signals.inband_digits(self.media.heard())

    def _silent(self) -> Any:
        self.media.forget()
        yield 1.0
        self.found.noise_dbm0 = signals.level_dbm0(self.media.heard())
        yield from self._return()

    def _short(self) -> Any:
        self.media.forget()
        yield HANGS_UP_S_MAX

    def _after(self) -> None:
        """How long the far end had been silent, or busy, when the call ended."""
        heard = self.media.heard()
        self.found.heard = heard.size > 0
        tail = heard[-int(TAIL_S * signals.RATE) :]
        self.found.busy = signals.busy_tone(tail)
        if self.result["ended_by"] not in ("", "us"):
            frames = heard[: heard.size // 160 * 160].reshape(-1, 160)
            loud = [place for place, frame in enumerate(frames) if signals.level_dbm0(frame) > SOUND_DBM0]
            last = loud[-1] + 1 if loud else 0
            self.found.ended_after_s = round((len(frames) - last) * 0.02, 2)
