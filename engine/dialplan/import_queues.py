"""Asterisk's queues.conf -> queues and agents: strategy, members, penalties as levels, and what has a counterpart."""

from __future__ import annotations

import re

from engine.dialplan import import_conf, strategies
from engine.dialplan.import_conf import Line
from engine.dialplan.imported import Imported, name_of

_TECHNOLOGY = re.compile(r"(?:SIP|PJSIP|IAX2|SCCP|Local)/([^@/,]+)", re.IGNORECASE)
_SECONDS = {"timeout": "ring", "wrapuptime": "wrap_up", "announce-frequency": "position"}
# what is so here anyway, with the value that says it
_AS_ALWAYS = {
    "autofill": "yes", "ringinuse": "no", "autopause": "no", "persistentmembers": "yes", "eventwhencalled": None,
    "eventmemberstatus": None, "setinterfacevar": None, "setqueuevar": None, "setqueueentryvar": None, "retry": None,
    "announce-holdtime": "no", "announce-position": "no", "shared_lastcall": "yes", "monitor-type": None,
    "timeoutrestart": None, "reportholdtime": "no", "timeoutpriority": "app",
}  # fmt: skip
PRESENCE = {  # its words -> ours
    "joinempty": ("join_empty", {"yes": "yes", "no": "no", "strict": "no", "loose": "no"}),
    "leavewhenempty": ("leave_when_empty", {"yes": "yes", "no": "no", "strict": "yes", "loose": "yes"}),
}
first_number = 200  # for members that have none


def is_queues(text: str) -> bool:
    """Does the text look like a queues.conf?"""
    found = [line.key for section in import_conf.read(text) for line in section.lines]
    return any(key in ("strategy", "member", "wrapuptime") for key in found) and "exten" not in found


def add(site: Imported, file: str, text: str) -> None:
    """Take a queues.conf into the site."""
    templates: dict[str, list[Line]] = {}
    for section in import_conf.read(text):
        if section.name in ("", "general"):
            for line in section.lines:
                _unknown(site, file, line)
            continue
        inherited = [
            line for name in section.template.split(",") for line in templates.get(name.strip().rstrip("!"), [])
        ]
        lines = [*inherited, *section.lines]
        templates[section.name] = lines
        if "!" not in section.template:
            queue = name_of(section.name)
            site.queues.setdefault(queue, {})
            for line in lines:
                _line(site, file, queue, line)


def _line(site: Imported, file: str, queue: str, line: Line) -> None:
    keys, value = site.queues[queue], line.value
    whole = value.isascii() and value.isdigit()
    if line.key == "member":
        _agent(site, file, queue, line)
    elif line.key == "strategy":
        if value.lower() in strategies.NAMES:
            keys["strategy"] = value.lower()
        else:
            site.note(file, line.number, f"strategy = {value}", "no such strategy here; longest-idle-agent is used")
    elif line.key in _SECONDS and whole:
        if int(value) and not (line.key == "announce-frequency" and int(value) < 5):
            keys[_SECONDS[line.key]] = f"{min(int(value), 180 if line.key == 'timeout' else 3_600)}s"
    elif line.key == "maxlen" and whole:
        keys.update({"length": int(value)} if int(value) else {})
    elif line.key == "weight" and whole:
        keys["weight"] = int(value)
    elif line.key == "servicelevel" and whole and int(value):
        keys["service_level"] = f"80% in {int(value)}s"
        site.note(file, line.number, f"servicelevel = {value}", "the share was not said there; 80% is assumed")
    elif line.key in PRESENCE and value.lower() in PRESENCE[line.key][1]:
        own, words = PRESENCE[line.key]
        keys[own] = words[value.lower()]
    elif line.key in ("musicclass", "musiconhold") and value.lower() == "default":
        keys["music"] = "default"
    else:
        _unknown(site, file, line)


def _unknown(site: Imported, file: str, line: Line) -> None:
    expected = _AS_ALWAYS.get(line.key, "")
    if expected is None or (expected and line.value.lower() == expected):
        return
    text = f"{line.key} = {line.value}" if line.key else line.value
    site.note(file, line.number, text, "no counterpart that could be converted")


def _agent(site: Imported, file: str, queue: str, line: Line) -> None:
    parts = import_conf.arguments(line.value)
    number = agent_of(site, file, line.number, parts[0])
    if not number:
        return
    penalty = parts[1] if len(parts) > 1 else ""
    level = int(penalty) + 1 if penalty.isascii() and penalty.isdigit() else 1
    name, queues = site.agents[number]
    said = parts[2] if len(parts) > 2 and parts[2] else name
    site.agents[number] = (said, {**queues, queue: min(level, 100)})


def agent_of(site: Imported, file: str, line: int, interface: str) -> str:
    """The agent's number behind `SIP/201`; '' after a note when there is none."""
    found = _TECHNOLOGY.fullmatch(interface.split("@")[0].strip())
    if found is None:
        site.note(file, line, interface, "not a phone that could be an agent's")
        return ""
    word = found[1]
    if word.isascii() and word.isdigit():
        site.agents.setdefault(word, (word, {}))
        return word
    for number, (name, _) in site.agents.items():
        if name == word:
            return number
    free = first_number
    while str(free) in site.agents or str(free) in site.numbers:
        free += 1
    site.agents[str(free)] = (word, {})
    site.note(file, line, interface, f"an agent has a number here: {free} was chosen")
    return str(free)
