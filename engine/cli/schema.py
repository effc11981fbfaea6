"""`ringdown schema`: what editors need to know of a site, written into its folder `.ringdown`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Json

FOLDER = ".ringdown"
HOOK = """#!/bin/sh
# Written by `ringdown schema`. A commit that would break the site is refused; what is checked is what is committed.
#   ln -s {path} .git/hooks/pre-commit
set -eu
cd "$(git rev-parse --show-toplevel)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git ls-files -z -- {site} | git checkout-index -z --stdin --prefix="$scratch/"
{command} check "$scratch"/{site}
"""


def schema(
    site: Annotated[Path, typer.Option("--site", help="The site's folder.")] = Path(),
    vscode: Annotated[bool, typer.Option("--vscode", help="Also name the schemas in the site's .vscode/settings.json, "
                                         "beside what stands there.")] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Write JSON Schemas with this site's queues, flows and prompts as choices, and a git hook that runs `check`.

    Run it again when names have changed. Exit status 0: written, 2: no site there.
    """
    from engine.cli import show

    written = write(site, vscode=vscode)
    if json:
        print(show.as_json({"written": [str(path) for path in written], "hints": hints(site)}))
        return
    print(f"{len(written)} files in {site / FOLDER}; it is not for git. For editors, one of:")
    print("  ringdown schema --vscode           (VS Code with the YAML extension)")
    print(f"  yaml.schemas of {site / FOLDER / 'settings.json'} in your language server's settings")
    print("  this first line in a file:")
    for path, hint in hints(site).items():
        print(f"    {path:<40} {hint}")
    print(f"A check before each commit: the third line of {site / FOLDER / 'pre-commit'} says how.")


def write(site: Path, *, vscode: bool = False) -> list[Path]:
    """Write everything; returns the files. Raises UsageError, SiteError."""
    import json

    from engine.errors import UsageError

    made = _schemas(site)
    home = site / FOLDER
    texts = {home / "schemas" / file_of(path): json.dumps(each, ensure_ascii=False) for path, each in made.items()}
    texts[home / "settings.json"] = json.dumps({"yaml.schemas": _settings(made)}, indent=2) + "\n"
    texts[home / ".gitignore"] = "*\n"
    texts[home / "pre-commit"] = hook(site)
    if vscode:
        texts[site / ".vscode" / "settings.json"] = _vscode(site / ".vscode" / "settings.json", _settings(made))
    try:
        for old in home.glob("schemas/*.json"):
            old.unlink()
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        (home / "pre-commit").chmod(0o755)
    except OSError as error:
        raise UsageError(f"can't write {error.filename}: {error.strerror}") from error
    return list(texts)


def hints(site: Path) -> dict[str, str]:
    """File of the site -> the comment by which a language server finds its schema, wherever the file is opened."""
    return {
        path: f"# yaml-language-server: $schema={'../' * path.count('/')}{FOLDER}/schemas/{file_of(path)}"
        for path in _schemas(site)
        if (site / path).exists()
    }


def file_of(path: str) -> str:
    """`tenants/press/queues.yaml` -> `tenants.press.queues.json`."""
    return path.removesuffix(".yaml").replace("/", ".") + ".json"


def hook(site: Path) -> str:
    """The text of a git hook for a site; it calls the program that is installed, else the one that wrote it."""
    import shlex
    import shutil
    import sys

    checkout = Path(__file__).resolve().parents[2] / "tools" / "run"
    own = shlex.quote(str(checkout)) if checkout.is_file() else f"{shlex.quote(sys.executable)} -m engine"
    command = "ringdown" if shutil.which("ringdown") else own
    found = _from_top(site)
    path = f"../../{found}/{FOLDER}/pre-commit".replace("/./", "/")
    return HOOK.format(path=shlex.quote(path), command=command, site=shlex.quote(found))


def _from_top(site: Path) -> str:
    """The site's path from the top of its git repository, or from itself when it is in none."""
    folder = site.resolve()
    for top in (folder, *folder.parents):
        if (top / ".git").exists():
            return folder.relative_to(top).as_posix()
    return "."


def _schemas(site: Path) -> dict[str, dict[str, Any]]:
    from engine.dialplan import schema as schemas
    from engine.dialplan import site_names
    from engine.errors import UsageError
    from engine.runtime.site_files import collect, stock_prompts

    if not (site / "site.yaml").is_file():
        raise UsageError(f"{site} is no site: there is no site.yaml in it (--site DIR)")
    _, stock = stock_prompts()
    return schemas.schemas(site_names.read(collect(site), stock))


def _settings(made: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {f"./{FOLDER}/schemas/{file_of(path)}": f"/{path}" for path in made}


def _vscode(path: Path, wanted: dict[str, str]) -> str:
    """The editor's settings with our schemas among them. Raises UsageError when they can't be read."""
    import json

    from engine.errors import UsageError

    settings: Any = {}
    if path.exists():
        try:
            settings = json.loads(path.read_text("utf-8"))
        except ValueError:
            settings = None
        if not isinstance(settings, dict) or not isinstance(settings.get("yaml.schemas", {}), dict):
            raise UsageError(f"{path} is no plain JSON object: copy yaml.schemas from {FOLDER}/settings.json by hand")
    others = {key: value for key, value in settings.get("yaml.schemas", {}).items() if FOLDER not in key}
    return json.dumps({**settings, "yaml.schemas": {**others, **wanted}}, indent=2, ensure_ascii=False) + "\n"
