"""Are the voices that a site names installed on this machine? The reader, which opens nothing, can't know."""

from __future__ import annotations

from collections.abc import Mapping

from engine.dialplan.findings import Finding, Report
from engine.dialplan.model import Site
from engine.runtime import synthesizers, tenant_entries

CODE = "RD333"


def check(files: Mapping[str, object], site: Site) -> list[Finding]:
    """A warning, at its place, for each voice that nobody here can speak with."""
    report = Report()
    for each in tenant_entries.of(files, site, lambda tenant: tenant.voices):
        for key, value in each.under("voices"):
            model = each.tenant.voices.get(key.text)
            why = synthesizers.missing(model) if model is not None else ""
            if why:
                report.add(CODE, value, why, "what is recorded is heard all the same")
    return report.finished(files)
