"""Decisions in sentences, and a wait divided by its causes: who asks "why did she wait 20 minutes?" reads this.

What the able agents did at each moment of a wait is known from his own decisions (`queue.decided` names the agents
nearest to him and why they weren't asked) and every change of state since then. The best any of them was is the
cause: with one of them busy he waited for somebody to be done, with all of them on pause he waited for a pause.
Where the queue has more agents than a decision names, the cause is that of the nearest; `ringdown why --all` has all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from engine.console.format import seconds
from engine.console.wallboard import STATE_WORDS
from engine.records import decision
from engine.records.decision import Why
from engine.records.events import Event

UNABLE = {
    "ring": "outside his ring", "preference": "not whom he waits for", "avoid": "has just passed him on",
    "policy": "refused by the site's rule", "reserve": "kept for others", "hard": "has had his share of hard calls",
}  # fmt: skip
AWAY = {"unreachable": "phone unreachable", "leaving": "removed", "aside": "kept for a callback",
        "logged_out": "logged out"}  # fmt: skip
LOST = {
    "level": "worse level", "position": "later position", "had_turn": "had his turn", "lot": "another drew the lot",
    "idle_ms": "idle for less long", "since_talk_ms": "talked more recently", "since_offer_ms": "rung more recently",
    "calls": "more calls lately", "talk_ms": "more talk lately", "occupancy_permille": "more occupied",
    "skill_level": "lower level of the skill", "order": "equal, later in order",
}  # fmt: skip
PICKS = {"picked_up": "he took him himself", "outside": "he took him himself, off duty or beside another call"}
# the best state of those who can serve him -> the cause of waiting
_BUSY, _RESTING, _DEAD, _PAUSED = "was busy", "rested", "had no phone that could be reached", "was not ready"
_NOBODY = ""
_KINDS = {
    "ready": _BUSY, "alerting": _BUSY, "talking": _BUSY, "wrap_up": _BUSY, "occupied": _BUSY, "aside": _BUSY,
    "resting": _RESTING, "unreachable": _DEAD, "not_ready": _PAUSED,
}  # fmt: skip
_BEST_FIRST = (_BUSY, _RESTING, _DEAD, _PAUSED)


class Overtaken(msgspec.Struct, frozen=True):
    """A caller who came later and was served before him; `rule` in words."""

    call: str
    at_ms: int
    agent: str
    rule: str


# --- one decision ----------------------------------------------------------------------------------------------
def against(word: str, detail: str) -> str:
    """One reason against an agent: a word of `acd.reasons` with its detail, or the column by which he lost."""
    if word == "lacks":
        return f"lacks {detail}"
    known = UNABLE.get(word) or AWAY.get(word) or LOST.get(word) or STATE_WORDS.get(word) or word.replace("_", " ")
    return f"{known} ({detail.replace('_', ' ')})" if detail else known


def counts(why: Why) -> str:
    """ "3 talking, 2 not ready (lunch), 1 lacks zh"; the most first."""
    ranked = sorted(why.against, key=lambda each: -each[2])
    return ", ".join(f"{count} {against(word, detail)}" for word, detail, count in ranked)


def key_words(rule: str, key: Sequence[tuple[str, int]]) -> str:
    """The winner's key: "level 1, idle for 34 s"."""
    return ", ".join(filter(None, (_column(rule, name, value) for name, value in key)))


def _column(rule: str, name: str, value: int) -> str:
    match name:
        case "idle_ms":
            return f"idle for {seconds(value)}"
        case "since_talk_ms":
            return f"last talk {seconds(value)} ago" if value >= 0 else "no talk yet"
        case "since_offer_ms":
            return f"last rung {seconds(value)} ago" if value >= 0 else "not rung yet"
        case "talk_ms":
            return f"{seconds(value)} of talk lately"
        case "calls":
            return f"{value} calls lately"
        case "occupancy_permille":
            return f"{value / 10:.0f} % occupied"
        case "skill_level":
            return f"skill at level {value}"
        case "had_turn":
            return "" if value else "next in turn"
        case "lot":
            return f"rank {value}" if rule == "custom" else "drew the lot"
    return f"{name.replace('_', ' ')} {value}"


def decided(agent: str, why: Why) -> str:
    """The decision in one sentence. `agent`: the key of who is rung (several with blanks between), '' nobody."""
    rule = f"{why.rule}, site {why.site}" if why.site else why.rule
    who = " and ".join(short_name(each) for each in agent.split())
    if not who:
        told = counts(why) or "no agent belongs to the queue"
        return f"nobody for him ({rule}): {told}"
    beaten = f"before {why.others} other{'s' if why.others > 1 else ''}" if why.others else ""
    parts = "; ".join(filter(None, (key_words(why.rule, why.key), beaten, counts(why))))
    ring = f"agents {who} are rung" if " " in agent else f"agent {who} is rung"
    return f"{ring} by {rule}: {parts}" if parts else f"{ring} by {rule}"


def nearest(why: Why) -> str:
    """The agents who were nearest, each with what spoke against him."""
    return ", ".join(f"{short_name(agent)} {against(word, detail)}" for agent, word, detail in why.near)


def short_name(agent: str) -> str:
    return agent.rpartition("/")[2]


