"""What lookups need beyond their options: the lookup found, what it sends known here, what it fills.

Each function gets (linker, step as drafted, its file's draft, name prefix, data, outs, info), see `linker.Linker.step`,
and completes `data`, `outs` and `info` in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import marks
from engine.dialplan import lookups
from engine.dialplan.drafts import Draft, DraftStep
from engine.dialplan.findings import did_you_mean

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker
    from engine.dialplan.lookups import LookupModel


def declare_fields(linker: Linker) -> None:
    """What the tenant's lookups return can be read in every dialplan; the check says where it is known."""
    for model, _ in linker.scope.lookups.values():
        for field in model.fields:
            linker.context.declare(field.name, lookups.declared(field))


def attach(linker: Linker, model: LookupModel, node: marks.Node, data: dict[str, Any]) -> None:
    """Make `data` name the lookup: `lookup`, `sends`, `fields`, `timeout`; findings at `node` about what it sends."""
    context = linker.context
    in_address = [name for kind, name in model.url if kind == lookups.VALUE]
    if model.method == "GET":
        in_address += [name for parts in model.send.values() for kind, name in parts if kind == lookups.VALUE]
    sends_secret = False
    for name in lookups.names(model):
        declared = context.declared.get(name)
        if declared is not None:
            context.read(name, node)
            sends_secret = sends_secret or declared.sensitive
            if declared.sensitive and name in in_address:
                hint = f"send it in the body: post: … with send: {{{name}: ${name}}} in lookups.yaml"
                message = f"the lookup {model.name} puts the sensitive ${name} into its address, which servers log"
                linker.report.add("RD142", node, message, hint)
        elif name in context.facts:
            context.want(name)
        else:
            hint = did_you_mean(name, [*context.types, *context.facts], otherwise="declare it under variables:")
            linker.report.add("RD034", node, f"the lookup {model.name} sends ${name}, which is not declared", hint)
    if sends_secret and model.cache_ms:
        hint = "remove cache: from it in lookups.yaml"
        linker.report.add("RD144", node, f"the lookup {model.name} sends a secret, and its answer would be kept", hint)
    data["lookup"] = model.key
    data["sends"] = lookups.names(model)
    data["timeout"] = model.timeout_ms
    data["fields"] = [[field.name, field.sensitive, lookups.declared(field).default] for field in model.fields]
    context.writes.extend(field.name for field in model.fields)


def _lookup(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    name = data.pop("name", None)
    if name is not None:
        attach(linker, linker.scope.lookups[name][0], step.options["name"], data)


FINISH = {"lookup": _lookup}
