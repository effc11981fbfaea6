"""`ringdown check PATH...`: is this site right? Each finding with file:line:column, a caret and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Json


def check(
    paths: Annotated[list[Path], typer.Argument(help="Site folders, or files inside one.")],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    json: Json = False,
) -> None:
    """Check sites. Exit status 0: usable, 1: refused, 2: no such path."""
    from engine.cli import show
    from engine.dialplan.findings import render

    findings: list[Any] = []
    count = 0
    for path in paths:
        found, files = check_one(path)
        findings.extend(found)
        count += files
    errors = sum(1 for finding in findings if finding.severity == "error")
    warnings = len(findings) - errors
    if json:
        import msgspec

        plain = [msgspec.to_builtins(finding) for finding in findings]
        print(show.as_json({"ok": not errors, "files": count, "findings": plain}))
    else:
        for finding in findings:
            print(render(finding))
        print(f"{count} files, {errors} errors, {warnings} warnings")
    if errors or (strict and warnings):
        raise typer.Exit(1)


def check_one(path: Path) -> tuple[list[Any], int]:
    """(findings, number of files) of a folder, or those of one file within its site."""
    from engine.errors import UsageError
    from engine.runtime.site_files import read_folder

    if not path.exists():
        raise UsageError(f"{path} doesn't exist")
    folder = site_of(path)
    reading = read_folder(folder)
    if path.is_dir():
        return reading.findings, reading.files
    name = path.resolve().relative_to(folder.resolve()).as_posix()
    return [finding for finding in reading.findings if finding.file == name], 1


def site_of(path: Path) -> Path:
    """The site's folder that a path belongs to: itself, or the nearest folder above with site.yaml."""
    from engine.errors import UsageError

    if path.is_dir():
        return path
    for folder in path.resolve().parents:
        if (folder / "site.yaml").is_file():
            return folder
    raise UsageError(f"{path} belongs to no site: there is no site.yaml in any folder above it")
