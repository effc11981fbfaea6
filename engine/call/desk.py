"""The operators' desk: questions answered from the living state, commands with their effect and their author."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import (
    absence,
    agents,
    box_desk,
    callback_desk,
    canary,
    draining,
    fraud_desk,
    levers,
    mixing,
    operating,
    overrides,
    oversight,
    pauses,
    trunk_desk,
    wrapping,
)
from engine.call.effects import Operator, Reply
from engine.call.operating import Unknown

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.call import Call
    from engine.call.room import Room


REASON_CHARACTERS_MAX = 60
ROWS_MAX = 1_000  # of one answer; whoever wants more asks again with `offset`


def operate(room: Room, order: Operator, now_ms: int) -> None:
    rule = _VERBS.get(order.verb)
    try:
        if rule is None:
            raise Unknown(f"no command {order.verb!r}; there are: {', '.join(sorted(_VERBS))}")
        result = rule(room, order, now_ms)
    except Unknown as unknown:
        room.out.append(Reply(order.request, False, b"null", str(unknown)))
        return
    if "." in order.verb:
        room.emit(
            "operator.command", "", "", author=order.author, verb=order.verb,
            arguments=" ".join(f"{k}={v}" for k, v in sorted(order.arguments.items())), result=_effect(result),
        )  # fmt: skip
    room.out.append(Reply(order.request, True, msgspec.json.encode(result)))


def _effect(result: object) -> str:
    return f"{result['done']}; undo: {result['undo']}" if isinstance(result, dict) else str(result)


# --- questions ---------------------------------------------------------------------------------------------
def _calls(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    """`offset` and `limit` cut the list, so that a reader of many calls never holds the engine up for long."""
    offset, limit = _number(order, "offset", 0), min(_number(order, "limit", ROWS_MAX), ROWS_MAX)
    rows = list(room.calls.values())[offset : offset + limit]
    return [_call_row(room, call, now_ms) for call in rows]


def _number(order: Operator, name: str, default: int) -> int:
    text = order.arguments.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Unknown(f"{name} is a whole number, not {text[:32]!r}")
    return int(text)


def _call(room: Room, order: Operator, now_ms: int) -> dict[str, object]:
    return _call_row(room, operating.find(room, order.arguments.get("call", "")), now_ms)


def _call_row(room: Room, call: Call, now_ms: int) -> dict[str, object]:
    other = room.legs.get(call.other)
    waiting = call.waiting is not None
    return {
        "call": call.name, "tenant": call.tenant, "caller": call.caller, "dialled": call.dialled,
        "phase": call.phase, "queue": call.queue if waiting or call.served_by else "",
        "position": room.acd.position(call.id) if waiting else 0,
        "agent": call.served_by or (other.agent if other is not None else ""),
        "with": ", ".join(operating.parties(room, call)), "trunk": call.trunk,
        "supervisors": ", ".join(f"{own.caller} ({own.mode})" for own in mixing.watchers(room, call)),
        "seconds": (now_ms - call.started_ms) // 1000, "path": " > ".join(call.path),
        "shown": "; ".join(f"{name}={text}" for name, text in call.shown.items()),
    }  # fmt: skip


def _agents(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    site = room.sites.get(room.site)
    rows: list[dict[str, object]] = []
    for row in room.agents.values():
        if not row.here:
            continue
        model = site.agents[row.key] if site is not None else None
        rows.append(
            {
                "agent": row.key.split("/", 1)[1], "tenant": row.key.split("/")[0], "name": row.name,
                "state": _shown_state(row), "reason": row.reason, "seconds": (now_ms - row.since_ms) // 1000,
                "logged_in": row.logged_in, "reachable": row.reachable, "over_budget": row.over_budget,
                "call": row.wrap_call, "code": row.wrap_code,
                "queues": [queue for queue, _, _ in model.queues] if model is not None else [],
            }
        )  # fmt: skip
    return rows


def _shown_state(row: AgentRow) -> str:
    return row.state


def _queues(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    rows = room.acd.snapshot_queues(now_ms)
    for row in rows:
        row["closed"] = levers.closed(room, str(row["name"]))
        found = room.acd.estimate(int(row["queue"]), now_ms)  # of who would call now; None: nothing honest to say
        row["estimate_ms"] = [found.low_ms, found.median_ms, found.high_ms] if found is not None else None
    return rows


def _trunks(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    return trunk_desk.rows(room)


def _switches(room: Room) -> list[dict[str, object]]:
    return [
        {
            "switch": each.kind, "name": each.name, "state": each.state, "author": each.author,
            "since_ms": each.since_ms, "until_ms": each.until_ms, "reason": each.reason,
            "undo": _undo(each),
        }
        for each in room.levers.values()
    ]  # fmt: skip


def _undo(lever: levers.Lever) -> str:
    if lever.kind in levers.OVERRIDES:
        return overrides.undo(lever.kind, lever.name)
    if lever.kind == "queue":
        return f"ringdown queue {lever.name} open"
    return f"ringdown agent {lever.name} {'login' if lever.state == 'logged_out' else 'ready'}"


def _by_version(room: Room) -> dict[str, int]:
    """How many calls run on each version of the site; one that no call uses is not named."""
    counts: dict[str, int] = {}
    for call in room.calls.values():
        counts[call.site] = counts.get(call.site, 0) + 1
    return counts


def _status(room: Room, order: Operator, now_ms: int) -> dict[str, object]:
    return {
        "calls": len(room.calls), "legs": len(room.legs), "media_rows": room.rows.used, "site": room.site,
        "versions_in_use": sorted(room.sites), "calls_by_version": _by_version(room),
        "draining": room.draining, "drain_left_ms": draining.left_ms(room),
        "storage": room.storage,
        "sessions": room.endpoint.session_count(),
        "agents_ready": sum(1 for row in room.agents.values() if row.state == "ready"),
        "refused": dict(sorted(room.refused.items())),
        "waiting": sum(1 for call in room.calls.values() if call.waiting is not None),
        "switches": _switches(room), "share": canary.row(room),
        "trunk_troubles": trunk_desk.troubles(trunk_desk.rows(room)),
    }  # fmt: skip


def _drain(room: Room, order: Operator, now_ms: int) -> dict[str, object]:
    draining.begin(room, now_ms)
    return {
        "done": f"no new calls; {len(room.calls)} go on", "draining": True, "calls": len(room.calls),
        "left_ms": draining.left_ms(room),
        "waiting": sum(1 for call in room.calls.values() if call.waiting is not None),
        "undo": "none: start the engine again when it has stopped",
    }  # fmt: skip


def _noted(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """Something was done to the record store beside us: the stream tells it, with its author."""
    told = {name: order.arguments.get(name, "")[:200] for name in ("act", "subject", "counts")}
    if not told["act"]:
        raise Unknown("a note says what was done: act")
    room.emit("engine.records", "", "", author=order.author, **told)
    return told


def _gate_noted(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """The gate before us holds a source off, or no longer: the stream tells it."""
    told = {name: order.arguments.get(name, "")[:200] for name in ("source", "kind", "detail", "by")}
    if order.arguments.get("began"):
        room.emit("engine.blocked", "", "", source=told["source"], kind=told["kind"], detail=told["detail"])
    else:
        room.emit(
            "engine.unblocked", "", "", source=told["source"], kind=told["kind"], by=told["by"],
            dropped=_number(order, "dropped", 0),
        )  # fmt: skip
    return told


def _site_noted(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """A version of the site came into force, or went: the stream tells it, with its author and why."""
    found = order.arguments
    told = {name: found.get(name, "")[:200] for name in ("act", "old", "new", "tests", "reason")}
    if not told["act"]:
        raise Unknown("a note says what was done: act")
    room.emit("operator.site", "", "", author=order.author, changes=_number(order, "changes", 0), **told)
    return told


# --- acts -----------------------------------------------------------------------------------------------------
def _agent(room: Room, order: Operator) -> AgentRow:
    name = order.arguments.get("agent", "")
    matches = [
        row for row in room.agents.values() if row.here and (row.key == name or row.key.split("/", 1)[1] == name)
    ]
    if not matches:
        raise Unknown(f"no agent {name!r}; `ringdown agents` lists them")
    if len(matches) > 1:
        raise Unknown(f"several tenants have {name!r}: say {' or '.join(row.key for row in matches)}")
    return matches[0]


def _login(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _agent(room, order)
    agents.login(room, row, f"operator {order.author}", now_ms)
    return {"agent": row.key, "done": "logged in", "undo": f"ringdown agent {row.key} logout"}


def _logout(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _agent(room, order)
    undo = f"ringdown agent {row.key} login"
    if not row.logged_in:
        return {"agent": row.key, "done": "was logged out already", "undo": undo}
    agents.logout(room, row, f"operator {order.author}", now_ms)
    levers.move(room, "agent", row.key, "logged_out", order.author, now_ms)
    return {"agent": row.key, "done": "logged out", "undo": undo}


def _ready(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _logged_in(room, order)
    agents.ready(room, row, _by(row, order))
    return {"agent": row.key, "done": "ready", "undo": f"ringdown agent {row.key} not-ready"}


def _not_ready(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _logged_in(room, order)
    until_ms, asked = _until(room, order, now_ms), order.arguments.get("reason", "")[:REASON_CHARACTERS_MAX]
    reason = pauses.named(room, row, asked) if asked else "operator"
    if reason is None:
        raise Unknown(f"no reason {asked!r} for being not ready; there are: {pauses.listed(room, row)}")
    agents.not_ready(room, row, reason, _by(row, order))
    levers.move(room, "agent", row.key, "not_ready", order.author, now_ms, until_ms=until_ms, reason=reason)
    return {"agent": row.key, "done": f"not ready ({reason})", "until_ms": str(until_ms or ""),
            "undo": f"ringdown agent {row.key} ready"}  # fmt: skip


def _by(row: AgentRow, order: Operator) -> str:
    """Over the bus an agent speaks for himself: it counts no more than the same word by his phone."""
    return "phone" if order.author == f"agent {row.key}" else order.author


def _lost(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _agent(room, order)
    return {"agent": row.key, "done": absence.lost(room, row, order.author, now_ms),
            "undo": f"ringdown agent {row.key} ready"}  # fmt: skip


def _found(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _agent(room, order)
    return {"agent": row.key, "done": absence.found(room, row, order.author), "undo": "none needed"}


def _wrap_up(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """A wrap-up shall follow the conversation that he has."""
    row = _logged_in(room, order)
    return _said(row, wrapping.ask(room, row, now_ms))


def _extend(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _logged_in(room, order)
    return _said(row, wrapping.extend(room, row, f"operator {order.author}", now_ms))


def _code(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """`code` by key or name, for `call` where it is named (else for the one he has or wraps up)."""
    row = _agent(room, order)
    code, call = order.arguments.get("code", ""), order.arguments.get("call", "")
    if not code:
        raise Unknown("a wrap-up code by its key or name: code")
    return _said(row, wrapping.code(room, row, code, f"operator {order.author}", call=call))


def _said(row: AgentRow, said: wrapping.Said) -> dict[str, str]:
    """Raises Unknown for what couldn't be done: nothing was changed."""
    if not said.done:
        raise Unknown(f"agent {row.key}: {said.detail}; nothing was changed")
    return {"agent": row.key, "done": said.detail, "undo": "none"}


