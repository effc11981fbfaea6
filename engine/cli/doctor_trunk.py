"""`ringdown doctor --trunk NAME`: test calls through a gateway's ports, and what they say about it in words.

The far end must be known: a number that repeats what it hears (9196 of a Ringdown that is reached by another line),
one that is silent (9100), one that hangs up by itself (9102). Each is optional; what wasn't tried is said. Caller
numbers are read from the records: nobody can see his own from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.doctor_result import Result, result
from engine.errors import RingdownError

if TYPE_CHECKING:
    from engine.dialplan.model import TrunkModel
    from engine.runtime.line_test import Found

CALLS_SEEN = 20
ECHO_FAINT_DB, ECHO_HEARD_DB = 40.0, 26.0
LOOP_QUIET_DB, LOOP_LOUD_DB = -26.0, -2.0
DELAY_MS_LONG = 400
NOISE_DBM0_LOUD = -45.0
SLOW_END_S = 5.0


def trunk(
    name: str, site: Path | None, data: Path, numbers: dict[str, str], ports: int = 0
) -> Iterator[Result]:
    """`numbers`: loop, silent, short -> what to dial, '' not tried. `ports`: calls at a time, 0 as many as the trunk
    carries (one when it doesn't say)."""
    from engine.runtime import site_files

    reading = site_files.read_folder(site or site_files.demo_site())
    if reading.site is None:
        yield result("trunk", "fail", f"{reading.folder}: {len(reading.errors())} errors", "ringdown check")
        return
    model = reading.site.trunks.get(name)
    if model is None:
        known = ", ".join(sorted(reading.site.trunks)) or "the site has none"
        yield result("trunk", "fail", f"no trunk {name!r}: {known}", "name it as in trunks.yaml")
        return
    yield callers(name, data)
    where = (model.transport, model.host.strip("[]"), model.port) if model.host else None
    if model.accounts:
        where, found = registered(model, data)
        yield found
    elif where is None:
        yield result("trunk", "fail", f"{name} has no host: nothing can be dialled", "add host: to trunks.yaml")
    if where is None:
        return
    if not any(numbers.values()):
        yield result("trunk", "warn", "no test call was made", "name far ends: --loop 9196 --silent 9100 --short 9102")
        return
    calls = ports or model.calls_max or 1
    for far, number in numbers.items():
        if number:
            for place, call in enumerate(asyncio.run(_call(where, far, number, calls)), 1):
                yield from verdicts(f"{name} port {place} of {calls}" if calls > 1 else name, call)
        else:
            yield result(f"{name} {far}", "warn", f"{_MEANS[far]} not tried", f"--{far} NUMBER")


_MEANS = {"loop": "level, delay and digits:", "silent": "echo and noise:", "short": "the far end's hanging up:"}


def registered(model: TrunkModel, data: Path) -> tuple[tuple[str, str, int] | None, Result]:
    """(transport, host, port) from where a box that registers has done so: only the running engine knows it."""
    from engine.cli import client

    check, who = f"{model.name} registration", " or ".join(model.accounts)
    try:
        rows = client.ask(data, "trunks")
    except RingdownError as error:
        return None, result(check, "fail", f"where {who} has registered isn't known: {error}", "start the engine first")
    known = [each for row in rows if row["trunk"] == model.name for each in row["addresses"]]
    usable = [each["address"] for each in known if each["usable"]]
    if not known:
        remedy = f"in the box: SIP server this engine, user {model.accounts[0]}; `ringdown tail` shows what comes"
        return None, result(check, "fail", f"nobody has registered as {who}", remedy)
    if not usable:
        silent = ", ".join(each["address"] for each in known)
        return None, result(check, "fail", f"{silent} doesn't answer OPTIONS", "is the box on, and reached?")
    transport, _, place = usable[0].partition(":")
    host, _, port = place.rpartition(":")
    return (transport, host.strip("[]"), int(port)), result(check, "ok", f"registered from {', '.join(usable)}")


async def _call(where: tuple[str, str, int], far: str, number: str, calls: int) -> list[Found]:
    """So many calls at the same time, so that each takes a port of its own."""
    import socket

    from engine.runtime.line_test import Found, LineTest
    from engine.runtime.phone import Wish

    loop = asyncio.get_running_loop()
    try:
        known = await loop.getaddrinfo(where[1], where[2], type=socket.SOCK_DGRAM)
    except OSError as error:
        return [Found(far, failed=f"{where[1]}: {error.strerror or error}")]
    server = (where[0], str(known[0][4][0]), where[2])
    tests = [LineTest(Wish(number, server, user="doctor", display="Line test"), far, _quiet) for _ in range(calls)]
    return list(await asyncio.gather(*(each.measure() for each in tests)))


def _quiet(at_ms: int, kind: str, words: str) -> None:
    """A test call says nothing while it lasts."""


def verdicts(name: str, found: Found) -> Iterator[Result]:
    """What the figures of one call mean."""
    if found.failed:
        yield result(name, "fail", found.failed, _BUSY if found.status == 486 else _REFUSED)
        return
    if not found.heard:
        remedy = "media_from: in trunks.yaml, the box's own address, a firewall between: which names its SDP?"
        yield result(name, "fail", "answered, but not one packet of sound came back", remedy)
        return
    yield from {"loop": _loop, "silent": _silent, "short": _short}[found.far](name, found)


_BUSY = "all lines of the gateway are taken, or the far end is: --ports 1"
_REFUSED = "does the gateway take calls from this address, and dial in one stage? its own log says"


def _loop(name: str, found: Found) -> Iterator[Result]:
    check = f"{name} level"
    if found.gain_db is None:
        yield result(check, "fail", "nothing of our noise came back", "is the far end one that repeats what it hears?")
    else:
        each, text = found.gain_db / 2, f"{found.gain_db:+.1f} dB there and back"
        if found.gain_db < LOOP_QUIET_DB:
            remedy = f"raise the gateway's gain by {-3 - each:.0f} dB each way"
            yield result(check, "warn", f"{text}: too quiet", remedy)
        elif found.gain_db > LOOP_LOUD_DB:
            remedy = f"lower the gateway's gain by {each + 3:.0f} dB each way"
            yield result(check, "warn", f"{text}: too loud, it may sing", remedy)
        else:
            yield result(check, "ok", f"{text}, {each:+.1f} dB each way")
        state = "warn" if found.delay_ms > DELAY_MS_LONG else "ok"
        remedy = "shorter jitter buffer and 20 ms packets in the gateway" if state == "warn" else ""
        yield result(f"{name} delay", state, f"{found.delay_ms} ms there and back", remedy)
    yield _digits(f"{name} digits", found)


def _digits(check: str, found: Found) -> Result:
    """DTMF both ways: what was pressed here came out at the line, and back from it as events."""
    from engine.runtime.line_test import KEYS

    came = found.keys
    if came == KEYS and not found.inband:
        return result(check, "ok", f"pressed {KEYS}, came back {came} as events: both ways work")
    if came == KEYS:
        remedy = "let the gateway cut the tones out of the sound (in-band removal, DTMF via RFC 2833 only)"
        return result(check, "warn", f"came back {came} as events, and {found.inband} as tones beside them", remedy)
    doubled = "".join(key * 2 for key in KEYS)
    if came == doubled:
        remedy = "one of RFC 2833, INFO and tones at a time, in the gateway"
        return result(check, "fail", f"each press comes twice: {came}", remedy)
    if not came and found.inband:
        remedy = "set the gateway's DTMF to RFC 2833; tones in the sound are lost by codecs"
        return result(check, "fail", f"came back as tones only: {found.inband}", remedy)
    if not came:
        remedy = "dtmf: in trunks.yaml and DTMF in the gateway must be the same; does the far end repeat tones?"
        return result(check, "fail", f"pressed {KEYS}, nothing came back", remedy)
    lost = "".join(key for key in KEYS if key not in came)
    what = f"lost {lost}" if lost else "in another order, or with others between"
    remedy = "the level first; then longer digits (100 ms) in the gateway"
    return result(check, "fail", f"pressed {KEYS}, came back {came}: {what}", remedy)


def _silent(name: str, found: Found) -> Iterator[Result]:
    check = f"{name} echo"
    if found.gain_db is None:
        yield result(check, "ok", "none that could be found")
    else:
        loss = -found.gain_db
        text = f"{loss:.1f} dB below what was sent, {found.delay_ms} ms later"
        remedy = "AC termination (impedance) as in your country, the gateway's echo canceller on"
        if loss < ECHO_HEARD_DB:
            yield result(check, "fail", f"{text}: callers would hear themselves", remedy)
        elif loss < ECHO_FAINT_DB:
            yield result(check, "warn", f"{text}: faint", remedy)
        else:
            yield result(check, "ok", text)
    text = f"{found.noise_dbm0:.0f} dBm0 when nobody speaks"
    if found.noise_dbm0 > NOISE_DBM0_LOUD:
        yield result(f"{name} noise", "warn", text, "the line itself, its filter, or the gain of the gateway")
    else:
        yield result(f"{name} noise", "ok", text)


def _short(name: str, found: Found) -> Iterator[Result]:
    check = f"{name} hang-up"
    tone = ""
    if found.busy is not None:
        tone = "a busy tone of {} Hz, {} ms on, {} ms off".format(*found.busy)
    if found.ended_after_s < 0:
        why = f"{tone} is heard instead" if tone else "and no busy tone is heard"
        remedy = (f"set the gateway's disconnect tone to {found.busy[0]} Hz, {found.busy[1]}/{found.busy[2]} ms"
                  if found.busy is not None else "current drop or polarity reversal: which of them gives the line?")
        yield result(check, "fail", f"the far end hung up and the gateway didn't notice: {why}", remedy)
    elif found.ended_after_s > SLOW_END_S or found.busy is not None:
        detail = f"noticed {found.ended_after_s:.1f} s after the last sound" + (f"; before it {tone}" if tone else "")
        remedy = "current drop or polarity reversal is quicker than a busy tone, if the line has one of them"
        yield result(check, "warn", detail, remedy)
    else:
        yield result(check, "ok", f"noticed {found.ended_after_s:.1f} s after the last sound")


def callers(name: str, data: Path) -> Result:
    """Do calls from this trunk bring the caller's number? Read from the records of the last ones."""
    import sqlite3

    check, path = f"{name} callers", data / "ringdown.db"
    seen: list[tuple[str]] = []
    if path.exists():
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0) as db:
                query = "SELECT caller FROM calls WHERE trunk = ? ORDER BY started_ms DESC LIMIT ?"
                seen = db.execute(query, (name, CALLS_SEEN)).fetchall()
        except sqlite3.Error as error:
            return result(check, "warn", f"{path}: {error}", "ringdown doctor")
    if not seen:
        return result(check, "warn", "no call has come from it yet", "call the line once, then ask again")
    known = sum(any(letter.isdigit() for letter in caller) for (caller,) in seen)
    text = f"{known} of the last {len(seen)} calls brought the caller's number"
    if known:
        return result(check, "ok", text)
    remedy = "in the gateway: the caller ID scheme of your country, two rings; at the carrier: caller ID for the line"
    return result(check, "warn", text, remedy)
