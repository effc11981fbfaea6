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
    keys, skills = room.agent_keys, room.skill_ids
    against = [(word, _detail(skills, word, detail), count) for (word, detail), count in command.against]
    near = [
        (keys.get(agent, ""), word, _detail(skills, word, detail) if detail else "")
        for agent, word, detail in command.near
    ]
    site = (call.site if call is not None else room.site)[: decision.SITE_LETTERS]
    why = decision.Why(command.strategy, site, command.key, command.others, tuple(against), tuple(near))
    room.emit(
        "queue.decided", tenant, name, queue=room.queue_names.get(command.queue, ""),
        agent=" ".join([keys.get(agent, "") for agent in command.asked]), why=decision.encode(why),
    )  # fmt: skip


def _detail(skills: dict[str, int], word: str, detail: str) -> str:
    """A skill by its name; a reason that only repeats the word says nothing."""
    if word == "lacks":
        return skill_name(skills, int(detail))
    return "" if detail == word else detail


def skill_name(skills: dict[str, int], number: int) -> str:
    """`skills`: those of the room."""
    return next((name for name, known in skills.items() if known == number), str(number))
