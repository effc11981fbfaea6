"""`ringdown agent ID VERB`: log in or out, pause, wrap-up and its code, follow his conversation, a new password."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder

FOLLOWING = ("listen", "whisper", "barge", "takeover")
VERBS = ("login", "logout", "ready", "not-ready", "wrap-up", "extend", "code", "password", *FOLLOWING)
ALIASES = {"pause": "not-ready"}


def agent(
    agent: Annotated[str, typer.Argument(help="Number, or tenant/number.")],
    verb: Annotated[str, typer.Argument(
        help="login | logout | ready | not-ready (or pause) | wrap-up (one follows this call) | extend (his wrap-up) | "
        "code (of his call) | password | listen, whisper, barge, takeover (his conversation, --as SUPERVISOR)"
    )],
    word: Annotated[str, typer.Argument(help="With not-ready: why (lunch, 2); with code: its key or name.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="With not-ready: why, by key or name.")] = "",
    call: Annotated[str, typer.Option("--call", help="With code: the call that is meant.")] = "",
    until: Annotated[str, typer.Option("--until", help="With not-ready: 14:00, 30m; then ready again.")] = "",
    as_: Annotated[str, typer.Option("--as", help="Who is rung to listen, whisper, barge in or take over.")] = "",
    site: Annotated[str, typer.Option("--site", help="For `password` while the engine is down.")] = "",
    data: Data = None, json: Json = False,
) -> None:
    """Act on one agent; prints the effect and its undo."""
    from engine.cli import client, show
    from engine.errors import UsageError

    verb = verb.replace("_", "-")
    verb = ALIASES.get(verb, verb)
    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    folder = data_folder(data)
    if verb == "password":
        result = _password(agent, site, folder)
        print(show.as_json(result) if json else f"agent {result['agent']}  new password  {result['password']}")
        return
    for option, value, owner in (("--until", until, "not-ready"), ("--reason", reason, "not-ready"),
                                 ("--call", call, "code")):  # fmt: skip
        if value and verb != owner:
            raise UsageError(f"{option} goes with {owner}")
    if word and reason:
        raise UsageError("the reason is given twice")
    if verb == "code" and not word:
        raise UsageError("code: which one? its key or name")
    if word and verb not in ("not-ready", "code"):
        raise UsageError(f"{verb} takes no further word: {word!r}")
    if (verb in FOLLOWING) != bool(as_):
        raise UsageError(f"{verb} takes no --as" if as_ else f"say who: `ringdown agent ID {verb} --as SUPERVISOR`")
    given = {"code" if verb == "code" else "reason": word or reason, "call": call, "as": as_}
    arguments = {"agent": agent} | {name: value for name, value in given.items() if value} | show.until(until)
    result = client.ask(folder, f"agent.{verb.replace('-', '_')}", **arguments)
    print(show.as_json(result) if json else show.effect(f"agent {result['agent']}", result))


def _password(agent: str, site: str, folder: object) -> dict[str, str]:
    """Through the running engine, which uses it at once; else straight into the file."""
    from pathlib import Path

    from engine.cli import client

    assert isinstance(folder, Path)
    try:
        return dict(client.ask(folder, "agent.password", agent=agent))
    except client.NotRunning:
        from engine.errors import SiteError
        from engine.runtime import secrets, site_files

        reading = site_files.read_folder(Path(site) if site else site_files.demo_site())
        if reading.site is None:
            raise SiteError("the site has errors; `ringdown check` shows them") from None
        made = secrets.Secrets(secrets.prepare_folder(folder)).rotate(reading.site, agent)
        return {"agent": made.agent, "realm": made.realm, "password": made.password}
