"""`ringdown reload`: read the site again; a wrong one is refused and the running one stays."""

from __future__ import annotations

import typer

from engine.cli.options import Data, Json, data_folder


def reload(data: Data = None, json: Json = False) -> None:
    """Read the site again, for calls that arrive from now on."""
    from engine.cli import client, show

    try:
        result = client.ask(data_folder(data), "reload")
    except client.Refused as refused:
        findings = (refused.data or {}).get("findings", [])
        if json:
            print(show.as_json({"ok": False, "error": str(refused), "findings": findings}))
        else:
            print("\n".join([*findings, f"refused: {refused}; the running site stays"]))
        raise typer.Exit(1) from None
    if json:
        print(show.as_json({"ok": True, **result}))
        return
    for line in (*result["findings"], *result["notes"]):
        print(line)
    for made in result["passwords"]:
        print(f"agent {made['agent']}  password  {made['password']}   (shown once)")
    print(f"site {result['new'][:12]} is active" if result["changed"] else "nothing has changed")
