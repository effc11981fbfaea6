"""What hours, split and repeat need beyond their options. Arguments as in `finish_decide`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.dialplan import options, types
from engine.dialplan.drafts import Draft, DraftStep
from engine.dialplan.verbs.choose import WHOLE

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker

_SHARE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%")


def _split(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    """`ways`: [upper bound of the draw, outcome], in their order."""
    ways: list[list[Any]] = []
    total = 0
    for number, branch in enumerate(step.branches, 1):
        word = branch.condition
        out = "else" if word is None else word.text if word.text not in outs else f"{word.text} ({number})"
        outs[out] = linker.resolve(branch.target, home, prefix, again=False)
        if word is None:
            if total == WHOLE:
                linker.report.add("RD125", step.key, "nobody is left for else: the shares are 100%", "remove else:")
            continue
        match = _SHARE.fullmatch(word.text)
        share = int(match.group(1)) * 100 + int((match.group(2) or "0").ljust(2, "0")) if match is not None else 0
        if not 0 < share <= WHOLE:
            message = f"{word.text!r} is no share; it lies above 0% and at most at 100%, as in 12.5%"
            linker.report.add("RD125", word, message)
            continue
        total += share
        if total > WHOLE:
            message = f"with this share it is {total / 100:g}%, more than all callers"
            linker.report.add("RD125", word, message, "who is in no share goes on to else:, or to the next step")
        ways.append([total, out])
    data["ways"] = ways
    data["rest"] = total < WHOLE


def _repeat(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    """Counting and leaving are the business of the step that ends its list."""
    data.clear()


def _round(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    """What is known behind the list when `until` alone leads there."""
    if "until" in data and "exhausted" in outs:
        result = options.compiled(linker.context, step.options["until"], types.FLAG, "until")
        if result is not None:
            info.knows["until"] = result.knows


FINISH = {"split": _split, "repeat": _repeat, "round": _round}
