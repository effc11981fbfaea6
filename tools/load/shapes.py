"""The four runs. Each returns its figures as a dict whose first entry states the shape."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.load import plane as media
from tools.load import report
from tools.load.account import Meter
from tools.load.endpoint import Address, Endpoint, Session

Figures = dict[str, object]
MS = 1_000_000


@dataclass
class Book:
    """What became of the calls that a run placed."""

    placed: int = 0
    answered: list[Session] = field(default_factory=list)
    ended: list[Session] = field(default_factory=list)

    def figures(self, endpoint: Endpoint) -> Figures:
        good = [s for s in self.ended if s.answered_ns and s.ended_by in ("us", "them")]
        return {
            "placed": self.placed,
            "answered": len(self.answered),
            "ended_cleanly": len(good),
            "success_percent": round(100 * len(good) / max(1, self.placed), 3),
            "refused": dict(sorted(endpoint.counters.rejected.items())),
            "timeouts": endpoint.counters.timeouts,
            "repeats_sent": endpoint.counters.repeats,
            "invite_to_first_answer_ms": report.spread([(s.first_ns - s.sent_ns) / MS for s in self.answered]),
            "invite_to_ringing_ms": report.spread([(s.rang_ns - s.sent_ns) / MS for s in self.answered if s.rang_ns]),
            "invite_to_200_ms": report.spread([(s.answered_ns - s.sent_ns) / MS for s in self.answered]),
            "bye_to_200_ms": report.spread([(s.ended_ns - s.ending_ns) / MS for s in good if s.ending_ns]),
        }


class Caller:
    """Places calls at a steady rate and hangs each up when its time is over."""

    def __init__(self, options: argparse.Namespace, endpoint: Endpoint, book: Book) -> None:
        self.options, self.endpoint, self.book = options, endpoint, book
        self.secret = tuple(options.caller.split(":", 1)) if options.caller else None
        self.live: set[Session] = set()

    def place(self, *, number: str, hold_s: float, port: int = 9, row: int = -1,
              on_answered: Callable[[Session], None] | None = None,
              on_ended: Callable[[Session], None] | None = None) -> Session:  # fmt: skip
        """One call; `hold_s` < 0: it stays until `hang_up_all`."""
        loop = asyncio.get_running_loop()

        def answered(session: Session) -> None:
            self.book.answered.append(session)
            if on_answered is not None:
                on_answered(session)
            if hold_s == 0:
                self.endpoint.hang_up(session)
            elif hold_s > 0:
                loop.call_later(hold_s, self.endpoint.hang_up, session)

        def ended(session: Session) -> None:
            self.live.discard(session)
            self.book.ended.append(session)
            if on_ended is not None:
                on_ended(session)

        self.book.placed += 1
        user = self.secret[0] if self.secret else str(90_000_000 + self.book.placed)
        session = self.endpoint.call(
            number, user, port=port, row=row, secret=self.secret, on_answered=answered, on_ended=ended
        )
        self.live.add(session)
        return session

    async def hang_up_all(self, rate: float) -> None:
        """BYE for every call, paced, then wait for the last answer (at most 35 s)."""
        for number, session in enumerate(sorted(self.live, key=lambda s: s.sent_ns)):
            self.endpoint.hang_up(session)
            if number % 20 == 19:
                await asyncio.sleep(20 / rate)
        await quiet(lambda: not self.live, 35)


async def paced(rate: float, count: int, act: Callable[[int], None], room: Callable[[], bool] | None = None) -> float:
    """Call act(0) … act(count − 1) at `rate` a second, open loop; the seconds it took. `room` false: wait."""
    loop = asyncio.get_running_loop()
    began, number, paused = loop.time(), 0, 0.0
    while number < count:
        due = int((loop.time() - began - paused) * rate) + 1
        while number < min(due, count):
            if room is not None and not room():
                waited = loop.time()
                await asyncio.sleep(0.005)
                paused += loop.time() - waited
                continue
            act(number)
            number += 1
        await asyncio.sleep(0.002)
    return loop.time() - began


async def quiet(done: Callable[[], bool], seconds: float) -> bool:
    """Wait until `done()`, at most `seconds`."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + seconds
    while not done():
        if loop.time() > limit:
            return False
        await asyncio.sleep(0.02)
    return True


