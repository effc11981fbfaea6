"""Agents' and trunks' secrets: generated here, kept in the data folder (0700, file 0600), never in a site.

Of agents the file holds only what digest authentication needs (HA1 per algorithm, RFC 7616 and 8760), not the
passwords: those are shown once, when they are made. HA1 covers the realm, so a tenant whose realm changed gets new
passwords. What must be shown to others as it is (to trunks, servers, bots, the broker) lies there sealed, under its
name (`runtime.sealing_key`); what an admin or an earlier engine wrote there in clear is sealed when it is first read.

A trunk's password is looked for in the environment (RINGDOWN_TRUNK_NAME), then in the service manager's credentials
($CREDENTIALS_DIRECTORY/trunk_NAME, as `LoadCredential=trunk:FOLDER` puts them there), then in the secrets file.
"""

from __future__ import annotations

import os
import secrets as chance
from pathlib import Path

import msgspec

from engine.call import pins
from engine.call.effects import SecretsLoaded
from engine.dialplan.model import Site
from engine.errors import SiteError
from engine.runtime.sealing_key import CREDENTIAL, SealingKey, Unreadable, is_sealed, key_of, narrow, write
from engine.sip import digest

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes: people type this into phones
credential_bytes_max = 4_096
FORMAT = 2  # of the file: since 2 what is no hash lies sealed


class AgentSecret(msgspec.Struct):
    realm: str
    ha1: dict[str, str]


class _File(msgspec.Struct):
    """`named` is what `ringdown secret set` puts there; the kinds beside it are an earlier engine's, and an admin's."""

    format: int = FORMAT
    agents: dict[str, AgentSecret] = {}
    trunks: dict[str, str] = {}  # trunk, or name of a secret -> password
    lookups: dict[str, str] = {}  # name of a secret -> the secret
    pins: dict[str, str] = {}  # box -> "salt:hash" of its PIN
    mail: dict[str, str] = {}  # name of a secret -> password for the mail server
    bus: str = ""  # the broker's
    named: dict[str, str] = {}  # name of a secret -> the secret, for whatever names it


KINDS = ("named", "trunks", "lookups", "mail")


class Password(msgspec.Struct, frozen=True):
    """A password that exists in clear only now. `agent` is "tenant/number"."""

    agent: str
    realm: str
    password: str


def default_data_folder() -> Path:
    """$XDG_STATE_HOME/ringdown, else ~/.local/state/ringdown."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "ringdown"


def prepare_folder(folder: Path) -> Path:
    """Make the data folder with mode 0700 (and narrow one that is wider). Raises SiteError with a remedy."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise SiteError(f"can't use the data folder {folder}: {error.strerror}; choose another by --data") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SiteError(f"the data folder {folder} is not writable for this user; choose another by --data")
    return folder


