"""The engine's figures in Prometheus' text format (exposition format 0.0.4, rendered by prometheus-client).

Names end in their unit, counters in `_total`; labels have bounded values (queues and trunks of the site, states,
methods), never a caller, a call or an agent. Rendering a thousand queues takes tens of milliseconds, so the text is
made in small pieces and the event loop gets its turn between them; within a second everybody gets the same text.
"""

from __future__ import annotations

import asyncio
import platform
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from engine import __version__
from engine.acd.tables import AGENT_STATES
from engine.call import figures, trunk_desk
from engine.runtime import sounding
from engine.runtime.tally import LAG_BOUNDS_S, by_name

if TYPE_CHECKING:
    from engine.runtime.server import Server

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
fresh_s_max = 1.0
work_s_max = 0.0005  # of the event loop at a time
queues_at_once = 16
samples_at_once = 40

Labels = tuple[str, ...]
Sample = tuple[Labels, float]

_QUEUE_GAUGES = (
    ("waiting_calls", "Callers who wait and for whom no phone rings", "waiting", 1.0),
    ("alerting_calls", "Callers for whom an agent's phone rings", "alerting", 1.0),
    ("connected_calls", "Callers in conversation with an agent", "connected", 1.0),
    ("longest_wait_seconds", "Wait of the caller who has waited longest", "longest_wait_ms", 1e-3),
)
_QUEUE_COUNTERS = (
    ("offered", "Callers who came into the queue", "offered", 1.0),
    ("answered", "Callers whom an agent answered", "answered", 1.0),
    ("answered_in_time", "Callers answered within the service level's time", "answered_in_time", 1.0),
    ("abandoned", "Callers who hung up while they waited", "abandoned", 1.0),
    ("timed_out", "Callers whose time in the queue was over", "timed_out", 1.0),
    ("left", "Callers who left by key, were moved, or whose queue closed", "left", 1.0),
    ("offers_missed", "Offers to agents that failed", "missed", 1.0),
    ("answered_wait_seconds", "Waits of the answered, summed", "waited_ms", 1e-3),
    ("talked_seconds", "Conversations, summed", "talked_ms", 1e-3),
)
_MEDIA_COUNTERS = (
    ("media_ticks", "Ticks of the media thread", "ticks"),
    ("media_ticks_missed", "Ticks that came too late to be run", "ticks_missed"),
    ("media_frames_missed", "Frames skipped after a stall", "frames_missed"),
    ("media_packets_received", "RTP packets received", "packets_in"),
    ("media_packets_sent", "RTP packets sent", "packets_out"),
    ("media_packets_ignored", "Packets that belonged to no stream we take", "packets_ignored"),
    ("media_send_failures", "RTP packets that the kernel refused", "send_failed"),
    ("media_playout_exhausted", "Times no jitter buffer was free", "playout_exhausted"),
    ("media_events_lost", "Events of the media thread that found no room", "events_lost"),
)
_SPEECH_COUNTERS = (
    ("speech_listenings", "Times that a recogniser was asked to listen to a caller", "listened", 1),
    ("speech_listenings_failed", "Listenings that no recogniser could serve: the caller was asked again", "failed", 1),
    ("speech_frames", "Frames of 20 ms that recognisers have heard", "frames", 1),
    ("speech_frames_spoken", "Those of them in which somebody spoke, which are decoded", "decoded", 1),
    ("speech_frames_dropped", "Frames that a recogniser was too busy to take", "frames_dropped", 1),
    ("speech_recognizers_lost", "Recogniser processes that died, or were ended because they hung", "children_lost", 1),
    ("speech_recognizer_cpu_seconds", "CPU time of the recogniser processes", "cpu_ms", 1e-3),
)  # fmt: skip
_SPEECH_GAUGES = (
    ("speech_recognizers", "Recogniser processes that should run", "children", 1),
    ("speech_recognizers_ready", "Recogniser processes that answer", "children_ready", 1),
    ("speech_recognizer_start_seconds", "Time until the newest recogniser process stood", "ready_ms", 1e-3),
    ("speech_recognizer_memory_bytes", "Memory that the recogniser processes use", "memory_bytes", 1),
    ("speech_callers", "Callers who are listened to", "listening", 1),
)


