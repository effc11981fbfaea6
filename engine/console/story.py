"""Why a caller waited, told from his call's events: path, places, every offer and its end, and the time in short."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from engine.console import reasoning, sound
from engine.console.format import clock, seconds
from engine.console.wallboard import state_words
from engine.console.words import words
from engine.records import decision
from engine.records.decision import Why
from engine.records.events import Event

ENDS = {
    "answered": "answered", "no_answer": "didn't answer", "busy": "was busy", "rejected": "refused it",
    "do_not_disturb": "wants not to be disturbed", "forwarded": "forwards elsewhere, which is never followed",
    "unreachable": "had no phone that could be reached", "error": "couldn't be rung",
    "answered_elsewhere": "was too late: another agent answered", "caller_gone": "rang on when the caller had hung up",
    "timeout": "rang on when the caller's time was over", "agent_state": "was no longer available",
    "moved": "rang on when the caller was moved",
}  # fmt: skip
LEFT = {
    "timeout": "the longest wait allowed was over", "exit": "he pressed a key to leave", "full": "the queue was full",
    "no_agents": "nobody was logged in", "moved": "he was moved elsewhere", "closed": "the queue was closed",
    "abandoned": "he hung up",
}  # fmt: skip
_TOLD: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "queue.widened": lambda data: (
        f"more agents may be asked: stage {data['stage']}" + (f", ring {data['ring']}" if data["ring"] else "")
    ),
    "queue.told": lambda data: _estimate(data),
    "queue.overflowed": lambda data: f"rule {data['rule']} sends him to {data['way']} {data['to']}",
}
_ASIDE = ("call.prompt", "call.quality", "call.digit", "queue.position", "agent.state", "queue.decided")


class Stay(msgspec.Struct):
    """One stay in one queue. `offers`: (from, to, agent, reason), Unix ms; `to` 0 while it rings. `decisions`: (at,
    agents asked, why). `told`: other things that happened to him, in words."""

    queue: str
    joined_ms: int
    position: int
    ended_ms: int = 0
    end: str = ""
    agent: str = ""
    offers: list[list[int | str]] = []
    places: list[tuple[int, int]] = []
    decisions: list[tuple[int, str, Why]] = []
    told: list[tuple[int, str]] = []
    overtaken: list[reasoning.Overtaken] = []
    causes: dict[str, int] = {}
    way: str = ""  # of queue.connected

    def rang(self, upto_ms: int) -> list[tuple[int, int, str, str]]:
        """(from, to, agent, reason) of every offer; one that still rings reaches to now."""
        return [(int(f), int(t) or upto_ms, str(agent), str(reason)) for f, t, agent, reason in self.offers]


def stays(events: Sequence[Event], during: Sequence[Event] = (), upto_ms: int = 0) -> list[Stay]:
    """The stays in queues of one call's events, in order. `during`: what happened around it (`Store.during`)."""
    found = _stays(events)
    states = [event for event in during if event.kind == "agent.state"]
    joins = [event for event in events if event.kind == "queue.joined"]
    entered = [stay for stay in found if stay.position or stay.ended_ms != stay.joined_ms]
    for stay, joined in zip(entered, joins, strict=False):
        end_ms = stay.ended_ms or upto_ms or events[-1].at_ms
        rang = [(start, end, agent) for start, end, agent, _ in stay.rang(end_ms)]
        spans = [(start, end) for start, end, _ in rang]
        mine = [event for event in states if stay.joined_ms <= event.at_ms <= end_ms]
        stay.causes = reasoning.causes(stay.joined_ms, end_ms, stay.decisions, mine, spans)
        stay.overtaken = reasoning.overtakers(joined, end_ms, stay.decisions, rang, during)
    return found


