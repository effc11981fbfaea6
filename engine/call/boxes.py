"""Boxes: messages are taken, kept, warned of and deleted. `mailbox` opens one by phone, `box_desk` by command.

What becomes of a message is told as an event (`voicemail.…`), of which the record store makes its row and the mail
spool its letter. The file is written by the media plane like any recording, and removed by a RemoveFile output.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine import limits
from engine.call import callbacks
from engine.call.call import Call
from engine.call.effects import BoxesLoaded, RemoveFile
from engine.call.messages import Message
from engine.dialplan.actions import AskBox, AskCallback, BoxAnswer
from engine.dialplan.model import Site, retention_days
from engine.records import numbers

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.dialplan.box_model import BoxModel
    from engine.media.commands import TapEnded

NEW, HEARD, SAVED = "new", "heard", "saved"
DAY_MS = 86_400_000
BYTES_PER_MS = 32  # 8 kHz, 16 bit, two sides: what the caller says, and what he hears
END_KEY = "#"


# --- what is there ------------------------------------------------------------------------------------------
def site_now(room: Room) -> Site | None:
    return room.sites.get(room.site)


def model(room: Room, box: str) -> BoxModel | None:
    """The present rules of a box; None when no site has it any more (its messages stay until they are deleted)."""
    site = site_now(room)
    return site.boxes.get(box) if site is not None else None


def of_box(room: Room, box: str) -> list[Message]:
    """Its messages, the oldest first."""
    return sorted((each for each in room.messages.values() if each.box == box), key=lambda m: (m.left_ms, m.id))


def counts(room: Room, box: str) -> tuple[int, int]:
    """(new, old) messages."""
    found = [each.state == NEW for each in room.messages.values() if each.box == box]
    return sum(found), len(found) - sum(found)


def kept_bytes(room: Room, tenant: str) -> int:
    """What the messages of all the tenant's boxes take on disk, those being spoken not counted."""
    prefix = f"{tenant}/"
    return sum(m.duration_ms for m in room.messages.values() if m.box.startswith(prefix)) * BYTES_PER_MS


# --- taking one ---------------------------------------------------------------------------------------------
def ask(room: Room, call: Call, wish: AskBox, now_ms: int) -> None:
    """Answer a dialplan that wants to leave its caller in a box."""
    room.happen(call, BoxAnswer(wish.ticket, _takes(room, call, wish.box)))


def _takes(room: Room, call: Call, box: str) -> str:
    found = room.site_of(call).boxes.get(box)
    if found is None:
        return "failed"
    speaking = sum(1 for each in room.leaving.values() if each.box == box)
    if len(of_box(room, box)) + speaking >= found.messages_max or len(room.messages) >= limits.messages_max:
        return "full"
    tenant = room.site_of(call).tenants.get(found.tenant)
    most = tenant.voicemail_bytes_max if tenant is not None else 0
    return "full" if most and kept_bytes(room, found.tenant) >= most else "open"


def begun(room: Room, call: Call, tap: int) -> str:
    """The tap of a message opens: where its file goes."""
    box, call.box = call.box, ""
    tenant, _, name = box.partition("/")
    file = f"voicemail/{tenant}/{name}/{call.name}-{room.boot}-{tap}.wav"
    language = call.running.language if call.running is not None else call.language
    room.message_serial += 1
    room.leaving[tap] = Message(
        room.message_serial, box, file, call.caller, call.caller_name, call.dialled, call.name,
        room.now_ms + room.wall_offset_ms, via=call.via, language=language,
    )  # fmt: skip
    return file


def ended(room: Room, event: TapEnded) -> bool:
    """A recording is over; True: it was a message. Too short or broken, its file goes, and nothing is in the box."""
    message = room.leaving.pop(event.tap, None)
    if message is None:
        return False
    message.duration_ms = event.duration_ms
    found, tenant = model(room, message.box), message.box.partition("/")[0]
    shortest_ms = found.shortest_ms if found is not None else 0
    if event.detail or event.duration_ms < shortest_ms:
        reason = "failed" if event.detail else "too_short"
        room.emit("voicemail.dropped", tenant, message.call, box=message.box, reason=reason,
                  duration_ms=event.duration_ms)  # fmt: skip
        room.out.append(RemoveFile(message.name))
        return True
    room.messages[message.id] = message
    room.lit[message.box] = None
    room.emit(
        "voicemail.left", tenant, message.call, box=message.box, message=message.name, caller=message.caller,
        name=message.caller_name, dialled=message.dialled, duration_ms=message.duration_ms,
    )  # fmt: skip
    _arm(room, message, room.now_ms)
    if found is not None and found.callback:
        _call_back(room, found, message, room.now_ms)
    return True