def per_thousand(cpu_s: float, calls: int) -> float:
    return round(cpu_s * 1000 / calls, 4) if calls else float("nan")


# --- calls ------------------------------------------------------------------------------------------------
async def calls(options: argparse.Namespace) -> Figures:
    """Call rate, no RTP from us: INVITE, 200, ACK, hold, BYE."""
    endpoint = Endpoint(Address.parse(options.server), host=options.host)
    await endpoint.open()
    book = Book()
    caller = Caller(options, endpoint, book)
    if options.warm:
        await _warm(caller, options)
        book = caller.book = Book()
    meter = Meter(options.pid)
    count = int(options.rate * options.seconds)
    limit = options.calls or 10_000
    took = await paced(
        options.rate, count, lambda _: caller.place(number=options.number, hold_s=options.hold) and None,
        lambda: len(caller.live) < limit,
    )  # fmt: skip
    await quiet(lambda: not caller.live, options.hold + 35)
    cpu = meter.cpu_spent()
    endpoint.close()
    return {
        "shape": f"{options.number} at {options.server}, {options.rate:g} calls/s for {took:.1f} s, "
        f"hold {options.hold:g} s, no RTP from us, at most {limit} at once",
        **book.figures(endpoint),
        "rate_reached": round(count / took, 2),
        "cpu_s": round(cpu, 3),
        "cpu_s_per_1000_calls": per_thousand(cpu, len(book.answered)),
    }


async def _warm(caller: Caller, options: argparse.Namespace) -> None:
    """A few calls beforehand: first-use costs (caches, lazy imports) are not the price of a call."""
    await paced(20, options.warm, lambda _: caller.place(number=options.number, hold_s=0.05) and None)
    await quiet(lambda: not caller.live, 10)


# --- media ------------------------------------------------------------------------------------------------
class Legs:
    """Rows of a plane handed out to sessions, and taken back when they end."""

    def __init__(self, plane: media.Plane) -> None:
        self.plane = plane
        self.free = list(range(plane.rows - 1, -1, -1))

    def take(self) -> int:
        return self.free.pop()

    def connect(self, session: Session) -> None:
        if session.media is not None and session.media.port and session.row >= 0:
            self.plane.connect(session.row, session.media.host, session.media.port)

    def release(self, session: Session) -> None:
        if session.row >= 0:
            self.plane.drop(session.row)
            self.free.append(session.row)
            session.row = -1


async def _window(options: argparse.Namespace, plane: media.Plane, beside: Callable[[], None] | None) -> float:
    """Open the measuring window for `options.seconds`; the server's CPU seconds in it."""
    await asyncio.sleep(options.settle)
    plane.measure()
    meter = Meter(options.pid)
    if beside is not None:
        await paced(options.beside_rate, int(options.beside_rate * options.seconds), lambda _: beside())
    else:
        await asyncio.sleep(options.seconds)
    cpu = meter.cpu_spent()
    plane.pause()
    await asyncio.sleep(0.1)
    return cpu


def _media_figures(plane: media.Plane, seconds: float, rows: list[int]) -> Figures:
    """After plane.stop(): spacing, losses, silence of the given rows."""
    heard = plane.column(media.HEARD)[rows]
    return {
        "packets_heard_per_leg_per_s": round(plane.heard_in_window() / max(1, len(rows)) / seconds, 3),
        "legs_that_heard_nothing": int((heard == 0).sum()),
        "lost": int(plane.column(media.LOST)[rows].sum()),
        "odd": int(plane.column(media.ODD)[rows].sum()),
        "gaps_ms": report.spacing(plane.gaps_ms()),
    }


