"""`ringdown status`: what runs, how it feels, and what is off its default."""

from __future__ import annotations

from typing import Any

from engine.cli.options import Data, Json, data_folder


def status(data: Data = None, json: Json = False) -> None:
    """Show the engine's state: calls, records, delays, refused messages."""
    from engine.cli import client, show

    found = client.ask(data_folder(data), "status")
    print(show.as_json(found) if json else "\n".join(lines(found)))


def lines(found: dict[str, Any]) -> list[str]:
    """The status as text."""
    switch, runtime = found["switch"], found["runtime"]
    storage, journal = runtime["storage"], runtime["journal"]
    result = [
        f"ringdown {found['version']} boot {found['boot']}, up {found['up_s']} s, {' '.join(found['addresses'])}"
        + _draining(found),
        f"site     {found['site']['folder']} version {found['site']['version'][:12]}",
        f"calls    {switch.get('calls', '?')} up, {switch.get('waiting', '?')} waiting, "
        f"{switch.get('agents_ready', '?')} agents ready, {switch.get('sessions', '?')} SIP sessions",
        f"records  {storage['state']} {storage['detail']} ({storage['written']} events written, "
        f"{storage['spooled']} waiting, {storage['lost']} lost)",
        f"journal  {journal['failed'] or 'ok'}, {journal['bytes'] // 1024} KiB, {runtime['inputs']} inputs",
        f"loop     lag {runtime['loop_lag_mean_ms']} ms mean, {runtime['loop_lag_max_ms']} ms max; "
        f"CPU {runtime['cpu_s']} s; memory {runtime['memory_kib_max'] // 1024} MiB",
        f"sip      {runtime['datagrams_in']} in, {runtime['datagrams_out']} out, "
        f"{runtime['datagrams_dropped']} dropped, "
        f"{runtime['tcp_flows']} TCP connections, send failures {runtime['send_failures'] or 'none'}",
        "media    " + ", ".join(f"{key} {value}" for key, value in runtime["media"].items()),
    ]
    share = found.get("share")
    if share:
        from engine.console.format import clock

        ends = f" until {clock(share['until_ms'], date=True)}" if share["until_ms"] else ""
        result.append(f"share    {share['share']} of new calls on {share['version'][:12]} by {share['author']}{ends}: "
                      f"{share['judged']}   (undo: ringdown rollback)")
    bus = found.get("bus") or {}
    if bus.get("state", "none") != "none":
        result.append(f"bus      {bus['state']} {bus['detail']}".rstrip())
    refused = switch.get("refused") or {}
    if refused:
        result.append("refused  " + ", ".join(f"{kind} {count}" for kind, count in refused.items()))
    result += [f"TRUNK    {each}" for each in switch.get("trunk_troubles") or ()]
    result += switches(found)
    if runtime["faults"]:
        result.append(f"FAULTS   {runtime['faults']}: see the log, and keep the journal")
    return result


def _draining(found: dict[str, Any]) -> str:
    if not found["draining"]:
        return ""
    left_s = found["switch"].get("drain_left_ms", 0) // 1000
    return f", DRAINING ({found['switch'].get('calls', '?')} calls left, ended in {left_s} s at the latest)"


def switches(found: dict[str, Any]) -> list[str]:
    """Everything that is off its default: by whom, since and until when, and its undo."""
    from engine.console.format import clock

    result = []
    if found["draining"]:
        by = found.get("drained_by") or {}
        since = f" since {clock(by['since_ms'], date=True)}" if by else ""
        result.append(f"switch   engine drains: by {by.get('author', 'signal')}{since}   (undo: none, it ends)")
    for each in found["switch"].get("switches") or ():
        state = str(each["state"]).replace("_", " ") + (f" ({each['reason']})" if each["reason"] else "")
        ends = f" until {clock(each['until_ms'], date=True)}" if each["until_ms"] else ""
        result.append(
            f"switch   {each['switch']} {each['name']} {state}: by {each['author']} since "
            f"{clock(each['since_ms'], date=True)}{ends}   (undo: {each['undo']})"
        )
    return result
