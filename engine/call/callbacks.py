"""The callbacks that are open: who may have one, how they are booked, told and closed. `callback` carries them out.

Whom the engine calls of itself is a door for toll fraud, so it is shut unless the queue's `callback:` opens it: only
numbers that an `allow` prefix fits, only the number that the caller rings from and that a trunk vouches for (others by
`typed_numbers: yes`), no number of the platform itself, one open callback a number, `open` of them a queue, and only by
the way out that the tenant's outbound rules give a dialplan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import limits
from engine.acd.events import CallAway, CallJoined, CallLeft
from engine.call import levers, places, routing
from engine.dialplan import calendars
from engine.dialplan.actions import AskCallback, CallbackAnswer
from engine.dialplan.callback_reader import allowed
from engine.ids import call_name
from engine.records.kpi_callbacks import Callbacks

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.model import CallbackModel

WAYS = {"agent-first": "agent_first", "customer-first": "customer_first"}
STATES = ("waiting", "paused", "offered", "ringing", "confirming", "telling", "line")
BOOKING_MS_MAX = 60_000  # nobody is rung back while he still hears that he will be
HUNG_UP_MS = 2_000  # after his call has ended his phone is free
SPACING = str.maketrans("", "", " -()./")


class Callback(msgspec.Struct):
    """One open callback. `id` is its entry in the distributor and the call that it becomes. Times are monotonic ms."""

    id: int
    name: str
    tenant: str
    queue: str  # tenant/name
    number: str
    caller_name: str
    dialled: str  # what he had dialled: he knows that number, so it is shown to him
    language: str
    origin: str  # the call in which he asked
    mode: str
    asked_ms: int
    joined_ms: int
    promise_ms: int  # when the promise breaks
    until_ms: int  # when it is given up
    position: int = 0  # when he asked
    state: str = "waiting"
    since_ms: int = 0
    due_ms: int = 0  # paused: until then
    attempts: int = 0
    tries: int = 0  # how often he was asked to confirm
    pause_ms: int = 0  # after the attempt that is under way; 0 after the last one
    agent: str = ""  # who is put aside or rung for him
    rang_ms: int = 0  # how long the agent's phone rang
    drained: bool = False  # paused because the engine was to stop
    free_ms: int = 0  # when he might be rung if the queue had no window


# --- asking for one --------------------------------------------------------------------------------------------
def ask(room: Room, call: Call, wish: AskCallback, now_ms: int) -> None:
    """Answer a dialplan that asks whether a caller may be called back, or books it."""
    room.happen(call, answer(room, call, wish, now_ms))


def answer(room: Room, call: Call, wish: AskCallback, now_ms: int) -> CallbackAnswer:
    """The same for whoever asks: a message in a box may be an entry of its queue."""
    number = (wish.number if wish.typed else call.caller).translate(SPACING)
    refusal = _refusal(room, call, wish, number)
    if refusal:
        if wish.book or refusal == "refused":
            room.log("info", f"{call.name}: no callback from {wish.queue}: {refusal}", "callback")
        return CallbackAnswer(wish.ticket, refusal, number)
    if not wish.book:
        return CallbackAnswer(wish.ticket, "allowed", number)
    return _book(room, call, wish, number, now_ms)


def _refusal(room: Room, call: Call, wish: AskCallback, number: str) -> str:
    queue = room.site_of(call).queues.get(wish.queue)
    model = queue.callback if queue is not None else None
    if model is None or room.draining or wish.queue not in room.queue_ids or levers.closed(room, wish.queue):
        return "failed"
    if not places.known(number):
        return "no_number"
    vouched = not wish.typed and call.via == "trunk"
    if not (vouched or model.typed) or not _callable(room, call.tenant, model, number):
        return "refused"
    known = of_number(room, call.tenant, number)
    if known is not None and (not wish.replace or known.id in room.calls):
        return "already_open"
    others = [each for each in room.callbacks.values() if each is not known]
    in_queue = sum(1 for each in others if each.queue == wish.queue)
    if in_queue >= model.open_max or len(others) >= limits.callbacks_max:
        return "full"
    return ""


def _callable(room: Room, tenant: str, model: CallbackModel, number: str) -> bool:
    """A number outside, of an allowed class, with a way out: never an agent's or one of ours."""
    index = room.index()
    own = index.agent(tenant, number) is not None or index.number(number, tenant) is not None
    return not own and allowed(model, number) and index.outbound(tenant, "*", number) is not None


def of_number(room: Room, tenant: str, number: str) -> Callback | None:
    """The open callback to this number."""
    return next((c for c in room.callbacks.values() if c.number == number and c.tenant == tenant), None)


