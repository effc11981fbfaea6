"""How a call sounded, leg by leg, as lines for people: an opinion each way, what was measured, whose side it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.records.call_detail import LegQuality
from engine.records.events import Event

Data = Mapping[str, Any]


def of_event(data: Data) -> LegQuality:
    """The leg of a `call.quality` event; one of an older engine says nothing of opinions. KeyError without a leg."""
    kinds = LegQuality.__annotations__
    known: dict[str, Any] = {"leg": str(data["leg"])}
    known |= {key: str(data[key]) for key, kind in kinds.items() if kind == "str" and key in data}
    known |= {key: data[key] for key, kind in kinds.items() if kind != "str" and isinstance(data.get(key), int | float)}
    return LegQuality(**known)


def opinions(leg: LegQuality) -> str:
    """ "MOS 4.4 from it, 4.1 to it"; '' when neither is known."""
    parts = [f"{mos:.1f} {way} it" for mos, way in ((leg.mos_in, "from"), (leg.mos_out, "to")) if mos]
    return f"MOS {', '.join(parts)}" if parts else ""


def blame(leg: LegQuality) -> str:
    """The cause with whose side it is, '' when all is well."""
    if not leg.cause:
        return ""
    side = {"theirs": "their side", "ours": "our side", "between": "between us"}.get(leg.side, leg.side)
    return f"{leg.cause} ({side})" if side else leg.cause


def short(leg: LegQuality) -> str:
    """One leg within the closing line."""
    told = blame(leg)
    after = f" BECAUSE {told}" if told else ""
    if not leg.packets_in:
        return f"{leg.leg}: nothing heard{after}"
    rated = opinions(leg)
    return (
        f"{leg.leg}: {f'{rated}, ' if rated else ''}loss {leg.loss_percent():.1f} %, jitter "
        f"{leg.jitter_us / 1000:.1f} ms, longest gap {leg.gap_max_us / 1000:.0f} ms{after}"
    )


def whole(leg: LegQuality) -> list[str]:
    """One leg in full: what came, what went, the cause."""
    rated_in = f", MOS {leg.mos_in:.1f}" if leg.mos_in else ""
    rated_out = f", MOS {leg.mos_out:.1f}" if leg.mos_out else ""
    lines = [
        f"{leg.leg}",
        f"  from it {leg.packets_in} packets, {leg.loss_percent():.1f} % lost, jitter {leg.jitter_us / 1000:.1f} ms, "
        f"longest gap {leg.gap_max_us / 1000:.0f} ms{rated_in}" if leg.packets_in else "  from it nothing",
    ]
    if leg.far_lost >= 0:
        lost = 100.0 * leg.far_lost / leg.packets_out if leg.packets_out else 0.0
        told = f"of which it says it lost {lost:.1f} %{rated_out}"
    else:
        told = "of which it reports nothing (no RTCP)"
    lines.append(f"  to it   {leg.packets_out} packets, {told}")
    if leg.round_trip_us >= 0:
        lines.append(f"  there and back {leg.round_trip_us / 1000:.0f} ms")
    if leg.cause:
        lines.append(f"  because {blame(leg)}")
    return lines


def story(events: Sequence[Event]) -> list[str]:
    """The section of a call's story; nothing for a call whose legs have not closed."""
    legs = [of_event(event.data) for event in events if event.kind == "call.quality"]
    if not legs:
        return []
    return ["How it sounded:", *(f"  {line}" for leg in legs for line in whole(leg)), ""]
