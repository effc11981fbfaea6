"""Agents' and trunks' secrets: generated here, kept in the data folder (0700, file 0600), never in a site.

The file holds only what digest authentication needs (HA1 per algorithm, RFC 7616 and 8760), not the passwords: those
are shown once, when they are made. HA1 covers the realm, so a tenant whose realm changed gets new passwords.

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
from engine.sip import digest

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes: people type this into phones
credential_bytes_max = 4_096


class AgentSecret(msgspec.Struct):
    realm: str
    ha1: dict[str, str]


class _File(msgspec.Struct):
    format: int = 1
    agents: dict[str, AgentSecret] = {}
    trunks: dict[str, str] = {}  # trunk name -> password, put there by the admin
    lookups: dict[str, str] = {}  # name of a secret -> the secret, put there by the admin
    pins: dict[str, str] = {}  # box -> "salt:hash" of its PIN
    mail: dict[str, str] = {}  # name of a secret -> password for the mail server, put there by the admin
    bus: str = ""  # the broker's, put there by the admin


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
    """The secrets file, read and written whole (atomically)."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "secrets.json"
        self._file = self._read()
        self._lookups_ns = -1  # when the file was changed, as of the secrets of lookups that are known

    def _read(self) -> _File:
        if not self.path.exists():
            return _File()
        try:
            if self.path.stat().st_mode & 0o077:
                self.path.chmod(0o600)
            return msgspec.json.decode(self.path.read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError) as error:
            raise SiteError(f"can't read {self.path}: {error}; repair it, or move it away for new passwords") from error

    @property
    def bus(self) -> str:
        """The password of the bus, '' when the admin put none there."""
        return self._file.bus

    def save(self, *, lookups: dict[str, str] | None = None) -> None:
        """Write the file 0600 beside itself and rename: a crash leaves the old one or the new one.

        What the admin has put into it since it was read stays, but for `lookups` where they are given. Raises SiteError
        when it can't be read any more.
        """
        now = self._read()
        self._file.trunks, self._file.lookups = now.trunks, now.lookups if lookups is None else lookups
        self._file.mail, self._file.bus = now.mail, now.bus
        data = msgspec.json.format(msgspec.json.encode(self._file), indent=2)
        beside = self.path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self.path)

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
        return os.environ.get(variable) or credential(name) or self._file.mail.get(name, "")

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

    def refresh(self) -> None:
        """Take over what has been put into the file since: secrets of lookups. Raises SiteError."""
        changed_ns = self.path.stat().st_mtime_ns if self.path.exists() else 0
        if changed_ns != self._lookups_ns:
            self._file.lookups = self._read().lookups
            self._lookups_ns = changed_ns

    def lookup(self, name: str) -> str:
        """The secret of a lookup: from RINGDOWN_LOOKUP_NAME, the credential `lookup_NAME`, or the file as it is now; ''
        missing. Raises SiteError."""
        given = os.environ.get(f"RINGDOWN_LOOKUP_{name.upper().replace('-', '_')}") or credential(f"lookup_{name}")
        if given:
            return given
        self.refresh()
        return self._file.lookups.get(name, "")

    def lookup_names(self) -> list[str]:
        """The secrets of lookups that the file holds."""
        return sorted(self._file.lookups)

    def put_lookup(self, name: str, secret: str) -> bool:
        """Keep the secret of a lookup in the file, '' forget it; False when there was none. Raises SiteError."""
        held = self._read().lookups
        if not secret and name not in held:
            return False
        if secret:
            held[name] = secret
        else:
            del held[name]
        self.save(lookups=held)
        return True

    def loaded(self, site: Site) -> SecretsLoaded:
        """The input for the Switch: agents of this site, and trunks whose password is here or in the environment."""
        agents = {
            key: secret.ha1 for key, secret in sorted(self._file.agents.items()) if key in site.agents
        }
        trunks = {}
        for name, trunk in sorted(site.trunks.items()):
            variable = f"RINGDOWN_TRUNK_{name.upper().replace('-', '_')}"
            stored = self._file.trunks.get(name, "") or self._file.trunks.get(trunk.secret, "")
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
