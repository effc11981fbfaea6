"""How a trunk of trunks.yaml is found, registered with and watched; the trunks of an outbound rule in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.addresses import host as is_host
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import TrunkModel
from engine.dialplan.trunk_model import EnrolModel, ProbeModel, Route

KEYS = ("register", "account", "probe", "calls_per_second", "answer_within", "next_on")
ENROL_KEYS = ("registrar", "domain", "user", "contact", "expires")
PROBE_KEYS = ("within", "bad", "good")
ROUTE_KEYS = ("trunk", "weight", "priority")
_USER = re.compile(r"[A-Za-z0-9_.!~*'()&=+$,;?/%-]{1,64}")
PROBE_COUNT_MAX = 10
ACCEPT = "accept"  # of `register`: the box registers with us


def read(report: Report, form: marks.Mapping, key: marks.Scalar, changes: dict[str, Any]) -> None:
    """Add the fields of `TrunkModel` that these keys make to `changes`, which holds host, port, transport and user."""
    entries = form.entries
    if accepts(form):
        changes["accounts"] = _accounts(report, form, key)
        changes["user"] = changes["accounts"][0] if changes["accounts"] else ""
    elif "account" in entries:
        hint = "register: accept, or take account: away"
        report.add("RD022", form.keys["account"], f"{key.text} has an account:, but lets no box register", hint)
    if "host" in changes:
        named = re.fullmatch(r"[0-9.]+|\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\]?", changes["host"]) is None
        if named and "port" not in entries:  # RFC 3263 §4.1: what the admin says, the DNS isn't asked for
            changes["find"] = "srv" if "transport" in entries else "naptr"
    most = values.number(report, entries.get("calls_per_second"), "calls_per_second", 1, 1_000)
    changes["calls_per_second"] = most or 0
    silent = values.duration(report, entries.get("answer_within"), "answer_within", limits.trunk_silent_ms_min,
                             limits.trunk_silent_ms_max)  # fmt: skip
    changes["silent_ms"] = silent or limits.trunk_silent_ms_default
    changes["next_on"] = _statuses(report, entries.get("next_on"))
    changes["probe"] = _probe(report, entries.get("probe"), changes)
    changes["enrol"] = _enrol(report, entries.get("register"), key, changes)


def accepts(form: marks.Mapping) -> bool:
    """`register: accept`: the box registers with us, and has no address of its own in the site."""
    node = form.entries.get("register")
    return isinstance(node, marks.Scalar) and node.text == ACCEPT


def _statuses(report: Report, node: marks.Node | None) -> tuple[int, ...]:
    found = []
    for each in values.scalars(report, node, "next_on"):
        if re.fullmatch(r"[45][0-9]{2}", each.text) is None or each.text in ("486", "487"):
            hint = "a call that a person has refused, or that was given up, never goes to another trunk"
            report.add("RD085", each, f"next_on: {each.text!r} can't send a call to the next trunk", hint)
        else:
            found.append(int(each.text))
    return tuple(found)


def _switched(node: marks.Node | None) -> bool | None:
    """`yes` or `no` alone; None: it says more, or nothing."""
    return {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}.get(
        node.text if isinstance(node, marks.Scalar) else ""
    )


def _probe(report: Report, node: marks.Node | None, changes: dict[str, Any]) -> ProbeModel | None:
    """`probe: yes`, `probe: 30s` or {within, bad, good}."""
    switched = _switched(node)
    if node is None or switched is False:
        return None
    if not changes.get("host"):
        report.add("RD022", node, "a trunk without host can't be probed", "add host:, or take probe: away")
        return None
    if switched:
        return ProbeModel(limits.probe_ms_default)
    form = node if isinstance(node, marks.Mapping) else None
    if form is not None:
        values.known_keys(report, form, "probe", PROBE_KEYS)
    within = values.duration(report, form.entries.get("within") if form is not None else node, "probe",
                             limits.probe_ms_min, limits.probe_ms_max)  # fmt: skip
    entries = form.entries if form is not None else {}
    bad = values.number(report, entries.get("bad"), "bad", 1, PROBE_COUNT_MAX)
    good = values.number(report, entries.get("good"), "good", 1, PROBE_COUNT_MAX)
    return ProbeModel(within or limits.probe_ms_default, bad or 2, good or 3)


def _enrol(
    report: Report, node: marks.Node | None, key: marks.Scalar, changes: dict[str, Any]
) -> EnrolModel | None:
    """`register: yes` or {registrar, domain, user, contact, expires}."""
    switched = _switched(node)
    if node is None or switched is False or "accounts" in changes:
        return None
    form = None if switched else values.mapping(report, node, "register")
    if form is None and not switched:
        return None
    entries = form.entries if form is not None else {}
    if form is not None:
        values.known_keys(report, form, "register", ENROL_KEYS)
    user = _user(report, entries.get("user"), "user") or str(changes.get("user", ""))
    host, port = _registrar(report, entries.get("registrar"))
    host = host or str(changes.get("host", ""))
    if not user:
        report.add("RD022", key, f"the trunk {key.text} is to be registered with, but has no user", "add user: NAME")
    if not host:
        report.add("RD022", key, f"the trunk {key.text} has no registrar", "add host:, or register: {registrar: HOST}")
    if not user or not host:
        return None
    domain = values.scalar(report, entries.get("domain"), "domain")
    named = domain.text if domain is not None and is_host(report, domain, "domain") else host
    expires = values.duration(report, entries.get("expires"), "expires", 60_000, 1_000 * limits.enrol_s_max)
    return EnrolModel(
        host, named, user, _user(report, entries.get("contact"), "contact") or user,
        expires // 1_000 if expires else limits.enrol_s_default, port,
    )  # fmt: skip


def _accounts(report: Report, form: marks.Mapping, key: marks.Scalar) -> tuple[str, ...]:
    """`register: accept` with `account: NAME`, or a list of them: a box with several ports registers each."""
    entries = form.entries
    for name in ("host", "addresses", "probe", "user"):
        if name in entries:
            hint = f"take {name}: away: a box that registers is known, called and asked where it has registered from"
            message = f"the trunk {key.text} registers with us, and has {name}: too"
            report.add("RD364", form.keys.get(name, key), message, hint)
    if "account" not in entries:
        hint = "add account: NAME, and the same name as the user in the box"
        report.add("RD022", key, f"the trunk {key.text} may register with us, but has no account", hint)
    if "auth" not in entries and "password" not in entries:
        hint = "write: password: secret NAME, and put the value into the data folder under that name"
        report.add("RD022", key, f"the trunk {key.text} may register with us, but has no password", hint)
    found: list[str] = []
    for each in values.scalars(report, entries.get("account"), "account"):
        user = _user(report, each, "account")
        if user in found:
            report.add("RD365", each, f"the account {user} stands twice", "leave one out")
        elif user:
            found.append(user)
    return tuple(found)


def taken(
    report: Report, forms: Mapping[str, tuple[TrunkModel, marks.Mapping]], trunks: Mapping[str, TrunkModel],
    agents: Mapping[str, Iterable[str]],
) -> None:  # fmt: skip
    """RD365: an account is one trunk's, and no agent's. `agents`: the numbers of each tenant's."""
    owners = {f"{tenant}/{number}": f"agent {number}" for tenant, numbers in agents.items() for number in numbers}
    for name, model in trunks.items():
        for user in model.accounts:
            key = f"{model.tenant}/{user}"
            if key in owners:
                place = forms[name][1].keys["account"]
                report.add("RD365", place, f"{user} is {owners[key]}'s already", "choose another account")
            owners.setdefault(key, f"the trunk {name}")


