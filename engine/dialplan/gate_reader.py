"""`gate` of site.yaml, and of a tenant: whose messages are heard.

    gate:
      deny: [203.0.113.0/24, '2001:db8::/32']
      trusted: [192.0.2.7]
      scanners: {words: [probe-o-matic]}
      listeners:
        udp:0.0.0.0:5060: {allow: [192.0.2.0/24]}
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.findings import did_you_mean
from engine.dialplan.gate_model import AccessModel, GateModel

if TYPE_CHECKING:
    from engine.dialplan.findings import Report

ACCESS_KEYS = ("allow", "deny", "about")
SITE_KEYS = (*ACCESS_KEYS, "listeners", "trusted", "scanners", "per_second")
SCANNER_KEYS = ("words", "answer")
WORD_CHARACTERS_MIN = 4  # shorter ones would be in the name of many a phone


def read_site(report: Report, root: marks.Mapping, listen: tuple[str, ...]) -> GateModel | None:
    """`gate:` of site.yaml, None without one. `listen`: the addresses that the site listens on."""
    form = values.mapping(report, root.entries.get("gate"), "gate")
    if form is None:
        return None
    values.known_keys(report, form, "gate", SITE_KEYS)
    entries, changes = form.entries, dict[str, Any]()
    changes["access"] = _access(report, form)
    changes["trusted"] = _networks(report, entries.get("trusted"), "trusted")
    listeners: dict[str, AccessModel] = {}
    for key, value in values.mapping(report, entries.get("listeners"), "listeners") or ():
        own = values.mapping(report, value, f"the listener {key.text}")
        if listen and key.text not in listen:
            report.add("RD368", key, f"nothing listens on {key.text!r}", did_you_mean(key.text, listen))
        if own is not None:
            values.known_keys(report, own, "a listener", ACCESS_KEYS)
            listeners[key.text] = _access(report, own)
    changes["listeners"] = listeners
    scanners = values.mapping(report, entries.get("scanners"), "scanners")
    if scanners is not None:
        values.known_keys(report, scanners, "scanners", SCANNER_KEYS)
        changes["answer_scanners"] = bool(values.flag(report, scanners.entries.get("answer"), "answer"))
        changes["scanners"] = tuple(_words(report, scanners.entries.get("words")))
    most = limits.source_messages_per_second_most
    changes["per_second"] = values.number(report, entries.get("per_second"), "per_second", 10, most) or 0
    return GateModel(**changes)


def read_tenant(report: Report, entries: dict[str, marks.Node]) -> AccessModel | None:
    """`gate:` of a tenant: where its phones may register and call from."""
    form = values.mapping(report, entries.get("gate"), "gate")
    if form is None:
        return None
    values.known_keys(report, form, "gate of a tenant", ACCESS_KEYS)
    return _access(report, form)


def read_trunk(report: Report, entries: dict[str, marks.Node]) -> tuple[str, ...]:
    """`deny:` of a trunk: addresses within its `addresses` that are not it."""
    return _networks(report, entries.get("deny"), "deny")


def _access(report: Report, form: marks.Mapping) -> AccessModel:
    allow, deny = (_networks(report, form.entries.get(key), key) for key in ("allow", "deny"))
    for each in values.scalars(report, form.entries.get("deny"), "deny"):
        if each.text in allow:
            hint = "take it out of one of them"
            report.add("RD369", each, f"{each.text} is allowed and denied: it is denied", hint)
    return AccessModel(allow, deny)


def _networks(report: Report, node: marks.Node | None, what: str) -> tuple[str, ...]:
    return tuple(each.text for each in values.scalars(report, node, what) if _network(report, each))


def _network(report: Report, node: marks.Scalar) -> bool:
    """Numbers only: a name would have to be looked up before its first message is heard."""
    try:
        ipaddress.ip_network(node.text)
    except ValueError:
        hint = "as in 192.0.2.10, 192.0.2.0/24 (its host bits are 0) or '2001:db8::/32'; names can't stand here"
        report.add("RD086", node, f"{node.text!r} is not an address or a network", hint)
        return False
    return True


def _words(report: Report, node: marks.Node | None) -> list[str]:
    found = []
    for each in values.scalars(report, node, "words"):
        if len(each.text) < WORD_CHARACTERS_MIN or not each.text.isascii():
            hint = f"write at least {WORD_CHARACTERS_MIN} letters of what stands in its User-Agent"
            report.add("RD022", each, f"{each.text!r} would be found in the names of good phones", hint)
        else:
            found.append(each.text.lower())
    return found
