"""What a site takes from profiles: values lent to its trunks and phones, and devices.yaml.

Lending happens in the tree, before anything is read: a value that a trunk or phone doesn't say itself is put there
with the profile's file, line and column. So every later check treats it like the site's own, names the profile's line
when it is wrong, and `origins` can tell which value came from where.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from engine import marks
from engine.dialplan import profiles, values
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import AgentModel, DeviceModel, TrunkModel
from engine.dialplan.profiles import FOLDER, GATEWAY, PHONE, Profile, Shelf

if TYPE_CHECKING:
    from engine.dialplan.site_reader import SiteDraft

DEVICE_KEYS = ("profile", "agent", "trunk", "line", "about", "transport")
_MAC = re.compile(r"[0-9a-f]{12}")
_LINE = re.compile(r"\+?[0-9*#]{1,32}")


class Origin(msgspec.Struct, frozen=True):
    """One value in force of a trunk or phone: `of` names it, `where` is file:line, `because` the profile's source."""

    of: str
    key: str
    value: str
    where: str
    because: str = ""


def fill(report: Report, trees: Mapping[str, marks.Node | None]) -> Shelf:
    """Read the profiles, and lend their values to the trunks and phones that name one. Changes `trees`."""
    shelf = profiles.read_shelf(report, trees)
    for path, root in trees.items():
        if not isinstance(root, marks.Mapping):
            continue
        if path == "trunks.yaml":
            for _, form in root:
                _lend(report, shelf, form, GATEWAY, form)
        elif path.split("/")[-1] == "agents.yaml":
            for _, form in root:
                if isinstance(form, marks.Mapping) and "profile" in form.entries:
                    _lend(report, shelf, form, PHONE, _phone(form))
    return shelf


def _phone(form: marks.Mapping) -> marks.Node:
    """`phone:` of an agent; an empty one is put there when he has none, and stays only if something is lent to it."""
    place = form.keys["profile"]
    return form.entries.get("phone") or marks.Mapping({}, {}, place.file, place.line, place.column)


def _lend(report: Report, shelf: Shelf, owner: marks.Node, kind: str, into: marks.Node) -> None:
    if not isinstance(owner, marks.Mapping) or not isinstance(into, marks.Mapping):
        return
    kept = _find(report, shelf, owner, kind)
    if kept is None:
        return
    statements = kept.form.entries["statements"]
    assert isinstance(statements, marks.Mapping)  # a profile on the shelf is whole
    for name in kept.profile.applies:
        said = statements.entries[name]
        assert isinstance(said, marks.Mapping)
        value = said.entries["says"]
        if name not in into.entries:
            into.entries[name] = value.items[0] if isinstance(value, marks.Sequence) else value
            into.keys[name] = statements.keys[name]
    if into is not owner and into.entries and "phone" not in owner.entries:
        owner.entries["phone"], owner.keys["phone"] = into, owner.keys["profile"]


def _find(report: Report, shelf: Shelf, form: marks.Mapping, kind: str) -> profiles.Kept | None:
    """The profile that `form` names, if it is there and of the right kind. FXS boxes stand for phones too."""
    named = values.scalar(report, form.entries.get("profile"), "profile")
    if named is None:
        return None
    if named.text in shelf.broken:
        return None
    kept = shelf.get(named.text)
    if kept is None:
        fitting = [name for name, each in shelf.items() if _fits(each.profile, kind)]
        hint = did_you_mean(named.text, fitting, otherwise="ringdown profiles lists them")
        report.add("RD380", named, f"no profile {named.text!r}", hint)
        return None
    if not _fits(kept.profile, kind):
        word = "a phone's" if kept.profile.kind == PHONE else "a gateway's"
        fitting = [name for name, each in shelf.items() if _fits(each.profile, kind)]
        hint = did_you_mean(named.text, fitting, otherwise="ringdown profiles lists them by kind")
        report.add("RD384", named, f"{named.text} is {word} profile", hint)
        return None
    return kept


def _fits(profile: Profile, kind: str) -> bool:
    return profile.kind == kind or (kind == PHONE and profile.lines == "fxs")


