"""What operators and machines that watch are told of the trunks. Never a user or a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.call import trunks
from engine.sip.uri import format_host

if TYPE_CHECKING:
    from engine.call.room import Room
    from engine.call.trunks import TrunkRow
    from engine.dialplan.model import TrunkModel


def rows(room: Room) -> list[dict[str, Any]]:
    """One row for each trunk of the site for new calls."""
    site = room.sites.get(room.site)
    return [_row(room, model) for model in site.trunks.values()] if site is not None else []


def _row(room: Room, model: TrunkModel) -> dict[str, Any]:
    row = room.trunk_rows.get(model.name)
    found: dict[str, Any] = {
        "trunk": model.name, "tenant": model.tenant, "to": f"{model.host}:{model.port}" if model.host else "",
        "transport": model.transport, "from": list(model.addresses), "country": model.country,
        "calls": room.trunk_calls.get(model.name, 0), "calls_max": model.calls_max,
        "calls_per_second": model.calls_per_second, "probed": model.probe is not None,
        "accounts": list(model.accounts),
    }  # fmt: skip
    if row is None:
        return {**found, "state": "unknown", "detail": "", "addresses": [], "registration": None, "placed": 0,
                "moved": 0, "limited": 0}  # fmt: skip
    return {
        **found, "state": trunks.state(row, model, room.now_ms), "detail": row.detail,
        "addresses": [
            {
                "address": f"{hop.place.transport}:{format_host(hop.place.host, hop.place.port)}",
                "usable": trunks.usable(hop, room.now_ms), "round_trip_ms": hop.round_trip_ms, "status": hop.status,
            }
            for hop in row.hops
        ],
        "registration": _registration(room, row), "placed": row.placed, "moved": row.moved, "limited": row.limited,
    }  # fmt: skip


def _registration(room: Room, row: TrunkRow) -> dict[str, Any] | None:
    if not row.enrolled:
        return None
    account = next((each for each in room.endpoint.accounts() if each.id == row.account), None)
    left_ms = account.expires_at_ms - room.now_ms if account is not None and trunks.registered(row) else 0
    return {
        "state": row.enrolled, "status": row.enrolled_status, "detail": row.enrolled_detail,
        "since_s": (room.now_ms - row.enrolled_ms) // 1_000, "left_s": max(0, left_ms) // 1_000,
        "next_s": max(0, row.next_ms - room.now_ms) // 1_000 if row.next_ms else 0,
    }  # fmt: skip


def troubles(found: list[dict[str, Any]]) -> list[str]:
    """One line for each trunk that is down, leads nowhere or isn't registered although it shall be."""
    lines = []
    for row in found:
        if row.get("state") in ("down", "unresolved"):
            why = row.get("detail") or "; ".join(
                f"{each['address']} " + (f"says {each['status']}" if each["status"] else "doesn't answer")
                for each in row["addresses"] if not each["usable"]
            )  # fmt: skip
            lines.append(f"trunk {row['trunk']} is {row['state']}: {why}")
        registration = row.get("registration")
        if registration and registration["state"] not in ("registered", "renewed"):
            again = f"; next try in {registration['next_s']} s" if registration["next_s"] else ""
            what = f" ({registration['detail']})" if registration["detail"] else ""
            lines.append(f"trunk {row['trunk']} is not registered: {registration['state']}{what}{again}")
    return lines