def _book(room: Room, call: Call, wish: AskCallback, number: str, now_ms: int) -> CallbackAnswer:
    model = room.site_of(call).queues[wish.queue].callback
    assert model is not None  # `_refusal` has seen it in this step
    known = of_number(room, call.tenant, number)
    if known is not None:
        room.distribute(CallLeft(known.id, "moved"))
        over(room, known, "callback.cancelled", now_ms, by="replaced")
    room.call_serial += 1
    number_of_call = room.call_serial
    way, held = WAYS[model.mode], call.held_place
    pause_ms = lengthened(room, wish.queue, now_ms, BOOKING_MS_MAX)
    if held is not None and held.queue == wish.queue and room.acd.position(call.id):
        joined_ms, call.held_place = held.joined_ms, None
        room.distribute(CallAway(call.id, way, number_of_call, pause_ms, model.age_ms))
    else:
        joined_ms = now_ms
        needs = tuple((routing.skill_id(room, name), level) for name, level in wish.needs)
        queue = room.queue_ids[wish.queue]
        room.distribute(CallJoined(number_of_call, queue, wish.priority_ms, needs, model.age_ms, away=way))
        room.distribute(CallAway(number_of_call, way, pause_ms=pause_ms, wait_ms_max=model.age_ms))
    position = room.acd.position(number_of_call)
    if not position:
        return CallbackAnswer(wish.ticket, "full", number)
    language = call.running.language if call.running is not None else call.language
    back = room.callbacks[number_of_call] = Callback(
        number_of_call, call_name(number_of_call), call.tenant, wish.queue, number, call.caller_name, call.dialled,
        language, call.name, model.mode, now_ms, joined_ms, now_ms + model.promise_ms, now_ms + model.age_ms, position,
        "paused", now_ms, now_ms + pause_ms, free_ms=now_ms + BOOKING_MS_MAX,
    )  # fmt: skip
    _arm(room, back)
    tell(
        room, back, "callback.requested", number=number, origin=call.name, mode=model.mode, position=position,
        promise_ms=model.promise_ms, until_ms=model.age_ms,
    )  # fmt: skip
    return CallbackAnswer(wish.ticket, "accepted", number, position)


def hung_up(room: Room, call: Call, now_ms: int) -> None:
    """The call in which callbacks were asked for is over: his phone is free to ring."""
    for back in room.callbacks.values():
        if back.origin == call.name and back.state == "paused" and not back.attempts and not back.drained:
            pause(room, back, now_ms, HUNG_UP_MS)


# --- their life --------------------------------------------------------------------------------------------------
def model(room: Room, back: Callback) -> CallbackModel | None:
    """The present rules of its queue: a reload holds for callbacks that are open as well."""
    site = room.sites.get(room.site)
    queue = site.queues.get(back.queue) if site is not None else None
    return queue.callback if queue is not None else None


def may_ring(room: Room, back: Callback) -> bool:
    """Is the number still one that may be called?"""
    rules = model(room, back)
    return rules is not None and _callable(room, back.tenant, rules, back.number)


def enter(room: Room, back: Callback, state: str, now_ms: int) -> None:
    back.state, back.since_ms = state, now_ms


def shown(back: Callback, now_ms: int) -> str:
    """Its state in words for people: the distributor ends a pause without a word."""
    return "waiting" if back.state == "paused" and back.due_ms <= now_ms else back.state


def pause(room: Room, back: Callback, now_ms: int, pause_ms: int) -> None:
    """At his place, but no turn for `pause_ms`; 0: his turn may come at once. Outside of the queue's window it lasts
    until that begins."""
    back.free_ms = now_ms + pause_ms
    pause_ms = lengthened(room, back.queue, now_ms, pause_ms)
    enter(room, back, "paused" if pause_ms else "waiting", now_ms)
    back.pause_ms, back.due_ms = 0, now_ms + pause_ms
    room.distribute(CallAway(back.id, WAYS[back.mode], pause_ms=pause_ms))
    _arm(room, back)


def tell(room: Room, back: Callback, kind: str, **data: str | int | bool) -> None:
    """An event of this callback, counted for its queue."""
    room.emit(kind, back.tenant, back.name, queue=back.queue, **data)
    counts = room.callback_counts.setdefault(back.queue, Callbacks())
    counts.count(kind, kept=bool(data.get("kept")))