def new_password() -> str:
    """Twelve characters in three groups, 59 bits: `x7kd-p2mq-9hta`."""
    groups = ("".join(chance.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


class Secrets:
    """The secrets file, read and written whole (atomically). `told`: lines for the log, of what was mended or sealed.

    Raises SiteError when the file or the key can't be used.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "secrets.json"
        self.key = SealingKey(folder)
        self.told: list[str] = list(self.key.told)
        self._seen_ns = self._changed_ns()  # when the file was changed, as of what is known of it
        self._file = self._read()
        self._seal_all()

    def _changed_ns(self) -> int:
        return self.path.stat().st_mtime_ns if self.path.exists() else 0

    def _read(self) -> _File:
        if not self.path.exists():
            return _File()
        try:
            self.told += narrow(self.path)
            return msgspec.json.decode(self.path.read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError) as error:
            raise SiteError(f"can't read {self.path}: {error}; repair it, or move it away for new passwords") from error

    def _seal_all(self) -> None:
        """Seal what is in clear or under an earlier key, and save it. What can't be opened here stays as it is."""
        in_clear = sum(not is_sealed(text) for _, _, text in self._all())
        if self._seal() and self.path.exists():
            self.save()
            if in_clear:
                self.told.append(f"{in_clear} secret(s) in clear in {self.path} are sealed now (key {self.key.name})")
        for key in sorted({key_of(text) for _, _, text in self._all() if not self.key.can_open(text)}):
            lost = ", ".join(name or kind for kind, name, text in self._all() if key_of(text) == key)
            self.told.append(
                f"secrets sealed with the key {key}, which is not here, can't be used: {lost}; bring that key back "
                f"({self.key.path}, or the credential {CREDENTIAL}), or put them there anew: ringdown secret set NAME"
            )

    def take_told(self) -> list[str]:
        """The lines for the log since this was last asked for."""
        told, self.told = self.told, []
        return told

    def _all(self) -> list[tuple[str, str, str]]:
        """(kind, name, text) of every secret that lies sealed."""
        found = [(kind, name, text) for kind in KINDS for name, text in sorted(getattr(self._file, kind).items())]
        return [*found, ("bus", "", self._file.bus)] if self._file.bus else found

    def _seal(self) -> int:
        """Bring everything that can be opened under the key that seals; how many were changed."""
        changed = 0
        for kind, name, text in self._all():
            if not text or (is_sealed(text) and (key_of(text) == self.key.name or not self.key.can_open(text))):
                continue
            bound = f"{kind}/{name}"
            try:
                sealed = self.key.seal(bound, self.key.open(bound, text))
            except Unreadable as error:
                shown = name or kind
                self.told.append(f"the secret {shown} can't be used: {error}; ringdown secret set {shown}")
                continue
            if kind == "bus":
                self._file.bus = sealed
            else:
                getattr(self._file, kind)[name] = sealed
            changed += 1
        self._file.format = FORMAT
        return changed

    def _opened(self, kind: str, name: str) -> str:
        """A secret of the file in clear; '' when it isn't there, or can't be opened here."""
        text: str = self._file.bus if kind == "bus" else getattr(self._file, kind).get(name, "")
        try:
            return self.key.open(f"{kind}/{name}", text) if text else ""
        except Unreadable:
            return ""

    def save(self) -> None:
        """Write the file 0600 beside itself and rename: a crash leaves the old one or the new one.

        What the admin has put into it since it was read stays, and is sealed. Raises SiteError when it can't be read
        any more.
        """
        if self._changed_ns() != self._seen_ns:
            self._take(self._read())
        self._seal()
        write(self.path, msgspec.json.format(msgspec.json.encode(self._file), indent=2) + b"\n")
        self._seen_ns = self._changed_ns()

    def _take(self, now: _File) -> None:
        """Agents and PINs are ours, the rest the admin's."""
        for kind in KINDS:
            setattr(self._file, kind, getattr(now, kind))
        self._file.bus = now.bus
        if not all(self.key.can_open(text) for _, _, text in self._all()):
            self.key = SealingKey(self.path.parent)  # an operator's command has made the first key, or a new one
            self.told += self.key.told

    def ensure(self, site: Site) -> list[Password]:
        """Make what is missing for the site's agents; returns the new passwords, in the site's order, and saves."""
        made = []
        for key, agent in sorted(site.agents.items()):
            tenant = site.tenants.get(agent.tenant)
            realm = tenant.realm if tenant else agent.tenant
            known = self._file.agents.get(key)
            if known is None or known.realm != realm:
                made.append(self._make(key, realm, agent.number))
        made += [self._make_pin(box) for box, model in sorted(site.boxes.items())
                 if model.pin and box not in self._file.pins]  # fmt: skip
        if made:
            self.save()
        return made

    def new_pin(self, site: Site, box: str) -> Password:
        """A new PIN for "tenant/name" (or a bare name that only one tenant has). Raises SiteError."""
        found = [key for key in sorted(site.boxes) if box in (key, key.partition("/")[2])]
        if len(found) != 1:
            choices = f"say one of {', '.join(found)}" if found else "`ringdown voicemail` lists the boxes"
            raise SiteError(f"{'several tenants have a' if found else 'no'} box {box!r}: {choices}")
        made = self._make_pin(found[0])
        self.save()
        return made

    def _make_pin(self, box: str) -> Password:
        pin = "".join(chance.choice("0123456789") for _ in range(pins.DIGITS))
        self._file.pins[box] = pins.sealed(pin, chance.token_hex(8))
        return Password(f"box {box}", "", pin)

    def mail_password(self, name: str) -> str:
        """The password under which mail is handed in: of the environment, the service manager, or the file; '' none."""
        variable = f"RINGDOWN_SECRET_{name.upper().replace('-', '_')}"
        return os.environ.get(variable) or credential(name) or self._kept("mail", name)

    def bus_password(self, name: str) -> str:
        """The broker's, from RINGDOWN_BUS, the credential `bus`, or the file; '' when none is there."""
        given = os.environ.get("RINGDOWN_BUS", "") or credential("bus")
        return given or self._opened("named", name or "bus") or self._opened("bus", "")

    def _kept(self, kind: str, name: str) -> str:
        """A secret of the file: what was set by this name goes before what lay there."""
        return self._opened("named", name) or self._opened(kind, name)

    def rotate(self, site: Site, agent: str) -> Password:
        """A new password for "tenant/number" (or a bare number that only one tenant has). Raises SiteError."""
        key = resolve_agent(site, agent)
        model = site.agents[key]
        tenant = site.tenants.get(model.tenant)
        made = self._make(key, tenant.realm if tenant else model.tenant, model.number)
        self.save()
        return made

    def _make(self, key: str, realm: str, user: str) -> Password:
        password = new_password()
        self._file.agents[key] = AgentSecret(realm, digest.ha1(user, realm, password))
        return Password(key, realm, password)

    def refresh(self) -> bool:
        """Take over what has been put into the file since, and seal it; was there anything? Raises SiteError."""
        changed_ns = self._changed_ns()
        if changed_ns == self._seen_ns:
            return False
        self._take(self._read())
        self._seen_ns = changed_ns
        self._seal_all()
        return True

    def lookup(self, name: str) -> str:
        """The secret of a lookup: from RINGDOWN_LOOKUP_NAME, the credential `lookup_NAME`, or the file as it is now; ''
        missing. Raises SiteError."""
        given = os.environ.get(f"RINGDOWN_LOOKUP_{name.upper().replace('-', '_')}") or credential(f"lookup_{name}")
        if given:
            return given
        self.refresh()
        return self._kept("lookups", name)

    def names(self) -> dict[str, str]:
        """Every secret that lies sealed in the file -> the digits of its key; the bus's own is called `bus`."""
        self.refresh()
        return {name or kind: key_of(text) for kind, name, text in reversed(self._all())}

    def readable(self, name: str) -> bool:
        """Can the secret of this name be opened here?"""
        return any(self._opened(kind, name) for kind in KINDS) or (name == "bus" and bool(self._opened("bus", "")))

    def put(self, name: str, secret: str) -> bool:
        """Keep a secret sealed in the file under its name, '' forgets it; False: there was none. Raises SiteError."""
        self.refresh()
        held = [kind for kind in KINDS if name in getattr(self._file, kind)]
        ours = name == "bus" and bool(self._file.bus)
        if not secret and not held and not ours:
            return False
        if not secret:
            for kind in held:
                del getattr(self._file, kind)[name]
            self._file.bus = "" if ours else self._file.bus
        else:
            self._file.named[name] = self.key.seal(f"named/{name}", secret)
        self.save()
        return True

    def rotate_key(self) -> tuple[str, str, int]:
        """Seal everything with a new key, and end the old ones: (old digits, new digits, how many). Raises SiteError.

        A crash on the way loses nothing: until all is sealed anew the key file holds both. It is refused while there is
        something that can't be opened here, for its key might still be found.
        """
        self.refresh()
        stuck = [name or kind for kind, name, text in self._all() if not self.key.can_open(text)]
        if stuck:
            raise SiteError(f"the key of {', '.join(stuck)} is not here: bring it back, or ringdown secret remove them")
        before = self.key.name
        after = self.key.begin_rotation()
        self.save()
        self.key.end_rotation()
        return before, after, len(self._all())

    def loaded(self, site: Site) -> SecretsLoaded:
        """The input for the Switch: agents of this site, and trunks whose password is here or in the environment."""
        agents = {
            key: secret.ha1 for key, secret in sorted(self._file.agents.items()) if key in site.agents
        }
        trunks = {}
        for name, trunk in sorted(site.trunks.items()):
            variable = f"RINGDOWN_TRUNK_{name.upper().replace('-', '_')}"
            places = ("named", trunk.secret), ("trunks", name), ("trunks", trunk.secret)
            stored = next((found for kind, each in places if (found := self._opened(kind, each))), "")
            kept = credential(f"trunk_{name}") or (credential(f"trunk_{trunk.secret}") if trunk.secret else "")
            password = os.environ.get(variable) or kept or stored
            if trunk.user and password:
                trunks[name] = (trunk.user, password)
        return SecretsLoaded(agents, trunks, {box: pin for box, pin in sorted(self._file.pins.items())
                                              if box in site.boxes})  # fmt: skip


def credential(name: str) -> str:
    """A credential of the service manager (systemd.exec(5), LoadCredential=); '' without one.

    One line break at its end is left out, as editors put it there. Raises SiteError when it is there and can't be used.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder or "/" in name or name.startswith("."):
        return ""
    path = Path(folder) / name
    try:
        with path.open("rb") as file:
            data = file.read(credential_bytes_max + 1)
        text = data.decode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"can't read the credential {path}: {error}") from error
    text = text.removesuffix("\n").removesuffix("\r")
    if len(data) > credential_bytes_max or not text or not text.isprintable():
        raise SiteError(f"the credential {path} must be one line of 1 to {credential_bytes_max} bytes")
    return text


def resolve_agent(site: Site, agent: str, *, strict: bool = True) -> str:
    """ "tenant/number" of what an operator typed; of several tenants' agents the default tenant's is meant.

    Raises SiteError naming the choices when more than one can be meant or, if `strict`, nobody.
    """
    for key in (agent, f"default/{agent}"):
        if key in site.agents:
            return key
    found = [key for key, model in sorted(site.agents.items()) if agent in (model.number, model.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SiteError(f"agent {agent} exists in several tenants: say one of {', '.join(found)}")
    if strict:
        raise SiteError(f"no agent {agent} in this site")
    return agent
