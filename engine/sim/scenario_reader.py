"""SCENARIO.yaml -> `Scenario`, with findings as `ringdown check` gives them: file:line:column, caret, what was meant.

    seed: 7
    calls: 100000            # or duration: 24h
    warm_up: 5000            # calls, or a duration
    queues:
      - {name: support, service_level: 20s}
    agents:
      - {name: day, count: 50, queues: [support]}
    arrivals:
      - queue: support
        rate: 48/min         # or at: [0s, 1s]
        patience: {exponential: 2min}
        talk: {exponential: 1min}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from engine import limits, marks
from engine.acd.columns import NEEDS_MAX
from engine.acd.policy import NAMES as STRATEGIES
from engine.acd.pool import SKILLS_MAX
from engine.dialplan import values
from engine.dialplan.findings import Finding, Report, did_you_mean
from engine.sim import what_if
from engine.sim.scenario import (
    CONSTANT,
    EXPONENTIAL,
    INFINITE,
    LOGNORMAL,
    AgentPlan,
    Law,
    QueuePlan,
    Retry,
    Scenario,
    Source,
)

calls_max = 2_000_000  # of all replications together: about a gigabyte of rows
replications_max = 1_000
duration_ms_max = 366 * 86_400_000
law_ms_max = 7 * 86_400_000
rate_per_s_max = 10_000
moments_max = 100_000

SCENARIO_KEYS = (
    "seed", "calls", "duration", "warm_up", "replications", "batches", "queues", "agents", "arrivals", "about",
)  # fmt: skip
QUEUE_KEYS = (
    "name", "strategy", "capacity", "length", "max_wait", "service_level", "ring", "weight", "about",
)  # fmt: skip
AGENT_KEYS = ("name", "count", "queues", "skills", "tier", "about")
ARRIVAL_KEYS = (
    "queue", "rate", "at", "skills", "priority", "patience", "talk", "wrap_up", "retry", "about",
)  # fmt: skip
RETRY_KEYS = ("chance", "after", "times")
_NAME = re.compile(r"\w[\w .-]{0,63}")
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*/\s*(ms|s|min|h|d)")
_UNIT_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DECIMAL = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


class _Names:
    """Names met so far, numbered in the order of the file; nodes for complaints."""

    def __init__(self) -> None:
        self.queues: dict[str, int] = {}
        self.skills: dict[str, int] = {}


def read(data: bytes, file: str, changes: Sequence[str] = ()) -> tuple[Scenario | None, list[Finding]]:
    """The scenario and no findings, or None and what is wrong, in file order. Never raises, whatever the bytes.

    `changes` are made before it is read (`what_if`); what is wrong with them stands in the file `what_if.FILE`.
    """
    report = Report()
    root, faults = marks.load(data, file)
    for fault in faults:
        if fault.kind != "flow":  # JSON is YAML too, and a scenario that a program wrote may well be JSON
            report.fault(fault)
    scenario = None
    if root is None and not report.errors:
        report.put("RD022", file, 1, 1, "the file is empty", "a scenario has queues, agents and arrivals")
    form = values.mapping(report, root, "a scenario")
    if form is not None:
        keys = {"queues": QUEUE_KEYS, "agents": AGENT_KEYS, "arrivals": ARRIVAL_KEYS}
        what_if.apply(report, form, changes, keys)
        scenario = _scenario(report, form)
    return (None if report.errors else scenario), report.finished({file: data, what_if.FILE: what_if.text_of(changes)})


def _scenario(report: Report, form: marks.Mapping) -> Scenario:
    values.known_keys(report, form, "a scenario", SCENARIO_KEYS)
    entries = form.entries
    for key in ("queues", "agents", "arrivals"):
        if key not in entries:
            report.add("RD022", form, f"a scenario needs {key}", f"write {key}: and a list below it")
    names = _Names()
    queues = tuple(_queue(report, each, names) for each in _forms(report, entries.get("queues"), "queues"))
    groups = [_agents(report, each, names) for each in _forms(report, entries.get("agents"), "agents")]
    _many_agents(report, entries.get("agents"), groups)
    forms = list(_forms(report, entries.get("arrivals"), "arrivals"))
    sources = [_source(report, each, names, groups) for each in forms]
    if len(names.skills) > SKILLS_MAX:
        report.add("RD024", form, f"{len(names.skills)} skills: more than {SKILLS_MAX}")
    calls = values.number(report, entries.get("calls"), "calls", 1, calls_max) or 0
    duration_ms = values.duration(report, entries.get("duration"), "duration", 1, duration_ms_max) or 0
    if calls and duration_ms:
        report.add("RD024", form.keys["duration"], "calls and duration both end the run", "keep one of the two")
    if not calls and not duration_ms and any(source.rate_per_ms for source in sources):
        report.add("RD022", form, "nothing ends the arrivals", "write calls: 100000, or duration: 24h")
    replications = values.number(report, entries.get("replications"), "replications", 1, replications_max) or 1
    coming = calls or round(sum(source.rate_per_ms for source in sources) * duration_ms)
    if coming * replications > calls_max and not report.errors:
        message = f"about {coming * replications} calls in all: at most {calls_max} can be held"
        place = form.keys.get("duration") or form.keys["calls"]
        report.add("RD024", place, message, "fewer calls, a shorter duration, or fewer replications")
    warm_up_calls, warm_up_ms = _warm_up(report, entries.get("warm_up"), calls, duration_ms)
    return Scenario(
        queues,
        tuple(groups),
        tuple(sources),
        skills=tuple(names.skills),
        seed=_kept(values.number(report, entries.get("seed"), "seed", 0, 999_999_999), 1),
        calls=calls,
        duration_ms=duration_ms,
        warm_up_calls=warm_up_calls,
        warm_up_ms=warm_up_ms,
        replications=replications,
        batches=values.number(report, entries.get("batches"), "batches", 2, 1_000) or 20,
    )


def _warm_up(report: Report, node: marks.Node | None, calls: int, duration_ms: int) -> tuple[int, int]:
    """(calls, ms): one of them is 0."""
    found = values.scalar(report, node, "warm_up")
    if found is None:
        return 0, 0
    if found.text.isdecimal():
        count = _kept(values.number(report, found, "warm_up", 0, calls_max), 0)
        if calls and count >= calls:
            report.add("RD024", found, f"warm_up takes all {calls} calls", "warm_up is part of calls: keep it smaller")
        return count, 0
    ms = _kept(values.duration(report, found, "warm_up", 0, duration_ms_max), 0)
    if duration_ms and ms >= duration_ms:
        report.add("RD024", found, "warm_up takes the whole duration", "warm_up is part of duration: keep it shorter")
    return 0, ms


# --- queues and agents ----------------------------------------------------------------------------------
def _queue(report: Report, form: marks.Mapping, names: _Names) -> QueuePlan:
    values.known_keys(report, form, "a queue", QUEUE_KEYS, ("rings", "policy"))
    entries = form.entries
    name = _name(report, form, "name", "a queue")
    if name in names.queues:
        report.add("RD009", entries["name"], f"the queue {name!r} is described twice", "join or rename them")
    elif name:
        names.queues[name] = len(names.queues)
    if len(names.queues) > limits.queues_max:
        report.add("RD024", form, f"more than {limits.queues_max} queues")
    strategy = values.choice(report, entries.get("strategy"), "strategy", STRATEGIES, "RD081")
    if strategy == "custom":
        report.add("RD026", entries["strategy"], "a site's own policy is not simulated yet in this version")
    bound = limits.entries_max
    return QueuePlan(
        name,
        strategy=strategy or STRATEGIES[0],
        capacity=values.number(report, entries.get("capacity"), "capacity", 1, bound) or 0,
        length=values.number(report, entries.get("length"), "length", 1, bound) or 0,
        wait_ms_max=values.duration(report, entries.get("max_wait"), "max_wait", 1, limits.queue_wait_ms_max) or 0,
        service_level_ms=_kept(
            values.duration(report, entries.get("service_level"), "service_level", 0, limits.queue_wait_ms_max), 20_000
        ),
        ring=_law(report, entries.get("ring"), "ring") or Law(),
        weight=values.number(report, entries.get("weight"), "weight", 0, 1_000) or 0,
    )


def _agents(report: Report, form: marks.Mapping, names: _Names) -> AgentPlan:
    values.known_keys(report, form, "agents", AGENT_KEYS, ("team",))
    entries = form.entries
    name = _name(report, form, "name", "agents", otherwise="agent")
    count = _kept(values.number(report, entries.get("count"), "count", 1, limits.agents_max), 1)
    tier = _kept(values.number(report, entries.get("tier"), "tier", 1, 100), 1)
    seats: dict[int, int] = {}
    node = entries.get("queues")
    if node is None:
        report.add("RD022", form, f"{name!r} serves no queue", "write queues: [NAME]")
    if isinstance(node, marks.Mapping):
        pairs = [(key, _kept(values.number(report, value, f"the tier in {key.text}", 1, 100), tier))
                 for key, value in node]  # fmt: skip
    else:
        pairs = [(each, tier) for each in values.scalars(report, node, "queues")]
    for word, level in pairs:
        queue = _known_queue(report, word, names)
        if queue >= 0:
            seats[queue] = level
    return AgentPlan(name, count, tuple(sorted(seats.items())), _skills(report, entries.get("skills"), names))


def _many_agents(report: Report, node: marks.Node | None, groups: list[AgentPlan]) -> None:
    if node is None:
        return
    total = sum(group.count for group in groups)
    if total > limits.agents_max:
        report.add("RD024", node, f"{total} agents: at most {limits.agents_max}")
    seen: dict[str, None] = {}
    for group in groups:
        if group.name in seen:
            report.add("RD009", node, f"two groups of agents are called {group.name!r}", "give each its own name")
        seen[group.name] = None


def _skills(report: Report, node: marks.Node | None, names: _Names) -> tuple[tuple[int, int], ...]:
    """{name: level}; an agent's skills also make them known."""
    found: list[tuple[int, int]] = []
    for key, value in values.mapping(report, node, "skills") or ():
        level = values.number(report, value, f"the level of {key.text}", 1, 16)
        if _NAME.fullmatch(key.text) is None:
            report.add("RD027", key, f"{key.text!r} is not a name for a skill")
        elif level is not None:
            found.append((names.skills.setdefault(key.text, len(names.skills)), level))
    return tuple(sorted(found))


