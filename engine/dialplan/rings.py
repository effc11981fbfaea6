"""`rings:` of a queue: whom waiting adds, ring by ring (bullseye routing).

rings:
  - {levels: 1, for: 20s}
  - {levels: 2, teams: [bpo], for: 30s}
  - {offices: [home], for: 30s}
  - {queues: [sales], without: [en], for: 30s}
  - everybody
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import AgentModel, RingModel

if TYPE_CHECKING:
    from engine.dialplan.options import Scope

EVERYBODY = "everybody"
KEYS = ("levels", "teams", "offices", "queues", "without", "for")


def read(report: Report, scope: Scope, queue: str, node: marks.Node | None) -> tuple[RingModel, ...]:
    """The rings of a queue whose agents are known; () when there are none or they are wrong."""
    if node is None:
        return ()
    if not isinstance(node, marks.Sequence):
        report.add("RD023", node, "rings is a list, the innermost ring first", "as in rings: [{levels: 1, for: 20s}]")
        return ()
    if len(node.items) > limits.rings_max:
        report.add("RD024", node, f"{len(node.items)} rings: at most {limits.rings_max}")
        return ()
    before = report.errors
    found = [_ring(report, scope, each, last=place == len(node.items)) for place, each in enumerate(node.items, 1)]
    rings = tuple(each for each in found if each is not None)
    if report.errors > before:
        return ()
    if scope.complete:
        _everybody_has_one(report, scope, f"{scope.tenant}/{queue}", node, rings)
    return rings


def _ring(report: Report, scope: Scope, node: marks.Node, *, last: bool) -> RingModel | None:
    if isinstance(node, marks.Scalar) and node.text == EVERYBODY:
        if not last:
            report.add("RD024", node, "only the last ring is `everybody`: no ring can add to it")
        return RingModel()
    form = values.mapping(report, node, "a ring")
    if form is None:
        return None
    values.known_keys(report, form, "a ring", KEYS)
    entries = form.entries
    changes: dict[str, Any] = {}
    changes["level"] = values.number(report, entries.get("levels"), "levels", 1, 100) or 0
    teams = list(dict.fromkeys(each.team for each in scope.agents.values() if each.team))
    changes["teams"] = _names(report, scope, entries.get("teams"), "a team", teams, "RD043")
    offices = list(dict.fromkeys(each.office for each in scope.agents.values() if each.office))
    changes["offices"] = _names(report, scope, entries.get("offices"), "an office", offices, "RD386")
    queues = _names(report, scope, entries.get("queues"), "a queue", list(scope.queues), "RD032")
    changes["queues"] = tuple(f"{scope.tenant}/{each}" for each in queues)
    changes["without"] = _names(report, scope, entries.get("without"), "a skill", scope.skills, "RD040")
    span = values.duration(report, entries.get("for"), "for", 1_000, limits.queue_wait_ms_max)
    if last and "for" in entries:
        hint = f"leave `for` out, or add a ring behind it: `- {EVERYBODY}`"
        report.add("RD024", form.keys["for"], "the last ring lasts until the end of the wait", hint)
    if not last and "for" not in entries:
        report.add("RD022", form, "without `for` the next ring never opens", "add for: 20s")
    changes["for_ms"] = 0 if last else span or 0
    return RingModel(**changes)


def _names(
    report: Report, scope: Scope, node: marks.Node | None, what: str, known: list[str], code: str
) -> tuple[str, ...]:
    found = []
    for word in values.scalars(report, node, what):
        if word.text in known:
            found.append(word.text)
        elif scope.complete:
            report.add(code, word, f"no {what.partition(' ')[2]} {word.text!r}", did_you_mean(word.text, known))
    return tuple(found)


def _everybody_has_one(
    report: Report, scope: Scope, queue: str, node: marks.Sequence, rings: tuple[RingModel, ...]
) -> None:
    """A ring that adds nobody only makes callers wait; who is in no ring is never asked."""
    left = dict(scope.agents)
    for ring, place in zip(rings, node.items, strict=True):
        added = [number for number, each in left.items() if _holds(ring, queue, each)]
        if not added and not ring.without:
            report.add("RD102", place, "this ring adds nobody: callers only wait longer", "leave it out")
        for number in added:
            del left[number]
    for number, each in left.items():
        if any(name == queue for name, _, _ in each.queues):
            message = f"the agent {number} is in no ring of {queue.rpartition('/')[2]}: he is never asked"
            report.add("RD102", node, message, f"end with `- {EVERYBODY}`")
            return


def _holds(ring: RingModel, queue: str, agent: AgentModel) -> bool:
    for name, level, _ in agent.queues:
        if name == queue:
            everybody = not (ring.level or ring.teams or ring.offices or ring.queues)
            named = agent.team in ring.teams or agent.office in ring.offices  # neither lists hold ""
            return everybody or level <= ring.level or named
    return any(name in ring.queues for name, _, _ in agent.queues)