def _stays(events: Sequence[Event]) -> list[Stay]:
    found: list[Stay] = []
    for event in events:
        data, kind = event.data, event.kind
        stay = found[-1] if found and not found[-1].ended_ms else None
        if kind == "queue.joined":
            found.append(Stay(str(data["queue"]), event.at_ms, int(data["position"] or 0)))
        elif kind == "queue.left" and stay is None:  # never let in
            found.append(Stay(str(data["queue"]), event.at_ms, 0, event.at_ms, str(data["reason"])))
        elif kind == "queue.offer_ended":
            for offer in (offer for each in found for offer in each.offers):
                if offer[2] == data["agent"] and not offer[1]:
                    offer[1], offer[3] = event.at_ms, str(data["reason"])
        elif stay is None:
            continue
        elif kind == "queue.decided":
            why = decision.decode(data["why"])
            if why is not None:
                stay.decisions.append((event.at_ms, str(data["agent"]), why))
        elif kind in _TOLD:
            stay.told.append((event.at_ms, _TOLD[kind](data)))
        elif kind == "queue.position":
            stay.places.append((event.at_ms, int(data["position"] or 0)))
        elif kind == "queue.offered":
            stay.offers.append([event.at_ms, 0, str(data["agent"]), ""])
        elif kind == "queue.connected":
            stay.ended_ms, stay.end, stay.agent = event.at_ms, "connected", str(data["agent"])
            stay.way = str(data.get("way") or "")
        elif kind == "queue.abandoned":
            stay.ended_ms, stay.end = event.at_ms, "abandoned"
        elif kind == "queue.left":
            stay.ended_ms, stay.end = event.at_ms, str(data["reason"])
    return found


def at_that_moment(states: Mapping[str, Event], agents: Sequence[str] = ()) -> dict[str, str]:
    """agent -> his state in words, from the last change of each; of `agents` only, where the queue's are known."""
    found = {}
    for agent in agents or states:
        event = states.get(agent)
        if event is not None and event.data["new"] != "logged_out":
            found[agent] = state_words(str(event.data["new"]), str(event.data.get("reason") or ""))
    return found or {"nobody": "was logged in"}


def tell(
    events: Sequence[Event],
    before: Mapping[str, str] | None = None,
    *,
    now_ms: int = 0,
    during: Sequence[Event] = (),
) -> list[str]:
    """Lines about one call; `before`: agent -> his state in words when the caller joined (his queue's agents);
    `during`: what else happened meanwhile (`Store.during`)."""
    if not events:
        return ["nothing is recorded of this call (yet)"]
    upto_ms = now_ms or events[-1].at_ms
    found = [*_head(events), ""]
    for stay in stays(events, during, upto_ms):
        found += [*_stay(stay, before or {}, upto_ms), ""]
    found += sound.story(events)
    found.append("Everything that happened:")
    for event in events:
        if event.kind not in _ASIDE or event.kind == "call.digit":
            found.append(f"  {clock(event.at_ms)}  {words(event.kind, event.data)}")
    return found


def _head(events: Sequence[Event]) -> list[str]:
    first = next((event for event in events if event.kind == "call.started"), None)
    last = next((event for event in reversed(events) if event.kind == "call.ended"), None)
    lines = []
    if first is not None:
        data = first.data
        through = f" through {data['trunk']}" if data.get("trunk") else f" ({data.get('via')})"
        who = data.get("caller") or "anonymous"
        lines.append(f"call {first.call}  {who} → {data.get('dialled')}{through}, {clock(first.at_ms, date=True)}")
    if last is not None:
        data = last.data
        lines.append(f"ended {clock(last.at_ms)} by {data['by']}: {data['outcome']} after {_ms(data['duration_ms'])}")
        lines.append(f"path: {data['path'] or 'none'}")
    else:
        flows: list[str] = []
        for event in events:
            flow = str(event.data.get("step", "")).split("/")[0].split("#")[0]
            if event.kind == "call.step" and flow and (not flows or flows[-1] != flow):
                flows.append(flow)
        lines.append("it goes on")
        lines.append(f"path so far: {' > '.join(flows) or 'none'}")
    return lines


