"""Queues that one tenant lends and another borrows: both must say so, and one without the other is a finding.

tenant.yaml (and site.yaml, for the tenant `default`): `lends: {queues: {overflow: [press, chess]}}` and
`borrows: {queues: [platform/overflow]}`. Whoever borrows a queue names it `platform/overflow`, in steps and in rules.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.options import Scope

LATER = ("teams", "prompts")


class Shares(msgspec.Struct):
    """What a tenant's file says. `lends`: queue -> (its key, the tenants)."""

    lends: dict[str, tuple[marks.Scalar, list[marks.Scalar]]] = {}
    borrows: list[marks.Scalar] = []


def read(report: Report, root: marks.Node | None) -> Shares:
    """The two keys of tenant.yaml or site.yaml."""
    found = Shares()
    if not isinstance(root, marks.Mapping):
        return found
    for word in ("lends", "borrows"):
        form = values.mapping(report, root.entries.get(word), word)
        if form is None:
            continue
        values.known_keys(report, form, word, ("queues",), LATER)
        queues = form.entries.get("queues")
        if word == "borrows":
            found.borrows = values.scalars(report, queues, "borrows queues")
            continue
        for key, node in values.mapping(report, queues, "lends queues") or ():
            found.lends[key.text] = key, values.scalars(report, node, f"lends {key.text}")
    return found


def link(report: Report, scopes: Mapping[str, Scope], shares: Mapping[str, Shares]) -> None:
    """Every borrowed queue into its borrower's scope; each half without its other half is reported."""
    for tenant, held in shares.items():
        for word in held.borrows:
            _borrow(report, scopes, shares, tenant, word)
    for tenant, held in shares.items():
        for name, (key, borrowers) in held.lends.items():
            if name not in scopes[tenant].queues:
                if scopes[tenant].complete:
                    report.add("RD032", key, f"no queue {name!r}", did_you_mean(name, scopes[tenant].queues))
                continue
            for each in borrowers:
                _lent(report, shares, tenant, name, each)


def _borrow(
    report: Report, scopes: Mapping[str, Scope], shares: Mapping[str, Shares], tenant: str, word: marks.Scalar
) -> None:
    owner, _, name = word.text.rpartition("/")
    if owner not in scopes or owner == tenant:
        hint = did_you_mean(owner, [each for each in scopes if each != tenant])
        report.add("RD041", word, f"no other tenant {owner!r} to borrow from", hint or "write it as TENANT/QUEUE")
        return
    queue = scopes[owner].queues.get(name)
    if queue is None:
        if scopes[owner].complete:
            hint = did_you_mean(name, scopes[owner].queues)
            report.add("RD032", word, f"no queue {name!r} of the tenant {owner}", hint)
        return
    _, lent = shares[owner].lends.get(name, (word, []))
    if tenant not in [each.text for each in lent]:
        message = f"{owner} doesn't lend the queue {name!r} to {tenant}"
        report.add("RD114", word, message, f"add it in {_file(owner)}: lends: {{queues: {{{name}: [{tenant}]}}}}")
        return
    scopes[tenant].borrowed[word.text] = queue


def _lent(report: Report, shares: Mapping[str, Shares], owner: str, name: str, word: marks.Scalar) -> None:
    if word.text not in shares:
        report.add("RD041", word, f"no tenant {word.text!r}", did_you_mean(word.text, shares))
    elif f"{owner}/{name}" not in [each.text for each in shares[word.text].borrows]:
        message = f"{word.text} doesn't borrow the queue {name!r}"
        report.add("RD115", word, message, f"add it in {_file(word.text)}: borrows: {{queues: [{owner}/{name}]}}")


def _file(tenant: str) -> str:
    return "site.yaml" if tenant == "default" else f"tenants/{tenant}/tenant.yaml"
