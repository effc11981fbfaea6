"""The operators' desk: questions answered from the living state, commands with their effect and their author."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call import agents, draining, ending
from engine.call.effects import Operator, Reply

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.call import Call
    from engine.call.room import Room


class Unknown(Exception):
    """The operator named somebody or something that isn't there: a clear answer, no effect."""


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
            arguments=" ".join(f"{k}={v}" for k, v in sorted(order.arguments.items())), result=str(result),
        )  # fmt: skip
    room.out.append(Reply(order.request, True, msgspec.json.encode(result)))


# --- questions ---------------------------------------------------------------------------------------------
def _calls(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    return [_call_row(room, call, now_ms) for call in room.calls.values()]


def _call_row(room: Room, call: Call, now_ms: int) -> dict[str, object]:
    other = room.legs.get(call.other)
    return {
        "call": call.name, "tenant": call.tenant, "caller": call.caller, "dialled": call.dialled,
        "phase": call.phase, "queue": call.queue if call.waiting is not None or call.served_by else "",
        "position": room.acd.position(call.id) if call.waiting is not None else 0,
        "agent": call.served_by or (other.agent if other is not None else ""),
        "with": other.party if other is not None else "",
        "seconds": (now_ms - call.started_ms) // 1000, "path": " > ".join(call.path),
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
                "logged_in": row.logged_in, "reachable": row.reachable,
                "queues": [queue for queue, _, _ in model.queues] if model is not None else [],
            }
        )  # fmt: skip
    return rows


def _shown_state(row: AgentRow) -> str:
    return row.state


def _queues(room: Room, order: Operator, now_ms: int) -> list[dict[str, object]]:
    return room.acd.snapshot_queues(now_ms)


def _status(room: Room, order: Operator, now_ms: int) -> dict[str, object]:
    return {
        "calls": len(room.calls), "legs": len(room.legs), "media_rows": room.rows.used, "site": room.site,
        "versions_in_use": sorted(room.sites), "draining": room.draining, "drain_left_ms": draining.left_ms(room),
        "storage": room.storage,
        "sessions": room.endpoint.session_count(),
        "agents_ready": sum(1 for row in room.agents.values() if row.state == "ready"),
        "refused": dict(sorted(room.refused.items())),
        "waiting": sum(1 for call in room.calls.values() if call.waiting is not None),
    }  # fmt: skip


def _drain(room: Room, order: Operator, now_ms: int) -> dict[str, object]:
    draining.begin(room, now_ms)
    return {
        "draining": True, "calls": len(room.calls), "left_ms": draining.left_ms(room),
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
    agents.logout(room, row, f"operator {order.author}", now_ms)
    return {"agent": row.key, "done": "logged out", "undo": f"ringdown agent {row.key} login"}


def _ready(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _agent(room, order)
    if not row.logged_in:
        raise Unknown(f"agent {row.key} is not logged in; `ringdown agent {row.key} login` first")
    agents.ready(room, row)
    return {"agent": row.key, "done": "ready", "undo": f"ringdown agent {row.key} not-ready"}


def _not_ready(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    row = _agent(room, order)
    if not row.logged_in:
        raise Unknown(f"agent {row.key} is not logged in; `ringdown agent {row.key} login` first")
    agents.not_ready(room, row, order.arguments.get("reason", "operator"))
    return {"agent": row.key, "done": "not ready", "undo": f"ringdown agent {row.key} ready"}


def _hang_up(room: Room, order: Operator, now_ms: int) -> dict[str, str]:
    name = order.arguments.get("call", "")
    for call in room.calls.values():
        if name in (call.name, call.caller) and call.phase != "closing":
            ending.hang_up(room, call, f"operator {order.author}", call.outcome or "failed", 16, now_ms)
            return {"call": call.name, "done": "hung up", "undo": "none: the caller has to ring again"}
    raise Unknown(f"no call {name!r} is up; `ringdown calls --live` lists them")


_VERBS = {
    "agents": _agents, "queues": _queues, "calls": _calls, "status": _status, "agent.login": _login,
    "agent.logout": _logout, "agent.ready": _ready, "agent.not_ready": _not_ready, "call.hangup": _hang_up,
    "engine.drain": _drain,
    "noted": _noted,
}  # fmt: skip
