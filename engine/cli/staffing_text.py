"""What `ringdown staffing` prints: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from engine.acd import forecast, roster
from engine.acd.forecast import Figures, Load
from engine.cli import show
from engine.cli.staffing_rows import Need, Row, Table, agents, gaps
from engine.errors import UsageError

FIGURES = (
    ("model", "model"), ("agents", "agents"), ("planned", "planned"), ("p_blocked", "blocked %"), ("p_wait", "wait %"),
    ("p_abandon", "lost %"), ("mean_wait_s", "wait"), ("mean_wait_answered_s", "ASA"), ("service_level", "SL %"),
    ("occupancy", "occupancy %"), ("mean_queue_length", "queue"),
)  # fmt: skip
_SHARES = ("p_blocked", "p_wait", "p_abandon", "service_level", "occupancy")


# --- from numbers -----------------------------------------------------------------------------------------------
def of_numbers(load: Load, need: Need, also: int, *, json: bool) -> str:
    """Each model's agents with their figures; `also` so many agents (0: not asked for). Raises UsageError."""
    if not 0 <= also <= forecast.agents_max:
        raise UsageError(f"--agents lies in 1 to {forecast.agents_max}, not {also}")
    rows: list[tuple[str, Figures | None]] = []
    for model, each in _models(load, need):
        needed = agents(each, need.target)
        for count in dict.fromkeys(filter(None, (needed, also))):
            rows.append((model, forecast.figures(each, count, need.target.within_s)))
        if not needed:
            rows.append((model, None))
    found = [{"model": model, "agents": 0, "planned": 0} if figures is None else
             {"model": model, **msgspec.structs.asdict(figures),
              "planned": forecast.rostered(figures.agents, need.shrinkage)} for model, figures in rows]  # fmt: skip
    if json:
        asked = {"rate_per_s": load.rate_per_s, "aht_s": load.handle_s, "patience_s": need.patience_s,
                 "places": load.places, "erlangs": load.erlangs, "shrinkage": need.shrinkage,
                 "target": msgspec.structs.asdict(need.target)}  # fmt: skip
        return show.as_json({**asked, "rows": [{key: _finite(value) for key, value in row.items()} for row in found]})
    shown = [{key: _for_people(key, value) for key, value in row.items()} for row in found]
    columns = [column for column in FIGURES if column[0] != "p_blocked" or load.places is not None]
    return f"{load.erlangs:.2f} erlangs\n{show.table(shown, columns)}"


def _models(load: Load, need: Need) -> list[tuple[str, Load]]:
    patience_s = need.patience_s or math.inf
    if load.places is not None:
        bounded = "Erlang B" if load.places == 0 else f"M/M/n/n+{load.places}"
        impatient = bounded if load.places == 0 or math.isinf(patience_s) else f"{bounded} + M"
        return [(impatient, msgspec.structs.replace(load, patience_s=patience_s))]
    models = [("Erlang C", load)]
    if need.patience_s is not None:
        models.append(("Erlang A", msgspec.structs.replace(load, patience_s=patience_s)))
    return models


def _for_people(key: str, value: Any) -> Any:
    if key in _SHARES:
        return value * 100
    if key in ("mean_wait_s", "mean_wait_answered_s"):
        return "endless" if math.isinf(value) else f"{value:.1f} s"
    return "endless" if isinstance(value, float) and math.isinf(value) else value


def _finite(value: Any) -> Any:
    """JSON has no infinity: null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


# --- by interval ------------------------------------------------------------------------------------------------------
def of_records(found: Table, need: Need, *, json: bool) -> str:
    """The table, then a sentence for every stretch that is short (and over, of shifts)."""
    duty = roster.sentences(gaps(found, shifts=False))
    shifts = roster.sentences(gaps(found, shifts=True), over=True)
    if json:
        return show.as_json({
            "queue": found.queue, "patience_s": found.patience_s, "shrinkage": need.shrinkage,
            "target": msgspec.structs.asdict(need.target), "notes": found.notes,
            "rows": [_row(row) for row in found.rows], "duty": duty, "shifts": shifts,
        })  # fmt: skip
    lines = [show.table([_shown(row) for row in found.rows], _columns(found)), ""]
    lines += [_patience(found, need), *found.notes]
    if any(row.gap is not None for row in found.rows):
        lines += duty or ["on duty: nobody was missing"]
    if any(row.shift_gap is not None for row in found.rows):
        lines += [f"shifts: {each}" for each in shifts] or ["shifts: as many as are needed, everywhere"]
    return "\n".join(lines)


def _patience(found: Table, need: Need) -> str:
    if found.patience_s is None:
        return f"patience unknown ({found.gave_up} gave up): the need is Erlang C's"
    whence = "as told" if need.patience_s is not None else f"from the records, {found.gave_up} gave up"
    return f"patience {show.seconds(round(found.patience_s * 1000))} ({whence}): the need is Erlang A's"


def _begin(row: Row) -> str:
    return f"{roster.date_of(row.from_s // roster.DAY_S)} {roster.clock(row.from_s)}"


def _row(row: Row) -> dict[str, Any]:
    return {"begin": _begin(row), **msgspec.structs.asdict(row)}


def _shown(row: Row) -> dict[str, Any]:
    found = _row(row)
    found["aht"] = None if row.aht_s is None else show.seconds(round(row.aht_s * 1000))
    if row.low is None:
        found["offered"] = int(row.offered)
    return found


def _columns(found: Table) -> list[tuple[str, str]]:
    forecast_made = any(row.low is not None for row in found.rows)
    columns = [("begin", "begin"), ("offered", "calls" if forecast_made else "offered")]
    if forecast_made:
        columns += [("low", "low"), ("high", "high")]
    columns += [("aht", "AHT"), ("erlang_c", "Erlang C"), ("erlang_a", "Erlang A"), ("planned", "planned")]
    if not forecast_made:
        columns += [("duty", "on duty"), ("gap", "over/short")]
    if any(row.shift is not None for row in found.rows):
        columns += [("shift", "shifts"), ("shift_gap", "shifts over/short")]
    return columns
