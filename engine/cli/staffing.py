"""`ringdown staffing`: how many agents a load needs, from numbers, from the records, or for a day to come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    from engine.acd.forecast import Load, Target
    from engine.cli.staffing_rows import Need


def staffing(
    rate: Annotated[str, typer.Option("--rate", help="Calls, as 100/30min or 720/h.")] = "",
    aht: Annotated[str, typer.Option("--aht", help="Work a call: talk, hold and wrap-up, as 3min (with --queue: "
                                     "instead of what the records say).")] = "",
    level: Annotated[str, typer.Option("--service-level", help="Share answered in time (0%: not asked for).")] = "80%",
    within: Annotated[str, typer.Option("--within", help="The service level's time.")] = "20s",
    asa: Annotated[str, typer.Option("--asa", help="Mean wait of the answered at most, as 15s.")] = "",
    abandonment: Annotated[str, typer.Option("--abandonment-max", help="Share that may give up, as 3%.")] = "",
    occupancy: Annotated[str, typer.Option("--occupancy-max", help="Share of their time that agents may be busy, as "
                                           "85%.")] = "",
    patience: Annotated[str, typer.Option("--patience", help="Mean time after which callers give up, as 2min (with "
                                          "--queue: instead of what the records say).")] = "",
    places: Annotated[int | None, typer.Option("--places", min=0, help="Callers who may wait at once; needs "
                                               "--blocking-max.")] = None,
    blocking: Annotated[str, typer.Option("--blocking-max", help="Share that may find no place, as 1%.")] = "",
    shrinkage: Annotated[str, typer.Option("--shrinkage", help="Share of paid time not at work (breaks, illness, "
                                           "training), as 30%.")] = "0%",
    agents: Annotated[int, typer.Option("--agents", help="Show the figures of so many agents too.")] = 0,
    queue: Annotated[str, typer.Option("--queue", help="From the records of this queue, as support or "
                                       "default/support.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day of records (default: today; with --for: twelve weeks "
                                       "before).")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day of records, whole (default: today).")] = "",
    ahead: Annotated[str, typer.Option("--for", help="Forecast this day from the records.")] = "",
    days: Annotated[Path | None, typer.Option("--days", help="YAML file of special days (with --for).")] = None,
    shifts: Annotated[Path | None, typer.Option("--shifts", help="YAML file of shifts to hold against the need (with "
                                                "--queue).")] = None,
    interval: Annotated[str, typer.Option("--interval", help="15m | 30m | hour")] = "30m",
    simulate: Annotated[Path | None, typer.Option("--simulate", help="By simulation: the fewest agents of each group "
                                                  "of SCENARIO.yaml with which every queue holds the service "
                                                  "level.")] = None,
    zone: Annotated[str, typer.Option("--zone", help="Time zone of days, as Europe/London (default: this "
                                      "machine's).")] = "",
    data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """How many agents a load needs (Erlang B, C and A), by interval of a queue, against duty and shifts.

    With --simulate the rules of a scenario instead of a formula: skills, tiers, strategies, several queues.
    """
    from engine.cli import staffing_rows, staffing_simulated, staffing_text
    from engine.errors import UsageError

    target = _target(level, within, asa, abandonment, blocking, occupancy)
    need = staffing_rows.Need(target, share("--shrinkage", shrinkage, all_of_it=False))
    need.aht_s = seconds("--aht", aht, above=True) if aht else None
    need.patience_s = seconds("--patience", patience, above=True) if patience else None
    records: dict[str, object] = {
        "--from": first, "--to": last, "--for": ahead, "--days": days, "--shifts": shifts, "--zone": zone,
    }  # fmt: skip
    if simulate is not None:
        told = {"--rate": rate, "--aht": aht, "--asa": asa, "--abandonment-max": abandonment, "--queue": queue,
                "--within": within != "20s", "--occupancy-max": occupancy, "--patience": patience, "--places": places,
                "--blocking-max": blocking, "--agents": agents}  # fmt: skip
        print(staffing_simulated.of_scenario(simulate, need, records | told, json=json))
        return
    if queue and (rate or agents or places is not None or blocking):
        raise UsageError("--rate, --agents, --places and --blocking-max go without --queue")
    if not queue:
        if strange := [name for name, value in records.items() if value]:
            raise UsageError(f"{', '.join(strange)}: only with --queue")
        print(staffing_text.of_numbers(_load(rate, need, places), need, agents, json=json))
        return
    if days is not None and not ahead:
        raise UsageError("--days: only with --for")
    wish = staffing_rows.wish(queue, first, last, ahead, interval, zone)
    wish.shifts, wish.specials = staffing_rows.files(shifts, days)
    found = staffing_rows.table(data_folder(data) / "ringdown.db", wish, need)
    print(staffing_text.of_records(found, need, json=json))


def _target(level: str, within: str, asa: str, abandonment: str, blocking: str, occupancy: str) -> Target:
    from engine.acd.forecast import Target

    return Target(
        share("--service-level", level, all_of_it=False) or None, seconds("--within", within),
        seconds("--asa", asa) if asa else None, _ceiling("--abandonment-max", abandonment),
        _ceiling("--blocking-max", blocking), _ceiling("--occupancy-max", occupancy),
    )  # fmt: skip


def _load(rate: str, need: Need, places: int | None) -> Load:
    from engine.acd.forecast import Load, erlangs_max, places_max
    from engine.errors import UsageError

    if not rate or need.aht_s is None:
        raise UsageError("say --rate and --aht, as in --rate 100/30min --aht 3min; or --queue NAME for the records")
    if places is not None and places > places_max:
        raise UsageError(f"--places is at most {places_max}")
    if (places is None) != (need.target.p_blocked is None):
        raise UsageError("--places and --blocking-max go together: who finds no place must be rare enough")
    load = Load(per_second(rate), need.aht_s, places=places)
    if load.erlangs > erlangs_max:
        raise UsageError(f"--rate times --aht is {load.erlangs:.0f} erlangs, more than the {erlangs_max} that are "
                         "reckoned with")  # fmt: skip
    return load


def _ceiling(option: str, text: str) -> float | None:
    return share(option, text, none_of_it=False) if text else None


# --- values as they are typed ---------------------------------------------------------------------------------------
def seconds(option: str, text: str, *, above: bool = False) -> float:
    """`20s`, `1.5min` in seconds, at most a day; with `above` more than nothing. Raises UsageError."""
    from engine.dialplan.types import TypeProblem, duration_ms
    from engine.errors import UsageError

    try:
        found = duration_ms(text)
    except TypeProblem as error:
        raise UsageError(f"{option}: {error}") from error
    if found > 86_400_000 or (above and not found):
        raise UsageError(f"{option} lies between {'1ms' if above else '0s'} and 24h, not {text}")
    return found / 1000


def share(option: str, text: str, *, all_of_it: bool = True, none_of_it: bool = True) -> float:
    """`80%` as 0.8; whether 100 % and 0 % are allowed. Raises UsageError."""
    from engine.errors import UsageError

    number = text.strip().removesuffix("%").strip()
    if not text.strip().endswith("%") or not number.replace(".", "", 1).isdecimal() or not number.isascii():
        raise UsageError(f"{option} is a share in percent, as in 80%, not {text!r}")
    found = float(number) / 100
    if found > 1.0 or (found == 1.0 and not all_of_it):
        raise UsageError(f"{option} is {'at most' if all_of_it else 'less than'} 100%, not {text}")
    if found == 0.0 and not none_of_it:
        raise UsageError(f"{option} is more than 0%")
    return found


def per_second(text: str) -> float:
    """`100/30min`, `48/min` in calls per second. Raises UsageError."""
    from engine.errors import UsageError

    count, slash, time = text.partition("/")
    count, time = count.strip(), time.strip()
    if not slash or not count.isascii() or not count.replace(".", "", 1).isdecimal() or not time:
        raise UsageError(f"--rate is calls in a time, as in 100/30min or 720/h, not {text!r}")
    return float(count) / seconds("--rate", time if time[0].isdigit() else f"1{time}", above=True)
