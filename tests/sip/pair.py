"""Two (or more) endpoints, a virtual clock, and a seeded link that loses, doubles, delays and reorders.

`Pair` never sleeps: `step` jumps to the next arrival or deadline. Each side has a script, a function called with
every event, so that scenarios read as dialogues. The same seed gives the same run, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeVar

from engine.ids import Tokens
from engine.sip.endpoint import Endpoint
from engine.sip.events import CloseFlow, Connect, Path, Send, SipEvent

Script = Callable[[Endpoint, SipEvent, int], None]
T = TypeVar("T")
SDP_A = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
SDP_B = b"v=0\r\no=- 2 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"


class Chance:
    """A seeded xorshift32."""

    def __init__(self, seed: int) -> None:
        self.state = (seed * 2_654_435_761 + 1) & 0xFFFFFFFF or 1

    def below(self, limit: int) -> int:
        """An integer in [0, limit)."""
        x = self.state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.state = x
        return x % limit


class Link:
    """What the network does to datagrams. Rates are per thousand; `jitter_ms` reorders."""

    def __init__(
        self, seed: int = 1, *, loss: int = 0, double: int = 0, latency_ms: int = 10, jitter_ms: int = 0
    ) -> None:
        self.chance = Chance(seed)
        self.loss, self.double, self.latency_ms, self.jitter_ms = loss, double, latency_ms, jitter_ms

    def delays(self) -> list[int]:
        """The delays of the copies that arrive: none when lost."""
        if self.chance.below(1_000) < self.loss:
            return []
        copies = 2 if self.chance.below(1_000) < self.double else 1
        return [self.latency_ms + self.chance.below(self.jitter_ms + 1) for _ in range(copies)]


class Side:
    """One endpoint with its address and what happened to it."""

    def __init__(self, name: str, host: str, endpoint: Endpoint) -> None:
        self.name, self.host, self.endpoint = name, host, endpoint
        self.events: list[SipEvent] = []
        self.script: Script | None = None
        self.deaf = False  # a phone that has vanished

    def of(self, kind: type[T]) -> list[T]:
        """All events of one type."""
        return [event for event in self.events if isinstance(event, kind)]


class Pair:
    """Sides on 10.0.0.1, 10.0.0.2 …, each listening on udp:5060 (flow 1) and tcp:5060 (flow 2)."""

    def __init__(self, link: Link | None = None, *, sides: int = 2, seed: int = 7) -> None:
        self.link = link or Link()
        self.now = 1_000
        self.flight: list[tuple[int, int, str, Path, bytes | None]] = []
        self.serial = 0
        self.sides: dict[str, Side] = {}
        self.streams: dict[tuple[str, int], tuple[str, int]] = {}  # (host, flow) -> (far host, far flow)
        self.next_accepted = 1_000_000
        self.wire: list[tuple[int, str, bytes]] = []  # every message sent: (when, from host, bytes)
        self.drop: Callable[[str, bytes], bool] | None = None  # scripted loss: (from host, bytes) -> lost?
        for number in range(1, sides + 1):
            host = f"10.0.0.{number}"
            endpoint = Endpoint(Tokens(bytes([seed, number]) * 16))
            endpoint.listen(1, "udp", host, 5060, host, 5060, ("10.0.0.0/8",))
            endpoint.listen(2, "tcp", host, 5060, host, 5060, ("10.0.0.0/8",))
            self.sides[host] = Side("ab"[number - 1] if number <= 2 else chr(96 + number), host, endpoint)
        self.a = self.sides["10.0.0.1"]
        self.b = self.sides["10.0.0.2"]

    # --- calls ------------------------------------------------------------------------------------------
    def call(self, *, transport: str = "udp", sdp: bytes | None = SDP_A, user: str = "100", **more: object) -> int:
        """Side a calls user@b."""
        path = Path(0, self.b.host, 5060, transport)
        suffix = "" if transport == "udp" else f";transport={transport}"
        session = self.a.endpoint.invite(
            f"sip:{user}@{self.b.host}{suffix}", path, self.now, caller=("Ann", "200", ""), sdp=sdp,
            **more,  # type: ignore[arg-type]
        )
        self.settle()
        return session

    # --- time -------------------------------------------------------------------------------------------
    def settle(self) -> None:
        """Take what the endpoints have put out; scripts may answer, so go on until all is quiet."""
        busy = True
        while busy:
            busy = False
            for side in self.sides.values():
                endpoint = side.endpoint
                sends, endpoint.sends = endpoint.sends, []
                events, endpoint.events = endpoint.events, []
                busy = busy or bool(sends) or bool(events)
                for send in sends:
                    self._carry(side, send)
                for event in events:
                    side.events.append(event)
                    if side.script is not None:
                        side.script(endpoint, event, self.now)

    def next_at(self) -> int | None:
        """When something happens next."""
        times = [self.flight[0][0]] if self.flight else []
        for side in self.sides.values():
            deadline = None if side.deaf else side.endpoint.next_deadline()
            if deadline is not None:
                times.append(deadline)
        return min(times) if times else None

    def step(self) -> bool:
        """Jump to the next arrival or deadline; False when nothing will ever happen."""
        at = self.next_at()
        if at is None:
            return False
        self.now = max(self.now, at)
        if self.flight and self.flight[0][0] <= self.now:
            _, _, host, path, data = heappop(self.flight)
            side = self.sides.get(host)
            if side is not None and not side.deaf:
                if data is None:
                    side.endpoint.flow_opened(path, self.now)
                else:
                    side.endpoint.receive(path, data, self.now)
        else:
            for side in self.sides.values():
                if not side.deaf:
                    side.endpoint.expire(self.now)
        self.settle()
        return True

    def run(self, until_ms: int) -> None:
        """Run for this long."""
        end = self.now + until_ms
        while (at := self.next_at()) is not None and at <= end:
            self.step()
        self.now = end

    def until(self, done: Callable[[], bool], limit_ms: int = 200_000) -> None:
        """Run until `done()`; AssertionError when the time is over."""
        end = self.now + limit_ms
        while not done():
            assert self.now <= end and self.step(), "the scenario got stuck"

    def quiet(self) -> bool:
        """True when no endpoint holds a session or transaction any more."""
        return all(
            not side.endpoint.core.sessions and not side.endpoint.core.transactions for side in self.sides.values()
        )

    # --- the network ------------------------------------------------------------------------------------
    def _carry(self, side: Side, send: Send | Connect | CloseFlow) -> None:
        if isinstance(send, Connect):
            self._connect(side, send)
        elif isinstance(send, CloseFlow):
            self.close(side, send.flow)
        else:
            self.wire.append((self.now, side.host, send.data))
            if send.path.transport == "tcp":
                far = self.streams.get((side.host, send.path.flow))
                if far is not None:
                    self._put(self.link.latency_ms, far[0], Path(far[1], side.host, 5060, "tcp"), send.data)
                return
            if self.drop is not None and self.drop(side.host, send.data):
                return
            if send.path.port == 5060:
                for delay in self.link.delays():
                    self._put(delay, send.path.host, Path(1, side.host, 5060, "udp"), send.data)

    def _connect(self, side: Side, connect: Connect) -> None:
        far = self.sides.get(connect.host)
        if far is None or far.deaf or connect.port != 5060:
            side.endpoint.flow_closed(connect.flow, self.now)
            return
        self.next_accepted += 1
        self.streams[(side.host, connect.flow)] = (far.host, self.next_accepted)
        self.streams[(far.host, self.next_accepted)] = (side.host, connect.flow)
        self._put(0, far.host, Path(self.next_accepted, side.host, 40_000 + connect.flow, "tcp"), None)
        self._put(self.link.latency_ms, side.host, Path(connect.flow, connect.host, connect.port, "tcp"), None)

    def close(self, side: Side, flow: int) -> None:
        """Break a stream at both ends."""
        far = self.streams.pop((side.host, flow), None)
        side.endpoint.flow_closed(flow, self.now)
        if far is not None:
            self.streams.pop(far, None)
            self.sides[far[0]].endpoint.flow_closed(far[1], self.now)

    def _put(self, delay: int, host: str, path: Path, data: bytes | None) -> None:
        self.serial += 1
        heappush(self.flight, (self.now + delay, self.serial, host, path, data))


def answering(sdp: bytes = SDP_B, *, ring: bool = True, after_ms: int = 0) -> Script:
    """A phone that rings and answers, accepts every re-INVITE and REFER, and is glad about everything."""
    from engine.sip.events import Incoming, Offered, Referred

    def script(endpoint: Endpoint, event: SipEvent, now_ms: int) -> None:
        if isinstance(event, Incoming):
            if ring:
                endpoint.ring(event.session, 180, now_ms)
            if not after_ms:
                endpoint.answer(event.session, sdp, now_ms)
        elif isinstance(event, Offered):
            endpoint.accept_offer(event.session, sdp, now_ms)
        elif isinstance(event, Referred):
            endpoint.notify_refer(event.refer, 200, "OK", now_ms)

    return script
