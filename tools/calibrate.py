"""`python -m tools.calibrate [--calls N] [--seed N] [--plot FILE.svg] [--json]`: are promised waits kept?

Prints for each load shape what became of the promises at 90 %, their width beside an oracle's that knows the laws of
arrival, and the pinball loss beside last-to-enter-service and position · mean / agents. `engine.sim.calibration` says
how it is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import msgspec

from engine.sim import calibration
from engine.sim.calibration import LEVELS, Figures

COLOURS = ("#1b6ca8", "#c1440e", "#3a7d44", "#8e5ea2", "#b8860b", "#008b8b", "#000000")


def line(each: Figures) -> str:
    widths = "-" if each.widths is None else f"{each.widths:.2f} ({each.oracles})"
    oracle = "-" if each.oracle_kept is None else f"{each.oracle_kept:.1%}"
    return (
        f"{each.name:36} {each.promises:7} {each.kept:7.1%} {each.kept_at_join:7.1%} {each.sooner:7.1%} "
        f"{each.later:7.1%} {each.width_ms / 1000:8.1f} {widths:>11} {oracle:>7} {each.pinball['ours'] / 1000:7.2f} "
        f"{each.gain('les'):7.1%} {each.gain('les_dressed'):7.1%} {each.gain('naive'):7.1%}"
    )


HEAD = (
    f"{'load shape':36} {'told':>7} {'kept':>7} {'joins':>7} {'sooner':>7} {'later':>7} {'width s':>8} "
    f"{'/ oracle':>11} {'(kept)':>7} {'loss s':>7} {'< LES':>7} {'dressed':>7} {'naive':>7}"
)


def plot(figures: list[Figures]) -> str:
    """An SVG: promised quantile to the right, share of waits that it covered upwards; the diagonal is honesty."""
    side, left, top = 420, 60, 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side + left + 320}" height="{side + 80}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#999"/>',
        f'<line x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}" stroke="#999" stroke-dasharray="5 4"/>',
    ]
    for mark in (0, 25, 50, 75, 100):
        at = side * mark // 100
        parts.append(f'<text x="{left + at}" y="{top + side + 18}" text-anchor="middle">{mark}</text>')
        parts.append(f'<text x="{left - 8}" y="{top + side - at + 4}" text-anchor="end">{mark}</text>')
    parts.append(f'<text x="{left + side // 2}" y="{top + side + 42}" text-anchor="middle">promised quantile, %</text>')
    parts.append(f'<text x="16" y="{top + side // 2}" text-anchor="middle" '
                 f'transform="rotate(-90 16 {top + side // 2})">waits at or below, %</text>')  # fmt: skip
    for number, each in enumerate(figures):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            f"{left + side * level / 1000:.1f},{top + side * (1 - share):.1f}"
            for level, share in zip(LEVELS, each.below, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = top + 16 + 20 * number
        parts.append(f'<text x="{left + side + 16}" y="{y}" fill="{colour}">{each.name}: {each.kept:.1%}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.calibrate", description="Are promised waits kept?")
    parser.add_argument("--calls", type=int, default=4_000, help="about so many calls in each load shape")
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--oracle-every", type=int, default=60, help="every n-th estimate beside the oracle; 0: none")
    parser.add_argument("--replications", type=int, default=200, help="futures that the oracle simulates")
    parser.add_argument("--plot", type=Path, help="write the calibration plot to FILE.svg")
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args(arguments)

    def told(each: Figures) -> None:
        if not wish.json:
            print(line(each), flush=True)

    if not wish.json:
        print(f"seed {wish.seed}, about {wish.calls} calls each; the oracle has {wish.replications} futures")
        print(HEAD)
    figures = calibration.calibrate(
        wish.seed, wish.calls, oracle_every=wish.oracle_every, replications=wish.replications, told=told
    )
    told(figures[-1])
    if wish.json:
        print(json.dumps({"seed": wish.seed, "calls": wish.calls, "shapes": msgspec.to_builtins(figures)}))
    if wish.plot is not None:
        wish.plot.write_text(plot(figures), "utf-8")
        print(f"drawn: {wish.plot}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
