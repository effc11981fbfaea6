"""A caller and an answering phone for load runs: one socket, many sessions, RFC 3261 timers A, E, G on UDP.

Times are `time.time_ns()`, the same clock that the kernel stamps arriving RTP with.
"""

from __future__ import annotations

import asyncio
import heapq
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.load import wire

T1_NS, T2_NS, B_NS = 500_000_000, 4_000_000_000, 32_000_000_000
SWEEP_S = 0.02


@dataclass(slots=True)
class Address:
    """Where a server listens, as `udp:host:port` or `tcp:host:port`."""

    transport: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        transport, _, rest = text.partition(":")
        host, _, port = rest.rpartition(":")
        if transport not in ("udp", "tcp") or not host or not port.isdigit():
            raise ValueError(f"{text!r} is not like udp:127.0.0.1:5060")
        return cls(transport, host, int(port))


@dataclass(slots=True, eq=False)
class Session:
    """One INVITE session, placed or taken. Times in ns, 0 = has not happened."""

    call_id: str
    user: str
    number: str
    placed: bool
    local: str = ""  # our From or To value with its tag
    remote: str = ""
    target: str = ""
    routes: tuple[str, ...] = ()
    cseq: int = 1
    branch: str = ""
    status: int = 0
    state: str = "inviting"  # inviting | ringing | answered | ending | ended
    sent_ns: int = 0
    first_ns: int = 0
    rang_ns: int = 0
    answered_ns: int = 0
    acked_ns: int = 0
    ending_ns: int = 0
    ended_ns: int = 0
    ended_by: str = ""
    secret: tuple[str, str] | None = None
    challenged: bool = False
    row: int = -1  # of the media plane
    port: int = 9
    media: wire.Media | None = None
    request: wire.Message | None = None
    source: tuple[str, int] | None = None
    ack: bytes = b""
    answer: bytes = b""
    hang_up_ns: int = 0
    on_answered: Callable[[Session], None] | None = None
    on_ended: Callable[[Session], None] | None = None


@dataclass(slots=True)
class Counters:
    repeats: int = 0
    timeouts: int = 0
    unexpected: int = 0
    bad: int = 0
    rejected: dict[int, int] = field(default_factory=dict)


