"""A caller who speaks: one call to 8820, what he said and when, what was heard of the engine, and what became of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import listening
import numpy as np

from harness import speaker
from harness.rtp import Ear, Packet
from harness.server import Engine

LOUD = 300.0  # RMS of a frame that can be heard


def is_loud(packet: Packet) -> bool:
    samples = listening.decode(packet.payload, packet.kind).astype(np.float64)
    return bool(np.sqrt(np.mean(samples**2)) > LOUD)


@dataclass
class Visit:
    """One call: what the caller did and when (monotonic s), and what became of it."""

    ear: Ear
    said_s: list[tuple[float, float]] = field(default_factory=list)  # first and last sound
    outcome: str = ""
    call: str = ""

    def loud(self) -> list[float]:
        """When each packet that can be heard arrived."""
        return [p.at for p in list(self.ear.packets) if p.kind in (0, 8) and is_loud(p)]

    def wait_loud(self, after: float = 0.0, seconds: float = 8.0) -> float:
        """When the engine is heard, after a moment."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [at for at in self.loud() if at > after]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError("the engine says nothing")

    def wait_quiet(self, seconds: float = 12.0) -> None:
        """Until nothing has been heard for 300 ms."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if time.monotonic() - max(self.loud(), default=0.0) > 0.3:
                return
            time.sleep(0.02)
        raise AssertionError("the engine doesn't stop")

    def say(self, *parts: np.ndarray, snr_db: float = 25.0) -> None:
        """Speak, and wait until it is said."""
        samples = np.concatenate(parts)
        began = time.monotonic()
        self.ear.play(speaker.in_room(samples, snr_db, len(self.said_s) + 1))
        self.said_s.append((began, began + samples.size / speaker.RATE))
        time.sleep(samples.size / speaker.RATE)

    def barge_in_ms(self, number: int = 0) -> float:
        """From the caller's first sound to the last packet of the prompt: the one behind which nothing comes, not even
        the quiet between two words."""
        began, ended = self.said_s[number]
        sent = [began, *(p.at for p in list(self.ear.packets) if p.kind in (0, 8) and p.at >= began)]
        last = next(at for at, after in zip(sent, [*sent[1:], np.inf], strict=True) if after - at > 0.15)
        return 1_000 * (last - began) if last < ended + 2.0 else np.inf

    def answer_ms(self, number: int = 0) -> float:
        """From his last sound to the first packet of the answer."""
        _, ended = self.said_s[number]
        return 1_000 * (min((at for at in self.loud() if at > ended), default=np.inf) - ended)


class Visiting:
    """`with Visiting(engine) as visit:` the call; after it the outcome is there."""

    def __init__(self, engine: Engine, seconds: float = 30.0, user: str = "stranger") -> None:
        self.engine, self.seconds, self.user = engine, seconds, user

    def __enter__(self) -> Visit:
        self.phone = self.engine.phone(self.user, secret=False).__enter__()
        self.ear = Ear().__enter__()
        self.dialog = self.phone.call("8820", media=self.ear.port)
        self.ear.start(self.dialog.media.host, self.dialog.media.port)
        self.visit = Visit(self.ear)
        return self.visit

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.dialog.expect_bye(self.seconds)
                call = self.engine.last_call(dialled="8820", caller=self.user)
                self.visit.call, self.visit.outcome = str(call["call"]), str(call["outcome"])
        finally:
            self.ear.close()
            self.phone.close()


def heard(engine: Engine, visit: Visit) -> list[dict[str, object]]:
    return [each["data"] for each in engine.events(visit.call) if each["kind"] == "speech.heard"]


def gathered(engine: Engine, visit: Visit) -> dict[str, str]:
    """What the dialplan took from the caller, by variable."""
    rows = [each["data"] for each in engine.events(visit.call) if each["kind"] == "call.gathered"]
    return {row["variable"]: row["value"] for row in rows}
