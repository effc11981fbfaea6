"""`ringdown init DIR`: a small site that checks clean, whose tests pass, and that can be called at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Json

SITE = """\
# One tenant, one number, one queue. Every key is explained in dialplans/LANGUAGE.md of Ringdown.
ringdown: 1
name: {name}
time_zone: {zone}
languages: [en]

# `public`: anybody may dial it, also without a trunk. It never opens the way to one.
numbers:
  100: {{dialplan: main, public: yes}}
"""
QUEUES = """\
support:
  strategy: longest-idle-agent
  ring: 20s
  wrap_up: 10s
  service_level: 80% in 20s
  length: 20
  join_empty: no         # nobody is logged in: the caller is told so at once
"""
AGENTS = """\
# Passwords are generated into the data folder; `ringdown serve --lan` prints one. Log in by dialling *50.
201: {name: Ana, queues: [support]}
202: {name: Ben, queues: [support]}
"""
MAIN = """\
ringdown: 1
about: The front door, 100

rescue: fault                # what a fault of the engine leads to: nothing ends in silence

flows:
  main:
    - answer
    - play: welcome
    - menu:
        prompt: main_menu
        timeout: 6s
        tries: 2
        choices:
          1: support
          star: again
        failed: bye

  support:
    - queue:
        name: support
        announce: please_hold
        max_wait: 5min
        full: busy
        no_agents: busy
        timeout: busy
    - play: thank_you        # reached when the agent hangs up first
    - hangup: served

  busy:
    - play: [all_busy, goodbye]
    - hangup: {outcome: failed, cause: 17}

  bye:
    - play: goodbye
    - hangup: abandoned

  fault:
    - play: technical_fault
    - hangup: failed
"""
TESTS = """\
# Played by `ringdown test`: calls in virtual time. How to write more: dialplans/TESTING.md of Ringdown.
ringdown: 1
given:
  dialled: 100
  agents: {support: 1}

tests:
  an agent answers:
    - hears: [welcome, main_menu]
    - press: 1
    - queue: support
    - hears: please_hold
    - agent: answers
    - agent: hangs up
    - hears: thank_you
    - outcome: served

  star says it again:
    - press: star
    - hears: main_menu

  nobody presses anything:
    - hears: [welcome, main_menu, main_menu, goodbye]
    - outcome: abandoned

  nobody is there:
    - given: {agents: {support: 0}}
    - press: 1
    - hears: [all_busy, goodbye]
    - record: {kind: queue.left, reason: no_agents}
    - outcome: failed

  the queue is full:
    - given: {waiting: {support: 20}}
    - press: 1
    - hears: all_busy
    - record: {kind: queue.left, reason: full}

  nobody answers in time:
    - given: {agents: {support: 0 of 1}}
    - press: 1
    - hears: [please_hold, music]
    - wait: 5min
    - hears: all_busy
    - record: {kind: queue.left, reason: timeout}
"""
PROMPTS = {"welcome": "prompts/en", "main_menu": "tenants/platform/prompts/en"}  # recordings of the demo site
HEAD = """\
# What callers hear. The recording of the same name in prompts/en/ is played: put your own there, or let
# `ringdown prompts build --site DIR` speak the texts.
"""


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that doesn't exist yet, or is empty.")],
    name: Annotated[str, typer.Option("--name", help="What the enterprise is called (default: the folder).")] = "",
    zone: Annotated[str, typer.Option("--zone", help="Its time zone, as in Europe/London.")] = "UTC",
    json: Json = False,
) -> None:
    """Write a small site: a menu, a queue, two agents and their tests. Exit status 0: written, 2: not."""
    from engine.cli import show

    files = written(name or folder.resolve().name, zone)
    write(folder, files)
    if json:
        print(show.as_json({"folder": str(folder), "files": sorted(files)}))
        return
    for path in sorted(files):
        print(folder / path)
    print(f"""
next:
  ringdown check {folder}
  ringdown test {folder} --coverage
  ringdown try {folder}
  ringdown serve --site {folder}     and dial 100 from any phone, or: ringdown dial 100""")


def written(name: str, zone: str) -> dict[str, bytes]:
    """Path inside the site -> content. Raises UsageError for a zone that isn't known."""
    from zoneinfo import ZoneInfo

    from engine.errors import UsageError

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"--zone: {zone!r} is no time zone; write one such as Europe/London") from None
    quoted = '"' + "".join(letter for letter in name if letter.isprintable() and letter not in '"\\') + '"'
    files = {
        "site.yaml": SITE.format(name=quoted, zone=zone), "queues.yaml": QUEUES, "agents.yaml": AGENTS,
        "dialplans/main.yaml": MAIN, "dialplans/main.test.yaml": TESTS,
    }  # fmt: skip
    return {**{path: text.encode() for path, text in files.items()}, **_prompts()}


def _prompts() -> dict[str, bytes]:
    """Texts, recordings and their manifest, from the demo site that ships with the engine."""
    from engine.runtime.site_files import demo_site

    demo = demo_site()
    texts, manifest, files = HEAD, "", {}
    for prompt, home in PROMPTS.items():
        kept = (demo / home / "manifest.yaml").read_text(encoding="utf-8")
        manifest += f"{prompt}:\n{_block(kept, prompt)}"
        texts += _line((demo / f"{home}.yaml").read_text(encoding="utf-8"), prompt)
        files[f"prompts/en/{prompt}.wav"] = (demo / home / f"{prompt}.wav").read_bytes()
    files["prompts/en/manifest.yaml"] = manifest.encode()
    files["prompts/en.yaml"] = texts.encode()
    return files


def _block(manifest: str, prompt: str) -> str:
    """The indented lines below a prompt's name."""
    lines = manifest.split("\n")
    begin = end = lines.index(f"{prompt}:") + 1
    while end < len(lines) and lines[end].startswith(" "):
        end += 1
    return "".join(f"{line}\n" for line in lines[begin:end])


def _line(texts: str, prompt: str) -> str:
    return next(f"{line}\n" for line in texts.split("\n") if line.startswith(f"{prompt}: "))


def write(folder: Path, files: dict[str, Any]) -> None:
    """Write them all, or nothing: a folder that holds something is refused. Raises UsageError."""
    from engine.errors import UsageError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty: nothing was written; name a new folder")
    try:
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    except OSError as error:
        raise UsageError(f"can't write {error.filename or folder}: {error.strerror}") from error
