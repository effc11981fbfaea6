"""`codecs:` of site.yaml, and of a trunk in trunks.yaml: what is offered and taken, in the order of preference."""

from __future__ import annotations

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report

NAMES = ("PCMU", "PCMA", "G722", "L16", "L16/16000")  # L16: 16-bit samples at 8 kHz unless it says 16000
EVERYBODY = ("PCMU", "PCMA")


def read(report: Report, node: marks.Node | None) -> tuple[str, ...]:
    """The codecs that are listed, each once; () without `codecs:`."""
    listed = values.scalars(report, node, "codecs")
    found = [values.choice(report, each, "codecs", NAMES) for each in listed]
    known = tuple(dict.fromkeys(name for name in found if name is not None))
    if node is not None and len(known) == len(found) and not set(known) & set(EVERYBODY):
        hint = f"add {' or '.join(EVERYBODY)} at the end"
        report.add("RD352", listed[0] if listed else node, "codecs without G.711, which alone everybody speaks", hint)
    return known
