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
    share: Annotated[
        str, typer.Option("--share", metavar="5%", help="Only for so many new callers; the others keep the version in "
                          "force.")
    ] = "",
    guard: Annotated[
        str, typer.Option("--guard", metavar="METRIC<=X", help="With --share: withdraw it by itself when more calls "
                          "are abandoned, have faults, or an outcome: 'abandoned<=8%', 'faults<=old+1%' (the default), "
                          "'failed<=2%'.")
    ] = "",
    for_: Annotated[
        str, typer.Option("--for", metavar="1h", help="With --share: then it is for all calls, if the guard held.")
    ] = "",
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """Check, test and load the site, for calls that arrive from now on; prints what changes and its undo."""
    from engine.cli import client

    given = {"untested": untested, "share": share, "guard": guard, "for_s": _seconds(for_)}
    arguments = {key: value for key, value in given.items() if value}
    try:
        result = client.ask(data_folder(data), "reload", **arguments)
    except client.Refused as refused:
        refuse(refused, json)
    report(result, json)


def _seconds(text: str) -> str:
    if not text:
        return ""
    import time

    from engine.cli import times

    now_s = time.time()
    return f"{times.coming(text, now_s) / 1000 - now_s:.0f}"


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
    if result.get("share"):
        share = result["share"]
        ends = f" until {show.clock(share['until_ms'], date=True)}, then for all" if share["until_ms"] else ""
        print(f"{share['share']} of new calls run on {result['new'][:12]}{ends}; guard {share['guard']}   "
              f"(undo: {result['undo']})")
        return
    finishing = result["finishing"]
    calls = f"{finishing} call{'' if finishing == 1 else 's'} finish{'es' if finishing == 1 else ''}"
    print(f"site {result['new'][:12]} is active; {calls} on {result['old'][:12]}   (undo: {result['undo']})")


def difference(lines: list[str], old: str) -> list[str]:
    """The lines below a heading, cut where they would fill more than a screen or two."""
    more = len(lines) - LINES_MAX
    rest = [f"  … and {more} more: ringdown diff {old[:12]}"] if more > 0 else []
    return [f"changes since {old[:12]}:", *(f"  {line}" for line in lines[:LINES_MAX]), *rest]
