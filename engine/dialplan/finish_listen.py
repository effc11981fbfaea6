"""What menus and gathers need beyond their options: defaults, keys that clash, lengths that fit.

Each function gets (linker, step as drafted, its file's draft, name prefix, data, outs, info), see `linker.Linker.step`,
and completes `data`, `outs` and `info` in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import limits
from engine.dialplan import finish_data, keyed, lookups, patterns, spoken, types
from engine.dialplan.drafts import Draft, DraftStep

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker

TIMEOUT_MS, INTER_DIGIT_MS, TRIES = 5_000, 3_000, 3


def listening(linker: Linker, data: dict[str, Any]) -> None:
    data.setdefault("timeout", TIMEOUT_MS)
    data.setdefault("inter_digit", INTER_DIGIT_MS)
    data.setdefault("tries", TRIES)
    if "invalid" not in data:
        catalogue, tenant = linker.scope.catalogue, linker.scope.tenant
        spoken = {each: catalogue.find(tenant, each, "invalid_choice") for each in linker.context.languages}
        data["invalid"] = {each: list(found.parts) if found else [] for each, found in spoken.items()}


def _menu(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    listening(linker, data)
    pressed = {key: node for key, (node, _) in step.choices.items()}
    for key, (_, target) in step.choices.items():
        outs[key] = linker.resolve(target, home, prefix, again=True)
    if "confirm" in data and linker.exits is not None:
        message = "a menu of a wait list asks no questions back"
        linker.report.add("RD060", step.options["confirm"], message, "remove confirm:, or let the word leave the queue")
    if "choices" in step.options and not step.choices and not linker.draft.broken:
        linker.report.add("RD022", step.key, "a menu without choices", "add a key below choices:")
    always = linker.always if linker.exits is None else {}  # waiting callers have the wait list's keys
    codes = dict.fromkeys([*pressed, *always])
    for code in codes:
        for longer in codes:
            if longer != code and longer.startswith(code):
                place = pressed.get(longer) or pressed.get(code) or step.key
                message = f"{longer} begins with {code}, which is a choice of its own"
                linker.report.add("RD061", place, message, "use keys of one length, or begin the longer with another")
    data["always"] = [key for key in always if key not in pressed]
    data["prefixes"] = sorted({key[:end] for key in codes for end in range(1, len(key))})
    spoken.menu(linker, step, home, prefix, data, outs)


def _gather(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    listening(linker, data)
    name = data.get("into")
    declared = linker.context.declared.get(name) if name else None
    kind = declared.type if declared else types.DIGITS
    node = step.options.get("into", step.key)
    if kind.kind not in ("digits", "number", "phone", "text") and not data.get("listen"):
        message = f"digits cannot go into {name!r}, a {kind}"
        linker.report.add("RD074", node, message, "declare it as digits or number")
    form = data.setdefault("keyed", keyed.DATE_FORM) if kind.kind == "date" else data.pop("keyed", "")
    low, high = keyed.lengths(kind, form)
    low, high = low or kind.low or 1, high or kind.high or (15 if kind.kind == "number" else types.digits_max)
    if "exact" in data:
        if "min" in data or "max" in data:
            linker.report.add("RD075", step.options["exact"], "exact beside min or max", "write exact alone")
        asked = (data["exact"], data["exact"])
    else:
        asked = (data.get("min", low), data.get("max", max(high, data.get("min", 0)) if not kind.high else high))
    if asked[0] > asked[1]:
        linker.report.add("RD075", step.options.get("min", node), f"at least {asked[0]} and at most {asked[1]} digits")
    elif kind.high and (asked[0] < low or asked[1] > high):
        message = f"{asked[0]} to {asked[1]} digits don't fit {name!r}, declared as {kind}"
        linker.report.add("RD075", step.options.get("exact") or step.options.get("max") or node, message)
    data["min"], data["max"] = asked
    data.pop("exact", None)
    data.setdefault("terminator", "#")
    data["sensitive"] = bool(declared and declared.sensitive)
    data["number"] = kind.kind == "number"
    data["always"] = list(linker.always)
    if kind.kind not in ("digits", "number", "phone", "text"):
        data["kind"] = [kind.kind, *kind.words]
        linker.context.want(spoken.today)
    source = data.pop("one_of", "")
    if source and kind != types.TEXT:
        message = f"an entry of a list can't go into {name!r}, a {kind}"
        linker.report.add("RD292", node, message, "declare it as text")
    elif source and name:
        data["lists"], data["min"], data["max"] = {name: source}, 1, len(str(limits.spoken_list_entries_max))
    spoken.gather(linker, step, home, prefix, data, kind)
    _fits_pattern(linker, step, data, asked)
    asked_back = any(reads(data.get(each), name) for each in ("confirm", "heard")) if name else False
    if name and asked_back and not any(reads(data.get(each), name) for each in _BEFORE):
        # the question speaks what has just been typed
        linker.context.reads = [row for row in linker.context.reads if row[0] != name]


_BEFORE = ("prompt", "again", "invalid", "no_input", "wrong", "no_match", "rephrased", "by_keys", "help")


def reads(prompt: dict[str, Any] | None, name: str) -> bool:
    """Does a linked prompt speak this variable?"""
    return any(isinstance(part, list) and part[1] == name for parts in (prompt or {}).values() for part in parts)


def _fits_pattern(linker: Linker, step: DraftStep, data: dict[str, Any], asked: tuple[int, int]) -> None:
    text = data.get("regex")
    if text is None:
        return
    possible = patterns.lengths(patterns.read(text), types.digits_max)
    if not any(asked[0] <= length <= asked[1] for length in possible):
        message = f"nothing of {asked[0]} to {asked[1]} digits matches {text}"
        linker.report.add("RD075", step.options["regex"], message, "make min and max, or the pattern, fit")


def _pin(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    _gather(linker, step, home, prefix, data, outs, info)
    data.setdefault("wrong", data["invalid"])
    declared = linker.context.declared.get(data.get("into", ""))
    node = step.options.get("into", step.key)
    if declared is not None and (not declared.sensitive or declared.type.kind != "digits"):
        message = f"{data['into']!r} is a {declared.type}{' sensitive' if declared.sensitive else ''}"
        hint = f"declare it as {data['into']}: digits 4 sensitive, so that it is masked and sealed"
        linker.report.add("RD146", node, message, hint)
    found = linker.scope.lookups.get(data.pop("verify", ""))
    if found is None:
        return
    model = found[0]
    verdict = f"{model.name}.ok"
    if not any(field.name == verdict and field.type == "flag" for field in model.fields):
        message = f"the lookup {model.name} returns no flag named ok"
        linker.report.add("RD145", step.options["verify"], message, "add in lookups.yaml: returns: {ok: flag = no}")
    if data.get("into") not in lookups.names(model):
        message = f"the lookup {model.name} doesn't send ${data.get('into')}"
        linker.report.add("RD145", step.options["verify"], message, f"add send: {{pin: ${data.get('into')}}} to it")
    reads_before = list(linker.context.reads)
    finish_data.attach(linker, model, step.options["verify"], data)
    added = linker.context.reads[len(reads_before) :]
    linker.context.reads = reads_before + [row for row in added if row[0] != data.get("into")]
    data["verdict"] = verdict


def _ask(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    listening(linker, data)
    data["always"] = list(linker.always)
    spoken.sentence(linker, step, home, prefix, data)


FINISH = {"ask": _ask, "asked": _ask, "menu": _menu, "gather": _gather, "pin": _pin}
