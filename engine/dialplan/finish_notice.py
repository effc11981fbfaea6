"""What the verb notice needs beyond its name: a prompt of the same name where there is one, and the operators' word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import marks
from engine.dialplan import options, values
from engine.dialplan.drafts import Draft, DraftStep
from engine.dialplan.options import Context
from engine.dialplan.verbs.shape import PROMPT, Option

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker


def notice(context: Context, node: marks.Node, option: Option, what: str) -> str | None:
    """The full name of a notice. It is declared by being used; whether it is on is asked at each turn."""
    name = values.name(context.report, node, "a notice")
    if name is None:
        return None
    full = f"{context.scope.tenant}/{name}"
    context.wants[f"notice:{full}"] = None
    return full


def _notice(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    """Without a prompt it can only be switched on with words or a recording."""
    name = str(data.get("name", "")).rpartition("/")[2]
    catalogue, tenant = linker.scope.catalogue, linker.scope.tenant
    if name and any(catalogue.find(tenant, each, name) is not None for each in linker.context.languages):
        data["prompt"] = options.prompt(linker.context, step.options["name"], PROMPT, "notice")


RULES: dict[str, options.Rule] = {"notice": notice}
FINISH = {"notice": _notice}
