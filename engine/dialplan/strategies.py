"""The names of strategies as an admin may write them, and what he hears when he wrote another."""

from __future__ import annotations

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean

NAMES = (  # those that the distributor has, by all their names (a test compares the two)
    "longest-idle-agent", "ring-all", "leastrecent", "fewestcalls", "agent-with-least-talk-time", "random", "wrandom",
    "round-robin", "linear", "top-down", "sequentially-by-agent-order", "ring-progressively",
    "ringall", "agent-with-fewest-calls", "rrmemory", "rrordered",
    "ucd-mia", "ead-mia", "ucd-loa", "ead-loa", "uniform-call-distribution", "most-idle", "least-occupied",
    "custom",
)  # fmt: skip
LATER = ("skills",)


def read(report: Report, node: marks.Node | None) -> str | None:
    found = values.scalar(report, node, "strategy")
    if found is None or found.text in NAMES:
        return found.text if found is not None else None
    if found.text in LATER:
        message = f"the strategy {found.text!r} is not built yet in this version"
        report.add("RD026", found, message, "built: " + ", ".join(NAMES))
    else:
        hint = did_you_mean(found.text, NAMES, otherwise="known here: " + ", ".join(NAMES))
        report.add("RD081", found, f"no strategy {found.text!r}", hint)
    return None