def devices(
    report: Report, trees: Mapping[str, marks.Node | None], shelf: Shelf, agents: Mapping[str, AgentModel],
    trunks: Mapping[str, TrunkModel], site: SiteDraft,
) -> dict[str, DeviceModel]:  # fmt: skip
    """devices.yaml: MAC address -> device. `agents` are "tenant/number"; a bare number is the default tenant's."""
    found: dict[str, DeviceModel] = {}
    taken: dict[str, marks.Scalar] = {}
    for key, value in values.mapping(report, trees.get("devices.yaml"), "devices.yaml") or ():
        mac = re.sub(r"[:.-]", "", key.text).lower()
        if _MAC.fullmatch(mac) is None:
            hint = "twelve hexadecimal digits, as on the box: 00:0b:82:1a:2b:3c"
            report.add("RD382", key, f"{key.text!r} is not a MAC address", hint)
            continue
        if mac in taken:
            report.add("RD382", key, f"{key.text} stands in line {taken[mac].line} already", "leave one out")
            continue
        taken[mac] = key
        form = values.mapping(report, value, f"the device {key.text}")
        device = _device(report, key, form, mac, shelf, list(agents), trunks) if form is not None else None
        if device is None or form is None:
            continue
        profile = shelf[device.profile].profile
        if device.agent:
            agent = agents[device.agent]
            srtp = agent.srtp or site.srtp
            way = _way(report, key, form, profile, site, srtp == "required")
            found[mac] = msgspec.structs.replace(device, transport=way)
        else:
            found[mac], srtp = device, trunks[device.trunk].srtp
            _trunk_way(report, key, form, profile, trunks[device.trunk])
        if srtp == "required" and srtp not in profiles.written(profile, "srtp"):
            message = f"its file can't turn on SRTP, which {device.agent or device.trunk} requires"
            report.add("RD367", key, message, "turn it on by hand, or write srtp: optional for it")
    return found


def _device(
    report: Report, key: marks.Scalar, form: marks.Mapping, mac: str, shelf: Shelf, agents: list[str],
    trunks: Iterable[str],
) -> DeviceModel | None:  # fmt: skip
    values.known_keys(report, form, "a device", DEVICE_KEYS)
    entries = form.entries
    for_agent, for_trunk = "agent" in entries, "trunk" in entries
    if for_agent == for_trunk:
        message = "whose device is it: an agent's or a trunk's?" if for_agent else f"the device {key.text} is nobody's"
        report.add("RD383", form.keys["trunk"] if for_agent else key, message, "add agent: NUMBER or trunk: NAME")
        return None
    if "profile" not in entries:
        report.add("RD022", key, f"the device {key.text} names no profile", "add profile: NAME")
        return None
    kept = _find(report, shelf, form, PHONE if for_agent else GATEWAY)
    owner = values.scalar(report, entries.get("agent") or entries.get("trunk"), "agent" if for_agent else "trunk")
    line = values.scalar(report, entries.get("line"), "line")
    if line is not None and (for_agent or _LINE.fullmatch(line.text) is None):
        message = "line is for a trunk's box only" if for_agent else f"line: {line.text!r} is not a number"
        report.add("RD024", line, message, "the number of the site that calls from the line go to, as in line: 100")
        return None
    if kept is None or owner is None:
        return None
    if kept.profile.provision is None:
        hint = f"leave it out; ringdown profiles {kept.profile.name} shows what to enter"
        report.add("RD385", key, f"no configuration is written for a {kept.profile.about} yet", hint)
        return None
    if for_trunk and owner.text not in trunks:
        report.add("RD036", owner, f"no trunk {owner.text!r}", did_you_mean(owner.text, trunks))
        return None
    name = owner.text if "/" in owner.text or for_trunk else f"{ROOT_TENANT}/{owner.text}"
    if for_agent and name not in agents:
        report.add("RD035", owner, f"no agent {owner.text!r}", did_you_mean(name, agents))
        return None
    way, said = kept.profile.provision, kept.profile.statements
    return DeviceModel(
        mac, kept.profile.name, way.template, way.file, way.enter, agent=name if for_agent else "",
        trunk=name if for_trunk else "", line=line.text if line is not None else "",
        codecs=tuple(each for each in said["codecs"].says if each in ("PCMU", "PCMA")),
    )  # fmt: skip


