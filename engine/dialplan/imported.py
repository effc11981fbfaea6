"""What an importer makes of another engine's files: flows, queues and agents as plain data, and the site's YAML.

An importer never guesses: what it doesn't understand is listed with file and line, and the call goes on with the next
step. Every key of every menu gets a test, so that what was converted can be played at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from engine.dialplan.verbs.table import VERBS

Step = str | dict[str, Any]  # a bare verb, or {verb: value}
TRIES = 3
BYE = "bye"
_PLAIN = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9_+./-]*")
_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.'?!-]*[A-Za-z0-9.?!]")
_KEYS = {"*": "star", "#": "hash"}


class NotUnderstood(msgspec.Struct, frozen=True):
    """One thing that was left out or changed; lines count from 1."""

    file: str
    line: int
    text: str
    why: str


class Imported(msgspec.Struct):
    """A site in the making. `numbers`: dialled number -> flow; `prompts`: name -> text; `agents`: number -> (name,
    {queue: level}); `queues`: name -> its keys."""

    about: str
    flows: dict[str, list[Step]] = {}
    numbers: dict[str, str] = {}
    prompts: dict[str, str] = {}
    variables: dict[str, str] = {}
    queues: dict[str, dict[str, Any]] = {}
    calendars: dict[str, dict[str, Any]] = {}
    agents: dict[str, tuple[str, dict[str, int]]] = {}
    notes: list[NotUnderstood] = []

    def note(self, file: str, line: int, text: str, why: str) -> None:
        """List something that isn't as it was."""
        made = NotUnderstood(file, line, " ".join(text.split())[:120], why)
        if made not in self.notes:  # a line that two flows share is converted twice
            self.notes.append(made)


def name_of(text: str, taken: dict[str, Any] | None = None) -> str:
    """A name as our files have it; with a number behind it when it is taken."""
    word = re.sub(r"[^a-z0-9-]+", "_", "".join(_KEYS.get(each, each) for each in text.lower())).strip("_-")
    word = word if word[:1].isalpha() else f"x_{word}".rstrip("_")
    word = "x_" + word if word in ("again", "continue") else word[:60]
    number, found = 2, word
    while taken is not None and found in taken:
        found, number = f"{word}_{number}", number + 1
    return found


def key_word(key: str) -> str:
    """A key of the phone as a test presses it and as YAML can hold it."""
    return _KEYS.get(key, key)


# --- the way through -----------------------------------------------------------------------------------------
def targets(step: Step) -> Iterator[str]:
    """Flows that a step leads to."""
    if isinstance(step, str):
        return
    verb, value = next(iter(step.items()))
    if verb in ("goto", "subflow"):
        yield value
    if isinstance(value, dict):
        outcomes = VERBS[verb].outcomes if verb in VERBS else {}
        yield from (each for name, each in value.items() if name in outcomes and each not in ("again", "continue"))
        for held in value.get("choices", {}).values():
            for each in [held] if isinstance(held, str) else held:
                if isinstance(each, str) and each not in ("again", "continue"):
                    yield each
                elif isinstance(each, dict):
                    yield from targets(each)


def finish(site: Imported) -> None:
    """Every flow ends, entries answer, and what nothing leads to is dropped."""
    if any(BYE in targets(step) for steps in site.flows.values() for step in steps) and BYE not in site.flows:
        site.flows[BYE] = [{"play": "goodbye"}, {"hangup": "abandoned"}]
    for flow, steps in site.flows.items():
        last = steps[-1] if steps else "answer"
        verb = last if isinstance(last, str) else next(iter(last))
        if verb != "menu" and (verb not in VERBS or not VERBS[verb].ends):
            steps.append({"hangup": "served"})
        if flow in site.numbers.values() and steps[0] != "answer":
            steps.insert(0, "answer")
    for number in [each for each in site.numbers if each in site.agents]:
        site.note("", 0, number, "is an agent's number too, whose phone rings: what else it led to was left out")
        del site.numbers[number]
    reached: dict[str, None] = {}
    todo = list(dict.fromkeys(site.numbers.values()))
    while todo:
        flow = todo.pop()
        if flow not in reached and flow in site.flows:
            reached[flow] = None
            todo.extend(each for step in site.flows[flow] for each in targets(step))
    site.flows = {flow: steps for flow, steps in site.flows.items() if flow in reached}


class MenuKey(msgspec.Struct, frozen=True):
    """One key of one menu: how to get there from a number, and the flow that it leads to."""

    number: str
    path: tuple[str, ...]  # keys before
    menu: str
    key: str
    target: str