async def media_calls(options: argparse.Namespace) -> Figures:
    """Concurrent calls with RTP both ways; `--beside-rate` sets up plain calls while it is measured."""
    endpoint = Endpoint(Address.parse(options.server), host=options.host)
    await endpoint.open()
    samples = int(options.calls * 52 * (options.seconds + 1)) + 1000
    plane = media.Plane(endpoint.host, options.calls, first_port=options.rtp_port, samples=samples)
    plane.start()
    book, legs = Book(), Legs(plane)
    caller = Caller(options, endpoint, book)
    before = Meter(options.pid)

    def place(_: int) -> None:
        row = legs.take()
        caller.place(number=options.number, hold_s=-1, port=plane.ports[row], row=row, on_answered=legs.connect)

    await paced(options.rate, options.calls, place)
    await quiet(lambda: len(book.answered) + len(book.ended) >= options.calls, 35)
    up = [session for session in book.answered if session.state == "answered"]
    rows = [session.row for session in up]
    beside_book = Book()
    beside_caller = Caller(options, endpoint, beside_book)

    def beside() -> None:
        beside_caller.place(number=options.beside_number or options.number, hold_s=options.hold)

    cpu = await _window(options, plane, beside if options.beside_rate else None)
    rss = before.rss_grown()
    still = sum(session.state == "answered" for session in up)
    await caller.hang_up_all(options.rate)
    await quiet(lambda: not beside_caller.live, 10)
    plane.stop()
    endpoint.close()
    first = [(plane.legs[s.row, media.FIRST_NS] - s.answered_ns) / MS for s in up if plane.legs[s.row, media.FIRST_NS]]
    figures: Figures = {
        "shape": f"{options.number} at {options.server}, {options.calls} calls at once set up at {options.rate:g}/s, "
        f"PCMU 50 packets/s each way, measured {options.seconds:g} s"
        + (f", {options.beside_rate:g} other calls/s beside" if options.beside_rate else ""),
        **book.figures(endpoint),
        "lived_through_the_window": still,
        "answer_to_first_packet_ms": report.spread(first),
        **_media_figures(plane, options.seconds, rows),
        "cpu_s": round(cpu, 3),
        "cpu_s_per_call_minute": round(cpu * 60 / max(1, len(up)) / options.seconds, 5),
        "rss_kib_per_call": round(rss / max(1, len(up)), 1),
    }
    if options.beside_rate:
        figures["beside"] = {"placed": beside_book.placed, "answered": len(beside_book.answered)}
        figures["beside_invite_to_200_ms"] = report.spread(
            [(s.answered_ns - s.sent_ns) / MS for s in beside_book.answered]
        )
    return figures


# --- bridges and queues ----------------------------------------------------------------------------------------
def agent_secrets(options: argparse.Namespace) -> list[tuple[str, str]]:
    """--agents user:password,user:password or @FILE with one a line."""
    text = options.agents or ""
    if text.startswith("@"):
        text = ",".join(line.strip() for line in Path(text[1:]).read_text().splitlines() if line.strip())
    pairs = [part.partition(":") for part in text.split(",") if part]
    return [(user, password) for user, _, password in pairs]


async def _log_in(options: argparse.Namespace, phones: Endpoint) -> dict[int, int]:
    """Register every agent (ten at once) and dial the login code where one is given; status -> count."""
    statuses: dict[int, int] = {}
    secrets = agent_secrets(options)
    for start in range(0, len(secrets), 10):
        batch = secrets[start : start + 10]
        results = await asyncio.gather(*(phones.register(user, word) for user, word in batch))
        for status in results:
            statuses[status] = statuses.get(status, 0) + 1
        if options.login_code:
            sessions = [phones.call(options.login_code, user, secret=(user, word)) for user, word in batch]
            await asyncio.sleep(1)
            for session in sessions:
                phones.hang_up(session)
    return statuses


