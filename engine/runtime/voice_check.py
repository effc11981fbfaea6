"""Are the voices that a site names installed on this machine? The reader, which opens nothing, can't know."""

from __future__ import annotations

from collections.abc import Mapping

from engine import marks
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.findings import Finding, Report
from engine.dialplan.model import Site
from engine.runtime import synthesizers

CODE = "RD333"


def check(files: Mapping[str, object], site: Site) -> list[Finding]:
    """A warning, at its place, for each voice that nobody here can speak with."""
    report = Report()
    for name, tenant in site.tenants.items():
        path = "site.yaml" if name == ROOT_TENANT else f"tenants/{name}/tenant.yaml"
        content = files.get(path)
        if not tenant.voices or not isinstance(content, bytes):
            continue
        root, _ = marks.load(content, path)
        named = root.entries.get("voices") if isinstance(root, marks.Mapping) else None
        for key, value in named if isinstance(named, marks.Mapping) else ():
            model = tenant.voices.get(key.text)
            why = synthesizers.missing(model) if model is not None else ""
            if why:
                report.add(CODE, value, why, "what is recorded is heard all the same")
    return report.finished(files)
