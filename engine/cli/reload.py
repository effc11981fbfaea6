"""`ringdown reload`: read the site again; a wrong or failing one is refused and the running one stays."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

LINES_MAX = 60  # of a difference; `ringdown diff` prints it whole


def reload(
    untested: Annotated[
        str, typer.Option("--untested", metavar="REASON", help="Load it although a test fails; the reason is recorded.")
    ] = "",
    data: Data = None, json: Json = False,
) -> None:
    """Check, test and load the site, for calls that arrive from now on; prints what changes and its undo."""
    from engine.cli import client

    arguments = {"untested": untested} if untested else {}
    try:
        result = client.ask(data_folder(data), "reload", **arguments)
    except client.Refused as refused:
        refuse(refused, json)
    report(result, json)


def refuse(refused: Any, json: bool) -> None:
    """Print why nothing has changed, and end with status 1."""
    from engine.cli import show

    given = refused.data or {}
    findings, tests = given.get("findings", []), given.get("tests") or {}
    if json:
        print(show.as_json({"ok": False, "error": str(refused), "findings": findings, "tests": tests}))
    else:
        hint = "\n(load it all the same: --untested REASON, which is recorded)" if tests else ""
        print("\n".join([*findings, *tests.get("lines", []), f"refused: {refused}; the running site stays{hint}"]))
    raise typer.Exit(1)


def report(result: dict[str, Any], json: bool) -> None:
    """What a reload or a rollback has done."""
    from engine.cli import show

    if json:
        print(show.as_json({"ok": True, **result}))
        return
    for line in (*result["findings"], *result["notes"]):
        print(line)
    for made in result["passwords"]:
        print(f"agent {made['agent']}  password  {made['password']}   (shown once)")
    if not result["changed"]:
        print("nothing has changed")
        return
    print("tests:", result["tests"]["summary"] + (f" — loaded all the same: {result['untested']}"
                                                  if result["untested"] else ""))
    print("\n".join(difference(result["difference"], result["old"])))
    finishing = result["finishing"]
    calls = f"{finishing} call{'' if finishing == 1 else 's'} finish{'es' if finishing == 1 else ''}"
    print(f"site {result['new'][:12]} is active; {calls} on {result['old'][:12]}   (undo: {result['undo']})")


def difference(lines: list[str], old: str) -> list[str]:
    """The lines below a heading, cut where they would fill more than a screen or two."""
    more = len(lines) - LINES_MAX
    rest = [f"  … and {more} more: ringdown diff {old[:12]}"] if more > 0 else []
    return [f"changes since {old[:12]}:", *(f"  {line}" for line in lines[:LINES_MAX]), *rest]
