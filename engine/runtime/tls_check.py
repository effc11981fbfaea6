"""Are the certificates and keys of a site on this machine, whole, and for our names? The reader can't know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine import marks
from engine.dialplan.findings import Finding, Report
from engine.dialplan.model import Site
from engine.runtime import tls_files, versions


def names(site: Site) -> list[str]:
    """By which names phones connect to this site."""
    domains = [tenant.domain for tenant in site.tenants.values()]
    return tls_files.names_of(site.advertise, domains, site.listen)


def check(files: Mapping[str, object], site: Site, folder: Path) -> list[Finding]:
    """A finding, at its place in site.yaml, for each thing that is wrong."""
    content = files.get("site.yaml")
    kept = folder.parent.name == versions.FOLDER and folder.name == site.version
    if site.tls is None or not isinstance(content, bytes) or kept:  # certificates stay with the site, and so do keys
        return []
    root = marks.load(content, "site.yaml")[0]
    form = root.entries.get("tls") if isinstance(root, marks.Mapping) else None
    if not isinstance(form, marks.Mapping):
        return []
    report = Report()
    for each in tls_files.problems(site.tls, folder, names(site), tls_files.now()):
        report.add(each.code, form.entries.get(each.entry) or form, each.text, each.remedy)
    return report.finished(files)
