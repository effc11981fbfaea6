"""What has changed between two versions of a site, in words of the business, one line for each change.

It is what `ringdown reload` prints before anybody hears it: numbers, menus, queues, agents, prompts; and what no path
uses any more. A table that this module doesn't know by name is compared field by field, so nothing is left unsaid.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.flow_difference import (
    duration,
    instead,
    program_changes,
    prompt_names,
    reached,
    shown,
)
from engine.dialplan.model import AgentModel, NumberModel, PromptModel, Site

SAME = "nothing that a caller or an agent would notice: tests, remarks or the places of lines"
_OWN = ("format", "version", "numbers", "programs", "prompts", "agents", "zones")  # by rules of their own, or derived
_TABLES = {"tenants": "tenant", "queues": "queue", "trunks": "trunk"}
_VERBS = {"ring_ms": "rings", "entries_max": "takes at most", "wait_ms_max": "lets callers wait"}
_NO_WORDS = ("music/", "tone/")
TEXT_LETTERS_MAX = 60


def difference(old: Site, new: Site) -> list[str]:
    """One line for each change from `old` to `new`; [SAME] when only a test or a remark differs, [] for one version."""
    if old.version == new.version:
        return []
    lines = _numbers(old, new)
    for name in dict.fromkeys([*old.programs, *new.programs]):
        told = _short(name)
        if name not in new.programs:
            lines.append(f"the dialplan {told} is gone")
        elif name not in old.programs:
            lines.append(f"new dialplan {told}")
        else:
            where = told if len(new.programs) > 1 and told != "main" else ""
            lines += program_changes(old.programs[name], new.programs[name], where)
    lines += _agents(old.agents, new.agents)
    for field in Site.__struct_fields__:
        if field in _OWN:
            continue
        before, after = getattr(old, field), getattr(new, field)
        if before == after:
            continue
        what = _TABLES.get(field, field.removesuffix("s").replace("_", " "))
        if isinstance(before, dict) and isinstance(after, dict):
            lines += _table(what, before, after)
        else:
            told = instead(_value(field, after), _value(field, before))
            lines.append(f"{field.replace('_', ' ')}: {told}")
    lines += _prompts(old.prompts, new.prompts)
    lines += _unused(old, new)
    return list(dict.fromkeys(lines)) or [SAME]


def _short(name: str) -> str:
    """Names of the root tenant stand alone."""
    return name.removeprefix(f"{ROOT_TENANT}/")


def _numbers(old: Site, new: Site) -> list[str]:
    lines = []
    for number in dict.fromkeys([*old.numbers, *new.numbers]):
        before, after = old.numbers.get(number), new.numbers.get(number)
        if after is None:
            lines.append(f"the number {number} is gone (led to {_leads(before)})")
        elif before is None:
            lines.append(f"new number {number}: leads to {_leads(after)}")
        elif before != after:
            if _leads(before) != _leads(after):
                lines.append(f"the number {number} now leads to {_leads(after)} (was: {_leads(before)})")
            if before.public != after.public:
                who = "everybody" if after.public else "trunks and agents only"
                lines.append(f"the number {number} is now open to {who}")
            if (before.tenant, before.dialplan) == (after.tenant, after.dialplan) and _rest(before) != _rest(after):
                lines.append(f"the number {number}: changed")
    return lines


def _rest(number: NumberModel) -> list[Any]:
    return [getattr(number, name) for name in NumberModel.__struct_fields__ if name not in ("entry", "public")]


def _leads(number: NumberModel | None) -> str:
    if number is None:
        return "nothing"
    return _short(number.dialplan) + (f" at {number.entry}" if number.entry else "")


def _agents(old: dict[str, AgentModel], new: dict[str, AgentModel]) -> list[str]:
    lines = []
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if after is None:
            lines.append(f"the agent {_short(key)} {before.name if before else ''} is gone".replace("  ", " "))
        elif before is None:
            queues = ", ".join(_short(queue) for queue, _, _ in after.queues)
            lines.append(f"new agent {_short(key)} {after.name}" + (f", takes calls of {queues}" if queues else ""))
        elif before != after:
            who = f"agent {_short(key)} {after.name}".rstrip()
            had, has = {q: level for q, level, _ in before.queues}, {q: level for q, level, _ in after.queues}
            for queue in dict.fromkeys([*had, *has]):
                if queue not in has:
                    lines.append(f"{who} takes no calls of {_short(queue)} any more")
                elif queue not in had:
                    lines.append(f"{who} now takes calls of {_short(queue)}")
                elif had[queue] != has[queue]:
                    lines.append(f"{who} has level {has[queue]} instead of {had[queue]} in {_short(queue)}")
            lines += _fields(who, before, after, ("queues",))
    return lines


def _table(what: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    lines = []
    for key in dict.fromkeys([*old, *new]):
        if key not in new:
            lines.append(f"the {what} {_short(key)} is gone")
        elif key not in old:
            lines.append(f"new {what} {_short(key)}")
        elif old[key] != new[key]:
            lines += _fields(f"{what} {_short(key)}", old[key], new[key])
    return lines


def _fields(who: str, old: Any, new: Any, without: tuple[str, ...] = ()) -> list[str]:
    """Structs of one type, field by field; anything else as a whole."""
    if not isinstance(new, msgspec.Struct) or type(old) is not type(new):
        return [f"{who} is now {instead(shown(new), shown(old))}"]
    lines = []
    for name in new.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before == after or name in without:
            continue
        verb = _VERBS.get(name, f"has {name.removesuffix('_ms').replace('_ms_', ' ').replace('_', ' ')}")
        told = instead(_value(name, after), _value(name, before))
        lines.append(f"{who}: {verb.removeprefix('has ')} changed" if told == "changed" else f"{who} {verb} {told}")
    return lines


def _value(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and (name.endswith("_ms") or "_ms_" in name):
        return duration(value)
    if value is None:
        return "nothing"
    text = shown(value)
    return text if len(text) <= TEXT_LETTERS_MAX else ""


def _prompts(old: dict[str, PromptModel], new: dict[str, PromptModel]) -> list[str]:
    lines = []
    for name, after in new.items():
        before = old.get(name)
        if before is None:
            continue
        if before.text != after.text and after.text:
            text = after.text if len(after.text) <= TEXT_LETTERS_MAX else after.text[:TEXT_LETTERS_MAX] + "…"
            spoken = "" if before.sha256 != after.sha256 else ", but its recording is the old one"
            lines.append(f"the prompt {name} now says {text!r}{spoken}")
        elif before.sha256 != after.sha256:
            lines.append(f"the prompt {name} is recorded anew")
    return lines


def _unused(old: Site, new: Site) -> list[str]:
    """What callers could hear or reach before and can't any more."""
    before, after = _uses(old), _uses(new)
    lines = [f"no path uses the prompt {name} any more" for name in before[0] if name not in after[0]]
    for kind, place in (("queue", 1), ("flow", 2)):
        known = after[3] if kind == "flow" else dict.fromkeys(_short(name) for name in new.queues)
        lines += [
            f"no path leads to the {kind} {name} any more"
            for name in before[place]
            if name not in after[place] and name in known
        ]
    return lines


