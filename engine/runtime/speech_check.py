"""Are the models that a site names on this machine, and whole? The reader, which opens nothing, can't know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine import marks
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.findings import Finding, Report
from engine.dialplan.model import Site

CODE = "RD324"


def check(files: Mapping[str, object], site: Site) -> list[Finding]:
    """An error, at its place, for each folder that holds no model which could be used."""
    report = Report()
    for name, tenant in site.tenants.items():
        path = "site.yaml" if name == ROOT_TENANT else f"tenants/{name}/tenant.yaml"
        content = files.get(path)
        if not tenant.speech or not isinstance(content, bytes):
            continue
        root, _ = marks.load(content, path)
        named = root.entries.get("speech") if isinstance(root, marks.Mapping) else None
        for key, value in named if isinstance(named, marks.Mapping) else ():
            model = tenant.speech.get(key.text)
            if model is None or not model.folder or not isinstance(value, marks.Mapping):
                continue
            from engine.runtime import graph_shelf  # loads numpy, which a site without such a folder needn't

            why = graph_shelf.problem(Path(model.folder))
            if why:
                hint = "put a vosk model there, or write: none"
                report.add(CODE, value.entries.get("folder") or value, why, hint)
    return report.finished(files)