class Endpoint(asyncio.DatagramProtocol):
    """All sessions of one local address. Construct, then `await open()`."""

    def __init__(self, server: Address, *, host: str = "", port: int = 0) -> None:
        self.server = server
        self.host = host or local_host(server)
        self.port = port
        self.sessions: dict[str, Session] = {}
        self.counters = Counters()
        self.on_invite: Callable[[Session], int] | None = None  # returns the media port; raises nothing
        self.on_moved: Callable[[Session], None] | None = None  # their media moved (a re-INVITE)
        self.answer_ms = 0
        self._transport: asyncio.DatagramTransport | asyncio.Transport | None = None
        self._framer = wire.Framer()
        self._timers: list[tuple[int, int, int, Session, bytes, str]] = []
        self._order = 0
        self._waiting: dict[str, asyncio.Future[wire.Message]] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    # --- transport ---------------------------------------------------------------------------------
    async def open(self) -> None:
        """Bind (UDP) or connect (TCP); raises OSError."""
        loop = asyncio.get_running_loop()
        if self.server.transport == "udp":
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.bind((self.host, self.port))
            transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        else:
            outer = self

            class Stream(asyncio.Protocol):
                def data_received(self, data: bytes) -> None:
                    for message in outer._framer.feed(data):
                        outer.datagram_received(message, (outer.server.host, outer.server.port))

            local = (self.host, self.port) if self.port else None
            transport, _ = await loop.create_connection(Stream, self.server.host, self.server.port, local_addr=local)
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        self._sweep()

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._transport is not None:
            self._transport.close()

    def _send(self, data: bytes, where: tuple[str, int] | None = None) -> None:
        if self.server.transport == "udp":
            self._transport.sendto(data, where or (self.server.host, self.server.port))
        else:
            self._transport.write(data)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < 12:
            return  # keep-alives
        now = time.time_ns()
        try:
            message = wire.parse(data)
            if message.is_request:
                self._request(message, addr, now)
            else:
                self._response(message, now)
        except (ValueError, IndexError):
            self.counters.bad += 1

    def error_received(self, exc: Exception) -> None:
        self.counters.bad += 1

    # --- timers --------------------------------------------------------------------------------------
    def _repeat(self, session: Session, data: bytes, state: str, now: int) -> None:
        """Send again on UDP while the session stays in `state` (INVITE, BYE and 200 alike)."""
        self._order += 1
        span = T1_NS if self.server.transport == "udp" else B_NS
        heapq.heappush(self._timers, (now + span, self._order, now, session, data, state))

    def _sweep(self) -> None:
        now = time.time_ns()
        while self._timers and self._timers[0][0] <= now:
            due, _, began, session, data, state = heapq.heappop(self._timers)
            if session.state != state or (state == "answered" and session.acked_ns):
                continue
            if state == "inviting" and session.first_ns and now - began < B_NS:
                self._order += 1
                heapq.heappush(self._timers, (began + B_NS, self._order, began, session, data, state))
                continue
            if now - began >= B_NS:
                self.counters.timeouts += 1
                self._finish(session, "timeout", now)
                continue
            self.counters.repeats += 1
            self._send(data, session.source)
            span = (due - began) * 2 if state == "inviting" else min((due - began) * 2, due - began + T2_NS)
            self._order += 1
            heapq.heappush(self._timers, (min(began + span, began + B_NS), self._order, began, session, data, state))
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _finish(self, session: Session, by: str, now: int) -> None:
        if session.state == "ended":
            return
        session.state, session.ended_by, session.ended_ns = "ended", by, now
        self.sessions.pop(session.call_id, None)
        if session.on_ended is not None:
            session.on_ended(session)

    # --- placing calls -----------------------------------------------------------------------------------
    def _via(self, branch: str) -> tuple[str, str]:
        return "Via", f"SIP/2.0/{self.server.transport.upper()} {self.host}:{self.port};branch={branch};rport"

    def _contact(self, user: str) -> tuple[str, str]:
        tail = ";transport=tcp" if self.server.transport == "tcp" else ""
        return "Contact", f"<sip:{user}@{self.host}:{self.port}{tail}>"

    def uri(self, user: str) -> str:
        """The server's address of `user`."""
        return f"sip:{user}@{self.server.host}:{self.server.port}"

    def call(
        self, number: str, user: str, *, port: int = 9, row: int = -1, secret: tuple[str, str] | None = None,
        on_answered: Callable[[Session], None] | None = None, on_ended: Callable[[Session], None] | None = None,
    ) -> Session:  # fmt: skip
        """Place a call; RTP is wanted at `port` (9: nobody listens)."""
        session = Session(f"{wire.fresh(8)}@{self.host}", user, number, True, port=port, row=row, secret=secret)
        session.on_answered, session.on_ended = on_answered, on_ended
        session.local = f"<{self.uri(user)}>;tag={wire.fresh(4)}"
        session.remote = f"<{self.uri(number)}>"
        self.sessions[session.call_id] = session
        self._invite(session, [])
        return session

    def _invite(self, session: Session, extra: list[tuple[str, str]]) -> None:
        session.branch = "z9hG4bK" + wire.fresh()
        headers = [
            self._via(session.branch), ("Max-Forwards", "70"), ("From", session.local), ("To", session.remote),
            ("Call-ID", session.call_id), ("CSeq", f"{session.cseq} INVITE"), self._contact(session.user), *extra,
            ("Content-Type", "application/sdp"),
        ]  # fmt: skip
        data = wire.build(f"INVITE {self.uri(session.number)} SIP/2.0", headers, wire.offer(self.host, session.port))
        now = time.time_ns()
        session.sent_ns = session.sent_ns or now
        self._send(data)
        self._repeat(session, data, "inviting", now)

    def hang_up(self, session: Session) -> None:
        """BYE for an answered session; a no-op otherwise."""
        if session.state != "answered":
            return
        session.state = "ending"
        session.cseq += 1
        data = self._in_dialog(session, "BYE")
        session.ending_ns = now = time.time_ns()
        self._send(data, session.source)
        self._repeat(session, data, "ending", now)

    def _in_dialog(self, session: Session, method: str) -> bytes:
        routes = [("Route", route) for route in session.routes]
        headers = [
            self._via("z9hG4bK" + wire.fresh()), ("Max-Forwards", "70"), *routes,
            ("From", session.local), ("To", session.remote), ("Call-ID", session.call_id),
            ("CSeq", f"{session.cseq} {method}"),
        ]  # fmt: skip
        return wire.build(f"{method} {session.target or self.uri(session.number)} SIP/2.0", headers)

    def _response(self, message: wire.Message, now: int) -> None:
        status, method = message.status, message.method
        waiting = self._waiting.get(message.get("call-id"))
        if waiting is not None and method == "REGISTER":
            if status >= 200 and not waiting.done():
                waiting.set_result(message)
            return
        session = self.sessions.get(message.get("call-id"))
        if session is None:
            return
        if method == "INVITE":
            self._invite_response(session, message, status, now)
        elif method == "BYE" and status >= 200 and session.state == "ending":
            self._finish(session, "us", now)

    def _invite_response(self, session: Session, message: wire.Message, status: int, now: int) -> None:
        session.first_ns = session.first_ns or now
        if status < 200:
            if status > 100:
                session.rang_ns = session.rang_ns or now
            return
        if status >= 300:
            self._send(self._ack_refusal(session, message))
            if status in (401, 407) and session.secret and not session.challenged:
                session.challenged, session.first_ns = True, 0
                session.cseq += 1
                name = "www-authenticate" if status == 401 else "proxy-authenticate"
                value = wire.authorization(message.all(name), *session.secret, "INVITE", self.uri(session.number))
                self._invite(session, [("Authorization" if status == 401 else "Proxy-Authorization", value)])
            elif session.state == "inviting":
                session.status = status
                self.counters.rejected[status] = self.counters.rejected.get(status, 0) + 1
                self._finish(session, "refused", now)
            return
        if session.state != "inviting":
            self._send(session.ack)
            return
        session.status, session.state, session.answered_ns, session.acked_ns = status, "answered", now, now
        session.remote = message.get("to")
        session.target = wire.uri_of(message.get("contact")) or self.uri(session.number)
        session.routes = tuple(reversed(message.all("record-route")))
        session.media = wire.Media(message.body)
        session.ack = self._in_dialog(session, "ACK")
        self._send(session.ack)
        if session.on_answered is not None:
            session.on_answered(session)

    def _ack_refusal(self, session: Session, message: wire.Message) -> bytes:
        headers = [
            self._via(session.branch), ("Max-Forwards", "70"), ("From", session.local), ("To", message.get("to")),
            ("Call-ID", session.call_id), ("CSeq", f"{message.get('cseq').split()[0]} ACK"),
        ]  # fmt: skip
        return wire.build(f"ACK {self.uri(session.number)} SIP/2.0", headers)

    # --- taking calls ----------------------------------------------------------------------------------------
    def _request(self, message: wire.Message, addr: tuple[str, int], now: int) -> None:
        session = self.sessions.get(message.get("call-id"))
        method = message.method
        if method == "INVITE":
            self._invited(message, session, addr, now)
        elif method == "ACK":
            if session is not None and not session.acked_ns:
                session.acked_ns = now
                if session.state == "answered" and session.on_answered is not None:
                    session.on_answered(session)
        elif method == "CANCEL":
            self._send(wire.respond(message, 200, "OK", tag=wire.fresh(4)), addr)
            if session is not None and session.request is not None and session.state == "ringing":
                tag = wire.tag_of(session.local)
                self._send(wire.respond(session.request, 487, "Request Terminated", tag=tag), addr)
                session.acked_ns = now
                self._finish(session, "cancelled", now)
        else:
            known = session is not None or method in ("OPTIONS", "NOTIFY")
            self._send(wire.respond(message, 200 if known else 481, "OK" if known else "Gone", tag=wire.fresh(4)), addr)
            if method == "BYE" and session is not None:
                self._finish(session, "them", now)

    def _invited(self, message: wire.Message, session: Session | None, addr: tuple[str, int], now: int) -> None:
        if session is not None:
            known = session.request.get("cseq") if session.request else ""
            if (session.answer or session.placed) and message.get("cseq") != known:
                self._reinvited(session, message, addr, now)
            elif session.answer:
                self._send(session.answer, addr)
            return
        if self.on_invite is None:
            self._send(wire.respond(message, 480, "Temporarily Unavailable", tag=wire.fresh(4)), addr)
            return
        session = Session(message.get("call-id"), wire.user_of(message.uri), wire.user_of(message.get("from")), False)
        tag = wire.fresh(4)
        session.state, session.sent_ns, session.request, session.source = "ringing", now, message, addr
        session.local, session.remote = f"{message.get('to')};tag={tag}", message.get("from")
        session.target = wire.uri_of(message.get("contact"))
        session.routes = tuple(message.all("record-route"))
        session.media = wire.Media(message.body) if message.body else None
        self.sessions[session.call_id] = session
        session.port = self.on_invite(session)
        self._send(wire.respond(message, 180, "Ringing", tag=tag, headers=[self._contact(session.user)]), addr)
        if self.answer_ms:
            loop = asyncio.get_running_loop()
            loop.call_later(self.answer_ms / 1000, self._answer_late, session, message, addr)
        else:
            self._answer(session, message, addr, now)

    def _reinvited(self, session: Session, message: wire.Message, addr: tuple[str, int], now: int) -> None:
        """Answer with what we had; when their media lies elsewhere now, the owner of ours is told."""
        before = session.media
        if message.body:
            session.media = wire.Media(message.body)
        self._answer(session, message, addr, now)
        after = session.media
        if self.on_moved is None or before is None or after is None:
            return
        if (after.host, after.port) != (before.host, before.port):
            self.on_moved(session)

    def _answer_late(self, session: Session, message: wire.Message, addr: tuple[str, int]) -> None:
        if session.state == "ringing":
            self._answer(session, message, addr, time.time_ns())

    def _answer(self, session: Session, message: wire.Message, addr: tuple[str, int], now: int) -> None:
        codecs = session.media.codecs if session.media else [0]
        codec = next((kind for kind in codecs if kind in (0, 8)), 0)
        event = session.media.event if session.media else 0
        body = wire.offer(self.host, session.port, codecs=(codec,), event=event)
        headers = [self._contact(session.user), ("Content-Type", "application/sdp")]
        session.answer = wire.respond(message, 200, "OK", tag=wire.tag_of(session.local), headers=headers, body=body)
        session.request = message
        self._send(session.answer, addr)
        if session.state == "ringing":
            session.state, session.answered_ns = "answered", now
            self._repeat(session, session.answer, "answered", now)

    # --- registering -----------------------------------------------------------------------------------------
    async def register(self, user: str, password: str, *, expires: int = 3600, algorithm: str = "MD5") -> int:
        """Register `user` at the server with digest; the final status. Several may run at once."""
        call_id, local = wire.fresh(8), f"<{self.uri(user)}>"
        extra: list[tuple[str, str]] = []
        status = 408
        for cseq in (1, 2):
            headers = [
                self._via("z9hG4bK" + wire.fresh()), ("Max-Forwards", "70"), ("From", f"{local};tag={wire.fresh(4)}"),
                ("To", local), ("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER"), self._contact(user),
                ("Expires", str(expires)), *extra,
            ]  # fmt: skip
            uri = f"sip:{self.server.host}:{self.server.port}"
            data = wire.build(f"REGISTER {uri} SIP/2.0", headers)
            reply = await self._ask(call_id, data)
            if reply is None:
                return 408
            status = reply.status
            if status not in (401, 407):
                return status
            challenges = reply.all("www-authenticate") or reply.all("proxy-authenticate")
            value = wire.authorization(challenges, user, password, "REGISTER", uri, prefer=algorithm)
            extra = [("Authorization" if status == 401 else "Proxy-Authorization", value)]
        return status

    async def _ask(self, call_id: str, data: bytes) -> wire.Message | None:
        future: asyncio.Future[wire.Message] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = future
        try:
            for wait in (0.5, 1.0, 2.0, 4.0):
                self._send(data)
                done, _ = await asyncio.wait([future], timeout=wait)
                if done:
                    return future.result()
        finally:
            del self._waiting[call_id]
        return None


def local_host(server: Address) -> str:
    """The address of ours that the system would use towards the server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((server.host, server.port))
        return str(probe.getsockname()[0])