# --- arrivals ---------------------------------------------------------------------------------------------
def _source(report: Report, form: marks.Mapping, names: _Names, groups: list[AgentPlan]) -> Source:
    values.known_keys(report, form, "arrivals", ARRIVAL_KEYS, ("needs", "prefer"))
    entries = form.entries
    queue = -1
    word = values.scalar(report, entries.get("queue"), "queue")
    if "queue" not in entries:
        report.add("RD022", form, "arrivals without a queue", "write queue: NAME")
    elif word is not None:
        queue = _known_queue(report, word, names)
    rate = _rate(report, entries.get("rate"))
    moments = tuple(sorted(_moments(report, entries.get("at"))))
    if ("rate" in entries) == ("at" in entries):
        hint = "rate: 48/min is a Poisson stream, at: [0s, 1s] gives the moments themselves"
        report.add("RD022" if "rate" not in entries else "RD024", form, "arrivals have either rate or at", hint)
    if "talk" not in entries:
        report.add("RD022", form, "arrivals without talk", "write talk: {exponential: 3min}, or talk: 60s")
    needs = _needs(report, entries.get("skills"), names)
    served = any(_fits(group, queue, needs) for group in groups)
    if groups and not served and not report.errors:  # an earlier mistake may well be the reason
        place = entries.get("skills") or entries["queue"]
        report.add("RD040" if needs else "RD035", place, "no agent could ever serve these callers",
                   "give agents of this queue every skill asked for, at that level or above"
                   if needs else "write the queue's name into the queues: of some agents")  # fmt: skip
    patience = _law(report, entries.get("patience"), "patience", endless=True)
    return Source(
        queue,
        rate_per_ms=rate,
        at_ms=moments,
        needs=needs,
        priority_ms=values.duration(report, _zero(entries.get("priority")), "priority", 0, 86_400_000) or 0,
        patience=patience or Law(INFINITE),
        talk=_law(report, entries.get("talk"), "talk") or Law(),
        wrap_up=_law(report, _zero(entries.get("wrap_up")), "wrap_up") or Law(),
        retry=_retry(report, entries.get("retry")),
    )