async def bridges(options: argparse.Namespace) -> Figures:
    """Bridged calls: caller legs dial `--number`, the server rings phones of ours, RTP both ways through it."""
    address = Address.parse(options.server)
    endpoint, phones = Endpoint(address, host=options.host), Endpoint(address, host=options.host, port=options.listen)
    await endpoint.open()
    await phones.open()
    samples = int(2 * options.calls * 52 * (options.seconds + 1)) + 1000
    plane = media.Plane(endpoint.host, 2 * options.calls + 8, first_port=options.rtp_port, samples=samples)
    plane.start()
    book, legs, taken = Book(), Legs(plane), []

    def ring(session: Session) -> int:
        session.row = legs.take()
        session.on_answered, session.on_ended = legs.connect, legs.release
        taken.append(session)
        return plane.ports[session.row]

    phones.on_invite = ring
    registered = await _log_in(options, phones)
    caller, before = Caller(options, endpoint, book), Meter(options.pid)

    def place(_: int) -> None:
        row = legs.take()
        caller.place(number=options.number, hold_s=-1, port=plane.ports[row], row=row, on_answered=legs.connect)

    await paced(options.rate, options.calls, place)
    await quiet(lambda: len(book.answered) + len(book.ended) >= options.calls, 35)
    await quiet(lambda: sum(s.state == "answered" for s in taken) >= len(caller.live), 10)
    up = [session for session in book.answered if session.state == "answered"]
    far = [session for session in taken if session.state == "answered"]
    rows = [session.row for session in (*up, *far)]
    cpu = await _window(options, plane, None)
    rss = before.rss_grown()
    still = sum(session.state == "answered" for session in up)
    await caller.hang_up_all(options.rate)
    await quiet(lambda: not phones.sessions, 10)
    plane.stop()
    endpoint.close()
    phones.close()
    transits = plane.transits_ms()
    return {
        "shape": f"{options.number} at {options.server}, {options.calls} bridged calls set up at {options.rate:g}/s, "
        f"PCMU 50 packets/s each way on both legs, measured {options.seconds:g} s",
        **book.figures(endpoint),
        "registered": registered,
        "bridges_up": min(len(up), len(far)),
        "lived_through_the_window": still,
        **_media_figures(plane, options.seconds, rows),
        "transit_ms": report.spread(transits[:, 0]),
        "transit_to_our_socket_ms": report.spread(transits[:, 1]),
        "packets_copied_percent": round(100 * transits.shape[0] / max(1, plane.heard_in_window()), 2),
        "cpu_s": round(cpu, 3),
        "cpu_s_per_bridged_call_minute": round(cpu * 60 / max(1, len(up)) / options.seconds, 5),
        "rss_kib_per_call": round(rss / max(1, len(up)), 1),
    }


async def queue(options: argparse.Namespace) -> Figures:
    """Queue calls: callers dial the queue at a rate, auto-answering agents of ours take them, callers hang up."""
    address = Address.parse(options.server)
    endpoint, phones = Endpoint(address, host=options.host), Endpoint(address, host=options.host, port=options.listen)
    await endpoint.open()
    await phones.open()
    phones.answer_ms = options.answer_ms
    book, offers, loop = Book(), [], asyncio.get_running_loop()
    by_caller: dict[str, Session] = {}
    caller = Caller(options, endpoint, book)

    def connected(offer: Session) -> None:
        session = by_caller.get(offer.number)
        if session is not None:
            loop.call_later(options.hold, endpoint.hang_up, session)

    def ring(offer: Session) -> int:
        offer.on_answered = connected
        offers.append(offer)
        return 9

    phones.on_invite = ring
    registered = await _log_in(options, phones)
    await asyncio.sleep(options.settle)
    meter = Meter(options.pid)
    count = int(options.rate * options.seconds)

    def place(_: int) -> None:
        session = caller.place(number=options.number, hold_s=-1)
        by_caller[session.user] = session

    took = await paced(options.rate, count, place)
    finished = await quiet(lambda: not caller.live, 60 + options.hold)
    cpu = meter.cpu_spent()
    await caller.hang_up_all(100)
    await quiet(lambda: not phones.sessions, 10)
    endpoint.close()
    phones.close()
    pairs = [(by_caller[o.number], o) for o in offers if o.number in by_caller and o.acked_ns and o.answered_ns]
    return {
        "shape": f"{options.number} at {options.server}, {options.rate:g} calls/s for {took:.1f} s, "
        f"{len(agent_secrets(options))} agents answering after {options.answer_ms} ms, hold {options.hold:g} s, "
        "no RTP from us",
        **book.figures(endpoint),
        "registered": registered,
        "offers": len(offers),
        "connected": len(pairs),
        "all_served_in_time": finished,
        "caller_invited_to_agent_invited_ms": report.spread([(o.sent_ns - s.sent_ns) / MS for s, o in pairs]),
        "caller_answered_to_agent_invited_ms": report.spread([(o.sent_ns - s.answered_ns) / MS for s, o in pairs]),
        "caller_answered_to_agent_connected_ms": report.spread([(o.acked_ns - s.answered_ns) / MS for s, o in pairs]),
        "cpu_s": round(cpu, 3),
        "cpu_s_per_1000_calls": per_thousand(cpu, len(pairs)),
    }
