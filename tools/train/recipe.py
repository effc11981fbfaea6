"""What a run depends on besides the corpus."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What a run depends on besides the corpus; goes into the manifest."""

    seed: int = 20
    epochs: int = 16
    size: int = 32
    rate: float = 2.5e-3
    decay: float = 0.02
    output_penalty: float = 5e-4
    workers: int = 2
    minutes: float = 62.0  # the cycle ends after this time or after all epochs, whichever is first
