"""The dialplan at the wheel: its actions carried out on the caller's leg, happenings told to its interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine import limits
from engine.call import (
    boxes,
    callbacks,
    ending,
    fetching,
    hearing,
    live_facts,
    notes,
    numbers,
    recording,
    script_people,
    showing,
    streaming,
    talking,
    waiting,
    words,
)
from engine.call import leg as legs
from engine.call.call import Call
from engine.call.effects import LookupWanted
from engine.dialplan import actions, interpreter, seasons

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.actions import Action, Happening
    from engine.dialplan.model import NumberModel

CAUSE_OF_STATUS = {404: 1, 480: 19, 486: 17, 603: 21, 484: 28, 488: 88, 500: 41, 503: 41}


def begin(room: Room, call: Call, program: str, entry: str, now_ms: int, *, carry: bool = False) -> bool:
    """Start a dialplan of the call's site at `entry` ('' = its own). False when the site has no such dialplan.

    `carry`: the caller's language goes on, and what is known of him, in variables that both dialplans declare alike.
    """
    site = room.site_of(call)
    linked = site.programs.get(program)
    if linked is None:
        return False
    tenant = site.tenants.get(call.tenant)
    languages = linked.languages or (tenant.languages if tenant is not None else ("en",))
    known: dict[str, str | int | bool] = {}
    language, old, before = languages[0], call.running, site.programs.get(call.program)
    if carry and old is not None and before is not None:
        language = old.language if old.language in linked.languages else language
        known = {
            name: old.variables[name]
            for name, variable in linked.variables.items()
            if name in old.variables and name in before.variables and before.variables[name].type == variable.type
        }
    hearing.stop(room, call)
    call.program, call.phase, call.language = program, "script", language
    given = facts(room, call)
    live_facts.tell(room, call, linked, given, now_ms)
    call.running, wishes = interpreter.start(linked, given, language, site, now_ms, entry=entry, carried=known)
    perform(room, call, wishes, now_ms)
    return True


def way(room: Room, call: Call, number: NumberModel, now_ms: int) -> tuple[str, str]:
    """(dialplan, flow or '') behind a number today: a season is picked once, by the tenant's clock.

    A caller who withholds his number, or has none that is one, goes the number's own way for such callers.
    """
    presentation = call.identity.presentation if call.identity is not None else "shown"
    own = {"withheld": number.anonymous, "malformed": number.malformed}.get(presentation, "")
    if own:
        return number.dialplan, own
    site = room.site_of(call)
    tenant = site.tenants.get(number.tenant)
    zone = site.zones.get(tenant.time_zone, ()) if tenant is not None else ()
    return seasons.entered(number, zone, now_ms + room.wall_offset_ms)


def facts(room: Room, call: Call) -> dict[str, str]:
    """The namespaces' first values; `system.now` is Unix ms, which the interpreter shows in the site's zone."""
    return {
        "call.id": call.name,
        "access.caller": call.caller,
        "access.dialled": call.dialled,
        "access.trunk": call.trunk,
        "access.kind": call.via,
        **numbers.facts(call.identity),
        "system.now": str(room.now_ms + room.wall_offset_ms),
        "system.tenant": call.tenant,
    }


def tell(room: Room, call: Call, happening: Happening, now_ms: int) -> None:
    """One happening for the call's dialplan (dropped when it has none, or has ended)."""
    running = call.running
    if running is None or running.waiting == "ended":
        return
    site = room.site_of(call)
    program = site.programs[call.program]
    live_facts.tell(room, call, program, running.facts, now_ms)
    perform(room, call, interpreter.step(running, happening, program, site), now_ms)


def perform(room: Room, call: Call, wishes: list[Action], now_ms: int) -> None:
    """Carry out what the dialplan asks. After the call ended only notes are heeded."""
    for wish in wishes:
        if isinstance(wish, actions.Note):
            notes.take(room, call, wish)
        elif call.phase != "closing":
            _RULES[type(wish)](room, call, wish, now_ms)


def _answer(room: Room, call: Call, wish: actions.Answer, now_ms: int) -> None:
    if not talking.answer_caller(room, call, now_ms):
        return
    if not room.legs[call.leg].pending_answer:
        room.happen(call, actions.AnsweredNow(wish.ticket))


def _play(room: Room, call: Call, wish: actions.PlayPrompts, now_ms: int) -> None:
    leg = room.legs[call.leg]
    call.stays = wish.loop
    room.emit("call.prompt", call.tenant, call.name, clips=notes.clips(wish))
    if words.begin(room, call, wish, now_ms):
        return
    clips = room.clips(room.site_of(call), wish.clips)
    if clips and leg.row >= 0:
        legs.play(room, leg, f"step:{wish.ticket}", clips, loop=wish.loop)
    elif not wish.loop:
        room.happen(call, actions.PlayDone(wish.ticket))


def _stop_play(room: Room, call: Call, wish: actions.StopPlay, now_ms: int) -> None:
    words.drop(room, call)
    legs.quiet(room, room.legs[call.leg])


