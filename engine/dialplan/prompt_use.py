"""Prompts that nothing plays, and recordings whose words are no longer those of the text.

A prompt counts as played when its name stands anywhere in the tenant's files beside its texts: simple, and right for
every verb and file that is yet to come. The engine itself plays stock names, `reason_NAME` and `queue_NAME`.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine import marks
from engine.dialplan import values
from engine.dialplan.catalogue import Catalogue
from engine.dialplan.findings import Report
from engine.dialplan.prompts import AUDIO, WavInfo, literal_parts

RECORDED = "recorded.yaml"  # prompts/<language>/recorded.yaml: name -> {sha256, text}, written by `ringdown prompts`
THOROUGH = ("RD243",)  # codes that only a thorough reading gives
_ENGINE_PLAYS = ("reason_", "queue_", "say-")


def check(
    report: Report,
    files: Mapping[str, object],
    trees: Mapping[str, marks.Node | None],
    catalogue: Catalogue,
    tenant: str,
    home: str,
    *,
    unused: bool = True,
) -> None:
    """Report both for one tenant, or only changed words; `home` is "" or "tenants/NAME/"."""
    folder = f"{home}prompts/"
    texts: dict[str, dict[str, marks.Scalar]] = {}  # language -> name -> the text
    for path, tree in trees.items():
        if path.startswith(folder) and "/" not in path[len(folder) :] and isinstance(tree, marks.Mapping):
            held = {key.text: value for key, value in tree if isinstance(value, marks.Scalar)}
            texts[path[len(folder) : -5]] = held
            for key in tree.keys.values() if unused else ():
                _unused(report, catalogue, key, key.text, trees, tenant, home)
    for path in files if unused else ():
        stem = path.rpartition(".")[0] if path.endswith(AUDIO) else ""
        language, _, name = stem[len(folder) :].partition("/")
        if not stem.startswith(folder) or not name or language == "wideband":
            continue
        if not any(name.partition("#")[0] in held for held in texts.values()):
            _unused(report, catalogue, path, name, trees, tenant, home)
    for language, held in texts.items():
        _changed(report, files, trees.get(f"{folder}{language}/{RECORDED}"), f"{folder}{language}/", held)


def _unused(
    report: Report,
    catalogue: Catalogue,
    place: marks.Scalar | str,
    name: str,
    trees: Mapping[str, marks.Node | None],
    tenant: str,
    home: str,
) -> None:
    if name.startswith(_ENGINE_PLAYS) or name in catalogue.stock_names or (tenant, name) in catalogue.lent:
        return
    if name in _words(catalogue, trees, tenant, home):
        return
    message, hint = f"nothing plays the prompt {name!r}", "remove it, or play it"
    if isinstance(place, str):
        report.put("RD243", place, 1, 1, message, hint)
    else:
        report.add("RD243", place, message, hint)


def _words(catalogue: Catalogue, trees: Mapping[str, marks.Node | None], tenant: str, home: str) -> dict[str, None]:
    """Every value that stands in the tenant's files; of the platform's prompts every tenant may make use."""
    known = catalogue.words.get(tenant)
    if known is not None:
        return known
    found: dict[str, None] = {}
    todo: list[marks.Node] = []
    for path, tree in trees.items():
        if path.startswith(home) and "prompts/" not in path and tree is not None:
            todo.append(tree)
    while todo:
        node = todo.pop()
        if isinstance(node, marks.Scalar):
            found[node.text] = None
        elif isinstance(node, marks.Sequence):
            todo.extend(node.items)
        else:
            todo.extend(node.entries.values())
    catalogue.words[tenant] = found
    return found


def _changed(
    report: Report,
    files: Mapping[str, object],
    recorded: marks.Node | None,
    folder: str,
    texts: Mapping[str, marks.Scalar],
) -> None:
    """Recordings that are still those that were accepted, under a text that isn't."""
    if not isinstance(recorded, marks.Mapping):
        return
    words = {
        clip: (node, said) for name, node in texts.items() for clip, said in literal_parts(name, node.text).items()
    }
    infos = {path.rpartition(".")[0]: info for path, info in files.items() if isinstance(info, WavInfo)}
    for key, entry in recorded:
        info, now = infos.get(folder + key.text), words.get(key.text)
        said = values.field(entry, "text")
        if info is None or now is None or info.sha256 != values.field(entry, "sha256") or said in ("", now[1]):
            continue
        message = f"{key.text!r} was recorded with other words: {said!r}"
        report.add("RD092", now[0], message, "record it again, or if it fits: ringdown prompts accept")