def _user(report: Report, node: marks.Node | None, what: str) -> str:
    found = values.scalar(report, node, what)
    if found is None:
        return ""
    if _USER.fullmatch(found.text) is None:
        report.add("RD024", found, f"{what}: {found.text!r} is no user of a SIP address", "as in sip:USER@carrier")
        return ""
    return found.text


def _registrar(report: Report, node: marks.Node | None) -> tuple[str, int]:
    """(host, port or 0)."""
    found = values.scalar(report, node, "registrar")
    if found is None:
        return "", 0
    parts = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:]+)(?::([0-9]{1,5}))?", found.text)
    if parts is None or int(parts[2] or 1) not in range(1, 65_536):
        report.add("RD086", found, f"registrar: {found.text!r} is no host", "write it like sip.example.net:5060")
        return "", 0
    alone = marks.Scalar(parts[1], found.file, found.line, found.column)
    return (parts[1], int(parts[2] or 0)) if is_host(report, alone, "registrar") else ("", 0)


# --- the trunks of a rule --------------------------------------------------------------------------------------------
def routes(report: Report, node: marks.Node, trunks: tuple[str, ...]) -> tuple[Route, ...]:
    """`trunks: [a, b]` of a rule: in this order. As soon as one has a weight or a priority, those of the same priority
    (1 unless said) share the calls by weight (1 unless said), and lower priorities come first."""
    if not isinstance(node, marks.Sequence):
        report.add("RD023", node, f"trunks is a list, not {values.kind_of(node)}", "trunks: [first, second]")
        return ()
    found: list[Route] = []
    shared = False
    for each in node.items:
        form = each if isinstance(each, marks.Mapping) else None
        if form is not None:
            values.known_keys(report, form, "a trunk of a rule", ROUTE_KEYS)
        name = values.scalar(report, form.entries.get("trunk") if form is not None else each, "trunk")
        if name is None or name.text not in trunks:
            if name is not None:
                report.add("RD036", name, f"no trunk {name.text!r}", did_you_mean(name.text, trunks))
            else:
                report.add("RD022", each, "a trunk of a rule without its name", "add trunk: NAME")
            continue
        if any(route.trunk == name.text for route in found):
            report.add("RD350", name, f"the trunk {name.text} stands twice in one rule", "take one of them out")
            continue
        entries = form.entries if form is not None else {}
        shared = shared or "weight" in entries or "priority" in entries
        weight = values.number(report, entries.get("weight"), "weight", 1, 1_000)
        priority = values.number(report, entries.get("priority"), "priority", 1, 100)
        found.append(Route(name.text, priority or 1, weight or 1))
    if len(node.items) > limits.routes_max:
        report.add("RD024", node, f"a rule has {limits.routes_max} trunks at most, not {len(node.items)}")
    if shared:
        return tuple(found)
    return tuple(Route(each.trunk, place) for place, each in enumerate(found, 1))


def advise(report: Report, root: marks.Node | None, trunks: dict[str, TrunkModel]) -> None:
    """Of several trunks in a rule each needs a probe: without one its death costs every call some seconds."""
    told: dict[str, None] = {}
    for _, rule in root if isinstance(root, marks.Mapping) else ():
        node = rule.entries.get("trunks") if isinstance(rule, marks.Mapping) else None
        items = node.items if isinstance(node, marks.Sequence) and len(node.items) > 1 else []
        for each in items:
            name = each.entries.get("trunk") if isinstance(each, marks.Mapping) else each
            trunk = trunks.get(name.text) if isinstance(name, marks.Scalar) else None
            if trunk is not None and trunk.host and trunk.probe is None and trunk.name not in told:
                told[trunk.name] = None
                message = f"nobody asks whether the trunk {trunk.name} is alive: when it dies, each call waits for it"
                report.add("RD351", name or each, message, f"add probe: 30s to {trunk.name} in trunks.yaml")
