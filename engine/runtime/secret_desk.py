"""What operators may do to secrets: list, set and remove them by name, and replace the key that seals them.

The engine does it where it runs: it alone may see the key (a credential is shown to the service only), and it uses what
is new at once. Commands come over the operators' socket, so a secret is on no command line; nothing of it is logged.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from engine.dialplan.model import Site
from engine.errors import SiteError
from engine.runtime.admin import Answer, answer
from engine.runtime.secrets import Secrets, credential

if TYPE_CHECKING:
    from engine.runtime.server import Server

text_chars_max = 4_096
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Row(msgspec.Struct):
    """One secret: who shows it to others, where it comes from (environment | credential | file | file, unreadable |
    missing), and the digits of the key that it lies sealed with in the file, '' when it isn't there."""

    secret: str
    used_by: list[str]
    source: str
    key: str = ""


class Listed(msgspec.Struct):
    """`key`: the digits of the key that seals, `place`: where it comes from; both '' while there is none."""

    key: str
    place: str
    secrets: list[Row]


def checked(name: str, secret: str | None = None) -> None:
    """Raises SiteError when it is no name of a secret, or the secret is nothing that a header could hold."""
    if _NAME.fullmatch(name) is None:
        raise SiteError(f"{name!r} is not a name for a secret: letters, digits, _ and -, at most 64")
    fits = secret is None or (0 < len(secret) <= text_chars_max and secret.isascii() and secret.isprintable())
    if not fits:
        raise SiteError(
            f"a secret is one line of 1 to {text_chars_max} printable ASCII characters, typed or on standard input"
        )


def uses(site: Site) -> dict[str, list[tuple[str, str, str]]]:
    """Name of a secret -> who uses it: (who, variable of the environment, credential) each."""
    found: dict[str, list[tuple[str, str, str]]] = {}

    def note(name: str, who: str, variable: str, kept: str) -> None:
        here = found.setdefault(name, [])
        if (who, variable, kept) not in here:
            here.append((who, variable, kept))

    for name, trunk in sorted(site.trunks.items()):
        if trunk.user:
            named = trunk.secret or name
            note(named, f"trunk {name}", f"RINGDOWN_TRUNK_{_upper(name)}", f"trunk_{name}")
            note(named, f"trunk {name}", "", f"trunk_{named}")
    asked = [(model.secret, f"lookup {key}") for key, model in sorted(site.lookups.items()) if model.secret]
    for key, program in sorted(site.programs.items()):
        steps = [step for flow in program.flows.values() for step in flow if step.verb == "stream"]
        asked += [(str(step.data["secret"]), f"bot of {key}") for step in steps]
    for name, who in asked:
        note(name, who, f"RINGDOWN_LOOKUP_{_upper(name)}", f"lookup_{name}")
    if site.mail is not None and site.mail.user:
        note(site.mail.secret, "mail", f"RINGDOWN_SECRET_{_upper(site.mail.secret)}", site.mail.secret)
    if site.bus is not None and (site.bus.user or site.bus.secret):
        note(site.bus.secret or "bus", "bus", "RINGDOWN_BUS", "bus")
    return found


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def listed(secrets: Secrets, site: Site | None) -> Listed:
    """Every secret that the site needs or the file holds. Raises SiteError."""
    kept, used = secrets.names(), uses(site) if site is not None else {}
    rows = []
    for name in sorted({**kept, **used}):
        users = used.get(name, [])
        source = "missing"
        if name in kept:
            source = "file" if secrets.readable(name) else "file, unreadable"
        if any(credential(each) for _, _, each in users):
            source = "credential"
        if any(os.environ.get(variable) for _, variable, _ in users if variable):
            source = "environment"
        rows.append(Row(name, list(dict.fromkeys(who for who, _, _ in users)), source, kept.get(name, "")))
    return Listed(secrets.key.name, secrets.key.place, rows)


class SecretDesk:
    """`verbs`: what the operators' socket knows of secrets."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.verbs: dict[str, Callable[[str, dict[str, str]], Awaitable[Answer]]] = {
            "secret.list": self._list, "secret.set": self._set, "secret.remove": self._remove,
            "secret.rotate": self._rotate,
        }  # fmt: skip

    async def _list(self, author: str, arguments: dict[str, str]) -> Answer:
        return answer(listed(self.server.secrets, self.server.site))

    async def _set(self, author: str, arguments: dict[str, str]) -> Answer:
        """`name`, `secret`: sealed into the file, and used from now on. Raises SiteError."""
        name, secret = arguments.get("name", ""), arguments.get("secret", "")
        checked(name, secret)
        return self._done(author, name, "kept", self.server.secrets.put(name, secret))

    async def _remove(self, author: str, arguments: dict[str, str]) -> Answer:
        name = arguments.get("name", "")
        checked(name)
        found = self.server.secrets.put(name, "")
        return self._done(author, name, "forgotten" if found else "was not there", found)

    def _done(self, author: str, name: str, done: str, changed: bool) -> Answer:
        used = [who for who, _, _ in uses(self.server.site).get(name, [])]
        if changed:
            self.server.log.info(f"{author}: secret {name} {done}")
            self.server.secrets_changed()
            if "bus" in used:
                model, self.server.bus.model = self.server.bus.model, None
                self.server.bus.use(model)  # with what is new, from the beginning
        return answer({"secret": name, "done": done, "used_by": list(dict.fromkeys(used))})

    async def _rotate(self, author: str, arguments: dict[str, str]) -> Answer:
        before, after, count = self.server.secrets.rotate_key()
        self.server.log.info(f"{author}: {count} secrets are sealed with the new key {after}, the key {before} ended")
        return answer({"key": after, "ended": before, "secrets": count})
