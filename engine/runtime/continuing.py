"""How a serving process goes on with what another one left: clock, sockets, media plane, records (DESIGN §6).

After a crash the dead engine's state comes from its journal (`recovery`); at an upgrade (`handover`) the same process
image is replaced and keeps its sockets too. Both take this one path, which an upgrade exercises every time.
"""

from __future__ import annotations

import ctypes
import secrets as chance
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine import __version__, limits
from engine.call.effects import FlowClosed, Listening, Resumed
from engine.errors import SiteError
from engine.runtime import handover, opening, replaying, write_ahead
from engine.runtime.handover import Inherited
from engine.runtime.journal import FORMAT, Header, Journal
from engine.runtime.key_vault import KeyVault
from engine.runtime.plane_memory import LegMemory
from engine.runtime.recovery import Lost, Recovered, dead_boot, recover
from engine.runtime.site_files import Reading

if TYPE_CHECKING:
    from engine.runtime.server import Server

_CRYPTO = "libcrypto.so.3"  # whose functions `rtp.srtp` calls

ATTEMPTS = "attempts"  # in the journal's folder: how many starts have not become ready
ATTEMPTS_MAX = 2


class Clock(msgspec.Struct, frozen=True):
    """Engine time = monotonic ms + `base_ms`. `down_ms`: how long nobody served; `cause`: crash | restart | reboot."""

    base_ms: int
    down_ms: int
    cause: str


def clock(found: Recovered, *, handed_over: bool, monotonic_ms: int, unix_ms: int, machine: str) -> Clock:
    """The clock that goes on where the dead engine's stopped. Monotonic time means nothing across a reboot: then the
    wall clock tells the length of the outage (and never a negative one)."""
    if found.machine == machine:
        base_ms = found.header.base_ms
        down_ms = max(0, monotonic_ms + base_ms - found.broke_ms)
        return Clock(base_ms, down_ms, "restart" if handed_over else "crash")
    down_ms = max(0, unix_ms - found.broke_unix_ms) if found.broke_unix_ms else limits.resume_ms_max
    return Clock(found.broke_ms + down_ms - monotonic_ms, down_ms, "reboot")


def find(server: Server, inherited: Inherited | None) -> tuple[Recovered, Clock] | None:
    """What there is to go on with. A journal that can't be read is said, its calls are closed in the records."""
    folder = server.options.data / "journal"
    if server.options.fresh or not _may_try(server, folder / ATTEMPTS):
        return None
    try:
        found = recover(folder)
    except Lost as error:
        server.log.error(f"calls of the engine before this one can't be continued: {error}", "recovery")
        found = None
    if found is None:
        return None
    for note in found.notes:
        server.log.error(f"recovery: {note}", "recovery")
    now_ms, unix_ms = time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000
    timing = clock(
        found, handed_over=inherited is not None, monotonic_ms=now_ms, unix_ms=unix_ms,
        machine=write_ahead.machine_boot(),
    )
    return found, timing


def _may_try(server: Server, path: Path) -> bool:
    """Calls that end every start before it is ready must not keep the engine down: the third start begins anew."""
    try:
        tried = int(path.read_text())
    except (OSError, ValueError):
        tried = 0
    if tried >= ATTEMPTS_MAX:
        server.log.error(f"{tried} starts ended while they went on with calls: this one begins anew", "recovery")
        path.unlink(missing_ok=True)
        return False
    with suppress(OSError):  # a full disk: then nothing is counted
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(str(tried + 1))
    return True


def ready(server: Server) -> None:
    """The start is over: whatever was gone on with did not end it."""
    (server.options.data / "journal" / ATTEMPTS).unlink(missing_ok=True)


def first_reading(server: Server, read: Callable[..., Reading]) -> Reading:
    """The site on disk, before anything is opened. Errors end the start with SiteError here, unless an engine died
    with this data folder: its calls may go on with the site that they had."""
    try:
        reading = read(server.options.site)
    except SiteError:
        if not dead_boot(server.options.data / "journal"):
            raise
        return Reading(None, [], 0, str(server.options.site))
    if reading.site is None and not dead_boot(server.options.data / "journal"):
        raise SiteError(opening.refused(reading))
    return reading


def read_again(server: Server, found: Recovered, read: Callable[..., Reading]) -> Reading:
    """The site on disk with clips keeping the numbers that calls know; one with errors leaves the site of before in
    force: callers must not suffer from an edit that nobody has loaded yet."""
    kept = found.switch.room.sites.get(found.switch.room.site)
    try:
        reading = read(server.options.site, kept)
    except SiteError as error:
        reading, where = Reading(None, [], 0, str(server.options.site)), str(error)
    else:
        first = next(iter(reading.errors()), None)
        where = f"{first.file}:{first.line}: {first.message}" if first is not None else ""
    if reading.site is not None or kept is None:
        return reading
    server.log.error(f"the site on disk has errors, the one of before stays: {where}", "recovery")
    return Reading(kept, [], 0, str(server.options.site))


def listeners(found: Recovered | None) -> list[Listening]:
    """Where the dead engine listened."""
    return list(found.switch.room.listeners) if found is not None else []


