"""Fold the events of one call into one call detail record (the CDR row).

A row is due when `call.ended` arrives; media quality may come a moment later (a leg closes after its dialog), so
an ended call stays in the fold for a while and its row is due again, complete, under the same key.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.records.events import Event

ended_kept_max = 512  # ended calls that may still get a quality event
open_kept_max = 8_192


class LegQuality(msgspec.Struct):
    """One leg's media as it closed; jitter and gap in microseconds, `lost` in packets."""

    leg: str
    packets_in: int = 0
    packets_out: int = 0
    lost: int = 0
    jitter_us: int = 0
    gap_max_us: int = 0
    ignored: int = 0
    digits: int = 0
    mos_in: float = 0.0  # 1.0–4.5 of what came from it and what went to it, 0 not known
    mos_out: float = 0.0
    far_lost: int = -1  # packets of ours that it says it lost; -1 not known
    round_trip_us: int = -1
    side: str = ""  # whose fault it was: theirs | ours | between
    cause: str = ""

    def loss_percent(self) -> float:
        """Lost packets as percent of those expected (lost + received); 0 when nothing was expected."""
        expected = self.packets_in + self.lost
        return 100.0 * self.lost / expected if expected else 0.0


class CallDetail(msgspec.Struct):
    """One call. `boot` and `n` (of `call.started`) are its key; times are Unix ms, 0 means never; lengths are ms."""

    boot: str
    n: int
    call: str
    tenant: str
    started_ms: int
    caller: str = ""
    name: str = ""
    dialled: str = ""
    trunk: str = ""
    via: str = ""
    source: str = ""  # transport:host:port that the INVITE came from
    answered_ms: int = 0
    ended_ms: int = 0
    by: str = ""
    outcome: str = ""
    cause: int = 0
    duration_ms: int = 0
    answer_ms: int = 0  # from arrival to answer
    waited_ms: int = 0
    talked_ms: int = 0
    held_ms: int = 0
    path: str = ""
    queues: list[str] = []
    agents: list[str] = []  # numbers, within the call's tenant
    transfers: int = 0
    faults: int = 0
    one_way: bool = False
    recordings: list[str] = []
    quality: list[LegQuality] = []
    codes: dict[str, str] = {}  # agent -> name of the wrap-up code that he gave last, '' where one is missing

    def whole_path(self) -> str:
        """`path` with the wrap-up codes, which may come after the call's end."""
        return self.path + "".join(f" > code {name or 'missing'}" for name in self.codes.values())


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _fraction(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _add(names: list[str], name: str) -> None:
    if name and name not in names:
        names.append(name)


class CallFold:
    """Feeds on the event stream in order; memory is bounded whatever the stream holds."""

    def __init__(self) -> None:
        self._open: dict[str, CallDetail] = {}
        self._ended: dict[str, CallDetail] = {}  # insertion order = age

    def feed(self, event: Event) -> CallDetail | None:
        """Take one event; returns a call's row when it is due (at its end, and again for each later quality)."""
        call = event.call
        if not call:
            return None
        kind = event.kind
        if kind == "call.started":
            self._start(event)
            return None
        detail = self._open.get(call)
        if detail is None:
            return self._late(event)
        if kind == "call.ended":
            self._end(detail, event)
            return detail
        rule = _RULES.get(kind)
        if rule is not None:
            rule(detail, event)
        return None

    def open_calls(self) -> int:
        """How many calls have begun and not ended."""
        return len(self._open)

    def open_names(self) -> list[str]:
        """Names of the calls that have begun and not ended, oldest first."""
        return list(self._open)

    def forget(self, is_his: Callable[[str], bool]) -> None:
        """Drop ended calls of a caller, so that a late quality event doesn't write his row again."""
        for call, detail in list(self._ended.items()):
            if is_his(detail.caller) or is_his(detail.dialled):
                del self._ended[call]

    def _start(self, event: Event) -> None:
        data = event.data
        self._ended.pop(event.call, None)
        if len(self._open) >= open_kept_max:
            self._open.pop(next(iter(self._open)))
        self._open[event.call] = CallDetail(
            boot=event.boot, n=event.n, call=event.call, tenant=event.tenant, started_ms=event.at_ms,
            caller=_text(data.get("caller")), name=_text(data.get("name")), dialled=_text(data.get("dialled")),
            trunk=_text(data.get("trunk")), via=_text(data.get("via")), source=_text(data.get("peer")),
        )

    def _end(self, detail: CallDetail, event: Event) -> None:
        data = event.data
        detail.ended_ms = event.at_ms
        detail.by = _text(data.get("by"))
        detail.outcome = _text(data.get("outcome"))
        detail.cause = _number(data.get("cause"))
        detail.duration_ms = _number(data.get("duration_ms"))
        detail.waited_ms = _number(data.get("waited_ms"))
        detail.talked_ms = _number(data.get("talked_ms"))
        detail.held_ms = _number(data.get("held_ms"))
        detail.path = _text(data.get("path"))
        del self._open[event.call]
        self._ended[event.call] = detail
        if len(self._ended) > ended_kept_max:
            self._ended.pop(next(iter(self._ended)))

    def _late(self, event: Event) -> CallDetail | None:
        detail = self._ended.get(event.call)
        rule = _LATE.get(event.kind)
        if detail is None or rule is None:
            return None
        rule(detail, event)
        return detail


def _answered(detail: CallDetail, event: Event) -> None:
    detail.answered_ms = event.at_ms
    detail.answer_ms = _number(event.data.get("after_ms"))


def _bridged(detail: CallDetail, event: Event) -> None:
    other = _text(event.data.get("with"))
    if other.startswith("agent "):
        _add(detail.agents, other[6:])


def _transferred(detail: CallDetail, event: Event) -> None:
    detail.transfers += event.data.get("result") == "started"  # how it ended is told by a second event


def _recording(detail: CallDetail, event: Event) -> None:
    _add(detail.recordings, _text(event.data.get("name")))


def _quality(detail: CallDetail, event: Event) -> None:
    data = event.data
    detail.quality.append(
        LegQuality(
            leg=_text(data.get("leg")), packets_in=_number(data.get("packets_in")),
            packets_out=_number(data.get("packets_out")), lost=_number(data.get("lost")),
            jitter_us=_number(data.get("jitter_us")), gap_max_us=_number(data.get("gap_max_us")),
            ignored=_number(data.get("ignored")), digits=_number(data.get("digits")),
            mos_in=_fraction(data.get("mos_in")), mos_out=_fraction(data.get("mos_out")),
            far_lost=_number(data.get("far_lost", -1)), round_trip_us=_number(data.get("round_trip_us", -1)),
            side=_text(data.get("side")), cause=_text(data.get("cause")),
        )
    )


def _media(detail: CallDetail, event: Event) -> None:
    if event.data.get("state") in ("one-way", "missing"):
        detail.one_way = True


def _fault(detail: CallDetail, event: Event) -> None:
    detail.faults += 1


def _code(detail: CallDetail, event: Event) -> None:
    detail.codes[_text(event.data.get("agent"))] = _text(event.data.get("name"))


def _queue(detail: CallDetail, event: Event) -> None:
    _add(detail.queues, _text(event.data.get("queue")))


def _connected(detail: CallDetail, event: Event) -> None:
    _queue(detail, event)
    _add(detail.agents, _text(event.data.get("agent")).rpartition("/")[2])


_RULES = {
    "call.answered": _answered, "call.bridged": _bridged, "call.transferred": _transferred,
    "call.recording": _recording, "call.quality": _quality, "call.media": _media, "call.fault": _fault,
    "queue.joined": _queue, "queue.connected": _connected,
    "agent.wrap_up_code": _code,
}
_LATE = {
    "call.quality": _quality, "call.recording": _recording, "call.fault": _fault, "agent.wrap_up_code": _code,
}


def fold(events: list[Event]) -> list[CallDetail]:
    """All calls that ended within `events` (ordered as they ended), each with everything known about it."""
    folder = CallFold()
    ended: dict[str, CallDetail] = {}
    for event in events:
        detail = folder.feed(event)
        if detail is not None:
            ended[f"{detail.boot}/{detail.n}"] = detail
    return list(ended.values())