class Exposition:
    """`await text()`: the whole page, at most a second old."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._lock = asyncio.Lock()
        self._text = b""
        self._made_s = float("-inf")

    async def text(self) -> bytes:
        """Metrics now. Scrapes at the same time share one rendering."""
        async with self._lock:
            if time.monotonic() - self._made_s >= fresh_s_max:
                self._text = await self._render()
                self._made_s = time.monotonic()
            return self._text

    async def _render(self) -> bytes:
        began = time.perf_counter()
        parts: list[bytes] = []
        queues: dict[tuple[str, str], dict[str, Any]] = {}
        room = getattr(self.server.switch, "room", None)
        if room is not None:
            for first in range(0, room.acd.queue_rows(), queues_at_once):
                now_ms = self.server.now_ms()
                for row in figures.queues(room, first, queues_at_once, now_ms):
                    queues[row["tenant"], row["queue"]] = row
                began = await _breathe(began)
        live = sounding.Live()
        if room is not None:
            for _ in sounding.add_all(live, self.server.plane, room, self.server.now_ms()):
                began = await _breathe(began)
        rows = list(queues.values())
        queues.clear()
        for piece in self._pieces(room, rows, live):
            parts.append(piece)
            began = await _breathe(began)
        while rows:  # to let hundreds of them go at once would hold the loop too
            del rows[-queues_at_once:]
            began = await _breathe(began)
        return b"".join(parts)

    def _pieces(self, room: Any, queues: list[dict[str, Any]], live: sounding.Live) -> Iterator[bytes]:
        # Chained, not collected: each family is made in its own turn of the loop.
        of_server = (_process, _loop, _sip, _records, _media, _speech, _calls, _quality)
        for family in chain.from_iterable(make(self.server) for make in of_server):
            yield generate_latest(_Page(family))
        for family in _live(live):
            yield generate_latest(_Page(family))
        if room is not None:
            for family in chain(_room(room), _trunks(self.server, room)):
                yield generate_latest(_Page(family))
            yield from _queues(queues)


class _Page:
    """One family, as prometheus-client wants it to be handed over."""

    def __init__(self, family: Metric) -> None:
        self.family = family

    def collect(self) -> Iterable[Metric]:
        return (self.family,)


async def _breathe(began: float) -> float:
    """Let others run when we have worked for long enough."""
    if time.perf_counter() - began < work_s_max:
        return began
    await asyncio.sleep(0)
    return time.perf_counter()


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"ringdown_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"ringdown_{name}", text, value=value)


def _labelled(kind: Callable[..., Any], name: str, text: str, labels: Labels, samples: Iterable[Sample]) -> Metric:
    family: Metric = kind(f"ringdown_{name}", text, labels=labels)
    add: Any = family
    for values, value in samples:
        add.add_metric(values, value)
    return family


def _gauges(name: str, text: str, labels: Labels, samples: Iterable[Sample]) -> Metric:
    return _labelled(GaugeMetricFamily, name, text, labels, samples)


def _counters(name: str, text: str, labels: Labels, samples: Iterable[Sample]) -> Metric:
    return _labelled(CounterMetricFamily, name, text, labels, samples)


def _process(server: Server) -> Iterator[Metric]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    what = (__version__, platform.python_version(), server.options.node)
    yield _gauges("build_info", "What runs; always 1", ("version", "python", "node"), [(what, 1)])
    yield _counter("process_cpu_seconds", "CPU time of the process, user and system", usage.ru_utime + usage.ru_stime)
    yield _gauge("process_resident_memory_bytes", "Memory in use", _resident_bytes())
    yield _gauge("process_resident_memory_max_bytes", "Most memory that was ever in use", usage.ru_maxrss * 1024)
    up_s = time.monotonic() - server.began_s
    yield _gauge("uptime_seconds", "Time since the start, by a clock that nobody sets", up_s)
    yield _gauge("ready", "1 when new calls are taken, as /ready says", server.watching.health.ready()[0])
    yield _gauge("draining", "1 while no new calls are taken because somebody said drain", server.draining)
    yield _counter("switch_faults", "Inputs that the switch failed at: each is a bug", server.faults)


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * resource.getpagesize()


def _loop(server: Server) -> Iterator[Metric]:
    tally = server.tally
    total, buckets = 0, []
    for bound, count in zip((*map(str, LAG_BOUNDS_S), "+Inf"), tally.lag_counts, strict=True):
        total += count
        buckets.append((bound, total))
    text = "How late the event loop was, measured four times a second"
    family = HistogramMetricFamily("ringdown_loop_lag_seconds", text)
    family.add_metric((), buckets, tally.lag_sum_s)
    yield family
    yield _gauge("loop_lag_max_seconds", "Latest the event loop has ever been", tally.lag_max_s)
    lines = [((level,), count) for level, count in sorted(server.log.counts.items())]
    yield _counters("log_lines", "Log lines by level, those held back included", ("level",), lines)
    yield _counter("log_lines_held_back", "Log lines beyond the rates", server.log.held_back)
    yield _gauge("tails", "Operators who watch events", len(server.admin.readers))
    yield _counter("tails_dropped", "Watchers who were too slow", server.admin.dropped)


def _sip(server: Server) -> Iterator[Metric]:
    tally = server.tally
    counts = (("received", by_name(tally.received)), ("sent", by_name(tally.sent)))
    for kind, label in (("request", "method"), ("response", "class")):
        samples = [
            ((way, name), count) for way, found in counts for (what, name), count in found.items() if what == kind
        ]
        text = f"SIP {kind}s by direction and {label}, repetitions included"
        yield _counters(f"sip_{kind}s", text, ("direction", label), samples)
    udp = server.udp.values()
    yield _counter("sip_datagrams_received", "UDP datagrams received", sum(sock.datagrams_in for sock in udp))
    yield _counter("sip_datagrams_sent", "UDP datagrams sent", sum(sock.datagrams_out for sock in udp))
    dropped = sum(sock.dropped for sock in udp)
    yield _counter("sip_datagrams_dropped", "UDP datagrams that found the sending queue full", dropped)
    failures = sum(sum(sock.failures.values()) for sock in udp)
    yield _counter("sip_send_failures", "UDP datagrams that the kernel refused", failures)
    yield _gauge("sip_tcp_connections", "TCP connections", len(server.flows.flows))
    yield _counter("sip_tcp_connections_refused", "TCP connections beyond the limit", server.flows.refused)
    yield _counter("sip_unsent", "Messages whose connection or socket was gone", server.counts["unsent"])
    yield _counter("sip_unresolved", "Messages to names without an address", server.counts["unresolved"])


def _records(server: Server) -> Iterator[Metric]:
    storage, journal = server.storage, server.journal
    states = [((state,), float(storage.state == state)) for state in ("ok", "spooling", "failed")]
    yield _gauges("storage_state", "1 for the state of the record store", ("state",), states)
    yield _gauge("storage_spooled_events", "Events not on disk yet", storage.spooled)
    yield _counter("storage_written_events", "Events written", storage.written)
    yield _counter("storage_lost_events", "Events that bounded memory had to let go", storage.lost)
    yield _gauge("journal_bytes", "Size of the journal's current file", journal.bytes_written)
    yield _gauge("journal_failed", "1 when the journal has stopped", bool(journal.failed))
    yield _counter("inputs", "Inputs of the switch", journal.inputs)


def _media(server: Server) -> Iterator[Metric]:
    media: dict[str, int] = server.plane.metrics()

    def of(key: str) -> int:
        return media.get(key, 0)

    yield _gauge("media_alive", "1 while the media thread takes what it is given", server.watching.health.media_alive())
    yield _gauge("media_legs", "Legs with media", of("legs"))
    yield _gauge("media_recordings", "Recordings that run", of("recordings"))
    for name, text, key in _MEDIA_COUNTERS:
        yield _counter(name, text, of(key))
    yield SummaryMetricFamily(
        "ringdown_media_tick_late_seconds", "How late the media thread's ticks were", count_value=of("ticks"),
        sum_value=of("tick_late_us_sum") / 1e6,
    )
    yield _gauge("media_tick_late_max_seconds", "Latest a tick has ever been", of("tick_late_us_max") / 1e6)
    depth = [(("commands",), of("commands_waiting")), (("events",), of("events_waiting"))]
    yield _gauges("media_ring_depth", "Records waiting between event loop and media thread", ("ring",), depth)
    full = [(("commands",), of("commands_held")), (("events",), of("events_refused"))]
    yield _counters(
        "media_ring_full", "Records that found their ring full and had to wait", ("ring",), full
    )


def _speech(server: Server) -> Iterator[Metric]:
    now = server.recognizers.figures
    for name, text, field, unit in _SPEECH_COUNTERS:
        yield _counter(name, text, getattr(now, field) * unit)
    for name, text, field, unit in _SPEECH_GAUGES:
        yield _gauge(name, text, getattr(now, field) * unit)
    yield _counter("speech_drains_late", "Times that the loop was late to fetch sound", server.recognizers.late_ticks)


def _calls(server: Server) -> Iterator[Metric]:
    for name, text, label, counts in (
        ("calls_started", "Calls that came in, by way", "via", server.tally.started),
        ("calls_ended", "Calls that have ended, by outcome", "outcome", server.tally.ended),
        ("gate_dropped", "Messages that the gate dropped, by why", "why", server.guard.gate.dropped),
        ("fraud", "Calls to the outside that rules against fraud have told of, or stopped", "what", server.tally.fraud),
        ("limits_reached", "Calls or requests that met a limit, by its name", "limit", server.tally.limits),
        ("emergency_calls", "Emergency calls, calls ended for them, and results", "what", server.tally.emergency),
    ):
        samples = [((value,), count) for value, count in sorted(counts.items())]
        yield _counters(name, text, (label,), samples)
    asked = [(name.partition(" ")[::2], count) for name, count in sorted(server.tally.lookups.items())]
    yield _counters("lookups", "Lookups that dialplans have asked for, by result", ("lookup", "result"), asked)
    counted = [((name,), count) for name, count in sorted(server.tally.metrics.items())]
    yield _gauges("dialplan_metric", "What dialplans count by their verb metric", ("metric",), counted)


def _quality(server: Server) -> Iterator[Metric]:
    found = sorted(server.tally.quality.items())
    text = "of legs that have closed; trunk is empty for agents' phones and direct callers"
    for name, what, key in (
        ("quality_legs", "Legs whose media was measured,", "legs"),
        ("quality_packets_received", "RTP packets received", "received"),
        ("quality_packets_lost", "RTP packets missing", "lost"),
    ):  # fmt: skip
        samples = [((trunk,), getattr(quality, key)) for trunk, quality in found]
        yield _counters(name, f"{what} {text}", ("trunk",), samples)
    family = SummaryMetricFamily("ringdown_quality_jitter_seconds", f"Interarrival jitter {text}", labels=("trunk",))
    for trunk, quality in found:
        family.add_metric((trunk,), quality.legs, quality.jitter_us / 1e6)
    yield family
    trips = SummaryMetricFamily("ringdown_quality_round_trip_seconds", f"Round trip (RTCP) {text}", labels=("trunk",))
    rated = SummaryMetricFamily(
        "ringdown_quality_mos", f"Opinion (MOS by the E-model, 1 to 4.5) {text}", labels=("trunk", "way")
    )
    for trunk, quality in found:
        trips.add_metric((trunk,), quality.trips, quality.trip_us / 1e6)
        for way, count in sorted(quality.rated.items()):
            rated.add_metric((trunk, way), count, quality.opinions[way])
    yield trips
    yield rated
    poor = [((trunk, side), count) for trunk, quality in found for side, count in sorted(quality.poor.items())]
    yield _counters("quality_faults", f"Legs whose sound had a fault, by whose, {text}", ("trunk", "side"), poor)


def _live(live: sounding.Live) -> Iterator[Metric]:
    text = "of living legs, by what comes from them and what goes to them (RTCP)"
    family = SummaryMetricFamily("ringdown_live_mos", f"Opinion (MOS by the E-model, 1 to 4.5) {text}", labels=("way",))
    for way, count in sorted(live.rated.items()):
        family.add_metric((way,), count, live.opinions[way])
    yield family
    bad = [((way,), count) for way, count in sorted(live.bad.items())]
    yield _gauges("live_legs_bad", f"MOS below 3.6 {text}", ("way",), bad)
    faults = [((side,), count) for side, count in sorted(live.faults.items())]
    yield _gauges("live_legs_faulty", "Living legs whose sound has a fault, by whose", ("side",), faults)


def _room(room: Any) -> Iterator[Metric]:
    now = figures.totals(room)
    phases = [((phase,), count) for phase, count in now["calls"].items()]
    yield _gauges("calls", "Calls in progress by phase", ("phase",), phases)
    for name, text, key in (
        ("call_legs", "Legs of calls", "legs"), ("sip_transactions", "SIP transactions", "transactions"),
        ("sip_sessions", "SIP sessions", "sessions"), ("sip_bindings", "Registered contacts of phones", "bindings"),
        ("media_rows", "Places for media in use", "media_rows"),
        ("media_rows_max", "Places for media", "media_rows_max"),
    ):  # fmt: skip
        yield _gauge(name, text, now[key])
    agents = [((state,), count) for state, count in now["agents"].items()]
    yield _gauges("agents", "Agents by state", ("state",), agents)
    refused = [((kind,), count) for kind, count in now["refused"].items()]
    yield _counters("refused", "Requests refused, by kind", ("kind",), refused)


def _trunks(server: Server, room: Any) -> Iterator[Metric]:
    found = figures.trunks(room)
    label = ("trunk",)
    calls = [((name,), now) for name, (now, _) in found.items()]
    yield _gauges("trunk_calls", "Legs through the trunk now, both directions", label, calls)
    most = [((name,), limit) for name, (_, limit) in found.items() if limit]
    yield _gauges("trunk_calls_max", "Most legs that the site lets through the trunk", label, most)
    started = [((name,), server.tally.trunk_started.get(name, 0)) for name in found]
    yield _counters("trunk_calls_started", "Calls that came in through the trunk", label, started)
    refused = [((name,), server.tally.limits.get(f"trunk.{name}.calls_max", 0)) for name in found]
    yield _counters("trunk_calls_refused", "Calls refused: the trunk was full", label, refused)
    rows = trunk_desk.rows(room)
    up = [((row["trunk"],), int(row["state"] not in ("down", "unresolved"))) for row in rows if row["to"]]
    yield _gauges("trunk_up", "0 while the trunk is down or its name leads nowhere, else 1", label, up)
    trips = [
        ((row["trunk"], each["address"]), each["round_trip_ms"] / 1000)
        for row in rows for each in row["addresses"] if each["round_trip_ms"] >= 0
    ]  # fmt: skip
    text = "Of the latest answer to OPTIONS, by address"
    yield _gauges("trunk_round_trip_seconds", text, ("trunk", "address"), trips)
    kept = [
        ((row["trunk"],), int(row["registration"]["state"] in ("registered", "renewed")))
        for row in rows if row["registration"]
    ]  # fmt: skip
    yield _gauges("trunk_registered", "1 while we are registered with the carrier", label, kept)
    for name, text in _TRUNK_COUNTERS.items():
        yield _counters(f"trunk_calls_{name}", text, label, [((row["trunk"],), row[name]) for row in rows])


_TRUNK_COUNTERS = {
    "placed": "Calls sent out through the trunk", "moved": "Of them, given to the next address or trunk",
    "limited": "Calls it was not given: too many at once, or in a second",
}  # fmt: skip


def _queues(queues: list[dict[str, Any]]) -> Iterator[bytes]:
    label = ("tenant", "queue")
    for kind, figures_of in ((GaugeMetricFamily, _QUEUE_GAUGES), (CounterMetricFamily, _QUEUE_COUNTERS)):
        for name, text, key, scale in figures_of:
            yield from _sliced(kind, f"queue_{name}", text, label, queues, [((), key, scale)])
    refused = [((why,), f"refused_{why}", 1.0) for why in ("full", "no_agents")]
    text = "Callers whom the queue did not take"
    yield from _sliced(CounterMetricFamily, "queue_refused", text, (*label, "reason"), queues, refused)
    agents = [((state,), f"agents_{state}", 1.0) for state in AGENT_STATES]
    yield from _sliced(
        GaugeMetricFamily, "queue_agents", "Agents of the queue by state", (*label, "state"), queues, agents
    )


def _sliced(
    kind: Callable[..., Any], name: str, text: str, labels: Labels, queues: list[dict[str, Any]],
    wanted: Sequence[tuple[Labels, str, float]],
) -> Iterator[bytes]:  # fmt: skip
    """A family of queues in pieces; only the first keeps its HELP and TYPE lines. `wanted`: (labels, key, scale)."""
    step = max(1, samples_at_once // len(wanted))
    for first in range(0, max(1, len(queues)), step):
        samples = [
            ((row["tenant"], row["queue"], *more), row[key] * scale)
            for row in queues[first : first + step] for more, key, scale in wanted
        ]  # fmt: skip
        piece = generate_latest(_Page(_labelled(kind, name, text, labels, samples)))
        lines = piece.splitlines(keepends=True)
        yield piece if first == 0 else b"".join(line for line in lines if not line.startswith(b"# "))