def menu_keys(site: Imported) -> list[MenuKey]:
    """Every menu key that can be reached by pressing keys alone, each once."""
    found: dict[tuple[str, str], MenuKey] = {}
    todo: list[tuple[str, tuple[str, ...], str]] = [(number, (), flow) for number, flow in site.numbers.items()]
    seen: dict[str, None] = {}
    while todo:
        number, path, flow = todo.pop(0)
        if flow in seen:
            continue
        seen[flow] = None
        for step in site.flows.get(flow, ()):
            if isinstance(step, str):
                continue
            verb, value = next(iter(step.items()))
            if verb == "goto":
                todo.append((number, path, value))
            if verb == "menu":
                for key, held in value["choices"].items():
                    inner = [] if isinstance(held, str) else [each for part in held for each in targets(part)]
                    target = held if isinstance(held, str) else inner[0] if inner else ""
                    if target and target not in ("again", "continue"):
                        found.setdefault((flow, key), MenuKey(number, path, flow, key, target))
                        todo.append((number, (*path, key), target))
            if verb in ("menu", "queue", "dial", "gather", "hangup"):
                break
    return list(found.values())


# --- files -----------------------------------------------------------------------------------------------------
def files(site: Imported, source: str) -> dict[str, str]:
    """Path -> text of the whole site. Call `finish` first."""
    entry = next(iter(site.numbers.values()), "")
    plan: dict[str, Any] = {"ringdown": 1, "about": site.about}
    plan |= {"entry": entry} if entry and entry != "main" else {}
    plan |= {"variables": site.variables} if site.variables else {}
    plan["flows"] = site.flows
    made = {
        "site.yaml": written({
            "ringdown": 1, "about": site.about, "languages": ["en"],
            "numbers": {
                number: {"dialplan": "main", "entry": flow, "public": "yes"} for number, flow in site.numbers.items()
            },
        }),
        "dialplans/main.yaml": written(plan),
    }  # fmt: skip
    if site.queues:
        made["queues.yaml"] = written(site.queues)
    if site.calendars:
        made["calendars.yaml"] = written(site.calendars)
    if site.agents:
        agents = {
            number: {"name": name, **({"queues": queues} if queues else {})}
            for number, (name, queues) in site.agents.items()
        }
        made["agents.yaml"] = written(agents)
    if site.prompts:
        made["prompts/en.yaml"] = written(site.prompts)
    keys = menu_keys(site)
    if keys:
        made["dialplans/main.test.yaml"] = _tests(keys)
    head = f"# Imported from {source}. What was not understood is listed in IMPORTED.md.\n"
    made = {path: head + text for path, text in made.items()}
    made["IMPORTED.md"] = _report(site, source)
    return made


def _tests(keys: list[MenuKey]) -> str:
    tests: dict[str, Any] = {}
    for each in keys:
        pressed = [{"press": key_word(key)} for key in (*each.path, each.key)]
        name = f"{each.menu} key {key_word(each.key)} leads to {each.target}"
        tests[name] = [{"given": {"dialled": each.number}}, *pressed, {"flow": each.target}]
    return written({"ringdown": 1, "tests": tests})


def place_of(note: NotUnderstood) -> str:
    """`file:line: text`; only the text where it belongs to no line."""
    return f"{note.file}:{note.line}: {note.text}" if note.line else note.text


def _report(site: Imported, source: str) -> str:
    lines = [f"# Imported from {source}", "", f"{len(site.flows)} flows, {len(site.queues)} queues, "
             f"{len(site.agents)} agents, {len(menu_keys(site))} menu keys with a test each.", ""]  # fmt: skip
    if site.prompts:
        lines += ["Put your recordings beside the texts by name, as `prompts/en/NAME.wav`, and write what they say",
                  "into `prompts/en.yaml`.", ""]  # fmt: skip
    lines += ["Numbers are `public`, so that they can be dialled and tested at once; take that away when trunks.yaml",
              "brings your calls.", ""]  # fmt: skip
    lines += ["## Not understood, or changed", ""] if site.notes else ["Everything was understood."]
    lines += [f"- `{place_of(note)}`: {note.why}" for note in site.notes]
    return "\n".join(lines) + "\n"


def written(value: Any) -> str:
    """Plain data as YAML of our subset: no anchors, brackets at most two deep, everything doubtful quoted."""
    return "\n".join(_lines(value, 0)) + "\n"


def _lines(value: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(value, dict):
        found: list[str] = []
        for key, each in value.items():
            head = f"{pad}{_scalar(key_word(str(key)))}:"
            flat = _flat(each)
            found += [f"{head} {flat}"] if flat is not None else [head, *_lines(each, depth + 1)]
        return found
    found = []
    for each in value:
        flat = _flat(each)
        inner = [f"{pad}  {flat}"] if flat is not None else _lines(each, depth + 1)
        found += [f"{pad}- {inner[0].lstrip()}", *inner[1:]]
    return found


def _flat(value: Any) -> str | None:
    """On one line, where that is readable; None for what is written as a block."""
    if isinstance(value, dict):
        return "{}" if not value else None
    if isinstance(value, list):
        if all(isinstance(each, str | int) for each in value) and len(value) < 8:
            return "[" + ", ".join(_scalar(each) for each in value) + "]"
        return None
    return _scalar(value)


def _scalar(value: Any) -> str:
    text = str(value)
    if _PLAIN.fullmatch(text) or _WORDS.fullmatch(text):
        return text
    return "'" + text.replace("'", "''") + "'"
