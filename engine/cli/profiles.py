"""`ringdown profiles`: what is known of gateways and phones, and which value of a site came from where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Json

if TYPE_CHECKING:
    from engine.dialplan.profiles import Profile, Statement
    from engine.dialplan.profiles_site import Origin


def profiles(
    name: Annotated[str, typer.Argument(help="One profile, with every statement and its source.")] = "",
    site: Annotated[Path | None, typer.Option("--site", help="What this site's trunks and phones take from where.")]
    = None,
    json: Json = False,
) -> None:
    """List profiles of gateways and phones, show one, or say where a site's values come from."""
    import msgspec

    from engine.cli import show
    from engine.dialplan.profiles_site import origins
    from engine.errors import UsageError
    from engine.runtime.profile_files import shipped
    from engine.runtime.site_files import collect

    files = {**shipped(), **(collect(site, wavs=False) if site is not None else {})}
    shelf = known(files)
    if name:
        if name not in shelf:
            raise UsageError(f"no profile {name!r}: there are {', '.join(shelf)}")
        facts: Any = shelf[name] if json else told(shelf[name])
    elif site is not None:
        facts = origins(files)
        if not json:
            facts = [origin_line(each) for each in facts] or ["no trunk and no phone of this site names a profile"]
    else:
        facts = list(shelf.values())
        if not json:
            facts = [f"{each.name:22} {each.kind:8} {each.about}" for each in facts]
    print(show.as_json(msgspec.to_builtins(facts)) if json else "\n".join(facts))


def origin_line(origin: Origin) -> str:
    """One value: whose, which, what, where it stands, and for a profile's why it is believed."""
    because = f"  ({origin.because})" if origin.because else ""
    return f"{origin.of:20} {origin.key:15} {origin.value:22} {origin.where}{because}"


def known(files: dict[str, Any]) -> dict[str, Profile]:
    """Every profile among `files` that is whole. Raises SiteError with the places of the mistakes of others."""
    from engine import marks
    from engine.dialplan.findings import Report, render
    from engine.dialplan.profiles import FOLDER, read_shelf
    from engine.errors import SiteError

    report = Report()
    trees: dict[str, marks.Node | None] = {}
    for path, content in files.items():
        if path.startswith(FOLDER) and isinstance(content, bytes):
            trees[path], faults = marks.load(content, path)
            for fault in faults:
                report.fault(fault)
    shelf = read_shelf(report, trees)
    if report.errors:
        raise SiteError("\n".join(render(each) for each in report.finished(files)))
    return {name: kept.profile for name, kept in shelf.items()}


def told(profile: Profile) -> list[str]:
    """One profile as lines: each statement with its source, what applies, quirks, and what isn't verified."""
    lines = [f"{profile.name}: {profile.about}", f"  tried: {profile.tried}"]
    for said in profile.statements.values():
        mark = " (applied)" if said.name in profile.applies else ""
        lines += _lines(profile, said, f"  {said.name:14} {', '.join(said.says)}{mark}")
    if profile.quirks:
        lines.append("  quirks")
    for quirk in profile.quirks:
        lines += _lines(profile, quirk, f"  - {quirk.says[0]}")
    if profile.provision is not None:
        lines.append(f"  configuration  {profile.provision.file} ({profile.provision.template})")
        lines.append(f"                 entered at {profile.provision.enter}")
    else:
        lines.append("  configuration  by hand, no file is written for it")
    lines.append("  sources")
    for name, source in profile.sources.items():
        lines.append(f"  - {name}: {source.document} ({source.version}), {source.seen}; {source.where or 'no address'}")
    return lines


def _lines(profile: Profile, said: Statement, head: str) -> list[str]:
    from engine.dialplan.profiles_site import cite

    lines = [head, f"                 {cite(profile, said.source, said.section, said.unverified)}"]
    return [*lines, f"                 note: {said.note}"] if said.note else lines