def over(
    room: Room, back: Callback, kind: str, now_ms: int, *, reason: str = "", by: str = "", position: int = 0,
    left: bool = True,
) -> None:  # fmt: skip
    """Closed without a conversation (`callback.expired` with a reason, `callback.cancelled` with whose word it was).

    `left`: his stay in the queue ends with it; not where he was on the line, and has left it himself.
    """
    close(room, back)
    waited_ms = now_ms - back.joined_ms
    if left:
        room.emit(
            "queue.left", back.tenant, back.name, queue=back.queue, reason=kind.partition(".")[2], position=position,
            first_position=back.position, waited_ms=waited_ms, key="",
        )  # fmt: skip
    if kind == "callback.expired":
        tell(room, back, kind, reason=reason, attempts=back.attempts, waited_ms=waited_ms)
    else:
        tell(room, back, kind, by=by)


def close(room: Room, back: Callback) -> None:
    """It is open no more."""
    room.callbacks.pop(back.id, None)
    room.deadlines.cancel(("window", back.id))


def pause_all(room: Room, now_ms: int) -> None:
    """The engine is to stop: nobody is rung any more."""
    for back in room.callbacks.values():
        if back.id not in room.calls:
            pause(room, back, now_ms, limits.drain_ms_max)
            back.drained = True


def go_on(room: Room, now_ms: int) -> None:
    """It was to stop, and serves again."""
    for back in room.callbacks.values():
        if back.drained:
            back.drained = False
            pause(room, back, now_ms, HUNG_UP_MS)


# --- the window: times of the day at which people are rung -----------------------------------------------------------
def _window(room: Room, queue: str, now_ms: int) -> tuple[bool, int]:
    """(may an attempt be started at this moment? for how many ms that holds from then on, 0 for ever)."""
    site = room.sites.get(room.site)
    found = site.queues.get(queue) if site is not None else None
    if site is None or found is None or found.callback is None or not found.callback.window:
        return True, 0
    tenant = site.tenants.get(found.tenant)
    zone = site.zones.get(tenant.time_zone, ()) if tenant is not None else ()
    hours, wall_ms = calendars.daily(found.callback.window), now_ms + room.wall_offset_ms
    change = calendars.next_change(hours, zone, wall_ms)
    return calendars.state(hours, zone, wall_ms) == "open", change[0] - wall_ms if change is not None else 0


def shut(room: Room, back: Callback, now_ms: int) -> bool:
    """Is this a time of the day at which nobody is rung?"""
    return not _window(room, back.queue, now_ms)[0]


def lengthened(room: Room, queue: str, now_ms: int, pause_ms: int) -> int:
    """This pause, until an attempt may be started."""
    inside, change_ms = _window(room, queue, now_ms + pause_ms)
    return pause_ms if inside else pause_ms + change_ms


def _arm(room: Room, back: Callback) -> None:
    """His pause ends inside the window: be told when that ends, should his turn not have come by then."""
    _, change_ms = _window(room, back.queue, back.due_ms)
    if change_ms:
        room.deadlines.arm(("window", back.id), back.due_ms + change_ms)
    else:
        room.deadlines.cancel(("window", back.id))


def window_over(room: Room, number: int, now_ms: int) -> None:
    """The window has ended: who waits for his turn waits for the next one. An attempt that has begun goes on."""
    back = room.callbacks.get(number)
    if back is not None and back.state in ("waiting", "paused"):
        pause(room, back, now_ms, max(0, back.free_ms - now_ms))


def look(room: Room, now_ms: int) -> None:
    """The window may be another one: a site was loaded, or the wall clock was set."""
    for back in room.callbacks.values():
        if back.state not in ("waiting", "paused") or back.drained:
            continue
        rest_ms = max(0, back.free_ms - now_ms)
        if now_ms + lengthened(room, back.queue, now_ms, rest_ms) == max(now_ms, back.due_ms):
            _arm(room, back)  # as it was, but perhaps for another time
        else:
            pause(room, back, now_ms, rest_ms)


# --- what is heard -------------------------------------------------------------------------------------------------
def stock(room: Room, call: Call, name: str) -> tuple[int, ...]:
    """The tenant's or the platform's recording of a stock prompt, in the callback's language."""
    site = room.site_of(call)
    own, common = f"{call.tenant}:{call.language}/{name}", f"{call.language}/{name}"
    return room.clips(site, (own if own in site.prompts else common,))


def ringback(room: Room, call: Call) -> tuple[int, ...]:
    site = room.site_of(call)
    tenant = site.tenants.get(call.tenant)
    name = f"tone/ringback.{tenant.country if tenant is not None else 'us'}"
    return room.clips(site, (name if name in site.prompts else "tone/ringback.us",))
