"""The names that a site's files hold, per tenant, as far as they can be read: for editors, while somebody types.

The reader (`reader.read_site`) gives no site while anything is wrong; an editor needs the names exactly then. So this
looks only at keys, resolves nothing and reports nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from engine import marks
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.prompts import TONES, StockPrompt

KEYED = ("calendars", "lookups", "surveys")  # files NAME.yaml that hold named things


class PlanNames(msgspec.Struct):
    """One dialplan: `variables` name -> type as written."""

    flows: list[str] = []
    waits: list[str] = []
    variables: dict[str, str] = {}


class Names(msgspec.Struct):
    """One tenant. `home`: its folder, "" or "tenants/NAME/". `prompts`: name -> language -> text ('' for recordings
    and tones). `agents`: number -> name. `complete` False: a file couldn't be read, so names may be missing."""

    tenant: str
    home: str
    languages: list[str] = []
    queues: list[str] = []
    agents: dict[str, str] = {}
    teams: list[str] = []
    skills: list[str] = []
    plans: dict[str, PlanNames] = {}
    entries: list[str] = []
    prompts: dict[str, dict[str, str]] = {}
    music: list[str] = []
    trunks: list[str] = []
    things: dict[str, list[str]] = {}  # calendars, lookups …: kind -> names
    complete: bool = True


def read(files: Mapping[str, object], stock: Mapping[str, StockPrompt]) -> dict[str, Names]:
    """Tenant -> its names. `files` as the reader gets them; never raises."""
    trees: dict[str, marks.Node | None] = {}
    unreadable: list[str] = []
    for path in sorted(files):
        content = files[path]
        if not path.endswith(".yaml") or not isinstance(content, bytes) or path.endswith("/manifest.yaml"):
            continue
        trees[path], faults = marks.load(content, path)
        if faults:
            unreadable.append(path)
    homes = {ROOT_TENANT: ""}
    for path in files:
        parts = path.split("/")
        if parts[0] == "tenants" and len(parts) > 2:
            homes[parts[1]] = f"tenants/{parts[1]}/"
    site = trees.get("site.yaml")
    found: dict[str, Names] = {}
    for tenant, home in sorted(homes.items()):
        own = site if not home else trees.get(f"{home}tenant.yaml")
        names = Names(tenant, home)
        names.languages = _words(_at(own, "languages")) or _words(_at(site, "languages")) or ["en"]
        names.complete = not any(path.startswith(home) and (home or "/" not in path) for path in unreadable)
        _take(names, files, trees, own)
        _take_stock(names, stock)
        found[tenant] = names
    return found


def _take(names: Names, files: Mapping[str, object], trees: Mapping[str, marks.Node | None], own: object) -> None:
    home = names.home
    names.queues = [*_keys(trees.get(f"{home}queues.yaml")), *_words(_at(_at(own, "borrows"), "queues"))]
    names.entries = _keys(_at(own, "entries"))
    names.trunks = _keys(trees.get("trunks.yaml"))
    names.things = {kind: _keys(trees.get(f"{home}{kind}.yaml")) for kind in KEYED}
    names.things["grammars"] = _keys(_at(trees.get(f"{home}grammars.yaml"), "grammars"))
    for number, agent in _pairs(trees.get(f"{home}agents.yaml")):
        names.agents[number] = _text(_at(agent, "name"))
        _add(names.teams, [_text(_at(agent, "team"))])
        _add(names.skills, _keys(_at(agent, "skills")) or _words(_at(agent, "skills")))
    for path, tree in trees.items():
        folder, _, name = path.rpartition("/")
        if folder == f"{home}dialplans" and not name.endswith((".test.yaml", ".speech.yaml")):
            types = {key: _text(value) for key, value in _pairs(_at(tree, "variables"))}
            names.plans[name[:-5]] = PlanNames(_keys(_at(tree, "flows")), _keys(_at(tree, "waits")), types)
        elif folder == f"{home}prompts":
            for key, value in _pairs(tree):
                names.prompts.setdefault(key, {})[name[:-5]] = _text(value)
    for path in files:
        stem, dot, suffix = path.rpartition(".")
        if not dot or suffix == "yaml":
            continue
        if stem.startswith(f"{home}music/"):
            _add(names.music, [stem[len(home) :]])
        elif stem.startswith(f"{home}prompts/"):
            language, _, name = stem[len(home) + 8 :].partition("/")
            if name and "#" not in name and language in names.languages:
                names.prompts.setdefault(name, {}).setdefault(language, "")


def _take_stock(names: Names, stock: Mapping[str, StockPrompt]) -> None:
    for each in stock.values():
        language, _, name = each.name.partition("/")
        if language == "music":
            _add(names.music, [each.name])
        elif language in names.languages:
            names.prompts.setdefault(name, {}).setdefault(language, each.text)
    names.prompts.update({tone: {} for tone in TONES})
    _add(names.music, ["music/default"])


def _at(node: object, key: str) -> marks.Node | None:
    return node.entries.get(key) if isinstance(node, marks.Mapping) else None


def _pairs(node: object) -> Iterable[tuple[str, marks.Node]]:
    return [(key.text, value) for key, value in node] if isinstance(node, marks.Mapping) else []


def _keys(node: object) -> list[str]:
    return [key for key, _ in _pairs(node)]


def _text(node: object) -> str:
    return node.text if isinstance(node, marks.Scalar) else ""


def _words(node: object) -> list[str]:
    items = node.items if isinstance(node, marks.Sequence) else [node]
    return [each.text for each in items if isinstance(each, marks.Scalar)]


def _add(into: list[str], more: Iterable[str]) -> None:
    into.extend(each for each in more if each and each not in into)