def _logged_in(room: Room, order: Operator) -> AgentRow:
    row = _agent(room, order)
    if not row.logged_in:
        raise Unknown(f"agent {row.key} is not logged in; `ringdown agent {row.key} login` first")
    return row


def _until(room: Room, order: Operator, now_ms: int) -> int:
    """`until_ms`: Unix ms, 0 for good. Raises Unknown for a time that is over."""
    until_ms = _number(order, "until_ms", 0)
    if until_ms and until_ms <= now_ms + room.wall_offset_ms:
        raise Unknown("that time is over already; nothing was changed")
    return until_ms


def _hang_up(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    return operating.hang_up(room, order.arguments.get("call", ""), order.author, now_ms)


def _transfer(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    to = order.arguments.get("to", "")
    return operating.send(room, order.arguments.get("call", ""), to, order.author, now_ms)


# --- queues ---------------------------------------------------------------------------------------------------------
def _queue(room: Room, order: Operator) -> str:
    name = order.arguments.get("queue", "")
    site = room.sites.get(room.site)
    known = list(site.queues) if site is not None else []
    if name in known:
        return name
    found = [key for key in known if key.split("/", 1)[1] == name]
    if not found:
        raise Unknown(f"no queue {name!r}; `ringdown queues` lists them")
    if len(found) > 1:
        raise Unknown(f"several tenants have a queue {name!r}: say {' or '.join(found)}")
    return found[0]


def _close(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    """No new callers: their dialplan takes the outcome `closed` (or `no_agents`). Who waits is served to the end."""
    queue, until_ms = _queue(room, order), _until(room, order, now_ms)
    known = levers.of(room, "queue", queue)
    if known is not None and known.until_ms == until_ms:
        raise Unknown(f"queue {queue} is closed already, by {known.author}; nothing was changed")
    levers.move(room, "queue", queue, "closed", order.author, now_ms, until_ms=until_ms)
    waiting = sum(1 for call in room.calls.values() if call.waiting is not None and call.queue == queue)
    return {"queue": queue, "done": f"closed for new callers; {waiting} who wait are still served",
            "until_ms": str(until_ms or ""), "undo": f"ringdown queue {queue} open"}  # fmt: skip


def _open(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    queue = _queue(room, order)
    if not levers.closed(room, queue):
        raise Unknown(f"queue {queue} is open already; nothing was changed")
    levers.back(room, "queue", queue, order.author)
    return {"queue": queue, "done": "open", "undo": f"ringdown queue {queue} close"}


def time_over(room: Room, number: int, now_ms: int) -> None:
    """The `--until` of a lever has come: back to its default."""
    lever = levers.due(room, number)
    if lever is None:
        return
    if lever.until_ms > now_ms + room.wall_offset_ms:  # the wall clock was set back in this very step
        levers.arm(room, now_ms)
        return
    row = room.agents.get(lever.name) if lever.kind == "agent" else None
    if row is not None and row.logged_in:
        agents.ready(room, row, "the time given")
    else:
        levers.back(room, lever.kind, lever.name, "the time given")


_VERBS = {
    "agents": _agents, "queues": _queues, "calls": _calls, "call": _call, "trunks": _trunks, "status": _status,
    "agent.login": _login, "agent.logout": _logout, "agent.ready": _ready, "agent.not_ready": _not_ready,
    "agent.wrap_up": _wrap_up, "agent.extend": _extend, "agent.code": _code,
    "agent.lost": _lost, "agent.found": _found,
    "call.hangup": _hang_up, "call.transfer": _transfer, "queue.close": _close, "queue.open": _open,
    "engine.drain": _drain, "noted": _noted, "site_noted": _site_noted, "gate_noted": _gate_noted,
    "share_over": canary.over, "let_go": box_desk.let_go,
    "callbacks": callback_desk.listed, "callback.cancel": callback_desk.cancel, "callback.now": callback_desk.now,
    **oversight.VERBS, **box_desk.VERBS, **overrides.VERBS, **fraud_desk.VERBS,
}  # fmt: skip
