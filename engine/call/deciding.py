"""The distributor's decisions into records: numbers become the names that people know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.records import decision

if TYPE_CHECKING:
    from engine.acd.commands import Decided
    from engine.call.room import Room


def decided(room: Room, command: Decided) -> None:
    """`queue.decided`, before the offers that follow from it; `agent` '' when there is nobody for him."""
    call, back = room.calls.get(command.call), room.callbacks.get(command.call)
    if call is None and back is None:
        return  # gone in this very step
    tenant, name = (call.tenant, call.name) if call is not None else (back.tenant, back.name) if back else ("", "")
    keys = room.agent_keys
    against = tuple([(word, _detail(room, word, detail), count) for (word, detail), count in command.against])
    near = tuple([
        (keys.get(each.agent, ""), each.word, _detail(room, each.word, each.detail)) for each in command.near
    ])  # fmt: skip
    site = (call.site if call is not None else room.site)[: decision.SITE_LETTERS]
    why = decision.Why(command.strategy, site, command.key, command.others, against, near)
    room.emit(
        "queue.decided", tenant, name, queue=room.queue_names.get(command.queue, ""),
        agent=" ".join([keys.get(agent, "") for agent in command.asked]), why=decision.encode(why),
    )  # fmt: skip


def _detail(room: Room, word: str, detail: str) -> str:
    """A skill by its name; a reason that only repeats the word says nothing."""
    if word == "lacks":
        return skill_name(room, int(detail))
    return "" if detail == word else detail


def skill_name(room: Room, number: int) -> str:
    return next((name for name, known in room.skill_ids.items() if known == number), str(number))