def _fits(group: AgentPlan, queue: int, needs: tuple[tuple[int, int], ...]) -> bool:
    held = dict(group.skills)
    return queue in dict(group.queues) and all(held.get(skill, 0) >= level for skill, level in needs)


def _needs(report: Report, node: marks.Node | None, names: _Names) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for key, value in values.mapping(report, node, "skills") or ():
        level = values.number(report, value, f"the level of {key.text}", 1, 16)
        if key.text not in names.skills:
            report.add("RD040", key, f"no agent has the skill {key.text!r}", did_you_mean(key.text, names.skills))
        elif level is not None:
            found.append((names.skills[key.text], level))
    if node is not None and len(found) > NEEDS_MAX:
        report.add("RD024", node, f"a caller asks for at most {NEEDS_MAX} skills")
    return tuple(sorted(found))


def _rate(report: Report, node: marks.Node | None) -> float:
    """Arrivals per ms."""
    found = values.scalar(report, node, "rate")
    if found is None:
        return 0.0
    match = _RATE.fullmatch(found.text.strip())
    if match is None:
        report.add("RD024", found, f"{found.text!r} is not a rate", "write a number per s, min, h or d, as in 48/min")
        return 0.0
    rate = float(match.group(1)) / _UNIT_MS[match.group(2)]
    if not 0 < rate * 1_000 <= rate_per_s_max:
        report.add("RD024", found, f"a rate lies above 0 and up to {rate_per_s_max}/s, not {found.text}")
        return 0.0
    return rate


def _moments(report: Report, node: marks.Node | None) -> list[int]:
    found = values.scalars(report, node, "at")
    if node is not None and not found:
        report.add("RD022", node, "at: names no moment", "as in at: [0s, 1s]")
    if len(found) > moments_max:
        report.add("RD024", found[0], f"at most {moments_max} moments", "use rate: for many callers")
        return []
    moments = [values.duration(report, _zero(each), "at", 0, duration_ms_max) for each in found]
    return [each for each in moments if each is not None]


