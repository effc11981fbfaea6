"""Queues and prompts that one tenant lends and another borrows: both must say so, and one without the other is a
finding.

tenant.yaml (and site.yaml, for the tenant `default`): `lends: {queues: {overflow: [press, chess]}}` and
`borrows: {queues: [platform/overflow]}`; the same with `prompts`. Whoever borrows a queue names it
`platform/overflow`, in steps and in rules; a prompt by its own name, below his own prompts and above the stock ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.options import Scope

KINDS = ("queues", "prompts")
LATER = ("teams",)
Lent = dict[str, tuple[marks.Scalar, list[marks.Scalar]]]


class Shares(msgspec.Struct):
    """What a tenant's file says. `lends`: queue -> (its key, the tenants); `lends_prompts` and `borrows_prompts` the
    same of prompts."""

    lends: Lent = {}
    borrows: list[marks.Scalar] = []
    lends_prompts: Lent = {}
    borrows_prompts: list[marks.Scalar] = []


def read(report: Report, root: marks.Node | None) -> Shares:
    """The two keys of tenant.yaml or site.yaml."""
    found = Shares()
    if not isinstance(root, marks.Mapping):
        return found
    for word in ("lends", "borrows"):
        form = values.mapping(report, root.entries.get(word), word)
        if form is None:
            continue
        values.known_keys(report, form, word, KINDS, LATER)
        queues, prompts = form.entries.get("queues"), form.entries.get("prompts")
        if word == "borrows":
            found.borrows = values.scalars(report, queues, "borrows queues")
            found.borrows_prompts = values.scalars(report, prompts, "borrows prompts")
            continue
        for node, kind, held in ((queues, "queues", found.lends), (prompts, "prompts", found.lends_prompts)):
            for key, tenants in values.mapping(report, node, f"lends {kind}") or ():
                held[key.text] = key, values.scalars(report, tenants, f"lends {key.text}")
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
    _prompts(report, scopes, shares)


def _prompts(report: Report, scopes: Mapping[str, Scope], shares: Mapping[str, Shares]) -> None:
    """Every borrowed prompt into the catalogue, under its borrower and its own name."""
    for tenant, held in shares.items():
        for word in held.borrows_prompts:
            owner, _, name = word.text.rpartition("/")
            if owner not in scopes or owner == tenant:
                hint = did_you_mean(owner, [each for each in scopes if each != tenant])
                message = f"no other tenant {owner!r} to borrow from"
                report.add("RD041", word, message, hint or "write it as TENANT/PROMPT")
                continue
            _, lent = shares[owner].lends_prompts.get(name, (word, []))
            if tenant not in [each.text for each in lent]:
                message = f"{owner} doesn't lend the prompt {name!r} to {tenant}"
                remedy = f"add it in {_file(owner)}: lends: {{prompts: {{{name}: [{tenant}]}}}}"
                report.add("RD114", word, message, remedy)
                continue
            scopes[tenant].catalogue.borrowed[tenant, name] = owner
    for owner, held in shares.items():
        for name, (key, borrowers) in held.lends_prompts.items():
            catalogue = scopes[owner].catalogue
            if not catalogue.has(owner, name):
                if scopes[owner].complete:
                    report.add("RD033", key, f"no prompt {name!r}", did_you_mean(name, catalogue.own_names(owner)))
                continue
            catalogue.lent[owner, name] = None
            for each in borrowers:
                if each.text not in shares:
                    report.add("RD041", each, f"no tenant {each.text!r}", did_you_mean(each.text, shares))
                elif f"{owner}/{name}" not in [one.text for one in shares[each.text].borrows_prompts]:
                    message = f"{each.text} doesn't borrow the prompt {name!r}"
                    remedy = f"add it in {_file(each.text)}: borrows: {{prompts: [{owner}/{name}]}}"
                    report.add("RD115", each, message, remedy)


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