def _stay(stay: Stay, before: Mapping[str, str], upto_ms: int) -> list[str]:
    end_ms = stay.ended_ms or upto_ms
    waited = seconds(end_ms - stay.joined_ms)
    if stay.position == 0 and stay.ended_ms == stay.joined_ms:
        return [f"He could not wait in {stay.queue}: {LEFT.get(stay.end, stay.end)}."]
    title = f"Why he waited {waited} in {stay.queue}:" if stay.ended_ms else f"He waits in {stay.queue} for {waited}:"
    ahead = "he was the next" if stay.position <= 1 else f"{stay.position - 1} before him"
    lines = [title, f"  {clock(stay.joined_ms)}  joined as number {stay.position or 1}: {ahead}"]
    if before:
        states = ", ".join(f"{agent.rpartition('/')[2]} {state}" for agent, state in before.items())
        lines.append(f"                at that moment: {states}")
    lines += [f"  {clock(at_ms)}  {text}" for at_ms, _, text in sorted(_happened(stay, end_ms))]
    if stay.overtaken:
        lines.append(f"  {reasoning.overtaken_words(stay.overtaken)}")
    return [*lines, f"  In short: {short(stay, upto_ms)}."]


def _happened(stay: Stay, end_ms: int) -> list[tuple[int, int, str]]:
    """(when, what comes first at one time, sentence): of one moment ends are told before decisions and beginnings."""
    found = [(at_ms, 1, f"was told that he is number {place}") for at_ms, place in stay.places]
    found += [(at_ms, 1, text) for at_ms, text in stay.told]
    decided: dict[tuple[int, str], None] = {}
    for at_ms, asked, why in stay.decisions:
        decided |= dict.fromkeys((at_ms, agent) for agent in asked.split())
        found.append((at_ms, 2, reasoning.decided(asked, why)))
        if why.near:
            found.append((at_ms, 3, f"  {'not asked' if asked else 'nearest'}: {reasoning.nearest(why)}"))
    for start, end, agent, reason in stay.rang(end_ms):
        who = f"agent {agent.rpartition('/')[2]}"
        if (start, agent) not in decided:
            found.append((start, 4, f"{who} is rung"))
        if reason:
            text = f"{who} {ENDS.get(reason, reason.replace('_', ' '))} after {seconds(end - start)}"
            found.append((end, 0 if end > start else 5, text))
    if stay.ended_ms:
        waited = seconds(end_ms - stay.joined_ms)
        if stay.end == "connected":
            told = reasoning.PICKS.get(stay.way)
            text = f"connected to agent {stay.agent.rpartition('/')[2]} after {waited}" + (f": {told}" if told else "")
        else:
            text = f"stopped waiting after {waited}: {LEFT.get(stay.end, stay.end.replace('_', ' '))}"
        found.append((end_ms, 6, text))
    return found


def short(stay: Stay, upto_ms: int) -> str:
    """The wait divided: while a phone rang for him and how that ended, and while nobody was free."""
    end_ms = stay.ended_ms or upto_ms
    parts: dict[str, int] = {}
    covered = stay.joined_ms
    idle = 0
    for start, end, agent, reason in sorted(stay.rang(end_ms)):
        start, end = max(start, covered), min(end, end_ms)
        if end <= start:
            continue
        idle += start - covered
        who = agent.rpartition("/")[2]
        word = ENDS.get(reason, reason.replace("_", " ")) if reason else "is being rung"
        text = f"until {who} answered" if reason == "answered" else f"while {who} {word}"
        parts[text] = parts.get(text, 0) + end - start
        covered = end
    idle += max(0, end_ms - covered)
    found = [f"{seconds(ms)} {text}" for text, ms in parts.items()]
    if stay.causes:
        ranked = sorted(stay.causes.items(), key=lambda each: -each[1])
        found[:0] = [f"{seconds(ms)} {text}" for text, ms in ranked if ms >= 100]
        idle -= sum(stay.causes.values())
    if idle >= 100 or not found:
        found.insert(0, f"{seconds(idle)} with no agent free for him")
    return ", ".join(found)


def _estimate(data: Mapping[str, Any]) -> str:
    low, high = data["low_min"], data["high_min"]
    if not low and not high:
        return "was told no estimate"
    span = f"at least {low}" if not high else f"at most {high}" if not low else f"{low} to {high}"
    return f"was told to expect {span} min"


def _ms(value: object) -> str:
    return seconds(value) if isinstance(value, int | float) else "?"