def _retry(report: Report, node: marks.Node | None) -> Retry | None:
    form = values.mapping(report, node, "retry")
    if form is None:
        return None
    values.known_keys(report, form, "retry", RETRY_KEYS)
    for key in ("chance", "after"):
        if key not in form.entries:
            report.add("RD022", form, f"retry needs {key}", "as in retry: {chance: 0.5, after: 5min, times: 2}")
    chance = _decimal(report, form.entries.get("chance"), "chance", 0.0, 1.0)
    times = values.number(report, form.entries.get("times"), "times", 1, 100) or 1
    return Retry(chance, _law(report, form.entries.get("after"), "after") or Law(), times)


# --- laws -------------------------------------------------------------------------------------------------
def _law(report: Report, node: marks.Node | None, what: str, *, endless: bool = False) -> Law | None:
    """`60s`, `{constant: 60s}`, `{exponential: 1min}`, `{lognormal: {mean: 3min, cv: 1.2}}`, and `infinite`."""
    if node is None:
        return None
    if isinstance(node, marks.Scalar):
        if node.text == INFINITE and endless:
            return Law(INFINITE)
        if node.text == INFINITE:
            report.add("RD024", node, f"{what} is not infinite", "only patience is: write a duration")
            return None
        ms = values.duration(report, _zero(node), what, 0, law_ms_max)
        return None if ms is None else Law(CONSTANT, float(ms))
    form = values.mapping(report, node, what)
    if form is None:
        return None
    known = (CONSTANT, EXPONENTIAL, LOGNORMAL)
    values.known_keys(report, form, what, known)
    kinds = [kind for kind in known if kind in form.entries]
    if len(kinds) != 1:
        if len(kinds) > 1 or not form.entries:
            report.add("RD023", form, f"{what} follows one law", f"as in {what}: {{exponential: 1min}}")
        return None
    inner = form.entries[kinds[0]]
    if kinds[0] != LOGNORMAL:
        ms = values.duration(report, _zero(inner), what, 0 if kinds[0] == CONSTANT else 1, law_ms_max)
        return None if ms is None else Law(kinds[0], float(ms))
    shape = values.mapping(report, inner, "lognormal")
    if shape is None:
        return None
    values.known_keys(report, shape, "lognormal", ("mean", "cv"))
    for key in ("mean", "cv"):
        if key not in shape.entries:
            report.add("RD022", shape, f"lognormal needs {key}", "as in {lognormal: {mean: 3min, cv: 1.2}}")
    mean = values.duration(report, shape.entries.get("mean"), "mean", 1, law_ms_max)
    return Law(LOGNORMAL, float(mean or 1), _decimal(report, shape.entries.get("cv"), "cv", 0.0, 20.0))


def _decimal(report: Report, node: marks.Node | None, what: str, low: float, high: float) -> float:
    found = values.scalar(report, node, what)
    if found is None:
        return low
    if _DECIMAL.fullmatch(found.text) is None or not low <= float(found.text) <= high:
        report.add("RD024", found, f"{what} is a number from {low:g} to {high:g}, not {found.text!r}")
        return low
    return float(found.text)


# --- small ------------------------------------------------------------------------------------------------
def _zero(node: marks.Node | None) -> marks.Node | None:
    """0 needs no unit."""
    if isinstance(node, marks.Scalar) and node.text == "0":
        return msgspec.structs.replace(node, text="0s")
    return node


def _kept(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _forms(report: Report, node: marks.Node | None, what: str) -> Iterator[marks.Mapping]:
    if node is None:
        return
    if not isinstance(node, marks.Sequence):
        report.add("RD023", node, f"{what} is a list, not {values.kind_of(node)}", "each item begins with a dash: -")
        return
    for each in node.items:
        form = values.mapping(report, each, f"an item of {what}")
        if form is not None:
            yield form


def _name(report: Report, form: marks.Mapping, key: str, what: str, *, otherwise: str = "") -> str:
    node = form.entries.get(key)
    if node is None and not otherwise:
        report.add("RD022", form, f"{what} needs a name", "write name: NAME")
    found = values.scalar(report, node, key)
    if found is None:
        return otherwise
    if _NAME.fullmatch(found.text) is None:
        report.add("RD027", found, f"{found.text!r} is not a name for {what}", "letters, digits, space, _ . and -")
        return otherwise
    return found.text


def _known_queue(report: Report, word: marks.Scalar, names: _Names) -> int:
    if word.text in names.queues:
        return names.queues[word.text]
    report.add("RD032", word, f"no queue {word.text!r} in this scenario", did_you_mean(word.text, names.queues))
    return -1
