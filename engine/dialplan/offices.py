"""`offices:` of site.yaml: where agents and gateways are, and what it takes to reach them, for routing.

    offices:
      berlin: {latency: 5ms}
      home:
        latency: 40ms
        cost: 2
        codecs: [PCMA]  # what its line carries, instead of the site's

An agent and a trunk name theirs by `office:`. Rings take agents by `offices`, a policy reads `agent.latency`,
`agent.cost` and `agent.near` (1: in the office where the call came in).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import marks
from engine.dialplan import codecs_reader, values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.trunk_model import OfficeModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.dialplan.model import TrunkModel
    from engine.dialplan.site_reader import AgentDraft

KEYS = ("latency", "cost", "codecs", "about")
COST_MAX = 1_000_000
LATENCY_MS_MAX = 10_000
OFFICES_MAX = 1_000


def read(report: Report, node: marks.Node | None) -> dict[str, OfficeModel]:
    """Name -> office."""
    found: dict[str, OfficeModel] = {}
    for key, value in values.mapping(report, node, "offices") or ():
        name = values.name(report, key, "an office")
        form = values.mapping(report, value, f"the office {key.text}")
        if name is None or form is None:
            continue
        values.known_keys(report, form, "an office", KEYS)
        latency = values.duration(report, form.entries.get("latency"), "latency", 0, LATENCY_MS_MAX)
        cost = values.number(report, form.entries.get("cost"), "cost", 0, COST_MAX)
        codecs = codecs_reader.read(report, form.entries.get("codecs"))
        found[name] = OfficeModel(name, len(found) + 1, latency or 0, cost or 0, codecs)
    if node is not None and len(found) > OFFICES_MAX:
        report.add("RD024", node, f"{len(found)} offices: at most {OFFICES_MAX}")
    return found


def check(
    report: Report, offices: dict[str, OfficeModel], agents: Iterable[dict[str, AgentDraft]],
    trunks: dict[str, tuple[TrunkModel, marks.Mapping]],
) -> dict[str, OfficeModel]:  # fmt: skip
    """RD386 for an agent or a trunk of an office that isn't there. Returns the offices."""
    named = [(agent.model.office, agent.form) for tenant in agents for agent in tenant.values()]
    named += [(model.office, form) for model, form in trunks.values()]
    for name, form in named:
        if name and name not in offices:
            hint = did_you_mean(name, offices, otherwise="add it to offices: of site.yaml")
            report.add("RD386", form.entries["office"], f"no office {name!r}", hint)
    return offices
