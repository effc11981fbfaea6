"""Law 6, looked at from outside: whatever is alive in a switch must have a deadline of its own that will move it on."""

from __future__ import annotations

from engine.call import dial
from engine.call.call import Call
from engine.call.room import Room
from engine.sip.session import Phase, Session
from engine.switch import Switch

# phase of a SIP session -> the deadline that ends it (the keys of its endpoint)
SESSION_NETS = {
    Phase.INCOMING: "early", Phase.ANSWERED: "2xx", Phase.DISMISSED: "2xx", Phase.CALLING: "ring_max",
    Phase.RINGING: "ring_max", Phase.GIVING_UP: "cancel", Phase.CANCELLING: "cancel",
}  # fmt: skip
SCRIPT_WAITS = ("play", "digits", "timer", "record")  # what a dialplan waits for by its own timer
ACD_ENTRY_STATES, ACD_AGENT_STATES = (1, 2, 3, 4, 5), (2, 3, 4, 6, 7)  # all but ended; alerting, talking …


def unguarded(switch: Switch) -> list[str]:
    """What could stay for ever if nobody else said a word: empty in a sound switch."""
    room = switch.room
    found = [text for call in room.calls.values() for text in _call(room, call)]
    found += [f"attempt {a.id}: no ring" for a in room.attempts.values() if room.deadlines.at(("ring", a.id)) is None]
    found += [
        f"leg {leg.id} {leg.state}: no confirm" for leg in room.legs.values()
        if leg.state in dial.ASKED and room.deadlines.at(("confirm", leg.id)) is None
    ]  # fmt: skip
    found += [f"leg {leg.id} of no call" for leg in room.legs.values() if leg.call not in room.calls]
    found += [f"challenge {n}" for n in room.pending if room.deadlines.at(("challenge", n)) is None]
    for offer, (attempt, leg) in room.offers.items():
        if attempt not in room.attempts and leg not in room.legs:
            found.append(f"offer {offer} rings nobody")
    for session in room.endpoint.core.sessions.values():
        found += _session(room, session)
    return found + _distributor(room)


def _call(room: Room, call: Call) -> list[str]:
    """`call` or `report` stand behind every phase; the phases that wait for one thing have their own besides."""
    needed = {"closing": ["report"], "nailed": ["nail"]}.get(call.phase, ["call"])
    if call.phase == "whisper":
        needed.append("whisper")
    elif call.phase == "callback" and room.callbacks[call.id].state in ("confirming", "telling"):
        needed.append("callback")
    elif call.phase == "parked" and call.attempt not in room.attempts:
        needed.append("park")
    elif call.phase == "refused":
        needed.append("refusal")
    elif call.phase == "code":
        needed.append("tone")
    elif call.phase in ("mailbox", "prompting"):
        needed.append("menu")
    elif call.phase == "script" and call.running is not None and call.running.waiting in SCRIPT_WAITS:
        needed.append("script")
    found = [f"{call.name} {call.phase}: no {kind}" for kind in needed if room.deadlines.at((kind, call.id)) is None]
    rings = call.attempt in room.attempts or room.deadlines.at(("tone", call.id)) is not None
    if call.phase in ("dial", "transfer") and not rings:
        found.append(f"{call.name} {call.phase}: nobody rings")
    if call.phase == "talking" and (call.leg not in room.legs or call.other not in room.legs):
        found.append(f"{call.name} talks to nobody")
    if call.phase == "queue" and call.id not in room.acd._pool.calls:
        found.append(f"{call.name} waits in no queue")
    return found


def _session(room: Room, session: Session) -> list[str]:
    """Before and after the conversation SIP's own timers stand; in it, the leg's call does."""
    core = room.endpoint.core
    if session.phase in SESSION_NETS:
        key = SESSION_NETS[session.phase]
        return [] if core.deadlines.at((key, session.id)) is not None else [f"session {session.id}: no {key}"]
    if session.phase == Phase.CONFIRMED:
        return [] if room.session_legs.get(session.id) in room.legs else [f"session {session.id} of no leg"]
    if session.phase == Phase.LEAVING:
        leaving = any(tx.owner == session.id and tx.usage == "bye" for tx in core.transactions.values())
        return [] if leaving else [f"session {session.id}: its BYE is lost"]
    return [] if session.refers else [f"session {session.id} is over"]


def _distributor(room: Room) -> list[str]:
    pool = room.acd._pool
    found = [
        f"entry {row}" for row in range(pool.entries.used)
        if pool.entries.state[row] in ACD_ENTRY_STATES and not pool.entries.deadline[row]
    ]  # fmt: skip
    found += [
        f"agent {row} in state {pool.agents.state[row]}" for row in range(pool.agents.used)
        if pool.agents.state[row] in ACD_AGENT_STATES and not pool.agents.deadline[row]
    ]  # fmt: skip
    return found
