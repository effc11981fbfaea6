"""The serving process: sockets, media plane, records and operators round one deterministic Switch (DESIGN §1, §3).

Everything that happens goes through `deliver`: journal the input, let the Switch handle it, carry out its outputs,
re-arm the one timer. Nothing else calls the Switch. What the loop does beside calls is batched (200 ms), bounded, or
done in another process.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets as chance
import signal
import socket
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from engine import limits
from engine.call.effects import (
    AgentStates,
    BoxesLoaded,
    Deadline,
    Drain,
    Drained,
    Emit,
    Entropy,
    FlowClosed,
    FlowOpened,
    Input,
    LeverStates,
    Listening,
    LogLine,
    Media,
    MediaHappened,
    Operator,
    Output,
    PortsReady,
    Received,
    Reply,
    SiteLoaded,
    StorageState,
    WallClock,
)
from engine.dialplan.model import Site
from engine.dialplan.recording_model import quotas
from engine.errors import SiteError, UsageError
from engine.media.commands import OpenLeg
from engine.media.image import Image
from engine.runtime import continuing, handover, net, opening, plane_memory, recording_quota, replaying
from engine.runtime.admin import SOCKET_NAME, Admin
from engine.runtime.bus import Bus
from engine.runtime.desk import Desk
from engine.runtime.elsewhere import Elsewhere
from engine.runtime.feed import Feed
from engine.runtime.files import Files
from engine.runtime.guard import Guard
from engine.runtime.handover import Inherited
from engine.runtime.journal import Journal
from engine.runtime.ladder import Ladder
from engine.runtime.levers import Levers
from engine.runtime.log import Log, clock_jump
from engine.runtime.mail import Mail
from engine.runtime.naming import Naming
from engine.runtime.opening import Options
from engine.runtime.outward import carriers
from engine.runtime.own_prompts import OwnPrompts
from engine.runtime.provision import Provisioner
from engine.runtime.recognizers import Recognizers
from engine.runtime.recovery import Recovered
from engine.runtime.resolver import Resolver
from engine.runtime.retention import Sweeper
from engine.runtime.secrets import Password, Secrets, prepare_folder
from engine.runtime.site_files import Reading, read_folder
from engine.runtime.storage import Storage
from engine.runtime.tally import Tally
from engine.runtime.tcp import Flows
from engine.runtime.tls import Certificates
from engine.runtime.udp import UdpSocket
from engine.runtime.watching import Watching
from engine.sip.events import Path

housekeeping_s = 1.0
entropy_rounds = 60  # of housekeeping
journal_writes_max = 100
operator_s_max = 5.0
journal_retry_rounds = 10  # after a full disk
_NAMING = ("call.started", "call.leg", "queue.connected", "call.ended")  # events that the ladder must know of


class Server:
    """One engine. `await run()` serves until it is stopped; parts are attributes, for the desk and for tests."""

    site: Site
    secrets: Secrets
    switch: Any  # engine.switch.Switch, or what replays and tests put in its place
    plane: Any  # engine.runtime.rtp_plane.RtpPlane
    journal: Journal

    def __init__(
        self, options: Options, *, log: Log | None = None, build_switch: Callable[..., Any] = opening.build_switch,
        build_plane: Callable[..., Any] = opening.build_plane, warm: Callable[[], None] = opening.warm,
    ) -> None:
        self.options = options
        self.log = log or Log(level=options.log_level, as_json=options.log_json)
        self.boot = chance.token_hex(4)
        self.started_at = time.time()
        self.began_s = time.monotonic()
        self.loop = asyncio.get_running_loop()
        self.resolver = Resolver(self.loop)
        self.naming = Naming(self.deliver, lambda: self._media_hosts)
        self.ladder = Ladder()
        self.guard = Guard(self)
        self.flows = Flows(self.loop, self, Certificates(self.log), self.guard.lets_in)
        self.desk = Desk(self)
        self.admin = Admin(options.data / SOCKET_NAME, self.desk.handle)
        self.feed = Feed(self.loop, self.admin, self.ladder)
        self.storage = Storage(options.data / "ringdown.db", node=options.node, told=self._storage_says)
        self.sweeper = Sweeper(self)
        self.files = Files(options.data, self.loop, self.log)
        self.elsewhere = Elsewhere(self)
        self.mail = Mail(self)
        self.prompts = OwnPrompts(self)
        self.levers = Levers(options.data / "switches.json", self.loop, self.log)
        self.recognizers = Recognizers(self)
        self.bus = Bus(self)
        self.udp: dict[int, UdpSocket] = {}
        self.addresses: list[str] = []
        self.counts = {"unsent": 0, "unresolved": 0}
        self.faults = 0
        self.tally = Tally()
        self.watching = Watching(self)
        self.draining = False
        self._build = (build_switch, build_plane)
        self._warm = warm
        self._stopping = asyncio.Event()
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        self._terms = self._request = 0
        self._timer: asyncio.TimerHandle | None = None
        self._armed_at: int | None = None
        self._batch_armed = False
        self.base_ms = 0  # engine time = monotonic time + this; not 0 after a reboot under calls
        self._now_ms = self._offset_ms = 0
        self._journal_thread = ThreadPoolExecutor(1, "journal")
        self._rounds = self._journal_waiting = 0
        self._journal_told = ""
        self._opened: list[str] = []  # parts to close, by name
        self._provisioner: Provisioner | None = None
        self._reloading: asyncio.Task[Any] | None = None
        self._burying: asyncio.Task[None] | None = None
        self._media_hosts: dict[str, None] = {}
        self.image = Image()
        self.tcp_listening: dict[int, socket.socket] = {}
        self.dead_legs: plane_memory.LegMemory
        self.serving = False  # the start is over
        self.hand_over = False  # at the end: to the program that replaces us
        self.inherited: Inherited | None = None
        self._preparing = False
        self._carry: dict[type, Callable[[Any], None]] = {
            Emit: self._emit, Media: self._media, Reply: self._reply, Drained: lambda _: self.stop(),
            LogLine: lambda line: self.log.write(line.level, line.text, line.rate_key),
            **self.elsewhere.carry, **carriers(self),
        }

    # --- the one door to the Switch ------------------------------------------------------------------------
    def deliver(self, input: Input) -> None:
        """Journal, handle, carry out, re-arm. Never raises: a fault of the Switch is logged and costs this input."""
        now_ms = time.monotonic_ns() // 1_000_000 + self.base_ms
        switch = self.switch
        try:
            self.journal.append(now_ms, input, switch.seal_for(input))
            outputs: list[Output] = switch.handle(input, now_ms)
        except Exception:
            self._fault(input)
            outputs = []
        if outputs:
            self.journal.outputs(outputs)
            self._now_ms = now_ms
            carry = self._carry
            for output in outputs:
                carry[type(output)](output)
        if not self._batch_armed:
            self._batch_armed = True
            self.loop.call_later(limits.batch_ms_max / 1000, self._write_batch)
        due = switch.next_deadline()
        if due is not None and (self._armed_at is None or due < self._armed_at):
            self._arm(due, now_ms)

    @property
    def carried_ms(self) -> int:
        """Wall clock, ms, at which the outputs now being carried out were decided."""
        return self._now_ms + self._offset_ms

    def now_ms(self) -> int:
        """Engine time in ms: it goes on over restarts, and never jumps with the wall clock."""
        return time.monotonic_ns() // 1_000_000 + self.base_ms

    def _arm(self, due_ms: int, now_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_at = due_ms
        self._timer = self.loop.call_later(max(0, due_ms - now_ms) / 1000, self._due)

    def _due(self) -> None:
        """The timer fired. A deadline that was cancelled or moved meanwhile only re-arms (no input, no journal)."""
        self._armed_at = None
        self._timer = None
        now_ms = self.now_ms()
        due = self.switch.next_deadline()
        if due is None:
            return
        if due > now_ms:
            self._arm(due, now_ms)
        else:
            self.deliver(Deadline())

    def _fault(self, input: Input) -> None:
        self.faults += 1
        self.log.error(f"fault in the switch at {type(input).__name__}", "fault", trace=traceback.format_exc(limit=-6))

    # --- outputs -----------------------------------------------------------------------------------------------
    def _emit(self, emit: Emit) -> None:
        event = emit.event
        self.storage.events.append(event)
        self.tally.feed(event)
        self.desk.reloads.sharing.feed(event)
        if event.kind in _NAMING:
            self.ladder.know(event)
        elif event.kind == "operator.switch":
            self.levers.note(event)
        elif event.kind == "voicemail.left":
            self.mail.note(event)
        self.bus.feed(event)
        if self.admin.readers:
            self.feed.event(event)

    def _media(self, media: Media) -> None:
        command = media.command
        self.image.apply(command, self._now_ms)
        self.plane.command(command)
        if type(command) is OpenLeg and not self._preparing:
            self._preparing = True
            self.loop.call_soon(self._prepare_ports)

    def _prepare_ports(self) -> None:
        """RTP ports are bound ahead, for every address we listen on; the Switch hands out only what is bound."""
        self._preparing = False
        for host in self._media_hosts:
            ports = self.plane.prepare_ports(host)
            if ports:
                self.deliver(PortsReady(host, ports))

    def _reply(self, reply: Reply) -> None:
        waiting = self._replies.pop(reply.request, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)

    # --- sockets -----------------------------------------------------------------------------------------------
    def _datagram(self, sock: UdpSocket, data: bytes, host: str, port: int) -> None:
        self.flow_received(Path(sock.flow, host, port, "udp"), data)

    def flow_received(self, path: Path, data: bytes) -> None:
        """One whole message, by UDP or from a connection."""
        if not self.guard.admits(path, data):
            return
        data = self.keys.seal(data)
        self.tally.message(self.tally.received, data)
        number = self.ladder.note(self.now_ms() + self._offset_ms, "in", path, data)
        if self.admin.sip_readers:
            self.feed.message(number, "in", path, data)
        self.deliver(Received(path, data))

    def _send_failed(self, error: str, host: str, port: int) -> None:
        self.log.warning(f"send to {host}:{port} refused: {error}", "send refused")

    def flow_opened(self, path: Path) -> None:
        """A TCP or TLS connection stands."""
        local = self.flows.local(path.flow)
        self.ladder.local(path.flow, *local)
        self.deliver(FlowOpened(path, *local))

    def flow_closed(self, flow: int, reason: str) -> None:
        """A connection is gone or never came up."""
        if not self._stopping.is_set():
            self.deliver(FlowClosed(flow, reason))

    def flow_refused(self, kind: str, path: Path, detail: str) -> None:
        """A stream broke its rules and is being closed."""
        self.log.warning(f"{path.transport} {path.host}:{path.port}: {detail}", f"stream {kind}")

    def media_happened(self) -> None:
        """The media plane's eventfd fired."""
        for event in self.plane.poll():
            self.image.happened(event)
            self.deliver(MediaHappened(event))

    # --- batches and housekeeping ------------------------------------------------------------------------------
    def _write_batch(self) -> None:
        self._batch_armed = False
        self.storage.flush()
        batch = self.journal.take()
        if batch is None:
            return
        if self._journal_waiting > journal_writes_max and not self.journal.failed:
            self.journal.failed = "journal stopped: the disk is too slow"
        self._on_journal_thread(self.journal.write, batch)

    def _on_journal_thread(self, work: Callable[..., object], *arguments: object) -> None:
        self._journal_waiting += 1
        self._journal_thread.submit(work, *arguments).add_done_callback(self._journal_written)

    def _checkpoint(self) -> None:
        """The journal's next file, beginning with everything the Switch and the plane hold."""
        begin = self.journal.checkpoint()
        self._on_journal_thread(begin, replaying.pack(self.switch, self.image), self.site.version)

    def _journal_written(self, _: object) -> None:
        self._journal_waiting -= 1

    def _housekeeping(self) -> None:
        self._rounds += 1
        self.watching.look()
        self._tell_wall_clock()
        self._prepare_ports()  # where none was left no leg is opened that would ask for more
        recording_quota.tell(self)
        if self._rounds % entropy_rounds == 0:
            self.deliver(Entropy(chance.token_bytes(32)))
        self.journal.ahead.alive(self.now_ms(), time.time_ns() // 1_000_000)
        failed = self.journal.failed
        if failed != self._journal_told:
            self._journal_told = failed
            self.log.write("error" if failed else "info", failed or "the journal goes on", "journal")
        due = self._rounds % journal_retry_rounds == 0 if failed else self.journal.due_for_rotation()
        if due and self._journal_waiting <= 1:
            self._checkpoint()
        self.loop.call_later(housekeeping_s, self._housekeeping)

    async def rotate_journal(self) -> None:
        """Begin the journal's next file, and wipe what earlier inputs left in the write-ahead slots."""
        if not self.journal.failed:
            self._checkpoint()
        while self._journal_waiting:
            await asyncio.sleep(0.005)
        for _ in self.journal.ahead.wipe():
            await asyncio.sleep(0)

    def _tell_wall_clock(self) -> None:
        offset_ms = time.time_ns() // 1_000_000 - self.now_ms()
        if abs(offset_ms - self._offset_ms) > 5:
            if self._offset_ms and abs(offset_ms - self._offset_ms) > 1_000:
                self.log.warning(clock_jump(self._offset_ms, offset_ms, self.now_ms()))
            self._offset_ms = offset_ms
            self.deliver(WallClock(offset_ms))

    def _storage_says(self, state: str, detail: str, spooled: int) -> None:
        text = f"record store: {state} {detail}".strip()
        self.log.write("info" if state == "ok" else "warning", text, "storage", spooled=spooled)
        if self._offset_ms:  # else the Switch hears of the outage first, and of this in `_serve_from`
            self.deliver(StorageState(state, detail, spooled))

    # --- operators -----------------------------------------------------------------------------------------------
    async def ask(self, author: str, verb: str, arguments: dict[str, str]) -> Reply:
        """One operator command to the Switch, and its answer. Raises TimeoutError when none comes."""
        self._request += 1
        request = self._request
        waiting = self._replies[request] = self.loop.create_future()
        try:
            self.deliver(Operator(request, author, verb, arguments))
            return await asyncio.wait_for(waiting, operator_s_max)
        finally:
            self._replies.pop(request, None)

    def load_site(self, reading: Reading) -> list[Password]:
        """Make a read site the one for new calls; returns passwords that had to be made for new agents."""
        site = reading.site
        assert site is not None
        self.site = site = self.prompts.over(site)
        made = self.secrets.ensure(site)
        self.plane.shelves.rules = quotas(site)
        self.elsewhere.prepare(site)
        self.flows.certificates.use(site, self.options.site)
        for problem in self.plane.load_clips(site.prompts):
            self.log.warning(problem, "clip")
        self.deliver(SiteLoaded(site.version, msgspec.msgpack.encode(site)))
        self.deliver(self.secrets.loaded(site))
        self.bus.use(site.bus)
        self.recognizers.use(site)
        return made

    def secrets_changed(self) -> None:
        """A password was rotated."""
        self.deliver(self.secrets.loaded(self.site))

    # --- life ----------------------------------------------------------------------------------------------------
    async def run(self, *, ready: Callable[[str], None] = opening.say) -> None:
        """Start, print `ready`, serve, and close everything whatever happened.

        Raises SiteError or UsageError, with the remedy, when it can't start.
        """
        try:
            ready(await self._start())
            await self._stopping.wait()
        except (SiteError, UsageError):
            continuing.ready(self)  # refused for a reason with a name: no fault of the calls that were to go on
            raise
        finally:
            await self._close()

    async def _start(self) -> str:
        options = self.options
        prepare_folder(options.data)
        read = self.desk.reloads.reader(read_folder)
        reading = continuing.first_reading(self, read)
        self.secrets = Secrets(options.data)
        net.raise_file_limit()
        await self.recognizers.early(reading.site, self._warm)
        try:
            await self.admin.start()
        except OSError as error:
            raise SiteError(str(error)) from error
        self.inherited = handover.taken()
        before = continuing.find(self, self.inherited)  # after admin: nobody else runs with this data folder
        if (found := before[0] if before is not None else None) is not None:
            reading = continuing.read_again(self, found, read)
        if reading.site is None:
            raise SiteError(opening.refused(reading))
        self.site = reading.site
        sockets, warnings = opening.bind(
            opening.addresses(options, self.site), self.site, continuing.listeners(found), self.inherited
        )
        for warning in warnings:
            self.log.warning(warning)
        self.watching.bind(options.http)
        await self._open_parts(before)
        self._offset_ms = time.time_ns() // 1_000_000 - self.now_ms()
        await self._serve_from(sockets, reading, before)
        self._housekeeping()
        self.desk.reloads.started(reading, going_on=before is not None)
        self.sweeper.start()
        self.mail.start()
        self._catch_signals()
        gc.collect()
        gc.freeze()
        continuing.ready(self)
        self.serving = True
        return (
            f"ready {' '.join(self.addresses)} http:{await self.watching.start()} "
            f"calls:{len(continuing.open_calls(found)) if found else 0} boot:{self.boot} data:{options.data}"
        )

    async def _serve_from(
        self, sockets: list[tuple[socket.socket, Listening]], reading: Reading,
        before: tuple[Recovered, continuing.Clock] | None,
    ) -> None:
        """From here on packets are heard."""
        streams = continuing.streams(self.inherited)
        kept = self.levers.load()
        going_on = before is not None
        self.desk.notices.restored(list(self.switch.room.levers.values()) if going_on else kept, going_on=going_on)
        if before is not None:
            continuing.resume(self, *before, dict.fromkeys(streams))
        self.deliver(Entropy(chance.token_bytes(32)))
        self.deliver(WallClock(self._offset_ms))
        if self.storage.state != "ok":
            self.deliver(StorageState(self.storage.state, self.storage.detail, self.storage.spooled))
        for _, listening in sockets:
            self.deliver(listening)
            self._media_hosts[listening.host] = None
        self._prepare_ports()
        if before is not None:
            self.levers.adopt(self.switch.room.levers)
        elif kept:
            self.deliver(LeverStates(kept))
        made = self.load_site(reading)
        if self.storage.logins and before is None:
            self.deliver(AgentStates(self.storage.logins))
        if self.storage.messages and before is None:
            self.deliver(BoxesLoaded(self.storage.messages))
        for sock, listening in sockets:
            self.addresses.append(f"{listening.transport}:{net.show(listening.host, listening.port)}")
            self.ladder.local(listening.flow, listening.host, listening.port)
            if listening.transport != "udp":
                self.tcp_listening[listening.flow] = sock
                await self.flows.listen(sock, listening.transport)
            else:
                self.udp[listening.flow] = UdpSocket(
                    self.loop, sock, listening.flow, self._datagram, self._send_failed, self.guard.admits
                )
        for number, (sock, rest) in streams.items():
            await self.flows.adopt(number, sock, rest)
        self._provisioner = await opening.show_passwords(self, made)

    async def _open_parts(self, before: tuple[Recovered, continuing.Clock] | None) -> None:
        """Journal, Switch, media plane, records: nothing is delivered before all four stand."""
        options = self.options
        memory = plane_memory.file_of(options.data)
        buried = ""
        if before is None:
            buried = continuing.begin_anew(self, self._build[0])
        else:
            continuing.take_over(self, *before, memory)
        self._opened.append("journal")
        if self.journal.ahead.detail:
            self.log.warning(self.journal.ahead.detail)
        self.keys = continuing.keys(self, memory, going_on=before is not None)
        self.plane = self._build[1](
            legs_max=options.legs_max, data_dir=options.data, on_events=self.media_happened, memory=memory,
            ports=options.rtp_ports, vault=self.keys,
        )
        self.files.store, self.files.deliver = self.plane.store_own, self.deliver
        self.plane.start()
        self._opened.append("plane")
        await self.storage.start()
        if buried:
            self._burying = self.loop.create_task(continuing.bury(self, buried))

    def _catch_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, self.terminate)
        self.loop.add_signal_handler(signal.SIGHUP, self._hang_up_signal)

    def _hang_up_signal(self) -> None:
        self._reloading = self.loop.create_task(self.desk.reloads.reload("SIGHUP", {}))

    def terminate(self) -> None:
        """SIGTERM: drain. Once more: end what is left with BYE, which takes seconds. A third time: stop as it is."""
        self._terms += 1
        if self._terms > 2:
            self.stop()
            return
        self.draining_begins("SIGTERM; once more ends the calls, a third time stops at once")
        self.deliver(Drain(at_once=self._terms == 2))

    def draining_begins(self, why: str) -> None:
        """Say it once, and let the service manager know: from here on the process is on its way to its end."""
        if not self.draining:
            self.draining = True
            self.log.info(f"draining, no new calls: {why}")
            self.watching.draining()

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    async def _close(self) -> None:
        """In this order: no new work, no more packets, then records to disk."""
        self._stopping.set()
        await self.watching.close()
        inherited = continuing.keep_sockets(self) if self.hand_over else None
        over = self.serving and inherited is None  # else somebody goes on: after us, or after a start that failed
        if self._provisioner is not None:
            self._provisioner.close()
        await self.admin.close()
        await self.desk.reloads.close()
        await self.bus.close()
        await self.sweeper.close()
        await self.mail.close()
        await self.prompts.close()
        await self.recognizers.close()
        self.resolver.close()
        self.naming.close()
        await self.guard.close()
        await self.elsewhere.close()
        await self.flows.close()
        for sock in self.udp.values():
            sock.close()
        if self._timer is not None:
            self._timer.cancel()
        try:
            if "plane" in self._opened:
                self.plane.stop(forget=over)
                self.keys.close(forget=over)
        finally:
            try:
                self._journal_thread.shutdown(wait=True)
                await self.levers.close()
                await self.files.close()
                if "journal" in self._opened:
                    if inherited is not None:
                        self.journal.rotate(replaying.pack(self.switch, self.image), self.site.version)
                        self.journal.ahead.alive(self.now_ms(), time.time_ns() // 1_000_000)
                    self.journal.close(clean=over)
            finally:
                if self._burying is not None:
                    self._burying.cancel()
                await self.storage.close()
        self.inherited = inherited


async def serve(options: Options) -> Inherited | None:
    """Run a server until it is stopped; what it hands over when its program is to be replaced."""
    os.umask(0o077)  # whatever it writes is the operator's alone
    server = Server(options)
    await server.run()
    return server.inherited if server.hand_over else None