def _uses(site: Site) -> tuple[dict[str, None], dict[str, None], dict[str, None], dict[str, None]]:
    """(prompts, queues, flows that callers reach; all flows there are), in the order in which they are met."""
    texts: dict[str, None] = {}
    flows: dict[str, None] = {}
    for number in site.numbers.values():
        program = site.programs.get(number.dialplan)
        if program is not None:
            lead = "" if _short(program.name) == "main" else f"{_short(program.name)}."
            for flow in reached(program, number.entry, lambda word: texts.setdefault(word)):
                if "#" not in flow:
                    flows[lead + flow] = None
    for queue in site.queues.values():
        for each in (*queue.music, *(clip for clips in queue.announce.values() for clip in clips)):
            texts[each] = None
        for rule in queue.overflow:
            texts[rule.to] = None
    spoken = [word for word in texts if word in site.prompts and not word.rpartition(":")[2].startswith(_NO_WORDS)]
    prompts = dict.fromkeys(name for word in spoken for name in prompt_names([word]))
    queues = dict.fromkeys(_short(word) for word in texts if word in site.queues)
    every = dict.fromkeys(
        ("" if _short(program.name) == "main" else f"{_short(program.name)}.") + flow
        for program in site.programs.values()
        for flow in program.flows
    )
    return prompts, queues, flows, every
