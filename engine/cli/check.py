"""`ringdown check PATH...`: is this site right? Each finding with file:line:column, a caret and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Json

Explain = Annotated[str, typer.Option("--explain", metavar="CODE", help="Say more about a finding's code, and stop.")]
At = Annotated[str, typer.Option("--at", metavar="DATE", help="Also print what is open then: 2026-12-25, or "
                                 "'2026-12-25 10:00', by each calendar's own clock.")]  # fmt: skip
Origins = Annotated[bool, typer.Option("--origins", help="Also print which values trunks and phones take from their "
                                       "profiles, with line and source.")]  # fmt: skip
Fix = Annotated[bool, typer.Option("--fix", help="Correct what has only one correction, in the files themselves.")]


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Site folders, or files inside one.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    fix: Fix = False,
    explain: Explain = "",
    at: At = "",
    origins: Origins = False,
    json: Json = False,
) -> None:
    """Check sites. Exit status 0: usable, 1: refused, 2: no such path."""
    from engine.cli import show
    from engine.errors import UsageError

    if explain:
        from engine.cli.check_explained import explained

        print(explained(explain, json=json))
        return
    if not paths:
        raise UsageError("which site? ringdown check DIR, or ringdown check --explain CODE")
    mended = _mend(paths) if fix else []
    findings: list[Any] = []
    waived: list[Any] = []
    opened: list[Any] = []
    count = 0
    for path in paths:
        found, files, borne, site = check_one(path)
        findings.extend(found if json else _placed(found, path))
        waived.extend(borne if json else _placed(borne, path))
        opened.extend(_opened(site, at) if at and site is not None else ())
        count += files
    lent = [line for path in paths for line in _origins(site_of(path))] if origins else []
    errors = sum(1 for finding in findings if finding.severity == "error")
    warnings = len(findings) - errors
    if json:
        import msgspec

        plain = {
            "ok": not errors, "files": count, "findings": msgspec.to_builtins(findings),
            "waived": msgspec.to_builtins(waived), "mended": msgspec.to_builtins(mended),
            **({"open": opened} if at else {}), **({"origins": msgspec.to_builtins(lent)} if origins else {}),
        }  # fmt: skip
        print(show.as_json(plain))
    else:
        _print(findings, waived, mended)
        if at:
            from engine.cli.hours import COLUMNS

            print(show.table(opened, COLUMNS) if opened else f"no calendar says what is open at {at}")
        if origins:
            from engine.cli.profiles import origin_line

            print("\n".join(map(origin_line, lent)) or "no trunk and no phone names a profile")
        more = f", {len(waived)} waived" if waived else ""
        print(f"{count} files, {errors} errors, {warnings} warnings{more}")
    if errors or (strict and warnings):
        raise typer.Exit(1)


def _opened(site: Any, at: str) -> list[dict[str, Any]]:
    """What each calendar of a site says then, as `ringdown hours` does."""
    from engine.cli import hours

    return [hours.row(model, site.zones.get(model.zone, ()), at) for model in hours.chosen(site, "")]


def _origins(folder: Path) -> list[Any]:
    """Where the values of a site's trunks and phones with a profile come from."""
    from engine.dialplan.profiles_site import origins
    from engine.runtime.site_files import collect

    return origins(collect(folder, wavs=False))


def _placed(findings: list[Any], path: Path) -> list[Any]:
    """For a terminal: files as they are found from here, so that a click opens them."""
    import msgspec

    folder = site_of(path)
    return [msgspec.structs.replace(each, file=(folder / each.file).as_posix()) for each in findings]


def _print(findings: list[Any], waived: list[Any], mended: list[Any]) -> None:
    from engine.dialplan.findings import render

    for each in mended:
        print(f"{each.file}:{each.line}:{each.column}: fixed {each.code}: {each.message}")
    for each in findings:
        print(render(each))
    for each in waived:
        print(f"{each.file}:{each.line}:{each.column}: waived {each.code}: {each.waived}")


def _mend(paths: list[Path]) -> list[Any]:
    """Fix the site of each path, each site once."""
    from engine.errors import UsageError
    from engine.runtime.site_files import mend_folder

    mended: list[Any] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} doesn't exist")
    for folder in dict.fromkeys(site_of(path) for path in paths):
        mended += _placed(mend_folder(folder)[1], folder)
    return mended


def check_one(path: Path) -> tuple[list[Any], int, list[Any], Any]:
    """(findings, number of files, waived findings) of a folder, or those of one file within its site; and the site,
    None when it is refused."""
    from engine.dialplan.outgoing_reader import without_help
    from engine.errors import UsageError
    from engine.runtime.site_files import read_folder

    if not path.exists():
        raise UsageError(f"{path} doesn't exist")
    folder = site_of(path)
    reading = read_folder(folder, thorough=True)
    helpless = without_help(reading.site) if reading.site is not None else []
    if path.is_dir():
        return [*reading.findings, *helpless], reading.files, reading.waived, reading.site
    name = path.resolve().relative_to(folder.resolve()).as_posix()
    own = [finding for finding in [*reading.findings, *helpless] if finding.file == name]
    return own, 1, [finding for finding in reading.waived if finding.file == name], reading.site


def site_of(path: Path) -> Path:
    """The site's folder that a path belongs to: itself, or the nearest folder above with site.yaml."""
    from engine.errors import UsageError

    if path.is_dir():
        return path
    for folder in path.resolve().parents:
        if (folder / "site.yaml").is_file():
            return folder
    raise UsageError(f"{path} belongs to no site: there is no site.yaml in any folder above it")