def event_words(data: Mapping[str, object]) -> str:
    """The event `queue.decided` in a line."""
    why = decision.decode(data["why"])
    agent, queue = str(data["agent"]), data["queue"]
    if why is None:
        return f"decided in {queue}: {agent or 'nobody'} {data['why']}"
    return f"decided in {queue}: {decided(agent, why)}"


# --- the causes of a wait -----------------------------------------------------------------------------------------
def causes(
    from_ms: int,
    to_ms: int,
    decisions: Sequence[tuple[int, str, Why]],
    states: Sequence[Event],
    rang: Sequence[tuple[int, int]],
) -> dict[str, int]:
    """Words for a cause -> ms between two Unix times, without the times in which a phone rang for him (`rang`).

    `decisions` as (at, agents asked, why), `states` the `agent.state` events, both in order of time. {} without any
    decision: earlier engines recorded none.
    """
    changes: list[tuple[int, int, object]] = [(at, 1, (agent, why)) for at, agent, why in decisions]
    changes += [(event.at_ms, 0, event) for event in states]
    changes.sort(key=lambda each: each[:2])
    able: dict[str, str] = {}
    now, found = from_ms, dict[str, int]()
    skills: tuple[str, ...] = ()
    known = False
    for at_ms, _, what in [*changes, (to_ms, 2, None)]:
        at_ms = max(now, min(at_ms, to_ms))
        if known and at_ms > now:
            word = cause(tuple(able.values()), skills)
            free_ms = at_ms - now - _covered(now, at_ms, rang)
            if free_ms:
                found[word] = found.get(word, 0) + free_ms
        now = at_ms
        if isinstance(what, Event):
            agent = str(what.data["agent"])
            if agent in able:
                able[agent] = str(what.data["new"])
        elif isinstance(what, tuple):
            asked, why = what
            known = True
            skills = tuple(sorted(dict.fromkeys(detail for word, detail, _ in why.against if word == "lacks")))
            able = {agent: word for agent, word, _ in why.near if word in _KINDS}
            able |= {agent: "ready" for agent, word, _ in why.near if word in LOST}
            able |= dict.fromkeys(asked.split(), "alerting")
    return found


def cause(able: Sequence[str], lacking: Sequence[str] = ()) -> str:
    """Why nobody rings for him, from the states of the agents who could; `lacking`: skills that others lack."""
    kinds = [_KINDS.get(state, _NOBODY) for state in able]
    best = next((kind for kind in _BEST_FIRST if kind in kinds), _NOBODY)
    who = f"with {', '.join(lacking)} " if lacking else ""
    if best == _NOBODY:
        return f"nobody {who}was there" if who else "nobody who may serve him was there"
    return f"every agent {who}on duty {best}"


def _covered(from_ms: int, to_ms: int, rang: Sequence[tuple[int, int]]) -> int:
    """How much of a span lies in these spans, overlaps counted once."""
    total, upto = 0, from_ms
    for start, end in sorted(rang):
        start, end = max(start, upto), min(end, to_ms)
        if end > start:
            total, upto = total + end - start, end
    return total


# --- who was served before him -------------------------------------------------------------------------------------
def overtakers(
    joined: Event,
    end_ms: int,
    decisions: Sequence[tuple[int, str, Why]],
    rang: Sequence[tuple[int, int, str]],
    during: Sequence[Event],
) -> list[Overtaken]:
    """Callers of his queue who joined after him and were connected before `end_ms`, with the rule that let them.

    `rang`: from when to when whose phone rang for him: meanwhile others may be served.
    """
    queue = joined.data["queue"]
    mine = joined.at_ms - _number(joined.data.get("priority_ms"))
    later: dict[str, Event] = {}
    found = []
    for event in during:
        if event.data.get("queue") != queue or event.call == joined.call or event.at_ms >= end_ms:
            continue
        if event.kind == "queue.joined" and event.n > joined.n:
            later[event.call] = event
        elif event.kind == "queue.connected" and event.call in later:
            other = later.pop(event.call)
            priority_ms = _number(other.data.get("priority_ms"))
            agent = str(event.data["agent"])
            asked_ms = event.at_ms - _number(event.data.get("rang_ms"))
            ringing = [short_name(who) for start, end, who in rang if start <= asked_ms < end]
            rule = f"by priority of {seconds(priority_ms)}"
            if event.data.get("way") in PICKS:
                rule = f"because {short_name(agent)} picked him up"
            elif ringing:
                rule = f"while {ringing[0]}'s phone rang for him"
            elif other.at_ms - priority_ms >= mine:
                spoken = [
                    against(word, detail)
                    for at, _, why in decisions if at <= event.at_ms
                    for name, word, detail in why.near if name == agent and (word == "lacks" or word in UNABLE)
                ]  # fmt: skip
                rule = f"because {short_name(agent)} {spoken[-1]}" if spoken else "by another rule of the queue"
            found.append(Overtaken(event.call, event.at_ms, agent, rule))
    return found


def overtaken_words(found: Sequence[Overtaken]) -> str:
    """ "overtaken by 3 callers: 2 by priority of 60 s, 1 because 202 lacks zh"; '' for nobody."""
    if not found:
        return ""
    rules: dict[str, int] = {}
    for each in found:
        rules[each.rule] = rules.get(each.rule, 0) + 1
    told = ", ".join(f"{count} {rule}" for rule, count in sorted(rules.items(), key=lambda each: -each[1]))
    return f"overtaken by {len(found)} caller{'s' if len(found) > 1 else ''}: {told}"


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
