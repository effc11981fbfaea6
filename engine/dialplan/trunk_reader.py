"""trunks.yaml and outbound.yaml -> typed models. Names are checked by `reader`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from engine import limits, marks
from engine.dialplan import codecs_reader, route_reader, values
from engine.dialplan.addresses import host as is_host
from engine.dialplan.addresses import network
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.gate_reader import read_trunk
from engine.dialplan.model import WAYS_OF_KEYS, OutboundRule, TrunkModel
from engine.dialplan.numbers_reader import read_plan

_NUMBER = re.compile(r"\+?[0-9]{1,32}")
_PATTERN = re.compile(r"\+?[0-9x*#]{0,32}\.?")
_HOUR = 3_600_000
_SIP = re.compile(r"sips?:[A-Za-z0-9_.!~*'()&=+$,;?/%-]+@[A-Za-z0-9.\[\]:-]+(?:;[A-Za-z0-9=._-]+)*")
TRUNK_KEYS = (
    "host", "port", "transport", "addresses", "user", "password", "auth", "calls_max", "trust_identity",
    "media_from", "country", "session_timer", "dtmf", "tenant", "about", "refer", "profile", "numbers",
    "ringing", "forward", "replaces", "office", "tls_name", "srtp", "codecs", "deny", *route_reader.KEYS,
)  # fmt: skip
FORWARD = ("refuse", "follow")
TRUNK_LATER = ("fallback", "caller_id")


def read_trunks(report: Report, root: marks.Node | None) -> dict[str, tuple[TrunkModel, marks.Mapping]]:
    """trunks.yaml: name -> trunk."""
    found: dict[str, tuple[TrunkModel, marks.Mapping]] = {}
    for key, value in values.mapping(report, root, "trunks.yaml") or ():
        name = values.name(report, key, "a trunk")
        form = values.mapping(report, value, f"the trunk {key.text}")
        if name is not None and form is not None:
            found[name] = (_trunk(report, form, key, name), form)
    return found


def _trunk(report: Report, form: marks.Mapping, key: marks.Scalar, name: str) -> TrunkModel:
    remedy = "write: password: secret NAME; `ringdown secret move --site DIR` does it, and keeps the secret sealed"
    values.no_passwords(report, form, remedy)
    known = (*TRUNK_KEYS, *values.PASSWORD_KEYS)
    values.known_keys(report, form, "a trunk", known, TRUNK_LATER)
    entries = form.entries
    changes: dict[str, Any] = {}
    host = values.scalar(report, entries.get("host"), "host")
    if host is not None and is_host(report, host, "host"):
        changes["host"] = host.text
    port = values.number(report, entries.get("port"), "port", 1, 65_535)
    transport = values.choice(report, entries.get("transport"), "transport", ("udp", "tcp", "tls"))
    addresses = values.scalars(report, entries.get("addresses"), "addresses")
    changes["addresses"] = tuple(each.text for each in addresses if network(report, each))
    if not changes.get("host") and not addresses and "host" not in entries and not route_reader.accepts(form):
        report.add("RD022", key, f"the trunk {name} has neither host nor addresses", "add host: or addresses:")
    user = values.scalar(report, entries.get("user"), "user")
    secret = values.scalar(report, entries.get("auth") or entries.get("password"), "auth")
    if secret is not None and secret.text.startswith("secret "):
        changes["secret"] = secret.text.removeprefix("secret ").strip()
    elif secret is not None and "auth" in entries:
        remedy = "write: auth: secret NAME; `ringdown secret move --site DIR` does it, and keeps the secret sealed"
        report.add("RD080", secret, "a literal secret in a site's file", remedy)
    changes["user"] = user.text if user is not None else ""
    changes["port"] = port or (5061 if transport == "tls" else 5060)
    changes["transport"] = transport or "udp"
    certified = values.scalar(report, entries.get("tls_name"), "tls_name")
    if certified is not None and is_host(report, certified, "tls_name"):
        changes["tls_name"] = certified.text
    changes["calls_max"] = values.number(report, entries.get("calls_max"), "calls_max", 1, limits.calls_max) or 0
    changes["trust_identity"] = bool(values.flag(report, entries.get("trust_identity"), "trust_identity"))
    media = values.scalar(report, entries.get("media_from"), "media_from")
    if media is not None and (media.text in ("any", "signalled") or network(report, media)):
        changes["media_from"] = media.text
    changes["country"] = values.choice(report, entries.get("country"), "country", values.COUNTRIES) or "us"
    timer = values.duration(report, entries.get("session_timer"), "session_timer", 90_000, 24 * _HOUR)
    changes["session_timer_s"] = timer // 1_000 if timer else limits.session_expires_s_default
    dtmf = values.choice(report, entries.get("dtmf"), "dtmf", WAYS_OF_KEYS)
    changes["dtmf"] = dtmf or "auto"
    changes["refer"] = bool(values.flag(report, entries.get("refer"), "refer"))
    changes["replaces"] = bool(values.flag(report, entries.get("replaces"), "replaces"))
    ringing = values.choice(report, entries.get("ringing"), "ringing", ("plain", "acknowledged"))
    changes["reliable"] = ringing == "acknowledged"
    changes["forward"] = values.choice(report, entries.get("forward"), "forward", FORWARD) == "follow"
    changes["srtp"] = values.srtp(report, entries.get("srtp"))
    if changes["srtp"] == "required" and changes["transport"] != "tls":
        hint = "use transport: tls, or a network between you that nobody else listens in"
        report.add("RD345", entries["srtp"], f"the keys of {name} travel readable over {changes['transport']}", hint)
    route_reader.read(report, form, key, changes)
    changes["codecs"] = codecs_reader.read(report, entries.get("codecs"))
    changes["office"] = values.name(report, entries.get("office"), "an office") or ""
    changes["numbers"] = read_plan(report, entries.get("numbers"))
    changes["deny"] = read_trunk(report, entries)
    return TrunkModel(name, **changes)


OUTBOUND_KEYS = ("trunk", "trunks", "strip", "prepend", "caller_id", "teams", "tenants", "about")


def read_outbound(
    report: Report, root: marks.Node | None, trunks: dict[str, TrunkModel], tenants: Iterable[str], teams: Iterable[str]
) -> tuple[OutboundRule, ...]:
    """outbound.yaml: pattern -> rule, in file order; the first that matches is taken."""
    rules: list[OutboundRule] = []
    seen: list[str] = []
    for key, value in values.mapping(report, root, "outbound.yaml") or ():
        if _PATTERN.fullmatch(key.text) is None or key.text.strip("+") in ("",):
            hint = "digits, x for one digit, a final . for any rest, as in 00. or 0[…] written 0x."
            report.add("RD082", key, f"{key.text!r} is not a number pattern", hint)
            continue
        for earlier in seen:
            if earlier == key.text or (
                earlier.endswith(".") and key.text.startswith(earlier[:-1]) and "x" not in earlier
            ):
                message = f"{key.text!r} is never reached: {earlier!r} stands before it"
                report.add("RD088", key, message, "put the longer pattern first")
                break
        seen.append(key.text)
        rules.extend(_rule(report, key, value, tuple(trunks), tuple(tenants), tuple(teams)))
    route_reader.advise(report, root, trunks)
    return tuple(rules)


def _rule(
    report: Report,
    key: marks.Scalar,
    value: marks.Node,
    trunks: tuple[str, ...],
    tenants: tuple[str, ...],
    teams: tuple[str, ...],
) -> list[OutboundRule]:
    if isinstance(value, marks.Scalar):
        trunk: marks.Scalar | None = value
        form = marks.Mapping({}, {}, value.file, value.line, value.column)
    else:
        found = values.mapping(report, value, f"the rule {key.text}")
        if found is None:
            return []
        form = found
        values.known_keys(report, form, "an outbound rule", OUTBOUND_KEYS)
        trunk = values.scalar(report, form.entries.get("trunk"), "trunk")
        if "trunk" not in form.entries and "trunks" not in form.entries:
            report.add("RD022", key, f"the rule {key.text} names no trunk", "add trunk: NAME, or trunks: [NAME, NAME]")
        elif "trunk" in form.entries and "trunks" in form.entries:
            report.add("RD023", form.keys["trunks"], "a rule has trunk: or trunks:, not both", "keep trunks:")
            return []
    entries = form.entries
    routes = route_reader.routes(report, entries["trunks"], trunks) if "trunks" in entries else ()
    if trunk is None and not routes:
        return []
    if trunk is not None and trunk.text not in trunks:
        report.add("RD036", trunk, f"no trunk {trunk.text!r}", did_you_mean(trunk.text, trunks))
        return []
    first = trunk.text if trunk is not None else min(routes, key=lambda each: each.priority).trunk
    strip = values.number(report, entries.get("strip"), "strip", 0, len(key.text.rstrip("."))) or 0
    prepend = _plain_number(report, entries.get("prepend"), "prepend")
    caller_id = _plain_number(report, entries.get("caller_id"), "caller_id")
    allowed = []
    for team in values.scalars(report, entries.get("teams"), "teams"):
        if team.text in teams:
            allowed.append(team.text)
        else:
            report.add("RD043", team, f"no agent is in the team {team.text!r}", did_you_mean(team.text, teams))
    owners = []
    for owner in values.scalars(report, entries.get("tenants"), "tenants"):
        if owner.text in tenants:
            owners.append(owner.text)
        else:
            report.add("RD041", owner, f"no tenant {owner.text!r}", did_you_mean(owner.text, tenants))
    return [
        OutboundRule(owner, key.text, first, strip, prepend, caller_id, tuple(allowed), routes)
        for owner in owners or [ROOT_TENANT]
    ]


def _plain_number(report: Report, node: marks.Node | None, what: str) -> str:
    found = values.scalar(report, node, what)
    if found is None:
        return ""
    if _NUMBER.fullmatch(found.text) is None and not (what == "prepend" and found.text == "+"):
        report.add("RD082", found, f"{what}: {found.text!r} is not a number")
        return ""
    return found.text


# --- addresses ---------------------------------------------------------------------------------------------
