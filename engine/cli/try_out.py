"""`ringdown try PLAN`: a call in the terminal. Prompts as text, keys from the keyboard, time that doesn't pass."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.dialplan.model import Site
    from engine.sim.transcript import Given
    from engine.sim.trying import Session

PLAYERS = (("aplay", "-q"), ("paplay",), ("afplay",))


def try_out(
    plan: Annotated[str, typer.Argument(help="A dialplan by name, its file, a site's folder, or a number.")],
    keys: Annotated[str, typer.Option("--keys", help="What the caller does, as in '1 \"my bill\" _': keys, "
                    "words in quotes, _ for none, 10s, answer, refuse, bye, hangup. Without it, you type.")] = "",
    site: Annotated[Path | None, typer.Option("--site", help="The site (default: this folder, else the demo).")] = None,
    at: Annotated[str, typer.Option("--at", help="When, as in '2026-12-25 10:00'.")] = "",
    caller: Annotated[str, typer.Option("--caller", help="Who calls.")] = "",
    agents: Annotated[str, typer.Option("--agents", help="Who is there, as in 'support: 1, 201: talking'.")] = "",
    sound: Annotated[bool, typer.Option("--sound", help="Also play the recordings (aplay, paplay).")] = False,
) -> None:  # fmt: skip
    """Walk through a dialplan as its caller. Exit status 0: the call was walked, 1: not, 2: used wrongly."""
    from engine.sim.trying import Session, words_of

    loaded, given = _found(plan, site, {"at": at, "caller": caller, "agents": agents})
    player = _player() if sound else ()
    session = Session(loaded, given)
    _tell(session, session.lines(), player)
    if keys:
        for word in words_of(keys):
            _tell(session, session.do(word), player)
        _tell(session, session.do("?"), ())
        return
    _talk(session, player)


def _talk(session: Session, player: tuple[str, ...]) -> None:
    """Until the call is over, or the typist goes."""
    from engine.errors import UsageError
    from engine.sim.trying import WORDS, words_of

    print("           (keys, Enter for none, ? for the variables, help for the other words)")
    while not session.over():
        try:
            typed = input(session.prompt())
        except EOFError:
            print()
            typed = "hangup"
        for word in words_of(typed) or ["_"]:
            if word == "help":
                print("\n".join(f"           {word:8} {meaning}" for word, meaning in WORDS.items()))
                continue
            try:
                _tell(session, session.do(word), player)
            except UsageError as error:
                print(f"           {error}")
                break
    _tell(session, session.do("?"), ())


def _tell(session: Session, lines: list[str], player: tuple[str, ...]) -> None:
    for line in lines:
        print(line, flush=True)
    files = session.files()
    if player:
        import subprocess

        for file in files:
            try:
                subprocess.run([*player, file], check=False)
            except KeyboardInterrupt:
                return  # heard enough


def _player() -> tuple[str, ...]:
    from shutil import which

    from engine.errors import UsageError

    for player in PLAYERS:
        if which(player[0]):
            return player
    raise UsageError(f"--sound needs a player: {', '.join(player[0] for player in PLAYERS)} (Debian: alsa-utils)")


def _found(plan: str, folder: Path | None, wishes: dict[str, str]) -> tuple[Site, Given]:
    """The site, and the call that is meant. Raises UsageError, or SiteError for a site with mistakes."""
    from engine.cli.check import site_of
    from engine.dialplan.findings import render
    from engine.errors import SiteError, UsageError
    from engine.runtime.site_files import demo_site, read_walkable
    from engine.sim.trying import given_of

    path = Path(plan)
    if path.exists() and (path.is_dir() or path.suffix == ".yaml"):
        home = site_of(path)
        plan = "" if path.is_dir() else path.resolve().relative_to(home.resolve()).as_posix()
    else:
        home = folder or (Path() if Path("site.yaml").is_file() else demo_site())
    site, errors = read_walkable(home)
    if site is None:
        raise SiteError("\n".join(render(finding) for finding in errors))
    if errors:
        note = f"the site is refused ({len(errors)} errors, see ringdown check): this is what would happen"
        print(note, file=sys.stderr)
    given, findings = given_of(site, plan, wishes)
    if given is None:
        print("\n".join(render(finding) for finding in findings), file=sys.stderr)
        raise UsageError("nobody can make this call")
    return site, given