def _way(
    report: Report, key: marks.Scalar, form: marks.Mapping, profile: Profile, site: SiteDraft, secret: bool
) -> str:
    """By which transport a phone shall reach us; '' the usual. `secret`: its media must be encrypted, so its keys go by
    TLS where both can."""
    able, heard = profiles.written(profile, "transport"), tuple(each.partition(":")[0] for each in site.listen)
    said = form.entries.get("transport")
    way = values.choice(report, said, "transport", ("udp", "tcp", "tls")) or ""
    if not way:
        return "tls" if secret and "tls" in able and "tls" in heard else ""
    place = said or key
    if way not in able:
        hint = f"{' or '.join(able)}; ringdown profiles {profile.name} shows why"
        report.add("RD366", place, f"nobody could look up how the file of a {profile.name} says {way}", hint)
    elif (heard and way not in heard) or (way == "tls" and site.tls is None):
        hint = "add tls: {certificate: …} and listen: ['tls:…'] to site.yaml" if way == "tls" else "add it to listen:"
        report.add("RD366", place, f"nothing listens on {way}: the phone would never register", hint)
    return way


def _trunk_way(report: Report, key: marks.Scalar, form: marks.Mapping, profile: Profile, trunk: TrunkModel) -> None:
    """A gateway goes by its trunk's transport, where its file can say it."""
    if "transport" in form.entries:
        hint = f"write it to {trunk.name} in trunks.yaml"
        report.add("RD024", form.keys["transport"], "a trunk's box goes by its trunk's transport", hint)
    elif trunk.transport not in profiles.written(profile, "transport"):
        message = f"its file can't say {trunk.transport}, by which {trunk.name} goes"
        report.add("RD367", key, message, f"set it by hand on the box's pages; ringdown profiles {profile.name}")


def origins(files: Mapping[str, object]) -> list[Origin]:
    """Where each value of a trunk or phone with a profile comes from, in file order. What can't be read is left out."""
    trees: dict[str, marks.Node | None] = {}
    for path in sorted(files):
        content = files[path]
        inside = path.startswith(FOLDER) or path == "trunks.yaml" or path.split("/")[-1] == "agents.yaml"
        if inside and path.endswith(".yaml") and isinstance(content, bytes):
            trees[path] = marks.load(content, path)[0]
    shelf = fill(Report(), trees)
    found: list[Origin] = []
    for path, root in trees.items():
        if path.startswith(FOLDER) or not isinstance(root, marks.Mapping):
            continue
        word = "trunk" if path == "trunks.yaml" else "agent"
        home = path.split("/")[1] + "/" if path.startswith("tenants/") else ""
        for key, form in root:
            if isinstance(form, marks.Mapping) and "profile" in form.entries:
                found += _origins(shelf, f"{word} {home}{key.text}", form, word == "agent")
    return found


def _origins(shelf: Shelf, of: str, form: marks.Mapping, phone: bool) -> Iterable[Origin]:
    kept = shelf.get(values.field(form, "profile"))
    inside = form.entries.get("phone") if phone else form
    shown = list(inside) if isinstance(inside, marks.Mapping) else []
    if phone:
        shown.insert(0, (form.keys["profile"], form.entries["profile"]))
    for key, value in shown:
        parts = value.items if isinstance(value, marks.Sequence) else [value]
        text = ", ".join(each.text if isinstance(each, marks.Scalar) else "…" for each in parts)
        because = ""
        if kept is not None and value.file == f"{FOLDER}{kept.profile.name}.yaml":
            because = reason(kept.profile, key.text)
        yield Origin(of, key.text, text, f"{value.file}:{value.line}", because)


def reason(profile: Profile, name: str) -> str:
    """The source of a statement in words: document, version, section; or why it is unverified."""
    said = profile.statements[name]
    return cite(profile, said.source, said.section, said.unverified)


def cite(profile: Profile, source: str, section: str, unverified: str) -> str:
    """`document, version, section`, or `unverified: why`."""
    found = profile.sources.get(source)
    if found is None:
        return f"unverified: {unverified}"
    return f"{found.document} ({found.version}), {section}"
