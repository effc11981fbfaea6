"""What operators may ask of the serving process: what the Switch doesn't know itself, and the way to it.

Verbs of the runtime: status, reload, rollback, notice, ladder, agent.password, forget.prepare, metrics, drain,
restart, blocks, block.lift. Every other verb is an Operator input of the Switch.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from engine import __version__
from engine.errors import SiteError
from engine.runtime import forgetting, rehearsal, replaying, sounding
from engine.runtime.admin import Answer, Request, answer, refusal
from engine.runtime.ladder import Hop, Kept
from engine.runtime.notices import Notices
from engine.runtime.reloading import Reloads
from engine.runtime.secret_desk import SecretDesk
from engine.runtime.secrets import resolve_agent
from engine.runtime.site_files import read_in_child

if TYPE_CHECKING:
    from engine.runtime.server import Server

hand_over_s = 0.05  # the operator gets his answer first
rehearsal_s_max = 180.0

ladder_bytes_max = 1_000_000  # of one answer
candidates_max = 8


class Desk:
    """`handle(author, request)` is what the admin socket calls."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.reloads = Reloads(server)
        self.notices = Notices(server)
        self.drained_by: dict[str, object] = {}  # author and Unix ms, once somebody has asked for it
        self._verbs: dict[str, Callable[[str, dict[str, str]], Awaitable[Answer]]] = {
            "status": self._status, "reload": self.reloads.reload, "rollback": self.reloads.rollback,
            "ladder": self._ladder, "notice": self.notices.set,
            "agent.password": self._password, "metrics": self._metrics, "drain": self._drain,
            "restart": self._restart, "forget.prepare": self._forget, "voicemail.pin": self._pin,
            "provision": self._provision, "blocks": self._blocks, "block.lift": self._lift, "sound": self._sound,
            **SecretDesk(server).verbs,
        }

    async def handle(self, author: str, request: Request) -> Answer:
        """One command; anything that goes wrong becomes a sentence."""
        own = self._verbs.get(request.verb)
        try:
            if own is not None:
                return await own(author, request.arguments)
            reply = await self.server.ask(author, request.verb, self._named(request))
        except TimeoutError:
            return refusal("the engine didn't answer within 5 s")
        except SiteError as error:
            return refusal(str(error))
        if not reply.ok:
            return refusal(self._past(request) or reply.error or "refused")
        return Answer(True, msgspec.Raw(reply.data or b"null"))

    def _named(self, request: Request) -> dict[str, str]:
        """The arguments with an agent's bare number or name made "tenant/number". Raises SiteError when it is unclear.

        Nobody of that name in the site is the Switch's to say: he may still be on a call of an earlier site.
        """
        agent = request.arguments.get("agent", "")
        if not agent or not request.verb.startswith("agent."):
            return request.arguments
        return request.arguments | {"agent": resolve_agent(self.server.site, agent, strict=False)}

    def _past(self, request: Request) -> str:
        """A call that is over is said to be over, where the Switch only knows that it isn't there."""
        wanted = request.arguments.get("call", "")
        if not request.verb.startswith("call") or not wanted:
            return ""
        found = self.server.ladder.find(wanted)
        if len(found) != 1 or found[0][0] != wanted or not found[0][1].ended_ms:
            return ""
        at = time.strftime("%H:%M:%S", time.localtime(found[0][1].ended_ms / 1000))
        return f"call {wanted} ended at {at}; nothing was changed (`ringdown calls` has its record)"

    async def _status(self, author: str, arguments: dict[str, str]) -> Answer:
        server = self.server
        try:
            reply = await server.ask(author, "status", arguments)
            switch: object = msgspec.json.decode(reply.data) if reply.ok and reply.data else {"error": reply.error}
        except TimeoutError:
            switch = {"error": "no answer"}
        return answer({
            "version": __version__, "boot": server.boot, "node": server.options.node,
            "up_s": int(time.monotonic() - server.began_s), "started_at": server.started_at,
            "addresses": server.addresses,
            "site": {"folder": str(server.options.site), "version": server.site.version},
            "share": self.reloads.sharing.row(), "bus": {"state": server.bus.state, "detail": server.bus.detail},
            "draining": server.draining, "drained_by": self.drained_by, "switch": switch, "runtime": self.figures(),
        })

    def figures(self) -> dict[str, object]:
        """Counters and delays of the runtime, by name with units."""
        server = self.server
        usage = resource.getrusage(resource.RUSAGE_SELF)
        lag = server.tally
        return {
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 3), "memory_kib_max": usage.ru_maxrss,
            "loop_lag_max_ms": round(lag.lag_max_s * 1000, 2), "loop_lag_mean_ms": round(lag.lag_mean_s() * 1000, 3),
            "inputs": server.journal.inputs, "faults": server.faults, **server.counts,
            "datagrams_in": sum(sock.datagrams_in for sock in server.udp.values()),
            "datagrams_out": sum(sock.datagrams_out for sock in server.udp.values()),
            "datagrams_dropped": sum(sock.dropped for sock in server.udp.values()),
            "send_failures": {str(flow): sock.failures for flow, sock in server.udp.items() if sock.failures},
            "tcp_flows": len(server.flows.flows), "tcp_refused": server.flows.refused,
            "storage": {
                "state": server.storage.state, "detail": server.storage.detail, "spooled": server.storage.spooled,
                "written": server.storage.written, "lost": server.storage.lost,
            },
            "journal": {
                "file": str(server.journal.path), "bytes": server.journal.bytes_written,
                "failed": server.journal.failed,
            },
            "tails": len(server.admin.readers), "tails_dropped": server.admin.dropped,
            "log_lines_held_back": server.log.held_back, "media": server.plane.metrics(),
            "speech": msgspec.structs.asdict(server.recognizers.figures),
        }

    async def _metrics(self, author: str, arguments: dict[str, str]) -> Answer:
        return answer(self.figures())

    async def _ladder(self, author: str, arguments: dict[str, str]) -> Answer:
        """Kept SIP of a `call` (id, Call-ID, caller, agent, `last`), or of all since `since_ms`.

        `next` in the answer: there is more, asked for by `after`. `raw`: the bytes as well, for a capture.
        """
        ladder = self.server.ladder
        wanted, call = arguments.get("call", "" if "since_ms" in arguments else "last"), ""
        try:
            since_ms, after = (int(arguments.get(name) or 0) for name in ("since_ms", "after"))
        except ValueError:
            return refusal("since_ms and after are whole numbers")
        if wanted:
            found = ladder.find(wanted)
            if len(found) > 1:
                return refusal(f"{wanted!r} has {len(found)} kept calls, name one by its id: {_candidates(found)}")
            call = found[0][0] if found else wanted
        hops: list[Hop] = []
        size = more = 0
        for hop in ladder.scan(call, since_ms=since_ms, after=after, raw=arguments.get("raw") == "yes"):
            if hop is None:
                await asyncio.sleep(0)
                continue
            hops.append(hop)
            size += len(hop.text) + 2 * len(hop.data) + 200
            if size > ladder_bytes_max:
                more = hop.n
                break
        if wanted and not hops and not after:
            return refusal(f"no signalling kept for {wanted!r} (the last 1,000 calls are kept)")
        return answer({"call": call, "hops": hops, "next": more})

    async def _forget(self, author: str, arguments: dict[str, str]) -> Answer:
        """The number isn't journaled: this verb never reaches the Switch."""
        try:
            found = await forgetting.prepare(
                self.server, author, arguments.get("number", ""), arguments.get("country", "")
            )
        except forgetting.NotYet as reason:
            return refusal(str(reason))
        return answer(found)

    async def _password(self, author: str, arguments: dict[str, str]) -> Answer:
        made = self.server.secrets.rotate(self.server.site, arguments.get("agent", ""))
        self.server.secrets_changed()
        self.server.log.info(f"{author} made a new password for agent {made.agent}")
        return answer({"agent": made.agent, "realm": made.realm, "password": made.password})

    async def _pin(self, author: str, arguments: dict[str, str]) -> Answer:
        made = self.server.secrets.new_pin(self.server.site, arguments.get("box", ""))
        self.server.secrets_changed()
        self.server.log.info(f"{author} made a new PIN for {made.agent}")
        return answer({"box": made.agent.removeprefix("box "), "pin": made.password})

    async def _provision(self, author: str, arguments: dict[str, str]) -> Answer:
        return await self.server.watching.provisioning.verb(author, arguments)

    async def _blocks(self, author: str, arguments: dict[str, str]) -> Answer:
        return await self.server.guard.blocks(author, arguments)

    async def _lift(self, author: str, arguments: dict[str, str]) -> Answer:
        return await self.server.guard.lift(author, arguments)

    async def _sound(self, author: str, arguments: dict[str, str]) -> Answer:
        """How the living legs of a `call` (id, caller, agent, `last`) sound so far."""
        reply = await self.server.ask(author, "call", {"call": arguments.get("call", "last")})
        if not reply.ok:
            return refusal(reply.error)
        call = msgspec.json.decode(reply.data)["call"]
        legs = sounding.of_call(self.server.plane, self.server.switch.room, call, self.server.now_ms())
        return answer({"call": call, "legs": legs})

    async def _drain(self, author: str, arguments: dict[str, str]) -> Answer:
        self.drained_by = self.drained_by or {"author": author, "since_ms": int(time.time() * 1000)}
        self.server.draining_begins(f"{author} says so")
        self.drained_by = self.drained_by or {"author": author, "since_ms": int(time.time() * 1000)}
        reply = await self.server.ask(author, "engine.drain", {})
        return Answer(True, msgspec.Raw(reply.data)) if reply.ok else refusal(reply.error)

    async def _restart(self, author: str, arguments: dict[str, str]) -> Answer:
        """Replace the program under the calls, once the new one has shown that it can start."""
        server = self.server
        try:
            version = await self._rehearse()
            reading = await read_in_child(server.options.site, server.site)
        except SiteError as error:
            server.log.error(f"restart refused, nothing changed: {error}", "restart")
            return refusal(str(error))
        if reading.site is None:
            return refusal("the site has errors, so a new engine would not start: ringdown check says which")
        server.log.info(f"{author} restarts the engine: {__version__} -> {version}", "restart")
        reply = await server.ask(author, "status", {})
        calls = msgspec.json.decode(reply.data).get("calls", 0) if reply.ok and reply.data else 0
        server.hand_over = True
        server.loop.call_later(hand_over_s, server.stop)
        return answer({"boot": server.boot, "started_at": server.started_at, "calls": calls, "from": __version__,
                       "to": version})

    async def _rehearse(self) -> str:
        """The installed program's version, once it has compiled its kernels and decoded our state in a child. Raises
        SiteError with its last words when it can't."""
        server = self.server
        given = rehearsal.give(server.journal.header, replaying.pack(server.switch, server.image))
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine.runtime.rehearsal", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd="/",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            out, errors = await asyncio.wait_for(child.communicate(given), rehearsal_s_max)
        except TimeoutError:
            child.kill()
            await child.wait()
            raise SiteError(f"the installed engine didn't get ready within {rehearsal_s_max:.0f} s") from None
        if child.returncode != 0:
            last = errors.decode("utf-8", "replace").strip().splitlines()
            raise SiteError(f"the installed engine won't do: {last[-1] if last else child.returncode}")
        return out.decode().split()[-1]

def _candidates(found: list[tuple[str, Kept]]) -> str:
    lines = []
    for call, kept in found[:candidates_max]:
        at = time.strftime("%H:%M:%S", time.localtime(kept.started_ms / 1000))
        lines.append(f"{call} ({kept.caller or 'anonymous'} → {kept.dialled}, {at})")
    return "; ".join(lines) + (f"; and {len(found) - candidates_max} more" if len(found) > candidates_max else "")