def _call_back(room: Room, box: BoxModel, message: Message, now_ms: int) -> None:
    """The message is an entry of its queue, by the rules under which every callback is booked."""
    living = next((c for c in room.calls.values() if c.name == message.call and c.phase != "closing"), None)
    caller = living or Call(
        0, message.call, box.tenant, room.site, message.caller, message.caller_name, message.dialled, message.via, "",
        now_ms, language=message.language,
    )  # fmt: skip
    answer = callbacks.answer(room, caller, AskCallback(0, box.queue, "", False, False, True), now_ms)
    if living is None and answer.result == "accepted":
        callbacks.hung_up(room, caller, now_ms)
    room.emit(
        "voicemail.callback", box.tenant, message.call, box=message.box, message=message.name, queue=box.queue,
        result=answer.result,
    )  # fmt: skip


# --- what becomes of it -------------------------------------------------------------------------------------
def tell(room: Room, kind: str, message: Message, by: str, **data: str | int) -> None:
    tenant = message.box.partition("/")[0]
    room.lit[message.box] = None
    room.emit(kind, tenant, message.call, box=message.box, message=message.name, by=by, **data)


def mark(room: Room, message: Message, state: str, by: str) -> None:
    """Heard or saved (by phone, by command); a saved one stays so."""
    if message.state == state or (message.state == SAVED and state == HEARD):
        return
    message.state = state
    room.deadlines.cancel(("unheard", message.id))
    tell(room, f"voicemail.{state}", message, by)


def delete(room: Room, message: Message, by: str) -> None:
    """Out of the box, and its file off the disk."""
    room.messages.pop(message.id, None)
    room.deadlines.cancel(("unheard", message.id))
    tell(room, "voicemail.deleted", message, by)
    room.out.append(RemoveFile(message.name))


def load(room: Room, event: BoxesLoaded, now_ms: int) -> None:
    """What was in the boxes before a restart. What nobody had heard by then is warned of as if we had been there."""
    for each in event.messages[: limits.messages_max]:
        room.message_serial += 1
        message = room.messages[room.message_serial] = Message(
            room.message_serial, each.box, each.name, each.caller, each.caller_name, each.dialled, each.call,
            each.left_ms, each.duration_ms, each.state, each.warned,
        )  # fmt: skip
        room.lit[each.box] = None
        _arm(room, message, now_ms)


def site_loaded(room: Room, now_ms: int) -> None:
    """Another site: its boxes may warn earlier, or later, and be shown on other phones."""
    site = site_now(room)
    room.lit.update(dict.fromkeys(site.boxes if site is not None else ()))
    for message in room.messages.values():
        _arm(room, message, now_ms)


def _arm(room: Room, message: Message, now_ms: int) -> None:
    found = model(room, message.box)
    if found is None or not found.unheard_ms or message.state != NEW or message.warned:
        room.deadlines.cancel(("unheard", message.id))
        return
    at = message.left_ms + found.unheard_ms - room.wall_offset_ms
    room.deadlines.arm(("unheard", message.id), max(now_ms, at))


def due(room: Room, number: int, now_ms: int) -> None:
    """Nobody has heard it in time: told once."""
    message = room.messages.get(number)
    if message is None or message.state != NEW or message.warned:
        return
    waited_ms = now_ms + room.wall_offset_ms - message.left_ms
    new, _ = counts(room, message.box)
    message.warned = True
    tell(room, "voicemail.unheard", message, "", waited_ms=waited_ms, new=new)
    hours = waited_ms / 3_600_000
    room.log(
        "warning", f"box {message.box}: a message has waited for {hours:.1f} h, {new} are new; "
        f"ringdown voicemail {message.box}", f"box.{message.box}",
    )  # fmt: skip


def sweep(room: Room, now_ms: int) -> int:
    """Delete what is older than its box, tenant or site keeps it; how many went."""
    old = list(_outlived(room, now_ms + room.wall_offset_ms))
    for message in old:
        delete(room, message, "retention")
    return len(old)


def _outlived(room: Room, wall_ms: int) -> Iterator[Message]:
    site = site_now(room)
    for message in room.messages.values():
        found = model(room, message.box)
        days = found.keep_days if found is not None else 0
        if not days and site is not None:
            days = retention_days(site, "voicemail", message.box.partition("/")[0])
        if days and message.left_ms < wall_ms - days * DAY_MS:
            yield message


def let_go(room: Room, number: str, country: str) -> int:
    """Somebody is to be erased: nothing in memory names him any more; how many messages did. The eraser removes files
    and rows, and `gone` follows when it has."""
    count = 0
    for message in room.messages.values():
        if any(numbers.names(text, number, country) for text in (message.caller, message.caller_name, message.dialled)):
            message.caller = message.caller_name = message.dialled = ""
            count += 1
    return count


def gone(room: Room, names: list[str]) -> int:
    """Their files have been removed beside us: out of the boxes."""
    lost = [each for each in room.messages.values() if each.name in names]
    for message in lost:
        delete(room, message, "forget")
    return len(lost)