def _collect(room: Room, call: Call, wish: actions.Collect, now_ms: int) -> None:
    call.collecting, call.sensitive = wish.on, wish.on and wish.sensitive
    call.barge_in = wish.on and _barges_in(room, call)
    call.barge_in_from_ms = now_ms + wish.barge_in_ms
    if call.hushed != call.sensitive:
        streaming.hush(room, call, call.sensitive)
        recording.hush(room, call, call.sensitive)


def _barges_in(room: Room, call: Call) -> bool:
    """Does the menu or gather that collects let a key cut its prompt short? (`barge_in: no` lets it be heard out.)"""
    running = call.running
    if running is None or not running.stack:
        return True
    flow, following = running.stack[-1]
    steps = room.site_of(call).programs[call.program].flows.get(flow, ())
    return not 0 < following <= len(steps) or steps[following - 1].data.get("barge_in") is not False


def _set_timer(room: Room, call: Call, wish: actions.SetTimer, now_ms: int) -> None:
    if wish.ms > 0:
        call.timer_ticket = wish.ticket
        call.stays = call.stays or wish.ms >= limits.call_ms_max  # silence without an end
        room.deadlines.arm(("script", call.id), now_ms + wish.ms)
    else:
        room.deadlines.cancel(("script", call.id))


def _join_queue(room: Room, call: Call, wish: actions.JoinQueue, now_ms: int) -> None:
    if talking.answer_caller(room, call, now_ms):
        waiting.join(room, call, wish, now_ms)


def _dial(room: Room, call: Call, wish: actions.DialOut, now_ms: int) -> None:
    talking.dial_out(room, call, wish, now_ms)


def _ask_callback(room: Room, call: Call, wish: actions.AskCallback, now_ms: int) -> None:
    callbacks.ask(room, call, wish, now_ms)


def _look_up(room: Room, call: Call, wish: actions.LookUp, now_ms: int) -> None:
    model = room.site_of(call).lookups[wish.lookup]
    room.out.append(LookupWanted(call.id, wish.ticket, call.name, model, wish.values))


def _send_key(room: Room, call: Call, wish: actions.SendKey, now_ms: int) -> None:
    legs.send_digit(room, room.legs[call.leg], wish.digit, wish.ms, now_ms)


def _show(room: Room, call: Call, wish: actions.Show, now_ms: int) -> None:
    showing.show(room, call, wish.values)


def _record(room: Room, call: Call, wish: actions.StartRecord, now_ms: int) -> None:
    recording.start(
        room, call, now_ms, ticket=wish.ticket, ms_max=wish.ms_max, keys="".join(wish.end_keys), beep=wish.beep
    )


def _ask_box(room: Room, call: Call, wish: actions.AskBox, now_ms: int) -> None:
    boxes.ask(room, call, wish, now_ms)


def _leave_message(room: Room, call: Call, wish: actions.LeaveMessage, now_ms: int) -> None:
    leg = room.legs.get(call.leg)
    if leg is not None and leg.tap:
        recording.stop(room, call, now_ms)  # of the call: a leg has one recording, and this one is what he speaks for
    call.box = wish.box
    recording.start(room, call, now_ms, ticket=wish.ticket, ms_max=wish.ms_max, keys=boxes.END_KEY, beep=True)
    if not call.record_ticket:
        call.box = ""  # it could not begin, and the dialplan has been told


def _stop_record(room: Room, call: Call, wish: actions.StopRecord, now_ms: int) -> None:
    recording.stop(room, call, now_ms)


def _echo(room: Room, call: Call, wish: actions.EchoBack, now_ms: int) -> None:
    call.stays = True
    legs.echo(room, room.legs[call.leg])


def _hang_up(room: Room, call: Call, wish: actions.Hangup, now_ms: int) -> None:
    ending.hang_up(room, call, "dialplan", wish.outcome, wish.cause, now_ms)


def _reject(room: Room, call: Call, wish: actions.Reject, now_ms: int) -> None:
    cause = wish.cause or CAUSE_OF_STATUS.get(wish.status, 31)
    ending.hang_up(room, call, "dialplan", "failed", cause, now_ms, status=wish.status)


_RULES: dict[type, Callable[[Room, Call, Any, int], None]] = {
    actions.Answer: _answer, actions.PlayPrompts: _play, actions.StopPlay: _stop_play, actions.Collect: _collect,
    actions.SetTimer: _set_timer, actions.JoinQueue: _join_queue, actions.DialOut: _dial,
    actions.AskCallback: _ask_callback, actions.LookUp: _look_up,
    actions.SendKey: _send_key, actions.Show: _show,
    actions.AskBox: _ask_box, actions.LeaveMessage: _leave_message,
    actions.StartRecord: _record, actions.StopRecord: _stop_record, actions.EchoBack: _echo,
    actions.Hangup: _hang_up, actions.Reject: _reject, **script_people.RULES, **fetching.RULES, **hearing.RULES,
    **streaming.RULES,
}  # fmt: skip
