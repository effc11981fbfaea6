"""Percentiles and the printed form of a run: the shape first, then one line per figure."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np


def percentile(values: Sequence[float] | np.ndarray, share: float) -> float:
    """The value below which `share` (0–1) of the values lie; NaN without any."""
    ordered = np.sort(np.asarray(values, dtype=float))
    if not ordered.size:
        return float("nan")
    return float(ordered[min(ordered.size - 1, int(ordered.size * share))])


def spread(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Median, 90, 99, 99.9 % and the longest, rounded to microseconds when the values are in ms."""
    array = np.asarray(values, dtype=float)
    if not array.size:
        return {}
    shares = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999))
    found = {name: percentile(array, share) for name, share in shares}
    found["max"] = float(array.max())
    return {name: round(value, 3) for name, value in found.items()}


def spacing(gaps_ms: np.ndarray) -> dict[str, float]:
    """Packet gaps at the receiver: percentiles, the longest, and the share within 20 ± 3 ms."""
    if not gaps_ms.size:
        return {}
    found = {"p01": round(percentile(gaps_ms, 0.01), 3), **spread(gaps_ms)}
    found["within_20_3_percent"] = round(100 * float(np.mean(np.abs(gaps_ms - 20) <= 3)), 4)
    found["count"] = int(gaps_ms.size)
    return found


def show(title: str, figures: dict[str, object], *, as_json: bool) -> None:
    """Print one run: `figures` values are scalars, or dicts from `spread`."""
    if as_json:
        print(json.dumps({"run": title, **figures}, default=str), flush=True)
        return
    print(title)
    for name, value in figures.items():
        if isinstance(value, dict):
            value = "  ".join(f"{key} {item}" for key, item in value.items()) or "none"
        elif isinstance(value, float):
            value = f"{value:.4f}".rstrip("0").rstrip(".")
        print(f"  {name.replace('_', ' '):<34} {value}")
    print(flush=True)
