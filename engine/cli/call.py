"""`ringdown call ID VERB`: act on one call that is up."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder

VERBS = ("hangup", "transfer", "show", "sound", "listen", "whisper", "barge", "takeover", "pick", "conference")
AS_VERBS = ("listen", "whisper", "barge", "takeover", "pick")


def call(
    call: Annotated[str, typer.Argument(help="Call id, caller's number, agent's number, or `last`.")],
    verb: Annotated[str, typer.Argument(help=" | ".join(VERBS))] = "show",
    to: Annotated[str, typer.Argument(help="transfer: to this number, agent or outside number.")] = "",
    as_: Annotated[str, typer.Option("--as", help="Who is rung to listen, whisper, barge in, take over or pick.")] = "",
    with_: Annotated[str, typer.Option("--with", help="conference: the agent or number that is added.")] = "",
    data: Data = None, json: Json = False,
) -> None:
    """Act on one call; prints the effect and its undo. `sound`: how each of its legs sounds so far, and why."""
    from engine.cli import client, show
    from engine.errors import UsageError

    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    if verb == "transfer" and not to:
        raise UsageError("say where to: `ringdown call ID transfer TO`")
    if to and verb != "transfer":
        raise UsageError(f"{verb} takes no TO")
    if (verb in AS_VERBS) != bool(as_):
        raise UsageError(f"{verb} takes no --as" if as_ else f"say who: `ringdown call ID {verb} --as AGENT`")
    if (verb == "conference") != bool(with_):
        raise UsageError(f"{verb} takes no --with" if with_ else "say who: `ringdown call ID conference --with WHO`")
    folder = data_folder(data)
    if verb == "show":
        row = client.ask(folder, "call", call=call)
        lines = [f"{key:10} {value}" for key, value in row.items() if value != ""]
        print(show.as_json(row) if json else "\n".join(lines))
        return
    if verb == "sound":
        from engine.console import sound

        found = client.ask(folder, "sound", call=call)
        legs = [line for leg in found["legs"] for line in sound.whole(sound.of_event(leg))]
        print(show.as_json(found) if json else "\n".join(legs) or f"call {found['call']} has no audio yet")
        return
    result = client.ask(folder, f"call.{verb}", call=call, **_named(to=to, **{"as": as_, "with": with_}))
    print(show.as_json(result) if json else show.effect(f"call {result['call']}", result))


def _named(**arguments: str) -> dict[str, str]:
    return {name: value for name, value in arguments.items() if value}