def begin_anew(server: Server, build_switch: Callable[..., Any]) -> str:
    """A new boot: nothing of an engine before us is left to go on with. Returns the boot before, '' when none was."""
    options = server.options
    before = dead_boot_of(options.data / "journal")
    tokens_key, seed = chance.token_bytes(32), chance.randbits(62)
    header = Header(
        FORMAT, __version__, server.boot, options.node, seed, tokens_key, server.site.version,
        int(time.time() * 1000), options.legs_max, 0, 0, write_ahead.machine_boot(),
    )
    server.switch = build_switch(
        tokens_key, boot=server.boot, seed=seed, node=options.node, rows_max=options.legs_max
    )
    server.journal = Journal(options.data / "journal", header)
    return before


def take_over(server: Server, found: Recovered, timing: Clock, memory: Path) -> None:
    """Switch, image, clock and journal of the engine before us are ours."""
    header = found.header
    server.boot, server.switch, server.image = header.boot, found.switch, found.image
    header.serial, header.version, header.site = header.serial + 1, __version__, server.site.version
    header.base_ms, header.machine = timing.base_ms, write_ahead.machine_boot()
    server.base_ms = timing.base_ms
    server.dead_legs = LegMemory(memory, server.image, time.monotonic_ns() // 1_000)
    server.journal = Journal(
        server.options.data / "journal", header, state=replaying.pack(server.switch, server.image), inputs=found.inputs
    )
    server.storage.resume(header.boot, open_calls(found), found.events)


def keys(server: Server, memory: Path, *, going_on: bool) -> KeyVault:
    """Where SRTP's keys are, with those of the calls that we go on with."""
    vault = KeyVault(memory.with_suffix(".keys"), going_on=going_on)
    if vault.detail:
        server.log.warning(vault.detail)
    site = server.site
    wanted = [site.srtp, *[each.srtp for each in site.trunks.values()], *[each.srtp for each in site.agents.values()]]
    if any(each not in ("", "off") for each in wanted):
        try:
            ctypes.CDLL(_CRYPTO)
        except OSError:
            server.log.error(f"srtp: {_CRYPTO} isn't on this machine, encrypted calls are silent: install OpenSSL 3")
    return vault


def resume(server: Server, found: Recovered, timing: Clock, kept_flows: dict[int, None]) -> None:
    """After Journal, Switch and plane stand and before any socket is read: the plane gets its legs back, the Switch
    learns of the outage (what it asks of a leg at once finds the leg there).

    No input may come before that one: timers that ran out meanwhile would fire, and give up who waited for us. Nor
    may it tell of less than the whole outage, which goes on while we start."""
    for site in server.switch.sites():
        for problem in server.plane.load_clips(site.prompts):
            server.log.warning(problem, "clip")
    down_ms = max(timing.down_ms, server.now_ms() - found.broke_ms)
    server.plane.restore(server.image, server.now_ms(), found.broke_ms, server.dead_legs, down_ms)
    server.deliver(Resumed(down_ms, timing.cause, limits.resume_ms_max))
    # Where prompts and numbers go on from was set just now, and no input tells of it: should this engine die as well,
    # the one after it begins here.
    server.journal.rotate(replaying.pack(server.switch, server.image), server.site.version)
    for flow in server.switch.room.endpoint.streams():
        if flow not in kept_flows:
            server.deliver(FlowClosed(flow, f"the engine went away ({timing.cause})"))
    room = server.switch.room
    for leg in room.legs.values():
        call = room.calls.get(leg.call)
        server.ladder.name(call.name if call is not None else "", room.endpoint.session_call_id(leg.session))
        if call is not None:
            began_ms = call.started_ms + room.wall_offset_ms
            server.ladder.recall(call.name, began_ms, call.caller, call.dialled, [call.served_by, leg.agent])
    server.log.info(
        f"goes on with {len(room.calls)} calls after a {timing.cause}: {down_ms} ms without service, "
        f"{found.replayed} inputs replayed in {found.spent_ms} ms", "recovery", legs=len(room.legs),
    )


def streams(inherited: Inherited | None) -> dict[int, tuple[socket.socket, bytes]]:
    """Handed-over connections by flow id, with what was half read of each."""
    found = {}
    for stream in inherited.streams if inherited is not None else ():
        sock = handover.sock_of(stream.descriptor)
        if sock is not None:
            found[stream.flow] = (sock, handover.rest_of(stream))
    return found


def open_calls(found: Recovered) -> list[str]:
    """Names of the calls that go on, for the records."""
    return [call.name for call in found.switch.room.calls.values()]


def dead_boot_of(folder: Path) -> str:
    """The boot whose journal was written last, '' when there is none."""
    newest = max(folder.glob("*.journal"), key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)
    return newest.name.rpartition("-")[0] if newest is not None else ""


async def bury(server: Server, boot: str) -> None:
    """Close the records of calls that ended with an engine before us and can't go on."""
    left = await server.storage.bury(boot, "the engine ended under the call")
    if left:
        server.log.error(f"{left} calls ended with the engine before this one; their records are closed", "recovery")


def keep_sockets(server: Server) -> Inherited:
    """Descriptors for the program that replaces us."""
    listening = {flow: handover.keep(sock.sock) for flow, sock in server.udp.items()}
    listening |= {flow: handover.keep(sock) for flow, sock in server.tcp_listening.items()}
    return Inherited(listening, server.flows.hand_over())
