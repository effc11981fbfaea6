"""`ask`: several values from one sentence, as the steps that it stands for.

    ask ──> one gather for each slot that is still missing ──> asked (is it all right?)
Nobody writes the steps that follow an `ask`; each slot's options are those of a gather.
"""

from __future__ import annotations

import msgspec

from engine import marks
from engine.dialplan import types, values
from engine.dialplan.drafts import DraftStep
from engine.dialplan.findings import Report
from engine.dialplan.verbs.declared_listen import ASKED
from engine.dialplan.verbs.table import VERBS

SLOTS_MAX = 8
# what a slot takes from its ask, unless it says otherwise
SHARED = (
    "listen", "no_match", "no_input", "invalid", "timeout", "inter_digit", "barge_in", "accept", "sure", "person",
)  # fmt: skip
OF_ASKED = (
    "listen", "confirm", "heard", "no_match", "timeout", "barge_in", "accept", "sure", "person", "help", "tries",
    "grammar",
)  # fmt: skip
_NEVER = ("into", "missing", "listen", "type_ahead")


def following(report: Report, step: DraftStep) -> list[DraftStep]:
    """The steps behind an `ask`. Its `slots` become names alone."""
    if step.verb.name != "ask":
        return []
    failed = step.outs.get("failed")
    if failed is not None and failed.inline:
        message = "several questions fail here: name the flow that follows"
        report.add("RD023", failed.node, message, "write failed: FLOW")
    slots = values.mapping(report, step.options.get("slots"), "slots")
    found: list[DraftStep] = []
    for key, node in slots or ():
        form = values.mapping(report, node, f"the slot {key.text}")
        if types.WORD.fullmatch(key.text) is None or form is None:
            if form is not None:
                report.add("RD027", key, f"{key.text!r} is not a name for a variable", "a small letter first")
            continue
        gather = VERBS["gather"]
        values.known_keys(report, form, f"the slot {key.text}", [each for each in gather.options if each not in _NEVER])
        if "prompt" not in form.entries:
            message = f"who leaves {key.text} out is never asked for it"
            report.add("RD285", key, message, "add prompt: below it")
        options: dict[str, marks.Node] = {name: step.options[name] for name in SHARED if name in step.options}
        options |= {name: value for name, value in form.entries.items() if name in gather.options}
        options |= {"into": key, "missing": _yes(key)}
        found.append(DraftStep(gather, form, key, options, dict(step.outs)))
    if slots is not None and not 1 <= len(list(slots)) <= SLOTS_MAX:
        report.add("RD024", slots, f"ask has 1 to {SLOTS_MAX} slots")
    if "confirm" in step.options or "heard" in step.options:
        options = {name: step.options[name] for name in OF_ASKED if name in step.options}
        options["slots"] = step.options["slots"] if slots is not None else step.key
        if "phrases" in step.options:
            options["phrases"] = step.options["phrases"]
        found.append(DraftStep(ASKED, step.node, step.key, options, dict(step.outs)))
        for name in ("confirm", "heard"):  # they speak what is known only behind the questions
            step.options.pop(name, None)
    return found


def _yes(place: marks.Scalar) -> marks.Scalar:
    return msgspec.structs.replace(place, text="yes", style="", lost="")
